"""A gradient check, which compares a gradient with a finite difference along a random direction."""

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
    """Return the relative error of `gradient`, the gradient of `loss` at the point `at`, along a random direction.

    The reference is the central difference of fourth order with ε = `step`:
    (8 (L(+ε) − L(−ε)) − (L(+2ε) − L(−2ε))) / 12 ε. This order allows a step that is large enough to make rounding
    errors negligible. Raises AssertionError, with both values, if the error is above `tolerance`.
    """
    direction = {name: rng.normal(size=array.shape) for name, array in at.items()}

    def loss_at(distance: float) -> float:
        return loss({name: array + distance * direction[name] for name, array in at.items()})

    numeric = (8 * (loss_at(step) - loss_at(-step)) - (loss_at(2 * step) - loss_at(-2 * step))) / (12 * step)
    exact = float(sum((gradient[name] * direction[name]).sum() for name in at))
    error = abs(numeric - exact) / max(abs(numeric), abs(exact), 1e-30)
    if error > tolerance:
        raise AssertionError(f"gradient {exact!r} against numeric {numeric!r}: relative error {error:.2g}")
    return error
