"""The paths of recurrent operators' outputs through an ONNX graph, with their axes and the selected timesteps.

A value that is a rearranged output of a recurrent operator is a `Signal`. Its axes have letters: T timesteps, D
directions, B sequences of the batch, H units, L the layers and directions in PyTorch's h_n, 1 an axis of size 1, and ?
an axis into which a Reshape merged several axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np

from gru_core.formats.onnx_constants import Constants, reshaped, slices, wholes
from gru_core.formats.onnx_file import MAX_AXES, File, Node, Values

PASSING = {"Squeeze", "Unsqueeze", "Reshape", "Transpose", "Identity", "Cast", "Dropout", "Flatten"}
"""Operators that keep the values of their input. They change at most its shape or its type."""

SELECTING = {"Gather", "Slice"}
"""Operators that take a part of their input."""

FAR = 2**31 - 1
"""A number above every index. Exporters write this number or a larger one for the end of an axis."""

MAX_MOVES = 64

RECURRENT = {"GRU", "LSTM", "RNN"}

Steps = Literal["all", "last", "other"]


@dataclass(frozen=True)
class Signal:
    """A rearranged output of a recurrent node.

    `axes` has a letter for each axis, or is None if the axes are unknown. `steps` says which timesteps the signal has.
    `half` is the index of the signal's only direction, or None if it has all directions. `backward` is true if the
    timesteps are in reversed order. `parts` are the signals along an axis L.
    """

    node: Node
    axes: str | None
    steps: Steps
    half: int | None = None
    backward: bool = False
    parts: tuple[Signal, ...] = ()

    def without(self, axis: int) -> str:
        """Return the axes without the axis at the index `axis`."""
        axes = self.axes or ""
        return axes[:axis] + axes[axis + 1 :]


def recurrent(node: Node) -> bool:
    """Return whether a node is one of ONNX's recurrent operators."""
    return node.op_type in RECURRENT and node.domain in ("", "ai.onnx") and bool(node.inputs)


