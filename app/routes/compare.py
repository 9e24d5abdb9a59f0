"""GET /compare and GET /embed/compare: an RNN, an LSTM and a GRU read one sequence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response

from gru_core import SequenceError, Trace, presets
from gru_core.cell import Cell
from gru_core.cells import CELLS
from gru_core.figures import page_figures
from gru_core.scoring import SCORE, figure

from .. import models
from ..answers import cells, events, to_json
from ..errors import Refused
from ..link import unit_in
from ..schemas import ClampBody, Scenario, UnitPlace
from ..settings import Settings
from . import labs
from .lab import MOST_PRINTED, MOST_SENT, STAGES, answered, example, inert, outputs, unfollowed, version_notices
from .trace import prepare

router = APIRouter()

TITLE = "Compare"


@dataclass(frozen=True)
class Contender:
    """A model that takes part: its name, its cell, its run and that run's `start`."""

    model: str
    cell: Cell
    scenario: Scenario
    about: dict[str, Any]
    run: Trace


def contenders(
    task: str, by: str, sequence: str | None, clamps: list[ClampBody], settings: Settings
) -> list[Contender]:
    """Those of a task, the RNN first, the GRU last; `clamps` are held in the GRU.

    Raises Refused or SequenceError where the sequence or the clamps cannot be followed.
    """
    if task not in presets.TASKS:
        raise Refused(404, "task", f"this task is unknown: choose one of {', '.join(presets.TASKS)}", "task")
    if by not in presets.MATCHED:
        raise Refused(404, "by", f"by must be {' or '.join(presets.MATCHED)}", "by")
    found = []
    for cell, name in presets.contenders(task, by).items():
        base = example(name, settings)
        held = clamps if cell == "gru" else []
        scenario = base.model_copy(update={"sequence": sequence or base.sequence, "clamps": held})
        about, blocks = prepare(scenario, settings, None)
        run = next(blocks)
        found.append(Contender(name, run.model.layers[0], scenario, about, run))
    return found


def before_training(found: list[Contender], settings: Settings) -> list[Contender]:
    """The same sequence, read by what the training of each began with."""
    untrained = []
    for one in found:
        scenario = one.scenario.model_copy(update={"model": f"{one.model}@0", "clamps": []})
        about, blocks = prepare(scenario, settings, None)
        run = next(blocks)
        untrained.append(Contender(scenario.model, run.model.layers[0], scenario, about, run))
    return untrained


@router.api_route("/compare", methods=["GET", "HEAD"], include_in_schema=False)
@router.api_route("/embed/compare", methods=["GET", "HEAD"], include_in_schema=False)
def compare(request: Request) -> Response:
    return answered(request, "compare.html", filled(request.query_params, request.app.state.settings))


def filled(keys: Mapping[str, str], settings: Settings) -> dict[str, Any]:
    """What the page is filled with where a link says these keys, of which it reads all but `task`, `by` and `sequence`
    itself; or, where it cannot be followed, with an example."""
    notices = version_notices(keys)
    task, by = keys.get("task", presets.TASKS[0]), keys.get("by", presets.MATCHED[0])
    sequence = keys.get("sequence")
    try:
        found = contenders(task, by, sequence, [], settings)
    except (Refused, SequenceError) as error:
        notices.append(unfollowed(error))
        task = task if task in presets.TASKS else presets.TASKS[0]
        by = by if by in presets.MATCHED else presets.MATCHED[0]
        found = contenders(task, by, None, [], settings)
    notice = " ".join(notices)
    return view(task, by, found, keys, settings) | {"labs": labs.TITLES, "lab": "", "notice": notice}


def view(
    task: str, by: str, found: list[Contender], keys: Mapping[str, str], settings: Settings
) -> dict[str, Any]:  # fmt: skip
    """What the page is filled with where these contenders are compared and a link has these keys."""
    gru = found[-1]
    entries = [models.entry(one.model, settings) for one in found]
    boot = {
        "models": entries,
        "cells": cells(),
        "scenario": gru.scenario.model_dump(by_alias=True),
        "scenarios": {one.cell.name: one.scenario.model_dump(by_alias=True) for one in found},
        "compared": {"task": task, "by": by},
        "stages": STAGES,
        "shares": 0,
        "uploads": False,
        "figures": cell_figures(),
        "pictures": {},
    }
    T = len(gru.run.y)
    titles = {name: models.get(f"{name}-plain", settings).card.title for name in presets.TASKS}
    return {
        "page": "compare",
        "title": TITLE,
        "task": task,
        "by": by,
        "tasks": {name: title.removesuffix(", plain") for name, title in titles.items()},
        "entry": entries[-1],
        "scenario": gru.scenario,
        "columns": next((columns for columns in STAGES if columns >= T), T),
        "tokens": gru.about["tokens"],
        "signed": gru.run.model.readout.kind == "linear",
        "score": "held-out mean squared error" if gru.run.model.readout.kind == "linear" else "held-out accuracy",
        "signals": {name: style for one in CELLS.values() for name, style in one.signals.items()},
        "contenders": [
            _filled(one, entry, unit_in(keys, [one.cell.units])) for one, entry in zip(found, entries, strict=True)
        ],
        "boot": inert(to_json(boot)),
    }


def _filled(one: Contender, entry: dict[str, Any], place: UnitPlace) -> dict[str, Any]:
    cell, run = one.cell, one.run
    kind = run.model.readout.kind
    return {
        "cell": cell,
        "entry": entry,
        "outputs": outputs(run.model, run),
        "values": {name: getattr(run, name).T for name in cell.signals},
        "printed": run.h.size <= MOST_PRINTED,
        "parameters": sum(array.size for array in cell.parameters.values()),
        "carried": len(cell.carried) * cell.units,
        "score": figure(kind, run.model.card.measured[SCORE[kind]]),
        # A long run is streamed to the page instead of coming with it.
        "first": inert(b"".join(events(one.about, [run], place))) if run.h.size <= MOST_SENT else "",
    }


@cache
def cell_figures() -> orjson.Fragment:
    """The tape's pictures of every cell, for the page."""
    return orjson.Fragment(to_json({name: page_figures(cell.signals) for name, cell in CELLS.items()}))
