"""A recurrent layer as other libraries store it, and its exact conversion.

Every library stacks blocks of H rows (or columns), in its own order: three blocks for a GRU, four for an LSTM, one for
a plain RNN. In a GRU, the reset gate acts before or after the recurrent product, and z near 1 keeps the old state or
takes the candidate. A `FileLayer` has a layer in the form of its library, a `Convention` says what the numbers mean,
and `FileLayer.core` returns the layer in the form of the core:

    z keeps:  σ(−a) = 1 − σ(a), so W_z, U_z and b_z change their sign, and h stays the same
    biases:   b = b_input + b_recurrent, except the recurrent bias of h̃ with reset "after", which is c_h

Shapes: `G` blocks, `H` units, `I` inputs, `K` outputs, `A` symbols.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array
from gru_core.cells.cell import Cell
from gru_core.cells.gru import GRU
from gru_core.cells.lstm import LSTM
from gru_core.cells.rnn import RNN
from gru_core.formats.questions import FormatError, shown

Reset = Literal["before", "after"]
Update = Literal["keep", "take"]
Direction = Literal["forward", "backward"]
Shown = Literal["forward", "backward", "both"]
"""The direction of a network that is shown, or both directions."""

MERGES = {"sum": 1.0, "ave": 0.5}
"""Keras's names for adding and averaging the outputs of two directions, each with the factor of the outputs."""

PRODUCT = "mul"
"""Keras's name for multiplying the outputs of two directions. Only the readout can read the products."""

BLOCKS = {3: "rzh", 4: "ifco", 1: "h"}
"""The blocks of a GRU, an LSTM and a plain RNN, by their letters, in the core's order."""

TITLES = {3: "GRU", 4: "LSTM", 1: "RNN"}


def known(layers: Sequence[Cell]) -> bool:
    """Return whether all layers have the same kind of cell, and this kind also exists in other libraries."""
    kinds = {type(layer) for layer in layers}
    return len(kinds) == 1 and kinds <= {GRU, LSTM, RNN}


def orders(G: int) -> tuple[str, ...]:
    """Return every possible order of G blocks."""
    return tuple("".join(order) for order in permutations(BLOCKS[G]))


MAX_TENSORS = 1_024
MAX_BYTES = 500 * 2**20
MAX_AXES = 8
MAX_UNPACKED = 64 * 2**20
LARGEST = 1e6
"""The largest absolute value of a weight. It is far below overflow in float32, and far above any trained weight."""


def room(size: int) -> int:
    """Return the memory, in bytes, that the arrays of a file of `size` bytes may need. Weights compress little."""
    return max(MAX_UNPACKED, 4 * size)


def numbers(name: str, array: npt.NDArray[Any]) -> Array:
    """Return `array` as float64 if it is float64, and as float32 otherwise. `name` is shown in errors.

    Raises FormatError if the numbers are not floating-point numbers, or if a number is not finite or too large.
    """
    return _checked(shown(name), array)


def check_type(what: str, array: npt.NDArray[Any]) -> None:
    """Raise FormatError if an array does not have floating-point numbers. `what` describes the array in the message."""
    if array.dtype.kind != "f":
        kind = "objects or a type that NumPy does not have" if array.dtype.kind == "V" else f"the type {array.dtype}"
        raise FormatError(f"{what} has {kind}; weights are floating-point numbers: save it as float32")


def _checked(what: str, array: npt.NDArray[Any]) -> Array:
    check_type(what, array)
    array = array.astype(np.float64 if array.dtype.itemsize == 8 else np.float32, copy=False)
    if array.size and not (array.min() >= -LARGEST and array.max() <= LARGEST):  # NaN is neither
        finite = np.isfinite(array).all()
        wrong = "is not between -1,000,000 and 1,000,000" if finite else "is not finite (NaN or infinite)"
        raise FormatError(f"{what} has a number that {wrong}: such a network cannot be run")
    return array


def widened(halves: npt.NDArray[np.uint16]) -> Array:
    """Convert bfloat16 numbers, given as bits, to float32. A bfloat16 number is the upper half of a float32 number."""
    return (halves.astype(np.uint32) << 16).view(np.float32)


@dataclass(frozen=True)
class Convention:
    """The meaning of a cell's numbers: the order of its blocks and, in a GRU, the place of r and the meaning of z."""

    order: str
    reset: Reset = "before"
    z: Update = "take"


