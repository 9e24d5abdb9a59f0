"""Nodes and tensors of an ONNX file. https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

The numbers in the code are field numbers in onnx.proto. Nothing outside the ONNX file is read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gru_core.arrays import Array
from gru_core.formats.protobuf import DAMAGED, Reader
from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import MAX_BYTES, numbers

Fields = dict[int, list[int | bytes]]

# TensorProto.DataType → the NumPy dtype in raw_data, and the field with the numbers if raw_data is empty.
FLOAT, FLOAT16, DOUBLE, BFLOAT16 = 1, 10, 11, 16
KINDS = {FLOAT: ("<f4", 4), FLOAT16: ("<u2", 5), DOUBLE: ("<f8", 10), BFLOAT16: ("<u2", 5)}
MAX_AXES = 8


@dataclass(frozen=True)
class Tensor:
    """A TensorProto. Its numbers stay encoded until `array` is read."""

    name: str
    fields: Fields
    reader: Reader

    @cached_property
    def array(self) -> Array:
        """The decoded numbers. Raises FormatError if they are damaged, in another file, or not floating-point."""
        name, fields = shown(self.name), self.fields
        if fields.get(13) or fields.get(14, [0])[-1] == 1:
            raise FormatError(
                f"{name} is kept in another file; export it with its data inside: "
                "torch.onnx.export(…, external_data=False)"
            )
        data_type = fields.get(2, [0])[-1]
        if not isinstance(data_type, int) or data_type not in KINDS:
            raise FormatError(f"{name} holds numbers of type {_shown(data_type)}; weights are floating-point")
        dims = tuple(self.reader.varints(fields.get(1, [])))
        if len(dims) > MAX_AXES or min(dims, default=1) < 0 or math.prod(dims) * 4 > MAX_BYTES:
            raise FormatError(f"{name} says its shape is {_shown(dims)}, which is impossible or too large")
        kind, field = KINDS[data_type]
        raw = _bytes(fields, 9)
        if not raw and field == 5:
            raw = (np.array(self.reader.varints(fields.get(5, [])), np.int64) & 0xFFFF).astype("<u2").tobytes()
        elif not raw:
            raw = b"".join(part for part in fields.get(field, []) if isinstance(part, bytes))
        if len(raw) != math.prod(dims) * np.dtype(kind).itemsize:
            raise FormatError(f"{name} says its shape is {_shown(dims)}, but has another number of values")
        flat = np.frombuffer(raw, "<f2" if data_type == FLOAT16 else kind)
        if data_type == BFLOAT16:  # the upper half of a float32
            flat = (flat.astype(np.uint32) << 16).view(np.float32)
        return numbers(self.name, flat.reshape(dims))


@dataclass(frozen=True, eq=False)
class Node:
    """A NodeProto. `attributes` has the fields of each AttributeProto, by the attribute's name."""

    name: str
    op_type: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Fields]

    def whole(self, name: str, otherwise: int = 0) -> int:
        """Return an integer attribute, or `otherwise` if it is missing."""
        value = self.attributes.get(name, {}).get(3, [otherwise])[-1]
        return value if isinstance(value, int) else otherwise

    def number(self, name: str, otherwise: float) -> float:
        """Return a floating-point attribute, or `otherwise` if it is missing."""
        raw = _bytes(self.attributes.get(name, {}), 2)
        return float(np.frombuffer(raw, "<f4")[0]) if len(raw) == 4 else otherwise

    def text(self, name: str, otherwise: str) -> str:
        """Return a text attribute, or `otherwise` if it is missing."""
        return _text(self.attributes[name], 4) if name in self.attributes else otherwise

    def texts(self, name: str) -> list[str]:
        """Return an attribute that is a list of texts. The list is empty if the attribute is missing."""
        return _texts(self.attributes.get(name, {}), 9)


def graph(data: bytes) -> tuple[list[Node], dict[str, Tensor]]:
    """Return the nodes of the graph in a file, and its constants by name: initializers and Constant nodes.

    Raises FormatError if the file is damaged.
    """
    reader = Reader()
    nodes: list[Node] = []
    tensors: dict[str, Tensor] = {}
    for graph in _fields(reader, data).get(7, []):
        for number, value in reader.fields(_message(graph)):
            if number == 1:
                nodes.append(_node(reader, _message(value)))
            elif number == 5:
                fields = _fields(reader, _message(value))
                name = _text(fields, 8)
                tensors[name] = Tensor(name, fields, reader)
    for node in nodes:
        if node.op_type == "Constant" and node.outputs and (constant := node.attributes.get("value", {}).get(5)):
            tensors[node.outputs[0]] = Tensor(node.outputs[0], _fields(reader, _message(constant[-1])), reader)
    return nodes, tensors


def _node(reader: Reader, message: bytes) -> Node:
    fields = _fields(reader, message)
    attributes = [_fields(reader, _message(attribute)) for attribute in fields.get(5, [])]
    return Node(
        _text(fields, 3), _text(fields, 4), _text(fields, 7), tuple(_texts(fields, 1)), tuple(_texts(fields, 2)),
        {_text(attribute, 1): attribute for attribute in attributes},
    )  # fmt: skip


def _fields(reader: Reader, message: bytes) -> Fields:
    """Return the values of each field of a message, by the number of the field."""
    by_number: Fields = {}
    for number, value in reader.fields(message):
        by_number.setdefault(number, []).append(value)
    return by_number


def _message(value: int | bytes) -> bytes:
    """Return the bytes of a field. Raises FormatError if the field is a number."""
    if isinstance(value, int):
        raise FormatError(DAMAGED)
    return value


def _bytes(fields: Fields, number: int) -> bytes:
    """Return the last value of a field, or no bytes if the field is missing."""
    return _message(fields.get(number, [b""])[-1])


def _text(fields: Fields, number: int) -> str:
    """Return the last value of a field as text, or "" if the field is missing."""
    return _texts({number: fields.get(number, [b""])[-1:]}, number)[0]


def _texts(fields: Fields, number: int) -> list[str]:
    """Return all values of a field as texts."""
    try:
        return [_message(value).decode() for value in fields.get(number, [])]
    except UnicodeDecodeError as error:
        raise FormatError("a name in the graph is not text") from error


def _shown(value: Any) -> str:
    """Return a value as text for an error message: short, printable and without quotes."""
    return shown(str(value))[1:-1]
