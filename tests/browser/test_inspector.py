"""The inspector: every number that it shows of a step is the core's, in both conventions, and what is shown adds up."""

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
from gru_core.training.tasks import TASKS
from tests.support.lab import Lab, Visit, number
from tests.support.numbers import assert_shown, decimals, plain, sigmoid

CASES = 12  # of each preset: 120 in all


def expected(layer: gru.Forward, t: int, unit: int, flipped: bool) -> dict[str, float]:
    """What the inspector is to show of step `t` (from 0) of a unit, from the core's arrays."""
    at = {name: float(getattr(layer, name)[t, unit]) for name in ("r", "z", "h_tilde", "h", "h_prev")}
    at |= {"keep": 1 - at["z"], "take": at["z"]}
    # What the reset gate lets through, of the state or of its product with U.
    after = layer.cell.reset == "after"
    at["past"] = float(layer.Uh["h_tilde"][t, unit]) if after else at["r"] * at["h_prev"]
    for i, gate in enumerate(GATES):
        sign = -1 if flipped and gate == "z" else 1
        at[f"{gate}.Wx"] = sign * layer.Wx[gate][t, unit]
        at[f"{gate}.Uh"] = sign * layer.Uh[gate][t, unit]
        at[f"{gate}.b"] = sign * layer.cell.b[i * layer.cell.units + unit]
        at[f"{gate}.a"] = at[f"{gate}.Wx"] + at[f"{gate}.Uh"] + at[f"{gate}.b"]
    if flipped:
        at["z"] = 1 - at["z"]
    return at


def check_equations(shown: dict[str, str], at: dict[str, float], rounded: set[str]) -> None:
    for gate in GATES:
        parts = [shown[f"equations {gate}.{part}"] for part in ("Wx", "Uh", "b")]
        for part, text in zip(("Wx", "Uh", "b"), parts, strict=True):
            assert_shown(text, at[f"{gate}.{part}"])
        a, value = shown[f"equations {gate}.a"], shown[f"equations {gate}.value"]
        assert_shown(a, at[f"{gate}.a"])
        assert_shown(value, at[gate])
        half = 0.5 * 10 ** -decimals(a) + 1e-9
        f = math.tanh if gate == "h_tilde" else sigmoid
        # What one reckons from the numbers on the page gives the result on the page, or it is marked.
        assert (abs(sum(map(plain, parts)) - plain(a)) > half) == (f"{gate}.a" in rounded)
        assert (abs(f(plain(a)) - plain(value)) > half) == (f"{gate}.value" in rounded)
    texts = {part: shown[f"equations h.{part}"] for part in ("keep", "h_prev", "take", "h_tilde", "value")}
    for part, text in texts.items():
        assert_shown(text, at["h" if part == "value" else part])
    of = {part: plain(text) for part, text in texts.items()}
    gap = abs(of["keep"] * of["h_prev"] + of["take"] * of["h_tilde"] - of["value"])
    assert (gap > 0.5 * 10 ** -decimals(texts["value"]) + 1e-9) == ("h.value" in rounded)


def check_cell(shown: dict[str, str], at: dict[str, float]) -> None:
    wires = {f"{part}.{gate}": at[f"{gate}.{part}"] for gate in GATES for part in ("Wx", "Uh")}
    wires |= {name: at[name] for name in ("r", "z", "h_tilde", "h", "h_prev", "keep", "take")}
    wires |= {"kept": at["keep"] * at["h_prev"], "taken": at["take"] * at["h_tilde"], "past": at["past"]}
    for name, value in wires.items():
        assert_shown(shown[f"cell {name}"], value)


