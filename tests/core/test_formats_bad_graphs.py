"""Damaged or hostile ONNX, HDF5, Keras and GRU Scope files: each raises FormatError."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from safetensors.numpy import save

from gru_core import formats, presets
from gru_core.formats import FormatError
from tests.support.files import FIXTURES, refused, zipped


def changed_onnx(change: Callable[[Any], None]) -> bytes:
    model = onnx.load(FIXTURES / "pytorch-both.onnx")
    change(model)
    return bytes(model.SerializeToString())


def repeated(model: Any) -> None:
    """Add 16 GRUs to an ONNX model, each with weights that differ from the original GRU's."""
    (node,) = (node for node in model.graph.node if node.op_type == "GRU")
    (W,) = (proto for proto in model.graph.initializer if proto.name == node.input[1])
    for k in range(16):
        model.graph.initializer.append(numpy_helper.from_array(numpy_helper.to_array(W) + 1 + k, f"W{k}"))
        model.graph.node.add().CopyFrom(node)
        model.graph.node[-1].input[1] = f"W{k}"
        model.graph.node[-1].output[0] = f"Y{k}"


def weight(change: Callable[[Any], None]) -> bytes:
    """Return an ONNX file after `change` has changed the tensor W of its GRU."""

    def to_W(model: Any) -> None:
        name = next(node.input[1] for node in model.graph.node if node.op_type == "GRU")
        change(next(proto for proto in model.graph.initializer if proto.name == name))

    return changed_onnx(to_W)


def external(location: str) -> Callable[[Any], None]:
    def change(proto: Any) -> None:
        proto.ClearField("raw_data")
        proto.data_location = onnx.TensorProto.EXTERNAL
        proto.external_data.add(key="location", value=location)

    return change


def dims(*sizes: int) -> Callable[[Any], None]:
    def change(proto: Any) -> None:
        del proto.dims[:]
        proto.dims.extend(sizes)

    return change


def nested(depth: int) -> bytes:
    """Return an ONNX file in which graphs are nested to `depth` levels."""

    def field(number: int, content: bytes) -> bytes:
        size, length = len(content), b""
        while size >= 128:
            length, size = length + bytes([size % 128 + 128]), size // 128
        return bytes([number << 3 | 2]) + length + bytes([size]) + content

    graph = b""
    for _ in range(depth):
        graph = field(1, field(5, field(6, graph)))  # GraphProto.node, NodeProto.attribute, AttributeProto.g
    return b"\x08\x0a" + field(7, graph)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: weight(external("../../etc/passwd")), "is kept in another file; export it with its data inside"),
        (lambda: weight(external("/etc/passwd")), "is kept in another file; export it with its data inside"),
        (lambda: weight(lambda w: w.external_data.add(key="location", value="x")), "is kept in another file"),
        (lambda: weight(dims(-1, 12, 3)), "says its shape is .*, which is impossible"),
        (lambda: weight(dims(2**40, 2**20)), "says its shape is .*, which is impossible"),
        (lambda: weight(dims(2**62, 4)), "says its shape is .*, which is impossible"),
        (lambda: weight(dims(2, 12, 4)), "says its shape is .*, but has another number of values"),
        (lambda: weight(dims(*[1] * 65)), "says its shape is .*, which is impossible"),
        (lambda: weight(dims()), "says its shape is .*, but has another number of values"),
        (lambda: weight(lambda w: setattr(w, "raw_data", b"")), "but has another number of values"),
        (lambda: weight(lambda w: setattr(w, "raw_data", w.raw_data[:-1])), "but has another number of values"),
        (lambda: weight(lambda w: setattr(w, "data_type", 99)), "holds numbers of type 99; weights are floating-point"),
        (lambda: weight(lambda w: w.CopyFrom(numpy_helper.from_array(np.array([b"x"], object), w.name))), "type 8"),
        (lambda: weight(lambda w: w.CopyFrom(numpy_helper.from_array(np.zeros((2, 12, 3), int), w.name))), "int64"),
        (lambda: weight(lambda w: w.CopyFrom(numpy_helper.from_array(np.full((2, 12, 3), np.nan, "f4"), w.name))),
         "has a number that is not finite"),
        (lambda: nested(3_000), "there is no GRU, LSTM or plain RNN in this file"),
        (lambda: b"\x08", "this is not an ONNX file, or it is damaged"),
        (lambda: b"\x08\x0a", "there is no GRU, LSTM or plain RNN in this file"),
        (lambda: (FIXTURES / "pytorch-both.onnx").read_bytes()[:700], "this is not an ONNX file, or it is damaged"),
        (lambda: changed_onnx(lambda m: m.graph.node.extend([m.graph.node[0]] * 3000)), "has more than 20,000 parts"),
        (lambda: changed_onnx(lambda m: m.graph.node[0].input.extend(["x"] * 10**6)), "has more than 20,000 parts"),
        (lambda: changed_onnx(lambda m: m.graph.initializer.extend([onnx.TensorProto()] * 10**5)), "20,000 parts"),
        (lambda: b"\x08\x0a\x3a\x80\x89\x7a" + b"\x0a\x00" * 10**6, "has more than 20,000 parts"),
        (lambda: changed_onnx(repeated), "more than 16 recurrent"),
        (lambda: b"\x08" + b"\xff" * 20, "this is not an ONNX file, or it is damaged"),
        (lambda: b"\x08\x0a\x3a\xff\xff\xff\xff\x0f", "this is not an ONNX file, or it is damaged"),
        (lambda: b"\x08\x0a\x3a" + b"\xff" * 9 + b"\x01", "this is not an ONNX file, or it is damaged"),
        (lambda: b"\x08\x0a\x3b", "this is not an ONNX file, or it is damaged"),
        (lambda: b"\x08\x0a\x38\x01", "this is not an ONNX file, or it is damaged"),
        (lambda: (FIXTURES / "pytorch-both.onnx").read_bytes().replace(b"Transpose", b"Trans\xffose"),
         "a name in the graph is not text"),
    ],
)  # fmt: skip
def test_a_bad_onnx_file_is_refused(make: Callable[[], bytes], message: str) -> None:
    formats.read((FIXTURES / "pytorch-both.onnx").read_bytes(), "x", direction="forward")  # imports onnx once
    refused(make(), message)


