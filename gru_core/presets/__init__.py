"""The models that ship, each in a `.safetensors` file in this folder."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent

TASKS = ("flip-flop", "pocket-calculator", "running-total", "store-and-recall", "sentiment")

TRAININGS = FOLDER / "trainings"
"""The folder with the training of each model in NAMES."""

NAMES = tuple(task + twin for task in TASKS for twin in ("", "-plain"))
"""Every GRU that ships. NAME-plain was trained like NAME, but without its penalties."""

COMPARED = tuple(
    f"{task}-{cell}{size}"
    for task in TASKS
    for cell in ("rnn", "lstm")
    for size in ("", "-parameters")
    # The smallest LSTM has one unit, and more parameters than a GRU of one unit.
    if not (size and cell == "lstm" and task in ("flip-flop", "pocket-calculator", "running-total"))
)
"""RNNs and LSTMs trained like NAME-plain: with as many units, and with about as many parameters."""


def path(name: str) -> Path:
    return FOLDER / f"{name}.safetensors"


MATCHED = ("units", "parameters")
"""The sizes by which the compared models can be matched."""


def contenders(task: str, by: str) -> dict[str, str]:
    """Return the models of a task to compare, by cell: with as many units or, if `by` is "parameters", about as many
    parameters.

    If no model has about as many parameters, its cell has the model with as many units.
    """
    size = "-parameters" if by == "parameters" else ""
    names = {cell: [f"{task}-{cell}{size}", f"{task}-{cell}"] for cell in ("rnn", "lstm")}
    found = {cell: next(name for name in of if name in COMPARED) for cell, of in names.items()}
    return found | {"gru": f"{task}-plain"}
