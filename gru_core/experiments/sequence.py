"""The sequential cost of a GRU, a head of attention and a minimal GRU of the same width over T timesteps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from statistics import median
from time import perf_counter

import numpy as np

from gru_core.cells.gru import GRU
from gru_core.cells.mingru import MinGRU, passes
from gru_core.experiments import BASES, EQUAL
from gru_core.experiments.attention import Attention
from gru_core.training.checkpoints import first_card
from gru_core.training.fit import fit
from gru_core.training.recipe import Recipe, begin
from gru_core.training.tasks import EXPERIMENT_TASKS

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
    d, rng = WIDTH, np.random.default_rng(0)
    minimal = T * MinGRU.random(d, d, rng).multiply_adds
    return {
        "gru": (T, T * GRU.random(d, d, rng).multiply_adds),
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
        "loop": lambda: minimal.forward(x),
        "scan": lambda: minimal.scan(x),
    }
    medians = {}
    for kind, run in runs.items():
        seconds = []
        for _ in range(repeats + 1):
            start = perf_counter()
            run()
            seconds.append(perf_counter() - start)
        medians[kind] = median(seconds[1:])
    return medians


def parity(seed: int) -> list[tuple[int, float]]:
    """Return the training steps and the held-out accuracies of a minimal GRU on parity."""
    recipe = parity_recipe(seed)
    model, rng = begin(recipe, first_card(recipe))
    snapshots = fit(model, EXPERIMENT_TASKS["parity"], rng, recipe.schedule, also=lambda step: step == 0)
    return [(snapshot.step, snapshot.score) for snapshot in snapshots]


def parity_recipe(seed: int) -> Recipe:
    """Return the recipe of the GRU in the race for a minimal GRU, with PARITY_STEPS training steps."""
    base = BASES["parity"]
    schedule = replace(base.schedule, most=PARITY_STEPS)
    return replace(base, cell="mingru", seed=seed, biases=EQUAL["gru"], schedule=schedule)
