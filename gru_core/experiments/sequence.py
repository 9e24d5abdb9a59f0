"""Sequential cost: a GRU, an attention head and a minimal GRU of the same width, compared over T timesteps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from time import perf_counter
from typing import Literal

import numpy as np

from gru_core.cells.gru import GRU
from gru_core.cells.mingru import MinGRU, passes
from gru_core.experiments import BASES, EQUAL
from gru_core.experiments.attention import Attention
from gru_core.training.abilities import EXPERIMENT_TASKS
from gru_core.training.cards import first_card
from gru_core.training.fit import fit
from gru_core.training.recipe import Recipe, begin

WIDTH = 32
"""The inputs and the units of each network."""

LENGTHS = {1: tuple(2**k for k in range(4, 13)), 32: tuple(2**k for k in range(4, 10))}
"""The sequence lengths that are timed, by the number of sequences in a batch."""

REPEATS = 9
"""The number of runs for each stored time. The fastest run counts, because other work only adds time."""

TIE = 0.1
"""Two times tie if the longer one is at most this share longer."""

KINDS = {
    "gru": "GRU",
    "attention": "one head of self-attention",
    "loop": "minimal GRU, one timestep after another",
    "scan": "minimal GRU, parallel scan",
}

PARITY_STEPS, PARITY_SEEDS, PARITY_EVERY = 1000, range(5), 25

Comparison = Literal["faster", "tie", "slower"]


def counts(T: int) -> dict[str, tuple[int, int]]:
    """Return the numbers of sequential operations and of multiply-adds over T timesteps, by network."""
    d, rng = WIDTH, np.random.default_rng(0)
    minimal = T * MinGRU.random(d, d, rng).multiply_adds
    return {
        "gru": (T, T * GRU.random(d, d, rng).multiply_adds),
        "attention": (1, T * 3 * d * d + T * (T + 1) // 2 * 2 * d),
        "loop": (T, minimal),
        "scan": (passes(T), minimal + passes(T) * T * 2 * d),
    }


def timed(T: int, B: int = 1, repeats: int = REPEATS) -> dict[str, float]:
    """Return the seconds that each network needs for B sequences of T timesteps: the fastest of `repeats` runs."""
    rng, d = np.random.default_rng(T), WIDTH
    x = rng.normal(size=(T, d) if B == 1 else (T, B, d))
    gru, minimal = GRU.random(d, d, rng), MinGRU.random(d, d, rng)
    head = Attention(*(rng.normal(size=(d, d)) / np.sqrt(d) for _ in range(3)))
    runs: dict[str, Callable[[], object]] = {
        "gru": lambda: gru.forward(x),
        "attention": lambda: head(x),
        "loop": lambda: minimal.forward(x),
        "scan": lambda: minimal.scan(x),
    }
    for run in runs.values():
        run()
    fastest = dict.fromkeys(runs, np.inf)
    for _ in range(repeats):  # the networks take turns: other work on the machine slows all of them
        for kind, run in runs.items():
            start = perf_counter()
            run()
            fastest[kind] = min(fastest[kind], perf_counter() - start)
    return fastest


def attention_against_gru(times: Mapping[str, float]) -> Comparison:
    """Return whether attention is faster or slower than the GRU, or ties with it. `times` is a result of `timed`."""
    attention, gru = times["attention"], times["gru"]
    if max(attention, gru) <= (1 + TIE) * min(attention, gru):
        return "tie"
    return "slower" if attention > gru else "faster"


def slower_from(by_length: Mapping[str, Mapping[str, float]]) -> int | None:
    """Return the shortest timed length from which attention is always slower than the GRU; None if there is none."""
    lengths = sorted(by_length, key=int)
    slower = [attention_against_gru(by_length[T]) == "slower" for T in lengths]
    return next((int(T) for i, T in enumerate(lengths) if all(slower[i:])), None)


def parity(seed: int, cell: str) -> list[tuple[int, float]]:
    """Train a cell on parity, and return pairs of a training step and the held-out accuracy."""
    recipe = parity_recipe(seed, cell)
    model, rng = begin(recipe, first_card(recipe))
    snapshots = list(fit(model, EXPERIMENT_TASKS["parity"], rng, recipe.schedule, also=lambda step: step == 0))
    shown = [snapshot for snapshot in snapshots[:-1] if snapshot.step % PARITY_EVERY == 0]
    return [(snapshot.step, float(f"{snapshot.score:.4g}")) for snapshot in [*shown, snapshots[-1]]]


def parity_recipe(seed: int, cell: str) -> Recipe:
    """Return the recipe that trains a cell with an update gate on parity for at most PARITY_STEPS training steps."""
    base = BASES["parity"]
    schedule = replace(base.schedule, most=PARITY_STEPS)
    return replace(base, cell=cell, seed=seed, biases=EQUAL["gru"], schedule=schedule)
