"""A state that a timestep mixes from the old state and a candidate. The ledger accounts for it.

    m_t = keep_t ⊙ m_{t-1} + take_t ⊙ candidate_t

In a GRU m is h, with 1 − z and z. In an LSTM it is c, with f and i.
"""

from __future__ import annotations

from dataclasses import dataclass

from gru_core.arrays import Array, Mask


@dataclass(frozen=True)
class Mixture:
    """The parts of a mixture over the T timesteps of a run, each `(T, H)`.

    `starts` has the state that each timestep starts from, m_{t-1} as the timestep reads it. It may have one more row,
    the last state. `held` is true where a clamp set the state: the state that the timestep reads or, with `after`, the
    state that it leaves.
    """

    keep: Array
    take: Array
    candidate: Array
    starts: Array
    held: Mask | None
    after: bool = False
