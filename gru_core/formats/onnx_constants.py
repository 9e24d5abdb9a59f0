"""Values that an ONNX graph computes from its stored tensors alone, such as weights that an exporter rearranges.

Exporters add operators that bring weights into the order of the recurrent operator. PyTorch's exporter writes Slice,
Concat and Unsqueeze for a large layer, an optimizer writes Identity, and a quantizer DequantizeLinear. The operators in
`OPERATORS` are computed with NumPy. The package onnx has an evaluator for all operators. It is not a dependency,
because it takes half a second to import and parses a file before this module can check it.
https://onnx.ai/onnx/operators/
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gru_core.formats.onnx_file import KINDS, Node, Tensor, Values
from gru_core.formats.protobuf import MAX_FIELDS
from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import MAX_UNPACKED

MAX_STEPS = 100
"""The largest number of operators in a row between a stored tensor and a value."""

Inputs = Sequence[Values | None]


@dataclass
class Constants:
    """The constant values of a graph, by name.

    `made_by` has the node that computes each value. `left` is the number of numbers that may still be computed.
    """

    tensors: dict[str, Tensor]
    made_by: dict[str, Node]
    left: int = MAX_UNPACKED // 2
    values: dict[str, Values | None] = field(default_factory=dict)

    def get(self, name: str, steps: int = MAX_STEPS) -> Values | None:
        """Return a value, or None if it depends on the inputs of the graph or on an operator that is not computed.

        Raises FormatError if a tensor is damaged, or if the values are too large.
        """
        if name not in self.values:
            node = self.made_by.get(name)
            if name in self.tensors:
                self.values[name] = self.tensors[name].array
            elif node is None or not computed(node) or not steps:
                self.values[name] = None
            else:
                self._compute(node, steps)
        return self.values.get(name)

    def _compute(self, node: Node, steps: int) -> None:
        """Compute and store the outputs of a node. The outputs are None if an input is unknown."""
        outputs: Sequence[Values | None] = ()
        inputs = [self.get(name, steps - 1) if name else None for name in node.inputs]
        if not any(name and value is None for name, value in zip(node.inputs, inputs, strict=True)):
            try:
                with np.errstate(all="ignore"):  # `numbers` refuses a weight that is not finite
                    self._spend(node, inputs)
                    outputs = OPERATORS[node.op_type](node, inputs)
            except (ValueError, IndexError, TypeError, KeyError, AttributeError, ArithmeticError) as error:
                if isinstance(error, FormatError):
                    raise
                name = shown(node.name or node.op_type)
                raise FormatError(
                    f"the node {name}, which computes weights, is damaged: {node.op_type} fails"
                ) from error
        for place, name in enumerate(node.outputs):
            self.values[name] = outputs[place] if place < len(outputs) else None

    def _spend(self, node: Node, inputs: Inputs) -> None:
        """Count the numbers that a node will compute. Raises FormatError if there are too many."""
        shapes = [() if value is None else value.shape for value in inputs]
        sizes = [math.prod(shape) for shape in shapes]
        if node.op_type in ARITHMETIC:
            size = math.prod(np.broadcast_shapes(*shapes))
        elif node.op_type in ("Expand", "ConstantOfShape"):
            shape = tuple(np.asarray(inputs[-1]).tolist())
            size = math.prod(np.broadcast_shapes(*shapes[:-1], shape) if len(inputs) > 1 else shape)
        elif node.op_type == "Gather":
            size = sizes[0] // max(1, shapes[0][node.whole("axis")]) * sizes[1]
        elif node.op_type == "MatMul":
            size = sizes[0] * (shapes[1][-1] if len(shapes[1]) > 1 else 1)
        else:
            size = 0 if node.op_type in VIEWS else sum(sizes)
        self.left -= size
        if self.left < 0:
            raise FormatError(f"the weights are computed from too many numbers, at the node {shown(node.name)}")

    def obstacle(self, name: str) -> Node | None:
        """Return the node that prevents a value from being constant, or None if it depends on an input of the graph."""
        for _ in range(MAX_STEPS):
            node = self.made_by.get(name)
            if node is None or not computed(node):
                return node
            name = next((name for name in node.inputs if name and self.get(name) is None), "")
        return None


def computed(node: Node) -> bool:
    """Return whether this module can compute a node's operator."""
    return node.op_type in OPERATORS and node.domain in ("", "ai.onnx", "com.microsoft")


