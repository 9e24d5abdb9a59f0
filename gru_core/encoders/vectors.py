"""Encoders for rows of numbers, and for single numbers with a unit."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gru_core.arrays import Array, Mask
from gru_core.encoders.tokens import LARGEST, SequenceError, padding_entry, quoted, read_number
from gru_core.numerals import decimals


@dataclass(frozen=True)
class Vectors:
    """An encoder for comma-separated numbers: the numbers of timestep t are x_t.

    The network skips a timestep if all its numbers equal `padding`. If `padding` is None, it skips no timestep.
    """

    inputs: int
    padding: float | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the components of x_t."""
        return tuple(f"x {i}" for i in range(1, self.inputs + 1))

    @property
    def example(self) -> str:
        """An example sequence: a 1 at each of the first four inputs in turn, and then as many rows of zeros."""
        pulses = np.eye(self.inputs)[: min(self.inputs, 4)]
        return self.write(np.concatenate([pulses, np.zeros_like(pulses)]))

    @property
    def alphabet(self) -> tuple[str, ...]:
        """The form of a token."""
        return (",".join(f"v{i}" for i in range(1, self.inputs + 1)) if self.inputs < 4 else f"v1,v2,…,v{self.inputs}",)

    @property
    def hint(self) -> str:
        """A short hint on how to write a sequence."""
        if self.inputs == 1:
            return "Write one number for each step"
        return f"Write {self.inputs} numbers for each step, as {self.alphabet[0]} without spaces"

    def tokens(self, text: str) -> list[str]:
        """Split `text` into tokens. Raises SequenceError if a token cannot be parsed."""
        # Accept the typographic minus sign too: texts that people paste often have it.
        tokens = text.replace("\N{MINUS SIGN}", "-").split()
        for step, token in enumerate(tokens, 1):
            self.check(token, step)
        return tokens

    def check(self, token: str, step: int) -> None:
        """Raise SequenceError unless the token of a timestep has one number for each input."""
        pieces = token.split(",", self.inputs)
        if len(pieces) != self.inputs:
            count = f"more than {self.inputs}" if len(pieces) > self.inputs else str(len(pieces))
            raise SequenceError(f"{quoted(token)} has {count} numbers, but each step needs {self.inputs}", step)
        numbers = decimals(token)
        if numbers is None or max(map(abs, numbers)) > LARGEST:
            for piece in pieces:
                read_number(piece, piece, "not a number", step)  # raises at the first wrong number

    def encode(self, tokens: list[str]) -> Array:
        """Return the inputs `(T, I)` of the tokens."""
        return np.array([list(map(float, token.split(","))) for token in tokens])

    def mask(self, x: Array) -> Mask | None:
        """Return a mask `(T, …)` for `x` `(T, …, I)`, false at padding. Return None if the encoder has no padding."""
        if self.padding is None:
            return None
        return np.asarray((x.astype(np.float32) != np.float32(self.padding)).any(-1))

    def write(self, x: Array) -> str:
        """Return a sequence `(T, I)` as text. Numbers have at most two decimals and at most six significant digits."""
        return " ".join(",".join(f"{round(float(value), 2):g}" for value in row) for row in x)

    def to_dict(self) -> dict[str, Any]:
        """Return the encoder as a dictionary for JSON."""
        return {"kind": "vectors", "inputs": self.inputs} | padding_entry(self.padding)


@dataclass(frozen=True)
class Scaled(Vectors):
    """An encoder for one number with a `unit` per timestep: x_t is (number − `shift`) ÷ `scale`.

    If the model has a single linear output, the output is scaled in the same way.
    """

    scale: float = field(default=1.0, kw_only=True)
    shift: float = field(default=0.0, kw_only=True)
    unit: str = field(kw_only=True)

    def scaled(self, number: str) -> str:
        """Return the formula for x_t as text. With "number" as the argument, it is for example "number ÷ 100"."""
        shifted = f"({number} {'−' if self.shift > 0 else '+'} {abs(self.shift):.10g})" if self.shift else number
        return f"{shifted} ÷ {self.scale:.10g}"

    @property
    def labels(self) -> tuple[str, ...]:
        return (self.scaled(self.unit),)

    @property
    def hint(self) -> str:
        return f"Write one number of {self.unit} for each step. x is {self.scaled('the number')}"

    @property
    def decimals(self) -> int:
        """The number of decimals of an output in the unit: 3 − log₁₀ `scale`, rounded, from 0 to 6."""
        return min(6, max(0, 3 - round(math.log10(self.scale))))

    def encode(self, tokens: list[str]) -> Array:
        return (super().encode(tokens) - self.shift) / self.scale

    def numbers(self, x: Array) -> Array:
        """Convert numbers on the network's scale to numbers in the unit."""
        return x * self.scale + self.shift

    def write(self, x: Array) -> str:
        """Return a sequence `(T, 1)` as text. Numbers are rounded to `decimals` decimals, or to two if that is more."""
        decimals = max(2, self.decimals)
        # Adding 0 turns -0 into 0.
        return " ".join(f"{round(float(number), decimals) + 0.0:.12g}" for number in self.numbers(x)[:, 0])

    def to_dict(self) -> dict[str, Any]:
        """Return the encoder as a dictionary for JSON."""
        shift = {"shift": self.shift} if self.shift else {}
        return super().to_dict() | {"kind": "scaled", "scale": self.scale, "unit": self.unit} | shift
