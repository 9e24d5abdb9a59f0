"""Encoders for symbols: a small alphabet, letters, or a large alphabet with an embedding."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import filterfalse
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array, Mask
from gru_core.encoders.tokens import SequenceError, padding_entry, quoted
from gru_core.encoders.vectors import Vectors

LISTED = 40
"""The largest number of symbols that a hint or an error message lists."""


MOST_JOINED = 1_000
"""The largest number of symbols, such as joined emoji, that are recognized in text without spaces: see `_joined`."""

_WORD_OR_MARK = re.compile(r"\w+|.", re.DOTALL)


MOST_ACCENTS = 30
"""The largest number of accents on one letter, as in Unicode's Stream-Safe Text Format (UAX #15)."""


def _normalize(form: Literal["NFC", "NFD"], text: str) -> str:
    """Normalize `text` to a Unicode normalization form.

    Raises SequenceError if a letter has more than MOST_ACCENTS accents, because the time to sort the accents of a
    letter is quadratic.
    """
    for signs in _SIGNS.findall(text):
        if _ACCENTS.search("".join(map(unicodedata.category, signs))):
            raise SequenceError(f"a letter has more than {MOST_ACCENTS} accents")
    return unicodedata.normalize(form, text)


_SIGNS = re.compile(rf"[^\w\x00-\x7f]{{{MOST_ACCENTS + 1},}}")
"""A run of more than MOST_ACCENTS characters that can all be accents: none is ASCII, a letter or a digit."""

_ACCENTS = re.compile(f"(?:M.){{{MOST_ACCENTS + 1}}}")
"""The Unicode categories of more than MOST_ACCENTS accents in a row. A category has two letters, such as "Mn"."""


def _forms(text: str, composed: bool) -> Iterator[str]:
    """Yield `text`, then its NFC form and, unless `composed`, its NFD form. Forms equal to `text` are left out."""
    yield text
    forms: tuple[Literal["NFC", "NFD"], ...] = () if text.isascii() else ("NFC",) if composed else ("NFC", "NFD")
    for form in forms:
        normal = _normalize(form, text)
        if normal != text:
            yield normal


@dataclass(frozen=True)
class Symbols:
    """An encoder with one input for each symbol of the alphabet: x_t is 1 at the symbol's index and 0 elsewhere.

    Spaces separate symbols. If every symbol has one character, spaces are optional. If not, a punctuation mark may
    follow a word directly. If the alphabet has no capital letters, capitals are read as lowercase letters.

    `padding` is the symbol of the timesteps that the network skips, or None if it skips none.
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
        """An example sequence, used if the card has no examples."""
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
    def _single(self) -> bool:
        """Whether text without spaces is split into its characters."""
        return all(len(symbol) == 1 for symbol in self.alphabet)

    @cached_property
    def _joined(self) -> dict[str, dict[int, set[str]]]:
        """Symbols of several characters that are not plain words, such as joined emoji.

        The symbols are grouped by first character, then by length, with the longest first.
        """
        joined = [symbol for symbol in self.alphabet if len(symbol) > 1 and not re.fullmatch(r"\w+", symbol)]
        by_first: dict[str, dict[int, set[str]]] = {}
        for symbol in sorted(joined[:MOST_JOINED], key=len, reverse=True):
            by_first.setdefault(symbol[0], {}).setdefault(len(symbol), set()).add(symbol)
        return by_first

    def _pieces(self, chunk: str) -> Iterator[str]:
        """Yield the parts of `chunk`, which is text without spaces.

        At each position, the part is the longest symbol of `_joined` that fits, or else a word or a single character.
        """
        if not self._joined:
            yield from _WORD_OR_MARK.findall(chunk)
            return
        start = 0
        while start < len(chunk):
            by_length = self._joined.get(chunk[start], {})
            length = next((n for n, symbols in by_length.items() if chunk[start : start + n] in symbols), None)
            word = None if length else _WORD_OR_MARK.match(chunk, start)
            end = word.end() if word else start + (length or 1)
            yield chunk[start:end]
            start = end

    @property
    def hint(self) -> str:
        """A short hint on how to write a sequence."""
        more = f" … ({len(self.alphabet):,} in all)" if len(self.alphabet) > LISTED else ""
        return f"Symbols: {self._listed}{more}"

    @property
    def _listed(self) -> str:
        return " ".join(self.alphabet[:LISTED])

    def tokens(self, text: str) -> list[str]:
        """Split `text` into symbols. Raises SequenceError if a symbol is not in the alphabet.

        Byte-order marks are ignored. An accent may be part of its letter or a separate character.
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
        split: dict[str, list[str]] = {}  # caches the tokens of each chunk, because most texts repeat words
        for chunk in text.split():
            if chunk not in split:
                split[chunk] = self._split(chunk, len(tokens))
            tokens += split[chunk]
        return tokens

    def _split(self, chunk: str, before: int) -> list[str]:
        """Return the tokens of `chunk`, which is text without spaces.

        Raises SequenceError with the number of the token in the whole sequence: `before` tokens precede the chunk.
        """
        index = self._index
        tokens = [chunk] if chunk in index else [*(chunk if self._single else self._pieces(chunk))]
        if self._caseless:
            tokens = [*map(str.lower, tokens)]
        unknown = next(filterfalse(index.__contains__, tokens), None)
        if unknown is not None:
            more = f" …, {len(self.alphabet):,} symbols" if len(self.alphabet) > LISTED else ""
            problem = f"{quoted(unknown)} is not in this model's alphabet ({self._listed}{more})"
            raise SequenceError(problem, before + tokens.index(unknown) + 1)
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
        """Return a mask `(T, …)` for `x` `(T, …, I)`, false at padding. Return None if the encoder has no padding."""
        return None if self.padding is None else np.asarray(x[..., self._index[self.padding]] != 1)

    def write(self, x: Array) -> str:
        """Return a sequence `(T, I)` as text. `tokens` and `encode` turn the text back into the sequence."""
        return " ".join(self.alphabet[i] for i in x.argmax(-1))

    def to_dict(self) -> dict[str, Any]:
        """Return the encoder as a dictionary for JSON."""
        return {"kind": "symbols", "alphabet": list(self.alphabet)} | padding_entry(self.padding)


