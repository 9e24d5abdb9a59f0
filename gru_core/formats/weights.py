"""A GRU as other libraries keep it, and its exact conversion.

Every library stacks three blocks of H rows (or columns) in an order of its own, resets before or
after the recurrent product, and lets z keep the old state or take the candidate. A `Cell` holds a
layer in its library's terms, a `Convention` says what they mean, and `Cell.gru` gives the core's:

    z keeps:  σ(−a) = 1 − σ(a), so W_z, U_z and b_z change their sign, and h stays the same
    biases:   b = b_input + b_recurrent, but for the recurrent part of h̃ with reset "after": c_h

`H` units, `I` inputs, `K` outputs, `A` symbols.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from gru_core.arrays import Array
from gru_core.formats.questions import FormatError, shown
from gru_core.gru import GRU

Order = Literal["rzh", "rhz", "zrh", "zhr", "hrz", "hzr"]
Reset = Literal["before", "after"]
Update = Literal["keep", "take"]
Direction = Literal["forward", "backward"]

ORDERS: tuple[Order, ...] = get_args(Order)

MAX_UNITS = MAX_INPUTS = 256
MAX_LAYERS = 4
MAX_SYMBOLS = 1_024
MAX_TENSORS = 64
MAX_BYTES = 20 * 2**20
MAX_UNPACKED = 64 * 2**20
LARGEST = 1e6
"""The largest weight, either way: far from overflow in float32, and from anything that was trained."""


def numbers(name: str, array: Array) -> Array:
    """`array` as float32, or float64 if it is that. Raises FormatError when a number in it cannot be a weight."""
    if array.dtype.kind != "f":
        raise FormatError(f"{shown(name)} holds {array.dtype}; weights are floating-point numbers")
    array = array.astype(np.float64 if array.dtype.itemsize == 8 else np.float32, copy=False)
    if array.size and not (array.min() >= -LARGEST and array.max() <= LARGEST):  # NaN is neither
        wrong = "is larger than a million" if np.isfinite(array).all() else "is not finite (NaN or infinite)"
        raise FormatError(f"{shown(name)} has a number in it that {wrong}: no network works with that")
    return array


@dataclass(frozen=True)
class Convention:
    """What the numbers of a cell mean: the order of its blocks, where r acts, and what z does at 1."""

    order: Order
    reset: Reset
    z: Update


@dataclass(frozen=True)
class Cell:
    """One direction of one layer, in the order and with the biases of its source.

    `W` `(3H, I)`, `U` `(3H, H)`, `b_input` and `b_recurrent` `(3H,)`. See `cell`, which checks.
    """

    W: Array
    U: Array
    b_input: Array
    b_recurrent: Array

    @property
    def inputs(self) -> int:
        return int(self.W.shape[1])

    @property
    def units(self) -> int:
        return int(self.U.shape[1])

    def gru(self, convention: Convention) -> GRU:
        """The same layer as the core writes it. Sums are rounded once, to the weights' own precision."""

        def blocks(rows: Array) -> Array:
            r, z, h = (np.split(rows.astype(np.float64), 3)[convention.order.index(gate)] for gate in "rzh")
            return np.concatenate([r, 0 - z if convention.z == "keep" else z, h])  # 0 stays 0, not −0

        H, dtype = self.units, np.result_type(self.W, self.U, self.b_input, self.b_recurrent)
        b, b_recurrent = blocks(self.b_input), blocks(self.b_recurrent)
        c_h = None
        if convention.reset == "after":
            c_h = b_recurrent[2 * H :].astype(dtype)
            b_recurrent[2 * H :] = 0
        return GRU(blocks(self.W).astype(dtype), blocks(self.U).astype(dtype), (b + b_recurrent).astype(dtype), c_h)

    @staticmethod
    def of(gru: GRU, convention: Convention) -> Cell:
        """The cell that `gru(convention)` makes this layer of; its summed biases stay summed."""

        def blocks(rows: Array) -> Array:
            r, z, h = np.split(rows, 3)
            return np.concatenate(
                [{"r": r, "z": -z if convention.z == "keep" else z, "h": h}[g] for g in convention.order]
            )

        b_recurrent = np.zeros_like(gru.b)
        if gru.c_h is not None:
            b_recurrent[2 * gru.units :] = gru.c_h
        return Cell(blocks(gru.W), blocks(gru.U), blocks(gru.b), blocks(b_recurrent))


