"""The “Be the gate” page: the visitor sets the gates of a trained unit, one letter at a time."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from gru_core import GRU

from .. import models
from ..models import model_entry
from ..runs.answers import to_json
from ..runs.gate import LETTERS, MODEL, SEQUENCE
from ..schemas import ScenarioFields
from ..settings import Settings
from ..sitemap import START
from .boot import boot, escape_for_script
from .page import Context

TASK = {"model": MODEL, "sequence": SEQUENCE, "task": "gate"}
"""The keys of the link from the game to the Lab that make the Lab show the task."""

TASK_AT = LETTERS.index("B") + 1
"""The timestep at which the visitor clamps z in the task."""


def task_after(query: Mapping[str, str]) -> int | None:
    """Return the timestep of the task that follows the game, or None if the Lab's link has no task."""
    return TASK_AT if query.items() >= TASK.items() else None


def page_context(settings: Settings) -> Context:
    """Return the page context. The page's script runs the network with the visitor's gate values as clamps."""
    lab = TASK | {"t": TASK_AT, "views": "tape,words,whatif"}
    scenario: ScenarioFields = {"model": MODEL, "sequence": SEQUENCE, "clamps": [], "weights": []}
    script = boot([model_entry(MODEL, models.get(MODEL, settings))], scenario)
    return {
        "page": START.name,
        "title": START.title,
        "letters": LETTERS,
        "signals": GRU.signals,
        "lab": f"?{urlencode(lab)}",
        "boot": escape_for_script(to_json(script)),
    }
