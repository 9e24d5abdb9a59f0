"""One head of self-attention (Vaswani et al. 2017, arXiv:1706.03762), which keeps every step instead of a state.

Q = x W_q    K = x W_k    V = x W_v
y_t = Σ_{s ≤ t} softmax_s(q_t · k_s / √d) v_s
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gru_core.arrays import Array

SHARP = 50.0
"""How much a step that is looked for stands out, before the softmax, in weights that are set by hand."""


BLOCK = 256
"""Steps whose weights are in memory at one time."""


@dataclass(frozen=True)
class Attention:
    """`W_q`, `W_k` `(I, d)`, `W_v` `(I, K)`."""

    W_q: Array
    W_k: Array
    W_v: Array

    def __call__(self, x: Array) -> Array:
        """y `(T, …, K)` of inputs `(T, …, I)`; a step sees itself and what was before it."""
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
    """A head, set by hand, that answers the k-th of n questions with the k-th of n items, and the places of its
    2 n steps, `(2 n, 2 n)`, which are to stand behind the items' inputs."""
    T = 2 * n
    places = np.eye(T)
    W_q, W_k = np.zeros((items + 1 + T, T)), np.zeros((items + 1 + T, T))
    W_q[items + 1 + n :, :n] = SHARP * np.sqrt(T) * np.eye(n)
    W_k[items + 1 :, :] = np.eye(T)
    W_v = np.vstack([np.eye(items), np.zeros((1 + T, items))])
    return Attention(W_q, W_k, W_v), places
