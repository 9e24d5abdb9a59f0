"""The models that ship with GRU Scope, each in a `.safetensors` file in this folder."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from gru_core.cells.registry import ORDER, USUAL

FOLDER = Path(__file__).parent

TASKS = ("flip-flop", "pocket-calculator", "running-total", "store-and-recall", "sentiment")

COMPARABLE = (*TASKS, "names", "sunspots")
"""The tasks with models of several cells. For the last two tasks, the models match only in the number of units."""

TRAININGS = FOLDER / "trainings"
"""The folder with the stored training of each model in NAMES."""

PENALIZED = ("flip-flop", "pocket-calculator", "store-and-recall", "sentiment")
"""The tasks with a GRU that was trained with penalties on its gates."""

NAMES = tuple(name for task in TASKS for name in (task, *([f"{task}-plain"] if task in PENALIZED else [])))
"""The GRUs of the tasks. NAME-plain was trained like NAME, but without penalties."""

COMPARED = tuple(
    f"{task}-{cell}{size}"
    for task in TASKS
    for cell in ORDER
    if cell != "gru"
    for size in ("", "-parameters")
    # The smallest LSTM has one unit, and more parameters than a GRU of one unit.
    if not (size and cell == "lstm" and task in ("flip-flop", "pocket-calculator", "running-total"))
)
"""The models of the other cells, trained like the plain GRU of the task.

There is a model with as many units as the GRU, and a model with about as many parameters.
"""


EXTRA = (
    "store-and-recall-lstm-hidden",
    "brackets-two-units",
    "brackets-two-units-after",
    "sentiment-two-layers",
    "sunspots",
    "sunspots-lstm",
    "sunspots-rnn",
    "names",
    "names-plain",
    "names-lstm",
    "names-rnn",
    "name-writer",
    "reversed-words",
    "tagger",
    "tagger-forward",
)
"""More models. Each shows one idea and was trained with a recipe of its own."""

SHIPPED = (*NAMES, *COMPARED, *EXTRA)
"""Every model that ships."""


def plain(task: str) -> str:
    """Return the name of a task's GRU that was trained without penalties."""
    return name if (name := f"{task}-plain") in SHIPPED else task


def path(name: str) -> Path:
    return FOLDER / f"{name}.safetensors"


MATCHED = ("units", "parameters")
"""The sizes in which compared models can match."""


def matched(task: str) -> tuple[str, ...]:
    """Return the sizes in which the models of a comparable task can match: units and, for toy tasks, parameters."""
    return MATCHED if task in TASKS else MATCHED[:1]


def contenders(task: str, by: str, cells: Collection[str] = USUAL) -> dict[str, str]:
    """Return the names of the models to compare on a task, by cell.

    The models have as many units as the plain GRU or, if `by` is "parameters", about as many parameters. If a cell has
    no model that matches in parameters, its model that matches in units is used. A cell without any model of the task
    is left out.
    """
    size = "-parameters" if by == "parameters" else ""
    models = {"gru": (plain(task),)} | {
        cell: (f"{task}-{cell}{size}", f"{task}-{cell}") for cell in ORDER if cell != "gru"
    }
    chosen = {cell: next((name for name in models[cell] if name in SHIPPED), None) for cell in ORDER if cell in cells}
    return {cell: name for cell, name in chosen.items() if name is not None}
