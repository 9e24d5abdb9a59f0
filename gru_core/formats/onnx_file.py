"""Nodes and tensors of an ONNX file. https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

The numbers in the code are field numbers in onnx.proto. Nothing outside the ONNX file is read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from gru_core.formats.protobuf import DAMAGED, Reader
from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import MAX_BYTES

Fields = dict[int, list[int | bytes]]
Values = npt.NDArray[Any]

# TensorProto.DataType → the NumPy dtype in raw_data, and the field with the numbers if raw_data is empty.
FLOAT, FLOAT16, BFLOAT16 = 1, 10, 16
KINDS = {
    FLOAT: ("<f4", 4), 11: ("<f8", 10), FLOAT16: ("<f2", 5), BFLOAT16: ("<u2", 5),
    2: ("u1", 5), 3: ("i1", 5), 4: ("<u2", 5), 5: ("<i2", 5), 6: ("<i4", 5), 7: ("<i8", 7), 9: ("?", 5),
    12: ("<u4", 11), 13: ("<u8", 11),
}  # fmt: skip
VARINTS = {5, 7, 11}
"""The fields with varints. They store the bits of a float16 as an integer."""
MAX_AXES = 8
MAX_DEPTH = 3
"""The largest depth of nested graphs that is searched."""

LOOPS = {"Loop", "Scan", "If"}
"""Operators that have graphs inside."""


@dataclass(frozen=True)
class Tensor:
    """A TensorProto. Its numbers stay encoded until `array` is read."""

    name: str
    fields: Fields
    reader: Reader

    @cached_property
    def array(self) -> Values:
        """The decoded numbers. Raises FormatError if they are damaged, in another file, or of an unsupported type."""
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
        dtype, raw = np.dtype(kind), _bytes(fields, 9)
        if not raw and field in VARINTS:
            bits = np.array(self.reader.varints(fields.get(field, [])), np.int64)
            raw = bits.astype(np.dtype(f"<u{dtype.itemsize}")).tobytes()
        elif not raw:
            raw = b"".join(part for part in fields.get(field, []) if isinstance(part, bytes))
        if len(raw) != math.prod(dims) * dtype.itemsize:
            raise FormatError(f"{name} says its shape is {_shown(dims)}, but has another number of values")
        flat = np.frombuffer(raw, dtype)
        if data_type == BFLOAT16:  # the upper half of a float32
            flat = (flat.astype(np.uint32) << 16).view(np.float32)
        return flat.reshape(dims)


@dataclass(frozen=True, eq=False)
class Node:
    """A NodeProto. `attributes` has the fields of each AttributeProto, by the attribute's name.

    `metadata` has the exporter's notes about the node.
    """

    name: str
    op_type: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Fields]
    metadata: Fields
    reader: Reader

    @property
    def where(self) -> str:
        """The module of PyTorch that the node comes from, or else the name of the node or of its first output."""
        for entry in self.metadata.get(9, []):
            fields = _fields(self.reader, _message(entry))
            if _text(fields, 1) == "pkg.torch.onnx.name_scopes":  # such as "['', 'encoder', 'gru']", with the call last
                module = "/".join(_text(fields, 2).strip("[]").replace("'", "").split(", ")[1:-1])
                return module or self.name
        return self.name or (self.outputs[0] if self.outputs else "")

    def whole(self, name: str, otherwise: int = 0) -> int:
        """Return an integer attribute, or `otherwise` if it is missing."""
        value = self.attributes.get(name, {}).get(3, [otherwise])[-1]
        return value if isinstance(value, int) else otherwise

    def number(self, name: str, otherwise: float) -> float:
        """Return a floating-point attribute, or `otherwise` if it is missing."""
        raw = _bytes(self.attributes.get(name, {}), 2)
        return float(np.frombuffer(raw, "<f4")[0]) if len(raw) == 4 else otherwise

    def text(self, name: str, otherwise: str) -> str:
        """Return a string attribute, or `otherwise` if it is missing."""
        return _text(self.attributes[name], 4) if name in self.attributes else otherwise

    def texts(self, name: str) -> list[str]:
        """Return an attribute that is a list of strings. The list is empty if the attribute is missing."""
        return _texts(self.attributes.get(name, {}), 9)

    def wholes(self, name: str) -> list[int] | None:
        """Return an attribute that is a list of integers, or None if it is missing."""
        return self.reader.varints(self.attributes[name].get(8, [])) if name in self.attributes else None

    def numbers(self, name: str) -> Values:
        """Return an attribute that is a list of floating-point numbers."""
        parts = self.attributes.get(name, {}).get(7, [])
        return np.frombuffer(b"".join(part for part in parts if isinstance(part, bytes)), "<f4")

    def tensor(self, name: str) -> Tensor | None:
        """Return an attribute that is a tensor, or None if it is missing."""
        messages = self.attributes.get(name, {}).get(5)
        if not messages:
            return None
        return Tensor(
            self.outputs[0] if self.outputs else "", _fields(self.reader, _message(messages[-1])), self.reader
        )

    def inside(self) -> frozenset[str]:
        """Return the operators in the graphs inside this node, such as the body of a Loop."""
        operators: set[str] = set()
        graphs = [graph for attribute in self.attributes.values() for graph in attribute.get(6, [])]
        for _ in range(MAX_DEPTH):
            nodes = [
                _node(self.reader, _message(value))
                for graph in graphs
                for number, value in self.reader.fields(_message(graph))
                if number == 1
            ]
            operators.update(node.op_type for node in nodes)
            graphs = [
                graph
                for node in nodes
                if node.op_type in LOOPS
                for attribute in node.attributes.values()
                for graph in attribute.get(6, [])
            ]
        return frozenset(operators)


@dataclass(frozen=True)
class File:
    """The graph in an ONNX file: its nodes, its stored tensors by name, and the names of its inputs.

    `producer` is the program that wrote the file, and `functions` has the operators inside functions that the file
    defines. `opset` is the version of ONNX's operator set.
    """

    producer: str
    nodes: list[Node]
    tensors: dict[str, Tensor]
    inputs: frozenset[str]
    functions: frozenset[str]
    opset: int


def graph(data: bytes) -> File:
    """Return the graph in a file. Raises FormatError if the file is damaged."""
    reader = Reader()
    nodes: list[Node] = []
    tensors: dict[str, Tensor] = {}
    inputs: set[str] = set()
    functions: set[str] = set()
    model = _fields(reader, data)
    for graph in model.get(7, []):
        for number, value in reader.fields(_message(graph)):
            if number == 1:
                nodes.append(_node(reader, _message(value)))
            elif number == 5:
                fields = _fields(reader, _message(value))
                name = _text(fields, 8)
                tensors[name] = Tensor(name, fields, reader)
            elif number == 11:
                inputs.add(_text(_fields(reader, _message(value)), 1))
    for function in model.get(25, []):
        for number, value in reader.fields(_message(function)):
            if number == 7:
                functions.add(_node(reader, _message(value)).op_type)
    opset = 1
    for imported in model.get(8, []):
        fields = _fields(reader, _message(imported))
        version = fields.get(2, [opset])[-1]
        if _text(fields, 1) in ("", "ai.onnx") and isinstance(version, int):
            opset = version
    return File(_text(model, 2), nodes, tensors, frozenset(inputs), frozenset(functions), opset)


def _node(reader: Reader, message: bytes) -> Node:
    fields = _fields(reader, message)
    attributes = [_fields(reader, _message(attribute)) for attribute in fields.get(5, [])]
    return Node(
        _text(fields, 3), _text(fields, 4), _text(fields, 7), tuple(_texts(fields, 1)), tuple(_texts(fields, 2)),
        {_text(attribute, 1): attribute for attribute in attributes}, {9: fields.get(9, [])}, reader,
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
    """Return the last value of a field as bytes, or b"" if the field is missing."""
    return _message(fields.get(number, [b""])[-1])


def _text(fields: Fields, number: int) -> str:
    """Return the last value of a field as text, or "" if the field is missing."""
    return _decoded(fields[number][-1]) if number in fields else ""


def _texts(fields: Fields, number: int) -> list[str]:
    """Return all values of a field as strings."""
    return [_decoded(value) for value in fields[number]] if number in fields else []


def _decoded(value: int | bytes) -> str:
    """Return the value of a field as text. Raises FormatError if it is not text."""
    try:
        return _message(value).decode()
    except UnicodeDecodeError as error:
        raise FormatError("a name in the graph is not text") from error


def _shown(value: Any) -> str:
    """Return a value as text for an error message: short, printable and without quotes."""
    return shown(str(value))[1:-1]
