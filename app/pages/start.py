"""The page “Be the gate”: the visitor plays the gates of a trained unit, one letter at a time."""

from __future__ import annotations

from urllib.parse import urlencode

from gru_core import GRU

from .. import models
from ..models import model_entry
from ..runs.answers import to_json
from ..settings import Settings
from ..sitemap import START
from .boot import boot, escape_for_script
from .page import Context

MODEL, SEQUENCE = "flip-flop", "A m p B s m"
"""The network that the visitor plays, and the letters. With r = 0 the candidates at its small letters are near 0."""


def page_context(settings: Settings) -> Context:
    """Return the context of the page. Its script runs the network with the visitor's gates as clamps."""
    letters = SEQUENCE.split()
    lab = {"model": MODEL, "sequence": SEQUENCE, "t": letters.index("B") + 1, "views": "tape,words,whatif"}
    scenario = {"model": MODEL, "sequence": SEQUENCE, "clamps": [], "weights": []}
    script = boot([model_entry(MODEL, models.get(MODEL, settings))], scenario)
    return {
        "page": START.name,
        "title": START.title,
        "letters": letters,
        "signals": GRU.signals,
        "lab": f"?{urlencode(lab)}",
        "boot": escape_for_script(to_json(script)),
    }
