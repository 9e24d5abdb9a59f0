"""ONNX's GRU operator.

    z = σ(W_z x + b_z + R_z h + c_z)                W (D, 3H, I), R (D, 3H, H): z, r, h
    r = σ(W_r x + b_r + R_r h + c_r)                B (D, 6H): input's, then recurrent
    h̃ = tanh(W_h x + b_h + r ⊙ (R_h h + c_h))       linear_before_reset = 1: reset "after"
    h̃ = tanh(W_h x + b_h + R_h (r ⊙ h) + c_h)       linear_before_reset = 0, the default: "before"
    h = (1 − z) ⊙ h̃ + z ⊙ h                         z keeps

D is 2 for both directions. Tensors have no telling names: they are read by their place among the
node's inputs. https://onnx.ai/onnx/operators/onnx__GRU.html
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gru_core.arrays import Array
from gru_core.formats.onnx_file import Node, Tensor, graph
from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import (
    Cell,
    Dense,
    Direction,
    Embedding,
    Reset,
    Stack,
    cell,
    stacked,
)

MAX_GRUS = 16

PASSING = {"Squeeze", "Unsqueeze", "Reshape", "Transpose", "Identity", "Cast", "Dropout", "Flatten"}
"""Operators that change the shape of what they take, and nothing else."""

SIDES: dict[str, tuple[Direction, ...]] = {
    "forward": ("forward",),
    "reverse": ("backward",),
    "bidirectional": ("forward", "backward"),
}
ACTIVATIONS = {"Softmax": "softmax", "LogSoftmax": "log softmax", "Sigmoid": "sigmoid", "Tanh": "tanh", "Relu": "relu"}


def read(data: bytes) -> list[Stack]:
    """The GRUs in an ONNX file, each with the embedding before it and the readout after it.

    Raises FormatError when the file is damaged, keeps its numbers elsewhere, or has a GRU that
    cannot be shown.
    """
    nodes, tensors = graph(data)
    if sum(node.op_type == "GRU" for node in nodes) > MAX_GRUS:
        raise FormatError(f"the graph has more than {MAX_GRUS} GRUs")
    return Graph(nodes, tensors).stacks()


@dataclass(frozen=True)
class Graph:
    """An ONNX graph, to be followed from node to node along what they give."""

    nodes: list[Node]
    tensors: dict[str, Tensor]

    @cached_property
    def made_by(self) -> dict[str, Node]:
        return {output: node for node in self.nodes for output in node.outputs if output}

    @cached_property
    def used_by(self) -> dict[str, list[Node]]:
        used: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in node.inputs:
                if node.op_type != "Shape":
                    used.setdefault(name, []).append(node)
        return used

    def constant(self, node: Node, place: int) -> Array | None:
        """The constant that a node takes at a place among its inputs, None when it takes no constant there."""
        name = node.inputs[place] if place < len(node.inputs) else ""
        return self.tensors[name].array if name in self.tensors else None

    def before(self, name: str) -> Node | None:
        """The node that made a value, those that only pass it on left out."""
        for _ in self.nodes:
            node = self.made_by.get(name)
            if node is None or node.op_type not in PASSING or not node.inputs:
                return node
            name = node.inputs[0]
        return None

    def after(self, name: str) -> Node | None:
        """The one node that takes a value, those that only pass it on left out; None when it is not one."""
        for _ in self.nodes:
            nodes = self.used_by.get(name, [])
            if len(nodes) != 1 or not nodes[0].outputs:
                return None
            if nodes[0].op_type not in PASSING:
                return nodes[0]
            name = nodes[0].outputs[0]
        return None

    def is_used(self, node: Node) -> bool:
        """Whether another node takes what this one gives, those that only pass it on left out."""
        users = [user for output in node.outputs for user in self.used_by.get(output, [])]
        return any(user.op_type not in PASSING or self.is_used(user) for user in users)

    def stacks(self) -> list[Stack]:
        """The GRUs, those together of which each takes what the one before it gives."""
        found: list[tuple[Node, Stack]] = []
        for node in self.nodes:
            if node.op_type == "GRU" and node.domain in ("", "ai.onnx") and node.inputs:
                stack, below = self._gru(node), self.before(node.inputs[0])
                last = next((i for i, (top, one) in enumerate(found) if top is below and one.feeds(stack)), None)
                if last is None:
                    found.append((node, self._with_embedding(stack, below)))
                else:
                    found[last] = node, stacked([found[last][1], stack])
        return [self._with_dense(stack, node) for node, stack in found]

    def _gru(self, node: Node) -> Stack:
        where = node.name or (node.outputs[0] if node.outputs else "")
        given = [activation.lower() for activation in node.texts("activations")]
        if any(activation != ("sigmoid", "tanh")[i % 2] for i, activation in enumerate(given)):
            raise FormatError(
                f"the GRU {shown(where)} uses {shown(', '.join(given))}; only sigmoid and tanh can be shown"
            )
        if node.number("clip", 0):
            raise FormatError(f"the GRU {shown(where)} clips its sums, which cannot be shown")
        side = node.text("direction", "forward")
        if side not in SIDES:
            raise FormatError(f"the GRU {shown(where)} has the direction {shown(side)}; there are: {', '.join(SIDES)}")
        W, R = (self.constant(node, place) for place in (1, 2))
        if W is None or R is None:
            raise FormatError(
                f"the GRU {shown(where)} has no weights of its own: they are computed, or given with the inputs"
            )
        B = self.constant(node, 3)
        if B is None and len(node.inputs) > 3 and node.inputs[3]:
            raise FormatError(f"the GRU {shown(where)} has biases that are computed, or given with the inputs")
        D = len(SIDES[side])
        for name, array, axes in (("W", W, 3), ("R", R, 3), ("B", B, 2)):
            if array is not None and (array.ndim != axes or len(array) != D):
                raise FormatError(
                    f"the GRU {shown(where)} has {name} of shape {array.shape}; {D} × … was to be expected"
                )
        layer: dict[Direction, Cell] = {}
        for d, direction in enumerate(SIDES[side]):
            if B is None:
                layer[direction] = cell(where, W[d], R[d])
            elif B.shape[1] != 2 * R.shape[1]:
                raise FormatError(
                    f"the GRU {shown(where)} has B of shape {B.shape}; {(D, 2 * R.shape[1])} was to be expected"
                )
            else:
                layer[direction] = cell(where, W[d], R[d], *np.split(B[d], 2))
        reset: Reset = "after" if node.whole("linear_before_reset") else "before"
        source = f"ONNX, with linear_before_reset={int(reset == 'after')}"
        initial = self.constant(node, 5)
        notes = ("It begins from a state that is kept in the file; here it begins from zero.",)
        return Stack(
            source, where, (layer,), frozenset(), "zrh", reset, "keep",
            wired=True, notes=notes if initial is not None and initial.any() else (),
        )  # fmt: skip

    def _with_embedding(self, stack: Stack, below: Node | None) -> Stack:
        if below is None:
            return stack
        if below.op_type == "Gather":
            table = self.constant(below, 0)
            if table is not None and table.ndim == 2 and table.shape[1] == stack.inputs:
                return replace(stack, embedding=Embedding(below.inputs[0], table))
        note = f"Before it stands a node {shown(below.op_type)}, which is not shown."
        return replace(stack, notes=(*stack.notes, note))

    def _with_dense(self, stack: Stack, node: Node) -> Stack:
        """The stack with what is made of its states, Y or the last, Y_h."""
        following = [after for output in node.outputs if output and (after := self.after(output)) is not None]
        for follows in following:
            dense = self._dense(follows)
            if dense is not None:
                return replace(stack, dense=dense)
            if follows.op_type in ("MatMul", "Gemm"):
                note = f"More stands after {shown(follows.name or follows.op_type)}, which so is not the readout."
                return replace(stack, notes=(*stack.notes, note))
        notes = (f"After it stands a node {shown(following[0].op_type)}, which is not shown.",) if following else ()
        return replace(stack, notes=stack.notes + notes)

    def _dense(self, node: Node) -> Dense | None:
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
        name, activation = node.name or node.op_type, "linear"
        follows = self.after(node.outputs[0]) if node.outputs else None
        if follows is not None and follows.op_type in ACTIVATIONS:
            node, activation = follows, ACTIVATIONS[follows.op_type]
        return None if self.is_used(node) else Dense(name, V, c, activation)
