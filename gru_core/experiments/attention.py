"""One head of self-attention (Vaswani et al. 2017, arXiv:1706.03762).

    Q = x W_q    K = x W_k    V = x W_v
    y_t = Σ_{s ≤ t} softmax_s(q_t · k_s / √d) v_s

The attention is causal: a timestep reads itself and the timesteps before it. Attention stores every timestep, while a
recurrent cell stores one state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gru_core.arrays import Array

SHARP = 50.0
"""The score, before the softmax, of the item that a question mark asks for. All other items score 0."""


BLOCK = 256
"""The number of timesteps for which attention weights are in memory at the same time."""


@dataclass(frozen=True)
class Attention:
    """The weights of one head: `W_q` and `W_k` `(I, d)`, `W_v` `(I, K)`."""

    W_q: Array
    W_k: Array
    W_v: Array

    def __call__(self, x: Array) -> Array:
        """Return the outputs y, `(T, …, K)`, for inputs `(T, …, I)`."""
        q, k, v = (np.moveaxis(x @ W, 0, -2) for W in (self.W_q, self.W_k, self.W_v))
        T = q.shape[-2]
        y = np.empty((*q.shape[:-1], v.shape[-1]))
        for start in range(0, T, BLOCK):
            end = min(T, start + BLOCK)
            scores = q[..., start:end, :] @ np.swapaxes(k[..., :end, :], -1, -2) / np.sqrt(q.shape[-1])
            scores = np.where(np.tri(end - start, end, start, dtype=bool), scores, -np.inf)
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            weights /= weights.sum(-1, keepdims=True)
            y[..., start:end, :] = weights @ v[..., :end, :]
        return np.moveaxis(y, -2, 0)


def recalling(n: int, items: int) -> tuple[Attention, Array]:
    """Return a head with weights set by hand, and the positions of its 2n timesteps, `(2n, 2n)`.

    The head answers the k-th of n question marks with the k-th of n items. An input has `items + 1 + 2n` numbers: a
    one-hot code of the item or the question mark, and then the row of positions for its timestep.
    """
    T = 2 * n
    positions = np.eye(T)
    W_q, W_k = np.zeros((items + 1 + T, T)), np.zeros((items + 1 + T, T))
    W_q[items + 1 + n :, :n] = SHARP * np.sqrt(T) * np.eye(n)
    W_k[items + 1 :, :] = np.eye(T)
    W_v = np.vstack([np.eye(items), np.zeros((1 + T, items))])
    return Attention(W_q, W_k, W_v), positions
