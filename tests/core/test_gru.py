"""The GRU, compared with other implementations and with its equations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx.reference import ReferenceEvaluator

from gru_core import GRU, backward, forward, half_life
from gru_core.arrays import Array
from gru_core.cells.gru import GATES, Forward
from gru_core.cells.holds import Holds
from tests.support.gradcheck import check_gradient
from tests.support.networks import RESETS, onnx_gru, random_gru, sigmoid


def by_onnxruntime(gru: GRU, x: Array, h0: Array) -> Array:
    """Return the states that onnxruntime computes."""
    graph, feed = onnx_gru(gru, x, h0)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, feed)[0])[:, 0]


def by_onnx_reference(gru: GRU, x: Array, h0: Array) -> Array:
    """Return the states that onnx's reference evaluator computes."""
    graph, feed = onnx_gru(gru, x, h0)
    return np.asarray(ReferenceEvaluator(graph).run(None, feed)[0])[:, 0]


# onnxruntime supports the operator only in float32. For float64 onnx's own evaluator gives the expected states.
ORACLES = [(by_onnxruntime, np.float32, 2e-6), (by_onnx_reference, np.float64, 1e-12)]


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize(("oracle", "dtype", "tolerance"), ORACLES)
def test_states_equal_those_of_other_implementations(oracle: Any, dtype: Any, tolerance: float, reset: str) -> None:
    rng = np.random.default_rng(0)
    for units, inputs, T, B in ((1, 1, 5, 1), (4, 3, 40, 2), (32, 8, 60, 5)):
        gru = random_gru(rng, inputs, units, reset)
        if units == 32:  # many large weights would make the run chaotic, so rounding errors would grow
            gru = gru.with_parameters({name: a / 3 for name, a in gru.parameters.items()})
        x, h0 = rng.normal(size=(T, B, inputs)).astype(dtype), rng.uniform(-1, 1, (B, units)).astype(dtype)
        run = forward(gru.with_parameters({n: a.astype(dtype) for n, a in gru.parameters.items()}), x, h0)
        assert run.h.dtype == dtype
        np.testing.assert_allclose(run.h, oracle(gru, x, h0), atol=tolerance, rtol=0)


def check_equations(run: Forward) -> None:
    """Assert that all arrays of a run satisfy the equations."""
    gru, b = run.cell, np.split(run.cell.b, 3)
    for gate, bias, activation in (("r", b[0], sigmoid), ("z", b[1], sigmoid), ("h_tilde", b[2], np.tanh)):
        np.testing.assert_allclose(getattr(run, gate), activation(run.Wx[gate] + run.Uh[gate] + bias), atol=1e-13)
    U_h = gru.U[2 * gru.units :]
    for t, old in enumerate(run.h_prev):
        inside = (run.r[t] * old) @ U_h.T if gru.c_h is None else run.r[t] * (old @ U_h.T + gru.c_h)
        np.testing.assert_allclose(run.Uh["h_tilde"][t], inside, atol=1e-13)
        np.testing.assert_array_equal(run.h[t], (1 - run.z[t]) * old + run.z[t] * run.h_tilde[t])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 5), st.integers(1, 30), st.sampled_from(RESETS))
def test_every_array_satisfies_its_equation(seed: int, units: int, inputs: int, T: int, reset: str) -> None:
    rng = np.random.default_rng(seed)
    gru = random_gru(rng, inputs, units, reset)
    check_equations(forward(gru, rng.normal(size=(T, inputs)), rng.uniform(-1, 1, units)))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 5), st.sampled_from(RESETS), st.sampled_from(GATES))
def test_a_term_is_the_change_of_its_sum_without_its_weight(
    seed: int, units: int, inputs: int, reset: str, gate: Any
) -> None:
    rng = np.random.default_rng(seed)
    gru = random_gru(rng, inputs, units, reset)
    run = forward(gru, rng.normal(size=(12, inputs)), rng.uniform(-1, 1, units))
    unit, j, k = (int(rng.integers(most)) for most in (units, inputs, units))
    row = GATES.index(gate) * units + unit
    Wx, Uh = run.terms(gate, unit)
    for name, total, terms, column in (("W", "Wx", Wx, j), ("U", "Uh", Uh, k)):
        weights = getattr(gru, name).copy()
        weights[row, column] = 0
        without = replace(run, cell=gru.with_parameters({name: weights}))
        lost = getattr(run, total)[gate] - getattr(without, total)[gate]
        np.testing.assert_allclose(terms[:, column], lost[:, unit], atol=1e-13)
    constant = run.r[:, unit] * gru.c_h[unit] if gru.c_h is not None and gate == "h_tilde" else 0
    np.testing.assert_allclose(Wx.sum(-1), run.Wx[gate][:, unit], atol=1e-13)
    np.testing.assert_allclose(Uh.sum(-1) + constant, run.Uh[gate][:, unit], atol=1e-13)


