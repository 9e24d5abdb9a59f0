"""ONNX's GRU, LSTM and RNN operators.

    z = σ(W_z x + b_z + R_z h + c_z)                W (D, 3H, I), R (D, 3H, H): z, r, h
    r = σ(W_r x + b_r + R_r h + c_r)                B (D, 6H): input biases, then recurrent biases
    h̃ = tanh(W_h x + b_h + r ⊙ (R_h h + c_h))       linear_before_reset = 1: reset "after"
    h̃ = tanh(W_h x + b_h + R_h (r ⊙ h) + c_h)       linear_before_reset = 0, the default: "before"
    h = (1 − z) ⊙ h̃ + z ⊙ h                         z keeps

The blocks of an LSTM are i, o, f and c̃, and an RNN has one block. Their two biases are added.

D is 2 for a bidirectional layer, else 1. The names of tensors are arbitrary, so a tensor is identified by its position
among the inputs of the node. https://onnx.ai/onnx/operators/onnx__GRU.html, onnx__LSTM.html, onnx__RNN.html
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gru_core.arrays import Array
from gru_core.formats.onnx_file import Node, Tensor, graph
from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import (
    Dense,
    Direction,
    Embedding,
    FileLayer,
    Reset,
    Stack,
    cell,
    stacked,
)

MAX_GRUS = 16

OPERATORS = {
    "GRU": ("zrh", ("sigmoid", "tanh")),
    "LSTM": ("iofc", ("sigmoid", "tanh", "tanh")),
    "RNN": ("h", ("tanh",)),
}
"""For each recurrent operator the order of its blocks, and the activations that can be shown."""

PASSING = {"Squeeze", "Unsqueeze", "Reshape", "Transpose", "Identity", "Cast", "Dropout", "Flatten"}
"""Operators that do not change values. They change at most the shape or the type of their input."""

SIDES: dict[str, tuple[Direction, ...]] = {
    "forward": ("forward",),
    "reverse": ("backward",),
    "bidirectional": ("forward", "backward"),
}
CHOOSING = {"ArgMax", "TopK"}
"""Operators that return the indices of the largest numbers."""

ACTIVATIONS = {"Softmax": "softmax", "LogSoftmax": "log softmax", "Sigmoid": "sigmoid", "Tanh": "tanh", "Relu": "relu"}


def read(data: bytes) -> list[Stack]:
    """Return the recurrent networks in an ONNX file, each with the embedding before it and the readout after it.

    Raises FormatError if the file is damaged, if its numbers are in another file, or if it has a network that cannot be
    shown.
    """
    nodes, tensors = graph(data)
    if sum(node.op_type in OPERATORS for node in nodes) > MAX_GRUS:
        raise FormatError(f"the graph has more than {MAX_GRUS} recurrent operators")
    return Graph(nodes, tensors).stacks()


@dataclass(frozen=True)
class Graph:
    """An ONNX graph, with methods that follow a value from node to node."""

    nodes: list[Node]
    tensors: dict[str, Tensor]

    @cached_property
    def made_by(self) -> dict[str, Node]:
        """The node that computes each value, by the name of the value."""
        return {output: node for node in self.nodes for output in node.outputs if output}

    @cached_property
    def used_by(self) -> dict[str, list[Node]]:
        """The nodes that read each value, by the name of the value. Nodes that read only its shape do not count."""
        used: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in node.inputs:
                if node.op_type != "Shape":
                    used.setdefault(name, []).append(node)
        return used

    def constant(self, node: Node, place: int) -> Array | None:
        """Return the input of a node at the index `place`, or None if this input is not a constant."""
        name = node.inputs[place] if place < len(node.inputs) else ""
        return self.tensors[name].array if name in self.tensors else None

    def before(self, name: str) -> Node | None:
        """Return the node that computes a value, or None. Operators in `PASSING` are skipped."""
        for _ in self.nodes:
            node = self.made_by.get(name)
            if node is None or node.op_type not in PASSING or not node.inputs:
                return node
            name = node.inputs[0]
        return None

    def after(self, name: str) -> Node | None:
        """Return the only node that reads a value. Operators in `PASSING` are skipped.

        The result is None if several nodes read the value, or if no node reads it.
        """
        for _ in self.nodes:
            nodes = self.used_by.get(name, [])
            if len(nodes) != 1 or not nodes[0].outputs:
                return None
            if nodes[0].op_type not in PASSING:
                return nodes[0]
            name = nodes[0].outputs[0]
        return None

    def stacks(self) -> list[Stack]:
        """Return the recurrent networks. Layers that read one another's outputs are one network."""
        networks: list[tuple[Node, Stack]] = []
        for node in self.nodes:
            if node.op_type in OPERATORS and node.domain in ("", "ai.onnx") and node.inputs:
                stack, below = self._recurrent(node), self.before(node.inputs[0])
                pairs = enumerate(networks)
                index = next((i for i, (top, lower) in pairs if top is below and lower.feeds(stack)), None)
                if index is None:
                    networks.append((node, self._with_embedding(stack, below)))
                else:
                    networks[index] = node, stacked([networks[index][1], stack])
        return [self._with_dense(stack, node) for node, stack in networks]

    def _recurrent(self, node: Node) -> Stack:
        """Return the layer of a recurrent node. Raises FormatError if the layer cannot be shown."""
        title, (order, usual) = node.op_type, OPERATORS[node.op_type]
        where = node.name or (node.outputs[0] if node.outputs else "")
        used = [activation.lower() for activation in node.texts("activations")]
        if any(activation != usual[i % len(usual)] for i, activation in enumerate(used)):
            names = " and ".join(dict.fromkeys(usual))
            raise FormatError(f"the {title} {shown(where)} uses {shown(', '.join(used))}; only {names} can be shown")
        peepholes = node.inputs[7] if len(node.inputs) > 7 else ""
        P = self.constant(node, 7)
        if peepholes and (P is None or P.any()):
            raise FormatError(f"the LSTM {shown(where)} has peepholes, which cannot be shown")
        if node.whole("input_forget"):
            raise FormatError(f"the LSTM {shown(where)} couples its input and forget gates, which cannot be shown")
        if node.number("clip", 0):
            raise FormatError(f"the {title} {shown(where)} clips its sums, which cannot be shown")
        side = node.text("direction", "forward")
        if side not in SIDES:
            raise FormatError(
                f"the {title} {shown(where)} has the direction {shown(side)}; it must be one of {', '.join(SIDES)}"
            )
        W, R = (self.constant(node, place) for place in (1, 2))
        if W is None or R is None:
            raise FormatError(
                f"the {title} {shown(where)} has no weights of its own: they are computed, or given with the inputs"
            )
        B = self.constant(node, 3)
        if B is None and len(node.inputs) > 3 and node.inputs[3]:
            raise FormatError(f"the {title} {shown(where)} has biases that are computed, or given with the inputs")
        D = len(SIDES[side])
        for name, array, axes in (("W", W, 3), ("R", R, 3), ("B", B, 2)):
            if array is not None and (array.ndim != axes or len(array) != D):
                raise FormatError(f"the {title} {shown(where)} has {name} of shape {array.shape}; expected {D} × …")
        layer: dict[Direction, FileLayer] = {}
        for d, direction in enumerate(SIDES[side]):
            if B is None:
                layer[direction] = cell(where, W[d], R[d], others=True)
            elif B.shape[1] != 2 * R.shape[1]:
                raise FormatError(
                    f"the {title} {shown(where)} has B of shape {B.shape}; expected {(D, 2 * R.shape[1])}"
                )
            else:
                layer[direction] = cell(where, W[d], R[d], *np.split(B[d], 2), others=True)
        for direction_cell in layer.values():
            if (shape := direction_cell.title) != title:
                article = "a" if shape == "GRU" else "an"
                raise FormatError(f"the {title} {shown(where)} has weights with the shape of {article} {shape}")
        initial = [state for place in (5, 6) if (state := self.constant(node, place)) is not None]
        notes = ("In the file the network starts from a stored state; here it begins from zero.",)
        stack = Stack(
            f"ONNX's {title}", where, (layer,), frozenset(), order, None, None,
            wired=True, notes=notes if any(state.any() for state in initial) else (),
        )  # fmt: skip
        if title != "GRU":
            return stack
        reset: Reset = "after" if node.whole("linear_before_reset") else "before"
        source = f"ONNX, with linear_before_reset={int(reset == 'after')}"
        return replace(stack, source=source, reset=reset, z="keep")

    def _with_embedding(self, stack: Stack, below: Node | None) -> Stack:
        """Return the network with its embedding if the node `below` is one. If not, add a note about that node."""
        if below is None:
            return stack
        if below.op_type == "Gather":
            table = self.constant(below, 0)
            if table is not None and table.ndim == 2 and table.shape[1] == stack.inputs:
                return replace(stack, embedding=Embedding(below.inputs[0], table))
        note = f"Before this network comes a node {shown(below.op_type)}, which is not shown."
        return replace(stack, notes=(*stack.notes, note))

    def _with_dense(self, stack: Stack, node: Node) -> Stack:
        """Return the network with the readout of its outputs: all states Y, or the last state Y_h."""
        following = [after for output in node.outputs if output and (after := self.after(output)) is not None]
        for follows in following:
            dense = self._dense(follows)
            if dense is not None:
                return replace(stack, dense=dense)
        if not following:
            return stack
        note = f"After this network comes a node {shown(following[0].op_type)}, which is not shown."
        return replace(stack, notes=(*stack.notes, note))

    def _is_last(self, node: Node) -> bool:
        """Return whether only operators in `CHOOSING`, if any, read the outputs. Operators in `PASSING` are skipped."""
        for name in node.outputs:
            for follows in self.used_by.get(name, []):
                if follows.op_type not in CHOOSING and not (follows.op_type in PASSING and self._is_last(follows)):
                    return False
        return True

    def _dense(self, node: Node) -> Dense | None:
        """Return the linear layer of a MatMul or a Gemm with its activation, or None if `node` is not a readout."""
        if node.op_type not in ("MatMul", "Gemm"):
            return None
        V = self.constant(node, 1)
        if V is None or V.ndim != 2:
            return None
        c: Array | None
        if node.op_type == "Gemm":
            c = self.constant(node, 2)
            scaled = node.number("alpha", 1) != 1 or node.number("beta", 1) != 1
            if scaled or node.whole("transA") or (c is None and len(node.inputs) > 2):
                return None
            V = V if node.whole("transB") else V.T
        else:
            V, c = V.T, None
            add = self.after(node.outputs[0]) if node.outputs else None
            if add is not None and add.op_type == "Add":
                c = next((c for place in (0, 1) if (c := self.constant(add, place)) is not None), None)
                node = add if c is not None and c.ndim == 1 else node
        c = c if c is not None and c.shape == (len(V),) else np.zeros(len(V), V.dtype)
        follows = self.after(node.outputs[0]) if node.outputs else None
        activation = ACTIVATIONS.get(follows.op_type) if follows is not None else None
        if not self._is_last(follows if follows is not None and activation else node):
            return None
        return Dense(node.name or node.op_type, V, c, activation or "linear")
