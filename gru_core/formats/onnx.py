"""ONNX's GRU operator. Needs onnx: pip install 'gruscope[onnx]'.

    z = σ(W_z x + b_z + R_z h + c_z)                W (D, 3H, I), R (D, 3H, H): z, r, h
    r = σ(W_r x + b_r + R_r h + c_r)                B (D, 6H): input's, then recurrent
    h̃ = tanh(W_h x + b_h + r ⊙ (R_h h + c_h))       linear_before_reset = 1: reset "after"
    h̃ = tanh(W_h x + b_h + R_h (r ⊙ h) + c_h)       linear_before_reset = 0, the default: "before"
    h = (1 − z) ⊙ h̃ + z ⊙ h                         z keeps

D is 2 for both directions. Tensors have no telling names: they are read by their place among the
node's inputs. https://onnx.ai/onnx/operators/onnx__GRU.html
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from gru_core.arrays import Array
from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import (
    MAX_UNPACKED,
    Cell,
    Dense,
    Direction,
    Embedding,
    Reset,
    Stack,
    cell,
    numbers,
    stacked,
)

MAX_NODES = 5_000
MAX_GRUS = 16
MAX_ENDS = 256
MAX_WRITTEN_OUT = 2**20
"""Numbers of a tensor that keeps each as a field of its own, which is slow to read."""

PASSING = {"Squeeze", "Unsqueeze", "Reshape", "Transpose", "Identity", "Cast", "Dropout", "Flatten"}
"""Operators that change the shape of what they take, and nothing else."""

# TensorProto.DataType → how the numbers lie in raw_data, the field that holds them otherwise.
KINDS = {1: ("<f4", "float_data"), 10: ("<u2", "int32_data"), 11: ("<f8", "double_data"), 16: ("<u2", "int32_data")}
FLOAT16, BFLOAT16 = 10, 16
SIDES: dict[str, tuple[Direction, ...]] = {
    "forward": ("forward",),
    "reverse": ("backward",),
    "bidirectional": ("forward", "backward"),
}


def read(data: bytes) -> list[Stack]:
    """The GRUs in an ONNX file, each with the embedding before it and the readout after it.

    Raises FormatError when the file is damaged, keeps its numbers elsewhere, or has a GRU that
    cannot be shown.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise FormatError("reading ONNX files needs onnx: pip install 'gruscope[onnx]'") from error
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except (DecodeError, ValueError, RecursionError) as error:
        raise FormatError("this is no ONNX file, or a damaged one") from error
    return Graph(model.graph).stacks()


def tensor(proto: Any) -> Array:
    """The array of a TensorProto. Raises FormatError unless its numbers are all there, and floats."""
    name, dims = proto.name, tuple(proto.dims)
    if proto.data_location == 1 or proto.external_data:
        raise FormatError(f"{shown(name)} is kept in another file; export it with its data inside, in one file")
    if proto.data_type not in KINDS:
        raise FormatError(f"{shown(name)} holds numbers of type {proto.data_type}; weights are floating-point")
    if len(dims) > 8 or min(dims, default=1) < 0 or math.prod(dims) * 4 > MAX_UNPACKED:
        raise FormatError(f"{shown(name)} says its shape is {dims}, which cannot be")
    kind, field = KINDS[proto.data_type]
    if proto.raw_data:
        flat, count = np.frombuffer(proto.raw_data, np.uint8), math.prod(dims) * np.dtype(kind).itemsize
    else:
        fields, count = getattr(proto, field), math.prod(dims)
        if len(fields) != count or count > MAX_WRITTEN_OUT:
            raise FormatError(f"{shown(name)} says its shape is {dims}, but does not hold as much, or writes it out")
        flat = np.array(fields, {"float_data": "<f4", "double_data": "<f8"}.get(field, np.int64)).astype(kind)
    if flat.size != count:
        raise FormatError(f"{shown(name)} says its shape is {dims}, but does not hold as much")
    flat = flat.view(kind)
    if proto.data_type == FLOAT16:
        flat = flat.view("<f2")
    elif proto.data_type == BFLOAT16:
        flat = (flat.astype(np.uint32) << 16).view(np.float32)
    return numbers(name, flat.reshape(dims))