@pytest.mark.parametrize("reset", RESETS)
def test_a_slice_of_a_run_equals_a_run_from_the_earlier_state(reset: str) -> None:
    rng = np.random.default_rng(7)
    gru, x = random_gru(rng, 3, 4, reset), rng.normal(size=(20, 3))
    run = forward(gru, x, rng.uniform(-1, 1, 4))
    for first, last in ((0, 5), (8, 20)):
        again = forward(gru, x[first:last], run.h_prev[first])
        for name in ("x", "h0", "r", "z", "h_tilde", "h", "h_prev"):
            np.testing.assert_allclose(getattr(run[first:last], name), getattr(again, name), atol=1e-14)


def test_moved_is_the_sum_of_all_changes_of_a_state() -> None:
    gru = GRU(W=np.zeros((6, 1)), U=np.zeros((6, 2)), b=np.array([0, 0, -1, -3, 20, -20.0]))
    h0 = np.array([-0.5, 0.25])
    run = forward(gru, np.zeros((30, 1)), h0)
    np.testing.assert_allclose(run.moved, np.abs(run.h[-1] - h0))
    there_and_back = replace(run, h=np.tile([[1.0, 0.0], [0.0, 0.5]], (15, 1)), h0=np.zeros(2))
    np.testing.assert_array_equal(there_and_back.moved, [30, 14.5])


@given(st.floats(1e-6, 1 - 1e-6))
def test_after_the_half_life_half_of_the_state_is_left(z: float) -> None:
    assert (1 - z) ** float(half_life(z)) == pytest.approx(0.5, abs=1e-9)


