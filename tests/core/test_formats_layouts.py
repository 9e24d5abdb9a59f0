"""The array layout of each library, compared with the library's published equations without the core.

Each layout function draws random arrays and returns them with a function `step(x, h)`, which returns the next state.
`step` applies the equations from the library's documentation or source, linked in the docstring, to the same arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from gru_core import formats
from tests.support.files import npz
from tests.support.networks import sigmoid

Arrays = dict[str, Any]
Step = Callable[[Any, Any], Any]


def pytorch(draw: Callable[..., Any], I: int, H: int) -> tuple[Arrays, Step]:
    """Return arrays and a step of torch.nn.GRU: https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html"""
    p = {
        "weight_ih_l0": draw(3 * H, I), "weight_hh_l0": draw(3 * H, H),
        "bias_ih_l0": draw(3 * H), "bias_hh_l0": draw(3 * H),
    }  # fmt: skip

    def step(x: Any, h: Any) -> Any:
        W_ir, W_iz, W_in = np.split(p["weight_ih_l0"], 3)
        W_hr, W_hz, W_hn = np.split(p["weight_hh_l0"], 3)
        b_ir, b_iz, b_in = np.split(p["bias_ih_l0"], 3)
        b_hr, b_hz, b_hn = np.split(p["bias_hh_l0"], 3)
        r = sigmoid(W_ir @ x + b_ir + W_hr @ h + b_hr)
        z = sigmoid(W_iz @ x + b_iz + W_hz @ h + b_hz)
        n = np.tanh(W_in @ x + b_in + r * (W_hn @ h + b_hn))
        return (1 - z) * n + z * h

    return {f"model.gru.{name}": array for name, array in p.items()}, step


def flax_linen(draw: Callable[..., Any], I: int, H: int) -> tuple[Arrays, Step]:
    """Return arrays and a step of Flax linen.

    https://flax-linen.readthedocs.io/en/latest/api_reference/flax.linen/_autosummary/flax.linen.GRUCell.html
    """
    p = {f"i{gate}": (draw(I, H), draw(H)) for gate in "rzn"} | {f"h{gate}": (draw(H, H), draw(H)) for gate in "rzn"}
    p["hr"], p["hz"] = (p["hr"][0], np.zeros(H)), (p["hz"][0], np.zeros(H))

    def dense(name: str, v: Any) -> Any:
        return v @ p[name][0] + p[name][1]

    def step(x: Any, h: Any) -> Any:
        r = sigmoid(dense("ir", x) + dense("hr", h))
        z = sigmoid(dense("iz", x) + dense("hz", h))
        n = np.tanh(dense("in", x) + r * dense("hn", h))
        return (1 - z) * n + z * h

    arrays = {f"params/GRUCell_0/{name}/kernel": kernel for name, (kernel, _) in p.items()}
    biased = [name for name in p if name not in ("hr", "hz")]
    return arrays | {f"params/GRUCell_0/{name}/bias": p[name][1] for name in biased}, step


def flax_nnx(draw: Callable[..., Any], I: int, H: int) -> tuple[Arrays, Step]:
    """Return arrays and a step of Flax nnx.

    https://flax.readthedocs.io/en/stable/_modules/flax/nnx/nn/recurrent.html
    """
    kernel_i, bias_i, kernel_h = draw(I, 3 * H), draw(3 * H), draw(H, 3 * H)

    def step(x: Any, h: Any) -> Any:
        xi_r, xi_z, xi_n = np.split(x @ kernel_i + bias_i, 3)
        hh_r, hh_z, hh_n = np.split(h @ kernel_h, 3)
        r, z = sigmoid(xi_r + hh_r), sigmoid(xi_z + hh_z)
        n = np.tanh(xi_n + r * hh_n)
        return (1 - z) * n + z * h

    names = [
        "['cell']['dense_i']['kernel'].value",
        "['cell']['dense_i']['bias'].value",
        "['cell']['dense_h']['kernel'].value",
    ]
    return dict(zip(names, (kernel_i, bias_i, kernel_h), strict=True)), step


def equinox(draw: Callable[..., Any], I: int, H: int) -> tuple[Arrays, Step]:
    """Return arrays and a step of Equinox: https://github.com/patrick-kidger/equinox/blob/main/equinox/nn/_rnn.py"""
    weight_ih, weight_hh, bias, bias_n = draw(3 * H, I), draw(3 * H, H), draw(3 * H), draw(H)

    def step(x: Any, h: Any) -> Any:
        igates, hgates = np.split(weight_ih @ x + bias, 3), np.split(weight_hh @ h, 3)
        reset = sigmoid(igates[0] + hgates[0])
        inp = sigmoid(igates[1] + hgates[1])
        new = np.tanh(igates[2] + reset * (hgates[2] + bias_n))
        return new + inp * (h - new)

    names = [".cells[0].weight_ih", ".cells[0].weight_hh", ".cells[0].bias", ".cells[0].bias_n"]
    return dict(zip(names, (weight_ih, weight_hh, bias, bias_n), strict=True)), step


