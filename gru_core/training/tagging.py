"""The task of a tagger: to name the last capital before each small letter or period, and the next capital after it.

A network that only reads forward cannot know the next capital, which is A or B with equal probability. At best it knows
the previous capital and guesses the next one, so half of its tags are correct.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array, Mask

CAPITALS = 0.2
"""The probability of a capital letter in the drawn sequences."""

LABELS = ("AA", "AB", "BA", "BB")
"""The tags. The first letter is the capital before a timestep, and the second is the capital after it."""


def letters(rng: np.random.Generator, T: int, B: int) -> Array:
    """Draw sequences `(T, B, 6)` of small letters, periods and capitals.

    The first and the last timestep are capitals. Any other timestep is a capital with probability `CAPITALS`.
    """
    capital = rng.random((T, B)) < CAPITALS
    capital[[0, -1]] = True
    return np.eye(6)[np.where(capital, rng.integers(0, 2, (T, B)), rng.integers(2, 6, (T, B)))]


def tags(x: Array) -> tuple[npt.NDArray[np.int_], Mask]:
    """Return the tag at every timestep, and the mask of the scored timesteps.

    A timestep without a capital is scored if there is a capital before it and a capital after it.
    """
    capital = np.asarray((x[..., :2] > 0).any(-1))
    letter = x[..., :2].argmax(-1)
    before, has_before = _latest(capital, letter)
    after, has_after = _latest(capital[::-1], letter[::-1])
    return 2 * before + after[::-1], ~capital & has_before & has_after[::-1]


def _latest(capital: Mask, letter: npt.NDArray[np.int_]) -> tuple[npt.NDArray[np.int_], Mask]:
    """Return, for every timestep, the letter at the latest capital so far, and whether there is such a capital."""
    steps = np.arange(len(capital)).reshape(-1, *[1] * (capital.ndim - 1))
    latest = np.maximum.accumulate(np.where(capital, steps, -1), axis=0)
    return np.take_along_axis(letter, np.maximum(0, latest), 0), latest >= 0
