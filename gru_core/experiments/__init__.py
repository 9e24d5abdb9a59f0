"""The experiments: their recipes, and their stored results, each in a `.json` file in this folder.

    gap         remember one symbol over a gap of noise, with several initial biases
    bottleneck  recall n items in order through a state of H units
    race        five tasks and three cells, with equal numbers of units and comparable biases: b_f = 1, b_z = −1
    sequence    the operations that must run one after another, and a task that a parallel scan cannot learn

`gruscope experiment NAME` computes a result again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from gru_core.cells.registry import CELLS
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
"""The basic recipe of each task. The recipes of the experiments are variants of these."""

EQUAL = {"rnn": {}, "lstm": {"f": 1.0}, "gru": {"z": -1.0}}
"""Comparable initial biases: the gate that keeps the old state, f or 1 − z, starts at about σ(1) = 0.73."""

GAPS, GAP_SEEDS = (20, 50, 100), range(5)
ITEMS, SIZES = range(1, 9), (2, 4, 8, 16, 32)
RACES, RACE_SEEDS = ("echo", "adding", "parity", "brackets", "counting"), range(40)
COUNTING_SEEDS = range(20)
"""The seeds of counting. Its trainings take the longest."""


def over(recipe: Recipe, T: int) -> Recipe:
    """Return the recipe with sequences of T timesteps."""
    return replace(recipe, schedule=replace(recipe.schedule, T=T, aside=T))


def _gap() -> Iterable[Recipe]:
    for gap in GAPS:
        base = over(BASES["gap"], gap + 1)
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
"""The recipes of each experiment."""


def recipes(name: str) -> list[Recipe]:
    """Return the recipes of an experiment, in the order of its result."""
    return list(GRIDS[name]())


@cache
def result(name: str) -> Any:
    """Return the stored result of an experiment.

    The result has an entry for each recipe, in the order of the recipes. The result of "sequence" has `timing`
    by batch and length, and `parity` by cell instead.
    """
    return json.loads((FOLDER / f"{name}.json").read_text())


def table(name: str) -> list[dict[str, Any]]:
    """Return the stored result of an experiment as rows of single values.

    A row has the settings and the result of a training; `b_z` is the initial bias of z. A row of "sequence" has the
    times in seconds for `B` sequences of `T` timesteps.
    """
    stored = result(name)
    if isinstance(stored, list):
        return [_flat(row) for row in stored]
    return [
        {"B": int(B), "T": int(T), **times}
        for B, by_length in stored["timing"].items()
        for T, times in by_length.items()
    ]


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    biases = {f"b_{gate}": value for gate, value in row.get("biases", {}).items()}
    return {key: value for key, value in row.items() if not isinstance(value, (list, dict))} | biases


def kind_of_row(row: Mapping[str, Any]) -> str:
    """Return the name of a row's cell with its initial biases, for the experiment “Gradient reach”."""
    if row["first"] == "chrono":
        return "GRU, chrono"
    title = CELLS[row["cell"]].title
    return ", ".join([title, *(f"b_{gate} = {value:g}".replace("-", "−") for gate, value in row["biases"].items())])
