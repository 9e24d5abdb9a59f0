"""The state of a figure in a notebook or widget: the exported page, and the keys of the link as values."""

from __future__ import annotations

import base64
import gzip
from typing import Any

from ..link import CHANGES, DEFAULTS, FOCUS
from ..runs.linked import LinkedRun
from .height import height_of

NUMBERS = ("t", "unit", "layer")
"""The keys of a link that are whole numbers."""

TEXTS = ("sequence", *CHANGES, *(key for key in FOCUS if key not in NUMBERS))
"""The keys of a link that are strings."""

HIDDEN = ("question", "model", "share")
"""The parts of a page that a figure hides by default."""


def state_of(run: LinkedRun, page: str) -> dict[str, Any]:
    """Return the state of a run's figure. `page` is the HTML of the exported page with the run."""
    defaults: dict[str, Any] = {"t": 1, "unit": 1, "layer": len(run.trace.layers)}
    defaults |= {key: DEFAULTS.get(key, "") for key in TEXTS}
    keys = {key: value for key, value in run.link.options.items() if key in defaults}
    values = {key: int(value) if key in NUMBERS else value for key, value in keys.items()}
    sequence = str(run.scenario.sequence)
    return {
        "page": base64.b64encode(gzip.compress(page.encode(), mtime=0)).decode(),
        "defaults": defaults,
        "label": run.title,
        "height": height_of(run),
        **defaults,
        **values,
        "sequence": sequence,
    }
