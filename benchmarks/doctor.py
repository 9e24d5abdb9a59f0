"""The accuracy of the parity check: how often it names the right cause, and how often a false one.

`python -m benchmarks doctor` checks networks that are ported between PyTorch, Keras, ONNX and Flax. 200 ports have one
fault, in the conversion or in the call, and 50 ports have no fault. The ports are computed with the equations of
other_networks.py. Ports to ONNX run in onnxruntime if possible.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import gru_core as gru
from benchmarks.other_networks import (
    GATES,
    LIBRARIES,
    Array,
    Network,
    hard_sigmoid,
    network,
    onnx_file,
    onnx_states,
    pack,
    read,
    relu,
    unpack,
)
from gru_core import formats

FAULTS, SOUND = 200, 50
RIGHT = 0.95


@dataclass
class Port:
    """A network that was ported from the library `source` to the library `target`.

    `file` is the network in the source. `other` is the reference of the target: arrays of values, or a second file. If
    the port has a fault, the reference disagrees with the file.
    """

    source: str
    target: str
    file: formats.Imported
    other: Any


class Maker:
    """Make random ports from one library to another. `rng` decides the libraries, the sizes and the weights."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng([24, seed])
        self.source, self.target = (str(name) for name in self.rng.choice(LIBRARIES, 2))
        self.T, self.B = int(self.rng.integers(6, 33)), int(self.rng.integers(2, 6))

    def start(self, kind: str = "GRU", **sizes: Any) -> tuple[Network, formats.Imported, Array]:
        if kind == "LSTM":
            self.source = self.source if self.source != "Flax" else "Keras"
            self.target = self.target if self.target != "Flax" else "PyTorch"
        net = network(self.rng, kind, **sizes)
        if "Flax" in (self.source, self.target):  # Flax has only one bias for r, and one for z
            for layer in net.layers:
                layer |= {"b" + g: layer["b" + g] + layer["c" + g] for g in "rz"}
                layer |= {"c" + g: 0 * layer["c" + g] for g in "rz"}
        inputs = net.layers[0]["W" + net.gates[0]].shape[1]
        x = self.rng.normal(size=(self.T, self.B, inputs)).astype(np.float32)
        return net, read(net, self.source), x

    def port(self, file: formats.Imported, **arrays: Array) -> Port:
        return Port(self.source, self.target, file, arrays)

    def lengths(self) -> Array:
        lengths = self.rng.integers(2, self.T - 1, self.B)
        lengths[0] = self.T
        return lengths

    def of_arrays(self, change: Callable[[list[Array]], list[Array]], kind: str = "GRU", **sizes: Any) -> Port:
        """Return a port with a fault: `change` takes and returns the arrays of a layer in the layout of the target."""
        net, file, x = self.start(kind, **sizes)
        net.layers = [unpack(change(pack(layer, self.target, kind)), self.target, kind) for layer in net.layers]
        return self.port(file, x=x, h=net.states(x)[-1])


def reset(m: Maker) -> Port:
    """Return a port with the other placement of the reset gate.

    Examples are Keras's reset_after=False, ONNX without linear_before_reset (as torch's exporter writes it), or a loop
    written by hand.
    """
    net, file, x = m.start()
    h = onnx_states(net, x, after=False)[-1] if m.target == "ONNX" else None
    net.after = False
    return m.port(file, x=x, h=net.states(x)[-1] if h is None else h)


def exporter(m: Maker) -> Port:
    """Return a port of two files: the network, and an ONNX file without linear_before_reset."""
    net, file, _ = m.start()
    m.target = "ONNX"
    return Port(m.source, m.target, file, formats.read(onnx_file(net, True, after=False), "port.onnx"))


def gate_order(m: Maker) -> Port:
    """Return a port that reads the gates in another order than the source stores them in its arrays."""
    net, file, x = m.start()
    m.source, m.target = [("PyTorch", "Keras"), ("Keras", "PyTorch"), ("ONNX", "Flax"), ("Flax", "ONNX")][m.T % 4]
    file = read(net, m.source)
    order = GATES[m.source]
    layer = net.layers[0]
    net.layers[0] = {n + to: layer[n + g] for n in "WUbc" for g, to in zip(order, GATES[m.target], strict=True)}
    return m.port(file, x=x, h=net.states(x)[-1])


def lstm_order(m: Maker) -> Port:
    net, file, x = m.start("LSTM")
    source, target = ("ifgo", "iofg") if m.source != "ONNX" else ("iofg", "ifgo")
    layer = net.layers[0]
    net.layers[0] = {n + to: layer[n + g] for n in "WUbc" for g, to in zip(source, target, strict=True)}
    return m.port(file, x=x, h=net.states(x)[-1])


