"""Runs as files: CSV for spreadsheets, npz for NumPy, and pictures."""

from __future__ import annotations

import csv
import io
from collections.abc import Container, Iterable, Mapping
from typing import Any

import numpy as np

from gru_core import Trace
from gru_core.arrays import Array
from gru_core.runs.figures import fill, standalone

Place = tuple[int, int]
"""A layer and one of its units, both counted from 0."""


def as_csv(run: Trace, places: Container[Place] | None = None) -> str:
    """Return a run as CSV, one line per timestep: t, the input, x and y by label, and each signal of each unit.

    The names of columns are as in links: `z.1` is z of unit 1, `L2.z.1` the same in the second layer, and `twin.z.1`
    the same in the original run. Numbers have all digits, so reading them returns the same bits. With `places` only
    these units have columns.
    """
    tokens = run.tokens or [""] * len(run.h)
    columns: dict[str, Array] = _by_label("x", run.model.encoder.labels, run.layers[0].x)
    columns |= _states(run, places)
    if run.twin is not None:
        columns |= {f"twin.{name}": column for name, column in _states(run.twin, places).items()}
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["t", "input", *columns])
    values = np.column_stack(list(columns.values())).tolist()
    lines.writerows([t, token, *row] for t, (token, row) in enumerate(zip(tokens, values, strict=True), 1))
    return text.getvalue()


def _states(run: Trace, places: Container[Place] | None) -> dict[str, Array]:
    columns = _by_label("y", run.model.readout.labels, run.y)
    for i, layer in enumerate(run.layers):
        units = [unit for unit in range(layer.cell.units) if places is None or (i, unit) in places]
        for signal in layer.cell.signals:
            prefix = f"L{i + 1}.{signal}" if i else signal
            columns |= _by_label(prefix, [unit + 1 for unit in units], getattr(layer, signal)[:, units])
    return columns


def _by_label(prefix: str, labels: Iterable[object], values: Array) -> dict[str, Array]:
    return {f"{prefix}.{label}": column for label, column in zip(labels, values.T, strict=True)}


def rows_as_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows of a table as CSV. A column that a row does not have is empty in its line."""
    rows = list(rows)
    text = io.StringIO()
    lines = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    lines.writeheader()
    lines.writerows(rows)
    return text.getvalue()


def as_npz(run: Trace) -> bytes:
    """Return a run as an npz file, the same as `Trace.save` writes."""
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **run.arrays())
    return file.getvalue()


def as_picture(run: Trace, layer: int, title: str, format: str) -> bytes:
    """Return a picture of all signals of a layer as "svg" or "png".

    Raises ImportError, with the command that installs it, if kaleido is missing, and ValueError if it finds no browser.
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