def cell(where: str, W: Array, U: Array, b_input: Array | None = None, b_recurrent: Array | None = None) -> Cell:
    """A cell of the arrays at `where` in a file; biases that are not there are zero.

    Raises FormatError when the arrays are no GRU's, or one that is too large.
    """
    place = f"the GRU at {shown(where)}" if where else "the GRU"
    if W.ndim != 2 or U.ndim != 2:
        raise FormatError(f"{place} has weights of {W.ndim} and {U.ndim} axes; they are matrices, of 2")
    H = U.shape[1]
    for blocks, what in ((4, "an LSTM has four blocks of rows"), (1, "a plain RNN has one block of rows")):
        if H and U.shape[0] == W.shape[0] == blocks * H:
            raise FormatError(f"{place} is none: {what}, a GRU three. Only GRUs can be brought in")
    for what, array, shape in (
        ("recurrent weights", U, (3 * H, H)),
        ("input weights", W, (3 * H, W.shape[1])),
        ("input biases", b_input, (3 * H,)),
        ("recurrent biases", b_recurrent, (3 * H,)),
    ):
        if array is not None and array.shape != shape:
            turned = ", or they are transposed" if array.ndim == 2 and array.shape == shape[::-1] else ""
            raise FormatError(f"{place}: its {what} come to {array.shape}, but {H} units need {shape}{turned}")
    for what, size, most in (("units", H, MAX_UNITS), ("inputs", W.shape[1], MAX_INPUTS)):
        if not 1 <= size <= most:
            raise FormatError(f"{place} has {size:,} {what}; from 1 to {most} can be shown")
    zeros = np.zeros(3 * H, U.dtype)
    return Cell(W, U, zeros if b_input is None else b_input, zeros if b_recurrent is None else b_recurrent)


@dataclass(frozen=True)
class Embedding:
    """A vector for each symbol: `table` `(A, I)`."""

    name: str
    table: Array


@dataclass(frozen=True)
class Dense:
    """What follows the top layer: V h + c, with `V` `(K, H)`, `c` `(K,)`.

    `activation` is what is then done to it, None where the file does not tell.
    """

    name: str
    V: Array
    c: Array
    activation: str | None = None


@dataclass(frozen=True)
class Stack:
    """A GRU of a file: its layers from the bottom, each with one direction or both.

    `source` is the library's name for it, `where` its place in the file, `names` the arrays that
    it takes up. Of `order`, `reset` and `z` None is what the file does not tell. `embedding` and
    `dense` are set where the file says what stands before and after, which `wired` tells.
    `turned_back` is whether what reads backward gives its states in the order of the steps; Keras's
    go_backwards gives them as it computes them, the last step's first.
    """

    source: str
    where: str
    layers: tuple[Mapping[Direction, Cell], ...]
    names: frozenset[str]
    order: Order | None
    reset: Reset | None
    z: Update | None
    wired: bool = False
    embedding: Embedding | None = None
    dense: Dense | None = None
    notes: tuple[str, ...] = ()
    turned_back: bool = True

    @property
    def inputs(self) -> int:
        return next(iter(self.layers[0].values())).inputs

    @property
    def units(self) -> int:
        """Of the top layer, in one direction."""
        return next(iter(self.layers[-1].values())).units

    @property
    def first_both(self) -> int | None:
        """The place of the lowest layer that reads in both directions."""
        return next((k for k, layer in enumerate(self.layers) if len(layer) == 2), None)

    def feeds(self, other: Stack) -> bool:
        """Whether `other` can be its next layers: of one convention, and none of both a lone backward layer."""
        alike = (self.order, self.reset, self.z) == (other.order, other.reset, other.z)
        return alike and not any(tuple(layer) == ("backward",) for layer in self.layers + other.layers)


def check_layers(stack: Stack) -> Stack:
    """The same stack. Raises FormatError when its layers do not follow on one another."""
    if len(stack.layers) > MAX_LAYERS:
        raise FormatError(f"there are {len(stack.layers)} layers; at most {MAX_LAYERS} can be shown")
    for k, (below, layer) in enumerate(zip(stack.layers, stack.layers[1:], strict=False), 2):
        gives = [cell.units for cell in below.values()]
        for cell in layer.values():  # both directions are mostly given side by side, but may be added
            if cell.inputs not in (sum(gives), *gives[1:]):
                raise FormatError(f"layer {k} takes {cell.inputs} inputs, but layer {k - 1} gives {sum(gives)}")
    return stack


def stacked(stacks: Iterable[Stack]) -> Stack:
    """Several GRUs, each the input of the next, as one. Raises FormatError when they cannot be."""
    first, *others = stacks
    layers = first.layers + tuple(layer for stack in others for layer in stack.layers)
    names = first.names.union(*(stack.names for stack in others))
    notes = first.notes + tuple(note for stack in others for note in stack.notes)
    return check_layers(replace(first, layers=layers, names=names, notes=notes))
