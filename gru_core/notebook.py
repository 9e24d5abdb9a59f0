"""Notebook output for models and traces: static HTML tables, and the live figure of `gru.show`.

The HTML has no script and loads nothing, so it looks the same offline and in a notebook that is not trusted. Text from
a file or a sequence is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from gru_core.arrays import Array
from gru_core.card import Card
from gru_core.cells.run import Run
from gru_core.cells.signals import Signal

if TYPE_CHECKING:
    from gru_core.model import Model
    from gru_core.runs.trace import Trace

FIGURES = "gruscope.embed.notebook"
"""The module with the live figures. Only `show` and `show_trace` import it, so the core works without a server."""

STEPS, UNITS = 40, 8
"""The largest numbers of timesteps and units in a trace's table. It shows the units that moved most (`Run.moved`)."""

TABLE = "border-collapse: collapse; font: 12px sans-serif"
CELL = "padding: 2px 5px; text-align: center"


def show(model: Model, sequence: str | None = None, **view: Any) -> Any:
    """Return a live figure of a run in a notebook: `gru.show(model, "A m m B", t=4, views="tape,words,cell")`.

    Without a `sequence`, the figure has the model's first example. `view` takes the same keys as a link to the Lab,
    with timesteps, units and layers counted from 1. Each key is also an attribute of the figure, such as `figure.t`:
    set the attribute to change the figure, or read it to get what the reader has selected. `hide` lists parts of the
    page that are not shown. `height` is the height in pixels until the figure has loaded, and `theme` is "light" or
    "dark".

    Raises ImportError if the extra `notebook` is not installed, and ValueError or SequenceError if the view does not
    fit the model.
    """
    return import_module(FIGURES).show(model, sequence, **view)


def show_trace(trace: Trace, view: Mapping[str, Any]) -> Any:
    """Return a live figure of a run that is already computed: see `Trace.show`."""
    return import_module(FIGURES).show_trace(trace, **view)


def card_html(card: Card, sizes: Mapping[str, str], examples: Sequence[str]) -> str:
    """Return an HTML table with a model's card and its sizes."""
    rows = {
        "task": card.about,
        "question": card.question,
        **sizes,
        "weights": f"{card.weights}. {card.summary}",
        "recipe": _figures(card.training),
        "measured": _figures(card.measured),
        "note": card.reading,
        "examples": " · ".join(examples[:3]),
    }
    body = "".join(_row(name, [_cell(text, "text-align: left")]) for name, text in rows.items() if text.strip())
    return _table(card.title, body)


def some(labels: Sequence[str]) -> str:
    """Join the first twelve labels with commas, and mark left-out labels with "…"."""
    return f"{', '.join(labels[:12])}{' …' * (len(labels) > 12)}"


def _figures(figures: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {f'{v:.3g}' if isinstance(v, float) else v}" for name, v in figures.items())


def run_html(title: str, run: Run, tokens: list[str] | None, outputs: Iterable[tuple[str, list[str]]]) -> str:
    """Return an HTML table of a run, with a column for each timestep.

    The rows are the inputs, the outputs, and each signal of the units that moved most.
    """
    H, T = run.cell.units, min(len(run.h), STEPS)
    units = np.sort(np.argsort(-run.moved, kind="stable")[:UNITS])
    rows = [_row("t", map(_cell, map(str, range(1, T + 1))))]
    if tokens is not None:
        rows.append(_row("input", map(_cell, tokens[:T])))
    rows += [_row(name, map(_cell, texts[:T])) for name, texts in outputs]
    for name, signal in run.cell.signals.items():
        for unit in units:
            label = f"{signal.symbol} of unit {run.cell.unit_name(unit)}" if H > 1 else signal.symbol
            rows.append(_row(label, (_colored_cell(signal, value) for value in getattr(run, name)[:T, unit])))
    hidden = [f"{len(run.h) - T} more timesteps"] * (len(run.h) > T)
    hidden += [f"{H - UNITS} units that moved less"] * (H > UNITS)
    return _table(title + (f" (not shown: {', '.join(hidden)})" if hidden else ""), "".join(rows))


def rows_html(title: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return an HTML table of the first `STEPS` rows. Floats have three significant digits."""
    hidden = f" (not shown: {len(rows) - STEPS} more rows)" * (len(rows) > STEPS)
    header = _row("", map(_cell, rows[0] if rows else ()))
    lines = (
        _row(str(number), (_cell(f"{value:.3g}" if isinstance(value, float) else str(value)) for value in row.values()))
        for number, row in enumerate(rows[:STEPS])
    )
    return _table(title + hidden, header + "".join(lines))


def _colored_cell(signal: Signal, value: float) -> str:
    """Return a table cell with the value. Its background is the value's color in the signal's scale."""
    colors = np.array([[*bytes.fromhex(color[1:])] for color in signal.scale["light"]], float)
    position = (value - signal.lowest) / (signal.highest - signal.lowest) * (len(colors) - 1)
    red, green, blue = (round(float(np.interp(position, range(len(colors)), channel))) for channel in colors.T)
    ink = "#000" if _luminance(np.array([red, green, blue])) > 0.18 else "#fff"  # contrast of 4.5 to 1 or more
    return _cell(f"{value:.2f}", f"background: rgb({red}, {green}, {blue}); color: {ink}")


def _luminance(rgb: Array) -> float:
    """Return the approximate relative luminance of a color: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    return float(np.array([0.2126, 0.7152, 0.0722]) @ (rgb / 255) ** 2.2)


def _cell(text: str, style: str = "") -> str:
    return f'<td style="{CELL}; {style}">{escape(text)}</td>'


def _row(name: str, cells: Iterable[str]) -> str:
    return f'<tr><th scope="row" style="{CELL}; text-align: left">{escape(name)}</th>{"".join(cells)}</tr>'


def _table(title: str, rows: str) -> str:
    above = "caption-side: top; color: inherit; text-align: left; font-weight: bold"
    caption = f'<caption style="{above}">{escape(title)}</caption>'
    return f'<div style="overflow-x: auto"><table style="{TABLE}">{caption}{rows}</table></div>'
