"""The Compare page: an RNN, an LSTM, a GRU and optional other cells read the same sequence."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gru_core import SequenceError, Trace, presets
from gru_core.cells.cell import Cell
from gru_core.cells.registry import CELLS, ORDER, USUAL
from gru_core.presets.recipes import PRESETS, without
from gru_core.training.scoring import SCORE, figure

from .. import models
from ..errors import Refused
from ..link import OPENING_SEQUENCES, OPENING_TASK, compared_cells, comparison_in, unit_in
from ..models import ModelEntry
from ..runs.answers import Start, to_json
from ..runs.events import events
from ..runs.run import example, run_whole
from ..schemas import ClampBody, Scenario
from ..settings import Settings
from ..sitemap import COMPARE
from .boot import Boot, boot, cell_figures, cell_pictures, columns, escape_for_script
from .page import MOST_PRINTED, MOST_SENT, Context, link_error_notice, outputs, version_notices


@dataclass(frozen=True)
class Contender:
    """A model in a comparison: its name, its cell, its scenario, and the `start` event and the trace of its run."""

    model: str
    cell: Cell
    scenario: Scenario
    start: Start
    run: Trace


def run_contenders(
    task: str,
    by: str,
    sequence: str | None,
    clamps: list[ClampBody],
    settings: Settings,
    cells: Collection[str] = USUAL,
) -> list[Contender]:
    """Run the models of a comparison, in the order of the page. Only the GRU gets the `clamps`.

    Raises Refused or SequenceError if the task, the sequence or a clamp is not valid.
    """
    if task not in presets.COMPARABLE:
        raise Refused(404, "task", f"this task is unknown: choose one of {', '.join(presets.COMPARABLE)}", "task")
    if by not in presets.matched(task):
        raise Refused(404, "by", f"for this task by must be {' or '.join(presets.matched(task))}", "by")
    runs = []
    sequence = sequence or OPENING_SEQUENCES.get(task)
    for cell, name in presets.contenders(task, by, cells).items():
        base = example(name, settings)
        gru_clamps = clamps if cell == "gru" else []
        scenario = base.model_copy(update={"sequence": sequence or base.sequence, "clamps": gru_clamps})
        start, run = run_whole(scenario, settings)
        runs.append(Contender(name, run.model.layers[0], scenario, start, run))
    return runs


def before_training(trained: list[Contender], settings: Settings) -> list[Contender]:
    """Run each model on the same sequence again, with its initial weights and without clamps."""
    untrained = []
    for contender in trained:
        scenario = contender.scenario.model_copy(update={"model": f"{contender.model}@0", "clamps": []})
        start, run = run_whole(scenario, settings)
        untrained.append(Contender(scenario.model, run.model.layers[0], scenario, start, run))
    return untrained


def page_context(keys: Mapping[str, str], settings: Settings) -> Context:
    """Return the page context for the keys of a link, or for an example if the link is not valid.

    Only the task, the matching, the sequence and the cells are read here. The page's script reads all other keys.
    """
    notices = version_notices(keys)
    task, by = comparison_in(keys)
    sequence, named = keys.get("sequence"), compared_cells(keys)
    try:
        runs = run_contenders(task, by, sequence, [], settings, named)
    except (Refused, SequenceError) as error:
        notices.append(link_error_notice(error))
        task = task if task in presets.COMPARABLE else OPENING_TASK
        by = by if by in presets.matched(task) else presets.MATCHED[0]
        runs = run_contenders(task, by, None, [], settings, named)
    notice = " ".join(notices)
    return comparison_context(task, by, runs, keys, settings) | {"experiment": "", "notice": notice}


def comparison_context(
    task: str, by: str, runs: list[Contender], keys: Mapping[str, str], settings: Settings
) -> Context:  # fmt: skip
    """Return the context of a page that compares the models in `runs`, for the keys of a link."""
    gru = next(contender for contender in runs if contender.cell.name == "gru")
    entries = [models.entry(contender.model, settings) for contender in runs]
    script: Boot = {
        **boot(entries, gru.scenario.fields()),
        "scenarios": {contender.cell.name: contender.scenario.fields() for contender in runs},
        "compared": {"task": task, "by": by, "usual": USUAL},
        "figures": cell_figures(),
        "pictures": cell_pictures(),
    }
    return {
        "page": "compare",
        "title": COMPARE.title,
        "task": task,
        "by": by,
        "matched": presets.matched(task),
        "tasks": {name: PRESETS[name].title for name in presets.COMPARABLE},
        "entry": entries[runs.index(gru)],
        "all_cells": {name: CELLS[name].title for name in presets.contenders(task, by, ORDER)},
        "scenario": gru.scenario,
        "columns": columns(len(gru.run.y)),
        "tokens": gru.start["tokens"],
        "signed": gru.run.model.readout.kind == "linear",
        "score": "held-out mean squared error" if gru.run.model.readout.kind == "linear" else "held-out accuracy",
        "signals": {name: style for cell in CELLS.values() for name, style in cell.signals.items()},
        "contenders": [
            _contender_context(contender, entry, keys) for contender, entry in zip(runs, entries, strict=True)
        ],
        "boot": escape_for_script(to_json(script)),
    }


def _contender_context(contender: Contender, entry: ModelEntry, keys: Mapping[str, str]) -> Context:
    cell, run = contender.cell, contender.run
    kind = run.model.readout.kind
    place = unit_in(keys, [cell.units])
    return {
        "cell": cell,
        "entry": entry,
        "without": without(PRESETS[run.model.card.task].recipe.penalties) if entry["id"].endswith("-plain") else "",
        "outputs": outputs(run.model, run),
        "values": {name: getattr(run, name).T for name in cell.signals},
        "printed": run.h.size <= MOST_PRINTED,
        "parameters": sum(array.size for array in cell.parameters.values()),
        "carried": len(cell.carried) * cell.units,
        "score": figure(kind, run.model.card.measured[SCORE[kind]]),
        # The page contains a short run. A long run is streamed later.
        "first": escape_for_script(b"".join(events(contender.start, [run], place))) if run.h.size <= MOST_SENT else "",
    }
