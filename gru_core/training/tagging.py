"""The task of a tagger: to name, at each small letter, the capitals before and after it.

A network that only reads from the start cannot know the next capital, which is A or B with equal probability. The best
that it can do is to name the capital before, so half of its tags are correct.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array, Mask

CAPITALS = 0.2
"""The probability of a capital letter in the drawn sequences."""

LABELS = ("AA", "AB", "BA", "BB")
"""The tags: the capital before, and the capital after."""


def letters(rng: np.random.Generator, T: int, B: int) -> Array:
    """Draw small letters and periods `(T, B, 6)`, with capitals at both ends and with probability `CAPITALS`."""
    capital = rng.random((T, B)) < CAPITALS
    capital[[0, -1]] = True
    return np.eye(6)[np.where(capital, rng.integers(0, 2, (T, B)), rng.integers(2, 6, (T, B)))]


def tags(x: Array) -> tuple[npt.NDArray[np.int_], Mask]:
    """Return the tag at every timestep, scored at each small letter that has a capital before and after it."""
    capital = np.asarray((x[..., :2] > 0).any(-1))
    letter = x[..., :2].argmax(-1)
    before, has_before = _latest(capital, letter)
    after, has_after = _latest(capital[::-1], letter[::-1])
    return 2 * before + after[::-1], ~capital & has_before & has_after[::-1]


def _latest(capital: Mask, letter: npt.NDArray[np.int_]) -> tuple[npt.NDArray[np.int_], Mask]:
    """Return the letter at the latest capital, and whether there is one, at every timestep."""
    steps = np.arange(len(capital)).reshape(-1, *[1] * (capital.ndim - 1))
    latest = np.maximum.accumulate(np.where(capital, steps, -1), axis=0)
    return np.take_along_axis(letter, np.maximum(0, latest), 0), latest >= 0
