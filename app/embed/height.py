"""Estimates of the height of a figure, which a page reserves before the figure has loaded."""

from __future__ import annotations

from ..link import DEFAULTS
from ..runs.linked import LinkedRun

MOST_ROWS = 16
"""The most units of a signal that are visible at the same time, as in static/state.js."""

FRAME, TAPE, SIGNAL, ROW = 450, 100, 80, 5.6
"""Heights in pixels: the sequence with its controls, the inputs and outputs, a signal, and each additional unit."""

OPEN = {"whatif": 216, "cell": 448, "equations": 310, "memory": 670, "influence": 583, "alike": 271, "table": 394}
"""The height of each view below the tape, in pixels."""


def height_of(run: LinkedRun) -> int:
    """Estimate the height in pixels that the figure of a run needs if it is at least 44 rem wide."""
    views = run.link.options.get("views", DEFAULTS["views"]).split(",")
    cell = run.trace.layers[-1].cell
    rows = min(cell.units, MOST_ROWS)
    tape = TAPE + len(cell.signals) * (SIGNAL + ROW * (rows - 1)) if "tape" in views else 0
    return round(FRAME + tape + sum(OPEN.get(view, 0) for view in views))
