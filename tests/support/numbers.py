"""Parsers of the numbers on a page, and the expected numbers of the equations."""

from __future__ import annotations

import math
from typing import Any

from gru_core.cells.registry import CELLS
from tests.support.lab import number


def decimals(text: str) -> int:
    """Return the number of decimals in a printed number."""
    return len(text.split(".")[1]) if "." in text else 0


def plain(text: str) -> float:
    """Parse a printed number that may be in parentheses."""
    return number(text.strip("()"))


def assert_shown(text: str, value: float) -> None:
    """Assert that `text` is `value`, rounded to the number of decimals in `text`."""
    assert abs(plain(text) - value) <= 0.5 * 10 ** -decimals(text.strip("()")) + 1e-9, (text, value)


def expected(run: Any, t: int, unit: int, flipped: bool) -> tuple[dict[str, float], dict[str, float]]:
    """Return the expected numbers of the equations and of the cell figure, by slot, from a layer's run in the core.

    `t` and `unit` count from 0. If `flipped`, the page shows 1 − z in place of z.
    """
    cell = run.cell
    numbers = {name: float(getattr(run, name)[t, unit]) for name in cell.signals}
    figure = numbers | {"h_prev": float(run.h_prev[t, unit])}
    slots: dict[str, float] = {}
    for gate in cell.gates:
        sign = -1 if flipped and gate == "z" else 1
        past = {"Uh": run.Uh[gate][t, unit]} if gate in cell.recurrent else {}
        parts = {"Wx": run.Wx[gate][t, unit], **past, "b": cell.biases[gate][unit]}
        slots |= {f"{gate}.{name}": sign * float(value) for name, value in parts.items()}
        slots |= {f"{gate}.value": numbers[gate]}
        if (cell.name, gate) != ("mingru", "h_tilde"):
            slots[f"{gate}.a"] = sign * float(sum(parts.values()))
        figure |= {f"{name}.{gate}": slots[f"{gate}.{name}"] for name in parts}
    if cell.name in ("gru", "mingru"):
        mixed = {
            "keep": 1 - numbers["z"],
            "take": numbers["z"],
            "h_prev": figure["h_prev"],
            "h_tilde": numbers["h_tilde"],
        }
        slots |= {f"h.{name}": value for name, value in (mixed | {"value": numbers["h"]}).items()}
        figure |= {"keep": mixed["keep"], "take": mixed["take"], "kept": mixed["keep"] * mixed["h_prev"]}
        figure |= {"taken": mixed["take"] * numbers["h_tilde"]}
        if cell.name == "gru":
            figure |= {"past": numbers["r"] * figure["h_prev"]}
        if flipped:
            slots["z.value"] = figure["z"] = 1 - numbers["z"]
    elif cell.name == "lstm":
        figure |= {"c_prev": float(run.c_prev[t, unit]), "tanh_c": float(run.tanh_c[t, unit])}
        figure |= {"kept": numbers["f"] * figure["c_prev"], "taken": numbers["i"] * numbers["c_tilde"]}
        of_c = {
            "f": numbers["f"],
            "c_prev": figure["c_prev"],
            "i": numbers["i"],
            "c_tilde": numbers["c_tilde"],
            "value": numbers["c"],
        }
        of_h = {"o": numbers["o"], "c": numbers["c"], "tanh_c": figure["tanh_c"], "value": numbers["h"]}
        slots |= {f"c.{name}": value for name, value in of_c.items()} | {f"h.{n}": v for n, v in of_h.items()}
    else:
        figure["a.h"] = slots["h.a"]
    return slots, figure


def adds_up(cell: str, printed: dict[str, float]) -> dict[str, float]:
    """Compute the results of the equations from the printed operands. Return them by slot."""
    results = {}
    for gate in CELLS[cell].gates:
        f = math.tanh if gate in ("h_tilde", "c_tilde", "h") else sigmoid
        a = printed[f"{gate}.Wx"] + printed.get(f"{gate}.Uh", 0) + printed[f"{gate}.b"]
        if f"{gate}.a" in printed:
            results |= {f"{gate}.a": a, f"{gate}.value": f(printed[f"{gate}.a"])}
        else:
            results[f"{gate}.value"] = a
    if cell in ("gru", "mingru"):
        old_part, new_part = printed["h.keep"] * printed["h.h_prev"], printed["h.take"] * printed["h.h_tilde"]
        results["h.value"] = old_part + new_part
    elif cell == "lstm":
        results["c.value"] = printed["c.f"] * printed["c.c_prev"] + printed["c.i"] * printed["c.c_tilde"]
        results |= {"h.tanh_c": math.tanh(printed["h.c"]), "h.value": printed["h.o"] * printed["h.tanh_c"]}
    return results


def number_of(text: str) -> float:
    """Parse a number that may have a power of ten, such as 2.9 × 10⁻⁷."""
    digits, _, power = text.replace("−", "-").partition(" × 10")
    return float(digits) * 10.0 ** int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)


def sigmoid(a: float) -> float:
    """Return 1 / (1 + exp(−a)) for a number a."""
    return 1 / (1 + math.exp(-a))
