"""The census of a model's units for a page or a command: the sequences, the labels, and what each unit does."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np

import gru_core
from gru_core import Model, SequenceError
from gru_core.encoders.vectors import Vectors
from gru_core.formats import FormatError, npz
from gru_core.formats.padding import counted
from gru_core.formats.vectors import exact_text
from gru_core.numerals import decimal
from gru_core.presets.recipes import held_out
from gru_core.runs.census import Labels, Unit
from gru_core.training.tasks import task_of

from .. import models
from ..errors import Refused
from ..schemas import CensusBody
from ..server.budget import spend
from ..settings import Settings
from .limits import MOST_COUNTED, MOST_LINES

UNLIMITED = "The command gruscope census has no such limit"


@dataclass(frozen=True)
class Data:
    """Sequences, their labels or None, and a description of their source."""

    sequences: Sequence[Any]
    labels: Labels | None
    source: str


def held_out_data(model: Model, most: int | None = None) -> Data:
    """Return at most `most` held-out sequences of the model's task, with the correct outputs as labels.

    Raises ValueError if the model has no built-in task.
    """
    batch, task = held_out(model), task_of(model)
    if batch is None or task is None:
        raise ValueError("this model has no built-in task: give a file of sequences")
    labels: Any = [
        [(task.labels[int(k)] if task.kind == "softmax" else float(k)) if counts else None
         for k, counts in zip(*columns, strict=True)]
        for columns in zip(batch.target.T[:most], batch.scored.T[:most], strict=True)
    ]  # fmt: skip
    texts = [model.encoder.write(x) for x in batch.x.swapaxes(0, 1)[:most]]
    # Names are padded to the length of the longest one. The text of a shorter name has fewer timesteps.
    labels = [row[: len(model.encoder.tokens(text))] for text, row in zip(texts, labels, strict=True)]
    return Data(texts, labels, "held-out sequences")


def read_data(text: str, table: bool, model: Model | None = None, most: int | None = None) -> Data:
    """Parse sequences, one per line of `text`. A tab and labels can follow each sequence.

    If `table` is true, `text` is CSV with a column of sequences and optionally a column of labels. A line has one label
    for its sequence or one label for each timestep, and - stands for no label. With a `model`, the tokens are checked
    against its alphabet. Raises ValueError, which names the line, if `text` is not valid or has more than `most` lines.
    """
    lines = text.lstrip("\ufeff").splitlines()
    if most is not None and most < len(lines):
        raise ValueError(f"the text has {len(lines):,} lines; here at most {most:,} fit. {UNLIMITED}")
    rows = list(enumerate(csv.reader(lines) if table else (line.split("\t") for line in lines), 1))
    rows = [(n, row) for n, row in rows if any(cell.strip() for cell in row)]
    if table and rows and rows[0][1][0].strip().lower() == "sequence":
        rows = rows[1:]
    if not rows:
        raise ValueError("there are no sequences: write one in each line" + ", and then its labels" * table)
    width = len(rows[0][1])
    for n, row in rows:
        if len(row) != width or width > 2:
            raise ValueError(f"line {n}: there must be two columns in every line, a sequence and its labels")
    labels = [_labels(row[1]) for _, row in rows] if width == 2 else None
    for (n, row), label in zip(rows, labels or [None] * len(rows), strict=True) if model else ():
        assert model is not None
        try:
            T = len(model.encoder.tokens(row[0]))
        except SequenceError as error:
            raise ValueError(f"line {n}: {error}") from error
        if not T:
            raise ValueError(f"line {n}: the sequence is empty")
        if isinstance(label, list) and len(label) != T:
            raise ValueError(f"line {n}: the sequence has {T} timesteps, but {len(label)} labels: give one for each")
    return Data([row[0] for _, row in rows], labels, "sequences")


def read_arrays(content: bytes, name: str) -> Data:
    """Parse an .npz file with the array `x` (T, B, I), the inputs of B sequences, and return the sequences.

    Optional arrays are `lengths` (B,) or `mask` (T, B), and `labels` (B,) or (T, B). Error messages call the file
    `name`. Raises FormatError, a ValueError, if the file is not valid.
    """
    arrays = npz.arrays(content)
    x = np.asarray(arrays.get("x", ()))
    if x.ndim != 3 or not x.size or x.dtype.kind not in "fiub":
        raise FormatError(f"{name} needs an array x (T, B, I) of numbers: T timesteps of B sequences")
    T, B = x.shape[:2]
    counts = counted((T, B), arrays, name).T
    if not counts.any(1).all():
        raise FormatError(f"mask in {name} leaves no timestep of sequence {int(counts.any(1).argmin()) + 1}")
    given = arrays.get("labels")
    if given is not None and given.shape not in ((B,), (T, B)):
        raise FormatError(f"labels in {name} must be ({B},) or ({T}, {B}): one for each sequence, or for each timestep")
    labels: Any = None
    if given is not None:
        labels = [given[count, b].tolist() for b, count in enumerate(counts)] if given.ndim == 2 else given.tolist()
    return Data([x[count, b] for b, count in enumerate(counts)], labels, "sequences")


def _labels(cell: str) -> Any:
    """Return the label in a table cell, or a list with a label for each timestep."""
    names = [None if name == "-" else name for name in cell.split()]
    return names[0] if len(names) == 1 else names or None


def labels_between(labels: Labels | None, chosen: tuple[str, str] | None) -> tuple[tuple[str, str] | None, list[str]]:
    """Return the two labels that units should separate, and the list of unused labels.

    If `chosen` is None, these are the two most frequent labels. Without `labels`, return `chosen` and an empty list.
    Raises ValueError if there is only one label.
    """
    if labels is None or chosen is not None:
        return chosen, []
    common = [name for name, _ in Counter(_flat(labels)).most_common()]
    if len(common) < 2:
        raise ValueError("the sequences have only one label: a unit separates two")
    first, second = sorted(common[:2])
    return (first, second), common[2:]


def targets_of(labels: Labels | None) -> list[Any] | None:
    """Return the labels as numbers, for a correlation. Return None unless there are three or more different numbers."""
    if not isinstance(labels, list):
        return None
    names = set(_flat(labels))
    numbers = {name: decimal(name) for name in names}
    if len(names) < 3 or None in numbers.values():
        return None
    return [
        [None if name is None else numbers[str(name)] for name in label]
        if isinstance(label, list)
        else (None if label is None else numbers[str(label)])
        for label in labels
    ]


def _flat(labels: Iterable[Any]) -> Iterable[str]:
    for label in labels:
        if isinstance(label, list):
            yield from _flat(label)
        elif label is not None:
            yield str(label)


class GateRow(TypedDict):
    """The mean of a unit's gate, and the shares of timesteps at which it is closed and open."""

    mean: float
    closed: float
    open: float


