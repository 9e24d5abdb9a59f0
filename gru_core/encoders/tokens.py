"""Helpers that all encoders share: the error for unreadable sequences, and a parser for numbers in tokens."""

from __future__ import annotations

import math
from typing import Any

from gru_core.numerals import decimal

LARGEST = 1e6
"""The largest absolute value of a number in a sequence. It is far below overflow."""


class SequenceError(ValueError):
    """The error for a sequence that the model cannot read.

    `step` is the timestep of the error, counted from 1, or None if the error concerns no single timestep.
    """

    def __init__(self, message: str, step: int | None = None) -> None:
        super().__init__(message if step is None else f"step {step}: {message}")
        self.step = step


def quoted(piece: str) -> str:
    """Quote `piece` for an error message: at most 12 characters, with invisible characters written as ⟨U+00AD⟩."""
    printable = "".join(c if c.isprintable() else f"⟨U+{ord(c):04X}⟩" for c in piece[:12])
    return f"'{printable}…'" if len(piece) > 12 else f"'{printable}'"


def read_number(digits: str, token: str, problem: str, step: int) -> float:
    """Return the number in `digits`, a part of `token`.

    Raises SequenceError if `digits` is not a number, or out of range. If it is not a number, the message says that the
    token is `problem`, such as "not a number".
    """
    value = decimal(digits)
    if value is None:
        raise SequenceError(f"{quoted(token)} is {problem}", step)
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise SequenceError(f"{quoted(token)} is out of range: -{LARGEST:,.0f} to {LARGEST:,.0f}", step)
    return value


def padding_entry(padding: str | float | None) -> dict[str, Any]:
    """Return the "padding" entry for an encoder's dictionary: empty if `padding` is None."""
    return {} if padding is None else {"padding": padding}
