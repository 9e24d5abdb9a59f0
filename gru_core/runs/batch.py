"""Batches: runs of a model over many sequences at once, with every intermediate value.

The sequences may have different lengths. Shorter ones are padded with zeros at the end, and no value depends on the
padding: each sequence has the same values as in a run of its own, up to rounding, since the order of sums can differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array, Mask
from gru_core.cells.holds import Holds
from gru_core.cells.run import Run
from gru_core.encoders.tokens import SequenceError
from gru_core.model import Model
from gru_core.runs.clamp import Clamp
from gru_core.runs.layered import Layered
from gru_core.runs.trace import Trace, read

Lengths = npt.NDArray[np.int_]

PARTS = 8
"""The largest number of parts into which the time axis of a batch is split.

Each part runs only the sequences that are long enough.
"""


@dataclass(frozen=True)
class TraceBatch(Layered):
    """The runs of `model` over B sequences, padded to T timesteps, the length of the longest sequence.

    `lengths` `(B,)` has the number of timesteps of each sequence. `tokens` has the timesteps of each sequence as text,
    or None if the sequence was an array. `layers` has a `Run` for each layer, with every intermediate value as an array
    `(T, B, H)`. `y` `(T, B, K)` are the outputs. The signals of the top layer have short names: `batch.z`, `batch.h`.
    `mask` `(T, B)` is false at the padding, where all values are 0, and at the timesteps that the network skips.
    `batch[i]` is the `Trace` of sequence i, counted from 0.
    """

    model: Model
    tokens: tuple[list[str] | None, ...]
    lengths: Lengths
    layers: tuple[Run, ...]
    y: Array
    mask: Mask

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> Trace:
        """Return the run of one sequence, without padding. Raises IndexError if there is no such sequence."""
        b = range(len(self))[index]
        T = int(self.lengths[b])
        layers = tuple(run.sequence(b)[:T] for run in self.layers)
        counts = self.mask[:T, b]
        return Trace(self.model, self.tokens[b], layers, mask=None if counts.all() else counts)

    def __iter__(self) -> Iterator[Trace]:
        return map(self.__getitem__, range(len(self)))

    @property
    def last(self) -> list[Array]:
        """The final states of each layer, `(B, S)`: the `h0` for a batch with the next part of each sequence."""
        ends, each = self.lengths - 1, np.arange(len(self))
        states = []
        for run in self.layers:
            n = run.cell.units - run.cell.backward_units
            signals = [getattr(run, name) for name in run.cell.carried]
            parts = [part for values in signals for part in (values[ends, each, :n], values[0, :, n:])]
            states.append(np.concatenate(parts, -1))
        return states

    def __repr__(self) -> str:
        shortest, longest = int(self.lengths.min()), int(self.lengths.max())
        T = str(longest) if shortest == longest else f"{shortest} to {longest}"
        sizes = f"B={len(self)}, T={T}, H={self.model.sizes}, K={self.y.shape[-1]}"
        return f"TraceBatch({self.model.card.title[:40]!r}: {sizes})"


def trace_batch(
    model: Model,
    sequences: Sequence[str | npt.ArrayLike] | Array,
    h0: Sequence[npt.ArrayLike] | None = None,
    clamps: Sequence[Clamp] = (),
    after: TraceBatch | None = None,
) -> TraceBatch:
    """Run `model` over several sequences at once and return a TraceBatch, with every intermediate value.

        batch = gru.trace_batch(model, ["A m m B", "B m"])       # text in the model's own alphabet
        batch = gru.trace_batch(model, [x_1, x_2])               # arrays (T, I), each with its own T
        batch.z, batch.lengths                                   # (T, B, H), padded with zeros, and (B,)
        batch[1].z                                               # (2, H): the Trace of the second sequence

    An array `(B, T, I)` works too: B sequences of one length. `h0` is a list with the initial state of each layer:
    `(S,)` if all sequences share it, or `(B, S)`. S is H, or 2H in an LSTM (h, then c). `after` is the previous batch:
    each sequence continues from its final state there. `clamps` set gates at the same timesteps of all sequences. The
    model's own padding is skipped, as in `trace` without a mask.

    Raises SequenceError if a sequence cannot be read: the message names the sequence and the timestep, both counted
    from 1. Raises ValueError if a clamp or an initial state does not fit the model.
    """
    tokens, inputs = read_all(model, sequences)
    B, lengths = len(inputs), np.array([len(x) for x in inputs])
    T = int(lengths.max())
    x: Array = np.zeros((T, B, inputs[0].shape[1]), model.layers[0].U.dtype)
    counts = np.ones((T, B), bool)
    for b, sequence in enumerate(inputs):
        x[: len(sequence), b] = sequence
        mask = model.mask(sequence)
        counts[: len(sequence), b] = True if mask is None else mask
    inside = np.arange(T)[:, None] < lengths
    holds = model.holds(clamps, (T, B))
    if model.is_bidirectional:
        counts &= inside  # backward units skip the padding at the end
    if not counts.all():
        holds = [
            (held or Holds({}, {})).skipping(counts, cell.units, cell.skip)
            for held, cell in zip(holds, model.layers, strict=True)
        ]
    runs = _run(model, x, lengths, _initial(model, h0, after, B), holds)
    for run in runs:
        for signal in run.cell.signals:
            getattr(run, signal)[~inside] = 0
    y = model.readout(runs[-1].h)
    y[~inside] = 0
    return TraceBatch(model, tokens, lengths, tuple(runs), y, counts & inside)


def read_all(
    model: Model, sequences: Sequence[str | npt.ArrayLike] | Array
) -> tuple[tuple[list[str] | None, ...], list[Array]]:
    """Return the tokens of each sequence (None for an array), and the inputs `(T, I)` of each sequence: see `read`.

    Raises SequenceError if a sequence cannot be read, or if there is no sequence.
    """
    if isinstance(sequences, str):
        raise SequenceError("sequences is a list: for one text use gru.trace(model, text)")
    tokens: list[list[str] | None] = []
    inputs: list[Array] = []
    for number, sequence in enumerate(sequences, 1):
        try:
            its_tokens, x = read(model, sequence)
        except SequenceError as error:
            raise SequenceError(f"sequence {number}, {error}") from error
        tokens.append(its_tokens)
        inputs.append(x)
    if not inputs:
        raise SequenceError("there is no sequence in the list")
    return tuple(tokens), inputs


def _initial(model: Model, h0: Sequence[npt.ArrayLike] | None, after: TraceBatch | None, B: int) -> list[Array]:
    """Return the initial state of each layer, `(B, S)`: `h0`, the final states of the batch `after`, or zero.

    Raises ValueError if both are given, if `after` is given for a bidirectional model, or if a shape does not fit.
    """
    if after is not None and h0 is not None:
        raise ValueError("h0 and after are both initial states: give only one of them")
    given: Sequence[npt.ArrayLike] | None = h0 if after is None else after.last
    if after is not None and model.is_bidirectional:
        raise ValueError("a bidirectional network needs whole sequences: a batch cannot go on from another one")
    states = model.state(None) if given is None else [np.asarray(state, float) for state in given]
    needed = [state.shape for state in model.state(None)]
    if [state.shape[-1:] for state in states] != needed or any(s.shape[:-1] not in ((), (B,)) for s in states):
        shapes = [state.shape for state in states]
        raise ValueError(f"h0 has shapes {shapes}, but this batch needs {needed}, or {[(B, *S) for S in needed]}")
    return [np.broadcast_to(state, (B, *state.shape[-1:])) for state in states]


def _run(model: Model, x: Array, lengths: Lengths, state: Sequence[Array], holds: Sequence[Holds | None]) -> list[Run]:
    """Run the model over padded inputs `(T, B, I)`, and return the run of each layer.

    The time axis is split into parts. Each part leaves out the sequences that have already ended.
    """
    parts = 1 if model.is_bidirectional else PARTS
    ends = np.unique(np.quantile(lengths, np.linspace(0, 1, parts + 1)[1:], method="higher"))
    runs: list[Run] = []
    values: list[dict[str, Any]] = []
    for start, end in zip([0, *ends], ends, strict=False):
        part = slice(int(start), int(end)), np.flatnonzero(lengths > start)
        all_count = np.ones(x[part].shape[:2], bool)  # `holds` already marks the skipped timesteps
        part_runs = model.forward(x[part], state, [held and held[part] for held in holds], all_count)
        if not runs:
            runs = part_runs
            values = [
                {name: np.zeros((*x.shape[:2], run.cell.units), run.h.dtype) for name in run.cell.signals}
                for run in runs
            ]
        for run, arrays in zip(part_runs, values, strict=True):
            for name, array in arrays.items():
                array[part] = getattr(run, name)
        alive = lengths[part[1]] > end
        state = [run.last[alive] for run in part_runs]
    below = [x, *(arrays["h"] for arrays in values)]
    return [
        replace(run, x=inputs, holds=held, **arrays)
        for run, inputs, held, arrays in zip(runs, below, holds, values, strict=False)
    ]
