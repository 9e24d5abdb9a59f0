"""The models that ship, each one `.safetensors` file beside this one."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent

NAMES = tuple(
    name + twin
    for name in ("flip-flop", "pocket-calculator", "running-total", "store-and-recall", "sentiment")
    for twin in ("", "-plain")
)
"""Every preset; NAME-plain was trained like NAME but without its penalties."""

COMPARED = tuple(
    f"{task}-{cell}{size}"
    for task in ("flip-flop", "pocket-calculator", "running-total", "store-and-recall", "sentiment")
    for cell in ("rnn", "lstm")
    for size in ("", "-parameters")
    # One unit of an LSTM has 32 parameters to a GRU's 24 or fewer; there is none smaller.
    if not (size and cell == "lstm" and task in ("flip-flop", "pocket-calculator", "running-total"))
)
"""RNNs and LSTMs trained as NAME-plain was: with as many units as it has, and with about as many parameters."""


def path(name: str) -> Path:
    return FOLDER / f"{name}.safetensors"
