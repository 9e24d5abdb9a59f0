"""The ledger: the contribution of each timestep's candidate to a unit's state.

The state m of a unit is a mixture of the old state and the candidate, m_t = keep_t m_{t-1} + take_t candidate_t. Over
all timesteps this gives

    m_t = L_{t,0} s_t + Σ_{k≤t} L_{t,k} candidate_k
    L_{t,k} = take_k Π_{k<s≤t} keep_s        L_{t,0} = Π_{s≤t} keep_s

In a GRU m is h: keep = 1 − z and take = z, so the shares of a row sum to 1. In an LSTM m is c: keep = f and take = i.
These two gates do not depend on each other, so the shares need not sum to 1. An RNN has no ledger.

s_t is the initial state m_0. After a clamp on the state, s_t is the last value that the clamp set. Then L_{t,0} starts
at the clamped timestep, and earlier timesteps have no share.

The ledger is exact for the mixture, but it does not show causes: a candidate itself depends on the state before it.
A unit that reads the sequence backward starts at the last timestep, so its row t has shares of the timesteps k ≥ t.

All functions that take a run require the run of a single sequence, not of a batch. They count units and timesteps from
0, and raise ValueError for an RNN.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array
from gru_core.cells import directions
from gru_core.cells.mixture import Mixture
from gru_core.cells.run import Run


def mixture(run: Run) -> Mixture:
    """Return the mixture that the ledger splits into shares. Raises ValueError if the cell has no mixture."""
    if run.mixture is None:
        raise ValueError(
            f"an {run.cell.title} has no contributions of timesteps: each state is tanh of a sum that contains the old "
            "state, so the state is not a mixture of candidates"
        )
    return run.mixture


def _as_read(run: Run, unit: int) -> tuple[Run, int] | None:
    """Return the run of the backward units, last timestep first, and the index of `unit` in this run.

    Return None for a forward unit.
    """
    n = run.cell.units - run.cell.backward_units
    return (directions.runs(run)[1], unit - n) if unit >= n else None


def _turned(rows: Array) -> Array:
    """Return `rows` with the columns of the timesteps reversed. Column 0, the initial state, stays first."""
    return np.concatenate([rows[..., :1], rows[..., :0:-1]], -1)


def since(run: Run, unit: int) -> npt.NDArray[np.int_]:
    """Return the timestep at which the ledger row of each timestep starts, `(T,)`: -1 for the initial state.

    A row starts at the latest clamp on the state. In a GRU a clamp sets the state that a timestep reads, so the row
    starts at the clamped timestep. In an LSTM a clamp sets the state that a timestep produces, so the row starts at the
    next timestep.
    """
    if back := _as_read(run, unit):
        steps = since(*back)[::-1]
        return np.where(steps < 0, -1, len(run.h) - 1 - steps)
    parts = mixture(run)
    latest = np.full(len(run.h), -1)
    if parts.held is not None:
        held = np.flatnonzero(parts.held[:, unit])
        latest[held] = held + parts.after
    return np.maximum.accumulate(latest)


def origins(run: Run, unit: int) -> Array:
    """Return s_t, the state that column 0 of the ledger belongs to: `(T,)`."""
    if back := _as_read(run, unit):
        return origins(*back)[::-1]
    # `since` is -1 without a clamp. Then s_t is the initial state, which is row 0 of `starts`.
    return np.asarray(mixture(run).starts[np.maximum(0, since(run, unit)), unit])


def ledger_row(run: Run, unit: int, t: int) -> Array:
    """Return L_t, the shares in the state at timestep `t`: `(T + 1,)`.

    Column 0 is the share of s_t, and column k the share of the k-th timestep's candidate.
    """
    if back := _as_read(run, unit):
        return _turned(ledger_row(*back, len(run.h) - 1 - range(len(run.h))[t]))
    parts, start = mixture(run), max(0, int(since(run, unit)[t]))
    keep, take = parts.keep[:, unit], parts.take[:, unit]
    # Π_{k≤s≤t} keep_s for every k, multiplied backward from t. A quotient of products would lose small factors.
    products = np.ones(t + 2 - start, keep.dtype)
    products[:-1] = np.cumprod(keep[start : t + 1][::-1])[::-1]
    row = np.zeros(len(keep) + 1, keep.dtype)
    row[0], row[start + 1 : t + 2] = products[0], take[start : t + 1] * products[1:]
    return row


def largest(rows: Array, most: int = 3) -> npt.NDArray[np.int_]:
    """Return the column indices of the `most` largest shares in each row, the largest first: `(T, most)`.

    If shares are equal, the earlier column comes first. If a row has fewer than `most` shares, all are returned.
    """
    return np.ascontiguousarray(np.argsort(-rows, axis=1, kind="stable")[:, :most])


def ledger(run: Run, unit: int, steps: slice = slice(None)) -> Array:
    """Return the ledger rows L_t of the timesteps in the slice `steps`, with step 1: `(T, T + 1)` for all timesteps."""
    if back := _as_read(run, unit):
        first, last, _ = steps.indices(len(run.h))
        return _turned(ledger(*back, slice(len(run.h) - last, len(run.h) - first)))[::-1]
    parts, start = mixture(run), since(run, unit)
    keep, take = parts.keep[:, unit], parts.take[:, unit]
    first, last, _ = steps.indices(len(keep))
    rows = np.zeros((last - first, len(keep) + 1), keep.dtype)
    rows[:1] = ledger_row(run, unit, first)
    for t, (before, row) in enumerate(pairwise(rows), first + 1):
        if start[t] > t:  # a clamp set the state that this timestep produces
            row[0] = 1
            continue
        if start[t] == t:
            row[0] = keep[t]
        else:
            np.multiply(before[: t + 1], keep[t], row[: t + 1])
        row[t + 1] = take[t]
    return rows
