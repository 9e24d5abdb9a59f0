"""Random networks and sequences, an ONNX graph of a GRU, and the sigmoid function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx

import gru_core as gru
from gru_core import GRU, Card, Model, Numbers, Readout, Symbols, Vectors
from gru_core.arrays import Array
from gru_core.cells.initial import initial

RESETS = ["before", "after"]


def random_gru(rng: np.random.Generator, inputs: int, units: int, reset: Any) -> GRU:
    """Return a GRU with random weights and biases."""
    gru = GRU.random(inputs, units, rng, reset=reset)
    return gru.with_parameters({name: a + rng.normal(0, 0.3, a.shape) for name, a in gru.parameters.items()})


def sigmoid(a: Array) -> Array:
    """Return 1 / (1 + exp(−a))."""
    return 1 / (1 + np.exp(-a))


def stacked() -> Model:
    """Return a model with two layers: that of store-and-recall, and a random GRU that resets after the product."""
    model, rng = gru.load("store-and-recall"), np.random.default_rng(0)
    upper = GRU.random(4, 6, rng, reset="after")
    readout = type(model.readout)("softmax", rng.normal(size=(4, 6)), np.zeros(4), model.readout.labels)
    return Model(model.encoder, (*model.layers, upper), readout, model.card)


LETTERS = Symbols(tuple("abcdefghijkl"))


def deep(encoder: Symbols | Numbers = LETTERS, V: float = 1.0, layers: int = 4, units: int = 64) -> Model:
    """Return an untrained model. Its GRU layers reset after the product. `V` scales the weights of the readout."""
    rng = np.random.default_rng(0)
    inputs = (encoder.inputs, *[units] * (layers - 1))
    stack = tuple(GRU.random(size, units, rng, reset="after") for size in inputs)
    readout = Readout("softmax", rng.normal(size=(3, units)) * V, np.zeros(3), ("left", "on", "right"))
    card = Card("Deep", "none", "do nothing", "What do random gates do?", "random", "untrained")
    return Model(encoder, stack, readout, card)


def network_of(cell: str, padding: float | None = None, inputs: int = 3, units: int = 4) -> Model:
    """Return a model with two random layers of the kind `cell`. Its inputs are vectors.

    The model skips a timestep if all its inputs are equal to `padding`.
    """
    rng = np.random.default_rng(3)
    cells = [initial(cell, size, units, rng) for size in (inputs, units)]
    noisy = [c.with_parameters({n: a + rng.normal(0, 0.5, a.shape) for n, a in c.parameters.items()}) for c in cells]
    readout = Readout("softmax", rng.normal(size=(2, units)), rng.normal(size=2), ("a", "b"))
    card = Card("Random", "none", "do nothing", "", "random", "untrained")
    return Model(Vectors(inputs, padding), tuple(noisy), readout, card)


def random_sequences(lengths: Sequence[int], inputs: int = 3) -> list[Array]:
    """Return one random sequence of vectors, `(T, I)`, for each length T."""
    rng = np.random.default_rng(0)
    return [rng.normal(size=(T, inputs)) for T in lengths]


def onnx_gru(gru: GRU, x: Array, h0: Array) -> tuple[bytes, dict[str, Array]]:
    """Return an ONNX model with one GRU node, and the arrays to feed it: weights, `x` and `h0`.

    In ONNX, z is the share of the old state that is kept, so the weights of z are negated. The gate order in ONNX is
    z, r, h.
    """
    H, dtype = gru.units, x.dtype
    r, z, h = np.arange(H), np.arange(H, 2 * H), np.arange(2 * H, 3 * H)
    order = np.concatenate([z, r, h])
    sign = np.repeat([-1, 1, 1], H).astype(dtype)
    b_recurrent = np.zeros(3 * H, dtype)
    if gru.c_h is not None:
        b_recurrent[2 * H :] = gru.c_h
    weights = {
        "W": (gru.W[order] * sign[:, None])[None],
        "R": (gru.U[order] * sign[:, None])[None],
        "B": np.concatenate([gru.b[order] * sign, b_recurrent])[None],
    }
    kind = onnx.helper.np_dtype_to_tensor_dtype(dtype)
    names = ["x", "W", "R", "B", "", "h0"]
    node = onnx.helper.make_node(
        "GRU", names, ["y"], hidden_size=H, linear_before_reset=int(gru.reset == "after")
    )  # fmt: skip
    graph = onnx.helper.make_graph(
        [node],
        "gru",
        [onnx.helper.make_tensor_value_info(name, kind, None) for name in ("x", "W", "R", "B", "h0")],
        [onnx.helper.make_tensor_value_info("y", kind, None)],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 22)], ir_version=10)
    feed = {name: a.astype(dtype) for name, a in weights.items()} | {"x": x, "h0": h0[None]}
    return model.SerializeToString(), feed
