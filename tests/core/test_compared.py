"""The models that the GRU is compared with: their cards, sizes and training."""

from __future__ import annotations

import numpy as np
import pytest

import gru_core as gru
from gru_core import presets
from gru_core.presets import compared
from gru_core.presets.recipes import FRESH_SEED, PRESETS
from gru_core.training.scoring import SCORE, score
from gru_core.training.toys import TASKS


def parts(name: str) -> tuple[str, str]:
    """Return the task and the cell that a model's name contains."""
    task, _, cell = name.removesuffix("-parameters").rpartition("-")
    return task, cell


@pytest.mark.parametrize("name", presets.COMPARED)
def test_a_card_has_the_measured_score_and_reports_a_missed_target(name: str) -> None:
    (task, cell), model = parts(name), gru.load(name)
    recipe, plain, card = PRESETS[presets.plain(task)].recipe, gru.load(presets.plain(task)), model.card
    assert [layer.name for layer in model.layers] == [cell]
    for key in ("training steps", "learning rate", "penalties"):
        assert key in card.training
    assert card.training["training steps"] == plain.card.training["training steps"]
    assert card.training["penalties"] == "none"
    fresh = TASKS[task].draw(np.random.default_rng(FRESH_SEED + recipe.seed), 20, 1000)
    measured = score(model, fresh)
    assert card.measured[SCORE[model.readout.kind]] == pytest.approx(measured, rel=1e-3)
    as_good = measured >= 0.99 if model.readout.kind == "softmax" else measured <= 0.003
    assert ("it did not reach the target" in card.summary) == (not as_good)
    for example in card.examples:
        assert np.isfinite(gru.trace(model, example).y).all()


@pytest.mark.parametrize("name", presets.COMPARED)
def test_sizes_match_by_units_or_as_closely_as_possible_by_parameters(name: str) -> None:
    (task, _), layer = parts(name), gru.load(name).layers[0]
    plain = gru.load(presets.plain(task)).layers[0]
    if not name.endswith("-parameters"):
        assert layer.units == plain.units
        return
    G, R, I = len(layer.gates), len(layer.recurrent), layer.inputs
    parameters = 3 * plain.units * (I + plain.units + 1)
    differences = [abs(G * H * (I + 1) + R * H * H - parameters) for H in range(1, 64)]
    assert abs(sum(array.size for array in layer.parameters.values()) - parameters) == min(differences)


def test_training_again_gives_the_shipped_model() -> None:
    *_, last = compared.train("flip-flop-rnn")
    shipped = gru.load("flip-flop-rnn").parameters
    for parameter, array in last.model.parameters.items():
        np.testing.assert_allclose(array, shipped[parameter], atol=1e-6)
