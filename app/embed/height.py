"""How high a figure will be, so that a page leaves room for it before the figure has loaded."""

from __future__ import annotations

from ..link import DEFAULTS
from ..runs.linked import LinkedRun

MOST_ROWS = 16
"""The most units of a signal that are visible at once, as in static/state.js."""

FRAME, TAPE, SIGNAL, ROW = 450, 100, 80, 5.6
"""Pixels of the sequence with its controls, of the inputs and outputs, of a signal, and of each further unit."""

OPEN = {"whatif": 216, "cell": 448, "equations": 310, "memory": 670, "influence": 583, "alike": 271, "table": 394}
"""Pixels of each view below the tape."""


def height_of(run: LinkedRun) -> int:
    """Return about how many pixels the figure of a run needs with 44 rem or more of width."""
    views = run.link.options.get("views", DEFAULTS["views"]).split(",")
    cell = run.trace.layers[-1].cell
    rows = min(cell.units, MOST_ROWS)
    tape = TAPE + len(cell.signals) * (SIGNAL + ROW * (rows - 1)) if "tape" in views else 0
    return round(FRAME + tape + sum(OPEN.get(view, 0) for view in views))
