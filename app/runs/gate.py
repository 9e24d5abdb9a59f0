"""The game “Be the gate”: the network, the letters that it reads, and which of its answers are correct."""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np

from gru_core import Clamp, Trace, load, trace
from gru_core.runs.trace import read
from gru_core.training.tasks import task_of

MODEL, SEQUENCE = "flip-flop", "A m p B s m"
"""The name of the network, and its letters. With r = 0 the candidates at lowercase letters are near 0."""

LETTERS = tuple(SEQUENCE.split())

Gate = tuple[float, ...]
"""The values of a gate, one for each letter."""


@cache
def network_run() -> Trace:
    """Return the run in which the network sets its gates itself."""
    return trace(load(MODEL), SEQUENCE)


def correct_letters(run: Trace) -> tuple[bool, ...]:
    """Return for each letter whether the network's answer in `run` is correct."""
    task = task_of(run.model)
    assert task is not None
    target, scored = task.answers(read(run.model, SEQUENCE)[1])
    return tuple((np.asarray(run.y.argmax(-1) == target) & scored).tolist())


@lru_cache(20_000)  # Enough for several hundred classes. A room counts all answers again after each new one.
def played_correctly(z: Gate, r: Gate) -> tuple[bool, ...]:
    """Return for each letter whether the network's answer is correct if a player sets the gates to `z` and `r`."""
    clamps = [
        Clamp(gate, value, units=[0], steps=slice(t, t + 1))
        for gate, values in (("z", z), ("r", r))
        for t, value in enumerate(values)
    ]
    return correct_letters(trace(network_run().model, SEQUENCE, clamps=clamps))