@dataclass(frozen=True)
class FileLayer:
    """One direction of one layer, with the block order and the biases of its source.

    The shapes are `W` `(GH, I)`, `U` `(GH, H)`, `b_input` and `b_recurrent` `(GH,)`. The function `cell` checks them.
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

    @property
    def blocks(self) -> int:
        """The number of blocks G: 3 for a GRU, 4 for an LSTM, 1 for a plain RNN."""
        return int(self.U.shape[0] // self.U.shape[1])

    @property
    def title(self) -> str:
        return TITLES[self.blocks]

    def checked(self, where: str) -> FileLayer:
        """Return the layer with its numbers as float32 or float64. Raises the errors of `numbers`."""
        place = f"the {self.title} at {shown(where)}" if where else f"the {self.title}"
        parts = {
            "W": "input weights", "U": "recurrent weights", "b_input": "input biases",
            "b_recurrent": "recurrent biases",
        }  # fmt: skip
        arrays = {part: _checked(f"{place}, {words}:", getattr(self, part)) for part, words in parts.items()}
        return FileLayer(**arrays)

    def core(self, convention: Convention) -> GRU | LSTM | RNN:
        """Return the layer in the form of the core. Sums are rounded once, to the precision of the weights."""
        G, H = self.blocks, self.units

        def blocks(rows: Array) -> Array:
            by_block = dict(zip(convention.order, np.split(rows.astype(np.float64), G), strict=True))
            if G == 3 and convention.z == "keep":
                by_block["z"] = 0 - by_block["z"]  # 0 stays 0, not −0
            return np.concatenate([by_block[block] for block in BLOCKS[G]])

        dtype = np.result_type(self.W, self.U, self.b_input, self.b_recurrent)
        W, U = blocks(self.W).astype(dtype), blocks(self.U).astype(dtype)
        b, b_recurrent = blocks(self.b_input), blocks(self.b_recurrent)
        if G != 3:
            return (LSTM if G == 4 else RNN)(W, U, (b + b_recurrent).astype(dtype))
        c_h = None
        if convention.reset == "after":
            c_h = b_recurrent[2 * H :].astype(dtype)
            b_recurrent[2 * H :] = 0
        return GRU(W, U, (b + b_recurrent).astype(dtype), c_h)

    @staticmethod
    def from_core(layer: Cell, convention: Convention) -> FileLayer:
        """Return a layer that `core(convention)` converts to `layer`. Its recurrent biases are zero, except for c_h."""
        G = len(layer.gates)

        def blocks(rows: Array) -> Array:
            by_block = dict(zip(BLOCKS[G], np.split(rows, G), strict=True))
            if G == 3 and convention.z == "keep":
                by_block["z"] = -by_block["z"]
            return np.concatenate([by_block[block] for block in convention.order])

        b_recurrent = np.zeros_like(layer.b)
        if isinstance(layer, GRU) and layer.c_h is not None:
            b_recurrent[2 * layer.units :] = layer.c_h
        return FileLayer(blocks(layer.W), blocks(layer.U), blocks(layer.b), blocks(b_recurrent))


def cell(
    where: str,
    W: Array,
    U: Array,
    b_input: Array | None = None,
    b_recurrent: Array | None = None,
    *,
    others: bool = False,
) -> FileLayer:
    """Build a layer from the arrays at `where` in a file. Missing biases are zero.

    Raises FormatError if the arrays do not have the shapes of a GRU. If `others` is true, they may also have the shapes
    of an LSTM or a plain RNN.
    """
    place = f"the GRU at {shown(where)}" if where else "the GRU"
    if W.ndim != 2 or U.ndim != 2:
        more = (
            ". If several layers are stacked in one array (nn.scan, vmap), save each of them alone. A convolutional "
            "cell, such as a ConvLSTM, cannot be shown"
        )
        raise FormatError(
            f"the network at {shown(where)} has weights of {W.ndim} and {U.ndim} axes; both must be matrices"
            f"{more * (W.ndim == U.ndim > 2)}"
        )
    H = U.shape[1]
    G = next((G for G in BLOCKS if H and U.shape[0] == W.shape[0] == G * H), 3)
    if G != 3 and not others:
        what = "an LSTM has four blocks of rows" if G == 4 else "a plain RNN has one block of rows"
        raise FormatError(f"{place} is not a GRU: {what}, a GRU has three. From this library only GRUs can be imported")
    place = place.replace("GRU", TITLES[G], 1)
    for what, array, shape in (
        ("recurrent weights", U, (G * H, H)),
        ("input weights", W, (G * H, W.shape[1])),
        ("input biases", b_input, (G * H,)),
        ("recurrent biases", b_recurrent, (G * H,)),
    ):
        if array is not None and array.shape != shape:
            turned = ", or they are transposed" if array.ndim == 2 and array.shape == shape[::-1] else ""
            raise FormatError(f"{place}: its {what} have shape {array.shape}, but {H} units need {shape}{turned}")
    for what, size in (("units", H), ("inputs", W.shape[1])):
        if size < 1:
            raise FormatError(f"{place} has no {what}")
    zeros = np.zeros(G * H, U.dtype)
    return FileLayer(W, U, zeros if b_input is None else b_input, zeros if b_recurrent is None else b_recurrent)


@dataclass(frozen=True)
class Embedding:
    """An embedding, `table` `(A, I)`, with a row for each symbol. `symbols` names the first symbols, or is empty."""

    name: str
    table: Array
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dense:
    """The linear layer after the top layer: V h + c, with `V` `(K, H)` and `c` `(K,)`.

    `activation` is the function that follows the linear layer, or None if the file does not show it.
    """

    name: str
    V: Array
    c: Array
    activation: str | None = None


@dataclass(frozen=True)
class Stack:
    """A GRU, an LSTM or an RNN in a file: its layers from the bottom, each with one direction or both.

    `source` is the library's name for the network, `where` is its path in the file, and `names` are the names of its
    arrays. `order`, `reset` and `z` are None if the file does not show them. `wired` is true if the file shows which
    layers come before and after the network. Then `embedding` and `dense` are these layers.
    """

    source: str
    where: str
    layers: tuple[Mapping[Direction, FileLayer], ...]
    names: frozenset[str]
    order: str | None
    reset: Reset | None
    z: Update | None
    wired: bool = False
    embedding: Embedding | None = None
    dense: Dense | None = None
    heads: tuple[Dense, ...] = ()
    """The linear layers that read the states, if the file shows them. If there are several, `dense` is None."""
    notes: tuple[str, ...] = ()
    as_read: bool = False
    """Whether the library returns the states with the last timestep first, for a network that reads backward."""
    beside: tuple[str, ...] = ()
    """The names of arrays outside the network that may belong to its cells. The file does not show whether they do."""
    merges: Mapping[int, str] = field(default_factory=dict)
    """How the outputs of two directions are joined, by layer index. The default is "concat"."""
    padding: float | None = None
    """The padding symbol's number or, without an embedding, the value of all inputs at a skipped timestep."""

    @property
    def inputs(self) -> int:
        return next(iter(self.layers[0].values())).inputs

    @property
    def units(self) -> int:
        """The number of units of the top layer in one direction."""
        return next(iter(self.layers[-1].values())).units

    @property
    def blocks(self) -> int:
        """The number of blocks G."""
        return next(iter(self.layers[0].values())).blocks

    @property
    def title(self) -> str:
        return TITLES[self.blocks]

    @property
    def first_both(self) -> int | None:
        """The index of the lowest layer that reads in both directions, or None if there is none."""
        return next((k for k, layer in enumerate(self.layers) if len(layer) == 2), None)

    @property
    def outputs(self) -> int:
        """The number of outputs of the top layer, over all its directions."""
        sizes = [cell.units for cell in self.layers[-1].values()]
        return sizes[0] if self.merges.get(len(self.layers) - 1, "concat") != "concat" else sum(sizes)

    def feeds(self, other: Stack) -> bool:
        """Return whether the layers of `other` can read the outputs of this network.

        Both networks must have the same convention, and neither may have a layer that only reads backward.
        """
        own_convention = (self.blocks, self.order, self.reset, self.z)
        matches = own_convention == (other.blocks, other.order, other.reset, other.z)
        return matches and not any(tuple(layer) == ("backward",) for layer in self.layers + other.layers)


