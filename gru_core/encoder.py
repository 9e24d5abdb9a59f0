"""Encoders, which turn text into a model's inputs: symbols, numbers with an operator, or rows of numbers.

An encoder splits a text into tokens, one for each timestep, and encodes the tokens as inputs `(T, I)`. It raises
SequenceError, with the number of the timestep from 1, if it cannot read the text.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array, Mask
from gru_core.numerals import decimal, decimals

LARGEST = 1e6
"""The largest absolute value of a number in a sequence. It is far below overflow."""


LISTED = 40
"""The most symbols of an alphabet that a hint or an error lists."""


MOST_JOINED = 1_000
"""The most symbols with signs inside that are recognized in a text without spaces."""


class SequenceError(ValueError):
    """A sequence that the model cannot read.

    `step` is the timestep of the error, from 1, or None if the error has no single timestep.
    """

    def __init__(self, message: str, step: int | None = None) -> None:
        super().__init__(message if step is None else f"step {step}: {message}")
        self.step = step


def _shown(piece: str) -> str:
    """Return a piece of a text for an error message: at most 12 characters. Invisible ones are named: ⟨U+00AD⟩."""
    printable = "".join(c if c.isprintable() else f"⟨U+{ord(c):04X}⟩" for c in piece[:12])
    return f"'{printable}…'" if len(piece) > 12 else f"'{printable}'"


def _forms(text: str, composed: bool) -> Iterator[str]:
    """Yield the text, and the text with each accent as a part of its letter and, unless `composed`, on its own."""
    yield text
    forms: tuple[Literal["NFC", "NFD"], ...] = () if text.isascii() else ("NFC",) if composed else ("NFC", "NFD")
    for form in forms:
        normal = unicodedata.normalize(form, text)
        if normal != text:
            yield normal


def _number(digits: str, token: str, problem: str, step: int) -> float:
    """Return the number in `digits`, a part of `token`.

    Raises SequenceError if `digits` is out of range, or if it is not a number. Then the message says that the token is
    `problem`, such as "not a number".
    """
    value = decimal(digits)
    if value is None:
        raise SequenceError(f"{_shown(token)} is {problem}", step)
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise SequenceError(f"{_shown(token)} is out of range: -{LARGEST:,.0f} to {LARGEST:,.0f}", step)
    return value


@dataclass(frozen=True)
class Symbols:
    """One input for each symbol of the alphabet: x_t is 1 at the symbol's index and 0 elsewhere.

    Spaces separate symbols. If every symbol has one character, spaces are optional. If not, a punctuation mark may
    follow a word directly. If the alphabet has no capital letters, capitals are read as small letters.

    `padding` is the symbol of the timesteps that the network skips, None if it skips none.
    """

    alphabet: tuple[str, ...]
    padding: str | None = field(default=None, kw_only=True)

    @property
    def inputs(self) -> int:
        """The number of components of x_t."""
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
    def _index(self) -> dict[str, int]:
        return {symbol: i for i, symbol in enumerate(self.alphabet)}

    @cached_property
    def _caseless(self) -> bool:
        return all(symbol == symbol.lower() for symbol in self.alphabet)

    @cached_property
    def _ascii(self) -> bool:
        return all(map(str.isascii, self.alphabet))

    @cached_property
    def _splitter(self) -> re.Pattern[str] | None:
        """The pattern that splits a text without spaces into words and punctuation marks; None for single characters.

        Symbols with other signs inside, such as joined emoji, are tried first, from the longest.
        """
        if all(len(symbol) == 1 for symbol in self.alphabet):
            return None
        joined = [symbol for symbol in self.alphabet if len(symbol) > 1 and not re.fullmatch(r"\w+", symbol)]
        longest = sorted(map(re.escape, joined[:MOST_JOINED]), key=len, reverse=True)
        return re.compile("|".join([*longest, r"\w+|."]))

    @property
    def hint(self) -> str:
        """How to write a sequence, in a few words."""
        more = f" … ({len(self.alphabet):,} in all)" if len(self.alphabet) > LISTED else ""
        return f"Symbols: {self._listed}{more}"

    @property
    def _listed(self) -> str:
        return " ".join(self.alphabet[:LISTED])

    def tokens(self, text: str) -> list[str]:
        """Return the symbols in a text. Raises SequenceError if a symbol is not in the alphabet.

        Byte-order marks are left out. An accent may be a part of its letter or a character of its own.
        """
        text = text.replace("\ufeff", "")
        errors: list[SequenceError] = []
        for form in _forms(text, self._ascii):
            try:
                return self._tokens(form)
            except SequenceError as error:
                errors.append(error)
        raise max(errors, key=lambda error: error.step or 0)

    def _tokens(self, text: str) -> list[str]:
        tokens: list[str] = []
        index, splitter = self._index, self._splitter  # a cached property costs more than the rest of the loop
        for chunk in text.split():
            pieces = [chunk] if chunk in index else list(chunk) if splitter is None else splitter.findall(chunk)
            for token in map(str.lower, pieces) if self._caseless else pieces:
                if token not in index:
                    more = f" …, {len(self.alphabet):,} symbols" if len(self.alphabet) > LISTED else ""
                    problem = f"{_shown(token)} is not in this model's alphabet ({self._listed}{more})"
                    raise SequenceError(problem, len(tokens) + 1)
                tokens.append(token)
        return tokens

    def encode(self, tokens: list[str]) -> Array:
        """Return the inputs `(T, I)` of the tokens."""
        return self.vectors(np.array([self._index[token] for token in tokens], int))

    def vectors(self, indices: npt.NDArray[np.integer[Any]]) -> Array:
        """Return the inputs `(…, I)` of symbols, given by their indices `(…)` in the alphabet."""
        x = np.zeros((*indices.shape, self.inputs))
        np.put_along_axis(x, indices[..., None], 1, -1)
        return x

    def mask(self, x: Array) -> Mask | None:
        """Return the mask `(T, …)` of the timesteps of `x` `(T, …, I)` that are not skipped; None if all count."""
        return None if self.padding is None else np.asarray(x[..., self._index[self.padding]] != 1)

    def write(self, x: Array) -> str:
        """Return the text of a sequence `(T, I)`. `tokens` and `encode` turn it back into the sequence."""
        return " ".join(self.alphabet[i] for i in x.argmax(-1))

    def to_dict(self) -> dict[str, Any]:
        """Return the encoder as a dictionary for JSON."""
        return {"kind": "symbols", "alphabet": list(self.alphabet)} | _padding(self.padding)


@dataclass(frozen=True)
class Letters(Symbols):
    """Symbols that are letters from a to z, or whole words: in a text, each letter and each known word is a timestep.

    Accents, hyphens, apostrophes and periods are left out: "Müller" and "M u l l e r" are the same sequence.
    """

    @property
    def hint(self) -> str:
        words = [symbol for symbol in self.alphabet if len(symbol) > 1]
        first = f"One of the words {' '.join(words)}, then letters" if words else "Letters"
        return f"{first} from a to z. Accents, hyphens and apostrophes are left out"

    def tokens(self, text: str) -> list[str]:
        """Return the letters and the words in a text. Raises SequenceError if one of them is no Latin letter."""
        chunks = letters_of(text).split()
        return super().tokens(" ".join(chunk if chunk in self._index else " ".join(chunk) for chunk in chunks))

    def write(self, x: Array) -> str:
        """Return the text of a sequence `(T, I)`, without timesteps that have no letter."""
        symbols = [self.alphabet[i] for i in x[x.any(-1)].argmax(-1)]
        return "".join(symbol if len(symbol) == 1 else f"{symbol} " for symbol in symbols).strip()

    def to_dict(self) -> dict[str, Any]:
        """Return the encoder as a dictionary for JSON."""
        return super().to_dict() | {"kind": "letters"}


SPELLED = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"}
    | dict.fromkeys("\ufeff'’‘-‐.")
)
"""Letters that are not a letter with an accent, in letters from a to z; and signs that are left out."""


def letters_of(text: str) -> str:
    """Return a text in small letters, without accents, hyphens, apostrophes and periods."""
    parts = unicodedata.normalize("NFD", text.lower().translate(SPELLED))
    return "".join(part for part in parts if not unicodedata.combining(part))


@dataclass(frozen=True, eq=False)
class Embedded(Symbols):
    """Symbols of a large alphabet with an embedding: x_t is the row of the symbol in `table` `(A, I)`.

    With A symbols, inputs of 0 and 1 would need A columns of W. The rows of a table are only looked up.
    """

    table: Array = field(repr=False)

    @property
    def inputs(self) -> int:
        return int(self.table.shape[1])

    @property
    def labels(self) -> tuple[str, ...]:
        return Vectors(self.inputs).labels

    def vectors(self, indices: npt.NDArray[np.integer[Any]]) -> Array:
        x: Array = self.table[indices]
        return x

    def mask(self, x: Array) -> Mask | None:
        return None if self.padding is None else np.asarray((x != self.table[self._index[self.padding]]).any(-1))

    def write(self, x: Array) -> str:
        """Return the text of a sequence `(T, I)`: for each timestep the symbol with the nearest row."""
        return " ".join(self.alphabet[((self.table - row) ** 2).sum(1).argmin()] for row in x)

    def to_dict(self) -> dict[str, Any]:
        """Return the encoder as a dictionary for JSON. The table is not in it."""
        return {"kind": "embedded", "alphabet": list(self.alphabet)} | _padding(self.padding)


@dataclass(frozen=True)
class Operator:
    """A sign that can stand before a number, its meaning in words, and its flags: the inputs that follow the number."""

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
        """The number of components of x_t."""
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
        """The possible forms of a token. `v` stands for the number."""
        return tuple(f"{operator.sign}v" for operator in self.operators)

    @property
    def hint(self) -> str:
        """How to write a sequence, in a few words."""
        forms = ", ".join(f"{o.sign}v to {o.word}" if o.sign else f"v alone to {o.word}" for o in self.operators)
        return f"Numbers v: {forms}"

    def tokens(self, text: str) -> list[str]:
        """Return the tokens of a text. Raises SequenceError if one of them cannot be read."""
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
        """Return the operator and the number in a token. Raises SequenceError if it has another form."""
        operator = self._signs.get(token[0]) or self._signs.get("")
        if operator is None:
            raise SequenceError(f"{_shown(token)} is {self._problem}", step)
        return operator, _number(token[len(operator.sign) :], token, self._problem, step)

    def encode(self, tokens: list[str]) -> Array:
        """Return the inputs `(T, I)` of the tokens."""
        pairs = [self._read(token, step) for step, token in enumerate(tokens, 1)]
        return np.array([[value, *operator.flags] for operator, value in pairs])

    def mask(self, x: Array) -> Mask | None:
        """Return None: such a network skips no timesteps."""
        return None

    def write(self, x: Array) -> str:
        """Return the text of a sequence `(T, I)`. Numbers are rounded to two decimals and to six significant digits."""
        signs = {operator.flags: operator.sign for operator in self.operators}
        return " ".join(f"{signs[tuple(row[1:])]}{round(float(row[0]), 2):g}" for row in x)

    def to_dict(self) -> dict[str, Any]:
        """Return the encoder as a dictionary for JSON."""
        operators = [{"sign": o.sign, "word": o.word, "flags": list(o.flags)} for o in self.operators]
        return {"kind": "numbers", "operators": operators}


@dataclass(frozen=True)
class Vectors:
    """Comma-separated numbers for each timestep: x_t has these numbers.

    The network skips a timestep if all its numbers equal `padding`. If `padding` is None, it skips none.
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
        """How to write a sequence, in a few words."""
        if self.inputs == 1:
            return "Write one number for each step"
        return f"Write {self.inputs} numbers for each step, as {self.alphabet[0]} without spaces"

    def tokens(self, text: str) -> list[str]:
        """Return the tokens of a text. Raises SequenceError if one of them cannot be read."""
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
            raise SequenceError(f"{_shown(token)} has {count} numbers, but each step needs {self.inputs}", step)
        numbers = decimals(token)
        if numbers is None or max(map(abs, numbers)) > LARGEST:
            for piece in pieces:
                _number(piece, piece, "not a number", step)  # raises at the first wrong number

    def encode(self, tokens: list[str]) -> Array:
        """Return the inputs `(T, I)` of the tokens."""
        return np.array([list(map(float, token.split(","))) for token in tokens])

    def mask(self, x: Array) -> Mask | None:
        """Return the mask `(T, …)` of the timesteps of `x` `(T, …, I)` that are not skipped; None if all count."""
        if self.padding is None:
            return None
        return np.asarray((x.astype(np.float32) != np.float32(self.padding)).any(-1))

    def write(self, x: Array) -> str:
        """Return the text of a sequence `(T, I)`. Numbers are rounded to two decimals and to six significant digits."""
        return " ".join(",".join(f"{round(float(value), 2):g}" for value in row) for row in x)

    def to_dict(self) -> dict[str, Any]:
        """Return the encoder as a dictionary for JSON."""
        return {"kind": "vectors", "inputs": self.inputs} | _padding(self.padding)


