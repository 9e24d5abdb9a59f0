"""The contributions of timesteps to a state: they rebuild the state and follow their definition."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gru_core as gru
from gru_core import Clamp, forward
from gru_core.arrays import Array
from gru_core.cells.gru import Forward
from gru_core.cells.holds import Holds
from gru_core.runs.ledger import ledger, ledger_row, origins
from tests.support.networks import RESETS, random_gru, stacked


def check(run: Forward, unit: int) -> Array:
    """Assert that a unit's contributions add up to 1 in each row and rebuild the state. Return the contributions."""
    L = ledger(run, unit)
    assert L.shape == (len(run.h), len(run.h) + 1)
    np.testing.assert_allclose(L.sum(1), 1, atol=1e-12)
    rebuilt = L[:, 0] * origins(run, unit) + L[:, 1:] @ run.h_tilde[:, unit]
    np.testing.assert_allclose(rebuilt, run.h[:, unit], atol=1e-12)
    return L


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 40), st.sampled_from(RESETS))
def test_contributions_add_up_to_1_and_rebuild_the_state(
    seed: int, units: int, T: int, reset: Literal["before", "after"]
) -> None:
    rng = np.random.default_rng(seed)
    masks = {signal: rng.random((T, units)) < 0.1 for signal in ("z", "r", "h_tilde", "h_prev")}
    holds = Holds(masks, {signal: rng.integers(0, 3, mask.shape) / 2 for signal, mask in masks.items()})
    layer, x, h0 = random_gru(rng, 2, units, reset), rng.normal(0, 2, (T, 2)), rng.uniform(-1, 1, units)
    unit = int(rng.integers(units))
    check(forward(layer, x, h0), unit)
    L = check(forward(layer, x, h0, holds), unit)
    for t in range(T):  # the definition, written as a product per timestep
        clamped_steps = np.flatnonzero(masks["h_prev"][: t + 1, unit])
        since, z = int(clamped_steps[-1]) if clamped_steps.size else 0, forward(layer, x, h0, holds).z[:, unit]
        shares = [z[k] * math.prod(1 - z[k + 1 : t + 1]) if since <= k <= t else 0 for k in range(T)]
        np.testing.assert_allclose(L[t], [math.prod(1 - z[since : t + 1]), *shares], atol=1e-15)


@pytest.mark.parametrize("name", ["flip-flop", "sentiment"])
def test_contributions_of_2000_steps_rebuild_the_state(name: str) -> None:
    model = gru.load(name)
    x = model.encoder.encode(list(np.random.default_rng(0).choice(model.encoder.alphabet, 2000)))
    for clamps in ([], [Clamp("z", 0.0, steps=slice(300, 900)), Clamp("z", 1.0, steps=slice(1200, 1201))]):
        trace = gru.trace(model, x, [np.full(model.layers[0].units, 0.5)], clamps)
        for unit in range(trace.h.shape[1]):
            check(trace.layers[0], unit)


def test_contributions_with_fully_open_and_closed_gates() -> None:
    z = np.array([[0.0], [0.0], [1.0], [0.0], [0.5], [0.0]])
    run = replace(gru.trace(gru.load("flip-flop"), "A m m B m m").layers[0], z=z)
    assert ledger(run, 0).tolist() == [
        [1, 0, 0, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 1, 0, 0, 0],
        [0, 0, 0, 1, 0, 0, 0],
        [0, 0, 0, 0.5, 0, 0.5, 0],
        [0, 0, 0, 0.5, 0, 0.5, 0],
    ]


def test_steps_before_a_clamp_on_h_prev_have_no_contribution() -> None:
    trace = gru.trace(stacked(), "A b c ? D a", clamps=[Clamp("h_prev", -0.5, [2], slice(3, 4), layer=1)])
    L, run = trace.ledger(2), trace.layers[1]
    assert (L[3:, 1:4] == 0).all()
    assert (L[2, :4] > 0).all()
    np.testing.assert_array_equal(origins(run, 2), [0, 0, 0, -0.5, -0.5, -0.5])
    np.testing.assert_allclose(L[3:, 0], np.cumprod(1 - run.z[3:, 2]))
    np.testing.assert_array_equal(trace.ledger(1), ledger(trace.layers[1], 1))
    np.testing.assert_array_equal(trace.ledger(3, layer=0), ledger(trace.layers[0], 3))


def test_single_rows_equal_those_of_the_whole_matrix() -> None:
    clamps = [Clamp("h_prev", 0.5, steps=slice(6, 7)), Clamp("h_prev", 0.25, steps=slice(3, 4))]
    run = gru.trace(gru.load("store-and-recall"), "AbcD?a?bC?", clamps=clamps).layers[0]
    L = ledger(run, 1)
    for t in range(10):
        np.testing.assert_allclose(ledger_row(run, 1, t), L[t], atol=1e-16)
        np.testing.assert_allclose(ledger(run, 1, slice(t, t + 3)), L[t : t + 3], atol=1e-16)


def test_a_contribution_is_halved_after_the_half_life() -> None:
    """With z = 0.03, half of a contribution is left after 23 timesteps, and 4.8% after 100."""
    trace = gru.trace(gru.load("flip-flop"), "A" + "m" * 100, clamps=[Clamp("z", 0.03, steps=slice(1, None))])
    share = trace.ledger(0)[:, 1] / trace.z[0, 0]
    assert share[100] == pytest.approx(0.048, abs=0.001)
    assert round(float(gru.half_life(0.03))) == 23
    assert share[23] == pytest.approx(0.5, abs=0.01)