def check_narration(said: str, layer: gru.Forward, trace: gru.Trace, t: int, unit: int, at: dict[str, float]) -> None:
    keep, take = at["keep"], at["take"]
    assert f"At t = {t + 1} (input {(trace.tokens or [])[t]})" in said
    z = re.search(r"\(z = ([−\d.]+)\)", said)
    assert z is not None
    assert_shown(z[1], at["z"])
    past = t > 0  # before the first step there is no state to keep or to reset
    half_life = re.search(r"half of its state would be left after (?:more than )?([\d.,]+) steps", said)
    if past and take < 0.2:
        assert half_life is not None
        steps = float(gru.half_life(np.array(take)))
        if half_life[1] == "10,000":
            assert steps > 10_000
        else:
            assert_shown(half_life[1], steps)
    else:
        assert half_life is None
    many = layer.cell.units > 1
    if past and not many:
        word = "nearly closed" if at["z"] < 0.2 else "nearly open" if at["z"] > 0.8 else "partly open"
        assert f"update gate is {word} (z = " in said
    else:
        assert "update gate" not in said
    verb, wanted = ("takes", [take]) if take > 0.8 or not past else ("keeps", [keep])
    if past and 0.2 <= take <= 0.8:
        verb, wanted = "mixes", [keep, take]
    assert verb in said
    r = re.search(r"sees? .* \(r = ([\d.]+)\)", said)
    # Before the product r acts on what every candidate sees, after it on what the unit's own does.
    if past and (layer.z[t, unit] if layer.cell.reset == "after" else layer.z[t].max()) >= 0.2:
        assert r is not None
        assert_shown(r[1], at["r"])
        wanted.append(at["r"])
    else:
        assert r is None
    shares = re.findall(r"(over |under )?(\d[\d.]*)%", said)
    for (bound, share), value in zip(shares, wanted, strict=True):
        if bound:
            assert 100 * value > float(share) if bound == "over " else 100 * value < float(share)
        else:
            assert_shown(share, 100 * value)
    h = re.search(r"\bh (?:changes from ([−\d.]+) to ([−\d.]+\d)|stays at ([−\d.]+\d))", said)
    assert h is not None
    assert_shown(h[1] or h[3], at["h_prev"])
    assert_shown(h[2] or h[3], at["h"])
    # One about the gates and one about the result, one about all units, the half-life and the reset gate each.
    assert said.count(". ") + 1 == 2 + many + (half_life is not None) + (r is not None)
    if many and past:
        for verb, who in (
            ("keep", layer.z[t] < 0.2),
            ("take", layer.z[t] > 0.8),
            ("mix", (layer.z[t] >= 0.2) & (layer.z[t] <= 0.8)),
        ):
            check_group(said.split(". Unit ")[0], verb, who)


def check_group(said: str, verb: str, who: np.ndarray[Any, Any]) -> None:
    """The sentence about all units says of the right ones, or of the right number of them, that they do it."""
    units = (np.flatnonzero(who) + 1).tolist()
    if not units:
        assert verb not in said
    elif len(units) == 1:
        assert f"unit {units[0]} {verb}" in said
    elif len(units) == len(who):
        assert f"all {len(units)} units {verb}" in said
    elif len(units) > 4:
        assert f"{len(units)} units {verb}" in said
    else:
        assert f"units {', '.join(map(str, units[:-1]))} and {units[-1]} {verb}" in said


