"""The ledger: of which candidates a unit's state is made.

Written out over all steps, h_t = (1 − z_t) h_{t-1} + z_t h̃_t says for each unit

    h_t = L_{t,0} s_t + Σ_{k≤t} L_{t,k} h̃_k
    L_{t,k} = z_k Π_{k<s≤t} (1 − z_s)        L_{t,0} = Π_{s≤t} (1 − z_s)

The shares of a step sum to 1. s_t is h_0 or, where a clamp has put a value in the place of h_{t-1},
the last such value: L_{t,0} then begins at that step, and what was before it has no share.

It is an exact account of the mixture, not of causes: h̃_k itself saw h_{k-1}. Functions take the run
of one sequence and count units and steps from 0.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array
from gru_core.gru import Forward


def since(run: Forward, unit: int) -> npt.NDArray[np.int_]:
    """For every step the last one at which a value stood in for the unit's h_{t-1}, -1 for none: `(T,)`."""
    last = np.full(len(run.h), -1)
    if run.holds is not None and "h_prev" in run.holds.masks:
        held = np.flatnonzero(run.holds.masks["h_prev"][:, unit])
        last[held] = held
    return np.maximum.accumulate(last)


def origins(run: Forward, unit: int) -> Array:
    """s_t, which column 0 of the ledger is the share of: `(T,)`."""
    last = since(run, unit)
    return np.asarray(np.where(last < 0, run.h0[unit], run.h_prev[last, unit]))


def ledger_row(run: Forward, unit: int, t: int) -> Array:
    """L_t, the shares of which h_t is made: `(T + 1,)`, column k that of the k-th step's candidate."""
    z, start = run.z[:, unit], max(0, int(since(run, unit)[t]))
    kept = np.ones(
        t + 2 - start, z.dtype
    )  # Π_{k≤s≤t} (1 − z_s) for every k, without a division, which loses small ones
    kept[:-1] = np.cumprod(1 - z[start : t + 1][::-1])[::-1]
    row = np.zeros(len(z) + 1, z.dtype)
    row[0], row[start + 1 : t + 2] = kept[0], z[start : t + 1] * kept[1:]
    return row


def largest(rows: Array, most: int = 3) -> npt.NDArray[np.int_]:
    """The columns of each row's largest shares, the largest first: `(T, most)`, fewer where a row has fewer.

    Of equal shares the earlier one comes first.
    """
    return np.ascontiguousarray(np.argsort(-rows, axis=1, kind="stable")[:, :most])


def ledger(run: Forward, unit: int, steps: slice = slice(None)) -> Array:
    """The rows L_t of all steps, or of some in a row: `(T, T + 1)`, each made from the one before it."""
    z, put_in = run.z[:, unit], since(run, unit)
    first, last, _ = steps.indices(len(z))
    rows = np.zeros((last - first, len(z) + 1), z.dtype)
    rows[:1] = ledger_row(run, unit, first)
    for t, (before, row) in enumerate(pairwise(rows), first + 1):
        if put_in[t] == t:
            row[0] = 1 - z[t]
        else:
            np.multiply(before[: t + 1], 1 - z[t], row[: t + 1])
        row[t + 1] = z[t]
    return rows
