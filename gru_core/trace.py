"""Running a model over a sequence with every intermediate value kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gru_core.clamp import Clamp
from gru_core.encoder import LARGEST, SequenceError
from gru_core.gru import Array, Forward
from gru_core.model import Model

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True)
class Trace:
    """What `model` did with a sequence, or with a stretch of one.

    `tokens` are the steps as written, None when numbers were given. `layers` hold every
    intermediate of each layer, arrays `(T, H)`; `y` is `(T, K)`. `r`, `z`, `h_tilde` and `h` are
    the top layer's.
    """

    model: Model
    tokens: list[str] | None
    layers: tuple[Forward, ...]
    y: Array

    @property
    def r(self) -> Array:
        return self.layers[-1].r

    @property
    def z(self) -> Array:
        return self.layers[-1].z

    @property
    def h_tilde(self) -> Array:
        return self.layers[-1].h_tilde

    @property
    def h(self) -> Array:
        return self.layers[-1].h

    def figure(self) -> go.Figure:
        """The four heatmaps over one time axis, for a notebook."""
        from gru_core import figures

        return figures.trace_figure(self)


def read(model: Model, sequence: str | Array, most: int | None = None) -> tuple[list[str] | None, Array]:
    """The tokens of `sequence` (None when it is an array) and its inputs `(T, I)`.

    Raises SequenceError for what the model cannot read: no steps, more than `most`, a symbol
    outside its alphabet, an array of the wrong shape or with a value that is not finite.
    """

    def count(T: int) -> None:
        if most is not None and most < T:
            raise SequenceError(f"the sequence has {T} steps; at most {most} can be run here")

    if isinstance(sequence, str):
        count(len(sequence.split()))  # cheap, before each is read
        tokens = model.encoder.tokens(sequence)
        count(len(tokens))
        if not tokens:
            raise SequenceError(f"the sequence is empty. {model.encoder.hint}")
        return tokens, model.encoder.encode(tokens)
    x = np.asarray(sequence, float)
    I = model.layers[0].inputs
    if x.ndim != 2 or x.shape[1] != I or len(x) == 0:
        raise SequenceError(f"the inputs have shape {x.shape}, but this model needs (T, {I})")
    count(len(x))
    bad = np.flatnonzero(~(np.abs(x) <= LARGEST).all(1))
    if bad.size:
        raise SequenceError(f"an input is not a number from -{LARGEST:,.0f} to {LARGEST:,.0f}", int(bad[0]) + 1)
    return None, x


def stream(
    model: Model,
    sequence: str | Array,
    h0: Sequence[Array] | None = None,
    clamps: Sequence[Clamp] = (),
    block: int | None = None,
) -> Iterator[Trace]:
    """Run `model` over `sequence`, `block` steps at a time (all when None), a Trace for each block.

    `h0` is a state `(H,)` for each layer, zero when None. What is wrong with the arguments is
    raised by the call itself: SequenceError, or ValueError for a clamp or an h0 that does not fit.
    """
    tokens, x = read(model, sequence)
    holds = model.holds(clamps, len(x))
    if h0 is not None:
        h0 = [np.asarray(h, float) for h in h0]
        shapes, wanted = [h.shape for h in h0], [(gru.units,) for gru in model.layers]
        if shapes != wanted:
            raise ValueError(f"h0 has shapes {shapes}, but this model needs {wanted}")

    def blocks(h0: Sequence[Array] | None) -> Iterator[Trace]:
        for start in range(0, len(x), block or len(x)):
            steps = slice(start, start + (block or len(x)))
            layers = tuple(model.forward(x[steps], h0, [held and held[steps] for held in holds]))
            h0 = [layer.h[-1] for layer in layers]
            yield Trace(model, tokens and tokens[steps], layers, model.readout(layers[-1].h))

    return blocks(h0)


def trace(
    model: Model, sequence: str | Array, h0: Sequence[Array] | None = None, clamps: Sequence[Clamp] = ()
) -> Trace:
    """Run `model` over the whole of `sequence`; arguments and errors as for `stream`."""
    return next(stream(model, sequence, h0, clamps))
