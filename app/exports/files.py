"""Runs as files: CSV for spreadsheets, npz for NumPy, and pictures."""

from __future__ import annotations

import csv
import io
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

import numpy as np

from gru_core import Trace
from gru_core.arrays import Array
from gru_core.runs.figures import fill, standalone

from ..runs.answers import to_json
from ..runs.large import likeliest_places
from ..runs.limits import MOST_OUTPUTS
from ..runs.linked import LinkedRun
from ..runs.run import is_large
from ..schemas import Content

Place = tuple[int, int]
"""A layer and one of its units, both counted from 0."""


CONTENTS: tuple[Content, ...] = get_args(Content)

LINES = 16
"""The number of timesteps in one piece of a CSV file."""


def content_of(run: LinkedRun, chosen: Content | None) -> Content:
    """Return `chosen`, or the default content of a file: "signals" for a large run, else "all"."""
    return chosen or ("signals" if is_large(run.start) else "all")


def as_csv(run: Trace, places: Container[Place] | None = None, content: Content = "all") -> Iterator[bytes]:
    """Yield a run as CSV in pieces.

    Each timestep has a line with t, the token, x and y by label, and every signal of every unit. With `places`, only
    these units have columns.

    Column names are as in links: `z.1` is z of unit 1, `L2.z.1` is z of unit 1 in the second layer, and `twin.z.1` is z
    of unit 1 in the twin. Numbers have all digits, so that a reader gets the same bits, in float64 or, if `content` is
    "signals", in float32.
    """
    tokens = run.tokens or [""] * len(run.h)
    columns: dict[str, Array] = _by_label("x", run.model.encoder.labels, run.layers[0].x)
    columns |= _states(run, places)
    if run.twin is not None:
        columns |= {f"twin.{name}": column for name, column in _states(run.twin, places).items()}
    yield _csv([["t", "input", *columns]])
    values = np.column_stack(list(columns.values())).astype(np.float32 if content == "signals" else float)
    for first in range(0, len(values), LINES):
        rows = zip(tokens[first : first + LINES], map(_digits, values[first : first + LINES]), strict=True)
        yield _csv([t, token, *row] for t, (token, row) in enumerate(rows, first + 1))


def _digits(row: Array) -> list[str]:
    """Return the numbers in a row as strings with as many digits as their dtype needs."""
    return to_json(row)[1:-1].decode().split(",") if row.size else []


def _csv(lines: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue().encode()


def _states(run: Trace, places: Container[Place] | None) -> dict[str, Array]:
    columns = _outputs(run)
    for i, layer in enumerate(run.layers):
        units = [unit for unit in range(layer.cell.units) if places is None or (i, unit) in places]
        for signal in layer.cell.signals:
            prefix = f"L{i + 1}.{signal}" if i else signal
            columns |= _by_label(prefix, [unit + 1 for unit in units], getattr(layer, signal)[:, units])
    return columns


def _outputs(run: Trace) -> dict[str, Array]:
    """Return the outputs by label. If there are too many, include only outputs that `likeliest_places` lists."""
    labels, y = run.model.readout.labels, run.y
    if len(labels) > MOST_OUTPUTS:
        places = np.unique(likeliest_places(run.model.readout, y))
        labels, y = tuple(labels[place] for place in places), y[:, places]
    return _by_label("y", labels, y)


def _by_label(prefix: str, labels: Iterable[object], values: Array) -> dict[str, Array]:
    return {f"{prefix}.{label}": column for label, column in zip(labels, values.T, strict=True)}


def rows_as_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the rows of a table as CSV. If a row has no value for a column, the cell is empty."""
    rows = list(rows)
    text = io.StringIO()
    lines = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    lines.writeheader()
    lines.writerows(rows)
    return text.getvalue()


def as_npz(run: Trace, content: Content = "all") -> bytes:
    """Return a run as an npz file.

    The file has the arrays that `Trace.save` writes. If `content` is "signals", the arrays are float32, and the layers
    have only their signals.
    """
    arrays = run.arrays()
    if content == "signals":
        signals = {name for layer in run.layers for name in layer.cell.signals}
        arrays = {
            name: array.astype(np.float32) if array.dtype.kind == "f" else array
            for name, array in arrays.items()
            if "layers." not in name or name.rpartition(".")[2] in signals
        }
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def as_picture(run: Trace, layer: int, title: str, format: str) -> bytes:
    """Return a picture of all signals in a layer. `format` is "svg", "png" or "pdf".

    Raises ImportError, with the command to install kaleido, if kaleido is missing. Raises ValueError if kaleido cannot
    draw the picture, for example without a browser.
    """
    try:
        import kaleido  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "pictures need kaleido (pip install 'gruscope[pictures]') and a Chrome or Chromium that kaleido can use. "
            "Without them, Export on the page makes pictures in your browser"
        ) from error
    layer_run = run.layers[layer]
    figure = fill(standalone(layer_run.cell.signals, "light"), layer_run, run.tokens, title)
    try:
        content: bytes = figure.to_image(format=format, scale=2 if format == "png" else 1)
    except RuntimeError as error:
        raise ValueError(f"kaleido could not draw the picture: {str(error).strip().splitlines()[0]}") from error
    return content
