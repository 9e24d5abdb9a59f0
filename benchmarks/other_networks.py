"""Networks of other libraries, with equations that share no code with gru_core, and the files of these networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnxruntime
from onnx import helper, numpy_helper

from gru_core import formats

Array = np.ndarray[Any, Any]
Layer = dict[str, Array]
LIBRARIES = ("PyTorch", "Keras", "ONNX", "Flax")
GATES = {"PyTorch": "rzn", "Keras": "zrn", "ONNX": "zrn", "Flax": "rzn"}
LSTM_GATES = {"PyTorch": "ifgo", "Keras": "ifgo", "ONNX": "iofg"}


def sigmoid(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


def relu(a: Array) -> Array:
    return np.maximum(a, 0)


def hard_sigmoid(a: Array) -> Array:
    return np.clip(0.2 * a + 0.5, 0, 1)


@dataclass
class Network:
    """A network: W, U, b and c of each gate for each layer, and a readout with `V` and `c`.

    The other fields vary the equations. If `after` is true, the reset gate acts after the product. `sigma` and `tanh`
    are the activations. If `keeps` is true, z is the share of the old state that is kept. `rounded` rounds the factors
    of each matrix product.
    """

    kind: str  # "GRU" or "LSTM"
    layers: list[Layer]
    V: Array
    c: Array
    after: bool = True
    sigma: Callable[[Array], Array] = sigmoid
    tanh: Callable[[Array], Array] = np.tanh
    keeps: bool = True
    rounded: Callable[[Array], Array] = field(default=lambda array: array)

    @property
    def gates(self) -> str:
        return "rzn" if self.kind == "GRU" else "ifgo"

    @property
    def units(self) -> int:
        return len(self.layers[0]["b" + self.gates[0]])

    def states(self, x: Array, h0: Array | None = None, real: Array | None = None) -> list[Array]:
        """Return the states of each layer. If `real` `(T, B)` is false at a timestep, the state does not change."""
        states = []
        for layer in self.layers:
            H = self.units
            h = np.zeros((x.shape[1], H), x.dtype) if h0 is None else h0
            cell, row = np.zeros_like(h), []
            for t in range(len(x)):
                new, new_cell = self.step(layer, x[t], h, cell)
                keep = np.ones((x.shape[1], 1), bool) if real is None else real[t][:, None]
                h, cell = np.where(keep, new, h), np.where(keep, new_cell, cell)
                row.append(h)
            x = np.stack(row)
            states.append(x)
        return states

    def step(self, layer: Layer, x: Array, h: Array, cell: Array) -> tuple[Array, Array]:
        q = self.rounded
        into = {g: q(x) @ q(layer["W" + g]).T + layer["b" + g] for g in self.gates}
        if self.kind == "LSTM":
            a = {g: into[g] + q(h) @ q(layer["U" + g]).T + layer["c" + g] for g in self.gates}
            cell = self.sigma(a["f"]) * cell + self.sigma(a["i"]) * self.tanh(a["g"])
            return self.sigma(a["o"]) * self.tanh(cell), cell
        r, z = (self.sigma(into[g] + q(h) @ q(layer["U" + g]).T + layer["c" + g]) for g in "rz")
        U, c = q(layer["Un"]).T, layer["cn"]
        n = self.tanh(into["n"] + (r * (q(h) @ U + c) if self.after else q(r * h) @ U + c))
        return (z * h + (1 - z) * n if self.keeps else (1 - z) * h + z * n), cell

    def outputs(self, h: Array, softmax: bool = False) -> Array:
        y = h @ self.V.T + self.c
        e = np.exp(y - y.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True) if softmax else y


def network(rng: Any, kind: str = "GRU", layers: int = 1, square: bool = False, dtype: Any = np.float32) -> Network:
    H = int(rng.integers(3, 17))
    I = H if square else int(rng.integers(2, 9))
    gates = "rzn" if kind == "GRU" else "ifgo"
    scale = 0.3 + 1.2 / np.sqrt(H)

    def layer(inputs: int) -> Layer:
        shapes = {"W": (H, inputs), "U": (H, H), "b": (H,), "c": (H,)}
        return {n + g: rng.normal(0, scale / 2, s).astype(dtype) for g in gates for n, s in shapes.items()}

    K = int(rng.integers(2, 6))
    return Network(
        kind, [layer(I if k == 0 else H) for k in range(layers)], rng.normal(0, 0.7, (K, H)).astype(dtype),
        rng.normal(0, 0.5, K).astype(dtype),
    )  # fmt: skip


# Files. `pack` returns a layer's arrays as a library stores them, and `unpack` does the reverse.


def pack(layer: Layer, library: str, kind: str = "GRU") -> list[Array]:
    """Return the kernel, the recurrent kernel and the two biases in the library's layout."""
    gates = (GATES if kind == "GRU" else LSTM_GATES)[library]
    W, U = (np.concatenate([layer[n + g] for g in gates]) for n in "WU")
    b, c = (np.concatenate([layer[n + g] for g in gates]) for n in "bc")
    return [W.T, U.T, b, c] if library == "Keras" else [W, U, b, c]


