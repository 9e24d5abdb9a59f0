"""A mixture: a state that is a sum of the old state and a candidate, each multiplied by a gate.

    m_t = keep_t ⊙ m_{t-1} + take_t ⊙ candidate_t

In a GRU m is h, with the gates 1 − z and z. In an LSTM m is c, with the gates f and i. runs/ledger.py splits such a
state into the contributions of all timesteps.
"""

from __future__ import annotations

from dataclasses import dataclass

from gru_core.arrays import Array, Mask


@dataclass(frozen=True)
class Mixture:
    """The parts of a mixture over the T timesteps of a run, each `(T, H)`.

    `starts` has the state that each timestep starts from: m_{t-1} as the timestep reads it. One more row, the last
    state, may follow. `held` is the mask of the clamped states, or None without a clamp. If `after` is true, the mask
    is for the states after each timestep; otherwise it is for the states that each timestep reads.
    """

    keep: Array
    take: Array
    candidate: Array
    starts: Array
    held: Mask | None
    after: bool = False