@dataclass(frozen=True)
class Scaled(Vectors):
    """One number of a `unit` for each timestep: x_t is (number − `shift`) ÷ `scale`.

    If the model has one linear output, this is a number on the same scale.
    """

    scale: float = field(default=1.0, kw_only=True)
    shift: float = field(default=0.0, kw_only=True)
    unit: str = field(kw_only=True)

    def scaled(self, number: str) -> str:
        """Return words for a number in the network: "number ÷ 100"."""
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
        """The number of decimals with which an output is written in the unit: three more than its scale needs."""
        return min(6, max(0, 3 - round(math.log10(self.scale))))

    def encode(self, tokens: list[str]) -> Array:
        return (super().encode(tokens) - self.shift) / self.scale

    def numbers(self, x: Array) -> Array:
        """Return the numbers of the unit for numbers in the network."""
        return x * self.scale + self.shift

    def write(self, x: Array) -> str:
        """Return the text of a sequence `(T, 1)`. Numbers are rounded to `decimals`, but to no fewer than two."""
        decimals = max(2, self.decimals)
        # The sum with 0 makes 0 of -0.
        return " ".join(f"{round(float(number), decimals) + 0.0:.12g}" for number in self.numbers(x)[:, 0])

    def to_dict(self) -> dict[str, Any]:
        """Return the encoder as a dictionary for JSON."""
        shift = {"shift": self.shift} if self.shift else {}
        return super().to_dict() | {"kind": "scaled", "scale": self.scale, "unit": self.unit} | shift


def _padding(padding: str | float | None) -> dict[str, Any]:
    return {} if padding is None else {"padding": padding}


Encoder = Symbols | Numbers | Vectors


def encoder_from_dict(data: dict[str, Any], table: Array | None = None) -> Encoder:
    """Return the encoder of a dictionary that `to_dict` returned, and of the `table` of an `Embedded`."""
    if data["kind"] == "embedded":
        if table is None or table.ndim != 2 or len(table) != len(data["alphabet"]):
            raise ValueError("the embedding needs a row for each symbol")
        return Embedded(tuple(data["alphabet"]), table, padding=data.get("padding"))
    if data["kind"] == "symbols":
        return Symbols(tuple(data["alphabet"]), padding=data.get("padding"))
    if data["kind"] == "letters":
        return Letters(tuple(data["alphabet"]))
    if data["kind"] == "scaled":
        scale, shift = float(data["scale"]), float(data.get("shift", 0))
        return Scaled(int(data["inputs"]), scale=scale, shift=shift, unit=str(data["unit"]))
    if data["kind"] == "vectors":
        return Vectors(int(data["inputs"]), data.get("padding"))
    return Numbers(tuple(Operator(o["sign"], o["word"], tuple(o["flags"])) for o in data["operators"]))
