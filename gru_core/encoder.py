"""Encoders, which turn text into a model's inputs: symbols, numbers with an operator, or rows of numbers.

An encoder splits text into tokens, one for each timestep, as the tape shows them. It turns the tokens into rows
`(T, I)`. Text that it cannot read raises a `SequenceError` that names the timestep, from 1.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gru_core.arrays import Array
from gru_core.numerals import decimal, decimals

LARGEST = 1e6
"""The largest absolute value of a number in a sequence, far from overflow."""


LISTED = 40
"""The most symbols of an alphabet that a hint or an error lists."""


class SequenceError(ValueError):
    """A sequence that the model cannot read.

    `step` is the timestep, from 1; None if the error is not about one timestep.
    """

    def __init__(self, message: str, step: int | None = None) -> None:
        super().__init__(message if step is None else f"step {step}: {message}")
        self.step = step


def _shown(piece: str) -> str:
    """A piece of the text as an error may show it: short, and without what would not print."""
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in piece[:12])
    return f"'{printable}…'" if len(piece) > 12 else f"'{printable}'"


def _number(digits: str, token: str, wanted: str, step: int) -> float:
    """The number that `digits` write; otherwise `token` is said to be no such thing as is wanted."""
    value = decimal(digits)
    if value is None:
        raise SequenceError(f"{_shown(token)} is {wanted}", step)
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise SequenceError(f"{_shown(token)} is out of range: -{LARGEST:,.0f} to {LARGEST:,.0f}", step)
    return value


@dataclass(frozen=True)
class Symbols:
    """One input for each symbol of the alphabet: x_t is 1 at the symbol's index and 0 elsewhere.

    Spaces separate symbols. If every symbol has one character, spaces are optional. If not, a punctuation mark may
    follow a word directly. If the alphabet has no capital letters, capitals are read as small letters.
    """

    alphabet: tuple[str, ...]

    @property
    def inputs(self) -> int:
        return len(self.alphabet)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the components of x_t."""
        return self.alphabet

    @property
    def example(self) -> str:
        """An example sequence, for a card that has none."""
        return " ".join(self.alphabet[:8])

    @cached_property
    def _place(self) -> dict[str, int]:
        return {symbol: i for i, symbol in enumerate(self.alphabet)}

    @cached_property
    def _pieces(self) -> re.Pattern[str]:
        """What a chunk that is no symbol itself falls into: characters, or words and marks."""
        return re.compile(r"\w+|[^\w\s]" if any(len(s) > 1 for s in self.alphabet) else r"\S")

    @property
    def hint(self) -> str:
        """How to write a sequence, in a few words."""
        more = f" … ({len(self.alphabet):,} in all)" if len(self.alphabet) > LISTED else ""
        return f"Symbols: {self._listed}{more}"

    @property
    def _listed(self) -> str:
        return " ".join(self.alphabet[:LISTED])

    def tokens(self, text: str) -> list[str]:
        pieces: list[str] = []
        for chunk in text.split():
            pieces += [chunk] if chunk in self._place else self._pieces.findall(chunk)
        caseless = all(symbol == symbol.lower() for symbol in self.alphabet)
        tokens = [p.lower() if caseless else p for p in pieces]
        for step, token in enumerate(tokens, 1):
            if token not in self._place:
                more = f" …, {len(self.alphabet):,} symbols" if len(self.alphabet) > LISTED else ""
                raise SequenceError(f"{_shown(token)} is not in this model's alphabet ({self._listed}{more})", step)
        return tokens

    def encode(self, tokens: list[str]) -> Array:
        return np.eye(self.inputs)[[self._place[token] for token in tokens]]

    def write(self, x: Array) -> str:
        """Return the text of a sequence `(T, I)`. `tokens` and `encode` turn it back into the sequence."""
        return " ".join(self.alphabet[i] for i in x.argmax(-1))

    def to_dict(self) -> dict[str, Any]:
        return {"kind": "symbols", "alphabet": list(self.alphabet)}


@dataclass(frozen=True)
class Operator:
    """The sign before a number, its meaning in words, and the inputs that it sets."""

    sign: str
    word: str
    flags: tuple[float, ...]


