"""The encoder for sequences of numbers, each with an operator sign in front."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gru_core.arrays import Array, Mask
from gru_core.encoders.tokens import SequenceError, quoted, read_number


@dataclass(frozen=True)
class Operator:
    """An operator: a sign before a number, the meaning of the sign in words, and the inputs that encode the sign."""

    sign: str
    word: str
    flags: tuple[float, ...]


@dataclass(frozen=True)
class Numbers:
    """An encoder for numbers with an operator sign in front: x_t is the number, followed by the operator's flags.

    A number without a sign belongs to the operator with the empty sign.
    """

    operators: tuple[Operator, ...]

    @property
    def inputs(self) -> int:
        """The number of components of x_t."""
        return 1 + len(self.operators[0].flags)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the components of x_t: "number", then for each flag the operators that set it."""
        words = [[o.word for o in self.operators if o.flags[i]] for i in range(self.inputs - 1)]
        return ("number", *(" or ".join(setting) or "unused" for setting in words))

    @property
    def example(self) -> str:
        """An example sequence, used if the card has no examples."""
        return " ".join(f"{operator.sign}0" for operator in self.operators)

    @property
    def alphabet(self) -> tuple[str, ...]:
        """The possible forms of a token. `v` stands for the number."""
        return tuple(f"{operator.sign}v" for operator in self.operators)

    @property
    def hint(self) -> str:
        """A short hint on how to write a sequence."""
        forms = ", ".join(f"{o.sign}v to {o.word}" if o.sign else f"v alone to {o.word}" for o in self.operators)
        return f"Numbers v: {forms}"

    def tokens(self, text: str) -> list[str]:
        """Split `text` into tokens. Raises SequenceError if a token cannot be parsed."""
        # Accept the typographic minus sign too: texts that people paste often have it.
        tokens = text.replace("\N{MINUS SIGN}", "-").split()
        for step, token in enumerate(tokens, 1):
            self._read(token, step)
        return tokens

    @cached_property
    def _signs(self) -> dict[str, Operator]:
        return {operator.sign: operator for operator in self.operators}

    @cached_property
    def _problem(self) -> str:
        return f"not one of {', '.join(self.alphabet)} (v is a number)"

    def _read(self, token: str, step: int) -> tuple[Operator, float]:
        """Return the operator and the number in a token. Raises SequenceError if the token cannot be parsed."""
        operator = self._signs.get(token[0]) or self._signs.get("")
        if operator is None:
            raise SequenceError(f"{quoted(token)} is {self._problem}", step)
        return operator, read_number(token[len(operator.sign) :], token, self._problem, step)

    def encode(self, tokens: list[str]) -> Array:
        """Return the inputs `(T, I)` of the tokens."""
        pairs = [self._read(token, step) for step, token in enumerate(tokens, 1)]
        return np.array([[value, *operator.flags] for operator, value in pairs])

    def mask(self, x: Array) -> Mask | None:
        """Return None, because a network with this encoder skips no timesteps."""
        return None

    def write(self, x: Array) -> str:
        """Return a sequence `(T, I)` as text. Numbers have at most two decimals and at most six significant digits."""
        signs = {operator.flags: operator.sign for operator in self.operators}
        return " ".join(f"{signs[tuple(row[1:])]}{round(float(row[0]), 2):g}" for row in x)

    def to_dict(self) -> dict[str, Any]:
        """Return the encoder as a dictionary for JSON."""
        operators = [{"sign": o.sign, "word": o.word, "flags": list(o.flags)} for o in self.operators]
        return {"kind": "numbers", "operators": operators}