def update(m: Maker) -> Port:
    net, file, x = m.start()
    net.keeps = False
    return m.port(file, x=x, h=net.states(x)[-1])


def bias_dropped(m: Maker) -> Port:
    return m.of_arrays(lambda a: [a[0], a[1], a[2], 0 * a[3]])


def bias_swapped(m: Maker) -> Port:
    return m.of_arrays(lambda a: [a[0], a[1], a[3], a[2]])


def bias_summed(m: Maker) -> Port:
    """Return a port with the sum of both biases outside of the reset gate, as in Keras with reset_after=False."""
    return m.of_arrays(lambda a: [a[0], a[1], a[2] + a[3], 0 * a[3]])


def bias_order(m: Maker) -> Port:
    """Return a port with the kernels reordered for the target, but with the biases in the old order."""

    def change(a: list[Array]) -> list[Array]:
        return [*a[:2], *(np.concatenate([np.split(bias, 3)[i] for i in (1, 0, 2)]) for bias in a[2:])]

    return m.of_arrays(change)


def forget_bias(m: Maker) -> Port:
    net, file, x = m.start("LSTM")
    net.layers[0]["bf"] = net.layers[0]["bf"] + np.float32(1)
    return m.port(file, x=x, h=net.states(x)[-1])


def recurrent_transposed(m: Maker) -> Port:
    net, file, x = m.start()
    for layer in net.layers:
        layer |= {"U" + g: layer["U" + g].T for g in "rzn"}
    return m.port(file, x=x, h=net.states(x)[-1])


def kernels_reshaped(m: Maker) -> Port:
    """Return a port with a reshape instead of the necessary transpose: (I, 3H) to (3H, I) and back."""

    def change(a: list[Array]) -> list[Array]:
        return [*(np.ascontiguousarray(k.T).reshape(k.shape) for k in a[:2]), *a[2:]]

    return m.of_arrays(change)


def kernels_swapped(m: Maker) -> Port:
    return m.of_arrays(lambda a: [a[1], a[0], *a[2:]], square=True)


def activation(m: Maker) -> Port:
    kind = str(m.rng.choice(["GRU", "LSTM"]))
    net, file, x = m.start(kind)
    net.tanh = [relu, lambda a: a][m.T % 2]
    return m.port(file, x=x / 4, h=net.states(x / 4)[-1])


def recurrent_activation(m: Maker) -> Port:
    net, file, x = m.start()
    net.sigma = [hard_sigmoid, lambda a: np.clip(a / 6 + 0.5, 0, 1)][m.T % 2]
    return m.port(file, x=x, h=net.states(x)[-1])


def packed(m: Maker) -> Port:
    """Return a port with zeros after the end of each sequence, as from pad_packed_sequence or ONNX's sequence_lens."""
    net, file, x = m.start(str(m.rng.choice(["GRU", "LSTM"])))
    real = np.arange(m.T)[:, None] < m.lengths()
    return m.port(file, x=x, h=net.states(x)[-1] * real[..., None])


def masked(m: Maker) -> Port:
    """Return a port with a mask as in Keras: a masked timestep does not change the state.

    Masked timesteps are anywhere, or at the start of a sequence.
    """
    net, file, x = m.start()
    real = m.rng.random((m.T, m.B)) < 0.7
    if m.T % 2:
        real = np.arange(m.T)[:, None] >= m.T - m.lengths()
    real[-1] = True
    real[2, 0] = False
    return m.port(file, x=x, h=net.states(x, real=real)[-1])


def initial_state(m: Maker) -> Port:
    net, file, x = m.start()
    h0 = m.rng.normal(0, 0.5, (m.B, net.units)).astype(np.float32)
    h = onnx_states(net, x, h0=h0)[-1] if m.target == "ONNX" else net.states(x, h0)[-1]
    return m.port(file, x=x, h=h)


def backward(m: Maker) -> Port:
    net, file, x = m.start(str(m.rng.choice(["GRU", "LSTM"])))
    h = net.states(x[::-1])[-1]
    return m.port(file, x=x, h=h if m.T % 2 else h[::-1])


def states_backward(m: Maker) -> Port:
    net, file, x = m.start()
    return m.port(file, x=x, h=net.states(x)[-1][::-1])


def late(m: Maker) -> Port:
    net, file, x = m.start()
    h = net.states(x)[-1]
    return m.port(file, x=x, h=np.concatenate([0 * h[:1], h[:-1]]))


def batch_first(m: Maker) -> Port:
    net, file, x = m.start()
    return m.port(file, x=x.swapaxes(0, 1), h=net.states(x)[-1].swapaxes(0, 1))