@dataclass(frozen=True)
class Numbers:
    """Numbers, each with an operator's sign before it: x_t is the number, then the flags of the operator.

    A number without a sign has the operator with the empty sign.
    """

    operators: tuple[Operator, ...]

    @property
    def inputs(self) -> int:
        return 1 + len(self.operators[0].flags)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the components of x_t: "number", then for each flag the operators that set it."""
        words = [[o.word for o in self.operators if o.flags[i]] for i in range(self.inputs - 1)]
        return ("number", *(" or ".join(setting) or "unused" for setting in words))

    @property
    def example(self) -> str:
        """An example sequence, for a card that has none."""
        return " ".join(f"{operator.sign}0" for operator in self.operators)

    @property
    def alphabet(self) -> tuple[str, ...]:
        """The forms that a timestep can take; `v` stands for the number."""
        return tuple(f"{operator.sign}v" for operator in self.operators)

    @property
    def hint(self) -> str:
        forms = ", ".join(f"{o.sign}v to {o.word}" if o.sign else f"v alone to {o.word}" for o in self.operators)
        return f"Numbers v: {forms}"

    def tokens(self, text: str) -> list[str]:
        # The typographic minus sign is read as a minus.
        tokens = text.replace("\N{MINUS SIGN}", "-").split()
        for step, token in enumerate(tokens, 1):
            self._read(token, step)
        return tokens

    @cached_property
    def _signs(self) -> dict[str, Operator]:
        return {operator.sign: operator for operator in self.operators}

    @cached_property
    def _wanted(self) -> str:
        return f"not one of {', '.join(self.alphabet)} (v is a number)"

    def _read(self, token: str, step: int) -> tuple[Operator, float]:
        operator = self._signs.get(token[0]) or self._signs.get("")
        if operator is None:
            raise SequenceError(f"{_shown(token)} is {self._wanted}", step)
        return operator, _number(token[len(operator.sign) :], token, self._wanted, step)

    def encode(self, tokens: list[str]) -> Array:
        read = [self._read(token, step) for step, token in enumerate(tokens, 1)]
        return np.array([[value, *operator.flags] for operator, value in read])

    def write(self, x: Array) -> str:
        """Return the text of a sequence `(T, I)`. Numbers are rounded to two decimals and to six digits."""
        signs = {operator.flags: operator.sign for operator in self.operators}
        return " ".join(f"{signs[tuple(row[1:])]}{round(float(row[0]), 2):g}" for row in x)

    def to_dict(self) -> dict[str, Any]:
        operators = [{"sign": o.sign, "word": o.word, "flags": list(o.flags)} for o in self.operators]
        return {"kind": "numbers", "operators": operators}


@dataclass(frozen=True)
class Vectors:
    """A row of numbers for each timestep, with commas between the numbers: x_t is the row."""

    inputs: int

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the components of x_t."""
        return tuple(f"x {i}" for i in range(1, self.inputs + 1))

    @property
    def example(self) -> str:
        """An example sequence: a pulse at each of the first inputs, at most four, then as many rows of zeros."""
        pulses = np.eye(self.inputs)[: min(self.inputs, 4)]
        return self.write(np.concatenate([pulses, np.zeros_like(pulses)]))

    @property
    def alphabet(self) -> tuple[str, ...]:
        """The form of a timestep."""
        return (",".join(f"v{i}" for i in range(1, self.inputs + 1)) if self.inputs < 4 else f"v1,v2,…,v{self.inputs}",)

    @property
    def hint(self) -> str:
        """How to write a sequence, in a few words."""
        if self.inputs == 1:
            return "Write one number for each step"
        return f"Write {self.inputs} numbers for each step, as {self.alphabet[0]} without spaces"

    def tokens(self, text: str) -> list[str]:
        # The typographic minus sign is read as a minus.
        tokens = text.replace("\N{MINUS SIGN}", "-").split()
        for step, token in enumerate(tokens, 1):
            self._read(token, step)
        return tokens

    def _read(self, token: str, step: int) -> list[float]:
        pieces = token.split(",", self.inputs)
        if len(pieces) != self.inputs:
            many = f"more than {self.inputs}" if len(pieces) > self.inputs else str(len(pieces))
            raise SequenceError(f"{_shown(token)} has {many} numbers, but each step needs {self.inputs}", step)
        numbers = decimals(token)
        if numbers is None or max(map(abs, numbers)) > LARGEST:
            return [_number(piece, piece, "not a number", step) for piece in pieces]  # raises at the wrong one
        return numbers

    def encode(self, tokens: list[str]) -> Array:
        return np.array([self._read(token, step) for step, token in enumerate(tokens, 1)])

    def write(self, x: Array) -> str:
        """Return the text of a sequence `(T, I)`. Numbers are rounded to two decimals and to six digits."""
        return " ".join(",".join(f"{round(float(value), 2):g}" for value in row) for row in x)

    def to_dict(self) -> dict[str, Any]:
        return {"kind": "vectors", "inputs": self.inputs}


Encoder = Symbols | Numbers | Vectors


def encoder_from_dict(data: dict[str, Any]) -> Encoder:
    """Return the encoder from the dictionary that `to_dict` returned."""
    if data["kind"] == "symbols":
        return Symbols(tuple(data["alphabet"]))
    if data["kind"] == "vectors":
        return Vectors(int(data["inputs"]))
    return Numbers(tuple(Operator(o["sign"], o["word"], tuple(o["flags"])) for o in data["operators"]))
