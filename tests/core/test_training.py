"""Losses, their gradients, and Adam. The results of training are tested in test_presets.py."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from gru_core import GRU, Model
from gru_core.presets.recipes import PRESETS
from gru_core.training.fit import Adam, Parameters, Penalties, Schedule, clip, fit, loss_and_gradients
from gru_core.training.recipe import begin
from gru_core.training.scoring import score
from gru_core.training.toys import TASKS
from tests.support.gradcheck import check_gradient


@pytest.mark.parametrize("reset", ["before", "after"])
@pytest.mark.parametrize("name", TASKS)
def test_the_gradient_of_the_loss_equals_difference_quotients(name: str, reset: Literal["before", "after"]) -> None:
    rng = np.random.default_rng(1)
    model, batch = begin(PRESETS[name].recipe, PRESETS[name].card)[0], TASKS[name].draw(rng, 12, 5)
    H = model.layers[0].units
    upper = GRU.random(H, H, rng, reset=reset)
    model = Model(model.encoder, (*model.layers, upper), model.readout, model.card)
    model = model.with_parameters({n: a + rng.normal(0, 0.3, a.shape) for n, a in model.parameters.items()})
    penalties = Penalties(z=0.3, r=0.2)
    _, gradients = loss_and_gradients(model, batch, penalties)

    def loss(at: Parameters) -> float:
        return loss_and_gradients(model.with_parameters(at), batch, penalties)[0]

    for _ in range(3):
        check_gradient(loss, model.parameters, gradients, rng)


def test_the_loss_equals_its_definition() -> None:
    rng = np.random.default_rng(2)
    for name in ("store-and-recall", "running-total"):
        model, batch = begin(PRESETS[name].recipe, PRESETS[name].card)[0], TASKS[name].draw(rng, 10, 4)
        y, values = model(batch.x), []
        for t, b in np.argwhere(batch.scored):
            target = batch.target[t, b]
            values.append(-np.log(y[t, b, target]) if name == "store-and-recall" else (y[t, b, 0] - target) ** 2)
        assert loss_and_gradients(model, batch)[0] == pytest.approx(np.mean(values), rel=1e-12)


def test_adam_equals_the_published_algorithm() -> None:
    """Kingma and Ba (2015), Algorithm 1, with both bias corrections written out."""
    adam, theta, rng = Adam(), {"a": np.array([1.0, -2.0])}, np.random.default_rng(3)
    m = v = np.zeros(2)
    expected = theta["a"]
    for t in range(1, 6):
        g = rng.normal(size=2)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        expected = expected - 0.02 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        theta = adam(theta, {"a": g}, 0.02)
        np.testing.assert_allclose(theta["a"], expected, rtol=1e-5)


def test_clipping_keeps_the_direction_and_bounds_the_norm() -> None:
    gradients = {"a": np.array([3.0, 0.0]), "b": np.array([[4.0]])}
    clipped = clip(gradients, 1.0)
    np.testing.assert_allclose([*clipped["a"], *clipped["b"].ravel()], [0.6, 0, 0.8])
    assert clip(gradients, 10.0)["b"] == gradients["b"]


def test_fit_yields_snapshots_until_the_schedule_ends() -> None:
    rng = np.random.default_rng(4)
    model, task = begin(PRESETS["flip-flop"].recipe, PRESETS["flip-flop"].card)[0], TASKS["flip-flop"]
    snapshots = list(fit(model, task, rng, Schedule(reach=0.9, after=120, every=50, most=2000)))
    reached = next(s for s in snapshots if s.reached)
    assert snapshots[-1].step == reached.step + 120
    assert all(s.step % 50 == 0 for s in snapshots[:-1])
    batch = task.draw(np.random.default_rng(5), 20, 200)
    assert score(model, batch) < 0.9 <= score(snapshots[-1].model, batch)
    missed = list(fit(model, task, rng, Schedule(reach=2.0, after=10, every=50, most=100)))
    assert [(s.step, s.reached) for s in missed] == [(50, False), (100, False)]