@dataclass(frozen=True)
class Letters(Symbols):
    """An encoder for letters from a to z and for the words in the alphabet. Each letter or word is a timestep.

    Accents, hyphens, apostrophes and periods are ignored: "Müller" and "M u l l e r" are the same sequence.
    """

    @property
    def _single(self) -> bool:
        """True: a chunk of text that is not a known word is split into letters."""
        return True

    @property
    def hint(self) -> str:
        words = [symbol for symbol in self.alphabet if len(symbol) > 1]
        first = f"One of the words {' '.join(words)}, then letters" if words else "Letters"
        return f"{first} from a to z. Accents, hyphens and apostrophes are left out"

    def tokens(self, text: str) -> list[str]:
        """Split `text` into letters and known words. Raises SequenceError if a character is not a Latin letter."""
        return self._tokens(letters_of(text))

    def write(self, x: Array) -> str:
        """Return a sequence `(T, I)` as text. Timesteps that are all zero have no letter and are left out."""
        symbols = [self.alphabet[i] for i in x[x.any(-1)].argmax(-1)]
        return "".join(symbol if len(symbol) == 1 else f"{symbol} " for symbol in symbols).strip()

    def to_dict(self) -> dict[str, Any]:
        """Return the encoder as a dictionary for JSON."""
        return super().to_dict() | {"kind": "letters"}


SPELLED = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i",
    **dict.fromkeys("\ufeff'’‘-‐.", ""),
}  # fmt: skip
"""Spellings in letters from a to z, for letters that removing accents does not change; "" for ignored characters."""


def letters_of(text: str) -> str:
    """Convert `text` to lowercase, and remove accents, hyphens, apostrophes and periods."""
    small = text.lower()
    for letter in SPELLED.keys() & set(small):  # str.translate takes ten times as long
        small = small.replace(letter, SPELLED[letter])
    return "".join(filterfalse(unicodedata.combining, _normalize("NFD", small)))


@dataclass(frozen=True, eq=False)
class Embedded(Symbols):
    """An encoder for a large alphabet with an embedding: x_t is the row of the symbol in `table` `(A, I)`.

    With A symbols, one-hot inputs would need a W with A columns. With an embedding, the rows are only looked up.
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
        """Return a sequence `(T, I)` as text: for each timestep, the symbol with the nearest row of `table`."""
        return " ".join(self.alphabet[((self.table - row) ** 2).sum(1).argmin()] for row in x)

    def to_dict(self) -> dict[str, Any]:
        """Return the encoder as a dictionary for JSON, without the table."""
        return {"kind": "embedded", "alphabet": list(self.alphabet)} | padding_entry(self.padding)
