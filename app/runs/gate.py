"""The game “Be the gate”: the network that a player plays, its letters, and which answers are correct."""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np

from gru_core import Clamp, Trace, load, trace
from gru_core.runs.trace import read
from gru_core.training.tasks import task_of

MODEL, SEQUENCE = "flip-flop", "A m p B s m"
"""The network that is played, and the letters. With r = 0 the candidates at its small letters are near 0."""

LETTERS = tuple(SEQUENCE.split())

Gate = tuple[float, ...]
"""The values of a gate, one for each letter."""


@cache
def network_run() -> Trace:
    """Return the run of the network with its own gates."""
    return trace(load(MODEL), SEQUENCE)


def correct_letters(run: Trace) -> tuple[bool, ...]:
    """Return for each letter whether the answer of a run over the letters is correct."""
    task = task_of(run.model)
    assert task is not None
    target, scored = task.answers(read(run.model, SEQUENCE)[1])
    return tuple((np.asarray(run.y.argmax(-1) == target) & scored).tolist())


@lru_cache(20_000)  # The answers of some hundred classes; a room counts all answers again after each new one.
def played_correctly(z: Gate, r: Gate) -> tuple[bool, ...]:
    """Return for each letter whether the network answers correctly if a player sets its gates."""
    clamps = [
        Clamp(gate, value, units=[0], steps=slice(t, t + 1))
        for gate, values in (("z", z), ("r", r))
        for t, value in enumerate(values)
    ]
    return correct_letters(trace(network_run().model, SEQUENCE, clamps=clamps))