def test_external_data_of_an_onnx_file_is_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = onnx.load(FIXTURES / "pytorch-both.onnx")
    onnx.save(model, tmp_path / "x.onnx", save_as_external_data=True, location="x.data", size_threshold=0)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FormatError, match="is kept in another file"):
        formats.read_file(tmp_path / "x.onnx")


def h5(fill: Callable[[Any], None]) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as opened:
        fill(opened)
    return file.getvalue()


def dataset(**options: Any) -> Callable[[Any], None]:
    return lambda file: file.create_dataset("layers/gru/cell/vars/0", **options)


def link(to: Any) -> Callable[[Any], None]:
    def fill(file: Any) -> None:
        file["layers/gru/cell/vars/0"] = to

    return fill


def cycle(file: Any) -> None:
    file.create_group("a")["b"] = file["/"]


def deep(file: Any) -> None:
    file.create_group("/".join("x" * 40))


def virtual(file: Any) -> None:
    layout = h5py.VirtualLayout((3,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (3,))
    file.create_virtual_dataset("a", layout)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: h5(link(h5py.ExternalLink("/etc/passwd", "/x"))), "is a link, and links are not followed"),
        (lambda: h5(link(h5py.SoftLink("/elsewhere"))), "is a link, and links are not followed"),
        (lambda: h5(virtual), "is compressed or stored outside"),
        (lambda: h5(dataset(shape=(3,), dtype="f4", external=[("/x", 0, 12)])), "is compressed or stored outside"),
        (lambda: h5(dataset(data=np.zeros(10**6), compression="gzip")), "is compressed or stored outside"),
        (lambda: h5(dataset(shape=(2**40, 2**20), chunks=(1, 1), dtype="f4")), "is compressed or stored outside"),
        (lambda: h5(dataset(shape=(2**26,), dtype="f4")), "has shape .*, which is too large to be read"),
        (lambda: h5(dataset(shape=(2**40, 2**20), dtype="f4")), "has shape .*, which is too large to be read"),
        (lambda: h5(dataset(data=["text"])), "does not contain numbers"),
        (lambda: h5(dataset(data=h5py.Empty("f4"))), "does not contain numbers"),
        (lambda: h5(dataset(data=np.zeros(3, [("x", "f4")]))), "does not contain numbers"),
        (lambda: h5(cycle), "more than 512 groups, or they are more than 16 deep"),
        (lambda: h5(deep), "more than 512 groups, or they are more than 16 deep"),
        (lambda: h5(lambda file: [file.create_group(f"{i}") for i in range(600)]), "has 600 entries; at most 512"),
        (lambda: h5(lambda file: [file.create_dataset(f"{i % 3}/{i}", data=0.0) for i in range(1025)]),
         "more than 1024 arrays"),
        (lambda: h5(lambda file: file.create_group("x" * 600)), "is too long"),
        (lambda: h5(lambda file: None), "no GRU, LSTM or plain RNN was found"),
        (lambda: h5(dataset(data=np.zeros((3, 12)))), "no GRU, LSTM or plain RNN was found"),
        (lambda: (FIXTURES / "keras-both.weights.h5").read_bytes()[:9000], "the HDF5 file is damaged"),
        (lambda: b"\x89HDF\r\n\x1a\n" + bytes(100), "the HDF5 file is damaged"),
    ],
)  # fmt: skip
def test_a_bad_hdf5_file_is_refused(make: Callable[[], bytes], message: str) -> None:
    refused(make(), message)


