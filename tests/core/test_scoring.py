"""Clamps with masks on batches, and the kinds of timesteps of a task. tests/app/test_score.py tests whole scores."""

from __future__ import annotations

import numpy as np
import pytest

import gru_core as gru
from gru_core import Clamp
from gru_core.training.scoring import carried, score
from gru_core.training.toys import TASKS


@pytest.mark.parametrize("gate", ["r", "z", "h_tilde", "h_prev"])
def test_a_mask_clamps_each_sequence_at_its_own_steps(gate: str) -> None:
    model, rng = gru.load("sentiment"), np.random.default_rng(0)
    batch = TASKS["sentiment"].draw(rng, 12, 5)
    mask = rng.random((12, 5)) < 0.4
    clamps = [Clamp(gate, 0.7, [1, 6], steps=mask), Clamp(gate, 0.2, steps=slice(8, 10))]
    y = model(batch.x, clamps)
    for b in range(5):
        clamps_of_one = [Clamp(gate, 0.7, [1, 6], slice(t, t + 1)) for t in np.flatnonzero(mask[:, b])]
        alone = gru.trace(model, batch.x[:, b], clamps=[*clamps_of_one, clamps[1]])
        np.testing.assert_allclose(y[:, b], alone.y, atol=1e-13)
        masked = gru.trace(model, batch.x[:, b], clamps=[Clamp(gate, 0.7, [1, 6], mask[:, b]), clamps[1]])
        np.testing.assert_array_equal(masked.y, alone.y)


def test_an_empty_mask_clamps_nothing_and_a_mask_of_a_wrong_shape_is_refused() -> None:
    model, batch = gru.load("flip-flop"), TASKS["flip-flop"].draw(np.random.default_rng(0), 20, 30)
    none = Clamp("z", 0.0, steps=np.zeros((20, 30), bool))
    assert score(model, batch, [none]) == score(model, batch) == 1
    with pytest.raises(ValueError, match=r"the clamp on z has a mask of shape \(20, 30\), but the run has \(3,\)"):
        gru.trace(model, "A m B", clamps=[none])


@pytest.mark.parametrize("name", TASKS)
def test_every_step_has_one_kind_which_its_text_determines(name: str) -> None:
    task = TASKS[name]
    batch = task.draw(np.random.default_rng(1), 30, 40)
    assert (np.sum(list(batch.events.values()), axis=0) == 1).all()
    for b in range(5):
        typed = task.events(task.encoder.encode(task.encoder.tokens(task.encoder.write(batch.x[:, b]))))
        assert list(typed) == list(batch.events)
        for kind, mask in typed.items():
            np.testing.assert_array_equal(mask, batch.events[kind][:, b])


def test_first_returns_a_batch_of_the_first_sequences() -> None:
    model, batch = gru.load("running-total"), TASKS["running-total"].draw(np.random.default_rng(2), 20, 30)
    few = batch.first(7)
    assert few.x.shape == (20, 7, 2)
    errors = (model(batch.x)[..., 0] - batch.target) ** 2
    assert score(model, few) == pytest.approx(errors[:, :7].mean())
    assert batch.first(99).x.shape == batch.x.shape
    for kind, mask in few.events.items():
        np.testing.assert_array_equal(mask, batch.events[kind][:, :7])


def test_a_clamp_is_applied_to_steps_of_the_same_kind() -> None:
    task = TASKS["pocket-calculator"]
    source = task.events(task.encoder.encode(task.encoder.tokens("=0.3 +0.2 0.1 0.2")))
    target = task.draw(np.random.default_rng(3), 20, 10).events
    clamp, label = carried(Clamp("r", 0.0, [0], slice(-2, None), 0), source, target)
    assert label == "every hold (number to ignore)"
    assert (clamp.gate, clamp.value, clamp.units, clamp.layer) == ("r", 0.0, [0], 0)
    np.testing.assert_array_equal(clamp.steps, target["hold"])
    assert carried(Clamp("r", 0.0), source, target) == (Clamp("r", 0.0), "every timestep")
    assert carried(Clamp("r", 0.0, steps=source["add"]), source, target)[1] == "every add"
    with pytest.raises(ValueError, match=r"timesteps 2 to 4 are of several kinds \(add, hold\)"):
        carried(Clamp("r", 0.0, steps=slice(1, None)), source, target)
    with pytest.raises(ValueError, match="the clamp on r covers none of the timesteps 1 to 4"):
        carried(Clamp("r", 0.0, steps=slice(4, 5)), source, target)
