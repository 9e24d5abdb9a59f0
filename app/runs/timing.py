"""The time that a model takes on this server, per timestep and per training batch."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np
from pydantic import BaseModel

from gru_core import Model
from gru_core.training.fit import loss_and_gradients

from .. import models
from ..server.budget import spend

T, B = 100, 32
"""The number of timesteps in a sequence, and the number of sequences in a training batch."""

REPEATS = 9


class Timing(BaseModel):
    """The microseconds per timestep (`step`), and the milliseconds for the gradients of a batch (`training`).

    Both are medians of `repeats` measurements. The batch has `sequences` sequences of `steps` timesteps.
    """

    step: float
    training: float
    repeats: int
    steps: int
    sequences: int


def measure(model: Model) -> Timing:
    """Measure the `Timing` of a model on sequences of its task."""
    batch = models.task(model).draw(np.random.default_rng(0), T, B)
    spend(T * B * sum(cell.units for cell in model.layers))
    x = batch.x[:, 0]
    return Timing(
        step=1e6 * _seconds(lambda: _run(model, x)) / T,
        training=1e3 * _seconds(lambda: loss_and_gradients(model, batch)),
        repeats=REPEATS,
        steps=T,
        sequences=B,
    )


def _run(model: Model, x: np.ndarray) -> None:
    for cell in model.layers:
        x = cell.forward(x).h


def _seconds(work: Callable[[], object]) -> float:
    """Return the median time of `work` over all repeats, in seconds."""
    times = []
    for _ in range(REPEATS):
        started = perf_counter()
        work()
        times.append(perf_counter() - started)
    return median(times)
