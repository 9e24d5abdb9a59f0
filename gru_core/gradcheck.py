"""A check of a gradient against a difference quotient, along a random direction."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from gru_core.arrays import Array


def check_gradient(
    loss: Callable[[Mapping[str, Array]], float],
    at: Mapping[str, Array],
    gradient: Mapping[str, Array],
    rng: np.random.Generator,
    *,
    step: float = 1e-4,
    tolerance: float = 1e-7,
) -> float:
    """Return the relative error of `gradient` as the derivative of `loss` at `at`, along a random direction.

    The quotient is central and of fourth order,
    (8 (L(+ε) − L(−ε)) − (L(+2ε) − L(−2ε))) / 12 ε, so `step` can be so large that
    rounding does not matter. Raises AssertionError, with both values, if the error is above `tolerance`.
    """
    direction = {name: rng.normal(size=array.shape) for name, array in at.items()}

    def moved(by: float) -> float:
        return loss({name: array + by * direction[name] for name, array in at.items()})

    numeric = (8 * (moved(step) - moved(-step)) - (moved(2 * step) - moved(-2 * step))) / (12 * step)
    exact = float(sum((gradient[name] * direction[name]).sum() for name in at))
    error = abs(numeric - exact) / max(abs(numeric), abs(exact), 1e-30)
    if error > tolerance:
        raise AssertionError(f"gradient {exact!r} against numeric {numeric!r}: relative error {error:.2g}")
    return error