class Graph:
    """An ONNX graph, to be followed from node to node along what they give."""

    def __init__(self, graph: Any) -> None:
        if len(graph.node) > MAX_NODES:
            raise FormatError(f"the graph has {len(graph.node):,} nodes; at most {MAX_NODES:,} are read")
        crowded = any(max(len(node.input), len(node.output), len(node.attribute)) > MAX_ENDS for node in graph.node)
        grus = sum(node.op_type == "GRU" for node in graph.node)
        if crowded or len(graph.initializer) > MAX_NODES or grus > MAX_GRUS:
            raise FormatError(f"the graph has more in it than a network of at most {MAX_GRUS} GRUs needs")
        texts = [text for node in graph.node for text in (node.name, node.op_type, *node.input, *node.output)]
        texts += [one.name for node in graph.node for one in node.attribute] + [one.name for one in graph.initializer]
        if not all(isinstance(text, str) for text in texts):  # protobuf gives bytes for what is not UTF-8
            raise FormatError("a name in the graph is not text")
        self.nodes = list(graph.node)
        self.protos = {proto.name: proto for proto in graph.initializer}
        for node in self.nodes:
            if node.op_type == "Constant":
                value = next((a.t for a in node.attribute if a.name == "value"), None)
                if value is not None and node.output:
                    self.protos[node.output[0]] = value
        self.made_by = {output: node for node in self.nodes for output in node.output if output}

    @cached_property
    def used_by(self) -> dict[str, list[Any]]:
        used: dict[str, list[Any]] = {}
        for node in self.nodes:
            for name in node.input:
                used.setdefault(name, []).append(node)
        return used

    def constant(self, node: Any, place: int) -> Array | None:
        """The constant that a node takes at a place among its inputs, None when it takes no constant there."""
        name = node.input[place] if place < len(node.input) else ""
        return tensor(self.protos[name]) if name in self.protos else None

    def before(self, name: str) -> Any | None:
        """The node that made a value, those that only pass it on left out."""
        for _ in range(MAX_NODES):
            node = self.made_by.get(name)
            if node is None or node.op_type not in PASSING or not node.input:
                return node
            name = node.input[0]
        return None

    def after(self, name: str) -> Any | None:
        """The one node that takes a value, those that only pass it on left out; None when it is not one."""
        for _ in range(MAX_NODES):
            nodes = [node for node in self.used_by.get(name, []) if node.op_type != "Shape"]
            if len(nodes) != 1 or not nodes[0].output:
                return None
            if nodes[0].op_type not in PASSING:
                return nodes[0]
            name = nodes[0].output[0]
        return None

    def stacks(self) -> list[Stack]:
        """The GRUs, those together of which each takes what the one before it gives."""
        found: list[tuple[Any, Stack]] = []
        for node in self.nodes:
            if node.op_type == "GRU" and node.domain in ("", "ai.onnx"):
                stack, below = self._gru(node), self.before(node.input[0])
                last = next((i for i, (top, one) in enumerate(found) if top is below and one.feeds(stack)), None)
                if last is None:
                    found.append((node, self._with_embedding(stack, below)))
                else:
                    found[last] = node, stacked([found[last][1], stack])
        return [self._with_dense(stack, node) for node, stack in found]

    def _gru(self, node: Any) -> Stack:
        attributes = {a.name: a for a in node.attribute}
        where = node.name or (node.output[0] if node.output else "")
        given = (
            [a.decode("latin-1").lower() for a in attributes["activations"].strings]
            if "activations" in attributes
            else []
        )
        if any(activation != ("sigmoid", "tanh")[i % 2] for i, activation in enumerate(given)):
            raise FormatError(
                f"the GRU {shown(where)} uses {shown(', '.join(given))}; only sigmoid and tanh can be shown"
            )
        if "clip" in attributes and attributes["clip"].f:
            raise FormatError(f"the GRU {shown(where)} clips its sums, which cannot be shown")
        side = attributes["direction"].s.decode("latin-1") if "direction" in attributes else "forward"
        if side not in SIDES:
            raise FormatError(f"the GRU {shown(where)} has the direction {shown(side)}; there are: {', '.join(SIDES)}")
        W, R = (self.constant(node, place) for place in (1, 2))
        if W is None or R is None:
            raise FormatError(
                f"the GRU {shown(where)} has no weights of its own: they are computed, or given with the inputs"
            )
        B = self.constant(node, 3)
        if B is None and len(node.input) > 3 and node.input[3]:
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
        reset: Reset = (
            "after" if "linear_before_reset" in attributes and attributes["linear_before_reset"].i else "before"
        )
        source = f"ONNX, with linear_before_reset={int(reset == 'after')}"
        initial = self.constant(node, 5)
        notes = ("It begins from a state that is kept in the file; here it begins from zero.",)
        return Stack(
            source, where, (layer,), frozenset(), "zrh", reset, "keep",
            wired=True, notes=notes if initial is not None and initial.any() else (),
        )  # fmt: skip

    def _with_embedding(self, stack: Stack, below: Any | None) -> Stack:
        if below is None:
            return stack
        if below.op_type == "Gather":
            table = self.constant(below, 0)
            if table is not None and table.ndim == 2 and table.shape[1] == stack.inputs:
                return replace(stack, embedding=Embedding(below.input[0], table))
        note = f"Before it stands a node {shown(below.op_type)}, which is not shown."
        return replace(stack, notes=(*stack.notes, note))

    def _with_dense(self, stack: Stack, node: Any) -> Stack:
        """The stack with what is made of its states, Y or the last, Y_h."""
        following = [after for output in node.output if output and (after := self.after(output)) is not None]
        for follows in following:
            dense = self._dense(follows)
            if dense is not None:
                return replace(stack, dense=dense)
        notes = (f"After it stands a node {shown(following[0].op_type)}, which is not shown.",) if following else ()
        return replace(stack, notes=stack.notes + notes)

    def _dense(self, node: Any) -> Dense | None:
        if node.op_type not in ("MatMul", "Gemm"):
            return None
        V = self.constant(node, 1)
        if V is None or V.ndim != 2:
            return None
        attributes = {a.name: a for a in node.attribute}
        c: Array | None
        if node.op_type == "Gemm":
            if any(name in attributes and attributes[name].f != 1 for name in ("alpha", "beta")) or (
                "transA" in attributes and attributes["transA"].i
            ):
                return None
            V = V if "transB" in attributes and attributes["transB"].i else V.T
            c = self.constant(node, 2)
        else:
            V, c = V.T, None
            add = self.after(node.output[0]) if node.output else None
            if add is not None and add.op_type == "Add":
                c = next((c for place in (0, 1) if (c := self.constant(add, place)) is not None), None)
                node = add if c is not None and c.ndim == 1 else node
        c = c if c is not None and c.shape == (len(V),) else np.zeros(len(V), V.dtype)
        activations = {
            "Softmax": "softmax",
            "LogSoftmax": "log softmax",
            "Sigmoid": "sigmoid",
            "Tanh": "tanh",
            "Relu": "relu",
        }
        follows = self.after(node.output[0]) if node.output else None
        activation = activations.get(follows.op_type) if follows is not None else None
        return Dense(node.name or node.op_type, V, c, activation or "linear")
