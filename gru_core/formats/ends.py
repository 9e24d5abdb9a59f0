"""The two ends of an imported model: its encoder and its readout."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from gru_core.encoder import Encoder, Symbols, Vectors
from gru_core.formats.questions import FormatError, Option, Question, answer, shown
from gru_core.formats.weights import Dense, Embedding, FileLayer, numbers
from gru_core.model import Readout

MAX_LABEL = 64


def _check(what: str, names: Sequence[str], count: int) -> tuple[str, ...]:
    """Return the names. Raises FormatError if there are not `count` names, or if one is not short printable text.

    `what` describes the names in a message, such as "labels".
    """
    names = tuple(names)
    if len(names) != count:
        raise FormatError(f"{len(names)} {what} were given, but {count} are needed")
    for number, name in enumerate(names, 1):
        if not isinstance(name, str) or not name.strip() or len(name) > MAX_LABEL or not name.isprintable():
            raise FormatError(f"{what}, number {number}: each must be text of 1 to {MAX_LABEL} printable characters")
    return names


def encoder(
    cells: tuple[FileLayer, ...], embedding: Embedding | None, alphabet: Sequence[str] | None
) -> tuple[Encoder, tuple[FileLayer, ...], list[str]]:
    """Return the encoder, the cells, and sentences about them for the report.

    An embedding E is folded into the first cell: its W becomes W Eᵀ. Raises FormatError if the embedding or the
    alphabet does not fit.
    """
    inputs = cells[0].inputs
    size = inputs if embedding is None else len(embedding.table)
    if alphabet is not None:
        symbols = _check("symbols of the alphabet", alphabet, size)
        if len(set(symbols)) < size or any(re.search(r"\s", symbol) for symbol in symbols):
            raise FormatError("the symbols of the alphabet must differ and must not contain spaces")
    else:
        symbols = tuple(map(str, range(size)))
    if embedding is not None:
        name = shown(embedding.name)
        if size < 1:
            raise FormatError(f"the embedding {name} has no symbols")
        if embedding.table.shape[1] != inputs:
            width = embedding.table.shape[1]
            raise FormatError(f"the embedding {name} gives {width} numbers; the layer above it takes {inputs}")
        bottom, table = cells[0], numbers(embedding.name, embedding.table)
        W = bottom.W.astype(np.float64) @ table.astype(np.float64).T
        folded = replace(bottom, W=W.astype(np.result_type(bottom.W, table)))
        sentence = f"The embedding {name} is folded into W: {size} symbols instead of {inputs} numbers."
        if alphabet is None:
            sentence += " The file has no names for the symbols, so they are numbered from 0."
        return Symbols(symbols), (folded, *cells[1:]), [sentence]
    if alphabet is not None:
        return Symbols(symbols), cells, [f"Each of the {size} inputs is read as one symbol."]
    return Vectors(inputs), cells, [f"There is no embedding: a step is written as {inputs} number{'s' * (inputs > 1)}."]


def readout(
    dense: Dense | None,
    units: int,
    labels: Sequence[str] | None,
    answers: Mapping[str, str],
    dtype: np.dtype[np.floating],
) -> tuple[Readout, list[str]]:
    """Return the readout, and sentences about it for the report.

    If `dense` is None, the outputs are the states of the top layer. Raises FormatError if the linear layer or the
    labels do not fit.
    """
    if dense is None:
        names = _check("labels", labels, units) if labels is not None else tuple(f"h {i}" for i in range(1, units + 1))
        sentence = "There is no readout that can be shown, so the output is the state of the top layer."
        return Readout("linear", np.eye(units, dtype=dtype), np.zeros(units, dtype), names), [sentence]
    K = len(dense.V)
    if K < 1 or dense.V.shape[1] != units:
        needed = f"it needs {units} inputs"
        raise FormatError(f"the readout {shown(dense.name)} has {dense.V.shape[1]} inputs and {K:,} outputs; {needed}")
    names = _check("labels", labels, K) if labels is not None else tuple(f"y {i}" for i in range(1, K + 1))
    stored = (
        None if dense.activation is None else "softmax" if dense.activation in ("softmax", "log softmax") else "linear"
    )
    options = (Option("linear", "y = V h + c"), Option("softmax", "y = softmax(V h + c): probabilities"))
    kind = stored or "linear"
    if "readout" in answers:
        kind = answer(Question("readout", "Does a softmax follow V h + c?", options), answers)
    sentence = f"The linear layer {shown(dense.name)} is the readout, with {K} output{'s' * (K > 1)}"
    if dense.activation is None and "readout" not in answers:
        sentence += "; the file does not show whether a softmax follows, so y is V h + c without one"
    elif kind == "softmax":
        sentence += ", and a softmax"
    elif dense.activation not in ("linear", None):
        sentence += f"; y is the value before its {shown(dense.activation)}"
    V, c = (numbers(dense.name, array) for array in (dense.V, dense.c))
    V, c = (array.astype(np.result_type(dtype, V)) for array in (V, c))
    return Readout("softmax" if kind == "softmax" else "linear", V, c, names), [sentence + "."]
