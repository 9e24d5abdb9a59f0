"""The arrays of equinox.nn.GRUCell and LSTMCell.

    r = σ(W_r x + b_r + U_r h)                       weight_ih (3H, I), weight_hh (3H, H): r, z, n
    z = σ(W_z x + b_z + U_z h)                       bias (3H,), bias_n (H,)
    n = tanh(W_n x + b_n + r ⊙ (U_n h + bias_n))     reset "after"
    h = n + z ⊙ (h − n)                              z keeps

An LSTMCell has 4H rows: the blocks i, f, g (the candidate) and o. Its only bias is `bias` (4H,).
https://docs.kidger.site/equinox/api/nn/rnn/
"""

from __future__ import annotations

import numpy as np

from gru_core.formats.names import Arrays, groups, part
from gru_core.formats.weights import BLOCKS, Stack, cell


def find(arrays: Arrays) -> list[Stack]:
    """Return the networks that have Equinox's array names.

    Raises FormatError if a GRU is incomplete, or if its arrays do not fit together.
    """
    stacks: list[Stack] = []
    for where, group in groups(arrays, "weight_ih|weight_hh|bias|bias_n").items():
        names = frozenset(group.values())
        if set(group) == {"weight_ih", "weight_hh", "bias"}:
            W, U, b = (part(arrays, group, where, name) for name in ("weight_ih", "weight_hh", "bias"))
            if U.ndim == 2 and (4 * U.shape[1],) == U.shape[:1] == b.shape:
                layer = cell(where, W, U, b, others=True)
                source, order = "Equinox's nn.LSTMCell", BLOCKS[4]
                stacks.append(Stack(source, where, ({"forward": layer},), names, order, None, None))
        if "bias_n" not in group:
            continue
        W, U, b, b_n = (part(arrays, group, where, name) for name in ("weight_ih", "weight_hh", "bias", "bias_n"))
        b_recurrent = np.concatenate([np.zeros(2 * b_n.size, b_n.dtype), b_n.ravel()])
        layer = cell(where, W, U, b, b_recurrent)
        stacks.append(Stack("Equinox's nn.GRUCell", where, ({"forward": layer},), names, "rzh", "after", "keep"))
    return stacks
