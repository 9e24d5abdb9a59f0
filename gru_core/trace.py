"""Runs of a model over a sequence, with every intermediate value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import numpy as np

from gru_core import figures, notebook, record
from gru_core.arrays import Array, Mask
from gru_core.cell import Run
from gru_core.clamp import Clamp
from gru_core.edit import Edit
from gru_core.encoder import LARGEST, SequenceError
from gru_core.holds import Holds
from gru_core.ledger import ledger
from gru_core.model import Model
from gru_core.sensitivity import Sensitivity, sensitivity
from gru_core.signals import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True)
class Gap:
    """The difference of one unit at one timestep, |h − h of the twin|. Layers, units and timesteps count from 0."""

    layer: int
    unit: int
    t: int
    size: float


@dataclass(frozen=True)
class Trace:
    """A run of `model` over a sequence, or over a part of one.

    `tokens` are the timesteps as text, None if the sequence was numbers. `layers` have every intermediate value of each
    layer, arrays `(T, H)`. `y` is `(T, K)`. The signals of the top layer have short names: `trace.z`, `trace.h`. `twin`
    is the original run, or the run of a second sequence; None if there is none.
    """

    model: Model
    tokens: list[str] | None
    layers: tuple[Run, ...]
    y: Array
    twin: Trace | None = None

    def __getattr__(self, name: str) -> Array:
        """Return a signal of the top layer, `(T, H)`.

        Raises AttributeError, with the names of the signals, for another name.
        """
        signals = self.layers[-1].cell.signals if not name.startswith("_") and name != "layers" else {}
        if name not in signals:
            raise AttributeError(f"a trace of this model has no {name!r}; its signals are {', '.join(signals)}")
        return getattr(self.layers[-1], name)  # type: ignore[no-any-return]

    @property
    def differs(self) -> Mask:
        """Where the output differs from the twin's, `(T,)`: another label, or a number that is more than 0.01 off.

        Raises ValueError if there is no twin.
        """
        twin = self._twin()
        if self.model.readout.kind == "softmax":
            return np.asarray(self.y.argmax(1) != twin.y.argmax(1))
        return np.asarray((np.abs(self.y - twin.y) > 0.01).any(1))

    @property
    def largest_gap(self) -> Gap | None:
        """The largest difference of the hidden state from the twin's; None if they are the same everywhere.

        Among equal differences it is the earliest, then the one nearest the input. Raises ValueError if there is no
        twin.
        """

        def of_layer(layer: int, one: Run, other: Run) -> Gap:
            gaps = np.abs(one.h - other.h)
            t, unit = divmod(int(gaps.argmax()), one.cell.units)
            return Gap(layer, unit, t, float(gaps[t, unit]))

        pairs = zip(self.layers, self._twin().layers, strict=True)
        largest = max((of_layer(i, *pair) for i, pair in enumerate(pairs)), key=lambda gap: (gap.size, -gap.t))
        return largest if largest.size > 0 else None

    def _twin(self) -> Trace:
        if self.twin is None:
            raise ValueError(
                "this trace has no original run to compare with: use gru.twin(…), or gru.trace(…, against=…)"
            )
        return self.twin

    def ledger(self, unit: int, layer: int = -1) -> Array:
        """Return the contribution of each timestep's candidate to a unit's state: `(T, T + 1)`; see gru_core.ledger.

        Column 0 is the share of the initial state, column k that of the k-th timestep's candidate. The rows of a GRU
        sum to 1. In an LSTM the state is c. Raises ValueError for an RNN.
        """
        return ledger(self.layers[layer], unit)

    def sensitivity(self, t: int, output: int | None = None, layer: int = -1) -> Sensitivity:
        """Return the gradients of an output at timestep `t`, from 0, and of the layer's state there.

        `output` is an index; None means the largest output. See gru_core.sensitivity.
        """
        return sensitivity(self.layers, self.model.readout, self.y, t, output, layer)

    def arrays(self) -> record.Named:
        """Return every array by name; see gru_core.record."""
        named = record.arrays(self.layers, self.y) | {"labels": np.array(self.model.readout.labels)}
        if self.tokens is not None:
            named["tokens"] = np.array(self.tokens)
        if self.twin is not None:
            named |= {f"twin.{name}": array for name, array in record.arrays(self.twin.layers, self.twin.y).items()}
        return named

    def save(self, path: str | Path) -> None:
        """Write every array by name to an `.npz`: `y`, `layers.0.r`, …; see gru_core.record.

        `np.load(path, allow_pickle=False)` reads it. Raises OSError if it cannot be written.
        """
        with Path(path).open("wb") as file:
            np.savez_compressed(file, **self.arrays())  # type: ignore[arg-type]  # none is called allow_pickle

    def to_dict(self) -> dict[str, Any]:
        """Return the arrays as nested lists, `["layers"][0]["r"]`, which `json.dumps` takes; see gru_core.record."""
        twin = None if self.twin is None else record.lists(self.twin.layers, self.twin.y)
        labels = list(self.model.readout.labels)
        about = {"model": self.model.card.title, "tokens": self.tokens, "labels": labels}
        return about | record.lists(self.layers, self.y) | {"twin": twin}

    def figure(self, layer: int = -1, difference: bool = False, theme: Theme = "light") -> go.Figure:
        """Return a Plotly figure with the signals of a layer as heatmaps over one time axis.

        With `difference` the figure shows the differences from the twin. `figure.write_html("x.html")` writes a page
        that needs no network. Raises ValueError for a difference without a twin.
        """
        twin = self._twin().layers[layer] if difference else None
        number, layers = range(len(self.layers))[layer] + 1, len(self.layers)
        title = self.model.card.title + (f" · layer {number} of {layers}" if layers > 1 else "")
        return figures.run_figure(self.layers[layer], self.tokens, title, twin, theme)

    def __repr__(self) -> str:
        T, K = self.y.shape
        of = "" if self.tokens is None else f" of {shorten(' '.join(self.tokens), 40, placeholder='…')!r}"
        twin = "" if self.twin is None else ", with the original run"
        return f"Trace({self.model.card.title[:40]!r}{of}: T={T}, H={self.model.sizes}, K={K}{twin})"

    def _repr_html_(self) -> str:
        """Return the run as a table of colored cells, which a notebook shows. The table loads nothing."""
        answers = list(self._answered("output"))
        if self.twin is not None:
            answers += self.twin._answered("original")
        return notebook.run_html(self.model.card.title, self.layers[-1], self.tokens, answers)

    def _answered(self, name: str) -> Iterator[tuple[str, list[str]]]:
        """Rows of what was answered: the labels, or the numbers of the first outputs."""
        labels = self.model.readout.labels
        if self.model.readout.kind == "softmax":
            yield name, [labels[k] for k in self.y.argmax(1)]
        else:
            for label, y in zip(labels[: notebook.UNITS], self.y.T, strict=False):
                yield f"{name}, {label}", [f"{value:.2f}" for value in y]


def read(model: Model, sequence: str | Array, most: int | None = None) -> tuple[list[str] | None, Array]:
    """Return the tokens of `sequence` (None for an array) and its inputs `(T, I)`.

    Raises SequenceError if the model cannot read the sequence: if it has no timesteps or more than `most`, a symbol
    outside the alphabet, a number that is not within ±1,000,000, or if an array has the wrong shape.
    """

    def count(T: int) -> None:
        if most is not None and most < T:
            raise SequenceError(f"the sequence has {T:,} steps; at most {most:,} can be run here")

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
    twin: Model | None = None,
    against: str | Array | None = None,
) -> Iterator[Trace]:
    """Run `model` over `sequence`, `block` timesteps at a time (all if None), and yield a Trace for each block.

    `h0` is a state for each layer, zero if None: see `Model.state`. `twin` is a second model that reads the same
    sequence without clamps: `model` itself, which then runs in one batch with the first, or one with other weights.
    `against` is a second sequence of the same length: `model`, with its clamps, reads it as the twin. The call itself
    raises the errors of its arguments: SequenceError for a sequence, ValueError for a clamp or an h0 that does not
    fit.
    """
    if against is not None:
        steps, others = (len(read(model, one)[1]) for one in (sequence, against))
        if steps != others:
            raise SequenceError(f"the second sequence must have as many steps as the first: {steps}, not {others}")
        both = zip(*(stream(model, one, h0, clamps, block) for one in (sequence, against)), strict=True)
        return (replace(one, twin=other) for one, other in both)
    if twin is not None and twin is not model:
        pairs = zip(stream(model, sequence, h0, clamps, block), stream(twin, sequence, h0, (), block), strict=True)
        return (replace(one, twin=other) for one, other in pairs)
    tokens, x = read(model, sequence)
    holds = model.holds(clamps, x.shape[:-1])
    first = model.state(h0)
    if twin is not None:
        x, holds = x[:, None], [(held or Holds({}, {})).in_first(2) for held in holds]

    def traces(state: Sequence[Array]) -> Iterator[Trace]:
        size = block or len(x)
        for start in range(0, len(x), size):
            steps = slice(start, start + size)
            written = tokens and tokens[steps]
            runs = model.forward(x[steps], state, [held and held[steps] for held in holds])
            state, y = [run.last for run in runs], model.readout(runs[-1].h)
            if twin is None:
                yield Trace(model, written, tuple(runs), y)
            else:
                # A layer below everything held is run once, as a batch of one: there -1 and 0 are the same.
                held, free = (Trace(model, written, tuple(run.sequence(b) for run in runs), y[:, b]) for b in (0, -1))
                yield replace(held, twin=free)

    return traces(first)


def trace(
    model: Model,
    sequence: str | Array,
    h0: Sequence[Array] | None = None,
    clamps: Sequence[Clamp] = (),
    against: str | Array | None = None,
) -> Trace:
    """Run `model` over all of `sequence` and return the Trace. Arguments and errors are as for `stream`.

    With `against`, a second sequence of the same length, the trace has a twin: `differs`, `figure(difference=True)`.
    """
    return next(stream(model, sequence, h0, clamps, against=against))


def twin(
    model: Model,
    sequence: str | Array,
    h0: Sequence[Array] | None = None,
    clamps: Sequence[Clamp] = (),
    edits: Sequence[Edit] = (),
) -> tuple[Trace, Trace]:
    """Return the trace with clamps and edited weights, and the trace of the original run.

    Arguments and errors are as for `stream` and `Model.edited`.
    """
    changed = next(stream(model.edited(edits) if edits else model, sequence, h0, clamps, twin=model))
    assert changed.twin is not None
    return changed, changed.twin
