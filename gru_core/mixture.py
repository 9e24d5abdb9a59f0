"""A state that a step makes of the old one and of a candidate, as the ledger accounts for it.

    m_t = keep_t ⊙ m_{t-1} + take_t ⊙ candidate_t

A GRU's is h, with 1 − z and z; an LSTM's is c, with f and i.
"""

from __future__ import annotations

from dataclasses import dataclass

from gru_core.arrays import Array, Mask


@dataclass(frozen=True)
class Mixture:
    """The parts of a run over T steps, each `(T, H)`.

    `starts` says what each step starts from, m_{t-1} as it sees it, and may go one step beyond the
    last. Where `held` is true a value was put in its place: at that step, or, with `after`, in the
    state that the step left.
    """

    keep: Array
    take: Array
    candidate: Array
    starts: Array
    held: Mask | None
    after: bool = False
