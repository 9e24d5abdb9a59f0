"""Scores of a model on sequences with known answers, with or without clamps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array, Mask
from gru_core.cells.run import Run
from gru_core.model import Model
from gru_core.runs.clamp import Clamp
from gru_core.training.task import Batch, explained

SCORE = {"softmax": "accuracy", "linear": "squared error"}
"""The name of the score, by the kind of readout."""


def figure(kind: str, score: float) -> str:
    """Format a score: as a percentage for a readout of `kind` "softmax", and as a number for "linear"."""
    return f"{100 * score:.4g}%" if kind == "softmax" else f"{score:.2g}"


def in_words(kind: str, score: float) -> str:
    """Format a held-out score together with its name. `kind` is the kind of the readout."""
    number = figure(kind, score)
    return f"{number} held-out accuracy" if kind == "softmax" else f"held-out mean squared error {number}"


def score(model: Model, batch: Batch, clamps: Sequence[Clamp] = (), h0: Sequence[Array] | None = None) -> float:
    """Return the accuracy (softmax readout) or the mean squared error (linear readout) over the scored timesteps."""
    y = model(batch.x, clamps, h0)[batch.scored]
    target = batch.target[batch.scored]
    if model.readout.kind == "softmax":
        return float((y.argmax(-1) == target).mean())
    return float(((y[:, 0] - target) ** 2).mean())


def confusion(model: Model, batch: Batch) -> npt.NDArray[np.int_]:
    """Return the confusion matrix `(K, K)` of the scored timesteps: the counts by label (row) and output (column)."""
    K = len(model.readout.labels)
    guess, target = model(batch.x)[batch.scored].argmax(-1), batch.target[batch.scored]
    return np.bincount(K * target.astype(int) + guess, minlength=K * K).reshape(K, K)


def row_shares(counts: npt.NDArray[np.int_]) -> Array:
    """Return each count of a confusion matrix `(K, K)` as a share of its row. The shares of an empty row are 0."""
    return np.asarray(counts / np.maximum(counts.sum(1, keepdims=True), 1))


def whole(model: Model, batch: Batch) -> float:
    """Return the share of sequences for which a softmax readout is right at every scored timestep.

    These are the sequences that a model writes without an error at temperature 0, if it can write.
    """
    right = model(batch.x).argmax(-1) == batch.target
    return float((right | ~batch.scored).all(0).mean())


def by_label(model: Model, batch: Batch) -> dict[str, float]:
    """Return the accuracy for each label that occurs at a scored timestep, by label."""
    shares = row_shares(confusion(model, batch))
    return {
        label: float(row[k])
        for k, (label, row) in enumerate(zip(model.readout.labels, shares, strict=True))
        if row.any()
    }


def gate_means(runs: Sequence[Run], events: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return the mean of each gate of the top layer at each kind of timestep that occurs.

    The keys are names such as "z at write". The result is empty for an RNN, which has no gates.
    """
    gates = [name for name, signal in runs[-1].cell.signals.items() if signal.lowest == 0]
    return {
        f"{gate} at {event}": float(getattr(runs[-1], gate)[mask].mean())
        for event, mask in events.items()
        if mask.any()
        for gate in reversed(gates)  # the update gate of a GRU before its reset gate
    }


def carried(clamp: Clamp, here: Mapping[str, Mask], there: Mapping[str, Mask]) -> tuple[Clamp, str]:
    """Return a clamp for other sequences that matches a clamp on one sequence, and a description of its timesteps.

    `here` has the kinds of timesteps in the clamp's own sequence, as masks `(T,)`. `there` has the kinds of timesteps
    in the other sequences, as masks `(T, B)`. `Task.events` returns both. A clamp on all timesteps becomes a clamp on
    all timesteps, and a clamp on timesteps of one kind becomes a clamp on every timestep of this kind. In a sequence of
    one timestep, only a clamp without an end counts as a clamp on all timesteps.

    Raises ValueError if the clamp covers no timestep, or timesteps of several kinds.
    """
    on = clamp.on(len(next(iter(here.values()))))
    endless = clamp.steps is None or (isinstance(clamp.steps, slice) and clamp.steps.stop is None)
    if on.all() and (endless or len(on) > 1):
        return replace(clamp, steps=None), "every timestep"
    kind, *more = (kind for kind, mask in here.items() if mask[on].any())
    if more:
        first, *_, last = np.flatnonzero(on) + 1
        raise ValueError(
            f"timesteps {first} to {last} are of several kinds ({', '.join([kind, *more])}), so it is not clear which "
            f"timesteps to clamp in other sequences: clamp all timesteps, or timesteps of one kind ({', '.join(here)})"
        )
    words = f"every timestep without a {explained(next(iter(here)))}" if kind == "other" else f"every {explained(kind)}"
    return replace(clamp, steps=there[kind]), words
