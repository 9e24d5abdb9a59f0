"""The inspector: every number and sentence about a timestep agrees with the core, in both conventions of z."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import gru_core as gru
from gru_core import presets
from gru_core.cells.gru import GATES
from gru_core.training.toys import TASKS
from tests.support.lab import Lab, Visit, number
from tests.support.labels import press
from tests.support.numbers import assert_shown, decimals, plain, sigmoid

CASES = 12  # per preset; 120 in total

RADIOS = {"r": "reset", "z": "update", "h_tilde": "candidate"}


def expected_numbers(layer: gru.Forward, t: int, unit: int, flipped: bool) -> dict[str, float]:
    """Return the numbers that the inspector must show for a unit at timestep `t` (from 0), from the core's arrays."""
    numbers = {name: float(getattr(layer, name)[t, unit]) for name in ("r", "z", "h_tilde", "h", "h_prev")}
    numbers |= {"keep": 1 - numbers["z"], "take": numbers["z"]}
    # The past: the state after the reset gate, or the state's product with U after the reset gate.
    after = layer.cell.reset == "after"
    numbers["past"] = float(layer.Uh["h_tilde"][t, unit]) if after else numbers["r"] * numbers["h_prev"]
    for i, gate in enumerate(GATES):
        sign = -1 if flipped and gate == "z" else 1
        numbers[f"{gate}.Wx"] = sign * layer.Wx[gate][t, unit]
        numbers[f"{gate}.Uh"] = sign * layer.Uh[gate][t, unit]
        numbers[f"{gate}.b"] = sign * layer.cell.b[i * layer.cell.units + unit]
        numbers[f"{gate}.a"] = numbers[f"{gate}.Wx"] + numbers[f"{gate}.Uh"] + numbers[f"{gate}.b"]
    if flipped:
        numbers["z"] = 1 - numbers["z"]
    return numbers


def check_equations(shown: dict[str, str], numbers: dict[str, float], rounded: set[str]) -> None:
    """Assert that the equations of all gates have the core's numbers, and that = and ≈ agree with the rounding."""
    for gate in GATES:
        parts = [shown[f"equations {gate}.{part}"] for part in ("Wx", "Uh", "b")]
        for part, text in zip(("Wx", "Uh", "b"), parts, strict=True):
            assert_shown(text, numbers[f"{gate}.{part}"])
        a, value = shown[f"equations {gate}.a"], shown[f"equations {gate}.value"]
        assert_shown(a, numbers[f"{gate}.a"])
        assert_shown(value, numbers[gate])
        half = 0.5 * 10 ** -decimals(a) + 1e-9
        f = math.tanh if gate == "h_tilde" else sigmoid
        # If the result does not follow from the printed numbers, the sign is ≈.
        assert (abs(sum(map(plain, parts)) - plain(a)) > half) == (f"{gate}.a" in rounded)
        assert (abs(f(plain(a)) - plain(value)) > half) == (f"{gate}.value" in rounded)
    texts = {part: shown[f"equations h.{part}"] for part in ("keep", "h_prev", "take", "h_tilde", "value")}
    for part, text in texts.items():
        assert_shown(text, numbers["h" if part == "value" else part])
    factors = {part: plain(text) for part, text in texts.items()}
    gap = abs(factors["keep"] * factors["h_prev"] + factors["take"] * factors["h_tilde"] - factors["value"])
    assert (gap > 0.5 * 10 ** -decimals(texts["value"]) + 1e-9) == ("h.value" in rounded)


def check_cell(shown: dict[str, str], numbers: dict[str, float]) -> None:
    """Assert that the numbers in the figure of the cell equal the core's."""
    wires = {f"{part}.{gate}": numbers[f"{gate}.{part}"] for gate in GATES for part in ("Wx", "Uh")}
    wires |= {name: numbers[name] for name in ("r", "z", "h_tilde", "h", "h_prev", "keep", "take")}
    wires |= {
        "kept": numbers["keep"] * numbers["h_prev"],
        "taken": numbers["take"] * numbers["h_tilde"],
        "past": numbers["past"],
    }
    for name, value in wires.items():
        assert_shown(shown[f"cell {name}"], value)