class MomentRow(TypedDict):
    """A moment that shows what a unit does: a timestep `t` of the sequence with the key `text` in `texts`."""

    text: str
    t: int


class UnitRow(TypedDict):
    """The census of a unit: see `gru_core.runs.census.Unit`. Layers, units and timesteps count from 1."""

    layer: int
    unit: int
    gates: dict[str, GateRow]
    lowest: float
    highest: float
    dead: bool
    half_life: float | None
    longest_half_life: float | None
    auc: float | None
    correlation: float | None
    moments: dict[str, MomentRow]


class CensusAnswer(TypedDict):
    """The census of a model. `texts` has the sequences of the moments by number. `others` has the unused labels."""

    sequences: int
    source: str
    steps: int
    labels: tuple[str, str] | None
    others: list[str]
    units: list[UnitRow]
    texts: dict[str, str]


def answer(body: CensusBody, settings: Settings, file: bytes | None = None) -> CensusAnswer:
    """Return the census that a page asks for. If there is a `file`, its arrays are the sequences.

    Raises Refused if the sequences are not valid or too large.
    """
    model = models.get(body.model, settings)
    try:
        data = _data(model, body, settings, file)
        chosen = None if body.between is None else (body.between[0], body.between[1])
        targets = None if chosen else targets_of(data.labels)
        between, others = (None, []) if targets else labels_between(data.labels, chosen)
        census = gru_core.census(model, data.sequences, data.labels if between else None, between, targets)
        shown = {moment.sequence for unit in census for moment in unit.moments.values()}
        texts = {str(n): _text(model, data.sequences[n], n) for n in sorted(shown)}
    except ValueError as error:
        raise Refused(422, "census", str(error), "text" if file is None else "body") from error
    return {
        "sequences": len(data.sequences),
        "source": data.source,
        "steps": census.steps,
        "labels": census.labels,
        "others": others[:64],
        "units": [_row(unit) for unit in census],
        "texts": texts,
    }


def _data(model: Model, body: CensusBody, settings: Settings, file: bytes | None) -> Data:
    """Return the sequences, and charge their run to the request. Use only the first held-out sequences that fit.

    Raises ValueError if the sequences in the body or in the file are not valid or too large.
    """
    units = sum(cell.units for cell in model.layers)
    if file is not None:
        data = read_arrays(file, "the file")
        lengths = list(map(len, data.sequences))
    elif body.text is not None:
        data = read_data(body.text, body.table, model, MOST_LINES)
        lengths = [len(model.encoder.tokens(text)) for text in data.sequences]
    else:
        data = held_out_data(model)
        T = len(model.encoder.tokens(data.sequences[0]))
        data = held_out_data(model, max(1, MOST_COUNTED // (units * T)))
        spend(units * T * len(data.sequences))
        return data
    if max(lengths) > settings.max_steps:
        n = lengths.index(max(lengths)) + 1
        raise ValueError(f"sequence {n} has {max(lengths):,} timesteps; at most {settings.max_steps:,} are allowed")
    if units * sum(lengths) > MOST_COUNTED:
        most = MOST_COUNTED // units
        message = f"the sequences have {sum(lengths):,} timesteps; here at most {most:,} fit for a model of this size"
        raise ValueError(f"{message}. {UNLIMITED}")
    spend(units * sum(lengths))
    return data


def _text(model: Model, sequence: Any, n: int) -> str:
    """Return sequence number `n`, counted from 0, as text that a page can show and run.

    Raises ValueError if the model's encoder cannot produce these inputs from text.
    """
    if isinstance(sequence, str):
        return sequence
    encoder = model.encoder
    text = exact_text(encoder, sequence) if isinstance(encoder, Vectors) else encoder.write(sequence)
    tokens = encoder.tokens(text)
    if len(tokens) != len(sequence) or not np.allclose(encoder.encode(tokens), sequence, rtol=1e-6):
        raise ValueError(
            f"sequence {n + 1}: its inputs are not symbols of this model's alphabet, so the page cannot show them. "
            "The command gruscope census takes any numbers"
        )
    return text


def _row(unit: Unit) -> UnitRow:
    return {
        "layer": unit.layer + 1,
        "unit": unit.unit + 1,
        "gates": {
            gate: {"mean": mean, "closed": unit.closed[gate], "open": unit.open[gate]}
            for gate, mean in unit.means.items()
        },
        "lowest": unit.lowest,
        "highest": unit.highest,
        "dead": unit.dead,
        "half_life": unit.half_life,
        "longest_half_life": unit.longest_half_life,
        "auc": unit.auc,
        "correlation": unit.correlation,
        "moments": {name: {"text": str(m.sequence), "t": m.t + 1} for name, m in unit.moments.items()},
    }
