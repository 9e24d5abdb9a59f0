"""A task of your own: a table of sequences with an answer for each timestep, in CSV format.

    sequence,answers
    A m m B,A A A B
    B m,- B

Spaces separate timesteps, and "-" stands for no answer. A fifth of the sequences is held out; the seed decides which.
The score of a model is measured on the held-out sequences only.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array, Mask
from gru_core.encoders.symbols import Symbols
from gru_core.training.task import Batch, Random

MOST_BYTES, MOST_SEQUENCES, MOST_STEPS, MOST_SYMBOLS, MOST_LABELS, MOST_LETTERS = 131_072, 2_000, 64, 64, 32, 24
LEAST_SEQUENCES = 5
MOST_LINES = 10_000
"""The largest number of lines, including empty ones: twice the largest length of a series."""

MOST_KINDS = 8
UNASKED = "-"

Places = npt.NDArray[np.int8]
"""Indices into an alphabet or a list of labels, from 0. -1 stands for no entry."""


class TableError(ValueError):
    """The error for a table that cannot be read. If one row is wrong, the message has the row number, from 1."""


@dataclass(frozen=True)
class Table:
    """A task that is defined by a table.

    `steps` `(N, T)` are indices into the alphabet, -1 after the end of a sequence. `answers` `(N, T)` are indices into
    the labels, -1 for no answer. To save memory an index takes one byte, and only `batch` builds inputs `(T, B, I)`.
    """

    encoder: Symbols
    labels: tuple[str, ...]
    steps: Places
    answers: Places
    kind: Literal["softmax"] = "softmax"

    @property
    def nbytes(self) -> int:
        return self.steps.nbytes + self.answers.nbytes

    def text(self, row: int) -> str:
        """Return the sequence in a row as text."""
        return " ".join(self.encoder.alphabet[place] for place in self.steps[row] if place >= 0)

    def split(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the row numbers of the training sequences, and the row numbers of the held-out sequences."""
        N = len(self.steps)
        order = np.random.default_rng([seed, N]).permutation(N)
        held_out = max(1, N // 5)
        return order[held_out:], order[:held_out]

    def batch(self, rows: np.ndarray) -> Batch:
        """Return the sequences in these rows, with their answers."""
        x = (self.steps[rows].T[..., None] == np.arange(self.encoder.inputs)).astype(float)
        answers = self.answers[rows].T
        return Batch(x, np.maximum(answers, 0).astype(int), answers >= 0, self.events(x))

    def events(self, x: Array) -> dict[str, Mask]:
        """Return the timesteps of each kind as masks.

        Each symbol is a kind. If the table has more than MOST_KINDS symbols, there is only one kind. Timesteps
        after the end of a sequence belong to no kind.
        """
        if len(self.encoder.alphabet) > MOST_KINDS:
            return {"step": np.asarray(x.any(-1))}
        return {f"“{symbol}”": x[..., i] > 0 for i, symbol in enumerate(self.encoder.alphabet)}


@dataclass(frozen=True)
class Split:
    """A table as a task. The seed splits it into training sequences and held-out sequences."""

    table: Table
    seed: int

    @property
    def encoder(self) -> Symbols:
        return self.table.encoder

    @property
    def labels(self) -> tuple[str, ...]:
        return self.table.labels

    @property
    def kind(self) -> Literal["softmax"]:
        return self.table.kind

    def draw(self, rng: Random, T: int, B: int) -> Batch:
        """Return `B` training sequences, drawn with replacement. `T` has no effect: the table sets their length."""
        training_rows, _ = self.table.split(self.seed)
        return self.table.batch(rng.choice(training_rows, B))

    def held_out(self, rng: Random, T: int, B: int) -> Batch:
        """Return all held-out sequences. The arguments have no effect."""
        return self.table.batch(self.table.split(self.seed)[1])


def parse(text: str) -> list[tuple[int, list[str]]]:
    """Parse CSV, and return pairs of a line number and the cells of a row. Spaces around cells are removed.

    Raises TableError if `text` is not CSV, is too large or has characters that cannot be shown.
    """
    if len(text.encode()) > MOST_BYTES:
        raise TableError(f"the table is too large: at most {MOST_BYTES // 1024} KiB")
    lines = text.replace("\t", " ").splitlines()
    if len(lines) > MOST_LINES:
        raise TableError(f"the table has {len(lines):,} lines: at most {MOST_LINES:,}. Remove the empty ones")
    for number, line in enumerate(lines, 1):
        if not line.isprintable():
            raise TableError(f"line {number} has a character that cannot be shown")
    try:
        reader = csv.reader(io.StringIO(text), strict=True)
        return [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise TableError(f"this is not CSV: {error}") from error


def read(text: str) -> Table:
    """Parse a CSV table of sequences and answers. Raises TableError if `text` is no such table, or exceeds a limit."""
    rows = [row for _, row in parse(text) if any(row)]
    if rows and [cell.lower() for cell in rows[0]] == ["sequence", "answers"]:
        rows = rows[1:]
    if not LEAST_SEQUENCES <= len(rows) <= MOST_SEQUENCES:
        raise TableError(
            f"the table has {len(rows):,} sequences: from {LEAST_SEQUENCES} to {MOST_SEQUENCES:,} can be used"
        )
    pairs = [_pair(number, row) for number, row in enumerate(rows, 1)]
    symbols = _distinct([steps for steps, _ in pairs], "symbols", MOST_SYMBOLS)
    labels = _distinct([answers for _, answers in pairs], "different answers", MOST_LABELS, UNASKED)
    if len(labels) < 2:
        raise TableError("the table needs at least two different answers")
    T = max(len(steps) for steps, _ in pairs)
    steps = _indices([steps for steps, _ in pairs], T, symbols)
    answers = _indices([answers for _, answers in pairs], T, labels)
    has_answer = (answers >= 0).any(1)
    if not has_answer.all():
        raise TableError(f"sequence {int(np.flatnonzero(~has_answer)[0]) + 1} has no answer: give at least one")
    return Table(Symbols(symbols), labels, steps, answers)


def _indices(lists: Sequence[Sequence[str]], T: int, names: Sequence[str]) -> Places:
    """Return the index of each entry in `names`, `(N, T)`: -1 for an unknown entry, and after the end of a list."""
    index: Mapping[str, int] = {name: i for i, name in enumerate(names)}
    indices = np.full((len(lists), T), -1, np.int8)
    for row, entries in zip(indices, lists, strict=True):
        row[: len(entries)] = [index.get(entry, -1) for entry in entries]
    return indices


def _pair(number: int, row: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the timesteps and the answers of a row. Raises TableError if the row is malformed or exceeds a limit."""
    if len(row) != 2:
        raise TableError(f"sequence {number} has {len(row)} columns: there must be two, a sequence and its answers")
    steps, answers = row[0].split(), row[1].split()
    if not 1 <= len(steps) <= MOST_STEPS:
        raise TableError(f"sequence {number} has {len(steps)} timesteps: from 1 to {MOST_STEPS} can be used")
    if len(steps) != len(answers):
        raise TableError(
            f"sequence {number} has {len(steps)} steps and {len(answers)} answers: each step needs one, or -"
        )
    longest = max((*steps, *answers), key=len)
    if len(longest) > MOST_LETTERS:
        raise TableError(
            f"sequence {number} has a symbol or answer of {len(longest)} characters: at most {MOST_LETTERS}"
        )
    return steps, answers


def _distinct(lists: Sequence[Sequence[str]], what: str, most: int, ignored: str | None = None) -> tuple[str, ...]:
    distinct = sorted({entry for entries in lists for entry in entries} - {ignored})
    if len(distinct) > most:
        raise TableError(
            f"the table has {len(distinct)} {what}: at most {most}. A series of numbers must have one column only"
        )
    return tuple(distinct)
