"""Numeric inputs of a run: the conversion of arrays and lists to `(T, I)`, with errors for wrong inputs.

Each error message says what to write instead, because most of these mistakes have a single likely cause.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gru_core.arrays import Array
from gru_core.encoders.symbols import Symbols
from gru_core.encoders.tokens import LARGEST, SequenceError
from gru_core.model import Model


def check_model(model: Any) -> None:
    """Raise TypeError if `model` is not a Model but, for example, a torch module or the name of a preset."""
    if not isinstance(model, Model):
        kind = type(model).__name__
        raise TypeError(
            f"the first argument is a {kind}, but must be a Model: gru.load(name or path), gru.from_torch(module) and "
            "gru.from_keras(layer) return one"
        )


def numbers(model: Model, sequence: Any) -> Array:
    """Return the inputs `(T, I)` of a numeric sequence, such as an array, a tensor or a list of lists.

    Raises SequenceError if the sequence is not numeric, has the wrong shape, or has a number that is not within
    ±1,000,000.
    """
    if getattr(sequence, "requires_grad", False):
        raise SequenceError("this tensor requires gradients, which a trace does not compute: pass x.detach()")
    if hasattr(sequence, "batch_sizes"):
        raise SequenceError("packed sequences are several ones: pass a list of arrays (T, I) to gru.trace_batch")
    if isinstance(sequence, list | tuple) and any(isinstance(token, str) for token in sequence):
        raise SequenceError('a sequence of symbols is one text: join the tokens with spaces, " ".join(tokens)')
    I = model.layers[0].inputs
    try:
        x = np.asarray(sequence, float)
    except (TypeError, ValueError) as error:
        raise SequenceError(f"the sequence is not an array of numbers (T, {I}): {error}") from error
    if x.ndim != 2 or x.shape[1] != I or len(x) == 0:
        raise SequenceError(f"the inputs have shape {x.shape}, but this model needs (T, {I}){_advice(model, x)}")
    wrong = np.argwhere(~(np.abs(x) <= LARGEST))
    if wrong.size:
        t, i = wrong[0]
        problem = "NaN, but must be a number from" if np.isnan(x[t, i]) else "out of range:"
        raise SequenceError(f"input {i + 1} is {problem} -{LARGEST:,.0f} to {LARGEST:,.0f}", int(t) + 1)
    return x


def _advice(model: Model, x: Array) -> str:
    """Return a hint about inputs of the wrong shape, as the end of an error message, or "" if there is no hint."""
    I = model.layers[0].inputs
    if x.ndim == 3 and x.shape[-1] == I:
        return ". For several sequences use gru.trace_batch(model, sequences), with an array (T, I) for each"
    if x.ndim == 2 and x.shape[0] == I:
        return ". The first axis is time: pass x.T"
    if x.ndim == 1 and x.size and isinstance(model.encoder, Symbols):
        return ". For the numbers of symbols pass model.encoder.vectors(np.array(numbers))"
    if x.ndim == 1 and I == 1 and x.size:
        return ". Pass x[:, None]"
    if x.ndim == 1 and x.size == I:
        return ". For one timestep pass x[None]"
    return ""
