"""Encoders, which turn text into a model's inputs: symbols, numbers with an operator, or rows of numbers.

An encoder splits the text into tokens, one for each timestep, and encodes the tokens as inputs `(T, I)`. If it cannot
parse the text, it raises SequenceError with the number of the timestep, counted from 1.
"""

from __future__ import annotations

from typing import Any

from gru_core.arrays import Array
from gru_core.encoders.numbers import Numbers, Operator
from gru_core.encoders.symbols import Embedded, Letters, Symbols
from gru_core.encoders.vectors import Scaled, Vectors

Encoder = Symbols | Numbers | Vectors


def encoder_from_dict(data: dict[str, Any], table: Array | None = None) -> Encoder:
    """Rebuild an encoder from `data`, a dictionary that `to_dict` returned.

    An `Embedded` encoder also needs its `table`. Raises ValueError if the table is missing or does not fit.
    """
    if data["kind"] == "embedded":
        if table is None or table.ndim != 2 or len(table) != len(data["alphabet"]):
            raise ValueError("the embedding needs a row for each symbol")
        return Embedded(tuple(data["alphabet"]), table, padding=data.get("padding"))
    if data["kind"] == "symbols":
        return Symbols(tuple(data["alphabet"]), padding=data.get("padding"))
    if data["kind"] == "letters":
        return Letters(tuple(data["alphabet"]))
    if data["kind"] == "scaled":
        scale, shift = float(data["scale"]), float(data.get("shift", 0))
        return Scaled(int(data["inputs"]), scale=scale, shift=shift, unit=str(data["unit"]))
    if data["kind"] == "vectors":
        return Vectors(int(data["inputs"]), data.get("padding"))
    return Numbers(tuple(Operator(o["sign"], o["word"], tuple(o["flags"])) for o in data["operators"]))
