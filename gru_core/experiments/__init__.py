"""The experiments: their recipes, and their stored results, each in a `.json` file in this folder.

    gap         remember one symbol over a gap of noise, with several initial biases, learning rates and sizes
    bottleneck  recall n items in order through a state of H units
    race        five tasks and three cells, with equal numbers of units and comparable biases: b_f = 1, b_z = −1
    sequence    the operations that must run one after another, and a task that a parallel scan cannot learn
    attention   the weights of an attention head, set by hand; not stored, since they take no time to compute

`gruscope experiment NAME` computes a result again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

from gru_core.cells.registry import CELLS
from gru_core.experiments import attention
from gru_core.training.fit import Schedule
from gru_core.training.recipe import Recipe

FOLDER = Path(__file__).parent


def _schedule(T: int, reach: float, most: int, every: int = 25) -> Schedule:
    return Schedule(reach=reach, after=0, rate=0.01, T=T, aside=T, most=most, every=every)


BASES = {
    "gap": Recipe("gap", 16, 0, _schedule(51, 0.99, 1500)),
    "recall": Recipe("recall", 8, 0, _schedule(8, 1.0, 2000)),
    "echo": Recipe("echo", 8, 0, _schedule(20, 0.99, 3000, 5)),
    "adding": Recipe("adding", 8, 0, _schedule(20, 0.005, 3000, 5)),
    "parity": Recipe("parity", 8, 0, _schedule(12, 0.99, 3000, 5)),
    "brackets": Recipe("brackets", 8, 0, _schedule(20, 0.99, 3000, 5)),
    "counting": Recipe("counting", 8, 0, Schedule(None, 0, 0.02, T=41, aside=41, most=1500, every=100)),
}
"""The basic recipe of each task. The recipes of the experiments are variants of the basic recipes."""

EQUAL = {"rnn": {}, "lstm": {"f": 1.0}, "gru": {"z": -1.0}}
"""Comparable initial biases: the gate that keeps the old state, f or 1 − z, starts at about σ(1) = 0.73."""

GAPS, GAP_SEEDS = (20, 50, 100), range(5)
GAP_RATES, GAP_SIZES = (0.003, 0.01, 0.02, 0.03, 0.05), (4, 8, 16, 32)
MAP_GAP, SIZES_RATE = 50, 0.02
"""The gap for the heatmaps over learning rates and over sizes, and the learning rate for the heatmap over sizes."""

STORED = {
    "gap": (
        "task",
        "cell",
        "units",
        "seed",
        "first",
        "T_max",
        "biases",
        "T",
        "rate",
        "steps",
        "good_at",
        "score",
        "gradient",
    ),
    "bottleneck": ("task", "cell", "units", "seed", "biases", "T", "rate", "steps", "good_at", "score"),
}
"""The columns in the stored result of an experiment. Experiments that are not listed here store all columns."""

ITEMS, SIZES = range(1, 9), (2, 4, 8, 16, 32)
RACES, RACE_SEEDS = ("echo", "adding", "parity", "brackets", "counting"), range(40)
COUNTING_SEEDS = range(20)
"""The seeds for the counting task. There are fewer than for other tasks, because its trainings take the longest."""


def over(recipe: Recipe, T: int) -> Recipe:
    """Return the recipe with training and held-out sequences of `T` timesteps."""
    return replace(recipe, schedule=replace(recipe.schedule, T=T, aside=T))


def _gap() -> Iterable[Recipe]:
    base = BASES["gap"]
    for gap in GAPS:
        yield from _over_gap(gap, base.schedule.rate, base.units)
    for rate in GAP_RATES:
        if rate != base.schedule.rate:
            yield from _over_gap(MAP_GAP, rate, base.units)
    for units in GAP_SIZES:
        if units != base.units:
            yield from _over_gap(MAP_GAP, SIZES_RATE, units)


def _over_gap(gap: int, rate: float, units: int) -> Iterable[Recipe]:
    """Yield the recipes of all cells and initial biases, with all seeds, for one gap, learning rate and size."""
    base = over(replace(BASES["gap"], units=units, schedule=replace(BASES["gap"].schedule, rate=rate)), gap + 1)
    variants = [
        replace(base, cell="rnn"),
        replace(base, cell="lstm", biases={"f": 1.0}),
        *(replace(base, biases={"z": b}) for b in (0.0, -1.0, -2.0)),
        replace(base, first="chrono", T_max=gap),
    ]
    yield from (replace(variant, seed=seed) for variant in variants for seed in GAP_SEEDS)


def _bottleneck() -> Iterable[Recipe]:
    for units in SIZES:
        for n in ITEMS:
            yield over(replace(BASES["recall"], units=units), 2 * n)


def _race() -> Iterable[Recipe]:
    for task in RACES:
        for cell, biases in EQUAL.items():
            for seed in COUNTING_SEEDS if task == "counting" else RACE_SEEDS:
                yield replace(BASES[task], cell=cell, biases=biases, seed=seed)


GRIDS = {"gap": _gap, "bottleneck": _bottleneck, "race": _race}
"""The function that yields the recipes of each experiment."""


def recipes(name: str) -> list[Recipe]:
    """Return the recipes of an experiment, in the order of its result."""
    return list(GRIDS[name]())


@cache
def result(name: str) -> Any:
    """Return the stored result of an experiment.

    Most results have an entry for each recipe, in the order of the recipes. The result of "sequence" instead has
    `timing` by batch size and length, and `parity` by cell. The result of "attention" has the `tokens` of a sequence
    and the `lookups` by score.
    """
    if name == "attention":
        tokens = [*attention.LETTERS, *("?" for _ in attention.LETTERS)]
        return {"tokens": tokens, "lookups": {f"{score:g}": attention.lookup(score) for score in attention.SCORES}}
    return json.loads((FOLDER / f"{name}.json").read_text())


def table(name: str) -> list[dict[str, Any]]:
    """Return the stored result of an experiment as rows of single values.

    A row has the settings and the result of a training; `b_z` is the initial bias of z. A row of "sequence" has the
    times in seconds for `B` sequences of `T` timesteps. A row of "attention" has the `weight` of a `timestep` in the
    output at `t`.
    """
    stored = result(name)
    if isinstance(stored, list):
        return [_flat(row) for row in stored]
    if name == "attention":
        return [
            {"score": score, "t": t, "timestep": timestep, "weight": weight}
            for score, rows in stored["lookups"].items()
            for t, row in enumerate(rows, 1)
            for timestep, weight in enumerate(row["weights"], 1)
        ]
    return [
        {"B": int(B), "T": int(T), **times}
        for B, by_length in stored["timing"].items()
        for T, times in by_length.items()
    ]


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    biases = {f"b_{gate}": value for gate, value in row.get("biases", {}).items()}
    return {key: value for key, value in row.items() if not isinstance(value, (list, dict))} | biases


@dataclass(frozen=True)
class Solved:
    """An entry of the result of “Gradient reach”: how many seeds reached the target, and after how many steps.

    `solved` of the `seeds` reached the target. `steps` is the median number of training steps to the target. A seed
    that did not reach the target counts as slower than all others. `steps` is None if the median is such a seed.
    """

    seeds: int
    solved: int
    steps: float | None


def solved(kind: str, gap: int, rate: float, units: int) -> Solved | None:
    """Return the entry of “Gradient reach” for these settings, or None if there is no such entry.

    `kind` is a name that `kind_of_row` returns.
    """
    rows = [
        row
        for row in result("gap")
        if (row["T"] - 1, row["rate"], row["units"]) == (gap, rate, units) and kind_of_row(row) == kind
    ]
    if not rows:
        return None
    middle = median(float("inf") if row["good_at"] is None else row["good_at"] for row in rows)
    reached = sum(row["good_at"] is not None for row in rows)
    return Solved(len(rows), reached, None if middle == float("inf") else middle)


def kind_of_row(row: Mapping[str, Any]) -> str:
    """Return a name for the cell and the initial biases of a row of “Gradient reach”, such as "GRU, chrono"."""
    if row["first"] == "chrono":
        return "GRU, chrono"
    title = CELLS[row["cell"]].title
    return ", ".join([title, *(f"b_{gate} = {value:g}".replace("-", "−") for gate, value in row["biases"].items())])