def check_layers(stack: Stack) -> Stack:
    """Return the stack. Raises FormatError if a layer does not fit the outputs of the layer below."""
    for k, (below, layer) in enumerate(zip(stack.layers, stack.layers[1:], strict=False), 2):
        gives = [cell.units for cell in below.values()]
        for cell in layer.values():  # both directions are mostly given side by side, but may be added
            if cell.inputs not in (sum(gives), *gives[1:]):
                raise FormatError(f"layer {k} takes {cell.inputs} inputs, but layer {k - 1} gives {sum(gives)}")
    return stack


def stacked(stacks: Iterable[Stack]) -> Stack:
    """Join stacks into one, in which each stack reads the outputs of the stack before it.

    Raises FormatError if the stacks do not fit together.
    """
    first, *others = stacks
    if any(stack.blocks != first.blocks for stack in others):
        raise FormatError("the layers are of several kinds; only layers of one kind can be shown together")
    layers = first.layers + tuple(layer for stack in others for layer in stack.layers)
    names = first.names.union(*(stack.names for stack in others))
    notes = tuple(dict.fromkeys(note for stack in (first, *others) for note in stack.notes))
    merges: dict[int, str] = {}
    below = 0
    for stack in (first, *others):
        merges |= {below + k: merge for k, merge in stack.merges.items()}
        below += len(stack.layers)
    return check_layers(replace(first, layers=layers, names=names, notes=notes, merges=merges))
