"""Running a model over a sequence with every intermediate value kept."""

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
    """How far the hidden state is from the twin's at one place: |h − h of the twin|. Places count from 0."""

    layer: int
    unit: int
    t: int
    size: float


@dataclass(frozen=True)
class Trace:
    """What `model` did with a sequence, or with a stretch of one.

    `tokens` are the steps as written, None when numbers were given. `layers` hold every
    intermediate of each layer, arrays `(T, H)`; `y` is `(T, K)`. The top layer's signals are had by
    name: `trace.z`, `trace.h`. `twin` is the run that was left alone, or of another input, where one went along.
    """

    model: Model
    tokens: list[str] | None
    layers: tuple[Run, ...]
    y: Array
    twin: Trace | None = None

    def __getattr__(self, name: str) -> Array:
        """A signal of the top layer, `(T, H)`. Raises AttributeError, saying which there are, for any other name."""
        signals = self.layers[-1].cell.signals if not name.startswith("_") and name != "layers" else {}
        if name not in signals:
            raise AttributeError(f"a trace of this model has no {name!r}; its signals are {', '.join(signals)}")
        return getattr(self.layers[-1], name)  # type: ignore[no-any-return]

    @property
    def differs(self) -> Mask:
        """Where the answer is not the twin's, `(T,)`: another label, or a number more than .01 off.

        Raises ValueError when there is no twin.
        """
        twin = self._twin()
        if self.model.readout.kind == "softmax":
            return np.asarray(self.y.argmax(1) != twin.y.argmax(1))
        return np.asarray((np.abs(self.y - twin.y) > 0.01).any(1))

    @property
    def largest_gap(self) -> Gap | None:
        """Where the hidden state is furthest from the twin's, None when it is the same everywhere.

        Of gaps of one size it is the earliest, then the one nearest the input. Raises ValueError when
        there is no twin.
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
            raise ValueError("this run has no original run to compare with: add a clamp or edit a weight")
        return self.twin

    def ledger(self, unit: int, layer: int = -1) -> Array:
        """Of which candidates the unit's state is made: `(T, T + 1)`, the rows summing to 1.

        Column 0 is the share of h_0, column k that of the k-th step's candidate; see gru_core.ledger.
        """
        return ledger(self.layers[layer], unit)

    def sensitivity(self, t: int, output: int | None = None, layer: int = -1) -> Sensitivity:
        """How much an output at step `t`, from 0, and the layer's state there would move with each step up to it.

        `output` is the one that is answered when None.
        """
        return sensitivity(self.layers, self.model.readout, self.y, t, output, layer)

    def arrays(self) -> record.Named:
        """Every array by name; see gru_core.record."""
        named = record.arrays(self.layers, self.y) | {"labels": np.array(self.model.readout.labels)}
        if self.tokens is not None:
            named["tokens"] = np.array(self.tokens)
        if self.twin is not None:
            named |= {f"twin.{name}": array for name, array in record.arrays(self.twin.layers, self.twin.y).items()}
        return named

    def save(self, path: str | Path) -> None:
        """Write every array by name to an `.npz`: `y`, `layers.0.r`, …; see gru_core.record.

        `np.load(path, allow_pickle=False)` reads it. Raises OSError when it cannot be written.
        """
        with Path(path).open("wb") as file:
            np.savez_compressed(file, **self.arrays())  # type: ignore[arg-type]  # none is called allow_pickle

    def to_dict(self) -> dict[str, Any]:
        """The same as lists, `["layers"][0]["r"]`, which `json.dumps` takes; see gru_core.record."""
        twin = None if self.twin is None else record.lists(self.twin.layers, self.twin.y)
        labels = list(self.model.readout.labels)
        about = {"model": self.model.card.title, "tokens": self.tokens, "labels": labels}
        return about | record.lists(self.layers, self.y) | {"twin": twin}

    def figure(self, layer: int = -1, difference: bool = False, theme: Theme = "light") -> go.Figure:
        """A layer's r, z, h̃ and h as heatmaps over one time axis; with `difference` how far each is from the twin's.

        `figure.write_html("x.html")` gives a page that needs no network. Raises ValueError for a
        difference where there is no twin.
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
        """The run as a table of coloured cells, which a notebook shows: text and colours alone, nothing is loaded."""
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
    twin: Model | None = None,
    against: str | Array | None = None,
) -> Iterator[Trace]:
    """Run `model` over `sequence`, `block` steps at a time (all when None), a Trace for each block.

    `h0` is a state for each layer, zero when None: see `Model.state`. `twin` runs along without clamps: it is
    `model` itself, the two then going through in one batch, or one of other weights. Or what goes along is
    `model` as it is, clamps included, over another sequence of as many steps, `against`. What is wrong
    with the arguments is raised by the call itself: SequenceError, or ValueError for a clamp or an
    h0 that does not fit.
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
    """Run `model` over the whole of `sequence`; arguments and errors as for `stream`.

    With `against`, a sequence of as many steps, its run is the trace's twin: `differs`, `figure(difference=True)`.
    """
    return next(stream(model, sequence, h0, clamps, against=against))


def twin(
    model: Model,
    sequence: str | Array,
    h0: Sequence[Array] | None = None,
    clamps: Sequence[Clamp] = (),
    edits: Sequence[Edit] = (),
) -> tuple[Trace, Trace]:
    """The trace under clamps and with edited weights, and that of the model left alone.

    Arguments and errors as for `stream` and `Model.edited`.
    """
    changed = next(stream(model.edited(edits) if edits else model, sequence, h0, clamps, twin=model))
    assert changed.twin is not None
    return changed, changed.twin