def haiku(draw: Callable[..., Any], I: int, H: int) -> tuple[Arrays, Step]:
    """Return arrays and a step of Haiku: https://dm-haiku.readthedocs.io/en/latest/api.html#haiku.GRU"""
    w_i, w_h, b = draw(I, 3 * H), draw(H, 3 * H), draw(3 * H)

    def step(x: Any, h: Any) -> Any:
        (w_iz, w_ir, w_ia), (w_hz, w_hr, w_ha) = np.split(w_i, 3, axis=1), np.split(w_h, 3, axis=1)
        b_z, b_r, b_a = np.split(b, 3)
        z = sigmoid(x @ w_iz + h @ w_hz + b_z)
        r = sigmoid(x @ w_ir + h @ w_hr + b_r)
        a = np.tanh(x @ w_ia + (r * h) @ w_ha + b_a)
        return (1 - z) * h + z * a

    return {"net/~/gru/w_i": w_i, "net/~/gru/w_h": w_h, "net/~/gru/b": b}, step


def keras_after(draw: Callable[..., Any], I: int, H: int) -> tuple[Arrays, Step]:
    """Return arrays and a step of Keras with reset_after=True. The arrays have the names in `variable.path`.

    https://keras.io/api/layers/recurrent_layers/gru/
    """
    kernel, recurrent, bias = draw(I, 3 * H), draw(H, 3 * H), draw(2, 3 * H)

    def step(x: Any, h: Any) -> Any:
        x_z, x_r, x_h = np.split(x @ kernel + bias[0], 3)
        h_z, h_r, h_h = np.split(h @ recurrent + bias[1], 3)
        z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
        return z * h + (1 - z) * np.tanh(x_h + r * h_h)

    names = [
        "sequential/gru/gru_cell/kernel:0",
        "sequential/gru/gru_cell/recurrent_kernel:0",
        "sequential/gru/gru_cell/bias:0",
    ]
    return dict(zip(names, (kernel, recurrent, bias), strict=True)), step


def keras_before(draw: Callable[..., Any], I: int, H: int) -> tuple[Arrays, Step]:
    """Return arrays and a step of Keras with reset_after=False: https://keras.io/api/layers/recurrent_layers/gru/"""
    kernel, recurrent, bias = draw(I, 3 * H), draw(H, 3 * H), draw(3 * H)

    def step(x: Any, h: Any) -> Any:
        x_z, x_r, x_h = np.split(x @ kernel + bias, 3)
        z, r = sigmoid(x_z + h @ recurrent[:, :H]), sigmoid(x_r + h @ recurrent[:, H : 2 * H])
        return z * h + (1 - z) * np.tanh(x_h + (r * h) @ recurrent[:, 2 * H :])

    return {"gru/kernel": kernel, "gru/recurrent_kernel": recurrent, "gru/bias": bias}, step


