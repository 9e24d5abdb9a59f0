"""Import of LSTMs and plain RNNs: the models give the results of the libraries that wrote the files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from safetensors.numpy import load_file, save

import gru_core as gru
from gru_core import formats
from gru_core.formats import FormatError, Unanswered
from gru_core.parity.report import check
from tests.support.networks import sigmoid

FIXTURES = Path(__file__).parents[1] / "fixtures"


WHOLE = ("pytorch-lstm.safetensors", "pytorch-rnn.safetensors", "keras-lstm.keras", "keras-rnn.keras")


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_network_gives_the_results_of_its_library(name: str) -> None:
    imported = formats.read_file(FIXTURES / name)
    report = check(imported, FIXTURES / f"{name.split('.')[0]}-reference.npz")
    assert report.passed, report
    assert [difference.name for difference in report.differences] == ["h_l0", "h_l1", "y"]
    kind = "LSTM" if "lstm" in name else "RNN"
    assert {layer.title for layer in imported.model.layers} == {kind}
    assert kind in imported.report[0]
    assert ("blocks in the order i, f, c, o" in imported.report[0]) == (kind == "LSTM")
    assert gru.load(FIXTURES / name).layers[0].name == kind.lower()
    trace = gru.trace(imported.model, "0 3 1")
    assert trace.layers[0].h.shape[0] == trace.y.shape[0] == 3


@pytest.mark.parametrize("kind", ["lstm", "rnn"])
def test_keras_weights_without_a_model_need_answers_and_give_the_same_results(kind: str) -> None:
    file = FIXTURES / f"keras-{kind}.weights.h5"
    with pytest.raises(Unanswered, match=f"There are several {kind.upper()}s in the file"):
        formats.read_file(file)
    imported = formats.read_file(file, {"network": "stacked", "readout": "softmax"})
    assert check(imported, FIXTURES / f"keras-{kind}-reference.npz").passed


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_each_direction_of_a_bidirectional_lstm_passes_the_parity_check(direction: Any) -> None:
    imported = formats.read_file(FIXTURES / "keras-lstm-both.keras", direction=direction)
    assert check(imported, FIXTURES / "keras-lstm-both-reference.npz").passed


def operator(kind: str, rng: np.random.Generator, alter: Callable[[dict[str, Any]], Any] = lambda parts: None) -> bytes:
    """Return an ONNX file with one recurrent operator, after `alter` has changed its inputs, tensors and attributes."""
    G, H, I = {"LSTM": 4, "RNN": 1}[kind], 4, 3
    shapes = {"W": (1, G * H, I), "R": (1, G * H, H), "B": (1, 2 * G * H)}
    tensors = {name: rng.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}
    parts: dict[str, Any] = {"inputs": ["x", "W", "R", "B"], "tensors": tensors, "attributes": {"hidden_size": H}}
    alter(parts)
    node = onnx.helper.make_node(kind, parts["inputs"], ["y"], name="net", **parts["attributes"])
    kind_of_number = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [node], "g",
        [onnx.helper.make_tensor_value_info("x", kind_of_number, [None, None, I])],
        [onnx.helper.make_tensor_value_info("y", kind_of_number, None)],
        [onnx.numpy_helper.from_array(array, name) for name, array in parts["tensors"].items()],
    )  # fmt: skip
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 22)], ir_version=10)
    return model.SerializeToString()


@pytest.mark.parametrize("kind", ["LSTM", "RNN"])
def test_an_onnx_operator_gives_the_results_of_onnxruntime(kind: str) -> None:
    rng = np.random.default_rng(5)
    data = operator(kind, rng)
    imported = formats.read(data, "net.onnx")
    x = rng.normal(size=(9, 2, 3)).astype(np.float32)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    (y,) = session.run(None, {"x": x})
    assert check(imported, {"x": x, "h": y[:, 0]}).passed
    assert imported.source == f"ONNX's {kind}"


def peepholes(parts: dict[str, Any]) -> None:
    parts["inputs"] += ["", "", "", "P"]
    parts["tensors"]["P"] = np.ones((1, 12), np.float32)


@pytest.mark.parametrize(
    ("kind", "alter", "message"),
    [
        ("LSTM", peepholes, "the LSTM 'net' has peepholes, which cannot be shown"),
        ("LSTM", lambda parts: parts["attributes"].update(input_forget=1), "couples its input and forget gates"),
        ("RNN", lambda parts: parts["attributes"].update(activations=["Relu"]), "uses 'relu'; only tanh can be shown"),
        ("LSTM", lambda parts: parts["attributes"].update(clip=1.0), "the LSTM 'net' clips its sums"),
    ],
)
def test_an_operator_with_other_equations_is_refused_by_name(
    kind: str, alter: Callable[[dict[str, Any]], Any], message: str
) -> None:
    with pytest.raises(FormatError, match=message):
        formats.read(operator(kind, np.random.default_rng(0), alter), "net.onnx")


def test_an_lstm_with_a_projected_state_is_refused_by_name() -> None:
    arrays = load_file(FIXTURES / "pytorch-lstm.safetensors")
    arrays["gru.weight_hr_l0"] = np.zeros((2, 5), np.float32)
    with pytest.raises(FormatError, match=r"weight_hr_l0' projects the state of an LSTM \(proj_size\)"):
        formats.read(save(arrays), "x.safetensors")


def test_a_torch_rnn_with_relu_is_refused() -> None:
    class Part:
        def __init__(self, nonlinearity: str) -> None:
            self.nonlinearity = nonlinearity

        def state_dict(self) -> dict[str, Any]:
            return {}

        def named_modules(self) -> list[tuple[str, Any]]:
            return [("", self)]

    with pytest.raises(FormatError, match="this module has a plain RNN with relu"):
        gru.from_torch(Part("relu"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda W: np.concatenate([W[0:5], W[10:15], W[5:10], W[15:20]]), "gate order i, c, f, o"),
        (lambda W: W[[*range(15, 20), *range(0, 15)]], "gate order o, i, f, c"),
    ],
)
def test_the_parity_check_names_a_wrong_order_of_blocks(change: Callable[[Any], Any], message: str) -> None:
    arrays = load_file(FIXTURES / "pytorch-lstm.safetensors")
    for name in [name for name in arrays if name.startswith("gru.")]:
        arrays[name] = np.ascontiguousarray(change(arrays[name]))
    report = check(formats.read(save(arrays), "x.safetensors"), FIXTURES / "pytorch-lstm-reference.npz")
    assert not report.passed
    assert message in str(report)


def test_the_parity_check_names_reversed_time_in_an_rnn() -> None:
    imported = formats.read_file(FIXTURES / "pytorch-rnn.safetensors")
    with np.load(FIXTURES / "pytorch-rnn-reference.npz") as reference:
        turned = {name: reference[name][::-1] if name == "x" else reference[name] for name in reference}
    assert "the input in reversed time" in str(check(imported, turned))


def lstm(gates: Callable[[Any, Any], list[Any]], x: Any, H: int) -> Any:
    """Return the states of an LSTM by its equations. `gates` returns the sums of i, f, the candidate and o."""
    h, c, states = np.zeros(H), np.zeros(H), []
    for x_t in x:
        i, f, g, o = gates(x_t, h)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    return np.stack(states)


JAX = ("linen", "nnx", "nnx, one kernel", "equinox", "haiku")


@pytest.mark.parametrize("library", JAX)
def test_the_lstms_of_jax_libraries_give_what_their_equations_give(library: str) -> None:
    rng, H, I = np.random.default_rng(7), 3, 2
    W, U, b, c = rng.normal(size=(4, I, H)), rng.normal(size=(4, H, H)), rng.normal(size=(4, H)), np.zeros((4, H))
    letters = dict(enumerate("ifgo"))
    if library in ("linen", "nnx"):
        c = rng.normal(size=(4, H))
        inputs = {letter: f"i{letter}" + "_" * (library == "nnx" and letter == "f") for letter in "ifgo"}
        arrays = {f"params/cell/{inputs[letter]}/kernel": W[k] for k, letter in letters.items()}
        arrays |= {f"params/cell/{inputs[letter]}/bias": b[k] for k, letter in letters.items()}
        arrays |= {f"params/cell/h{letter}/kernel": U[k] for k, letter in letters.items()}
        arrays |= {f"params/cell/h{letter}/bias": c[k] for k, letter in letters.items()}
    elif library == "nnx, one kernel":
        arrays = {"cell.dense_i.kernel": np.hstack(list(W)), "cell.dense_h.kernel": np.hstack(list(U))}
        arrays["cell.dense_h.bias"] = b.ravel()
    elif library == "equinox":
        arrays = {".cell.weight_ih": np.hstack(list(W)).T, ".cell.weight_hh": np.hstack(list(U)).T}
        arrays[".cell.bias"] = b.ravel()
    else:
        order = [0, 2, 1, 3]
        w = np.vstack([np.hstack([W[k] for k in order]), np.hstack([U[k] for k in order])])
        arrays = {"net/~/lstm/linear/w": w, "net/~/lstm/linear/b": b[order].ravel()}
        c[1] = 1  # Haiku's cell adds 1 to the bias of f
    x = rng.normal(size=(9, I))
    expected = lstm(lambda x_t, h: [x_t @ W[k] + h @ U[k] + b[k] + c[k] for k in range(4)], x, H)
    network = formats.read_arrays(arrays, "weights.npz")
    assert network.source.startswith(
        {"linen": "Flax", "nnx": "Flax", "nnx, one kernel": "Flax nnx"}.get(library, library.title())
    )
    np.testing.assert_allclose(network.model.forward(x)[0].h, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("joined", [False, True])
def test_the_plain_rnn_of_flax_gives_what_its_equation_gives(joined: bool) -> None:
    rng = np.random.default_rng(8)
    W, U, b, x = rng.normal(size=(2, 3)), rng.normal(size=(3, 3)), rng.normal(size=3), rng.normal(size=(6, 2))
    names = ("cell/dense_i", "cell/dense_h") if joined else ("cell/i", "cell/h")
    arrays = {f"{names[0]}/kernel": W, f"{names[0]}/bias": b, f"{names[1]}/kernel": U}
    h = np.zeros(3)
    for x_t, ours in zip(x, formats.read_arrays(arrays, "weights.npz").model.forward(x)[0].h, strict=True):
        h = np.tanh(x_t @ W + b + h @ U)
        np.testing.assert_allclose(ours, h, rtol=0, atol=1e-13)


def test_the_plain_rnn_of_haiku_is_refused_because_of_its_relu() -> None:
    arrays = {f"vanilla_rnn/linear{end}/w": np.ones((3, 3)) for end in ("", "_1")}
    with pytest.raises(FormatError, match=r"relu(?s:.*)train it with"):
        formats.read_arrays(arrays, "weights.npz")


def test_layers_that_are_stacked_in_one_array_are_named() -> None:
    linen = {f"cell/{kind}{gate}/kernel": np.ones((2, 3, 3)) for kind in "ih" for gate in "rzn"}
    torch = {"weight_ih_l0": np.ones((2, 9, 3)), "weight_hh_l0": np.ones((2, 9, 3))}
    for arrays in (linen, torch):
        with pytest.raises(FormatError, match=r"3 and 3 axes(?s:.*)save each of them alone"):
            formats.read_arrays(arrays, "weights.npz")