def unpack(arrays: list[Array], library: str, kind: str = "GRU") -> Layer:
    gates = (GATES if kind == "GRU" else LSTM_GATES)[library]
    W, U, b, c = arrays
    if library == "Keras":
        W, U = W.T, U.T
    parts = {"W": W, "U": U, "b": b, "c": c}
    return {n + g: block for n, a in parts.items() for g, block in zip(gates, np.split(a, len(gates)), strict=True)}


def read(net: Network, library: str) -> formats.Imported:
    """Convert the network to a file or to arrays of the library, and return what gru_core reads from them."""
    if library == "ONNX":
        return formats.read(onnx_file(net, True), "net.onnx")
    arrays: dict[str, Array] = {}
    for k, layer in enumerate(net.layers):
        W, U, b, c = pack(layer, library, net.kind)
        if library == "PyTorch":
            names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            arrays |= {f"rnn.{n}_l{k}": a for n, a in zip(names, (W, U, b, c), strict=True)}
        elif library == "Keras":
            bias = np.stack([b, c]) if net.kind == "GRU" and net.after else b + c
            arrays |= {f"rnn_{k}/kernel": W, f"rnn_{k}/recurrent_kernel": U, f"rnn_{k}/bias": bias}
        else:
            for g in "rzn":
                arrays |= {f"GRUCell_{k}/i{g}/kernel": layer["W" + g].T, f"GRUCell_{k}/h{g}/kernel": layer["U" + g].T}
                arrays[f"GRUCell_{k}/i{g}/bias"] = layer["b" + g] + (layer["c" + g] if g != "n" else 0)
            arrays[f"GRUCell_{k}/hn/bias"] = layer["cn"]
    if library == "Flax":
        arrays |= {"Dense_0/kernel": net.V.T, "Dense_0/bias": net.c}
    elif library == "Keras":
        arrays |= {"out/kernel": net.V.T, "out/bias": net.c}
    else:
        arrays |= {"out.weight": net.V, "out.bias": net.c}
    answers: dict[str, str] = {"readout": "linear"}
    while True:
        try:
            return formats.read_arrays(arrays, "net", answers)
        except formats.Unanswered as error:
            options = [option.value for option in error.question.options]
            answers[error.question.key] = "stacked" if "stacked" in options else options[0]


def onnx_file(
    net: Network, readout: bool, after: bool | None = None, h0: Array | None = None, **attributes: Any
) -> bytes:
    after = net.after if after is None else after
    nodes, weights, value = [], {}, "x"
    for k, layer in enumerate(net.layers):
        W, U, b, c = pack(layer, "ONNX", net.kind)
        weights |= {f"W{k}": W[None], f"R{k}": U[None], f"B{k}": np.concatenate([b, c])[None]}
        inputs = [value, f"W{k}", f"R{k}", f"B{k}"]
        if h0 is not None:
            weights[f"h0{k}"] = h0[None]
            inputs += ["", f"h0{k}"]
        own = {"linear_before_reset": int(after)} if net.kind == "GRU" else {}
        nodes.append(helper.make_node(net.kind, inputs, [f"Y{k}"], hidden_size=net.units, **own, **attributes))
        weights[f"axes{k}"] = np.array([1])
        nodes.append(helper.make_node("Squeeze", [f"Y{k}", f"axes{k}"], [f"h{k}"]))
        value = f"h{k}"
    outputs = [f"h{k}" for k in range(len(net.layers))]
    if readout:
        weights |= {"V": net.V.T, "c": net.c}
        nodes += [helper.make_node("MatMul", [value, "V"], ["Vh"]), helper.make_node("Add", ["Vh", "c"], ["y"])]
        outputs = ["y"]
    dtype = helper.np_dtype_to_tensor_dtype(net.V.dtype)
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", dtype, ["T", "B", net.layers[0]["W" + net.gates[0]].shape[1]])],
        [helper.make_tensor_value_info(name, dtype, None) for name in outputs],
        [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in weights.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


def onnx_states(net: Network, x: Array, **options: Any) -> list[Array]:
    session = onnxruntime.InferenceSession(onnx_file(net, False, **options), providers=["CPUExecutionProvider"])
    return [np.asarray(states) for states in session.run(None, {"x": x})]
