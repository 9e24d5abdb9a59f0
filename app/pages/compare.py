"""The page Compare: an RNN, an LSTM and a GRU, and other cells, read one sequence."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gru_core import SequenceError, Trace, presets
from gru_core.cell import Cell
from gru_core.cells import CELLS, ORDER, USUAL
from gru_core.scoring import SCORE, figure

from .. import models
from ..errors import Refused
from ..link import compared_cells
from ..models import ModelEntry
from ..runs.answers import Start, events, to_json
from ..runs.run import example, run_whole
from ..schemas import ClampBody, Scenario
from ..settings import Settings
from .boot import Boot, boot, cell_figures, columns, inert
from .experiments import TITLES
from .page import MOST_PRINTED, MOST_SENT, Context, outputs, unfollowed, version_notices

TITLE = "Compare"


@dataclass(frozen=True)
class Contender:
    """A model that takes part: its name, its cell, its run and that run's `start`."""

    model: str
    cell: Cell
    scenario: Scenario
    about: Start
    run: Trace


def contenders(
    task: str,
    by: str,
    sequence: str | None,
    clamps: list[ClampBody],
    settings: Settings,
    cells: Collection[str] = USUAL,
) -> list[Contender]:
    """Those of a task, the RNN first, the GRU last; `clamps` are held in the GRU.

    Raises Refused or SequenceError where the sequence or the clamps cannot be followed.
    """
    if task not in presets.TASKS:
        raise Refused(404, "task", f"this task is unknown: choose one of {', '.join(presets.TASKS)}", "task")
    if by not in presets.MATCHED:
        raise Refused(404, "by", f"by must be {' or '.join(presets.MATCHED)}", "by")
    found = []
    for cell, name in presets.contenders(task, by, cells).items():
        base = example(name, settings)
        held = clamps if cell == "gru" else []
        scenario = base.model_copy(update={"sequence": sequence or base.sequence, "clamps": held})
        about, run = run_whole(scenario, settings)
        found.append(Contender(name, run.model.layers[0], scenario, about, run))
    return found


def before_training(found: list[Contender], settings: Settings) -> list[Contender]:
    """The same sequence, read by what the training of each began with."""
    untrained = []
    for one in found:
        scenario = one.scenario.model_copy(update={"model": f"{one.model}@0", "clamps": []})
        about, run = run_whole(scenario, settings)
        untrained.append(Contender(scenario.model, run.model.layers[0], scenario, about, run))
    return untrained


def filled(keys: Mapping[str, str], settings: Settings) -> Context:
    """What the page is filled with where a link says these keys, of which it reads all but `task`, `by` and `sequence`
    itself; or, where it cannot be followed, with an example."""
    notices = version_notices(keys)
    task, by = keys.get("task", presets.TASKS[0]), keys.get("by", presets.MATCHED[0])
    sequence, named = keys.get("sequence"), compared_cells(keys)
    try:
        found = contenders(task, by, sequence, [], settings, named)
    except (Refused, SequenceError) as error:
        notices.append(unfollowed(error))
        task = task if task in presets.TASKS else presets.TASKS[0]
        by = by if by in presets.MATCHED else presets.MATCHED[0]
        found = contenders(task, by, None, [], settings, named)
    notice = " ".join(notices)
    return view(task, by, found, settings) | {"labs": TITLES, "lab": "", "notice": notice}


def view(task: str, by: str, found: list[Contender], settings: Settings) -> Context:
    """What the page is filled with where these contenders are compared."""
    gru = next(one for one in found if one.cell.name == "gru")
    entries = [models.entry(one.model, settings) for one in found]
    script: Boot = {
        **boot(entries, gru.scenario.model_dump(by_alias=True)),
        "scenarios": {one.cell.name: one.scenario.model_dump(by_alias=True) for one in found},
        "compared": {"task": task, "by": by, "usual": USUAL},
        "figures": cell_figures(),
    }
    titles = {name: models.get(f"{name}-plain", settings).card.title for name in presets.TASKS}
    return {
        "page": "compare",
        "title": TITLE,
        "task": task,
        "by": by,
        "tasks": {name: title.removesuffix(", plain") for name, title in titles.items()},
        "entry": entries[found.index(gru)],
        "all_cells": {name: CELLS[name].title for name in ORDER},
        "scenario": gru.scenario,
        "columns": columns(len(gru.run.y)),
        "tokens": gru.about["tokens"],
        "signed": gru.run.model.readout.kind == "linear",
        "score": "held-out mean squared error" if gru.run.model.readout.kind == "linear" else "held-out accuracy",
        "signals": {name: style for one in CELLS.values() for name, style in one.signals.items()},
        "contenders": [_filled(one, entry) for one, entry in zip(found, entries, strict=True)],
        "boot": inert(to_json(script)),
    }


def _filled(one: Contender, entry: ModelEntry) -> Context:
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
        "first": inert(b"".join(events(one.about, [run]))) if run.h.size <= MOST_SENT else "",
    }