def tensorflow1(draw: Callable[..., Any], I: int, H: int) -> tuple[Arrays, Step]:
    """Return arrays and a step of TensorFlow 1's GRUCell. The equations are in its method `call`.

    https://github.com/tensorflow/tensorflow/blob/v1.15.5/tensorflow/python/ops/rnn_cell_impl.py
    """
    gates, gates_bias, candidate, candidate_bias = draw(I + H, 2 * H), draw(2 * H), draw(I + H, H), draw(H)

    def step(x: Any, h: Any) -> Any:
        r, u = np.split(sigmoid(np.concatenate([x, h]) @ gates + gates_bias), 2)
        c = np.tanh(np.concatenate([x, r * h]) @ candidate + candidate_bias)
        return u * h + (1 - u) * c

    names = [f"rnn/gru_cell/{name}" for name in ("gates/kernel", "gates/bias", "candidate/kernel", "candidate/bias")]
    return dict(zip(names, (gates, gates_bias, candidate, candidate_bias), strict=True)), step


LAYOUTS = [pytorch, flax_linen, flax_nnx, equinox, haiku, keras_after, keras_before, tensorflow1]


@pytest.mark.parametrize("write", [pytest.param(lambda arrays: npz(**arrays), id="npz"), save])
@pytest.mark.parametrize("layout", LAYOUTS)
@given(seed=st.integers(0, 2**32), I=st.integers(1, 5), H=st.integers(1, 6))
@settings(max_examples=15, deadline=None)
def test_a_layout_gives_the_states_of_its_librarys_equations(
    layout: Any, write: Any, seed: int, I: int, H: int
) -> None:
    rng = np.random.default_rng(seed)
    arrays, step = layout(lambda *shape: rng.normal(0, 0.6, shape), I, H)
    x, h = rng.normal(size=(9, I)), np.zeros(H)
    ours = formats.read(write(arrays), layout.__name__).model.forward(x)[0].h
    for t, x_t in enumerate(x):
        h = step(x_t, h)
        np.testing.assert_allclose(ours[t], h, rtol=0, atol=1e-13)


@pytest.mark.parametrize("layout", [flax_linen, flax_nnx, equinox, haiku])
def test_embeddings_and_readouts_with_their_librarys_names_are_read(layout: Any) -> None:
    rng = np.random.default_rng(0)
    arrays, step = layout(lambda *shape: rng.normal(0, 0.6, shape), 3, 4)
    table, kernel, bias = rng.normal(size=(6, 3)), rng.normal(size=(4, 2)), rng.normal(size=2)
    arrays |= {
        flax_linen: {"params/Embed_0/embedding": table, "params/Dense_0/kernel": kernel, "params/Dense_0/bias": bias},
        flax_nnx: {"embed.embedding": table, "head.kernel": kernel, "head.bias": bias},
        equinox: {".embedding.weight": table, ".out.weight": kernel.T, ".out.bias": bias},
        haiku: {"net/~/embed/embeddings": table, "net/~/linear/w": kernel, "net/~/linear/b": bias},
    }[layout]
    imported = formats.read(npz(**arrays), "tagger", alphabet="abcdef")
    h = np.zeros(4)
    y = imported.model(imported.model.encoder.encode(list("fade")))
    for t, symbol in enumerate("fade"):
        h = step(table["abcdef".index(symbol)], h)
        np.testing.assert_allclose(y[t], h @ kernel + bias, atol=1e-13)
    assert not any(sentence.startswith("Not used") for sentence in imported.report)


def test_arrays_are_read_with_any_prefix_of_their_names() -> None:
    rng = np.random.default_rng(0)
    arrays, _ = pytorch(lambda *shape: rng.normal(0, 0.6, shape), 3, 4)
    W = formats.read(npz(**arrays), "x").model.layers[0].W
    for prefix in ("", "encoder.rnn.", "module/", "['params']", "._orig_mod.a[3]."):
        renamed = {prefix + name.removeprefix("model.gru."): array for name, array in arrays.items()}
        np.testing.assert_array_equal(formats.read(npz(**renamed), "x").model.layers[0].W, W)
