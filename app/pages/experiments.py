"""The experiments under Compare: each page makes a claim and measures it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from statistics import median
from typing import Any

import numpy as np

from gru_core import labs
from gru_core.attention import recalling
from gru_core.cells import CELLS
from gru_core.checkpoints import first_card
from gru_core.labs import sequence
from gru_core.presets.recipes import FRESH_SEED
from gru_core.tasks import LABS

from .. import models
from ..models import model_entry
from ..runs.answers import to_json
from ..settings import Settings
from .boot import Boot, boot, inert
from .page import Context

TITLES = {
    "gap": "Gradient reach",
    "sequence": "Sequential cost",
    "bottleneck": "Memory capacity",
    "race": "Cell comparison",
}
"""The experiments, as the navigation and their headings name them."""

SENT = ("base", "bases", "found", "equal", "timing", "parity", "kinds", "counts")
"""What of a page its script gets as well."""

MODEL = "flip-flop"
"""A model for what every page has: the cells that there are."""


def _gap() -> dict[str, Any]:
    shown: dict[str, dict[int, list[bool]]] = {}
    for row in labs.result("gap"):
        shown.setdefault(labs.kind_of_row(row), {}).setdefault(row["T"] - 1, []).append(row["good_at"] is not None)
    solved = {kind: {gap: f"{sum(of)} of {len(of)}" for gap, of in by_gap.items()} for kind, by_gap in shown.items()}
    return {"solved": solved, "gaps": labs.GAPS, "base": labs.BASES["gap"].to_dict()}


def _in_sequence() -> dict[str, Any]:
    found = labs.result("sequence")
    rows = [row for row in labs.result("race") if (row["task"], row["cell"]) == ("parity", "gru")]
    return {
        "kinds": sequence.KINDS,
        "lengths": sequence.LENGTHS,
        "width": sequence.WIDTH,
        "counts": {str(T): sequence.counts(T) for T in sequence.LENGTHS},
        "timing": found["timing"],
        "parity": {"gru": [row["scores"] for row in rows], "scan": found["parity"]},
        "base": replace(labs.BASES["parity"], biases=labs.EQUAL["gru"]).to_dict(),
    }


def _bottleneck() -> dict[str, Any]:
    scores = {(row["units"], row["T"] // 2): row["score"] for row in labs.result("bottleneck")}
    trained = {(row["units"], row["T"] // 2): row["steps"] for row in labs.result("bottleneck")}
    base = labs.BASES["recall"]
    return {
        "items": list(labs.ITEMS),
        "sizes": list(labs.SIZES),
        "scores": scores,
        "trained": trained,
        "most": base.schedule.most,
        "attention": {n: _recalled(n) for n in labs.ITEMS},
        "base": base.to_dict(),
    }


@cache
def _recalled(n: int) -> float:
    """How many of n letters a head of attention, set by hand, names on fresh sequences."""
    head, places = recalling(n, 4)
    batch = LABS["recall"].draw(np.random.default_rng(FRESH_SEED), 2 * n, 1000)
    x = np.concatenate([batch.x, np.broadcast_to(places[:, None], (2 * n, 1000, 2 * n))], -1)
    return float((head(x).argmax(-1) == batch.target)[batch.scored].mean())


def _race() -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    for task in labs.RACES:
        for cell in labs.EQUAL:
            rows = [row for row in labs.result("race") if (row["task"], row["cell"]) == (task, cell)]
            good = [row["good_at"] for row in rows if row["good_at"] is not None]
            # A race that was not finished counts as longer than any that was.
            place = median([row["good_at"] or float("inf") for row in rows])
            found.setdefault(task, {})[cell] = {
                "median": None if place == float("inf") else f"{place:,g}",
                "solved": f"{len(good)} of {len(rows)}",
                "curves": [row["scores"] for row in rows],
                "good_at": [row["good_at"] for row in rows],
            }
    bases = {task: labs.BASES[task].to_dict() for task in labs.RACES}
    cards = {task: first_card(labs.BASES[task]).about for task in labs.RACES}
    return {"found": found, "bases": bases, "cards": cards, "equal": labs.EQUAL}


FILLED = {"gap": _gap, "sequence": _in_sequence, "bottleneck": _bottleneck, "race": _race}


def filled(name: str, settings: Settings) -> Context:
    """What the page of an experiment is filled with."""
    own = FILLED[name]()
    script: Boot = {**bare_boot(settings), "lab": {key: value for key, value in own.items() if key in SENT}}
    return own | {
        "page": "compare",
        "lab": name,
        "labs": TITLES,
        "signals": {name: style for one in CELLS.values() for name, style in one.signals.items()},
        "titles": {name: CELLS[name].title for name in labs.EQUAL},
        "boot": inert(to_json(script)),
    }


def bare_boot(settings: Settings) -> Boot:
    """Return what the script of a page without a model starts from."""
    scenario = {"model": MODEL, "sequence": "A", "clamps": [], "weights": []}
    return boot([model_entry(MODEL, models.get(MODEL, settings))], scenario)