def check_narration(
    narration: str, layer: gru.Forward, trace: gru.Trace, t: int, unit: int, numbers: dict[str, float]
) -> None:
    """Assert that all sentences about a timestep agree with the core."""
    keep, take = numbers["keep"], numbers["take"]
    assert f"At t = {t + 1} (input {(trace.tokens or [])[t]})" in narration
    z = re.search(r"\bz = ([−\d.]*\d)", narration)
    assert z is not None
    assert_shown(z[1], numbers["z"])
    past, many = t > 0, layer.cell.units > 1  # at the first timestep there is no state to keep or to reset
    has_half_life = check_half_life(narration, past, take)
    if past and not many:
        word = "nearly closed" if numbers["z"] < 0.2 else "nearly open" if numbers["z"] > 0.8 else "partly open"
        # In PyTorch's convention “open” would mean “keeps”, so the sentence contains only the number.
        place = f"{word} (z = " if numbers["z"] == take else "at z = "
        assert f"update gate is {place}" in narration
    else:
        assert "update gate" not in narration
    verb, expected = ("takes", [take]) if take > 0.8 or not past else ("keeps", [keep])
    if past and 0.2 <= take <= 0.8:
        verb, expected = "mixes", [keep, take]
    assert verb in narration
    r = re.search(r"sees? .* \(r = ([\d.]+)\)", narration)
    # If r resets before the product, it affects all candidates. If after, only the candidate of its own unit.
    if past and (layer.z[t, unit] if layer.cell.reset == "after" else layer.z[t].max()) >= 0.2:
        assert r is not None
        assert_shown(r[1], numbers["r"])
        expected.append(numbers["r"])
    else:
        assert r is None
    shares = re.findall(r"(over |under )?(\d[\d.]*)%", narration)
    for (bound, share), value in zip(shares, expected, strict=True):
        if bound:
            assert 100 * value > float(share) if bound == "over " else 100 * value < float(share)
        else:
            assert_shown(share, 100 * value)
    check_change(narration, numbers)
    # There are always two sentences, and at most one more each about all units, the half-life and the reset gate.
    assert narration.count(". ") + 1 == 2 + many + has_half_life + (r is not None)
    if many and past:
        for verb, mask in (
            ("keep", layer.z[t] < 0.2),
            ("take", layer.z[t] > 0.8),
            ("mix", (layer.z[t] >= 0.2) & (layer.z[t] <= 0.8)),
        ):
            check_group(narration.split(". Unit ")[0], verb, mask)


def check_half_life(narration: str, past: bool, take: float) -> bool:
    """Check the half-life, which the narration gives if take < 0.2. Return whether the narration gives one."""
    half_life = re.search(r"half of its state would be left after (?:about|more than) ([\d.,]+) timesteps", narration)
    if past and take < 0.2:
        assert half_life is not None
        steps = float(gru.half_life(np.array(take)))
        if half_life[1] == "10,000":
            assert steps > 10_000
        else:
            assert_shown(half_life[1], steps)
    else:
        assert half_life is None
    return half_life is not None


def check_change(narration: str, numbers: dict[str, float]) -> None:
    """Assert that the sentence about the change of h agrees with the core."""
    h = re.search(
        r"\bh (?:changes from ([−\d.]+) to ([−\d.]+\d)|stays at ([−\d.]+\d)|comes out the same \(([−\d.]+)\))",
        narration,
    )
    assert h is not None
    assert_shown(h[1] or h[3] or h[4], numbers["h_prev"])
    assert_shown(h[2] or h[3] or h[4], numbers["h"])
    assert not h[3] or numbers["keep"] >= 0.5
    assert not h[4] or numbers["keep"] < 0.5


def check_group(sentence: str, verb: str, mask: np.ndarray[Any, Any]) -> None:
    """Assert that the sentence about all units uses `verb`, and lists the units in `mask` or gives their number."""
    units = (np.flatnonzero(mask) + 1).tolist()
    if not units:
        assert verb not in sentence
    elif len(units) == 1:
        assert f"unit {units[0]} {verb}" in sentence
    elif len(units) == len(mask):
        assert f"all {len(units)} units {verb}" in sentence
    elif len(units) > 4:
        assert f"{len(units)} units {verb}" in sentence
    else:
        assert f"units {', '.join(map(str, units[:-1]))} and {units[-1]} {verb}" in sentence


