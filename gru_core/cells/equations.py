"""The numbers in the equations of a timestep: the products, and how many decimals a page must print.

A page prints the numbers of an equation with two decimals. A reader who works the equation out from these numbers
should get the printed result. Two decimals are not always enough: 0.304 + 0.304 = 0.608 prints as 0.30 + 0.30 = 0.61.
In such cases a page prints more decimals, at most four. This module computes which numbers of decimals are enough.
"""

from __future__ import annotations

from typing import TypedDict

import numpy as np

from gru_core.arrays import Array, Mask
from gru_core.cells.run import Run

DECIMALS = (2, 3, 4)
"""The numbers of decimals that a page can print."""

_SCALES = 10.0 ** np.array(DECIMALS)

LARGE = 1e4
"""Numbers of at least this size are printed with two significant digits, such as 1.2e+4."""


def printed(x: Array) -> Array:
    """Return the numbers as they are printed with 2, 3 and 4 decimals: `(3, …)`.

    Halves are rounded away from zero, as JavaScript's toFixed rounds them.
    """
    size = np.abs(np.asarray(x, float))
    scale = _SCALES.reshape(-1, *[1] * size.ndim)
    if (size >= LARGE).any():
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = np.where(size < LARGE, scale, 10.0 ** (1 - np.floor(np.log10(size))))
    return np.asarray(np.copysign(np.floor(size * scale + 0.5) / scale, x))


def follows(run: Run, unit: int) -> tuple[list[str], Mask]:
    """Return the names of the results in a unit's equations, and a mask of results that follow from printed numbers.

    The R results have names such as "z.a", the sum of z, and "z.value". The mask is `(3, R, T)`, for 2, 3 and 4
    decimals. A result follows if the equation, worked out with the printed numbers, differs from the printed result by
    at most half a unit of the last decimal. At exactly half a unit, rounding up and rounding down are both correct.
    """
    results = run.work_out(unit, printed)
    worked_out, values = (np.array(arrays) for arrays in zip(*results.values(), strict=True))
    gaps = np.abs(np.moveaxis(worked_out, 0, 1) - printed(values))
    return list(results), gaps <= 0.5 / _SCALES[:, None, None] + 1e-9


class EquationNumbers(TypedDict):
    """The products in one unit's equations at one timestep, and the decimals that the results need.

    `parts` are the products in the order of `Cell.parts`, to nine decimals. `sizes` are the root mean squares of the
    products over all units of the layer, to six decimals. `decimals` maps a result to the numbers of decimals (of
    2, 3 and 4) with which the printed terms give the printed result. A result is left out if all three do.
    """

    parts: list[float]
    sizes: list[float]
    decimals: dict[str, list[int]]


def steps(run: Run, unit: int) -> list[EquationNumbers]:
    """Return the numbers in a unit's equations for each timestep."""
    arrays = run.parts
    parts = np.array([arrays[name] for name in run.cell.parts], float).reshape(-1, *run.h.shape)
    of_unit, sizes = parts[..., unit].T.round(9).tolist(), np.sqrt((parts**2).mean(-1)).T.round(6).tolist()
    entries: list[EquationNumbers] = [
        {"parts": products, "sizes": means, "decimals": {}} for products, means in zip(of_unit, sizes, strict=True)
    ]
    results, masks = follows(run, unit)
    for i, t in np.argwhere(~masks.all(0)).tolist():
        entries[t]["decimals"][results[i]] = [d for d, enough in zip(DECIMALS, masks[:, i, t], strict=True) if enough]
    return entries