@pytest.mark.parametrize("name", [*presets.NAMES, "after"])
def test_every_number_is_the_cores_in_both_conventions(page: Page, served: dict[str, gru.Model], name: str) -> None:
    lab = Lab(page).open(model=name, views="tape,words,cell,equations,table")
    rng = np.random.default_rng(len(name))
    model = served.get(name) or gru.load(name)
    for _ in range(3):
        text = sequence(model, rng)
        lab.sequence.fill(text)
        for flipped in (False, True):
            page.get_by_role("radio", name="keeps" if flipped else "takes").check()
            trace = lab.expect_trace(model, text, flipped=flipped)
            layer = trace.layers[-1]
            for _ in range(CASES // 6):
                t, unit = int(rng.integers(len(trace.h))), int(rng.integers(layer.cell.units))
                signal = str(rng.choice(["r", "z", "h_tilde", "h"]))
                page.get_by_role("combobox", name="Table of").select_option(signal)
                seen = lab.look_at(t + 1, unit + 1)
                at = expected(layer, t, unit, flipped)
                check_cell(seen["numbers"], at)
                check_equations(seen["numbers"], at, set(seen["rounded"]))
                check_narration(seen["narration"], layer, trace, t, unit, at)
                check_table(seen, 1 - trace.z if flipped and signal == "z" else getattr(trace, signal), t, unit)


def sequence(model: gru.Model, rng: np.random.Generator) -> str:
    """Twenty steps that the model can read."""
    task = TASKS.get(model.card.task)
    return task.text(rng, 20) if task else " ".join(rng.choice(model.encoder.alphabet, 20))


def check_table(seen: dict[str, Any], values: np.ndarray[Any, Any], t: int, unit: int) -> None:
    assert [int(row[0]) for row in seen["table"]] == list(range(1, len(values) + 1))
    for row, of in zip(seen["table"], values, strict=True):
        for text, value in zip(row[2:], of, strict=True):
            assert_shown(text, value)
    assert_shown(seen["current"], values[t, unit])


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("name", ["sentiment", "pocket-calculator", "after", "deep"])
def test_an_opened_gate_shows_every_product_of_its_sum(
    same_visit: Visit, served: dict[str, gru.Model], name: str, flipped: bool
) -> None:
    rng = np.random.default_rng(5)
    model = served.get(name) or gru.load(name)
    text = sequence(model, rng)
    lab = same_visit(Lab).follow(model=name, sequence=text, zoom="gate", convention="pytorch" if flipped else "source")
    trace = gru.trace(model, text)
    layer = trace.layers[-1]
    for gate in GATES:
        lab.cell.get_by_role("radio", name={"r": "reset", "z": "update", "h_tilde": "candidate"}[gate]).check()
        for _ in range(4):
            t, unit = int(rng.integers(len(trace.h))), int(rng.integers(min(16, layer.cell.units)))  # in sight
            lab.look_at(t + 1, unit + 1)
            expect(lab.cell.get_by_text(f"of unit {unit + 1} at t = {t + 1},")).to_be_visible()
            expect(lab.cell.locator("table.late")).to_have_count(0)
            sign = -1 if flipped and gate == "z" else 1
            i = GATES.index(gate) * layer.cell.units + unit
            Wx, Uh = layer.terms(gate, unit)
            products = [*Wx[t], *Uh[t], layer.cell.b[i]]
            if gate == "h_tilde" and layer.cell.c_h is not None:
                products.append(layer.r[t, unit] * layer.cell.c_h[unit])
            wanted = sorted((sign * float(p) for p in products if p != 0), key=abs, reverse=True)
            rows, foot = lab.cell.locator("table").evaluate(
                """table => [table.tBodies[0], table.tFoot]
                    .map((part) => [...part.rows].map((row) => [...row.cells].map((cell) => cell.textContent)))"""
            )
            shown = [row[-1].removeprefix("≈ ") for row in rows]
            for text_, value in zip(shown, wanted, strict=True):
                assert_shown(text_, value)
            for _, weight, value, _, product in rows:  # the factors shown give the product shown, or it is marked
                off = number(weight) * number(value.removeprefix("× ")) - number(product.removeprefix("≈ "))
                digits = decimals(product)
                assert (abs(off) > 0.5 * 10**-digits + 1e-9) == product.startswith("≈ ")
            zeros = len(products) - len(wanted)
            assert (zeros == 0) == (not foot[0][0].endswith("0"))
            a, value = foot[-2][-1], foot[-1][-1]
            assert_shown(a.removeprefix("≈ "), sum(wanted))
            gap = abs(sum(number(text_) for text_ in shown) - number(a.removeprefix("≈ ")))
            assert a.startswith("≈ ") == (gap > 0.5 * 10 ** -decimals(a))
            assert_shown(value.removeprefix("≈ "), expected(layer, t, unit, flipped)[gate])
            f = math.tanh if gate == "h_tilde" else sigmoid
            gap = abs(f(number(a.removeprefix("≈ "))) - number(value.removeprefix("≈ ")))
            assert value.startswith("≈ ") == (gap > 0.5 * 10 ** -decimals(a) + 1e-9)
