"""The sequential cost of a GRU, a head of attention and a minimal GRU of the same width over T timesteps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from statistics import median
from time import perf_counter

import numpy as np

from gru_core.attention import Attention
from gru_core.gru import GRU
from gru_core.labs import BASES, EQUAL
from gru_core.mingru import MinGRU, fit, passes
from gru_core.model import Readout
from gru_core.tasks import LABS

WIDTH = 32
"""The inputs and the units of each network."""

LENGTHS = tuple(2**k for k in range(4, 13))

KINDS = {
    "gru": "GRU",
    "attention": "one head of self-attention",
    "loop": "minimal GRU, one timestep after another",
    "scan": "minimal GRU, parallel scan",
}

PARITY_STEPS, PARITY_SEEDS = 1000, range(5)


def counts(T: int) -> dict[str, tuple[int, int]]:
    """Return for each network the number of operations one after another, and the number of multiply-adds."""
    d = WIDTH
    minimal = T * (2 * d * d + 2 * d)
    return {
        "gru": (T, T * GRU.random(d, d, np.random.default_rng(0)).multiply_adds),
        "attention": (1, T * 3 * d * d + T * (T + 1) // 2 * 2 * d),
        "loop": (T, minimal),
        "scan": (passes(T), minimal + passes(T) * T * 2 * d),
    }


def timed(T: int, repeats: int = 5) -> dict[str, float]:
    """Return for each network the seconds for a sequence of T timesteps: the median of `repeats` runs."""
    rng, d = np.random.default_rng(T), WIDTH
    x = rng.normal(size=(T, d))
    gru, minimal = GRU.random(d, d, rng), MinGRU.random(d, d, rng)
    head = Attention(*(rng.normal(size=(d, d)) / np.sqrt(d) for _ in range(3)))
    runs: dict[str, Callable[[], object]] = {
        "gru": lambda: gru.forward(x),
        "attention": lambda: head(x),
        "loop": lambda: minimal.loop(x),
        "scan": lambda: minimal.scan(x),
    }
    found = {}
    for kind, run in runs.items():
        seconds = []
        for _ in range(repeats + 1):
            begun = perf_counter()
            run()
            seconds.append(perf_counter() - begun)
        found[kind] = median(seconds[1:])
    return found


def parity(seed: int) -> list[tuple[int, float]]:
    """Return the training steps and the held-out accuracies of a minimal GRU on parity.

    Its recipe is that of the GRU in the race, with PARITY_STEPS training steps.
    """
    base, task = BASES["parity"], LABS["parity"]
    rng = np.random.default_rng(seed)
    cell = MinGRU.random(task.encoder.inputs, base.units, rng, EQUAL["gru"]["z"])
    K = len(task.labels)
    readout = Readout(task.kind, rng.uniform(-1, 1, (K, base.units)) / np.sqrt(base.units), np.zeros(K), task.labels)
    schedule = replace(base.schedule, most=PARITY_STEPS)
    return [(step, accuracy) for step, accuracy, *_ in fit(cell, readout, task, rng, schedule)]
