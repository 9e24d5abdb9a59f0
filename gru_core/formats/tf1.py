"""The arrays of TensorFlow 1's GRUCell and BasicRNNCell.

    r = σ(W_r x + U_r h + b_r)                  gates/kernel (I + H, 2H): r, u; gates/bias (2H,)
    u = σ(W_u x + U_u h + b_u)
    c = tanh(W_c x + U_c (r ⊙ h) + b_c)         candidate/kernel (I + H, H), candidate/bias (H,): reset "before"
    h = u ⊙ h + (1 − u) ⊙ c                     u near 1 keeps

A BasicRNNCell has one kernel (I + H, H). The first I rows of a kernel multiply x. The kernels of LSTM cells do not
contain the constant forget_bias that the cells add, so such a network is refused.

https://github.com/tensorflow/tensorflow/blob/v1.15.5/tensorflow/python/ops/rnn_cell_impl.py
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from gru_core.arrays import Array
from gru_core.formats.names import Arrays, groups, part
from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import Direction, FileLayer, Stack, cell

LSTM = r"(?:basic_|layer_norm_basic_|coupled_input_forget_gate_)?lstm_cell(?:_\d+)?"


def find(arrays: Arrays) -> list[Stack]:
    """Return the networks that have TensorFlow 1's array names. Raises FormatError if a network cannot be shown."""
    stacks = []
    for where, group in groups(arrays, "(?:gates|candidate)/(?:kernel|bias)").items():
        kernels, biases = (
            [part(arrays, group, where, f"{gate}/{kind}") for gate in ("gates", "candidate")]
            for kind in ("kernel", "bias")
        )
        stacks.append(
            _stack(where, frozenset(group.values()), "GRUCell", np.hstack(_fitting(where, kernels)), np.hstack(biases))
        )
    for where, group in groups(arrays, "kernel|bias").items():
        last = where.rpartition("/")[2]
        if "kernel" in group and re.fullmatch(LSTM, last):
            raise FormatError(
                f"{shown(where)} is an LSTM cell of TensorFlow 1. It adds a constant forget_bias (1 if nothing else is "
                "set), which is not in the file. Load the weights into Keras's LSTM with this constant added to the "
                "bias of its forget gate, and save that as .keras"
            )
        if "kernel" in group and re.fullmatch(r"basic_rnn_cell(?:_\d+)?", last):
            kernel, bias = (part(arrays, group, where, name) for name in ("kernel", "bias"))
            stacks.append(_stack(where, frozenset(group.values()), "BasicRNNCell", kernel, bias))
    return stacks


def _fitting(where: str, kernels: list[Array]) -> list[Array]:
    """Return the kernels. Raises FormatError if their shapes do not fit a GRUCell."""
    gates, candidate = (kernel.shape for kernel in kernels)
    if len(gates) != 2 or len(candidate) != 2 or gates != (candidate[0], 2 * candidate[1]):
        raise FormatError(
            f"the GRUCell at {shown(where)} has kernels of shape {gates} and {candidate}; they must be (I + H, 2H) and "
            "(I + H, H)"
        )
    return kernels


def _stack(where: str, names: frozenset[str], title: str, kernel: Array, bias: Array) -> Stack:
    blocks = 3 if title == "GRUCell" else 1
    H = kernel.shape[-1] // blocks
    I = len(kernel) - H
    if kernel.ndim != 2 or I < 1 or H < 1:
        raise FormatError(
            f"the {title} at {shown(where)} has a kernel of shape {kernel.shape}; it must have I + H rows"
        )
    layer = cell(where, kernel[:I].T, kernel[I:].T, bias, others=True)
    source = f"TensorFlow 1's {title}"
    layers: tuple[Mapping[Direction, FileLayer], ...] = ({"forward": layer},)
    if blocks == 3:
        return Stack(source, where, layers, names, "rzh", "before", "keep")
    return Stack(source, where, layers, names, "h", None, None)
