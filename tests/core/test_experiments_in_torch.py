"""The trainings of the experiments, computed again in torch with the same weights and sequences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gru_core import experiments
from gru_core.experiments import race
from gru_core.model import Model
from gru_core.training.abilities import EXPERIMENT_TASKS
from gru_core.training.cards import first_card
from gru_core.training.recipe import Recipe, begin

torch = pytest.importorskip("torch")


def weights_of(model: Model) -> dict[str, np.ndarray]:
    """Return the weights of each gate, under the parameter names of `Network`."""
    layer = model.layers[0]
    gates = layer.gates
    names = {"h_tilde": "h", "h": "h", "c_tilde": "g"}
    weights = {"V": model.readout.V, "c": model.readout.c}
    for part in ("W", "U", "b"):
        for gate, block in zip(gates, np.split(layer.parameters[part], len(gates)), strict=True):
            weights[f"{part}_{names.get(gate, gate)}"] = block
    return weights


def draws(recipe: Recipe, rng: np.random.Generator) -> Callable[[int], tuple[np.ndarray, np.ndarray, np.ndarray]]:
    def draw(B: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        batch = EXPERIMENT_TASKS[recipe.task].draw(rng, recipe.schedule.T, B)
        return batch.x, batch.target, batch.scored

    return draw


@pytest.mark.parametrize(
    ("task", "cell"), [("echo", "rnn"), ("parity", "gru"), ("brackets", "lstm"), ("adding", "gru")]
)
def test_torch_reaches_the_target_at_the_stored_training_step(task: str, cell: str) -> None:
    from tests.support.torch_training import Data, Network, steps_to_target

    recipe = next(r for r in experiments.recipes("race") if (r.task, r.cell, r.seed) == (task, cell, 1))
    model, rng = begin(recipe, first_card(recipe))
    draw = draws(recipe, rng)
    held_out = Data(*draw(100))
    network = Network(cell, weights_of(model))
    step = steps_to_target(network, lambda B: Data(*draw(B)), recipe.schedule, held_out)
    assert step == race.rows(task, cell)[1]["good_at"]