def wholes(node: Node, name: str, value: Values | None) -> list[int] | None:
    """Return the integers in the input `value` or, if `value` is None, in the attribute `name`.

    Older versions of an operator have the attribute, and newer versions the input. Return None if there is neither.
    Raises FormatError if the input has numbers that are not integers, or far too many numbers.
    """
    if value is None:
        return node.wholes(name)
    if value.dtype.kind not in "iu" or value.size > MAX_FIELDS:
        raise FormatError(f"the node {shown(node.name or node.op_type)} is damaged: {name} must be a few whole numbers")
    return [int(number) for number in value.ravel()]


def _get(inputs: Inputs, place: int) -> Values:
    """Return the input at index `place`. Raises ValueError if it is missing."""
    value = inputs[place]
    if value is None:
        raise ValueError
    return value


def _optional(inputs: Inputs, place: int) -> Values | None:
    return inputs[place] if place < len(inputs) else None


def _constant(node: Node, _: Inputs) -> list[Values]:
    tensor = node.tensor("value")
    if tensor is not None:
        return [tensor.array]
    if "value_float" in node.attributes:
        return [np.array(node.number("value_float", 0), np.float32)]
    if "value_floats" in node.attributes:
        return [node.numbers("value_floats")]
    if "value_int" in node.attributes:
        return [np.array(node.whole("value_int"))]
    return [np.array(node.reader.varints(node.attributes["value_ints"].get(8, [])))]


def slices(node: Node, inputs: Inputs, axes: int) -> list[slice]:
    """Return the slices that a Slice selects along each of the `axes` of its input."""
    starts, ends = (wholes(node, name, _optional(inputs, place)) for name, place in (("starts", 1), ("ends", 2)))
    chosen = wholes(node, "axes", _optional(inputs, 3))
    steps = wholes(node, "steps", _optional(inputs, 4))
    if starts is None or ends is None:
        raise ValueError
    parts = [slice(None)] * axes
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        step = steps[i] if steps is not None else 1
        # With a negative step an end before the first number is written as a large negative number.
        stop = None if step < 0 and end < -(2**31) + 2 else end
        parts[chosen[i] if chosen is not None else i] = slice(start, stop, step)
    return parts


def _slice(node: Node, inputs: Inputs) -> list[Values]:
    x = _get(inputs, 0)
    return [x[tuple(slices(node, inputs, x.ndim))]]


def reshaped(sizes: Sequence[int], shape: Sequence[int], allowzero: bool = False) -> list[int]:
    """Return the target shape of a Reshape. Unless `allowzero`, a zero in `shape` stands for the size in `sizes`."""
    return [sizes[i] if size == 0 and not allowzero else size for i, size in enumerate(shape)]


def _reshape(node: Node, inputs: Inputs) -> list[Values]:
    x, shape = _get(inputs, 0), wholes(node, "shape", _optional(inputs, 1))
    return [x.reshape(reshaped(x.shape, shape or [], bool(node.whole("allowzero"))))]


def _flatten(node: Node, inputs: Inputs) -> list[Values]:
    x, axis = _get(inputs, 0), node.whole("axis", 1)
    return [x.reshape(math.prod(x.shape[:axis]), -1)]


def _squeeze(node: Node, inputs: Inputs) -> list[Values]:
    axes = wholes(node, "axes", _optional(inputs, 1))
    return [np.squeeze(_get(inputs, 0), None if axes is None else tuple(axes))]


def _unsqueeze(node: Node, inputs: Inputs) -> list[Values]:
    return [np.expand_dims(_get(inputs, 0), tuple(wholes(node, "axes", _optional(inputs, 1)) or ()))]


def _transpose(node: Node, inputs: Inputs) -> list[Values]:
    return [np.transpose(_get(inputs, 0), node.wholes("perm"))]


def _concat(node: Node, inputs: Inputs) -> list[Values]:
    return [np.concatenate([_get(inputs, i) for i in range(len(inputs))], node.whole("axis", 1))]


def _split(node: Node, inputs: Inputs) -> list[Values]:
    x, sizes = _get(inputs, 0), wholes(node, "split", _optional(inputs, 1))
    axis = node.whole("axis")
    if sizes is None:
        sizes = [math.ceil(x.shape[axis] / len(node.outputs))] * len(node.outputs)
    if len(sizes) != len(node.outputs):
        raise ValueError
    return np.split(x, np.cumsum(sizes)[:-1], axis)


def _gather(node: Node, inputs: Inputs) -> list[Values]:
    return [np.take(_get(inputs, 0), _get(inputs, 1).astype(np.int64), node.whole("axis"))]