def test_the_half_life_is_infinite_for_a_closed_gate_and_0_for_an_open_one() -> None:
    z = np.array([[0.0, -0.0, 5e-324], [1.0, 0.5, 0.75]])
    np.testing.assert_array_equal(half_life(z), [[np.inf] * 3, [0, 1, 0.5]])
    assert half_life(z.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("reset", RESETS)
def test_a_batch_equals_its_single_sequences(reset: str) -> None:
    rng = np.random.default_rng(1)
    gru, x = random_gru(rng, 3, 5, reset), rng.normal(size=(20, 4, 3))
    batch = forward(gru, x)
    for b in range(4):
        single = forward(gru, x[:, b])
        for name in ("r", "z", "h_tilde", "h"):
            np.testing.assert_allclose(getattr(batch, name)[:, b], getattr(single, name), atol=1e-14)


@pytest.mark.parametrize("reset", RESETS)
def test_negated_weights_of_z_give_the_convention_in_which_z_keeps_the_state(reset: str) -> None:
    """h_t = z ⊙ h + (1 − z) ⊙ h̃ with z = σ(a) equals the core's h_t with z = σ(−a)."""
    rng = np.random.default_rng(2)
    keeping, x, H = random_gru(rng, 3, 4, reset), rng.normal(size=(30, 3)), 4
    flipped = {
        n: np.concatenate([a[:H], -a[H : 2 * H], a[2 * H :]]) for n, a in keeping.parameters.items() if n != "c_h"
    }
    ours = forward(keeping.with_parameters(flipped), x)
    W, U, b = (np.split(a, 3) for a in (keeping.W, keeping.U, keeping.b))
    h = np.zeros(H)
    for t in range(30):
        r, z = (sigmoid(x[t] @ W[i].T + h @ U[i].T + b[i]) for i in (0, 1))
        if keeping.c_h is None:
            candidate = np.tanh(x[t] @ W[2].T + (r * h) @ U[2].T + b[2])
        else:
            candidate = np.tanh(x[t] @ W[2].T + b[2] + r * (h @ U[2].T + keeping.c_h))
        h = z * h + (1 - z) * candidate
        np.testing.assert_allclose(ours.h[t], h, atol=1e-14)
        np.testing.assert_allclose(1 - ours.z[t], z, atol=1e-14)


def test_reset_before_and_after_the_product_are_equal_only_with_one_unit() -> None:
    rng = np.random.default_rng(3)
    for units, same in ((1, True), (3, False)):
        before, x = random_gru(rng, 2, units, "before"), rng.normal(size=(15, 2))
        after = GRU(before.W, before.U, before.b, np.zeros(units))
        assert np.allclose(forward(before, x).h, forward(after, x).h, atol=1e-14) is same


def test_a_gate_with_a_very_large_sum_is_exactly_0_or_1() -> None:
    gru = GRU(W=np.array([[1e4], [-1e4], [1.0]]), U=np.zeros((3, 1)), b=np.zeros(3))
    run = forward(gru, np.array([[1.0], [-1.0]]))
    assert run.r.ravel().tolist() == [1.0, 0.0]
    assert run.z.ravel().tolist() == [0.0, 1.0]


def weighted_sum(run: Forward, of_h: Array, of_r: Array, of_z: Array) -> float:
    """Return the sum of all h, r and z of a run, each multiplied by a weight from `of_h`, `of_r` or `of_z`."""
    return float((of_h * run.h).sum() + (of_r * run.r).sum() + (of_z * run.z).sum())


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("shape", [(12,), (12, 3)])
def test_backward_is_the_derivative_of_forward(reset: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(4)
    gru = random_gru(rng, 3, 4, reset)
    inputs = {"x": rng.normal(size=(*shape, 3)), "h0": rng.uniform(-1, 1, (*shape[1:], 4))}
    of_h, of_r, of_z = rng.normal(size=(3, *shape, 4))

    def run(at: Mapping[str, Array]) -> Forward:
        return forward(gru.with_parameters({name: at[name] for name in gru.parameters}), at["x"], at["h0"])

    def loss(at: Mapping[str, Array]) -> float:
        return weighted_sum(run(at), of_h, of_r, of_z)

    at = {**gru.parameters, **inputs}
    gradients = backward(run(at), of_h, of_r, of_z)
    for _ in range(5):
        check_gradient(loss, at, {**gradients.parameters, "x": gradients.x, "h0": gradients.h0}, rng)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(RESETS), st.sampled_from([(12,), (12, 3)]))
def test_backward_is_the_derivative_of_forward_with_clamps(seed: int, reset: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(seed)
    gru = random_gru(rng, 3, 4, reset)
    masks = {signal: rng.random((*shape, 4)) < 0.2 for signal in ("r", "z", "h_tilde", "h_prev")}
    holds = Holds(masks, {signal: rng.random(mask.shape) for signal, mask in masks.items()})
    of_h, of_r, of_z = rng.normal(size=(3, *shape, 4))

    def run(at: Mapping[str, Array]) -> Forward:
        return forward(gru.with_parameters({name: at[name] for name in gru.parameters}), at["x"], at["h0"], holds)

    def loss(at: Mapping[str, Array]) -> float:
        return weighted_sum(run(at), of_h, of_r, of_z)

    at = {**gru.parameters, "x": rng.normal(size=(*shape, 3)), "h0": rng.uniform(-1, 1, (*shape[1:], 4))}
    gradients = backward(run(at), of_h, of_r, of_z)
    check_gradient(loss, at, {**gradients.parameters, "x": gradients.x, "h0": gradients.h0}, rng)


def test_clamps_may_differ_between_the_sequences_of_a_batch() -> None:
    rng = np.random.default_rng(8)
    for reset in RESETS:
        gru, x, h0 = random_gru(rng, 3, 4, reset), rng.normal(size=(20, 3, 3)), rng.uniform(-1, 1, (3, 4))
        masks = {signal: rng.random((20, 3, 4)) < 0.3 for signal in ("r", "z", "h_tilde", "h_prev")}
        holds = Holds(masks, {signal: rng.random((20, 4)) for signal in masks})
        batch = forward(gru, x, h0, holds)
        shared = forward(gru, x[:, :1], h0, holds)
        for b in range(3):
            holds_of_one = Holds({signal: mask[:, b] for signal, mask in masks.items()}, holds.values)
            for run, inputs in ((batch, x[:, b]), (shared, x[:, 0])):
                single = forward(gru, inputs, h0[b], holds_of_one)
                for name in ("x", "h0", "r", "z", "h_tilde", "h", "h_prev"):
                    np.testing.assert_allclose(getattr(run.sequence(b), name), getattr(single, name), atol=1e-14)


def test_check_gradient_rejects_a_wrong_gradient() -> None:
    rng = np.random.default_rng(5)
    with pytest.raises(AssertionError, match="relative error"):
        check_gradient(lambda at: float((at["a"] ** 2).sum()), {"a": np.ones(3)}, {"a": np.full(3, 2.001)}, rng)


def test_the_error_for_a_wrong_shape_names_the_array() -> None:
    rng = np.random.default_rng(6)
    with pytest.raises(ValueError, match=r"b has shape \(5,\), but 2 units need \(6,\)"):
        GRU(np.zeros((6, 3)), np.zeros((6, 2)), np.zeros(5))
    gru = GRU.random(3, 2, rng)
    with pytest.raises(ValueError, match=r"x has shape \(4, 2\), but must be \(T, 3\)"):
        forward(gru, np.zeros((4, 2)))
    with pytest.raises(ValueError, match=r"h0 has shape \(3,\)"):
        forward(gru, np.zeros((4, 3)), np.zeros(3))
    with pytest.raises(ValueError, match="broadcast"):
        forward(gru, np.zeros((4, 3)), holds=Holds({"z": np.ones((3, 2), bool)}, {"z": np.ones((3, 2))}))
