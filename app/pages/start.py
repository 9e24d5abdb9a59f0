"""The page “Be the gate”: the visitor plays the gates of a trained unit, one letter at a time."""

from __future__ import annotations

from urllib.parse import urlencode

from gru_core import GRU

from .. import models
from ..models import model_entry
from ..runs.answers import to_json
from ..runs.gate import LETTERS, MODEL, SEQUENCE
from ..settings import Settings
from ..sitemap import START
from .boot import boot, escape_for_script
from .page import Context


def page_context(settings: Settings) -> Context:
    """Return the context of the page. Its script runs the network with the visitor's gates as clamps."""
    lab = {
        "model": MODEL,
        "sequence": SEQUENCE,
        "t": LETTERS.index("B") + 1,
        "views": "tape,words,whatif",
        "task": "gate",
    }
    scenario = {"model": MODEL, "sequence": SEQUENCE, "clamps": [], "weights": []}
    script = boot([model_entry(MODEL, models.get(MODEL, settings))], scenario)
    return {
        "page": START.name,
        "title": START.title,
        "letters": LETTERS,
        "signals": GRU.signals,
        "lab": f"?{urlencode(lab)}",
        "boot": escape_for_script(to_json(script)),
    }
