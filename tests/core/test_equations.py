"""The numbers in the equations: products, and enough decimals that each result follows from the printed numbers."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gru_core as gru
from gru_core.cells import equations
from gru_core.cells.cell import Cell
from gru_core.cells.gru import GRU
from gru_core.cells.run import Run
from tests.support.cells import NAMES, random_cell, random_holds, random_state

CELLS = [*NAMES, "gru reset after"]


def cell_of(name: str, rng: np.random.Generator, units: int) -> Cell:
    """Return a random cell of the kind `name`. "gru reset after" is a GRU that resets after the product."""
    if name == "gru reset after":
        after = GRU.random(3, units, rng, reset="after")
        return after.with_parameters({"c_h": rng.normal(size=units), "b": rng.normal(size=3 * units)})
    return random_cell(name, rng, 3, units)


def random_run(name: str, seed: int, units: int, clamped: bool) -> Run:
    """Return a run of a random cell over 9 timesteps, with random clamps if `clamped`."""
    rng = np.random.default_rng(seed)
    cell = cell_of(name, rng, units)
    holds = random_holds(cell, rng, (9,)) if clamped else None
    return cell.forward(rng.normal(size=(9, 3)), random_state(cell, rng), holds)


def by_hand(x: float, decimals: int) -> float:
    """Round `x` as JavaScript's toFixed does, with exact decimal arithmetic."""
    return float(Decimal(x).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))


@given(st.floats(-9999, 9999), st.integers(-4000, 4000))
def test_numbers_are_rounded_as_javascript_prints_them(number: float, eighths: int) -> None:
    for x in (number, eighths / 8):  # many eighths lie exactly between two rounded numbers
        np.testing.assert_allclose(equations.printed(np.array(x)), [by_hand(x, d) for d in (2, 3, 4)], atol=1e-11)


def test_a_large_number_is_rounded_to_two_digits() -> None:
    np.testing.assert_allclose(equations.printed(np.array([12345.6, -98765.0])), [[12000, -99000]] * 3)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CELLS), st.integers(0, 10**6), st.integers(1, 4), st.booleans())
def test_a_result_follows_from_the_printed_numbers_with_the_listed_decimals(
    name: str, seed: int, units: int, clamped: bool
) -> None:
    run: Any = random_run(name, seed, units, clamped)
    unit = seed % units
    cell = run.cell
    unclamped = {signal: run.computed.get(signal, getattr(run, signal)) for signal in cell.signals}
    for t, step in enumerate(equations.steps(run, unit)):
        for d in (2, 3, 4):

            def p(x: Any, d: int = d) -> float:
                return by_hand(float(x), d)

            results: dict[str, tuple[float, float]] = {}
            for gate in cell.gates:
                past = [run.Uh[gate][t, unit]] if gate in cell.recurrent else []
                terms = [run.Wx[gate][t, unit], *past, cell.biases[gate][unit]]
                if (cell.name, gate) == ("mingru", "h_tilde"):  # this candidate is the sum, without tanh
                    results["h_tilde.value"] = sum(map(p, terms)), unclamped[gate][t, unit]
                    continue
                a = sum(terms)
                f = math.tanh if cell.signals[gate].lowest < 0 else lambda x: 1 / (1 + math.exp(-x))
                results[f"{gate}.a"] = sum(map(p, terms)), a
                results[f"{gate}.value"] = f(p(a)), unclamped[gate][t, unit]
            if cell.name == "gru":
                z, h_tilde, h_prev = (array[t, unit] for array in (run.z, run.h_tilde, run.h_prev))
                results["h.value"] = p(1 - z) * p(h_prev) + p(z) * p(h_tilde), run.h[t, unit]
            elif cell.name == "lstm":
                i, f_t, o, c_tilde, c, c_prev = (
                    array[t, unit] for array in (run.i, run.f, run.o, run.c_tilde, run.c, run.c_prev)
                )
                results["c.value"] = p(f_t) * p(c_prev) + p(i) * p(c_tilde), unclamped["c"][t, unit]
                results["h.tanh_c"] = math.tanh(p(c)), math.tanh(c)
                results["h.value"] = p(o) * p(math.tanh(c)), unclamped["h"][t, unit]
            elif run.mixture is not None:
                mixture = run.mixture
                keep, start, take, candidate = (
                    a[t, unit] for a in (mixture.keep, mixture.starts, mixture.take, mixture.candidate)
                )
                results["h.value"] = p(keep) * p(start) + p(take) * p(candidate), unclamped["h"][t, unit]
            half = 0.5 * 10**-d + 1e-9
            wrong = {slot for slot, (computed, value) in results.items() if abs(computed - p(value)) > half}
            assert {slot for slot, sufficient in step["decimals"].items() if d not in sufficient} == wrong


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(CELLS), st.integers(0, 10**6), st.integers(1, 4), st.booleans())
def test_the_kept_and_the_taken_part_add_up_to_the_state(name: str, seed: int, units: int, clamped: bool) -> None:
    run: Any = random_run(name, seed, units, clamped)
    parts = run.parts
    assert tuple(parts) == run.cell.parts
    if run.mixture is None:
        assert parts == {}
        return
    state = run.computed.get("c", run.c) if name == "lstm" else run.h
    np.testing.assert_allclose(parts["kept"] + parts["taken"], state, atol=1e-14)
    if name == "lstm":
        np.testing.assert_allclose(parts["tanh_c"], np.tanh(run.c))
    elif name == "gru":
        np.testing.assert_allclose(parts["past"], run.r * run.h_prev)
    elif name == "gru reset after":
        np.testing.assert_allclose(parts["past"], run.Uh["h_tilde"])
    for t, step in enumerate(equations.steps(run, 0)):
        assert step["parts"] == pytest.approx([array[t, 0] for array in parts.values()], abs=1e-9)
        sizes = [math.sqrt(sum(x * x for x in array[t]) / units) for array in parts.values()]
        assert step["sizes"] == pytest.approx(sizes, abs=1e-6)


def test_a_slice_of_a_run_has_the_same_equations() -> None:
    for name in CELLS:
        run = random_run(name, 5, 3, True)
        assert equations.steps(run[3:8], 1) == equations.steps(run, 1)[3:8]


def test_equations_of_float32_weights_equal_those_of_float64() -> None:
    model = gru.load("sentiment")
    single = model.with_parameters({name: array.astype(np.float32) for name, array in model.parameters.items()})
    steps_of_single, steps_of_double = (
        equations.steps(gru.trace(step, "not good").layers[0], 0) for step in (single, model)
    )
    for step, step_of_double in zip(steps_of_single, steps_of_double, strict=True):
        assert step["parts"] == pytest.approx(step_of_double["parts"], abs=1e-5)
