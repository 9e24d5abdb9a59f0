"""Sensitivities, compared with difference quotients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import pytest

import gru_core as gru
from gru_core import Clamp, Model, Readout, forward
from gru_core.arrays import Array
from gru_core.cells.holds import Holds
from tests.support.gradcheck import check_gradient
from tests.support.networks import random_gru

Kind = Literal["softmax", "linear"]

T = 12
CLAMPS = [
    Clamp("z", 0.3, [0, 2], slice(3, 8)),
    Clamp("r", 0.9, [1], slice(2, 6)),
    Clamp("h_tilde", -0.4, [1], slice(4, 7)),
    Clamp("h_prev", 0.2, [0], slice(5, 6)),
    Clamp("h_prev", 0.0, [3], slice(7, 8), layer=1),
    Clamp("z", 0.6, None, slice(9, 10), layer=1),
]
CASES = [(kind, clamps) for kind in get_args(Kind) for clamps in ([], CLAMPS)]


def deep(kind: Kind) -> tuple[Model, Array]:
    """Return a two-layer model with large weights, and a random sequence. Only layer 2 resets after the product."""
    rng = np.random.default_rng(0)
    layers = random_gru(rng, 3, 4, "before"), random_gru(rng, 4, 5, "after")
    readout = Readout(kind, rng.normal(size=(3, 5)), rng.normal(size=3), ("a", "b", "c"))
    return replace(gru.load("sentiment"), layers=layers, readout=readout), rng.normal(size=(T, 3))


def quotient(f: Callable[[float], Array]) -> Array:
    """Return the derivative of `f` at 0 by a central difference of fourth order."""
    step = 1e-3
    return (8 * (f(step) - f(-step)) - (f(2 * step) - f(-2 * step))) / (12 * step)


def with_hold(holds: Holds | None, signal: str, cell: tuple[int, int], value: float, H: int) -> Holds:
    """Return a copy of `holds` that also clamps `signal` to `value` at `cell`, a (timestep, unit) pair."""
    old = holds or Holds({}, {})
    mask, values = (
        np.array(arrays.get(signal, np.zeros((T, H))), kind)
        for arrays, kind in ((old.masks, bool), (old.values, float))
    )
    mask[cell], values[cell] = True, value
    return Holds({**old.masks, signal: mask}, {**old.values, signal: values})


@pytest.mark.parametrize(("kind", "clamps"), CASES)
@pytest.mark.parametrize("t", [0, 6, T - 1])
def test_sensitivities_to_inputs_equal_difference_quotients(kind: Kind, clamps: list[Clamp], t: int) -> None:
    model, x = deep(kind)
    trace, rng = gru.trace(model, x, clamps=clamps), np.random.default_rng(1)

    def y(at: Mapping[str, Array], output: int) -> float:
        return float(gru.trace(model, at["x"], clamps=clamps).y[t, output])

    for output in range(3):
        sensitivity = trace.sensitivity(t, output)
        assert sensitivity.x.shape == (t + 1, 3)
        gradient = {"x": np.concatenate([sensitivity.x, np.zeros((T - t - 1, 3))])}
        check_gradient(lambda at, output=output: y(at, output), {"x": x}, gradient, rng)
    assert trace.sensitivity(t).output == trace.y[t].argmax()


@pytest.mark.parametrize(("kind", "clamps"), CASES)
def test_sensitivities_to_gates_equal_difference_quotients(kind: Kind, clamps: list[Clamp]) -> None:
    model, x = deep(kind)
    trace, holds = gru.trace(model, x, clamps=clamps), model.holds(clamps, (T,))
    sensitivity = trace.sensitivity(-2, 1)

    def nudged(layer: int, gate: str, cell: tuple[int, int]) -> Callable[[float], Array]:
        run, changed = trace.layers[layer], list(holds)

        def y(by: float) -> Array:
            changed[layer] = with_hold(holds[layer], gate, cell, getattr(run, gate)[cell] + by, run.cell.units)
            return np.asarray(model.readout(model.forward(x, holds=changed)[-1].h)[-2, 1])

        return y

    for layer, gates in enumerate(sensitivity.gates):
        assert set(gates) == {"z", "r"}
        for gate, values in gates.items():
            for cell, value in np.ndenumerate(values):
                assert value == pytest.approx(float(quotient(nudged(layer, gate, cell))), abs=1e-9)


@pytest.mark.parametrize("clamps", [[], CLAMPS])
@pytest.mark.parametrize("layer", [0, 1])
def test_sensitivities_to_earlier_states_equal_difference_quotients(clamps: list[Clamp], layer: int) -> None:
    model, x = deep("linear")
    trace, holds = gru.trace(model, x, clamps=clamps), model.holds(clamps, (T,))[layer]
    run, t = trace.layers[layer], T - 2
    H = run.cell.units
    sensitivity = trace.sensitivity(t, layer=layer)
    assert sensitivity.h_unit.shape == (t + 1, H)

    def nudged(cell: tuple[int, int]) -> Callable[[float], Array]:
        def h(by: float) -> Array:
            return forward(run.cell, run.x, holds=with_hold(holds, "h_prev", cell, run.before("h")[cell] + by, H)).h[t]

        return h

    unseen = np.zeros((T, H), bool) if holds is None else holds.masks["h_prev"]
    for s in range(t):
        columns = [np.zeros(H) if unseen[s + 1, unit] else quotient(nudged((s + 1, unit))) for unit in range(H)]
        J = np.stack(columns, 1)
        np.testing.assert_allclose(sensitivity.h_unit[s], np.linalg.norm(J, axis=1), atol=1e-9)
        assert sensitivity.h_norm[s] == pytest.approx(np.linalg.norm(J), abs=1e-9)
    assert sensitivity.h_unit[t].tolist() == [1] * H
    of_unit = trace.sensitivity(t, layer=layer, unit=1)
    np.testing.assert_allclose(of_unit.h_unit, sensitivity.h_unit[:, 1:2], atol=1e-12)
    np.testing.assert_array_equal(of_unit.x, sensitivity.x)


def test_a_closed_gate_passes_the_whole_gradient_and_a_cleared_state_none() -> None:
    text, model = "A" + "m" * 1999, gru.load("flip-flop")
    closed = gru.trace(model, text, clamps=[Clamp("z", 0.0)]).sensitivity(-1)
    np.testing.assert_array_equal(closed.h_norm, 1)
    cleared = gru.trace(model, text, clamps=[Clamp("h_prev", 0.0, steps=slice(900, 901))]).sensitivity(-1)
    assert not cleared.h_norm[:900].any()
    assert not cleared.x[:900].any()
    assert (cleared.h_norm[1900:] > 0).all()


def test_a_bit_with_a_tiny_gradient_is_still_remembered() -> None:
    """The model still knows the bit after 98 steps, although the gradient with respect to its input is tiny."""
    trace = gru.trace(gru.load("flip-flop-plain"), "A" + "mps." * 24 + "m")
    assert trace.model.readout.labels[trace.y[-1].argmax()] == "A"
    assert np.abs(trace.sensitivity(-1).x[0]).max() < 1e-6
