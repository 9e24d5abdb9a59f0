"""Sequences of vectors in files: .npy, .npz and CSV, with a row for each timestep and a column for each input."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gru_core.encoder import Encoder
from gru_core.encoders.tokens import LARGEST
from gru_core.encoders.vectors import Scaled, Vectors
from gru_core.formats import npz
from gru_core.formats.padding import counted
from gru_core.formats.questions import FormatError, shown
from gru_core.numerals import decimal

ENDINGS = (".npy", ".npz", ".csv")
"""The file extensions of files with vectors."""


class VectorFile(NamedTuple):
    """The text of a sequence of vectors, and the number of timesteps that the file's `lengths` or `mask` exclude."""

    text: str
    excluded: int = 0

    @property
    def note(self) -> str:
        """A sentence about the excluded timesteps, or "" if there are none."""
        if not self.excluded:
            return ""
        T = self.excluded + self.text.count(" ") + 1
        return f"{self.excluded:,} of {T:,} timesteps are left out, because the lengths or the mask exclude them."


def read_vectors(data: bytes, name: str, encoder: Encoder, most: int | None = None) -> VectorFile:
    """Return the sequence in the file `name`, for the `encoder` of a model that reads vectors.

    An .npy file has an array (T, I), or (T,) for a model with one input. An .npz file has such an array as `x`, or as
    its only array. Timesteps that the `lengths` or the `mask` in the file exclude are left out. The values at
    the remaining timesteps stay the same, because a network keeps its state at a timestep that it skips. A CSV file
    has a line for each timestep. A header line with a name for each column is ignored. The text has every digit.

    Raises FormatError if the model cannot read the numbers, with the row and the column counted from 1, or if the file
    has more than `most` timesteps.
    """
    if not isinstance(encoder, Vectors):
        raise FormatError("this model does not read vectors: type its sequence")
    if name.lower().endswith(".csv"):
        return VectorFile(_of_csv(data, encoder.inputs, most))
    arrays = _arrays(data, name)
    x = arrays["x"]
    if x.dtype.kind not in "fiub":
        raise FormatError(f"{shown(name)} has no numbers, but {x.dtype}")
    if x.ndim == 1 and encoder.inputs == 1:
        x = x[:, None]
    if x.ndim == 3 and x.shape[1] == 1:
        x = x[:, 0]
    if x.ndim != 2 or x.shape[1] != encoder.inputs:
        shape = " × ".join(map(str, x.shape)) or "no axis"
        batch = ". For several sequences use gruscope census, or save one of them" * (x.ndim == 3)
        needed = f"this model needs T × {encoder.inputs}: a row for each timestep"
        raise FormatError(f"the array is {shape}; {needed}{batch}")
    counts = counted((len(x), 1), arrays, shown(name))[:, 0]
    x = x[counts]
    _check_length(len(x), most)
    wrong = ~(np.abs(x.astype(float)) <= LARGEST)
    if wrong.any():
        row, column = np.argwhere(wrong)[0].tolist()
        raise FormatError(_refusal(str(x[row, column]), row + 1, column + 1))
    return VectorFile(_digits(x), int((~counts).sum()))


def exact_text(encoder: Vectors, x: npt.NDArray[Any]) -> str:
    """Return the inputs `x` (T, I) as text with every digit. `encoder.write` rounds them instead.

    Raises FormatError if there is no timestep.
    """
    return _digits(encoder.numbers(x) if isinstance(encoder, Scaled) else x)


def _digits(x: npt.NDArray[Any]) -> str:
    """Return numbers (T, I) as text, with every digit of their type, and with 0 for −0."""
    return _text([list(map(str, row)) for row in (x + 0).astype(x.dtype if x.dtype.kind == "f" else float)])


def _arrays(data: bytes, name: str) -> Mapping[str, npt.NDArray[Any]]:
    """Return the file's arrays by name, with the sequence as `x`. Raises FormatError if there is no sequence."""
    if data.startswith(b"\x93NUMPY"):
        return {"x": npz.npy(name, data)}
    if not data.startswith(b"PK"):
        raise FormatError(f"{shown(name)} is no file with vectors: .npy, .npz or .csv")
    arrays = npz.arrays(data)
    if "x" not in arrays and len(arrays) > 1:
        raise FormatError(f"{shown(name)} has {len(arrays)} arrays: name the sequence x")
    return arrays if "x" in arrays else {"x": next(iter(arrays.values()))}


def _of_csv(data: bytes, inputs: int, most: int | None) -> str:
    try:
        text = data.decode("utf-8-sig").replace("\N{MINUS SIGN}", "-")
        lines = {n: line for n, line in enumerate(text.splitlines(), 1) if line.strip()}
        _check_length(len(lines) - 1, most)  # one line may have the names of the columns
        first = next(iter(lines.values()), "")
        separator = "\t" if "\t" in first else ";" if ";" in first else ","
        cells = csv.reader(lines.values(), delimiter=separator)
        rows = [(n, [cell.strip() for cell in row]) for n, row in zip(lines, cells, strict=False)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError("the CSV file cannot be read as text: save it as UTF-8") from error
    rows = [(n, row) for n, row in rows if any(row)]
    if rows and all(decimal(cell) is None for cell in rows[0][1]):
        rows = rows[1:]  # the names of the columns
    _check_length(len(rows), most)
    for n, row in rows:
        if len(row) != inputs:
            raise FormatError(f"row {n} has {len(row)} columns, but this model reads {inputs} numbers at each timestep")
        for column, cell in enumerate(row, 1):
            value = decimal(cell)
            if value is None or not abs(value) <= LARGEST:
                raise FormatError(_refusal(cell, n, column))
    return _text([row for _, row in rows])


def _check_length(T: int, most: int | None) -> None:
    if most is not None and most < T:
        raise FormatError(f"the file has {T:,} timesteps; at most {most:,} can be shown")


def _refusal(cell: str, row: int, column: int) -> str:
    return f"row {row}, column {column}: {shown(cell)} is not a number from -{LARGEST:,.0f} to {LARGEST:,.0f}"


def _text(rows: list[list[str]]) -> str:
    if not rows:
        raise FormatError("the file has no rows of numbers: write one for each timestep")
    return " ".join(",".join(row) for row in rows)
