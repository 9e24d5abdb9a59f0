"""Bidirectional layers: both directions as one network, compared with PyTorch, onnxruntime, Keras and Flax."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import pytest

import gru_core as gru
from gru_core import formats
from gru_core.cells.registry import CELLS
from gru_core.formats import FormatError
from gru_core.model import Model, load_file
from gru_core.training.fit import loss_and_gradients
from gru_core.training.task import Batch
from tests.support.files import FIXTURES, npz, reference, torch_layer
from tests.support.gradcheck import check_gradient

CARD = gru.Card("Test", "none", "do nothing", "", "random", "untrained")
T = 7

READ = [
    ("pytorch-both.safetensors", "pytorch-both"),
    ("pytorch-both.onnx", "pytorch-both"),
    ("pytorch-bidirectional-gru.safetensors", "pytorch-bidirectional-gru"),
    ("pytorch-bidirectional-lstm.safetensors", "pytorch-bidirectional-lstm"),
    ("keras-both.keras", "keras-both"),
    ("keras-both.weights.h5", "keras-both"),
    ("keras-mixed.keras", "keras-mixed"),
    ("keras-lstm-both.keras", "keras-lstm-both"),
    ("flax-both.npz", "flax-both"),
]


def layer(cell: Any, inputs: int, units: int, rng: np.random.Generator, reset: Any = "before") -> Any:
    if cell is gru.MinGRU:
        return gru.MinGRU.random(inputs, units, rng)
    if cell is gru.GRU:
        return gru.GRU.random(inputs, units, rng, reset=reset, b_z=0.5)
    G = len(cell.gates)
    return cell(
        rng.normal(0, 0.7, (G * units, inputs)), rng.normal(0, 0.7, (G * units, units)), rng.normal(0, 0.7, G * units)
    )


def network(cell: Any, rng: np.random.Generator, reset: Any = "before") -> Model:
    """Return a model with a bidirectional layer of 4 + 2 units and, above it, a layer of 3 units."""
    both = gru.GRU.bidirectional(layer(cell, 3, 4, rng, reset), layer(cell, 3, 2, rng, reset))
    readout = gru.Readout("linear", rng.normal(size=(2, 3)), np.zeros(2), ("a", "b"))
    return gru.Model(gru.Vectors(3), (both, layer(cell, 6, 3, rng, reset)), readout, CARD)


@pytest.mark.parametrize(("file", "name"), READ)
def test_both_directions_pass_the_parity_check(file: str, name: str) -> None:
    imported, wanted = formats.read_file(FIXTURES / file, direction="both"), reference(name)
    assert imported.direction == "both"
    report = gru.check(imported, wanted)
    assert report.passed, report
    half = imported.model.layers[-1].units // 2
    names = [key for key in wanted if key in ("h", f"h_l{len(imported.model.layers) - 1}")]
    swapped = {key: np.concatenate([wanted[key][..., half:], wanted[key][..., :half]], -1) for key in names}
    cause = gru.check(imported, wanted | swapped).cause
    assert cause is not None
    assert cause.name == "direction"


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_a_batch_has_the_last_states_of_pytorch(kind: str) -> None:
    model = gru.load(FIXTURES / f"pytorch-bidirectional-{kind}.safetensors", direction="both")
    wanted, last = (
        reference(f"pytorch-bidirectional-{kind}"),
        np.load(FIXTURES / f"pytorch-bidirectional-{kind}-last-reference.npz"),
    )

    def beside(states: Any, k: int) -> Any:
        return np.concatenate([states[2 * k], states[2 * k + 1]], -1)

    texts = [" ".join(map(str, column[:n])) for column, n in zip(wanted["x"].T, wanted["lengths"], strict=True)]
    h0 = [np.concatenate([beside(wanted[s], k) for s in ("h0", "c0") if s in wanted], -1) for k in range(2)]
    batch = gru.trace_batch(model, texts, h0)
    np.testing.assert_allclose(batch.h, wanted["h"], rtol=0, atol=1e-6)
    for k, state in enumerate(batch.last):
        expected = np.concatenate([beside(last[s], k) for s in ("h", "c") if s in last], -1)
        np.testing.assert_allclose(state, expected, rtol=0, atol=1e-6)
        np.testing.assert_allclose(batch[1].last[k], expected[1], rtol=0, atol=1e-6)
    alone = gru.trace(model, texts[1], [state[1] for state in h0])
    np.testing.assert_allclose(alone.y, wanted["y"][: len(alone.y), 1], rtol=0, atol=1e-6)


def test_an_onnx_graph_gives_the_states_of_onnxruntime() -> None:
    file = FIXTURES / "pytorch-both.onnx"
    session = onnxruntime.InferenceSession(file.read_bytes(), providers=["CPUExecutionProvider"])
    x = np.random.default_rng(1).normal(size=(12, 2, 3)).astype(np.float32)
    expected = session.run(None, {session.get_inputs()[0].name: x})[0]
    model = formats.read_file(file, direction="both").model
    np.testing.assert_allclose(model.forward(x)[0].h, expected.reshape(12, 2, 8), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("merge", "factor"), [("sum", 1.0), ("ave", 0.5)])
def test_keras_directions_that_are_added_become_one_output(merge: str, factor: float) -> None:
    data = merged(merge)
    model, wanted = formats.read(data, "both.keras", direction="both").model, reference("keras-both")
    h = wanted["h"]
    np.testing.assert_allclose(model(wanted["x"]), factor * (h[..., :4] + h[..., 4:]), rtol=0, atol=1e-6)


def test_keras_directions_that_are_multiplied_become_one_output(tmp_path: Any) -> None:
    imported, wanted = formats.read_file(FIXTURES / "keras-merged.keras", direction="both"), reference("keras-merged")
    assert gru.check(imported, wanted).passed
    imported.model.save(tmp_path / "merged.safetensors")
    for model in (load_file(tmp_path / "merged.safetensors"), imported.model.negate_unit(1, 2)):
        np.testing.assert_allclose(model(wanted["x"]), wanted["y"], rtol=0, atol=1e-6)
    assert formats.read_file(tmp_path / "merged.safetensors").model.readout.product
    h = reference("keras-both")["h"]
    alone = formats.read(merged("mul"), "both.keras", direction="both").model
    np.testing.assert_allclose(alone(reference("keras-both")["x"]), h[..., :4] * h[..., 4:], rtol=0, atol=1e-6)


def test_a_product_below_the_top_layer_can_only_be_shown_by_one_direction() -> None:
    def below(config: Any) -> None:
        config["layers"][1]["config"]["merge_mode"] = "mul"

    data = configured("keras-merged.keras", below)
    with pytest.raises(FormatError, match="layer 1 joins its directions by 'mul'"):
        formats.read(data, "merged.keras", direction="both")
    assert formats.read(data, "merged.keras", direction="forward").model.layers[0].units == 5


def test_states_that_a_network_joins_are_compared_as_outputs() -> None:
    imported = formats.read(merged("sum"), "both.keras", direction="both")
    wanted = reference("keras-both")
    joined = wanted["h"][..., :4] + wanted["h"][..., 4:]
    assert gru.check(imported, {"x": wanted["x"], "y": joined}).passed
    with pytest.raises(FormatError, match="store them as y"):
        gru.check(imported, {"x": wanted["x"], "h": joined})


def test_the_report_says_that_a_classifier_reads_the_last_state_of_each_direction() -> None:
    imported = formats.read(merged("concat", whole=False), "both.keras", direction="both")
    assert "only the last state of each direction goes on" in " ".join(imported.report)
    h = reference("keras-both")["h"]  # Keras joins the last state of each half
    run = imported.model.forward(reference("keras-both")["x"])[0]
    np.testing.assert_allclose(run.last, np.concatenate([h[-1, :, :4], h[0, :, 4:]], -1), rtol=0, atol=1e-6)


def merged(mode: str, whole: bool = True) -> bytes:
    """Return a Keras file. Its bidirectional layer has the merge mode `mode`, and returns all states if `whole`."""

    def change(config: Any) -> None:
        (outer,) = (part for part in config["layers"] if part["class_name"] == "Bidirectional")
        outer["config"]["merge_mode"] = mode
        outer["config"]["layer"]["config"]["return_sequences"] = whole

    return configured("keras-both.keras", change)


def configured(file: str, change: Callable[[Any], None]) -> bytes:
    """Return the bytes of a Keras file after `change` has changed its configuration."""
    changed = io.BytesIO()
    with zipfile.ZipFile(FIXTURES / file) as source, zipfile.ZipFile(changed, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "config.json":
                config = json.loads(content)
                change(config["config"])
                content = json.dumps(config).encode()
            target.writestr(name, content)
    return changed.getvalue()


@pytest.mark.parametrize("cell", CELLS.values())
def test_the_halves_are_the_two_layers_on_one_time_axis(cell: Any) -> None:
    rng = np.random.default_rng(0)
    forward, backward = layer(cell, 3, 4, rng), layer(cell, 3, 2, rng)
    both, x = gru.GRU.bidirectional(forward, backward), rng.normal(size=(T, 2, 3))
    run, ahead, back = both.forward(x), forward.forward(x), backward.forward(x[::-1])
    for signal in cell.signals:
        expected = np.concatenate([getattr(ahead, signal), getattr(back, signal)[::-1]], -1)
        np.testing.assert_allclose(getattr(run, signal), expected, atol=1e-12)
    for direction, half in zip((forward, backward), both.halves, strict=True):
        for name, array in direction.parameters.items():
            np.testing.assert_array_equal(half.parameters[name], array)
    for gate in cell.gates:  # the second half reads backward, so its previous state is h_{t+1}
        np.testing.assert_allclose(run.gate(gate), getattr(run, gate), atol=1e-12)


@pytest.mark.parametrize("cell", CELLS.values())
def test_gradients_agree_with_finite_differences(cell: Any) -> None:
    rng = np.random.default_rng(0)
    both = network(cell, rng).layers[0]
    x, factor = rng.normal(size=(T, 2, 3)), rng.normal(size=(T, 2, 6))
    gradients = both.forward(x).backward(factor)

    def loss(arrays: Any) -> float:
        weights = {name: array for name, array in arrays.items() if name != "x"}
        weights["U"] = np.where(both.U != 0, weights["U"], 0)
        return float((both.with_parameters(weights).forward(arrays["x"]).h * factor).sum())

    at, gradient = both.parameters | {"x": x}, gradients.parameters | {"x": gradients.x}
    assert check_gradient(loss, at, gradient, rng) < 1e-6
    assert not gradients.U[:4, 4:].any()


def multiplied(cell: Any, rng: np.random.Generator) -> Model:
    """Return a model with 4 units per direction, and a readout that multiplies the states of the two directions."""
    both = gru.GRU.bidirectional(layer(cell, 3, 4, rng), layer(cell, 3, 4, rng))
    readout = gru.Readout("softmax", rng.normal(size=(2, 4)), np.zeros(2), ("a", "b"), product=True)
    return gru.Model(gru.Vectors(3), (both,), readout, CARD)


@pytest.mark.parametrize("cell", CELLS.values())
def test_the_loss_of_a_product_has_the_gradients_of_finite_differences(cell: Any) -> None:
    rng = np.random.default_rng(0)
    model = multiplied(cell, rng)
    batch = Batch(rng.normal(size=(T, 2, 3)), rng.integers(0, 2, (T, 2)), np.ones((T, 2), bool), {})

    def loss(arrays: Any) -> float:
        U = np.where(model.layers[0].U != 0, arrays["layers.0.U"], 0)
        return loss_and_gradients(model.with_parameters(arrays | {"layers.0.U": U}), batch)[0]

    assert check_gradient(loss, model.parameters, loss_and_gradients(model, batch)[1], rng) < 1e-6


@pytest.mark.parametrize("product", [False, True])
@pytest.mark.parametrize("cell", CELLS.values())
def test_an_output_is_sensitive_to_later_timesteps(cell: Any, product: bool) -> None:
    rng = np.random.default_rng(0)
    model = multiplied(cell, rng) if product else network(cell, rng)
    x, by, t = rng.normal(size=(T, 3)), 1e-6, 3
    trace = gru.trace(model, x)
    sensitivity = trace.sensitivity(t, 0, 0)
    assert sensitivity.x.shape == x.shape
    for s in range(T):
        moved = x.copy()
        moved[s, 1] += by
        assert (model(moved)[t, 0] - trace.y[t, 0]) / by == pytest.approx(sensitivity.x[s, 1], abs=1e-6)
    h = sensitivity.states["h"]
    assert not h[t + 1 :, :4].any()
    assert not h[:t, 4:].any()
    for unit in (1, 5):
        gradient = trace.sensitivity(t, 0, 0, unit).states["h"]
        np.testing.assert_allclose(gradient[:, 0], h[:, unit], atol=1e-12)


@pytest.mark.parametrize("cell", [gru.GRU, gru.LSTM, gru.MinGRU])
def test_contributions_to_a_backward_unit_come_from_later_timesteps(cell: Any) -> None:
    rng = np.random.default_rng(0)
    model = network(cell, rng)
    h0 = [rng.uniform(-0.5, 0.5, layer.units * len(layer.carried)) for layer in model.layers]
    trace = gru.trace(model, rng.normal(size=(T, 3)), h0)
    run = trace.layers[0]
    state, candidate = getattr(run, cell.carried[-1]), run.mixture.candidate
    for unit in (2, 5):
        shares = trace.ledger(unit, 0)
        start = h0[0][-6 + unit]
        np.testing.assert_allclose(
            shares[:, 0] * start + shares[:, 1:] @ candidate[:, unit], state[:, unit], atol=1e-12
        )
        ahead = np.triu(shares[:, 1:], 1).any(), np.tril(shares[:, 1:], -1).any()
        assert ahead == ((False, True) if unit < 4 else (True, False))


def test_a_clamp_changes_the_timesteps_that_its_direction_reads_later() -> None:
    rng = np.random.default_rng(0)
    model, x = network(gru.GRU, rng), rng.normal(size=(T, 3))
    original = gru.trace(model, x).layers[0]
    for units, changed in (([0, 1], slice(4, None)), ([4, 5], slice(0, 5))):
        run = gru.trace(model, x, clamps=[gru.Clamp("z", 1.0, units=units, steps=4)]).layers[0]
        differs = (run.h != original.h).any(1)
        assert differs[changed].all()
        differs[changed] = False
        assert not differs.any()
    changed_model, trace = model.edited([gru.Edit(0, "z", 5, "U", 4, 2.0)]), gru.trace(model, x)
    assert (gru.trace(changed_model, x).layers[0].h != trace.layers[0].h)[:, :4].sum() == 0
    with pytest.raises(ValueError, match="unit 1 does not read unit 5"):
        model.edited([gru.Edit(0, "z", 0, "U", 4, 2.0)])


@pytest.mark.parametrize("reset", ["before", "after"])
def test_a_stream_yields_parts_of_the_whole_run(reset: str) -> None:
    rng = np.random.default_rng(0)
    model, x = network(gru.GRU, rng, reset), rng.normal(size=(T, 3))
    whole = gru.trace(model, x)
    clamps = [gru.Clamp("r", 0.0, steps=2)]
    for twin in (None, model):
        parts = list(gru.stream(model, x, block=3, clamps=clamps * (twin is not None), twin=twin))
        runs = parts if twin is None else [part.twin for part in parts if part.twin is not None]
        np.testing.assert_allclose(np.concatenate([part.y for part in runs]), whole.y, atol=1e-12)
        for part in runs:
            np.testing.assert_allclose(part.layers[0].gate("z"), part.layers[0].z, atol=1e-12)
    with pytest.raises(ValueError, match="needs the whole sequence"):
        gru.trace(model, x, after=whole)


def test_a_saved_model_has_both_directions(tmp_path: Any) -> None:
    rng = np.random.default_rng(0)
    model, x = network(gru.LSTM, rng), rng.normal(size=(T, 3))
    model.save(tmp_path / "both.safetensors")
    again = load_file(tmp_path / "both.safetensors")
    np.testing.assert_array_equal(again(x), model(x))
    assert formats.read_file(tmp_path / "both.safetensors").model.layers[0].backward_units == 2


def test_layers_that_do_not_fit_are_refused() -> None:
    rng = np.random.default_rng(0)
    single = layer(gru.GRU, 3, 4, rng)
    for other in (layer(gru.RNN, 3, 4, rng), layer(gru.GRU, 2, 4, rng), layer(gru.GRU, 3, 4, rng, "after")):
        with pytest.raises(ValueError, match="the two directions of a layer"):
            gru.GRU.bidirectional(single, other)
    with pytest.raises(ValueError, match="cannot read the state of a unit of the other direction"):
        gru.GRU(single.W, single.U, single.b, backward_units=1)
    with pytest.raises(ValueError, match="both directions need units"):
        gru.GRU(single.W, single.U, single.b, backward_units=4)
    wide = {n: a for s in ("", "_reverse") for n, a in torch_layer(rng, 3, 4, f"_l0{s}").items()}
    model = formats.read(npz(**wide), "both", direction="both")
    with pytest.raises(FormatError, match="for a bidirectional layer"):
        gru.check(model, {"x": np.zeros((5, 2, 3)), "h": np.zeros((2, 8))})
    with pytest.raises(FormatError, match="of a bidirectional network it must have all 5 timesteps"):
        gru.check(model, {"x": np.zeros((5, 2, 3)), "y": np.zeros((2, 8))})


def test_units_have_the_arrow_of_their_direction() -> None:
    rng = np.random.default_rng(0)
    model, x = network(gru.GRU, rng), rng.normal(size=(T, 3))
    trace = gru.trace(model, x)
    assert [model.layers[0].unit_name(unit) for unit in (0, 3, 4)] == ["1 →", "4 →", "5 ←"]
    assert model.layers[1].unit_name(0) == "1"
    assert "backward_units=2" in repr(model.layers[0])
    figure = trace.figure(0)
    assert list(figure.layout.yaxis.ticktext) == ["1 →", "4 →", "5 ←", "6 ←"]
    census = gru.census(model, [x, x[:4]])
    assert "unit 6 ←" in " ".join(map(str, census.figure().data[0].text))