@pytest.mark.parametrize("name", [*presets.NAMES, "after"])
def test_every_number_equals_the_core_in_both_conventions_of_z(
    same_page: Page, served_models: dict[str, gru.Model], name: str
) -> None:
    lab = Lab(same_page).follow(model=name, views="tape,words,cell,equations,table")
    rng = np.random.default_rng(len(name))
    model = served_models.get(name) or gru.load(name)
    for _ in range(3):
        text = sequence(model, rng)
        lab.sequence.fill(text)
        for flipped in (False, True):
            same_page.get_by_role("radio", name="keeps" if flipped else "takes").check()
            trace = lab.expect_trace(model, text, flipped=flipped)
            layer = trace.layers[-1]
            for _ in range(CASES // 6):
                t, unit = int(rng.integers(len(trace.h))), int(rng.integers(layer.cell.units))
                signal = str(rng.choice(["r", "z", "h_tilde", "h"]))
                same_page.get_by_role("combobox", name="Table of").select_option(signal)
                shown = lab.look_at(t + 1, unit + 1)
                numbers = expected_numbers(layer, t, unit, flipped)
                check_cell(shown["numbers"], numbers)
                check_equations(shown["numbers"], numbers, set(shown["rounded"]))
                check_narration(shown["narration"], layer, trace, t, unit, numbers)
                check_table(shown, 1 - trace.z if flipped and signal == "z" else getattr(trace, signal), t, unit)


def sequence(model: gru.Model, rng: np.random.Generator) -> str:
    """Return a random sequence of 20 timesteps in a model's alphabet."""
    task = TASKS.get(model.card.task)
    return task.text(rng, 20) if task else " ".join(rng.choice(model.encoder.alphabet, 20))


def check_table(shown: dict[str, Any], values: np.ndarray[Any, Any], t: int, unit: int) -> None:
    """Assert that the table and its current value equal the core's array `values`."""
    assert [int(row[0]) for row in shown["table"]] == list(range(1, len(values) + 1))
    for row, row_values in zip(shown["table"], values, strict=True):
        for text, value in zip(row[2:], row_values, strict=True):
            assert_shown(text, value)
    assert_shown(shown["current"], values[t, unit])


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("name", ["sentiment", "pocket-calculator", "after", "deep"])
def test_the_sum_of_a_gate_shows_every_product(
    same_visit: Visit, served_models: dict[str, gru.Model], name: str, flipped: bool
) -> None:
    rng = np.random.default_rng(5)
    model = served_models.get(name) or gru.load(name)
    text = sequence(model, rng)
    lab = same_visit(Lab).follow(model=name, sequence=text, zoom="gate", convention="pytorch" if flipped else "source")
    trace = gru.trace(model, text)
    layer = trace.layers[-1]
    for gate in GATES:
        press(lab.cell.get_by_role("radio", name=RADIOS[gate]))
        for _ in range(4):
            t, unit = (
                int(rng.integers(len(trace.h))),
                int(rng.integers(min(16, layer.cell.units))),
            )  # among the visible rows
            lab.look_at(t + 1, unit + 1)
            expect(lab.cell.get_by_text(f"of unit {unit + 1} at t = {t + 1},")).to_be_visible()
            expect(lab.cell.locator("table.late")).to_have_count(0)
            sign = -1 if flipped and gate == "z" else 1
            i = GATES.index(gate) * layer.cell.units + unit
            Wx, Uh = layer.terms(gate, unit)
            products = [*Wx[t], *Uh[t], layer.cell.b[i]]
            if gate == "h_tilde" and layer.cell.c_h is not None:
                products.append(layer.r[t, unit] * layer.cell.c_h[unit])
            expected = sorted((sign * float(p) for p in products if p != 0), key=abs, reverse=True)
            rows, foot = lab.cell.locator("table").evaluate(
                """table => [table.tBodies[0], table.tFoot]
                    .map((part) => [...part.rows].map((row) => [...row.cells].map((cell) => cell.textContent)))"""
            )
            texts = [row[-1].removeprefix("≈ ") for row in rows]
            for text_, value in zip(texts, expected, strict=True):
                assert_shown(text_, value)
            for _, weight, value, _, product in rows:  # if the shown factors do not give the shown product, ≈ marks it
                gap = number(weight) * number(value.removeprefix("× ")) - number(product.removeprefix("≈ "))
                digits = decimals(product)
                assert (abs(gap) > 0.5 * 10**-digits + 1e-9) == product.startswith("≈ ")
            zeros = len(products) - len(expected)
            assert (zeros == 0) == (not foot[0][0].endswith("0"))
            a, value = foot[-2][-1], foot[-1][-1]
            assert_shown(a.removeprefix("≈ "), sum(expected))
            gap = abs(sum(number(text_) for text_ in texts) - number(a.removeprefix("≈ ")))
            assert a.startswith("≈ ") == (gap > 0.5 * 10 ** -decimals(a))
            assert_shown(value.removeprefix("≈ "), expected_numbers(layer, t, unit, flipped)[gate])
            f = math.tanh if gate == "h_tilde" else sigmoid
            gap = abs(f(number(a.removeprefix("≈ "))) - number(value.removeprefix("≈ ")))
            assert value.startswith("≈ ") == (gap > 0.5 * 10 ** -decimals(a) + 1e-9)