def half_weights(m: Maker) -> Port:
    net, file, x = m.start()
    net.layers = [{n: a.astype(np.float16).astype(np.float32) for n, a in layer.items()} for layer in net.layers]
    return m.port(file, x=x, h=net.states(x)[-1])


def bfloat16(array: Array) -> Array:
    whole = np.ascontiguousarray(array, np.float32).view(np.uint32)
    return ((whole + 0x7FFF + ((whole >> 16) & 1)) & np.uint32(0xFFFF0000)).view(np.float32)


def bfloat16_products(m: Maker) -> Port:
    net, file, x = m.start()
    net.rounded = bfloat16
    return m.port(file, x=x, h=net.states(x)[-1])


def quantized(m: Maker) -> Port:
    """Return a port with kernels that are quantized to 8 bits, with one scale for each matrix."""

    def change(a: list[Array]) -> list[Array]:
        scales = [float(np.abs(kernel).max()) / 127 for kernel in a[:2]]
        rounded = [(np.round(k / s).astype(np.int8) * np.float32(s)) for k, s in zip(a, scales, strict=False)]
        return [*rounded, *a[2:]]

    return m.of_arrays(change)


def layer_dropped(m: Maker) -> Port:
    net, file, x = m.start(layers=2 + m.T % 2, square=True)
    del net.layers[int(m.rng.integers(0, len(net.layers)))]
    return m.port(file, x=x, h=net.states(x)[-1])


def layers_swapped(m: Maker) -> Port:
    net, file, x = m.start(layers=2, square=True)
    net.layers.reverse()
    return m.port(file, x=x, h=net.states(x)[-1])


def softmax(m: Maker) -> Port:
    net, file, x = m.start()
    h = net.states(x)[-1]
    return m.port(file, x=x, y=net.outputs(h, softmax=True), **({"h": h} if m.T % 2 else {}))


def pooled(m: Maker) -> Port:
    net, file, x = m.start()
    h = net.states(x)[-1]
    return m.port(file, x=x, y=net.outputs(h.mean(0) if m.T % 2 else h.max(0)))


def readout_bias(m: Maker) -> Port:
    net, file, x = m.start()
    net.c = 0 * net.c
    return m.port(file, x=x, y=net.outputs(net.states(x)[-1]))


def reset_by_y(m: Maker) -> Port:
    """Return a port with the other placement of the reset gate, and only the output of the last timestep."""
    net, file, x = m.start()
    net.after = False
    return m.port(file, x=x, y=net.outputs(net.states(x)[-1][-1]))


def relu_before_readout(m: Maker) -> Port:
    net, file, x = m.start()
    return m.port(file, x=x, y=net.outputs(relu(net.states(x)[-1])))


def scaled_input(m: Maker) -> Port:
    """Return a port that rescales pixels from 0 to 255 to numbers from -1 to 1, or that standardizes its inputs."""
    net, file, x = m.start(str(m.rng.choice(["GRU", "LSTM"])))
    if m.T % 2:
        x = m.rng.integers(0, 256, x.shape).astype(np.float32)
        return m.port(file, x=x, h=net.states(x / 127.5 - 1)[-1])
    raw = (x * m.rng.uniform(0.5, 9, x.shape[2]) + m.rng.normal(0, 5, x.shape[2])).astype(np.float32)
    return m.port(file, x=raw, h=net.states((raw - raw.mean((0, 1))) / raw.std((0, 1)))[-1])


def dropout(m: Maker) -> Port:
    """Return a port in training mode: dropout between two layers, or on the input."""
    net, file, x = m.start(layers=2)
    share = float(m.rng.choice([0.1, 0.2, 0.3, 0.5]))

    def dropped(array: Array) -> Array:
        return (array * (m.rng.random(array.shape) >= share) / (1 - share)).astype(np.float32)

    lower, upper = (replace(net, layers=[layer]) for layer in net.layers)
    if m.T % 2 and x.shape[2] <= net.units:
        h_l0 = lower.states(dropped(x))[0]
        return m.port(file, x=x, h_l0=h_l0, h_l1=upper.states(h_l0)[0])
    return m.port(file, x=x, h=upper.states(dropped(lower.states(x)[0]))[0])


