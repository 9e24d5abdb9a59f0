"""GET /compare/gap and its like: experiments, each a claim that is measured on its own page."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from statistics import median
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from gru_core import labs
from gru_core.attention import recalling
from gru_core.cells import CELLS
from gru_core.checkpoints import first_card, way_back
from gru_core.labs import sequence
from gru_core.presets.recipes import FRESH_SEED, fresh
from gru_core.recipe import Recipe, begin
from gru_core.tasks import LABS

from .. import models
from ..answers import cells, model_entry, to_json
from ..budget import spend
from ..errors import Refused
from ..jobs import work
from ..jobs.engine import Lost
from ..schemas import Body, Whole
from ..settings import Settings
from .lab import STAGES, answered, inert

router = APIRouter()

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
        shown.setdefault(kind_of_row(row), {}).setdefault(row["T"] - 1, []).append(row["good_at"] is not None)
    solved = {kind: {gap: f"{sum(of)} of {len(of)}" for gap, of in by_gap.items()} for kind, by_gap in shown.items()}
    return {"solved": solved, "gaps": labs.GAPS, "base": labs.BASES["gap"].to_dict()}


def kind_of_row(row: dict[str, Any]) -> str:
    """Return the cell of a training in the experiment “Gradient reach”, and its initial biases."""
    if row["first"] == "chrono":
        return "GRU, chrono"
    title = CELLS[row["cell"]].title
    return ", ".join([title, *(f"b_{gate} = {value:g}".replace("-", "−") for gate, value in row["biases"].items())])


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


@router.get(
    "/api/labs/sequence",
    summary="Measure the time for a sequence of T timesteps on this server",
    description="All times are in seconds and measured now; each is the median of 3 repeats. `gru` is a GRU, "
    "`attention` is a head of attention. `loop` and `scan` are a minimal GRU, computed one timestep after another and "
    "by a parallel scan.",
)
def timing(T: Annotated[Whole, Query()]) -> dict[str, float]:
    if T not in sequence.LENGTHS:
        raise Refused(422, "request", f"T must be one of {', '.join(map(str, sequence.LENGTHS))}", "T")
    spend(T * sequence.WIDTH * 10)
    return sequence.timed(T, 3)


@router.get(
    "/api/labs/parity",
    summary="Train a minimal GRU on parity",
    description="The task is parity: is the number of ones so far even or odd? The response is a list of training "
    "steps, each with the held-out accuracy.",
)
async def parity(request: Request, seed: Annotated[Whole, Query(ge=0, lt=2**32)]) -> list[tuple[int, float]]:
    try:
        found: list[tuple[int, float]] = await request.app.state.trainings.compute(work.parity_by_scan, seed)
    except Lost as error:
        raise Refused(503, "lost", str(error), retry_after=5) from error
    return found


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


@router.get("/compare/{name}", include_in_schema=False)
def laboratory(request: Request, name: Literal["gap", "sequence", "bottleneck", "race"]) -> Response:
    return answered(request, f"labs/{name}.html", filled(name, request.app.state.settings))


def filled(name: str, settings: Settings) -> dict[str, Any]:
    """What the page of an experiment is filled with."""
    own = FILLED[name]()
    boot = bare_boot(settings) | {"lab": {key: value for key, value in own.items() if key in SENT}}
    return own | {
        "page": "compare",
        "lab": name,
        "labs": TITLES,
        "signals": {name: style for one in CELLS.values() for name, style in one.signals.items()},
        "titles": {name: CELLS[name].title for name in labs.EQUAL},
        "boot": inert(to_json(boot)),
    }


def bare_boot(settings: Settings) -> dict[str, Any]:
    """What every script has of its page, for one that shows no model."""
    return {
        "models": [model_entry(MODEL, models.get(MODEL, settings))],
        "cells": cells(),
        "scenario": {"model": MODEL, "sequence": "A", "clamps": [], "weights": []},
        "stages": STAGES,
        "shares": 0,
        "uploads": False,
        "figures": {},
        "pictures": {},
    }


class GapQuestion(Body):
    """A question about untrained cells: how far does the gradient reach over a gap of `gap` timesteps?

    `first` is the initialization. With "plain", z of the GRU has the initial bias `b`, and f of the LSTM has −`b`.
    """

    gap: Annotated[int, Field(ge=5, le=200)]
    units: Annotated[int, Field(ge=2, le=32)]
    first: Literal["plain", "pytorch", "keras", "chrono"] = "plain"
    b: Annotated[float, Field(ge=-10, le=10)] = 0.0
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0


SEQUENCES = 8
"""Over which a gradient's way back is a mean."""


@router.post(
    "/api/labs/gap",
    summary="Measure the gradient flow in untrained cells",
    description="For each cell, `lags` tells how far the gradient reaches: the norm of the gradient of the largest "
    "output at the last timestep, before the softmax, with respect to the input 0, 1, 2, … timesteps earlier. The "
    f"norms are means over {SEQUENCES} sequences, divided by the norm for the last input. `recipe` trains the cell "
    "over this gap.",
    response_class=Response,
)
def untrained(question: GapQuestion) -> Response:
    return Response(to_json(way_back_of(question)), media_type="application/json")


def way_back_of(question: GapQuestion) -> dict[str, Any]:
    found: dict[str, Any] = {}
    spend(3 * SEQUENCES * question.gap * question.units)
    for cell in labs.EQUAL:
        recipe = over_gap(question, cell)
        model, _ = begin(recipe, first_card(recipe))
        probe = fresh(recipe, recipe.schedule.T, SEQUENCES)
        found[cell] = {"lags": way_back(model, model.forward(probe.x)[-1]), "recipe": recipe.to_dict()}
    return found


def over_gap(question: GapQuestion, cell: str) -> Recipe:
    """Return the recipe of a cell in the experiment “Gradient reach”."""
    chrono = question.first == "chrono" and cell != "rnn"
    biases = {"rnn": {}, "lstm": {"f": -question.b + 0.0}, "gru": {"z": question.b}}[cell]
    base = replace(labs.BASES["gap"], units=question.units, seed=question.seed, cell=cell)
    return labs.over(
        replace(
            base,
            first="plain" if question.first == "chrono" and not chrono else question.first,
            T_max=max(3, question.gap) if chrono else None,
            biases=biases if question.first == "plain" else {},
        ),
        question.gap + 1,
    )