def _cast(node: Node, inputs: Inputs) -> list[Values]:
    to = node.whole("to")
    return [_get(inputs, 0).astype(np.float32 if to == 16 else np.dtype(KINDS[to][0]))]


def _filled(node: Node, inputs: Inputs) -> list[Values]:
    tensor = node.tensor("value")
    value = np.zeros(1, np.float32) if tensor is None else tensor.array
    return [np.full(tuple(_get(inputs, 0).tolist()), value.reshape(-1)[0])]


def _expand(_: Node, inputs: Inputs) -> list[Values]:
    x, shape = _get(inputs, 0), tuple(_get(inputs, 1).tolist())
    return [np.broadcast_to(x, np.broadcast_shapes(x.shape, shape))]


def _shape(node: Node, inputs: Inputs) -> list[Values]:
    ends = node.whole("end", 2**31) if "end" in node.attributes else None
    return [np.array(_get(inputs, 0).shape[node.whole("start") : ends])]


def dequantized(x: Values, scale: Values, zero: Values | None, axis: int, block: int = 0) -> Values:
    """Return (x − zero) · scale. Scale and zero point are single numbers, or have one for each index of `axis`,
    or for each `block` of indices. https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html
    """

    def fitted(parameter: Values) -> Values:
        if block:
            return np.take(parameter, np.arange(x.shape[axis]) // block, axis)
        if parameter.ndim == 1 and parameter.size > 1:
            return parameter.reshape([-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])
        return parameter

    wide = x.astype(np.int64) if zero is None else x.astype(np.int64) - fitted(zero).astype(np.int64)
    return wide.astype(scale.dtype) * fitted(scale)


def _dequantize(node: Node, inputs: Inputs) -> list[Values]:
    x, scale = _get(inputs, 0), _get(inputs, 1)
    return [dequantized(x, scale, _optional(inputs, 2), node.whole("axis", 1), node.whole("block_size"))]


def _reduced(reduce: Callable[..., Any]) -> Callable[[Node, Inputs], list[Values]]:
    def operator(node: Node, inputs: Inputs) -> list[Values]:
        axes = wholes(node, "axes", _optional(inputs, 1))
        every = axes is None or (not axes and not node.whole("noop_with_empty_axes"))
        if not every and not axes:
            return [_get(inputs, 0)]
        which = None if axes is None or every else tuple(axes)
        return [reduce(_get(inputs, 0), axis=which, keepdims=bool(node.whole("keepdims", 1)))]

    return operator


def _elementwise(function: Callable[..., Any]) -> Callable[[Node, Inputs], list[Values]]:
    return lambda _, inputs: [np.asarray(function(*(_get(inputs, i) for i in range(len(inputs)))))]


ARITHMETIC: dict[str, Callable[..., Any]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": lambda a, b: a / b if a.dtype.kind == "f" else a // b,
    "Pow": lambda a, b: np.power(a, b).astype(a.dtype),
    "Neg": np.negative,
    "Abs": np.abs,
    "Sqrt": np.sqrt,
    "Exp": np.exp,
    "Reciprocal": np.reciprocal,
}
"""Elementwise operators. Reparametrized weights, such as weight_norm's g v / |v|, are computed with them."""

VIEWS = {"Identity", "Dropout", "Constant", "Slice", "Squeeze", "Unsqueeze", "Transpose", "Split", "Shape"}
"""Operators that copy no numbers."""

OPERATORS: dict[str, Callable[[Node, Inputs], Sequence[Values]]] = {
    **{name: _elementwise(function) for name, function in ARITHMETIC.items()},
    "Identity": lambda _, inputs: [_get(inputs, 0)],
    "Dropout": lambda _, inputs: [_get(inputs, 0)],
    "Constant": _constant,
    "Slice": _slice,
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Concat": _concat,
    "Split": _split,
    "Gather": _gather,
    "Cast": _cast,
    "CastLike": lambda _, inputs: [_get(inputs, 0).astype(_get(inputs, 1).dtype)],
    "ConstantOfShape": _filled,
    "Expand": _expand,
    "Shape": _shape,
    "DequantizeLinear": _dequantize,
    "MatMul": lambda _, inputs: [np.matmul(_get(inputs, 0), _get(inputs, 1))],
    "ReduceSum": _reduced(np.sum),
    "ReduceL2": _reduced(lambda x, **axes: np.sqrt(np.sum(x * x, **axes))),
    "ReduceSumSquare": _reduced(lambda x, **axes: np.sum(x * x, **axes)),
}
