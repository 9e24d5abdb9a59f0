"""The ledger: of which candidates a unit's state is made.

Written out over all steps, m_t = keep_t m_{t-1} + take_t candidate_t says for each unit

    m_t = L_{t,0} s_t + Σ_{k≤t} L_{t,k} candidate_k
    L_{t,k} = take_k Π_{k<s≤t} keep_s        L_{t,0} = Π_{s≤t} keep_s

A GRU keeps 1 − z and takes z of h̃: the shares of a step sum to 1. An LSTM keeps f and takes i of c̃,
two gates that know nothing of one another: its shares, of c, need not sum to 1. An RNN has no ledger.

s_t is m_0 or, where a clamp has put a value in the place of the state, the last such value: L_{t,0}
then begins at that step, and what was before it has no share.

It is an exact account of the mixture, not of causes: a candidate itself saw the state before it.
Functions take the run of one sequence and count units and steps from 0. They raise ValueError for
the run of an RNN.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array
from gru_core.cell import Run
from gru_core.mixture import Mixture


def mixture(run: Run) -> Mixture:
    """What the ledger accounts for. Raises ValueError when the cell makes no mixture."""
    if run.mixture is None:
        raise ValueError(
            f"an {run.cell.title} has no contributions of steps: each state is tanh of a sum that contains the old "
            "state, so the state is not a mixture of candidates"
        )
    return run.mixture


def since(run: Run, unit: int) -> npt.NDArray[np.int_]:
    """For every step the last one that started from a value put in, -1 for none: `(T,)`.

    It is the step after where the state that a step left was held.
    """
    of = mixture(run)
    last = np.full(len(run.h), -1)
    if of.held is not None:
        held = np.flatnonzero(of.held[:, unit])
        last[held] = held + of.after
    return np.maximum.accumulate(last)


def origins(run: Run, unit: int) -> Array:
    """s_t, which column 0 of the ledger is the share of: `(T,)`."""
    # Where nothing was put in, step 0 started from the first state itself.
    return np.asarray(mixture(run).starts[np.maximum(0, since(run, unit)), unit])


def ledger_row(run: Run, unit: int, t: int) -> Array:
    """L_t, the shares of which the state is made: `(T + 1,)`, column k that of the k-th step's candidate."""
    of, start = mixture(run), max(0, int(since(run, unit)[t]))
    keep, take = of.keep[:, unit], of.take[:, unit]
    # Π_{k≤s≤t} keep_s for every k, without a division, which loses small ones
    kept = np.ones(t + 2 - start, keep.dtype)
    kept[:-1] = np.cumprod(keep[start : t + 1][::-1])[::-1]
    row = np.zeros(len(keep) + 1, keep.dtype)
    row[0], row[start + 1 : t + 2] = kept[0], take[start : t + 1] * kept[1:]
    return row


def largest(rows: Array, most: int = 3) -> npt.NDArray[np.int_]:
    """The columns of each row's largest shares, the largest first: `(T, most)`, fewer where a row has fewer.

    Of equal shares the earlier one comes first.
    """
    return np.ascontiguousarray(np.argsort(-rows, axis=1, kind="stable")[:, :most])


def ledger(run: Run, unit: int, steps: slice = slice(None)) -> Array:
    """The rows L_t of all steps, or of some in a row: `(T, T + 1)`, each made from the one before it."""
    of, put_in = mixture(run), since(run, unit)
    keep, take = of.keep[:, unit], of.take[:, unit]
    first, last, _ = steps.indices(len(keep))
    rows = np.zeros((last - first, len(keep) + 1), keep.dtype)
    rows[:1] = ledger_row(run, unit, first)
    for t, (before, row) in enumerate(pairwise(rows), first + 1):
        if put_in[t] > t:
            row[0] = 1
            continue
        if put_in[t] == t:
            row[0] = keep[t]
        else:
            np.multiply(before[: t + 1], keep[t], row[: t + 1])
        row[t + 1] = take[t]
    return rows
