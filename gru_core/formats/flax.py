"""The arrays of Flax's GRUCell, of linen and of nnx.

    r = σ(W_ir x + b_ir + W_hr h)
    z = σ(W_iz x + b_iz + W_hz h)
    n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn))    reset "after"
    h = (1 − z) ⊙ n + z ⊙ h                          z keeps

linen has six kernels: `ir iz in` (I, H) with biases, and `hr hz hn` (H, H), the last with a bias.
nnx has two: `dense_i` (I, 3H) with a bias and `dense_h` (H, 3H) without. Their blocks are r, z, n, and there is
no b_hn. https://flax.readthedocs.io/en/stable/api_reference/flax.nnx/nn/recurrent.html
"""

from __future__ import annotations

import numpy as np

from gru_core.arrays import Array
from gru_core.formats.names import Arrays, groups, part
from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import Stack, cell

GATES = "rzn"


def find(arrays: Arrays) -> list[Stack]:
    """Return the GRUs with the array names of Flax. Raises FormatError if a GRU is incomplete or does not fit."""
    linen = groups(arrays, r"(?:i|h)[rzn]/(?:kernel|bias)")
    nnx = groups(arrays, r"dense_[ih]/(?:kernel|bias)")
    # Only a GRU of linen has a gate r; its other cells do not. An LSTM of nnx has four blocks, which `cell` reports.
    linen = {where: group for where, group in linen.items() if any(name.startswith(("ir", "hr")) for name in group)}
    return [_linen(arrays, *item) for item in linen.items()] + [_nnx(arrays, *item) for item in nnx.items()]


def _linen(arrays: Arrays, where: str, group: dict[str, str]) -> Stack:
    def kernels(kind: str) -> Array:
        blocks = [part(arrays, group, where, f"{kind}{gate}/kernel") for gate in GATES]
        if len({block.shape for block in blocks}) > 1 or blocks[0].ndim != 2:
            raise FormatError(f"the GRU at {shown(where)} has {kind}r, {kind}z and {kind}n of different shapes")
        return np.concatenate([block.T for block in blocks])

    def biases(kind: str, H: int, dtype: np.dtype[np.floating]) -> Array:
        names = [f"{kind}{gate}/bias" for gate in GATES]
        present = [part(arrays, group, where, name).ravel() if name in group else np.zeros(H, dtype) for name in names]
        return np.concatenate(present)

    W, U = kernels("i"), kernels("h")
    layer = cell(where, W, U, biases("i", U.shape[1], W.dtype), biases("h", U.shape[1], U.dtype))
    names = frozenset(group.values())
    return Stack("Flax linen's GRUCell", where, ({"forward": layer},), names, "rzh", "after", "keep")


def _nnx(arrays: Arrays, where: str, group: dict[str, str]) -> Stack:
    W, U = (part(arrays, group, where, f"dense_{kind}/kernel").T for kind in "ih")
    names = ("dense_i/bias", "dense_h/bias")
    biases = [part(arrays, group, where, name) if name in group else None for name in names]
    layer = cell(where, W, U, *biases)
    used = frozenset(group.values())
    return Stack("Flax nnx's GRUCell", where, ({"forward": layer},), used, "rzh", "after", "keep")
