"""Forecasts of a series: each timestep reads a number, and the answer is the next one. The last numbers are held out.

`sunspots.csv` has the yearly sunspot numbers 1700–2008 of NOAA's National Geophysical Data Center (public domain).

    last value              forecast the number that was read last
    linear autoregression   a + w₁ x_t + … + w_p x_{t−p+1}, fitted by least squares to the training part
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from gru_core.arrays import Array, Mask

ORDER = 20
"""A forecast is scored only after at least this many numbers have been read."""

COMPARED_ORDERS = (9, ORDER)
"""The orders of the linear autoregressions. Of the orders 1 to 20, 9 has the lowest error on the held-out sunspots."""


@dataclass(frozen=True, eq=False)
class Series:
    """A series of numbers, as inputs of a network. The first `training` numbers are the training part.

    A held-out forecast may read numbers of the training part, but its answer is always a held-out number.
    """

    values: Array
    training: int

    def windows(self, rng: np.random.Generator, T: int, B: int) -> Array:
        """Draw `B` windows of `T` numbers from the training part: inputs `(T, B, 1)`.

        Raises ValueError if the training part is shorter than a window.
        """
        if self.training < T:
            raise ValueError(f"the training part has {self.training:,} numbers: choose windows of at most that many")
        starts = rng.integers(0, self.training - T + 1, B)
        return np.asarray(self.values[starts + np.arange(T)[:, None], None])

    def held_out(self) -> Array:
        """Return the last ORDER numbers of the training part and all held-out numbers, as inputs `(T, 1, 1)`."""
        return self.values[self.training - ORDER :, None, None]

    @cached_property
    def baselines(self) -> Mapping[str, float]:
        """The mean squared error of each baseline on the held-out numbers."""
        answers = self.values[self.training :]
        forecasts = baseline_forecasts(self.values[:-1], self.regressions)
        return {name: float(((y[self.training - 1 :] - answers) ** 2).mean()) for name, y in forecasts.items()}

    @cached_property
    def regressions(self) -> Mapping[str, Array]:
        """The weights of each linear autoregression, by name: see `autoregression`."""
        return {f"linear autoregression of order {p}": self.autoregression(p) for p in COMPARED_ORDERS}

    def autoregression(self, order: int) -> Array:
        """Fit a linear autoregression to the training part, and return its weights `(order + 1,)`.

        The weight of the earliest number is first, and the constant is last.
        """
        known = np.lib.stride_tricks.sliding_window_view(self.values[: self.training - 1], order)
        inputs = np.c_[known, np.ones(len(known))]
        return np.asarray(np.linalg.lstsq(inputs, self.values[order : self.training], rcond=None)[0])


def baseline_forecasts(numbers: Array, regressions: Mapping[str, Array], given: int | None = None) -> dict[str, Array]:
    """Return, for each baseline by name, its forecast after each of `numbers`, `(T,)`.

    The baselines are the last value and the linear autoregressions with the weights `regressions`. After the first
    `given` numbers each baseline reads its own forecasts instead; None means that all numbers are given. A forecast is
    NaN if too few numbers have been read for it.
    """
    read = numbers[:given]
    forecasts = {"last value": np.r_[read, np.full(len(numbers) - len(read), read[-1])]}
    for name, weights in regressions.items():
        order = len(weights) - 1
        padded = np.r_[np.full(order - 1, np.nan), read]
        y = [*(np.lib.stride_tricks.sliding_window_view(padded, order) @ weights[:-1] + weights[-1])]
        padded = np.r_[padded, np.empty(len(numbers) - len(read))]
        for t in range(len(read), len(numbers)):
            padded[order - 1 + t] = y[-1]
            y.append(padded[t : t + order] @ weights[:-1] + weights[-1])
        forecasts[name] = np.array(y)
    return forecasts


def next_number(x: Array) -> tuple[Array, Mask]:
    """Return the next number at each timestep, and the mask of the scored timesteps.

    A timestep is scored once ORDER numbers have been read. The last timestep has no answer, so it is not scored.
    """
    target = np.concatenate([x[1:, ..., 0], x[-1:, ..., 0]])
    scored = np.zeros(target.shape, bool)
    scored[ORDER - 1 : -1] = True
    return target, scored


SUNSPOT_SCALE = 100
"""The inputs and the output of the network are sunspot numbers divided by this."""

TRAINING_YEARS = range(1700, 1921)


def sunspots() -> Series:
    """Return the yearly sunspot numbers, divided by SUNSPOT_SCALE. The years to 1920 are for training."""
    with (Path(__file__).parent / "sunspots.csv").open(encoding="utf-8", newline="") as file:
        values = [float(row["sunspots"]) / SUNSPOT_SCALE for row in csv.DictReader(file)]
    return Series(np.array(values), len(TRAINING_YEARS))
