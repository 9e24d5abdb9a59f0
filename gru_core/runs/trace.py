"""Traces: runs of a model over a sequence, with every intermediate value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gru_core import notebook
from gru_core.arrays import Array, Mask
from gru_core.cells.holds import Holds
from gru_core.cells.run import Run
from gru_core.cells.signals import Theme
from gru_core.encoders.tokens import SequenceError
from gru_core.model import Model
from gru_core.runs import figures, record
from gru_core.runs.clamp import Clamp
from gru_core.runs.edit import Edit
from gru_core.runs.inputs import check_model, numbers
from gru_core.runs.layered import Layered
from gru_core.runs.ledger import ledger
from gru_core.runs.sensitivity import Sensitivity, sensitivity

if TYPE_CHECKING:
    import plotly.graph_objects as go

LEAST = 0.01
"""The threshold of `differs`: numeric outputs differ if they are more than this apart."""


@dataclass(frozen=True)
class Gap:
    """The difference between a run and its twin, for the state of one unit at one timestep.

    `size` is the absolute difference of h. Layers, units and timesteps count from 0.
    """

    layer: int
    unit: int
    t: int
    size: float


@dataclass(frozen=True)
class Trace(Layered):
    """A run of `model` over a sequence, or over a part of one.

    `tokens` are the timesteps as text, or None if the sequence was an array. `layers` has a `Run` for each layer, with
    every intermediate value as an array `(T, H)`. The signals of the top layer have short names: `trace.z`, `trace.h`.
    `twin` is the run to compare with: the original run or, if `second` is true, the run of a second sequence. It is
    None if there is no run to compare with. `mask` `(T,)` is false at the timesteps that the network skips, such as
    padding. A skipped timestep does not change the state. If `mask` is None, no timestep is skipped.
    """

    model: Model
    tokens: list[str] | None
    layers: tuple[Run, ...]
    twin: Trace | None = None
    mask: Mask | None = None
    second: bool = False

    @cached_property
    def y(self) -> Array:
        """The outputs `(T, K)`, computed on first access, since a model can have 100,000 outputs."""
        return self.model.readout(self.layers[-1].h)

    @property
    def last(self) -> list[Array]:
        """The final state of each layer, which is the `h0` for a run over the next part of the sequence.

        Backward units finish at the first timestep, so their final state is the state there, as in PyTorch's `h_n`.
        """
        return [run.last for run in self.layers]

    @property
    def differs(self) -> Mask:
        """The timesteps at which the output differs from the twin's, as a mask `(T,)`.

        With a softmax readout, the output differs if the most likely label is a different one. With a linear readout,
        it differs if one of its numbers differs by more than LEAST. Raises ValueError if there is no twin.
        """
        twin = self._twin()
        if self.model.readout.kind == "softmax":
            return np.asarray(self.y.argmax(1) != twin.y.argmax(1))
        return np.asarray((np.abs(self.y - twin.y) > LEAST).any(1))

    @property
    def largest_gap(self) -> Gap | None:
        """The largest difference between the hidden states of the run and its twin, or None if all states are equal.

        Among equal differences, the earliest timestep wins, and then the lowest layer. Raises ValueError if there is
        no twin.
        """

        def gap_of_layer(layer: int, run: Run, other: Run) -> Gap:
            gaps = np.abs(run.h - other.h)
            t, unit = divmod(int(gaps.argmax()), run.cell.units)
            return Gap(layer, unit, t, float(gaps[t, unit]))

        pairs = zip(self.layers, self._twin().layers, strict=True)
        largest = max((gap_of_layer(i, *pair) for i, pair in enumerate(pairs)), key=lambda gap: (gap.size, -gap.t))
        return largest if largest.size > 0 else None

    def _twin(self) -> Trace:
        if self.twin is None:
            raise ValueError(
                "this trace has no original run to compare with: use gru.twin(…), or gru.trace(…, against=…)"
            )
        return self.twin

    def ledger(self, unit: int, layer: int = -1) -> Array:
        """Return the contribution of each timestep's candidate to a unit's state, `(T, T + 1)`. See runs/ledger.py.

        Row t splits the state at timestep t into shares: column 0 is the share of the initial state, and column k the
        share of the k-th timestep's candidate. The rows of a GRU sum to 1. In an LSTM the state is c. Raises
        ValueError for an RNN, or if there is no such unit or layer.
        """
        run = self._layer(layer)
        return ledger(run, _within("unit", unit, run.cell.units))

    def sensitivity(self, t: int, output: int | None = None, layer: int = -1, unit: int | None = None) -> Sensitivity:
        """Return the gradients of an output and of a layer's state at timestep `t`, counted from 0.

        `output` is the index of the output; None means the largest output. With a `unit`, the gradients of the state
        are computed for this unit only, which is much faster in a layer with many units. See runs/sensitivity.py.
        Raises ValueError if there is no such timestep, output, layer or unit.
        """
        run = self._layer(layer)
        unit = None if unit is None else _within("unit", unit, run.cell.units)
        t = _within("t", t, len(self.layers[-1].h))
        output = None if output is None else _within("output", output, len(self.model.readout.labels))
        return sensitivity(self.layers, self.model.readout, t, output, layer, unit)

    def _layer(self, layer: int) -> Run:
        return self.layers[_within("layer", layer, len(self.layers))]

    def arrays(self) -> record.Named:
        """Return every array by name. runs/record.py lists the names."""
        by_name = record.arrays(self.layers, self.y) | {"labels": np.array(self.model.readout.labels)}
        if self.tokens is not None:
            by_name["tokens"] = np.array(self.tokens)
        if self.mask is not None:
            by_name["mask"] = self.mask
        if self.twin is not None:
            by_name |= {f"twin.{name}": array for name, array in record.arrays(self.twin.layers, self.twin.y).items()}
        return by_name

    def save(self, path: str | Path) -> None:
        """Write every array to an `.npz` file, by name: `y`, `layers.0.r`, …. runs/record.py lists the names.

        `np.load(path, allow_pickle=False)` reads the file. Raises OSError if the file cannot be written.
        """
        with Path(path).open("wb") as file:
            np.savez_compressed(file, **self.arrays())  # type: ignore[arg-type]  # no array is named allow_pickle

    def to_dict(self) -> dict[str, Any]:
        """Return the arrays as nested lists for `json.dumps`: `["layers"][0]["r"]`. runs/record.py lists the names."""
        twin = None if self.twin is None else record.lists(self.twin.layers, self.twin.y)
        labels = list(self.model.readout.labels)
        mask = None if self.mask is None else self.mask.tolist()
        header = {"model": self.model.card.title, "tokens": self.tokens, "labels": labels, "mask": mask}
        return header | record.lists(self.layers, self.y) | {"twin": twin}

    def figure(self, layer: int = -1, difference: bool = False, theme: Theme = "light") -> go.Figure:
        """Return a Plotly figure with the signals of a layer as heatmaps over one time axis.

        With `difference` the figure shows the differences from the twin. `figure.write_html("x.html")` writes a page
        that works offline. Raises ValueError if there is no such layer, or if `difference` is true and there is no
        twin.
        """
        number, layers = _within("layer", layer, len(self.layers)) + 1, len(self.layers)
        twin = self._twin().layers[layer] if difference else None
        title = self.model.card.title + (f" · layer {number} of {layers}" if layers > 1 else "")
        title += (" · first − second sequence" if self.second else " · changed − original") if difference else ""
        return figures.run_figure(self.layers[layer], self.tokens, title, twin, theme)

    def show(self, **view: Any) -> Any:
        """Return a live figure of this run for a notebook, with the run's clamps and initial state.

        `view` takes the keyword arguments of `gru.show`. Raises ValueError if the sequence was an array, and
        ImportError if the extra `notebook` is not installed.
        """
        return notebook.show_trace(self, view)

    def __repr__(self) -> str:
        T, K = len(self.layers[-1].h), len(self.model.readout.labels)
        sequence = "" if self.tokens is None else f" of {shorten(' '.join(self.tokens), 40, placeholder='…')!r}"
        twin = "" if self.twin is None else f", with the {'second sequence' if self.second else 'original run'}"
        return f"Trace({self.model.card.title[:40]!r}{sequence}: T={T}, H={self.model.sizes}, K={K}{twin})"

    def _repr_html_(self) -> str:
        """Return the run as an HTML table of colored cells, for display in a notebook. It loads no other files."""
        outputs = list(self._output_rows("output"))
        if self.twin is not None:
            outputs += self.twin._output_rows("second sequence" if self.second else "original")
        return notebook.run_html(self.model.card.title, self.layers[-1], self.tokens, outputs)

    def _output_rows(self, name: str) -> Iterator[tuple[str, list[str]]]:
        """Yield the name and the cells of each table row: one row of likeliest labels, or a row of numbers per output.

        With a linear readout, only the first `notebook.UNITS` outputs have rows.
        """
        labels = self.model.readout.labels
        if self.model.readout.kind == "softmax":
            yield name, [labels[k] for k in self.y.argmax(1)]
        else:
            for label, y in zip(labels[: notebook.UNITS], self.y.T, strict=False):
                yield f"{name}, {label}", [f"{value:.2f}" for value in y]


def _within(name: str, value: int, size: int) -> int:
    """Return `value` as an index from 0. A negative `value` counts from the end.

    Raises ValueError if `value` is out of range.
    """
    if not -size <= value < size:
        raise ValueError(f"{name}={value} is not in this trace: choose from 0 to {size - 1}")
    return range(size)[value]


def read(model: Model, sequence: str | npt.ArrayLike, most: int | None = None) -> tuple[list[str] | None, Array]:
    """Return the tokens of `sequence` (None for an array) and its inputs `(T, I)`.

    Raises SequenceError if the sequence has no timesteps, more than `most` timesteps, a symbol outside the alphabet,
    or a number that is not within ±1,000,000, and if an array has the wrong shape. Raises TypeError if `model` is not
    a Model.
    """
    check_model(model)

    def check_length(T: int) -> None:
        if most is not None and most < T:
            raise SequenceError(f"the sequence has {T:,} timesteps; at most {most:,} can be run here")

    if isinstance(sequence, str):
        check_length(len(sequence.split()))  # a cheap check before the tokens are read
        tokens = model.encoder.tokens(sequence)
        check_length(len(tokens))
        if not tokens:
            raise SequenceError(f"the sequence is empty. {model.encoder.hint}")
        return tokens, model.encoder.encode(tokens)
    x = numbers(model, sequence)
    check_length(len(x))
    return None, x


def part(run: Trace, steps: slice) -> Trace:
    """Return the part of a run that covers the timesteps in the slice `steps`."""
    return replace(
        run,
        tokens=run.tokens and run.tokens[steps],
        layers=tuple(layer[steps] for layer in run.layers),
        twin=run.twin and part(run.twin, steps),
        mask=None if run.mask is None else run.mask[steps],
    )


def _initial(model: Model, h0: Sequence[npt.ArrayLike] | None, after: Trace | None) -> Sequence[npt.ArrayLike] | None:
    """Return the initial states: `h0`, or the final states of the run `after`; None means zero states.

    Raises ValueError if both are given, or if `after` is given for a bidirectional model. Raises TypeError if `after`
    is not a Trace.
    """
    if after is not None and h0 is not None:
        raise ValueError("h0 and after are both initial states: give only one of them")
    if after is not None and not isinstance(after, Trace):
        raise TypeError("after is the Trace of the sequence before this one. Pass states as h0: h0=trace.last")
    if after is not None and model.is_bidirectional:
        raise ValueError(
            "a bidirectional network needs the whole sequence: it also reads from the end, so a run cannot go on from "
            "another one. Run both parts as one sequence"
        )
    return h0 if after is None else after.last


def stream(
    model: Model,
    sequence: str | npt.ArrayLike,
    h0: Sequence[npt.ArrayLike] | None = None,
    clamps: Sequence[Clamp] = (),
    block: int | None = None,
    twin: Model | None = None,
    against: str | npt.ArrayLike | None = None,
    mask: npt.ArrayLike | None = None,
    after: Trace | None = None,
) -> Iterator[Trace]:
    """Run `model` over `sequence`, `block` timesteps at a time (all if None), and yield a Trace for each block.

    `h0` has an initial state for each layer; None means zero states (see `Model.state`). `after` is the trace of the
    previous part of the sequence: the run continues from its final state, and the twin from the final state of
    `after.twin`. `twin` is a model that runs over the same sequence without clamps, for comparison: either `model`
    itself, with both runs computed as a batch of two, or a model with other weights. `against` is a second sequence of
    the same length. `model` also runs over `against`, with the same clamps, and this run becomes the twin. `mask`
    `(T,)` is false at the timesteps to skip; None means the mask that `Model.mask` returns.

    A bidirectional network needs the whole sequence, so all timesteps are computed before the first Trace is yielded.

    Raises SequenceError if a sequence cannot be read, and ValueError if a clamp, a mask, `h0` or `after` does not fit
    the model. The call itself raises these errors, before the iteration starts.
    """
    h0 = _initial(model, h0, after)
    twin_h0 = h0 if after is None or after.twin is None else after.twin.last
    if against is not None:
        steps, other_steps = (len(read(model, inputs)[1]) for inputs in (sequence, against))
        if steps != other_steps:
            raise SequenceError(
                f"the second sequence must have as many timesteps as the first: {steps}, not {other_steps}"
            )
        first_run = stream(model, sequence, h0, clamps, block, mask=mask)
        second_run = stream(model, against, twin_h0, clamps, block, mask=mask)
        pairs = zip(first_run, second_run, strict=True)
        return (replace(first, twin=second, second=True) for first, second in pairs)
    if twin is not None and twin is not model:
        changed_run = stream(model, sequence, h0, clamps, block, mask=mask)
        original_run = stream(twin, sequence, twin_h0, (), block, mask=mask)
        pairs = zip(changed_run, original_run, strict=True)
        return (replace(changed, twin=original) for changed, original in pairs)
    tokens, x = read(model, sequence)
    holds = model.holds(clamps, x.shape[:-1])
    initial = model.state(h0)
    counts = model.mask(x) if mask is None else np.asarray(mask, bool)
    if counts is not None and counts.shape != x.shape[:1]:
        raise ValueError(f"mask has shape {counts.shape}, but the sequence has {len(x)} steps")
    if twin is not None:
        x, holds = x[:, None], [(layer_holds or Holds({}, {})).in_first(2) for layer_holds in holds]
        if twin_h0 is not h0:
            x = x.repeat(2, 1)
            initial = [np.stack(states) for states in zip(initial, model.state(twin_h0), strict=True)]

    def traces(state: Sequence[Array]) -> Iterator[Trace]:
        size = len(x) if model.is_bidirectional else block or len(x)
        # The copied cells cache their prepared weights for all blocks, and the copies are discarded with the run.
        running = replace(model, layers=tuple(replace(cell) for cell in model.layers))
        for start in range(0, len(x), size):
            steps = slice(start, start + size)
            block_tokens = tokens and tokens[steps]
            block_holds = [layer_holds and layer_holds[steps] for layer_holds in holds]
            block_mask = None if counts is None else counts[steps]
            runs = running.forward(x[steps], state, block_holds, block_mask)
            state = [run.last for run in runs]
            if twin is None:
                yield Trace(model, block_tokens, tuple(runs), mask=block_mask)
            else:
                # A layer below all clamps runs as a batch of one, because both runs are equal there. Index -1 selects
                # the original run in a batch of one and in a batch of two.
                clamped, original = (
                    Trace(model, block_tokens, tuple(run.sequence(b) for run in runs), mask=block_mask) for b in (0, -1)
                )
                yield replace(clamped, twin=original)

    if model.is_bidirectional and block:
        return (part(run, slice(start, start + block)) for run in traces(initial) for start in range(0, len(x), block))
    return traces(initial)


def trace(
    model: Model,
    sequence: str | npt.ArrayLike,
    h0: Sequence[npt.ArrayLike] | None = None,
    clamps: Sequence[Clamp] = (),
    against: str | npt.ArrayLike | None = None,
    mask: npt.ArrayLike | None = None,
    after: Trace | None = None,
) -> Trace:
    """Run `model` over all of `sequence` and return a Trace, with every intermediate value.

        trace = gru.trace(model, "A m m B m")          # text in the model's own alphabet
        trace = gru.trace(model, x)                    # an array (T, I), or lists of numbers
        trace.z, trace.h, trace.y                      # (T, H), (T, H) and (T, K)
        trace.layers[0].z                              # the same for the layer nearest the input
        trace = gru.trace(model, "p A", after=trace)   # the next part of the sequence

    `sequence` is a string, or numbers `(T, I)`: T timesteps of I inputs. For several sequences use `gru.trace_batch`.
    `h0` is a list with the initial state of each layer: `(H,)` for a GRU, `(2H,)` for an LSTM (h, then c). None means
    zero states. `after` is the trace of the previous part of the sequence: the run continues from its final state.
    `clamps` is a list of `Clamp` objects, which set gates to fixed values. `against` is a second sequence of the same
    length. Its run becomes `trace.twin`, for `differs`, `largest_gap` and `figure(difference=True)`. `mask` `(T,)` is
    false at the timesteps to skip; None means that only the model's own padding is skipped.

    Raises SequenceError if a sequence cannot be read: the message names the timestep, counted from 1. Raises
    ValueError if a clamp, a mask or an initial state does not fit the model.
    """
    return next(stream(model, sequence, h0, clamps, against=against, mask=mask, after=after))


def twin(
    model: Model,
    sequence: str | npt.ArrayLike,
    h0: Sequence[npt.ArrayLike] | None = None,
    clamps: Sequence[Clamp] = (),
    edits: Sequence[Edit] = (),
    after: Trace | None = None,
) -> tuple[Trace, Trace]:
    """Return the trace of the run with clamps and edited weights, and the trace of the original run.

    Arguments and errors are as for `trace` and `Model.edited`.
    """
    changed_model = model.edited(edits) if edits else model
    changed = next(stream(changed_model, sequence, h0, clamps, twin=model, after=after))
    assert changed.twin is not None
    return changed, changed.twin
