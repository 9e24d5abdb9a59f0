"""Masked timesteps: the network skips them, and all results equal a run without the masked timesteps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import gru_core as gru
from gru_core import Model, Symbols, Vectors, formats
from gru_core.cells.cell import Cell
from gru_core.cells.gru import GRU
from gru_core.cells.registry import CELLS
from gru_core.runs.clamp import Clamp

T, I, H = 9, 3, 4
MASK = np.array([0, 1, 1, 0, 0, 1, 0, 1, 0], bool)


def layer(cell: type[Cell], inputs: int, rng: np.random.Generator) -> Cell:
    rows, recurrent = len(cell.gates) * H, len(cell.recurrent) * H
    return cell(*(rng.normal(0, 0.7, shape) for shape in ((rows, inputs), (recurrent, H), (rows,))))


def network(cell: type[Cell], padding: float | None = None) -> Model:
    rng = np.random.default_rng(3)
    readout = gru.model.Readout("linear", rng.normal(size=(2, H)), rng.normal(size=2), ("a", "b"))
    card = replace(gru.load("flip-flop").card, examples=())
    return Model(Vectors(I, padding), (layer(cell, I, rng), layer(cell, H, rng)), readout, card)


@pytest.mark.parametrize("cell", CELLS.values())
@pytest.mark.parametrize("h0", [False, True])
def test_a_run_with_masked_steps_is_the_run_without_these_steps(cell: type[Cell], h0: bool) -> None:
    rng = np.random.default_rng(1)
    model, x = network(cell), rng.normal(size=(T, I))
    state = [rng.normal(0, 0.4, len(cell.carried) * H) for _ in range(2)] if h0 else None
    masked, short = model.forward(x, state, mask=MASK), model.forward(x[MASK], state)
    counted = np.cumsum(MASK)
    for run, wanted in zip(masked, short, strict=True):
        for name in cell.carried:
            states = np.concatenate([getattr(wanted, f"{name}0")[None], getattr(wanted, name)])
            np.testing.assert_array_equal(getattr(run, name), states[counted])
        for gate in cell.gates:
            np.testing.assert_array_equal(getattr(run, gate)[MASK], getattr(wanted, gate))


@pytest.mark.parametrize("cell", CELLS.values())
def test_masked_steps_pass_gradients_on_unchanged(cell: type[Cell]) -> None:
    rng = np.random.default_rng(2)
    model, x = network(cell), rng.normal(size=(T, I))
    masked, short = gru.trace(model, x, mask=MASK), gru.trace(model, x[MASK])
    last = int(np.flatnonzero(MASK)[-1])
    ours, wanted = masked.sensitivity(T - 1, 0), short.sensitivity(MASK.sum() - 1, 0)
    assert not ours.x[~MASK].any()
    np.testing.assert_allclose(ours.x[MASK], wanted.x, atol=1e-14)
    for gates, short_gates in zip(ours.gates, wanted.gates, strict=True):
        for gate, gradient in gates.items():
            np.testing.assert_allclose(gradient[MASK], short_gates[gate], atol=1e-14)
            assert not gradient[~MASK].any()
    for name, norms in ours.states.items():
        np.testing.assert_allclose(norms[MASK], wanted.states[name], atol=1e-14)
        np.testing.assert_allclose(norms[last + 1 :], np.eye(1, 1) * np.ones_like(norms[last + 1 :]) * (name == "h"))
    run = masked.layers[0]
    J, S = run.step_jacobians(), len(cell.carried) * H
    np.testing.assert_array_equal(J[~MASK], np.broadcast_to(np.eye(S), (int((~MASK).sum()), S, S)))


@pytest.mark.parametrize("cell", CELLS.values())
def test_gradients_of_a_masked_run_equal_difference_quotients(cell: type[Cell]) -> None:
    rng = np.random.default_rng(4)
    model, x = network(cell), rng.normal(size=(T, I))
    weights = rng.normal(size=(T, H))

    def loss(changed: Cell) -> float:
        run = Model(model.encoder, (changed,), model.readout, model.card).forward(x, mask=MASK)[0]
        return float((run.h * weights).sum())

    bottom = model.layers[0]
    run = Model(model.encoder, (bottom,), model.readout, model.card).forward(x, mask=MASK)[0]
    gradients = run.backward(weights).parameters
    step = 1e-6
    for name, array in bottom.parameters.items():
        for index in list(np.ndindex(array.shape))[::7]:
            values = []
            for sign in (1, -1):
                moved = array.copy()
                moved[index] += sign * step
                values.append(loss(bottom.with_parameters({name: moved})))
            assert gradients[name][index] == pytest.approx((values[0] - values[1]) / (2 * step), abs=1e-8)


@pytest.mark.parametrize("cell", CELLS.values())
def test_each_sequence_of_a_batch_has_its_own_mask(cell: type[Cell]) -> None:
    rng = np.random.default_rng(5)
    model, x = network(cell), rng.normal(size=(T, 3, I))
    mask = rng.random((T, 3)) < 0.6
    together = model.forward(x, mask=mask)
    for b in range(3):
        alone = model.forward(x[:, b], mask=mask[:, b])
        for run, single in zip(together, alone, strict=True):
            np.testing.assert_allclose(run.h[:, b], single.h, atol=1e-14)
    with pytest.raises(ValueError, match="mask has shape"):
        model.forward(x, mask=mask[:, :2])


@pytest.mark.parametrize("cell", CELLS.values())
def test_padding_is_masked_in_whole_runs_blocks_and_clamped_runs(cell: type[Cell]) -> None:
    rng = np.random.default_rng(6)
    model, x = network(cell, padding=-1.0), rng.normal(size=(T, I))
    x[~MASK] = -1
    whole = gru.trace(model, x)
    assert whole.mask is not None
    np.testing.assert_array_equal(whole.mask, MASK)
    np.testing.assert_array_equal(whole.h, gru.trace(network(cell), x, mask=MASK).h)
    blocks = list(gru.runs.trace.stream(model, x, block=2))
    np.testing.assert_array_equal(np.concatenate([block.h for block in blocks]), whole.h)
    np.testing.assert_array_equal(np.concatenate([block.mask for block in blocks if block.mask is not None]), MASK)
    clamp = Clamp(cell.key_gate, 0.5)
    changed, original = gru.twin(model, x, clamps=[clamp])
    np.testing.assert_allclose(original.h, whole.h, atol=1e-15)
    short = gru.trace(network(cell), x[MASK], clamps=[clamp])
    np.testing.assert_allclose(changed.h[MASK], short.h, atol=1e-15)
    assert changed.mask is not None
    assert original.mask is not None


def test_a_mask_is_saved_with_the_model_and_with_the_trace() -> None:
    model = network(GRU, padding=0.5)
    back = formats.read(model.to_bytes(), "net").model
    assert back.encoder == Vectors(I, 0.5)
    symbols = Model(Symbols(("_", "a", "b"), padding="_"), model.layers, model.readout, model.card)
    again = formats.read(symbols.to_bytes(), "net").model
    assert again.encoder == symbols.encoder
    trace = gru.trace(symbols, "_ab_")
    assert trace.to_dict()["mask"] == [False, True, True, False]
    np.testing.assert_array_equal(trace.arrays()["mask"], [False, True, True, False])
    assert gru.trace(gru.load("flip-flop"), "A m").to_dict()["mask"] is None


def test_the_parity_check_ignores_masked_steps_and_names_a_missing_mask() -> None:
    rng = np.random.default_rng(6)
    model = network(GRU, padding=0.0)
    x = rng.normal(size=(T, 2, I)) * MASK[:, None, None]
    counted = np.broadcast_to(MASK[:, None], (T, 2))
    zeros, h = np.zeros((T, 2, H)), model.forward(x[MASK])[-1].h
    zeros[MASK] = h
    # At a skipped step, Keras returns zeros for a bidirectional layer, and the previous state for other layers.
    assert gru.check(model, {"x": x, "h": zeros}).passed
    assert gru.check(model, {"x": x, "h": model.forward(x)[-1].h}).passed
    assert gru.check(model, {"x": x, "h": h[-1]}).passed
    without = model.forward(x, mask=np.ones_like(counted))[-1].h
    for reference in (without, without[-1]):
        report = gru.check(model, {"x": x, "h": reference})
        assert not report.passed
        assert report.cause is not None
        assert report.cause.name == "padding"
        assert "mask_zero" in report.cause.remedy