@dataclass
class Graph:
    """An ONNX graph, with methods that follow a value from node to node.

    `chains` maps a recurrent node to its chain: the nodes that call a layer one after another, in order of time.
    """

    file: File
    chains: dict[Node, list[Node]] = field(default_factory=dict)

    @cached_property
    def made_by(self) -> dict[str, Node]:
        """The node that computes each value, by the name of the value."""
        return {output: node for node in self.file.nodes for output in node.outputs if output}

    @cached_property
    def used_by(self) -> dict[str, list[Node]]:
        """The nodes that read each value, by the name of the value. Nodes that read only its shape do not count."""
        used: dict[str, list[Node]] = {}
        for node in self.file.nodes:
            for name in node.inputs:
                if node.op_type != "Shape":
                    used.setdefault(name, []).append(node)
        return used

    @cached_property
    def constants(self) -> Constants:
        return Constants(self.file.tensors, self.made_by)

    def constant(self, node: Node, place: int) -> Values | None:
        """Return the input of a node at the index `place`, or None if this input is not a constant."""
        name = node.inputs[place] if place < len(node.inputs) else ""
        return self.constants.get(name) if name else None

    def before(self, name: str) -> Node | None:
        """Return the node that computes a value, or None. Operators in `PASSING` are skipped."""
        return self.source(name, "")[0]

    def source(self, name: str, axes: str) -> tuple[Node | None, bool]:
        """Return the node that computes a value, or None, and whether time is reversed between the node and the value.

        `axes` are the axes of the value. Operators in `PASSING`, and operators that reverse time or reorder the
        sequences of a batch, are skipped.
        """
        backward = False
        for _ in range(MAX_MOVES):
            node = self.made_by.get(name)
            if node is None or not node.inputs:
                return node, backward
            if node.op_type in PASSING:
                axes = _axes_before(node, axes)
            elif self._reverses(node, axes):
                backward = not backward
            elif not self._sorts(node, axes):
                return node, backward
            name = node.inputs[0]
        return None, backward

    def _reverses(self, node: Node, axes: str) -> bool:
        """Return whether a node reverses time in a value with these axes."""
        if node.op_type == "ReverseSequence" and len(node.inputs) > 1:
            lengths, axis = node.inputs[1], node.whole("time_axis")
            known = self.constants.get(lengths)
            whole = not self.reads_inputs(lengths) if known is None else not np.ptp(known)
            return whole and axes[axis : axis + 1] == "T"
        if node.op_type != "Slice" or not axes:
            return False
        parts = [(part.start, part.stop, part.step) for part in self._slices(node, len(axes)) or []]
        turned = [i for i, part in enumerate(parts) if part != (None, None, None)]
        return len(turned) == 1 and axes[turned[0]] == "T" and parts[turned[0]][1:] == (None, -1)

    def _sorts(self, node: Node, axes: str) -> bool:
        """Return whether a node reorders the sequences of a batch. PyTorch, for example, sorts sequences by length."""
        axis = node.whole("axis")
        computed = node.op_type == "Gather" and self.constant(node, 0) is None and self.constant(node, 1) is None
        return computed and axes[axis : axis + 1] == "B"

    def after(self, name: str) -> Node | None:
        """Return the only node that reads a value. Operators in `PASSING` are skipped.

        The result is None if several nodes read the value, or if no node reads it.
        """
        for _ in range(MAX_MOVES):
            nodes = self.used_by.get(name, [])
            if len(nodes) != 1 or not nodes[0].outputs:
                return None
            if nodes[0].op_type not in PASSING:
                return nodes[0]
            name = nodes[0].outputs[0]
        return None

    def is_zero(self, name: str) -> bool:
        """Return whether a value is zero everywhere, even if the graph computes its shape."""
        for _ in range(MAX_MOVES):
            value = self.constants.get(name)
            if value is not None:
                return not value.any()
            node = self.made_by.get(name)
            if node is None or not node.inputs:
                return False
            if node.op_type == "ConstantOfShape":
                filling = node.tensor("value")
                return filling is None or not filling.array.any()
            if node.op_type == "Concat" and len(set(node.inputs)) > 1:
                return False
            if node.op_type not in PASSING | SELECTING | {"Expand", "Tile", "Concat", "Split"}:
                return False
            name = node.inputs[0]
        return False

    def reads_inputs(self, name: str) -> bool:
        """Return whether a value depends on the numbers in an input of the graph, and not only on its shape."""
        seen, names = {name}, [name]
        while names:
            name = names.pop()
            if name in self.file.inputs and name not in self.file.tensors:
                return True
            node = self.made_by.get(name)
            if node is not None and node.op_type != "Shape":
                names += [other for other in node.inputs if other not in seen]
                seen.update(node.inputs)
        return False

    def signal(self, name: str, concats: int = 1) -> Signal | None:
        """Return a value as a signal, or None if it is not a rearranged output of a recurrent node."""
        moves: list[Node] = []
        while (node := self.made_by.get(name)) is not None and not recurrent(node):
            if len(moves) == MAX_MOVES or not node.inputs:
                return None
            if node.op_type == "Concat":
                break
            moves.append(node)
            name = node.inputs[0]
        if node is None:
            return None
        signal = self._output(node, name) if recurrent(node) else self._joined(node, concats) if concats else None
        for move in reversed(moves):
            signal = signal and self.moved(signal, move)
        return signal

    def _output(self, node: Node, name: str) -> Signal | None:
        """Return an output of a recurrent node as a signal: all its states Y, or the last state Y_h."""
        output, batch_first = node.outputs.index(name), bool(node.whole("layout"))
        chain = self.chains.get(node, [node])
        if output > 1:
            return None
        steps: Steps = "other" if node is not chain[-1] else "last" if output or len(chain) > 1 else "all"
        return Signal(node, (("BTDH", "BDH") if batch_first else ("TDBH", "DBH"))[output], steps)

    def _joined(self, node: Node, concats: int) -> Signal | None:
        """Return the output of a Concat as a signal: the states of all calls of a layer, or PyTorch's h_n."""
        parts: list[Signal] = []
        for name in node.inputs:
            part = self.signal(name, concats - 1)
            if part is None or part.axes is None or part.axes != (parts[0].axes if parts else part.axes):
                return None
            parts.append(part)
        axes, axis = parts[0].axes or "", node.whole("axis")
        if not -len(axes) <= axis < len(axes):
            return None
        axis %= len(axes)
        nodes = [part.node for part in parts]
        if axes[axis] in "T1" and nodes == self.chains.get(nodes[0], nodes[:1]):
            return replace(parts[-1], axes=axes[:axis] + "T" + axes[axis + 1 :], steps="all")
        if axes[axis] == "D" and all(part.half is None and "T" not in axes for part in parts):
            return replace(parts[0], axes=axes[:axis] + "L" + axes[axis + 1 :], parts=tuple(parts))
        return None

    def moved(self, signal: Signal, node: Node) -> Signal | None:
        """Return the output of a node that reads a signal, or None if the output is not a signal."""
        axes = signal.axes
        if axes is not None and len(axes) > MAX_AXES:
            return None
        if node.op_type in ("Identity", "Dropout"):
            return signal
        if node.op_type == "Cast":
            return signal if node.whole("to") in (1, 10, 11, 16) else None
        if axes is None:
            return signal if node.op_type in PASSING else None
        if node.op_type == "Transpose":
            order = node.wholes("perm") or list(range(len(axes)))[::-1]
            if sorted(order) != list(range(len(axes))):
                return None
            return replace(signal, axes="".join(axes[i] for i in order))
        if node.op_type in ("Squeeze", "Unsqueeze"):
            chosen = wholes(node, "axes", self.constant(node, 1))
            if node.op_type == "Squeeze":
                if chosen is None:
                    return replace(signal, axes=axes.replace("D", "").replace("1", ""))
                removed = {axis % len(axes) for axis in chosen}
                left = "".join(letter for i, letter in enumerate(axes) if i not in removed)
                return replace(signal, axes=left) if "H" in left else None
            chosen = (chosen or [])[:MAX_AXES]
            for axis in sorted(axis % (len(axes) + len(chosen)) for axis in chosen):
                axes = axes[:axis] + "1" + axes[axis:]
            return replace(signal, axes=axes)
        if node.op_type == "Flatten":
            return replace(signal, axes="?H" if node.whole("axis", 1) in (-1, len(axes) - 1) else None)
        if node.op_type == "Reshape":
            return replace(signal, axes=self._reshaped(axes, wholes(node, "shape", self.constant(node, 1))))
        if node.op_type == "Gather":
            return self._gathered(signal, node)
        if node.op_type == "ReverseSequence" and self._reverses(node, axes):
            return replace(signal, backward=not signal.backward)
        return self._sliced(signal, node) if node.op_type == "Slice" else None

    def _reshaped(self, axes: str, shape: Sequence[int] | None) -> str | None:
        """Return the axes after a Reshape, or None if they are unknown.

        Exporters use a Reshape to drop D, to join D and H, and to join T and B.
        """
        if shape is None or "L" in axes:
            return None
        joined = axes.replace("D", "") if axes.endswith("DH") or "D" not in axes else axes
        if len(shape) == len(joined) and all(size in (0, -1) or size > 0 for size in reshaped([1] * 9, shape)):
            return joined
        return "?" * (len(shape) - 1) + "H" if joined.endswith("H") and len(shape) == 2 and shape[0] == -1 else None

    def _gathered(self, signal: Signal, node: Node) -> Signal | None:
        """Return the part of a signal that a Gather with a constant index selects."""
        axes, axis = signal.axes or "", node.whole("axis")
        if not -len(axes) <= axis < len(axes) or len(node.inputs) < 2:
            return None
        axis %= len(axes)
        index = self.constant(node, 1)
        if self._sorts(node, axes):
            return signal
        if index is None:
            last = axes[axis] == "T" and self._is_last_index(node.inputs[1])
            return self._taken(signal, axis, -1) if last else None
        if index.size != 1:
            return None
        taken = self._taken(signal, axis, (wholes(node, "indices", index) or [0])[0])
        if taken is None or index.ndim == 0:
            return taken
        return replace(taken, axes=f"{axes[:axis]}{'1' * index.ndim}{axes[axis + 1 :]}")

    def _taken(self, signal: Signal, axis: int, number: int) -> Signal | None:
        """Return the part of a signal at the index `number` of an axis, or None if it is not a signal."""
        letter, axes = (signal.axes or "")[axis], signal.without(axis)
        if letter == "T":
            steps: Steps = "last" if number == -1 else "other"
            return replace(signal, axes=axes, steps=steps if signal.steps == "all" else signal.steps)
        if letter == "D":
            both = signal.node.text("direction", "forward") == "bidirectional"
            return replace(signal, axes=axes, half=number % 2 if both else signal.half)
        if letter == "L":
            flat = [
                (part, half)
                for part in signal.parts
                for half in ((0, 1) if part.node.text("direction", "forward") == "bidirectional" else (None,))
            ]
            if not -len(flat) <= number < len(flat):
                return None
            part, half = flat[number]
            return replace(part, axes=axes, half=half)
        return replace(signal, axes=axes) if letter in "B1" else None

    def _is_last_index(self, name: str) -> bool:
        """Return whether an index is T − 1, computed from the shape of a value."""
        node = self.made_by.get(name)
        while node is not None and node.op_type in ("Identity", "Cast", "Unsqueeze", "Squeeze") and node.inputs:
            node = self.made_by.get(node.inputs[0])
        if node is None or node.op_type not in ("Sub", "Add") or len(node.inputs) != 2:
            return False
        difference, size = wholes(node, "B", self.constant(node, 1)), self.before(node.inputs[0])
        if difference != [1 if node.op_type == "Sub" else -1]:
            return False
        if size is not None and size.op_type in SELECTING:
            size = self.before(size.inputs[0])
        return size is not None and size.op_type == "Shape"

    def _sliced(self, signal: Signal, node: Node) -> Signal | None:
        """Return the part of a signal that a Slice with constant limits selects."""
        axes = signal.axes or ""
        if self._reverses(node, axes):
            return replace(signal, backward=not signal.backward)
        parts = self._slices(node, len(axes))
        if parts is None:
            return None
        for axis, part in enumerate(parts):
            start, end = part.start or 0, part.stop if part.stop is not None else FAR
            whole = part.step in (None, 1) and start == 0 and end >= FAR
            if whole or axes[axis] in "B1":
                continue
            if part.step not in (None, 1) or not (end - start == 1 or (start == -1 and end >= FAR)):
                return None
            taken = self._taken(signal, axis, start)
            if taken is None:
                return None
            signal = replace(taken, axes=f"{axes[:axis]}1{axes[axis + 1 :]}")
        return signal

    def _slices(self, node: Node, axes: int) -> list[slice] | None:
        """Return the slices that a Slice selects along each axis, or None if its limits are not constant."""
        inputs = [None, *(self.constant(node, place) for place in range(1, len(node.inputs)))]
        if any(name and value is None for name, value in zip(node.inputs[1:], inputs[1:], strict=True)):
            return None
        try:
            return slices(node, inputs, axes)
        except (ValueError, IndexError):
            return None

    def picked(self, name: str) -> int | None:
        """Return the index of the timestep that one call of a layer reads from a sequence, or None."""
        node = self.before(name)
        if node is not None and node.op_type == "Gather" and (table := self.constant(node, 0)) is not None:
            return self.picked(node.inputs[1]) if len(node.inputs) > 1 and table.ndim == 2 else None
        if node is None or node.op_type not in (*SELECTING, "Split"):
            return None
        if node.op_type == "Split":
            while name not in node.outputs:
                name = self.made_by[name].inputs[0]
            return node.outputs.index(name)
        index = wholes(node, "starts", self.constant(node, 1))
        return index[0] if index is not None and len(index) == 1 else None


def _axes_before(node: Node, axes: str) -> str:
    """Return the input axes of a node in `PASSING`, given its output `axes`. The result is "" if they are unknown."""
    if node.op_type == "Transpose":
        order = node.wholes("perm") or list(range(len(axes)))[::-1]
        return (
            "".join(axes[order.index(i)] for i in range(len(axes))) if sorted(order) == list(range(len(axes))) else ""
        )
    return axes if node.op_type in ("Identity", "Cast", "Dropout") else ""