def keras_with(config: Any = None, weights: bytes | None = None) -> bytes:
    with zipfile.ZipFile(FIXTURES / "keras-before.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    if config is not None:
        members["config.json"] = config if isinstance(config, bytes) else config(members["config.json"])
    return zipped(members | ({"model.weights.h5": weights} if weights is not None else {}))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: zipped({"model.weights.h5": b""}), "has config.json and model.weights.h5; this file has"),
        (lambda: keras_with(b"{}"), "is not what Keras writes. Save the weights alone"),
        (lambda: keras_with(b"[" * 200_000), "is not what Keras writes. Save the weights alone"),
        (lambda: keras_with(b"\xff"), "is not what Keras writes. Save the weights alone"),
        (lambda: keras_with(b'{"config": {"layers": [3]}}'), "is not what Keras writes. Save the weights alone"),
        (lambda: keras_with(lambda c: c.replace(b'"tanh"', b'"relu"')), "activation 'relu'; only tanh can be shown"),
        (lambda: keras_with(lambda c: c.replace(b'"sigmoid"', b'"hard_sigmoid"')), "'hard_sigmoid'; only sigmoid"),
        (lambda: keras_with(lambda c: c + b" " * 2**20), "at most 1,048,576 are allowed"),
        (lambda: keras_with(json.dumps({"config": {"layers": [{"class_name": "x", "config": {}}] * 301}}).encode()),
         "the network has 301 layers; at most 200 are allowed"),
        (lambda: keras_with(weights=b""), "the HDF5 file is damaged"),
        (lambda: keras_with(weights=h5(lambda file: None)), "the weights of the layer 'layers/gru' are not in"),
        (lambda: keras_with(lambda c: c.replace(b'"GRU"', b'"LSTM"')), "the layer 'layers/lstm' are not in"),
    ],
)  # fmt: skip
def test_a_bad_keras_file_is_refused(make: Callable[[], bytes], message: str) -> None:
    refused(make(), message)


def own_with(**changes: Any) -> bytes:
    from gru_core.formats import safetensors

    arrays, metadata = safetensors.arrays(presets.path("flip-flop").read_bytes())
    content = json.loads(metadata["gruscope"])
    for path, value in changes.items():
        *where, last = path.split("__")
        target = content
        for part in where:
            target = target[part]
        target[last] = value
    return save(dict(arrays), {"gruscope": json.dumps(content)})


@pytest.mark.parametrize(
    "data",
    [
        own_with(layers=2),
        own_with(layers=0),
        own_with(layers=10**9),
        own_with(layers="1"),
        own_with(encoder={"kind": "symbols", "alphabet": ["a"]}),
        own_with(encoder={"kind": "symbols", "alphabet": [1, 2, 3, 4, 5, 6]}),
        own_with(encoder={"kind": "symbols", "alphabet": 6}),
        own_with(encoder={"kind": "vectors", "inputs": 10**9}),
        own_with(encoder={"kind": "numbers", "operators": []}),
        own_with(encoder=[]),
        own_with(readout__kind="exec"),
        own_with(readout__labels=["a", "b", "c"]),
        own_with(readout__labels=[["a"], "b"]),
        own_with(card__title=["x"]),
        own_with(card__title="x" * 10_000),
        own_with(card__weights="perfect"),
        own_with(card__examples=["no such symbols"]),
        own_with(card__examples=5),
        own_with(card__training={"a": {"b": []}}),
        own_with(card__measured={"a": float("nan")}),
        own_with(card__measured={"a": 2**70}),
        own_with(card__measured={"\ud800": 1}),
        own_with(card__about="half of a character: \ud800"),
        own_with(readout__labels=["\ud800", "b"]),
        own_with(card__surprise=1),
        save({"x": np.zeros(3, np.float32)}, {"gruscope": "{}"}),
        save({"x": np.zeros(3, np.float32)}, {"gruscope": "[" * 200_000}),
        save({"x": np.zeros(3, np.float32)}, {"gruscope": "9" * 5000}),
    ],
)
def test_a_forged_gru_scope_file_is_refused(data: bytes) -> None:
    refused(data, "GRU Scope model|this model has .* are allowed|'[a-z]+' is not in this model's")
