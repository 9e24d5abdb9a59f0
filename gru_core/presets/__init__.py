"""The models that ship, each one `.safetensors` file beside this one."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent

TASKS = ("flip-flop", "pocket-calculator", "running-total", "store-and-recall", "sentiment")

TRAININGS = FOLDER / "trainings"
"""Where the training of each of NAMES is kept."""

NAMES = tuple(task + twin for task in TASKS for twin in ("", "-plain"))
"""Every preset; NAME-plain was trained like NAME but without its penalties."""

COMPARED = tuple(
    f"{task}-{cell}{size}"
    for task in TASKS
    for cell in ("rnn", "lstm")
    for size in ("", "-parameters")
    # One unit of an LSTM has 32 parameters to a GRU's 24 or fewer; there is none smaller.
    if not (size and cell == "lstm" and task in ("flip-flop", "pocket-calculator", "running-total"))
)
"""RNNs and LSTMs trained as NAME-plain was: with as many units as it has, and with about as many parameters."""


def path(name: str) -> Path:
    return FOLDER / f"{name}.safetensors"


MATCHED = ("units", "parameters")
"""By what those that are compared can be matched."""


def contenders(task: str, by: str) -> dict[str, str]:
    """The models of a task that are compared, by cell: with as many units, or `by` "parameters" with about as many.

    Where there is none with about as many parameters it is the one with as many units.
    """
    size = "-parameters" if by == "parameters" else ""
    names = {cell: [f"{task}-{cell}{size}", f"{task}-{cell}"] for cell in ("rnn", "lstm")}
    found = {cell: next(name for name in of if name in COMPARED) for cell, of in names.items()}
    return found | {"gru": f"{task}-plain"}
