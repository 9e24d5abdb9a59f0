"""The arrays of Flax's GRUCell, LSTMCell, OptimizedLSTMCell and SimpleCell, in linen and nnx.

    r = σ(W_ir x + b_ir + W_hr h)
    z = σ(W_iz x + b_iz + W_hz h)
    n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn))    reset "after"
    h = (1 − z) ⊙ n + z ⊙ h                          z keeps

linen has six kernels: `ir iz in` (I, H) with biases, and `hr hz hn` (H, H), the last with a bias.
nnx has two: `dense_i` (I, 3H) with a bias and `dense_h` (H, 3H) without. Their blocks are r, z, n, and there is
no b_hn.

An LSTM has the gates i, f, g (the candidate) and o. It has eight kernels, `ii if ig io` and `hi hf hg ho`, or nnx's two
kernels with four blocks each. A SimpleCell is a plain RNN with the kernels `i` and `h`, or nnx's two kernels with one
block each.
https://flax.readthedocs.io/en/stable/api_reference/flax.nnx/nn/recurrent.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gru_core.arrays import Array
from gru_core.formats.names import Arrays, groups, part
from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import BLOCKS, FileLayer, Stack, cell

TITLES = {3: "GRUCell", 4: "LSTMCell", 1: "SimpleCell"}


def find(arrays: Arrays) -> list[Stack]:
    """Return the networks that have Flax's array names.

    Raises FormatError if a network is incomplete, or if its arrays do not fit together.
    """
    stacks: list[Stack] = []
    for where, group in groups(arrays, r"[ih](?:[rzn]|[ifgo]|f_)?/(?:kernel|bias)").items():
        gates = _gates({name.partition("/")[0] for name in group})
        if gates:
            stacks.append(_separate(arrays, where, group, gates))
    for where, group in groups(arrays, r"dense_[ih]/(?:kernel|bias)").items():
        stacks.append(_joined(arrays, where, group))
    return stacks


def _gates(names: set[str]) -> Sequence[str]:
    """Return a cell's gates in the order of its blocks, given the names of its kernels.

    The result is empty for an unknown cell.
    """
    if any(name.startswith(("ir", "hr")) for name in names):
        return "rzn"
    if names & {"ii", "hi"}:
        return "i", "f_" if "if_" in names else "f", "g", "o"  # nnx has `if_` because `if` is a keyword of Python
    return [""] * (names == {"i", "h"})


def _separate(arrays: Arrays, where: str, group: dict[str, str], gates: Sequence[str]) -> Stack:
    """Return the network of a cell that has separate kernels for each gate."""

    def kernels(kind: str, gates: Sequence[str]) -> Array:
        blocks = [part(arrays, group, where, f"{kind}{gate}/kernel") for gate in gates]
        if len({block.shape for block in blocks}) > 1:
            names = ", ".join(f"{kind}{gate}" for gate in gates)
            raise FormatError(f"the {TITLES[len(gates)]} at {shown(where)} has {names} of different shapes")
        return np.concatenate([block.swapaxes(0, -1) for block in blocks])  # `cell` refuses more than two axes

    def biases(kind: str, gates: Sequence[str], H: int, dtype: np.dtype[np.floating]) -> Array:
        names = [f"{kind}{gate}/bias" for gate in gates]
        present = [part(arrays, group, where, name).ravel() if name in group else np.zeros(H, dtype) for name in names]
        return np.concatenate(present)

    recurrent = [gate.removesuffix("_") for gate in gates]
    W, U = kernels("i", gates), kernels("h", recurrent)
    H = U.shape[-1]
    b_input, b_recurrent = biases("i", gates, H, W.dtype), biases("h", recurrent, H, U.dtype)
    library = "Flax linen" if len(gates) == 3 else "Flax"
    return _stack(library, where, group, cell(where, W, U, b_input, b_recurrent, others=True))


def _joined(arrays: Arrays, where: str, group: dict[str, str]) -> Stack:
    """Return the network of an nnx cell, in which one kernel has the blocks of all gates."""
    W, U = (part(arrays, group, where, f"dense_{kind}/kernel").T for kind in "ih")
    names = ("dense_i/bias", "dense_h/bias")
    biases = [part(arrays, group, where, name) if name in group else None for name in names]
    return _stack("Flax nnx", where, group, cell(where, W, U, *biases, others=True))


def _stack(library: str, where: str, group: dict[str, str], layer: FileLayer) -> Stack:
    source, order = f"{library}'s {TITLES[layer.blocks]}", BLOCKS[layer.blocks]
    stack = Stack(source, where, ({"forward": layer},), frozenset(group.values()), order, None, None)
    return replace(stack, reset="after", z="keep") if layer.blocks == 3 else stack
