"""The arrays of torch.nn.GRU, LSTM and RNN, and of GRUCell, LSTMCell and RNNCell.

    r = σ(W_ir x + b_ir + W_hr h + b_hr)             weight_ih (3H, I), weight_hh (3H, H): r, z, n
    z = σ(W_iz x + b_iz + W_hz h + b_hz)             bias_ih, bias_hh (3H,)
    n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn))    reset "after"
    h = (1 − z) ⊙ n + z ⊙ h                          z keeps

An LSTM has 4H rows: the blocks i, f, g (the candidate) and o. An RNN has H rows. In both, the two biases are added.

The array names of a layer end in `_l0`, `_l1`, …, or in `_l0_reverse`, … for the backward direction. The array names of
a cell have no such ending. https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html, torch.nn.LSTM.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from gru_core.formats.names import Arrays, groups, part
from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import BLOCKS, TITLES, Direction, FileLayer, Stack, cell, check_layers

NAMES = r"(?:weight|bias)_(?:ih|hh)(?:_l\d{1,3})?(?:_reverse)?"
DIRECTIONS: tuple[tuple[Direction, str], ...] = (("forward", ""), ("backward", "_reverse"))


def find(arrays: Arrays) -> list[Stack]:
    """Return the networks that have PyTorch's array names.

    Raises FormatError if a network is incomplete, does not fit together, or cannot be shown.
    """
    projected = next((name for name in arrays if re.search(r"(^|/)weight_hr(_l\d+)?$", name)), None)
    if projected:
        raise FormatError(
            f"{shown(projected)} projects the state of an LSTM (proj_size), which cannot be shown: train it without"
        )
    raw = _raw(arrays)
    arrays = {name: array for name, array in arrays.items() if name not in raw.values()} | {
        name: arrays[source] for name, source in raw.items()
    }
    stacks = [_stack(arrays, where, group) for where, group in groups(arrays, NAMES).items()]
    return [_with_raw(stack, raw) for stack in stacks]


def _raw(arrays: Arrays) -> dict[str, str]:
    """Map the usual names of weights to the names of raw weights, for layers with weight dropping (AWD-LSTM, fastai).

    The module that wraps such a layer has the raw weights, `weight_hh_l0_raw`. The layer itself may have a copy with
    dropped entries.
    """
    raw: dict[str, str] = {}
    for name in arrays:
        match = re.fullmatch(r"((?:.*/)?)(weight_(?:hh|ih)_l\d+(?:_reverse)?)_raw", name, re.DOTALL)
        if match:
            inside = [n for n in arrays if re.fullmatch(rf"{re.escape(match[1])}(?:.*/)?weight_ih_l0", n, re.DOTALL)]
            inner = inside[0].removesuffix("weight_ih_l0") if len(inside) == 1 else match[1]
            raw[f"{inner}{match[2]}"] = name
    return raw


def _with_raw(stack: Stack, raw: Mapping[str, str]) -> Stack:
    """Return the network with its raw weights added to `names`, and with a note about them."""
    used = [source for name, source in raw.items() if name in stack.names]
    if not used:
        return stack
    note = (
        f"{', '.join(map(shown, used))} under weight dropping (WeightDrop): the raw weights count, not a dropped copy."
    )
    return replace(stack, names=stack.names | set(used), notes=(*stack.notes, note))


def _stack(arrays: Arrays, where: str, group: dict[str, str]) -> Stack:
    numbers = {int(match[1]) for name in group if (match := re.search(r"_l(\d+)", name))}
    if numbers and numbers != set(range(len(numbers))):
        raise FormatError(
            f"the network at {shown(where)} has layers {sorted(numbers)}: they must count from 0 without gaps"
        )
    layers: list[dict[Direction, FileLayer]] = []
    for suffix in [f"_l{k}" for k in range(len(numbers))] or [""]:
        layer: dict[Direction, FileLayer] = {}
        for direction, reverse in DIRECTIONS:
            if direction == "backward" and f"weight_ih{suffix}{reverse}" not in group:
                continue
            W, U = (part(arrays, group, where, f"weight_{kind}{suffix}{reverse}") for kind in ("ih", "hh"))
            biases = [f"bias_{kind}{suffix}{reverse}" for kind in ("ih", "hh")]
            if biases[0] in group or biases[1] in group:
                b_input, b_recurrent = (part(arrays, group, where, bias) for bias in biases)
                layer[direction] = cell(where, W, U, b_input, b_recurrent, others=True)
            else:
                layer[direction] = cell(where, W, U, others=True)
        layers.append(layer)
    if len({tuple(layer) for layer in layers}) > 1:
        raise FormatError(f"the network at {shown(where)} has a backward direction in some layers only")
    biased = any(name.startswith("bias") for name in group)
    kinds = {cell.blocks for layer in layers for cell in layer.values()}
    if len(kinds) > 1:
        raise FormatError(f"the layers at {shown(where)} are of several kinds: {', '.join(TITLES[G] for G in kinds)}")
    (G,) = kinds
    title = f"PyTorch's nn.{TITLES[G]}"
    source = title if numbers else f"{title}Cell" if biased else "PyTorch or Equinox, without biases"
    stack = Stack(source, where, tuple(layers), frozenset(group.values()), BLOCKS[G], None, None)
    return check_layers(replace(stack, reset="after", z="keep") if G == 3 else stack)
