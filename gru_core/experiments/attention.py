"""One head of self-attention (Vaswani et al. 2017, arXiv:1706.03762).

    Q = x W_q    K = x W_k    V = x W_v
    y_t = Σ_{s ≤ t} softmax_s(q_t · k_s / √d) v_s

The attention is causal: a timestep reads itself and the timesteps before it. Attention stores every timestep, while a
recurrent cell stores one state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from gru_core.arrays import Array

LETTERS = "bdac"
"""The letters that the head of `lookup` reads, before one question mark for each letter."""

KINDS = "abcd"
"""All letters that a sequence can have."""

SHARP = 50.0
"""The score, before the softmax, of the item that a question mark asks for. All other timesteps score 0."""

SCORES = (50.0, 5.0, 3.0, 2.0, 1.0, 0.0)
"""The scores at which `lookup` is shown: from 50, a sharp lookup, to 0, which gives equal weights."""

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
            y[..., start:end, :] = _weights(q[..., start:end, :], k[..., :end, :]) @ v[..., :end, :]
        return np.moveaxis(y, -2, 0)

    def weights(self, x: Array) -> Array:
        """Return the attention weights `(…, T, T)` for inputs `(T, …, I)`.

        Row t has the weights of all timesteps in the output at t. Each row sums to 1. Timesteps after t have weight 0.
        """
        q, k = (np.moveaxis(x @ W, 0, -2) for W in (self.W_q, self.W_k))
        return _weights(q, k)


def _weights(q: Array, k: Array) -> Array:
    """Return the attention weights `(…, n, T)` of T timesteps, for the queries `(…, n, d)` of the last n timesteps."""
    n, T = q.shape[-2], k.shape[-2]
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
    scores = np.where(np.tri(n, T, T - n, dtype=bool), scores, -np.inf)
    weights: Array = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return weights


def recalling(n: int, items: int, score: float = SHARP) -> tuple[Attention, Array]:
    """Return a head with weights set by hand, and the position codes of its 2n timesteps, `(2n, 2n)`.

    The head answers the k-th of n question marks with the k-th of n items. The query of the question mark gives this
    item the score `score`, and all other timesteps 0. `items` is the number of different items. An input has
    `items + 1 + 2n` numbers: a one-hot code of the item or the question mark, and then the position code of its
    timestep.
    """
    T = 2 * n
    positions = np.eye(T)
    W_q, W_k = np.zeros((items + 1 + T, T)), np.zeros((items + 1 + T, T))
    W_q[items + 1 + n :, :n] = score * np.sqrt(T) * np.eye(n)
    W_k[items + 1 :, :] = np.eye(T)
    W_v = np.vstack([np.eye(items), np.zeros((1 + T, items))])
    return Attention(W_q, W_k, W_v), positions


class Lookup(TypedDict):
    """The result of the head at a timestep t.

    `weights` has the weights of the timesteps 1 to t. `output` has the share of each letter.
    """

    weights: list[float]
    output: dict[str, float]


def lookup(score: float) -> list[Lookup]:
    """Return the results of an attention head at each timestep.

    The weights of the head are set by hand. It reads LETTERS, and then one question mark for each letter.
    """
    n = len(LETTERS)
    head, positions = recalling(n, len(KINDS), score)
    codes = np.eye(len(KINDS) + 1)[[*map(KINDS.index, LETTERS), *([len(KINDS)] * n)]]
    x = np.hstack([codes, positions])
    return [
        {"weights": weights[:t].tolist(), "output": dict(zip(KINDS, output.tolist(), strict=True))}
        for t, (weights, output) in enumerate(zip(head.weights(x), head(x), strict=True), 1)
    ]
