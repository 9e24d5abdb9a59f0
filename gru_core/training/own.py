"""A task of your own, in CSV format: a table of sequences with answers (see `table`), or a series.

A series is one column of numbers in the order of time. The first row can have a name instead of a number.

    temperature
    12.5
    13.1

The last fifth of the numbers is held out. The network reads and forecasts standardized numbers: over the training part
they have mean 0 and standard deviation 1, up to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gru_core.arrays import Array
from gru_core.encoders.tokens import LARGEST
from gru_core.encoders.vectors import Scaled
from gru_core.numerals import decimal
from gru_core.training.series import Series, next_number
from gru_core.training.table import MOST_LETTERS, Table, TableError, parse
from gru_core.training.table import read as read_table
from gru_core.training.task import Task

LEAST_NUMBERS, MOST_NUMBERS = 100, 5_000
LEAST_SPREAD = 1e-3
"""The smallest standard deviation that is allowed, since numbers are written with at most six decimals."""

EXAMPLE = 45
"""The number of timesteps in an example."""


@dataclass(frozen=True, eq=False)
class Column:
    """A visitor's series: its `name`, "" if it has none, and its `numbers` `(N,)` in the order of time."""

    name: str
    numbers: Array

    @property
    def nbytes(self) -> int:
        return 2 * self.numbers.nbytes  # the numbers, and the standardized numbers

    @property
    def training(self) -> int:
        """The length of the training part. All later numbers are held out."""
        return len(self.numbers) - len(self.numbers) // 5

    @cached_property
    def encoder(self) -> Scaled:
        """The encoder. It standardizes with the mean and scale of the training part, both with about four digits."""
        known = self.numbers[: self.training]
        scale = float(f"{known.std():.4g}")
        shift = round(float(known.mean()), 3 - math.floor(math.log10(scale)))
        return Scaled(1, scale=scale, shift=shift, unit=self.name or "the series")

    @cached_property
    def task(self) -> Task:
        encoder = self.encoder
        series = Series((self.numbers - encoder.shift) / encoder.scale, self.training)
        label = f"next {encoder.scaled(encoder.unit)}"
        return Task(encoder, "linear", (label,), series.windows, next_number, {}, "timestep", series)

    @property
    def examples(self) -> tuple[str, ...]:
        """Three examples as text: the last numbers, the first held-out numbers, and the first numbers."""
        parts = (self.numbers[-EXAMPLE:], self.numbers[self.training :][:EXAMPLE], self.numbers[:EXAMPLE])
        encoder = self.encoder
        return tuple(encoder.write((part[:, None] - encoder.shift) / encoder.scale) for part in parts)


def read(text: str) -> Table | Column:
    """Parse CSV, and return a table or a series. Raises TableError if `text` is neither, or exceeds a limit."""
    rows = parse(text)
    if not any(any(cells) for _, cells in rows) or any(len(cells) > 1 for _, cells in rows):
        return read_table(text)
    return _column([(line, cells[0] if cells else "") for line, cells in rows])


def _column(cells: Sequence[tuple[int, str]]) -> Column:
    """Return the series in `cells`, which are pairs of a line number and a cell. Raises TableError for a bad series."""
    first, last = (next(i for i, (_, cell) in enumerate(each) if cell) for each in (cells, cells[::-1]))
    cells = cells[first : len(cells) - last]
    name = "" if decimal(_ascii(cells[0][1])) is not None else cells[0][1]
    if len(name) > MOST_LETTERS:
        raise TableError(f"the name of the series has {len(name)} characters: use at most {MOST_LETTERS}")
    numbers = np.array([_number(line, cell) for line, cell in (cells[1:] if name else cells)])
    if not LEAST_NUMBERS <= len(numbers) <= MOST_NUMBERS:
        raise TableError(
            f"the series has {len(numbers):,} numbers: from {LEAST_NUMBERS} to {MOST_NUMBERS:,} can be used"
        )
    column = Column(name, numbers)
    if numbers[: column.training].std() < LEAST_SPREAD:
        raise TableError(
            f"the first {column.training:,} numbers, the training part, hardly differ (standard deviation below "
            f"{LEAST_SPREAD:g}): multiply all numbers by 1,000, or use another series"
        )
    return column


def _number(line: int, cell: str) -> float:
    """Return the number in a cell. Raises TableError if the cell has no number, or one that is too large."""
    if not cell:
        raise TableError(f"row {line} is empty: write a number, or remove the row")
    value = decimal(_ascii(cell))
    if value is None:
        shown = f"{cell[:12]}…" if len(cell) > 12 else cell
        raise TableError(
            f"row {line}: '{shown}' is not a number: in a series each row has one number, such as 12.5. "
            "In a table each row needs answers in a second column"
        )
    if abs(value) > LARGEST:
        raise TableError(f"row {line}: the number is above {LARGEST:,.0f}: divide all numbers by 1,000 or more")
    return value


def _ascii(cell: str) -> str:
    """Return a cell with each typographic minus sign replaced by a hyphen."""
    return cell.replace("\N{MINUS SIGN}", "-")
