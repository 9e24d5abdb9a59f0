"""The comparison of three cells on a task: medians with intervals, curves, and a verdict in a sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TypedDict

from gru_core import experiments
from gru_core.cells.registry import CELLS
from gru_core.experiments import race
from gru_core.experiments.race import COUNTING, Median


class CellOutcome(TypedDict):
    """The result of a cell as text. `curve` has shares by training step or, for the counting task, by length n."""

    median: str
    interval: str
    reached: str
    curve: list[tuple[float, float]]


class RaceOutcome(TypedDict):
    """The results by cell, the cells that are `ahead`, and the verdict. Several cells are ahead if they tie."""

    cells: dict[str, CellOutcome]
    ahead: list[str]
    verdict: str


Counted = Mapping[str, Sequence[Sequence[int]]]
Steps = Mapping[str, Sequence[int | None]]


@cache
def stored(task: str) -> RaceOutcome:
    """Return the outcome of a task from the stored results."""
    rows = {cell: race.rows(task, cell) for cell in experiments.EQUAL}
    if task == COUNTING:
        return counted({cell: [[*map(int, row["counted"])] for row in rows[cell]] for cell in rows})
    return reached(task, {cell: [row["good_at"] for row in rows[cell]] for cell in rows})


@cache
def finding() -> str:
    """Summarize the stored results in a sentence: which cell is ahead on which tasks, and which cells tie."""
    alone: dict[str, list[str]] = {}
    ties: dict[str, list[str]] = {}
    for task in experiments.RACES:
        medians, ahead = race.medians(task), stored(task)["ahead"]
        if len(ahead) > 1:
            ties.setdefault(_and(sorted((f"the {CELLS[cell].title}" for cell in ahead), reverse=True)), []).append(task)
            continue
        best, second, *_ = race.ordered(medians, task)
        against = f"{_number(task, medians[best].value)} against {_number(task, medians[second].value)}"
        what = f"of the lengths {race.BEYOND[0]} to {race.BEYOND[-1]}" if task == COUNTING else "training steps"
        alone.setdefault(CELLS[best].title, []).append(f"{task} ({against} {what})")
    parts = [f"the {title} is ahead on {_and(tasks)}" for title, tasks in alone.items()]
    parts += [f"{cells} tie on {_and(tasks)}" for cells, tasks in ties.items()]
    best = "No cell wins every task" if len(alone) != 1 or ties else "One cell wins every task"
    return f"{best}: {_and(parts)}."


def reached(task: str, steps: Steps) -> RaceOutcome:
    """Return the outcome of a task from `steps`, the training step at which each seed of each cell reached the target.

    A step is None if the seed did not reach the target.
    """
    values = {cell: [math.inf if step is None else float(step) for step in by_seed] for cell, by_seed in steps.items()}
    return _outcome(task, values, {cell: _share_by_step(task, by_seed) for cell, by_seed in values.items()})


def counted(right: Counted) -> RaceOutcome:
    """Return the outcome of the counting task. `right` has the list of 1 and 0 from `race.counted` for each seed."""
    values = {cell: [race.beyond(seed) for seed in by_seed] for cell, by_seed in right.items()}
    curves = {
        cell: [(float(n), sum(by_n) / len(by_n)) for n, by_n in enumerate(zip(*by_seed, strict=True), 1)]
        for cell, by_seed in right.items()
    }
    return _outcome(COUNTING, values, curves)


def _share_by_step(task: str, steps: Sequence[float]) -> list[tuple[float, float]]:
    """Return a step curve: the share of seeds that have reached the target, by training step."""
    ordered = sorted(filter(math.isfinite, steps))
    curve = [(0.0, 0.0)]
    for i, step in enumerate(ordered, 1):
        curve += [(step, curve[-1][1]), (step, i / len(steps))]
    return [*curve, (float(experiments.BASES[task].schedule.most), curve[-1][1])]


def _outcome(
    task: str, values: Mapping[str, Sequence[float]], curves: Mapping[str, list[tuple[float, float]]]
) -> RaceOutcome:
    medians = {cell: race.median_of(by_seed) for cell, by_seed in values.items()}
    cells: dict[str, CellOutcome] = {
        cell: {
            "median": _number(task, median.value),
            "interval": _interval(task, median),
            "reached": f"{median.reached} of {median.seeds}",
            "curve": curves[cell],
        }
        for cell, median in medians.items()
    }
    ahead = race.ahead(values, task)
    return {"cells": cells, "ahead": ahead, "verdict": _verdict(task, medians, ahead)}


def _number(task: str, value: float) -> str:
    if math.isinf(value):
        return f"more than {experiments.BASES[task].schedule.most:,}"
    return f"{100 * value:.0f}%" if task == COUNTING else f"{value:,g}"


def _interval(task: str, median: Median) -> str:
    if math.isinf(median.low):
        return "too few seeds" if median.low < 0 else "–"
    return f"{_number(task, median.low)} to {_number(task, median.high)}"


def _verdict(task: str, medians: Mapping[str, Median], ahead: Sequence[str]) -> str:
    def medians_of(cells: Sequence[str]) -> str:
        return _and([f"{_number(task, medians[cell].value)} for the {CELLS[cell].title}" for cell in cells])

    better = "counts furthest" if task == COUNTING else "is fastest"
    what = f"of the lengths {race.BEYOND[0]} to {race.BEYOND[-1]}" if task == COUNTING else "training steps"
    behind = [cell for cell in medians if cell not in ahead]
    if math.isinf(medians[ahead[0]].value):
        return "No cell reaches the target with most of its seeds, so nothing can be compared."
    if len(ahead) == 1:
        first = f"The {CELLS[ahead[0]].title} {better}: a median of {_number(task, medians[ahead[0]].value)} {what}"
        return f"{first}, against {medians_of(behind)}."
    names = _and([f"the {CELLS[cell].title}" for cell in ahead])
    rest = f" Behind: {medians_of(behind)}." if behind else ""
    return f"{names[0].upper()}{names[1:]} tie: medians of {medians_of(ahead)} ({what}).{rest}"


def _and(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
