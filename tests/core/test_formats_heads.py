"""Layers after a GRU: a clear readout is used, an unclear one raises a question, and other layers are not shown."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper
from safetensors.numpy import save

import gru_core as gru
from gru_core import formats
from gru_core.formats import Unanswered
from tests.support.files import FIXTURES, question_of, torch_layer

RNG = np.random.default_rng(10)
I, H, T = 2, 4, 6


def normal(*shape: int) -> Any:
    return RNG.normal(0, 0.7, shape).astype("f4")


def linear(name: str, K: int, H: int) -> dict[str, Any]:
    return {f"{name}.weight": normal(K, H), f"{name}.bias": normal(K)}


NORM = {"norm.weight": normal(H), "norm.bias": normal(H)}


@pytest.mark.parametrize(
    ("head", "readout"),
    [
        (NORM | linear("fc", 3, H), "fc"),  # GRU, LayerNorm, Linear
        (linear("fc.0", 5, H) | linear("fc.2", 3, 5), "fc/0"),  # Linear, ReLU, Linear
        (linear("fc", 3, H) | {"norm.weight": normal(3), "norm.bias": normal(3)}, "fc"),
    ],
)
def test_a_readout_needs_an_answer_if_other_layers_may_surround_it(head: Any, readout: str) -> None:
    data = save(torch_layer(RNG, I, H, prefix="gru.") | head)
    with pytest.raises(Unanswered, match="directly, and at most a softmax follows it") as error:
        formats.read(data, "net.safetensors")
    assert question_of(error.value) == ("dense", [readout, "none"])
    shown = formats.read(data, "net.safetensors", {"dense": "none"}).model
    assert shown.readout.labels == ("h 1", "h 2", "h 3", "h 4")
    assert len(formats.read(data, "net.safetensors", {"dense": readout}).model.readout.V) in (3, 5)


def test_a_readout_needs_an_answer_if_the_file_has_several_grus() -> None:
    encoder, decoder = (torch_layer(RNG, size, H, prefix=f"{name}.") for size, name in ((I, "encoder"), (H, "decoder")))
    with pytest.raises(Unanswered, match="the file has several GRUs") as error:
        formats.read(save(encoder | decoder | linear("fc", 3, H)), "net.safetensors", {"network": "encoder"})
    assert question_of(error.value)[0] == "dense"


def onnx_network(*nodes: Any, **tensors: Any) -> bytes:
    """Return an ONNX file: a GRU that outputs the states `s` `(T, B, H)`, and `nodes` that compute y from `s`."""
    tensors |= {"W": normal(1, 3 * H, I), "R": normal(1, 3 * H, H), "axes": np.array([1])}
    first = [
        helper.make_node("GRU", ["x", "W", "R"], ["Y"], hidden_size=H, linear_before_reset=1),
        helper.make_node("Squeeze", ["Y", "axes"], ["s"]),
    ]
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [T, 1, I])
    y = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    constants = [numpy_helper.from_array(array, name) for name, array in tensors.items()]
    graph = helper.make_graph([*first, *nodes], "net", [x], [y], constants)
    return bytes(
        helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()
    )


def node(kind: str, *inputs: str, to: str) -> Any:
    return helper.make_node(kind, inputs, [to])


FIRST = node("MatMul", "s", "V", to="a")


@pytest.mark.parametrize(
    "nodes",
    [
        (node("LayerNormalization", "s", "g", to="n"), node("MatMul", "n", "V", to="y")),
        (FIRST, node("Relu", "a", to="r"), node("MatMul", "r", "V2", to="y")),
        (FIRST, node("MatMul", "a", "V2", to="y")),
        (FIRST, node("Mul", "a", "a", to="y")),
        (FIRST, helper.make_node("Softmax", ["a"], ["y"], axis=0)),
        (FIRST, node("Add", "a", "shifts", to="y")),
    ],
    ids=["norm", "relu", "two", "square", "softmax over time", "another bias at each step"],
)
def test_several_layers_after_an_onnx_gru_are_not_shown_as_its_output(nodes: Any) -> None:
    data = onnx_network(*nodes, V=normal(H, 3), V2=normal(3, 2), g=np.ones(H, "f4"), shifts=normal(T, 1, 3))
    onnxruntime.InferenceSession(data)  # proves that the network runs
    imported = formats.read(data, "net.onnx")
    assert imported.model.readout.labels == ("h 1", "h 2", "h 3", "h 4")
    assert any("is not shown" in sentence for sentence in imported.report)


def test_a_linear_layer_and_a_softmax_in_onnx_become_the_readout() -> None:
    data = onnx_network(FIRST, node("Softmax", "a", to="y"), V=normal(H, 3))
    x = normal(T, 1, I)
    (y,) = onnxruntime.InferenceSession(data).run(None, {"x": x})
    assert gru.check(formats.read(data, "net.onnx"), {"x": x, "y": y}).passed


@pytest.mark.parametrize("shape", [(3,), (1,), (1, 3), (1, 1, 3)])
@pytest.mark.parametrize("kind", ["Add", "Gemm"])
def test_the_bias_of_an_onnx_head_may_have_any_shape_that_fits(shape: tuple[int, ...], kind: str) -> None:
    x, (V, c) = normal(T, 1, I), (normal(H, 3), normal(*shape))
    if kind == "Add":
        data = onnx_network(FIRST, node("Add", "c", "a", to="y"), V=V, c=c)
    else:
        rows = node("Reshape", "s", "rows", to="f"), node("Gemm", "f", "V", "c", to="y")
        data = onnx_network(*rows, V=V, c=c.reshape(shape[-2:]), rows=np.array([-1, H]))
    (y,) = onnxruntime.InferenceSession(data).run(None, {"x": x})
    assert gru.check(formats.read(data, "net.onnx"), {"x": x, "y": y.reshape(T, 1, 3)}).passed


def test_load_reads_any_file_and_its_error_shows_the_call_with_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    np.savez(path, **{"gru/kernel": normal(I, 3 * H), "gru/recurrent_kernel": normal(H, 3 * H)})
    with pytest.raises(Unanswered) as error:
        gru.load(path)
    assert error.value.call == f'gru.load("{path.as_posix()}", reset="after")'.replace("\\", "\\\\")
    assert error.value.call in str(error.value)
    loaded = eval(error.value.call, {"gru": gru})
    assert loaded.layers[0].reset == "after"
    assert gru.load(path, reset="before", labels=list("abcd")).readout.labels == ("a", "b", "c", "d")
    with pytest.raises(formats.FormatError, match="'rest' is not a question about a file"):
        gru.load(path, rest="after")
    with pytest.raises(ValueError, match="a preset needs no answers, alphabet or labels"):
        gru.load("flip-flop", reset="after")


def test_the_parity_check_names_reversed_time() -> None:
    model = formats.read(save(torch_layer(RNG, I, H)), "net.safetensors")
    x = normal(T, 2, I)
    run = model.model.forward(x[::-1])[0].h
    report = gru.check(model, {"x": x, "h": run})
    assert "the input in reversed time (go_backwards)" in str(report)
    assert "the sequence read from its end" in str(gru.check(model, {"x": x, "h": run[::-1]}))
    assert "the states in reversed time" in str(gru.check(model, {"x": x[::-1], "h": run[::-1]}))
    with io.BytesIO() as file:
        np.savez(file, x=x, h=run)
        assert "reversed time" in str(gru.check(model, file.getvalue()))


def keras_file(name: str, change: Callable[[list[Any]], None]) -> bytes:
    """Return the `.keras` fixture `name` after `change` has changed the layers in its configuration."""
    old, out = zipfile.ZipFile(FIXTURES / name), io.BytesIO()
    with zipfile.ZipFile(out, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            if member == "config.json":
                config = json.loads(content)
                change(config["config"]["layers"])
                content = json.dumps(config).encode()
            new.writestr(member, content)
    return out.getvalue()


def test_a_keras_layer_with_go_backwards_matches_its_reversed_states() -> None:
    def backwards(layers: list[Any]) -> None:
        for layer in layers:
            if layer["class_name"] == "GRU":
                layer["config"]["go_backwards"] = True

    plain = formats.read_file(FIXTURES / "keras-before.keras")
    imported = formats.read(keras_file("keras-before.keras", backwards), "net.keras")
    assert any(
        "write the last step first. Its library returns the states in that order too." in s for s in imported.report
    )
    x = normal(T, 2, plain.model.layers[0].inputs)
    # Keras reverses the input but not the states. The states equal the plain layer's states for the reversed input.
    assert gru.check(imported, {"x": x, "h": plain.model.forward(x[::-1])[-1].h}).passed


def test_several_layers_after_a_keras_gru_are_not_shown_as_its_output() -> None:
    def longer(layers: list[Any]) -> None:
        layers.append({"class_name": "LayerNormalization", "config": {"name": "norm"}})

    assert "y 1" in formats.read(keras_file("keras-tagger.keras", lambda _: None), "net.keras").model.readout.labels
    imported = formats.read(keras_file("keras-tagger.keras", longer), "net.keras")
    assert imported.model.readout.labels[0] == "h 1"
    assert "After this network comes a layer 'LayerNormalization', which is not shown." in imported.report


def linked(layers: list[Any], *sources: tuple[str, int]) -> None:
    """Connect the layers as in a functional model. A source is the layer name and output index that a layer reads."""
    for layer in layers:
        layer["name"] = layer["config"]["name"]
    layers[0]["inbound_nodes"] = []
    for layer, (name, output) in zip(layers[1:], sources, strict=True):
        tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, output]}}
        layer["inbound_nodes"] = [{"args": [tensor], "kwargs": {}}]


def test_a_keras_softmax_over_timesteps_is_no_part_of_the_readout() -> None:
    def softmax(axis: int) -> Callable[[list[Any]], None]:
        def change(layers: list[Any]) -> None:
            layers[-1]["config"]["activation"] = "linear"
            layers.append({"class_name": "Softmax", "config": {"name": "softmax", "axis": axis}})

        return change

    for axis, labels in ((-1, "y 1"), (2, "y 1"), (1, "h 1")):
        network = formats.read(keras_file("keras-tagger.keras", softmax(axis)), "net.keras")
        assert network.model.readout.labels[0] == labels


def test_a_keras_layer_that_reads_the_last_state_is_no_readout_of_each_timestep() -> None:
    def chain(output: int) -> Callable[[list[Any]], None]:
        def change(layers: list[Any]) -> None:
            names = [layer["config"]["name"] for layer in layers]
            linked(layers, *((name, output if i == len(names) - 2 else 0) for i, name in enumerate(names[:-1])))

        return change

    for output, labels in ((0, "y 1"), (1, "h 1")):
        network = formats.read(keras_file("keras-tagger.keras", chain(output)), "net.keras", {"network": "layers/gru"})
        assert network.model.readout.labels[0] == labels


def test_a_keras_layer_that_is_used_twice_has_no_initial_state_by_that() -> None:
    def twice(layers: list[Any]) -> None:
        linked(layers, *((layer["config"]["name"], 0) for layer in layers[:-1]))
        for layer in layers[1:]:
            layer["inbound_nodes"] *= 2

    network = formats.read(keras_file("keras-before.keras", twice), "net.keras")
    assert not any("starts from the state" in sentence for sentence in network.report)


def test_a_stateful_keras_layer_is_noted() -> None:
    def stateful(layers: list[Any]) -> None:
        layers[-1]["config"]["stateful"] = True

    network = formats.read(keras_file("keras-before.keras", stateful), "net.keras")
    assert any("from the last state of the one before" in sentence for sentence in network.report)


def test_the_order_of_the_blocks_of_an_lstm_can_be_answered() -> None:
    path = FIXTURES / "pytorch-lstm.safetensors"
    asked_for = formats.read_file(path, {"order": "i,o,f,c"})
    assert asked_for.convention.order == "iofc"
    assert any("Your answer replaces" in sentence for sentence in asked_for.report)
    i, o, f, c = np.split(asked_for.cells[0].U, 4)
    np.testing.assert_array_equal(asked_for.model.layers[0].U, np.concatenate([i, f, c, o]))
