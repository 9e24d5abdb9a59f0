"""What a notebook shows of a model and of a trace: HTML of text and colours alone.

There is no script in it and nothing to load, so it looks the same without a network and in a
notebook that is not trusted. What a file or a sequence says is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from gru_core.arrays import Array
from gru_core.figures import SIGNALS

if TYPE_CHECKING:
    from gru_core.model import Model
    from gru_core.trace import Trace

STEPS, UNITS = 40, 8
"""The most of a trace that is shown; of more units those that moved most."""

TABLE = "border-collapse: collapse; font: 12px sans-serif"
CELL = "padding: 2px 5px; text-align: center"


def model_html(model: Model) -> str:
    """The model's card and sizes."""
    card, labels = model.card, model.readout.labels
    resets = " and ".join(dict.fromkeys(gru.reset for gru in model.layers))
    rows = {
        "task": card.about,
        "question": card.question,
        "inputs": f"{model.encoder.inputs}. {model.encoder.hint}",
        "units": f"{model.sizes}, reset {resets} the product",
        "outputs": f"{model.readout.kind}: {', '.join(labels[:12])}{' …' * (len(labels) > 12)}",
        "weights": f"{card.weights}. {card.summary}",
        "recipe": _figures(card.training),
        "measured": _figures(card.measured),
        "to read it": card.reading,
        "examples": " · ".join(model.examples[:3]),
    }
    body = "".join(_row(name, [_cell(text, "text-align: left")]) for name, text in rows.items() if text.strip())
    return _table(card.title, body)


def _figures(named: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {f'{v:.3g}' if isinstance(v, float) else v}" for name, v in named.items())


def trace_html(trace: Trace) -> str:
    """The steps across; down them what was read and answered, and r, z, h̃ and h of the top layer's units."""
    run, T = trace.layers[-1], min(len(trace.y), STEPS)
    H = run.gru.units
    units = np.sort(np.argsort(-run.moved, kind="stable")[:UNITS])
    rows = [_row("t", map(_cell, map(str, range(1, T + 1))))]
    if trace.tokens is not None:
        rows.append(_row("input", map(_cell, trace.tokens[:T])))
    rows += [_row(name, map(_cell, answers)) for name, answers in _answers(trace, T)]
    for signal, style in SIGNALS.items():
        for unit in units:
            name = f"{style.symbol} of unit {unit + 1}" if H > 1 else style.symbol
            rows.append(_row(name, (_coloured(signal, value) for value in getattr(run, signal)[:T, unit])))
    left = [f"{len(trace.y) - T} more steps"] * (len(trace.y) > T) + [f"{H - UNITS} units that moved less"] * (
        H > UNITS
    )
    title = trace.model.card.title + (f" (not shown: {', '.join(left)})" if left else "")
    return _table(title, "".join(rows))


def _answers(trace: Trace, T: int) -> Iterable[tuple[str, list[str]]]:
    """Rows of what was answered, and of what it would have been if nothing were held."""
    labels = trace.model.readout.labels
    for one, name in ((trace, "output"), (trace.twin, "left alone")):
        if one is None:
            continue
        if trace.model.readout.kind == "softmax":
            yield name, [labels[k] for k in one.y[:T].argmax(1)]
        else:
            for k in range(min(len(labels), UNITS)):
                yield f"{name}, {labels[k]}", [f"{value:.2f}" for value in one.y[:T, k]]


def _coloured(signal: str, value: float) -> str:
    """A cell with the value on its colour of the signal's scale."""
    style = SIGNALS[signal]
    colours = np.array([[*bytes.fromhex(colour[1:])] for colour in style.scale["light"]], float)
    share = (value - style.lowest) / (1 - style.lowest) * (len(colours) - 1)
    red, green, blue = (round(float(np.interp(share, range(len(colours)), of))) for of in colours.T)
    ink = "#222" if _luminance(np.array([red, green, blue])) > 0.2 else "#fff"
    return _cell(f"{value:.2f}", f"background: rgb({red}, {green}, {blue}); color: {ink}")


def _luminance(rgb: Array) -> float:
    """The relative luminance of a colour, roughly: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    return float(np.array([0.2126, 0.7152, 0.0722]) @ (rgb / 255) ** 2.2)


def _cell(text: str, style: str = "") -> str:
    return f'<td style="{CELL}; {style}">{escape(text)}</td>'


def _row(name: str, cells: Iterable[str]) -> str:
    return f'<tr><th scope="row" style="{CELL}; text-align: left">{escape(name)}</th>{"".join(cells)}</tr>'


def _table(title: str, rows: str) -> str:
    above = "caption-side: top; color: inherit; text-align: left; font-weight: bold"
    caption = f'<caption style="{above}">{escape(title)}</caption>'
    return f'<div style="overflow-x: auto"><table style="{TABLE}">{caption}{rows}</table></div>'