FAULTY: list[tuple[Callable[[Maker], Port], str]] = [
    (reset, "reset gate"), (exporter, "reset gate"), (reset_by_y, "reset gate"), (gate_order, "gate order"),
    (lstm_order, "gate order"), (update, "direction of z"), (bias_dropped, "biases"), (bias_swapped, "biases"),
    (bias_summed, "biases"), (bias_order, "biases"), (forget_bias, "biases"), (recurrent_transposed, "kernels"),
    (kernels_reshaped, "kernels"), (kernels_swapped, "kernels"), (activation, "activation"),
    (recurrent_activation, "activation"), (packed, "padding"), (masked, "padding"), (initial_state, "initial state"),
    (backward, "time"), (states_backward, "time"), (late, "time"), (batch_first, "axes"), (half_weights, "precision"),
    (bfloat16_products, "precision"), (quantized, "precision"), (layer_dropped, "layers"), (layers_swapped, "layers"),
    (softmax, "readout"), (pooled, "readout"), (readout_bias, "readout"),
    (relu_before_readout, "readout"), (scaled_input, "scaled input"), (dropout, "dropout"),
]  # fmt: skip


# Ports without a fault.


def plain(m: Maker) -> Port:
    net, file, x = m.start(str(m.rng.choice(["GRU", "LSTM"])), layers=1 + m.T % 2)
    states = onnx_states(net, x) if m.target == "ONNX" else net.states(x)
    return m.port(file, x=x, y=net.outputs(states[-1]), **{f"h_l{k}": h for k, h in enumerate(states)})


def double(m: Maker) -> Port:
    net, file, x = m.start(dtype=np.float64)
    return m.port(file, x=x, h=net.states(x.astype(np.float64))[-1])


def low(m: Maker) -> Port:
    """Return a port with products and states rounded to float16 or bfloat16."""
    net, file, x = m.start()
    half: Callable[[Array], Array] = bfloat16 if m.T % 2 else (lambda a: a.astype(np.float16).astype(np.float32))
    net.rounded = half
    return m.port(file, x=x, h=half(net.states(x)[-1]))


def with_lengths(m: Maker) -> Port:
    net, file, x = m.start()
    lengths = m.lengths()
    real = np.arange(m.T)[:, None] < lengths
    h = net.states(x, real=real)[-1]
    if m.T % 2:
        return m.port(file, x=x, h=h * real[..., None], lengths=lengths)
    return m.port(file, x=x, h=h, mask=real.T)


def with_h0(m: Maker) -> Port:
    net, file, x = m.start()
    h0 = m.rng.normal(0, 0.5, (m.B, net.units)).astype(np.float32)
    return m.port(file, x=x, h=net.states(x, h0)[-1], h0=h0[None])


def last_step(m: Maker) -> Port:
    net, file, x = m.start()
    y = net.outputs(net.states(x)[-1][-1])
    return m.port(file, x=x if m.T % 2 else x.swapaxes(0, 1), y=y)


def long(m: Maker) -> Port:
    m.T, m.B = 1000, 2
    net, file, x = m.start()
    return m.port(file, x=x * 3, h=net.states(x * 3)[-1])


def two_files(m: Maker) -> Port:
    net, file, _ = m.start()
    return Port(m.source, m.target, file, read(net, m.target))


WITHOUT = [plain, double, low, with_lengths, with_h0, last_step, long, two_files]


def npz(other: Any) -> Any:
    if not isinstance(other, dict):
        return other
    file = io.BytesIO()
    np.savez(file, **other)
    return file.getvalue()


def main() -> None:
    rows: dict[tuple[str, str], list[int]] = {}
    wrong: list[str] = []
    right = 0
    for i in range(FAULTS):
        make, cause = FAULTY[i % len(FAULTY)]
        port = make(Maker(i))
        report = gru.check(port.file, npz(port.other))
        named = report.cause.name if report.cause else "passed" if report.passed else "none"
        row = rows.setdefault((make.__name__.replace("_", " "), cause), [0, 0])
        row[0] += 1
        row[1] += named == cause
        right += named == cause
        if named != cause:
            words = report.cause.words if report.cause else ""
            wrong.append(f"{i}: {make.__name__} ({port.source} to {port.target}): {named} {words}")
    print(f"{'fault':24}{'cause':16}{'ports':>6}{'named first':>13}")
    for (fault, cause), (count, hits) in rows.items():
        print(f"{fault:24}{cause:16}{count:6}{hits:13}")
    named_in_sound = 0
    for i in range(SOUND):
        make = WITHOUT[i % len(WITHOUT)]
        port = make(Maker(1000 + i))
        report = gru.check(port.file, npz(port.other))
        if report.cause is not None or not report.passed:
            named_in_sound += report.cause is not None
            wrong.append(f"sound {i}: {make.__name__} ({port.source} to {port.target}): {report!r} {report.cause}")
    print(*wrong, sep="\n")
    print(f"the right cause is named first in {right} of {FAULTS} faulty ports ({right / FAULTS:.1%})")
    print(f"a cause is named in {named_in_sound} of {SOUND} ports without a fault")
    if right < RIGHT * FAULTS or named_in_sound:
        sys.exit(f"at least {RIGHT:.0%} and at most 0 are allowed")
