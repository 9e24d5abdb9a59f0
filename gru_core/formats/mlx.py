"""The arrays of MLX's nn.GRU, LSTM and RNN.

    r = σ(W_r x + b_r + U_r h)                       Wx (3H, I), Wh (3H, H), b (3H,): r, z, n
    z = σ(W_z x + b_z + U_z h)
    n = tanh(W_n x + b_n + r ⊙ (U_n h + bhn))        bhn (H,): reset "after"
    h = (1 − z) ⊙ n + z ⊙ h                          z keeps

An LSTM has 4H rows in Wx, Wh and bias: the blocks i, f, g (the candidate) and o. An RNN has Wxh (H, I), Whh (H, H) and
bias. Without an initial state, older versions of MLX leave out r ⊙ bhn at the first timestep (mlx issue 3249).

https://ml-explore.github.io/mlx/build/html/python/nn/_autosummary/mlx.nn.GRU.html
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gru_core.formats.names import Arrays, groups, part
from gru_core.formats.weights import BLOCKS, Stack, cell


def find(arrays: Arrays) -> list[Stack]:
    """Return the networks that have MLX's array names.

    Raises FormatError if a network is incomplete, or if its arrays do not fit together.
    """
    stacks: list[Stack] = []
    for where, group in groups(arrays, "Wx|Wh|b|bhn|bias|Wxh|Whh").items():
        if not {"Wx", "Wxh"} & set(group):  # other libraries have a Wh as well
            continue
        plain = "Wxh" in group
        W, U = (part(arrays, group, where, name) for name in (("Wxh", "Whh") if plain else ("Wx", "Wh")))
        b = next((part(arrays, group, where, name) for name in ("b", "bias") if name in group), None)
        b_recurrent = None
        if "bhn" in group:
            b_n = part(arrays, group, where, "bhn").ravel()
            b_recurrent = np.concatenate([np.zeros(2 * b_n.size, b_n.dtype), b_n])
        layer = cell(where, W, U, b, b_recurrent, others=True)
        title, order, names = layer.title, BLOCKS[layer.blocks], frozenset(group.values())
        stack = Stack(f"MLX's nn.{title}", where, ({"forward": layer},), names, order, None, None)
        stacks.append(replace(stack, reset="after", z="keep") if layer.blocks == 3 else stack)
    return stacks
