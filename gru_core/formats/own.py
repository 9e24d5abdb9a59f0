"""GRU Scope's own files, written by `Model.save`. They are untrusted: anybody can write such a file."""

from __future__ import annotations

from typing import Any, get_args

from gru_core.card import Origin
from gru_core.cells.gru import GRU
from gru_core.encoders.symbols import Symbols
from gru_core.formats.ends import MAX_LABEL
from gru_core.formats.imported import Imported
from gru_core.formats.names import Arrays
from gru_core.formats.questions import FormatError
from gru_core.formats.weights import (
    BLOCKS,
    Convention,
    FileLayer,
    known,
    numbers,
)
from gru_core.model import Model, from_parts

MAX_TEXT = 4_000
LARGEST_FIGURE = 1e15
MOST_REGRESSIONS, MOST_WEIGHTS = 4, 65


def read(arrays: Arrays, content: str) -> Imported:
    """Build the model from its arrays and `content`, its JSON metadata.

    Raises FormatError if the model is incomplete, damaged or too large.
    """
    try:
        model = from_parts({name: numbers(name, array) for name, array in arrays.items()}, content)
        _check(model)
    except FormatError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, OverflowError) as error:
        raise FormatError("this looks like a GRU Scope model, but it is incomplete or damaged") from error
    layers = f"{len(model.layers)} layer{'s' * (len(model.layers) > 1)}"
    kinds = " and ".join(dict.fromkeys(cell.kind for cell in model.layers))
    sentence = f"A GRU Scope model, {model.card.weights}: {layers}, {kinds}."
    resets = {cell.reset for cell in model.layers if isinstance(cell, GRU)}
    order = BLOCKS[len(model.layers[0].gates)] if known(model.layers) else ""
    convention = Convention(order, "after" if "after" in resets else "before")
    if model.is_bidirectional:
        return Imported(model, (sentence,), "GRU Scope", convention, (), "both")
    cells = tuple(FileLayer.from_core(cell, convention) for cell in model.layers) if order else ()
    return Imported(model, (sentence,), "GRU Scope", convention, cells)


def _check(model: Model) -> None:
    """Raise FormatError if parts do not fit together, if a part is too large, or if the model cannot be shown."""
    sizes = [model.encoder.inputs, *(cell.units for cell in model.layers)]
    if not model.layers or min(sizes) < 1:
        raise FormatError("this GRU Scope model has no layers, or a layer without units or inputs")
    if [cell.inputs for cell in model.layers] != sizes[:-1]:
        raise FormatError("the layers of this GRU Scope model do not fit one another")
    readout, card = model.readout, model.card
    K = len(readout.labels)
    if readout.product and 2 * model.layers[-1].backward_units != sizes[-1]:
        raise FormatError("the readout of this GRU Scope model needs two directions with the same number of units")
    read = sizes[-1] // 2 if readout.product else sizes[-1]
    if readout.kind not in ("softmax", "linear") or readout.V.shape != (K, read) or readout.c.shape != (K,):
        raise FormatError("the readout of this GRU Scope model does not fit its layers")
    if K < 1 or card.weights not in get_args(Origin):
        raise FormatError("this GRU Scope model needs outputs, and a card that says where its weights come from")
    words = [card.title, card.task, card.about, card.question, card.summary, card.reading, *card.examples]
    names = [*readout.labels, *(model.encoder.alphabet)]
    if not all(_text(word, MAX_TEXT) for word in words) or len(card.examples) > 64:
        raise FormatError(
            f"the card of this GRU Scope model must have texts of at most {MAX_TEXT:,} characters "
            "and at most 64 examples"
        )
    if not all(_text(name, MAX_LABEL) and name for name in names):
        raise FormatError(f"each label and symbol of this GRU Scope model must be text of 1 to {MAX_LABEL} characters")
    if not _plain(card.training) or not _plain(card.measured):
        raise FormatError(
            "the recipe and the figures on the card of this GRU Scope model must be texts and numbers, at most 64 in "
            f"each; numbers must be from -{LARGEST_FIGURE:g} to {LARGEST_FIGURE:g}"
        )
    if not _regressions(card.regressions):
        raise FormatError(
            f"the linear autoregressions of this GRU Scope model must be lists of numbers, at most {MOST_WEIGHTS} in "
            f"each, from -{LARGEST_FIGURE:g} to {LARGEST_FIGURE:g}"
        )
    rows = card.confusion
    if rows and (len(rows) != K or not all(len(row) == K and all(map(_count, row)) for row in rows)):
        raise FormatError(
            f"the confusion matrix on the card of this GRU Scope model must have {K} rows of {K} counts, at most "
            f"{LARGEST_FIGURE:g} each"
        )
    padding = model.encoder.to_dict().get("padding")
    if padding is not None:
        wanted = model.encoder.alphabet if isinstance(model.encoder, Symbols) else [padding]
        if padding not in wanted or not (isinstance(model.encoder, Symbols) or _plain({"padding": padding})):
            raise FormatError("the padding of this GRU Scope model must be one of its symbols, or a number")
    for example in model.examples:
        model.encoder.encode(model.encoder.tokens(example))


def _text(word: Any, most: int) -> bool:
    """Return whether `word` is text of at most `most` characters that UTF-8 can encode. JSON allows lone surrogates."""
    return isinstance(word, str) and len(word) <= most and not any("\ud800" <= c <= "\udfff" for c in word)


def _regressions(regressions: Any) -> bool:
    """Return whether `regressions` is a dictionary of a few short lists of finite numbers."""
    return (
        isinstance(regressions, dict)
        and len(regressions) <= MOST_REGRESSIONS
        and all(_text(name, MAX_LABEL) for name in regressions)
        and all(
            isinstance(weights, list)
            and 2 <= len(weights) <= MOST_WEIGHTS
            and all(isinstance(weight, int | float) and abs(weight) <= LARGEST_FIGURE for weight in weights)
            for weights in regressions.values()
        )
    )


def _count(number: Any) -> bool:
    """Return whether `number` is a valid count: an integer from 0 to `LARGEST_FIGURE`."""
    return type(number) is int and 0 <= number <= LARGEST_FIGURE


def _plain(figures: Any) -> bool:
    """Return whether `figures` is a dictionary of at most 64 strings and numbers, none of them too large."""
    if not isinstance(figures, dict) or len(figures) > 64:
        return False
    values = figures.values()
    return all(_text(key, MAX_LABEL) for key in figures) and all(
        _text(value, MAX_TEXT) or (isinstance(value, int | float) and abs(value) <= LARGEST_FIGURE) for value in values
    )
