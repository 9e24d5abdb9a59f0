"""The two ends of an imported model: its encoder and its readout."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from gru_core.encoder import Encoder
from gru_core.encoders.symbols import Embedded, Symbols
from gru_core.encoders.vectors import Vectors
from gru_core.formats.questions import FormatError, Option, Question, answer, shown
from gru_core.formats.weights import Dense, Embedding, FileLayer, numbers
from gru_core.model import Readout

MAX_LABEL = 64

FOLDED = 1_024
"""The largest number of symbols of an embedding that is folded into W. In a larger embedding, rows are looked up."""

PICTURES = {" ": "␣", "\n": "↵", "\r": "␍", "\t": "⇥", "\v": "␋", "\f": "␌", "\0": "␀", "\xa0": "⍽"}
"""Visible characters for white space in alphabets and sequences."""

_INVISIBLE = {ord(character): picture for character, picture in PICTURES.items() if character != " "}

JOINERS = "\u200c\u200d"
"""Zero-width characters that occur inside words of some scripts and inside emoji."""


def _check(what: str, names: Sequence[str], count: int) -> tuple[str, ...]:
    """Validate names. Return them without byte-order marks, and with invisible white space replaced by `PICTURES`.

    Raises FormatError if there are not `count` names, or if one is not short printable text. `what` describes the
    names in a message, such as "labels".
    """
    names = tuple(names)
    if len(names) != count:
        raise FormatError(f"{len(names):,} {what} were given, but {count:,} are needed")
    return tuple(_name(f"{what}, number {number:,}", name) for number, name in enumerate(names, 1))


def _name(place: str, name: str) -> str:
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_LABEL:
        empty = ". Write [PAD] for the empty word of a vocabulary" * (name == "")
        raise FormatError(f"{place}: each must be text of 1 to {MAX_LABEL} characters{empty}")
    name = name.lstrip("\ufeff") or name
    written = name.translate(_INVISIBLE if name.strip() else _INVISIBLE | {ord(" "): PICTURES[" "]})
    for c in () if written.isprintable() else written:
        if not c.isprintable() and c not in (JOINERS if len(written) > 1 else ""):
            raise FormatError(
                f"{place} has the invisible character U+{ord(c):04X}: leave it out, or write another name for it, "
                f"such as <{unicodedata.name(c, 'control').lower().replace(' ', '-')}>"
            )
    return written


def _symbols(names: Sequence[str], count: int) -> tuple[str, ...]:
    """Return the symbols of an alphabet as they are written in a sequence, where spaces separate them."""
    symbols = tuple(
        "".join(PICTURES.get(c, "␣" if c.isspace() else c) for c in name)
        for name in _check("symbols of the alphabet", names, count)
    )
    for symbol, times in Counter(symbols).items():
        if times > 1:
            raise FormatError(f"the symbols of the alphabet must differ, but {shown(symbol)} is there {times} times")
    return symbols


def encoder(
    cells: tuple[FileLayer, ...],
    embedding: Embedding | None,
    alphabet: Sequence[str] | None,
    padding: float | None = None,
) -> tuple[Encoder, tuple[FileLayer, ...], list[str]]:
    """Return the encoder, the cells, and sentences about them for the report.

    An embedding E is folded into the first cell: its W becomes W Eᵀ. `padding` is the number of the symbol, or the
    value of all inputs, at which the network skips a timestep. Raises FormatError if the embedding or the alphabet does
    not fit.
    """
    inputs = cells[0].inputs
    size = inputs if embedding is None else len(embedding.table)
    if embedding is None and alphabet is None:
        sentence = f"There is no embedding: a step is written as {inputs} number{'s' * (inputs > 1)}."
        return Vectors(inputs, padding), cells, [sentence, *_skips(f"if all its numbers are {padding}", padding)]
    symbols = _symbols(_file_names(embedding, size) if alphabet is None else alphabet, size)
    written = {name: symbol for name, symbol in zip(alphabet or (), symbols, strict=False) if name != symbol}
    notes = [
        f"The symbol {', '.join(f'U+{ord(c):04X}' for c in name[:4])} is written {symbol} in a sequence."
        for name, symbol in list(written.items())[:4]
    ]
    if embedding is not None:
        name = shown(embedding.name)
        if size < 1:
            raise FormatError(f"the embedding {name} has no symbols")
        if embedding.table.shape[1] != inputs:
            width = embedding.table.shape[1]
            raise FormatError(f"the embedding {name} gives {width} numbers; the layer above it takes {inputs}")
        bottom, table = cells[0], numbers(embedding.name, embedding.table)
        numbered = ""
        if alphabet is None and embedding.symbols:
            numbered = " They have the names of the vocabulary in the file."
        elif alphabet is None:
            numbered = " The file has no names for the symbols, so they are numbered from 0."
        blank = None if padding is None else symbols[int(padding)]
        notes += _skips(f"with the symbol {blank}", padding)
        if size > FOLDED:
            sentence = f"The embedding {name} has {size:,} symbols, each a vector of {inputs} numbers.{numbered}"
            return Embedded(symbols, table, padding=blank), cells, [sentence, *notes]
        W = bottom.W.astype(np.float64) @ table.astype(np.float64).T
        folded = replace(bottom, W=W.astype(np.result_type(bottom.W, table)))
        sentence = f"The embedding {name} is folded into W: {size} symbols instead of {inputs} numbers.{numbered}"
        return Symbols(symbols, padding=blank), (folded, *cells[1:]), [sentence, *notes]
    return Symbols(symbols), cells, [f"Each of the {size} inputs is read as one symbol.", *notes]


def _file_names(embedding: Embedding | None, size: int) -> list[str]:
    """Return the symbols' names from the file. A symbol without a usable name gets its number as the name."""
    names = list(map(str, range(size)))
    taken = set(names)
    for i, name in enumerate(() if embedding is None else embedding.symbols[:size]):
        if 0 < len(name) <= MAX_LABEL and name.isprintable() and not re.search(r"\s", name) and name not in taken:
            taken.remove(names[i])
            taken.add(name)
            names[i] = name
    return names


def _skips(which: str, padding: float | None) -> list[str]:
    """Return a list with one sentence about the timesteps that a mask skips. Without a mask, the list is empty."""
    return [] if padding is None else [f"A mask skips a timestep {which}: the state stays as it was."]


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
        sentence += (
            "; the file does not show whether a softmax follows, so y is V h + c without one. It also does not show "
            "whether the network pools the states or takes only the last one first; here y is computed at each timestep"
        )
    elif kind == "softmax":
        sentence += ", and a softmax"
    elif dense.activation not in ("linear", None):
        sentence += f"; y is the value before its {shown(dense.activation)}"
    V, c = (numbers(dense.name, array) for array in (dense.V, dense.c))
    V, c = (array.astype(np.result_type(dtype, V)) for array in (V, c))
    return Readout("softmax" if kind == "softmax" else "linear", V, c, names), [sentence + "."]
