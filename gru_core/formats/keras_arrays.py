"""The arrays of Keras's recurrent layers, and of the CuDNN layers of Keras 2, by their names.

    z = σ(W_z x + b_z + U_z h + c_z)                     kernel (I, 3H), recurrent_kernel (H, 3H): z, r, h
    r = σ(W_r x + b_r + U_r h + c_r)                     bias (2, 3H): input biases, recurrent biases
    h̃ = tanh(W_h x + b_h + r ⊙ (U_h h + c_h))            reset_after=True, the default
    h̃ = tanh(W_h x + b_h + U_h (r ⊙ h))                  reset_after=False, bias (3H,)
    h = z ⊙ h + (1 − z) ⊙ h̃                              z keeps

The blocks of an LSTM are i, f, c̃ and o, and a SimpleRNN has one block. Both have one bias.

CuDNNGRU and CuDNNLSTM of Keras 2 compute the same as GRU(reset_after=True) and LSTM. Their bias is (6H,) or (8H,):
input biases, then recurrent biases. The numbers in each block of their kernels are in the order of the transposed
block.

https://keras.io/api/layers/recurrent_layers/gru/, lstm/, simple_rnn/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from gru_core.arrays import Array
from gru_core.formats.names import Arrays, part
from gru_core.formats.weights import BLOCKS, Direction, Reset, Stack, cell

DIRECTIONS: tuple[Direction, ...] = ("forward", "backward")

NUMBERED = ("kernel", "recurrent_kernel", "bias")
VARIABLE = (
    r"(?:(?P<where>.*?)/)?(?:cell/(?:cells/(?P<cell>[^/]+)/)?vars/(?P<number>[012])"
    r"|(?:(?P<named_cell>[^/]*cell[^/]*)/)?(?P<name>kernel|recurrent_kernel|bias))"
)
"""A pattern for the names of a cell's variables. Keras 3 files have numbers; older files and code have names."""


def find(arrays: Arrays) -> list[Stack]:
    """Return the recurrent layers that have Keras's array names. Both directions of a layer are one stack.

    Only the bias shows where a GRU's reset gate acts: its shape is (2, 3H) for "after" and (3H,) for "before". Without
    a bias, `reset` is None. CuDNNGRU has a bias of (6H,), and CuDNNLSTM a bias of (8H,). Raises FormatError if a layer
    is incomplete, or if its arrays do not fit together.
    """
    cells: dict[str, dict[str, dict[str, str]]] = {}
    for name in arrays:
        match = re.fullmatch(VARIABLE, name)
        if match:
            variable = NUMBERED[int(match["number"])] if match["number"] else match["name"]
            layer = "/".join(filter(None, (match["where"], match["cell"])))
            cells.setdefault(layer, {}).setdefault(match["named_cell"] or "", {})[variable] = name
    layers: dict[str, dict[Direction, Stack]] = {}
    for layer, by_cell in cells.items():
        recurrent = {cell: group for cell, group in by_cell.items() if "recurrent_kernel" in group}
        for named_cell, group in recurrent.items():
            path = layer if len(recurrent) == 1 else "/".join(filter(None, (layer, named_cell)))
            where, direction = _direction(path)
            layers.setdefault(where, {})[direction] = _stack(arrays, path, group, direction)
    return [_join_directions(where, directions) for where, directions in layers.items()]


def _direction(path: str) -> tuple[str, Direction]:
    """Return the path of a layer, and its direction, from the path of a cell."""
    where, _, last = path.rpartition("/")
    if last.startswith(("forward_", "backward_")):
        return where, "forward" if last.startswith("forward_") else "backward"
    return path, "forward"


def _stack(arrays: Arrays, where: str, group: Mapping[str, str], direction: Direction) -> Stack:
    kernel, recurrent = (part(arrays, group, where, name) for name in ("kernel", "recurrent_kernel"))
    bias = arrays[group["bias"]] if "bias" in group else None
    if bias is not None and is_cudnn(kernel, recurrent, bias):
        return from_cudnn(kernel, recurrent, bias, where, frozenset(group.values()), direction)
    W, U = kernel.T, recurrent.T
    both = [None, None] if bias is None else list(bias) if bias.shape[:1] == (2,) and bias.ndim == 2 else [bias, None]
    layer = cell(where, W, U, *both, others=True)
    stack = Stack("Keras", where, ({direction: layer},), frozenset(group.values()), BLOCKS[layer.blocks], None, None)
    if layer.blocks != 3:
        return stack
    reset: Reset | None = None if bias is None else "after" if bias.ndim == 2 else "before"
    return replace(stack, order="zrh", reset=reset, z="keep")


def is_cudnn(kernel: Array, recurrent: Array, bias: Array) -> bool:
    """Return whether the arrays are from CuDNNGRU or CuDNNLSTM: the bias is twice as long as in GRU or LSTM."""
    if kernel.ndim != 2 or recurrent.ndim != 2 or not recurrent.shape[0]:
        return False
    H, rows = recurrent.shape
    return kernel.shape[1] == rows and rows in (3 * H, 4 * H) and bias.shape == (2 * rows,)


def from_cudnn(
    kernel: Array, recurrent: Array, bias: Array, where: str, names: frozenset[str], direction: Direction = "forward"
) -> Stack:
    """Convert a CuDNNGRU or CuDNNLSTM layer, as Keras does when it loads such weights into GRU or LSTM."""
    H, rows = recurrent.shape
    G = rows // H
    W = np.concatenate([block.reshape(H, -1) for block in np.hsplit(kernel, G)])
    layer = cell(where, W, np.concatenate(np.hsplit(recurrent, G)), *np.split(bias, 2), others=True)
    stack = Stack(f"Keras, CuDNN{layer.title}", where, ({direction: layer},), names, BLOCKS[G], None, None)
    return replace(stack, order="zrh", reset="after", z="keep") if G == 3 else stack


def _join_directions(where: str, directions: Mapping[Direction, Stack]) -> Stack:
    """Join the directions of a layer into one stack."""
    first = next(iter(directions.values()))
    layer = {d: directions[d].layers[0][d] for d in DIRECTIONS if d in directions}
    names = frozenset[str]().union(*(stack.names for stack in directions.values()))
    return replace(first, where=where, layers=(layer,), names=names)
