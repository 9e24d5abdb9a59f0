"""Numbers as a page writes them, and what the equations give for them."""

from __future__ import annotations

import math
from typing import Any

from gru_core.cells.registry import CELLS
from tests.support.lab import number


def decimals(text: str) -> int:
    return len(text.split(".")[1]) if "." in text else 0


def plain(text: str) -> float:
    return number(text.strip("()"))


def assert_shown(text: str, value: float) -> None:
    """`text` is `value`, rounded to the decimals that it has."""
    assert abs(plain(text) - value) <= 0.5 * 10 ** -decimals(text.strip("()")) + 1e-9, (text, value)


def expected(run: Any, t: int, unit: int, flipped: bool) -> tuple[dict[str, float], dict[str, float]]:
    """The numbers of the equations, and those of the figure, from the core's arrays; `t` and `unit` from 0."""
    cell = run.cell
    at = {name: float(getattr(run, name)[t, unit]) for name in cell.signals}
    figure = at | {"h_prev": float(run.h_prev[t, unit])}
    slots: dict[str, float] = {}
    for gate in cell.gates:
        sign = -1 if flipped and gate == "z" else 1
        past = {"Uh": run.Uh[gate][t, unit]} if gate in cell.recurrent else {}
        parts = {"Wx": run.Wx[gate][t, unit], **past, "b": cell.biases[gate][unit]}
        slots |= {f"{gate}.{name}": sign * float(value) for name, value in parts.items()}
        slots |= {f"{gate}.value": at[gate]}
        if (cell.name, gate) != ("mingru", "h_tilde"):
            slots[f"{gate}.a"] = sign * float(sum(parts.values()))
        figure |= {f"{name}.{gate}": slots[f"{gate}.{name}"] for name in parts}
    if cell.name in ("gru", "mingru"):
        mixed = {"keep": 1 - at["z"], "take": at["z"], "h_prev": figure["h_prev"], "h_tilde": at["h_tilde"]}
        slots |= {f"h.{name}": value for name, value in (mixed | {"value": at["h"]}).items()}
        figure |= {"keep": mixed["keep"], "take": mixed["take"], "kept": mixed["keep"] * mixed["h_prev"]}
        figure |= {"taken": mixed["take"] * at["h_tilde"]}
        if cell.name == "gru":
            figure |= {"past": at["r"] * figure["h_prev"]}
        if flipped:
            slots["z.value"] = figure["z"] = 1 - at["z"]
    elif cell.name == "lstm":
        figure |= {"c_prev": float(run.c_prev[t, unit]), "tanh_c": float(run.tanh_c[t, unit])}
        figure |= {"kept": at["f"] * figure["c_prev"], "taken": at["i"] * at["c_tilde"]}
        of_c = {"f": at["f"], "c_prev": figure["c_prev"], "i": at["i"], "c_tilde": at["c_tilde"], "value": at["c"]}
        of_h = {"o": at["o"], "c": at["c"], "tanh_c": figure["tanh_c"], "value": at["h"]}
        slots |= {f"c.{name}": value for name, value in of_c.items()} | {f"h.{n}": v for n, v in of_h.items()}
    else:
        figure["a.h"] = slots["h.a"]
    return slots, figure


def adds_up(cell: str, shown: dict[str, float]) -> dict[str, float]:
    """What one reckons from the numbers on the page for each result."""
    found = {}
    for gate in CELLS[cell].gates:
        f = math.tanh if gate in ("h_tilde", "c_tilde", "h") else sigmoid
        a = shown[f"{gate}.Wx"] + shown.get(f"{gate}.Uh", 0) + shown[f"{gate}.b"]
        if f"{gate}.a" in shown:
            found |= {f"{gate}.a": a, f"{gate}.value": f(shown[f"{gate}.a"])}
        else:
            found[f"{gate}.value"] = a
    if cell in ("gru", "mingru"):
        kept, taken = shown["h.keep"] * shown["h.h_prev"], shown["h.take"] * shown["h.h_tilde"]
        found["h.value"] = kept + taken
    elif cell == "lstm":
        found["c.value"] = shown["c.f"] * shown["c.c_prev"] + shown["c.i"] * shown["c.c_tilde"]
        found |= {"h.tanh_c": math.tanh(shown["h.c"]), "h.value": shown["h.o"] * shown["h.tanh_c"]}
    return found


def number_of(text: str) -> float:
    """A number as the page writes one of any size: 2.9 × 10⁻⁷."""
    digits, _, power = text.replace("−", "-").partition(" × 10")
    return float(digits) * 10.0 ** int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)


def sigmoid(a: float) -> float:
    return 1 / (1 + math.exp(-a))
