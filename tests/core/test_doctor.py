"""The parity check names the right cause of a difference, and names no cause if there is no fault."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gru_core as gru
from benchmarks import doctor
from gru_core import check, formats
from gru_core.formats import FormatError
from tests.support.files import FIXTURES, reference, torch_layer

FILES = {
    "torch": "pytorch-cell.safetensors",
    "tagger": "pytorch-tagger.safetensors",
    "both": "pytorch-both.safetensors",
}


@pytest.mark.parametrize(("make", "cause"), doctor.FAULTY, ids=lambda value: getattr(value, "__name__", value))
@pytest.mark.parametrize("seed", [2400, 2401])
def test_the_fault_of_a_wrong_port_is_named(make: Any, cause: str, seed: int) -> None:
    port = make(doctor.Maker(seed))
    report = check(port.file, doctor.npz(port.other))
    assert not report.passed
    assert report.cause is not None
    assert report.cause.name == cause
    assert report.cause.remedy in str(report)
    assert report.cause.relative < max(difference.relative for difference in report.differences) / 2


@pytest.mark.parametrize("make", doctor.WITHOUT, ids=lambda make: str(make.__name__))
@pytest.mark.parametrize("seed", [2400, 2401, 2402])
def test_a_port_without_a_fault_passes(make: Any, seed: int) -> None:
    port = make(doctor.Maker(seed))
    report = check(port.file, doctor.npz(port.other))
    assert report.passed
    assert report.cause is None
    assert report.first is None


def test_the_first_timestep_and_signal_that_differ_are_named() -> None:
    imported, wanted = formats.read_file(FIXTURES / FILES["tagger"]), reference("pytorch-tagger")
    wanted["h_l0"][6:] += 0.25
    report = check(imported, wanted)
    assert report.first is not None
    assert (report.first.name, report.first.first) == ("h_l0", 7)
    assert "The first difference is at step 7: h of layer 1 differs by 2.5e-01." in str(report)
    wrong = check(imported, formats.read_file(FIXTURES / FILES["tagger"], {"order": "z,r,h"}))
    assert wrong.first is not None
    assert (wrong.first.name, wrong.first.first) == ("r_l0", 1)  # r is computed before h


def test_of_layers_that_differ_at_the_same_timestep_the_lowest_is_named() -> None:
    rng = np.random.default_rng(0)
    weights = ((6, 2), (6, 2), (6,))
    layers = tuple(gru.GRU(*(rng.normal(0, 0.5, shape) for shape in weights)) for _ in range(12))
    model = gru.Model(gru.Vectors(2), layers, gru.Readout("linear", np.eye(2), np.zeros(2), tuple("ab")), CARD)
    x = rng.normal(size=(5, 1, 2))
    wanted = {f"h_l{k}": run.h.copy() for k, run in enumerate(model.forward(x))}
    for k in (2, 10):
        wanted[f"h_l{k}"][3:] += 0.25
    first = check(model, {"x": x, **wanted}).first
    assert first is not None
    assert (first.layer, first.first) == (3, 4)


def test_padded_timesteps_are_not_compared() -> None:
    imported, wanted = formats.read_file(FIXTURES / FILES["both"], direction="backward"), reference("pytorch-both")
    T, B = wanted["x"].shape[:2]
    lengths = np.array([T, *[T - 3] * (B - 1)])
    real = np.arange(T)[:, None] < lengths
    layer = imported.model.layers[0]
    h = np.zeros((T, B, 2 * layer.units))
    for b, length in enumerate(lengths):  # the states of each sequence without padding
        alone = imported.model.forward(wanted["x"][:length, b : b + 1][::-1])[0].h
        h[:length, b, layer.units :] = alone[::-1, 0]
    for padding in ({"lengths": lengths}, {"mask": real}, {"mask": real.T.astype(float)}):
        assert check(imported, {"x": wanted["x"], "h": h} | padding).passed
    report = check(imported, {"x": wanted["x"], "h": h})
    assert report.cause is not None
    assert report.cause.name == "padding"


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_a_reference_may_have_an_initial_state(kind: str) -> None:
    rng = np.random.default_rng(0)
    layer: Any = gru.GRU.random(3, 5, rng)
    if kind == "lstm":
        layer = gru.LSTM(rng.normal(0, 0.5, (20, 3)), rng.normal(0, 0.5, (20, 5)), rng.normal(0, 0.5, 20))
    model = gru.Model(gru.Vectors(3), (layer,), gru.Readout("linear", np.eye(5), np.zeros(5), tuple("abcde")), CARD)
    x, state = rng.normal(size=(20, 2, 3)), rng.normal(size=(2, 5 * len(layer.carried)))
    arrays = {"x": x, "h": layer.forward(x, state).h}
    given = {"h0": state[None, :, :5]} | ({"c0": state[:, 5:]} if kind == "lstm" else {})
    assert check(model, arrays | given).passed
    report = check(model, arrays)
    assert report.cause is not None
    assert report.cause.name == "initial state"
    assert "h0" in report.cause.remedy


@pytest.mark.parametrize("cell", [gru.GRU, gru.LSTM])
def test_layers_of_different_sizes_have_initial_states_by_their_names(cell: Any) -> None:
    rng, G = np.random.default_rng(0), 3 if cell is gru.GRU else 4
    layers = [
        cell(rng.normal(0, 0.5, (G * H, I)), rng.normal(0, 0.5, (G * H, H)), rng.normal(0, 0.5, G * H))
        for I, H in ((3, 5), (5, 2))
    ]
    readout = gru.Readout("linear", np.eye(2), np.zeros(2), tuple("ab"))
    model = gru.Model(gru.Vectors(3), tuple(layers), readout, CARD)
    x, states = (
        rng.normal(size=(20, 2, 3)),
        [rng.normal(size=(2, layer.units * len(layer.carried))) for layer in layers],
    )
    arrays = {"x": x, "h": model.forward(x, states)[-1].h}
    given = {f"h0_l{k}": state[None, :, : layers[k].units] for k, state in enumerate(states)}
    if cell is gru.LSTM:
        given |= {f"c0_l{k}": state[:, layers[k].units :] for k, state in enumerate(states)}
    assert check(model, arrays | given).passed
    assert not check(model, arrays | {"h0_l1": given["h0_l1"]}).passed  # the other layer then starts at 0
    with pytest.raises(FormatError, match="h0_l0, h0_l1"):
        check(model, arrays | {"h0": np.zeros((2, 2, 5))})
    with pytest.raises(FormatError, match=r"h0_l1 in the reference has the shape \(5,\); it must be \(2, 2\)"):
        check(model, arrays | {"h0_l1": np.zeros(5)})


CARD = gru.Card("Test", "none", "do nothing", "", "random", "untrained")


@pytest.mark.parametrize(("dtype", "name", "allowed"), [(np.float16, "float16", 5e-3), (np.float32, "float32", 1e-5)])
def test_the_tolerance_depends_on_the_precision_of_the_reference(dtype: Any, name: str, allowed: float) -> None:
    imported, wanted = formats.read_file(FIXTURES / FILES["torch"]), reference("pytorch-cell")
    report = check(imported, {"x": wanted["x"], "h": wanted["h"].astype(dtype)})
    assert report.passed
    assert (report.precision, report.tolerance) == (name, allowed)


def test_swapped_directions_are_named() -> None:
    wanted = reference("pytorch-both")
    H = wanted["h"].shape[-1] // 2
    wanted["h"] = np.concatenate([wanted["h"][..., H:], wanted["h"][..., :H]], -1)
    for direction in ("forward", "backward"):
        report = check(formats.read_file(FIXTURES / FILES["both"], {"direction": direction}), wanted)
        assert report.cause is not None
        assert report.cause.name == "direction"


def test_two_libraries_files_of_the_same_network_match() -> None:
    pytorch, onnx = FIXTURES / "pytorch-tagger.safetensors", FIXTURES / "pytorch-tagger.onnx"
    for other in (onnx, onnx.read_bytes(), formats.read_file(onnx), formats.read_file(onnx).model):
        report = check(formats.read_file(pytorch), other)
        assert report.passed
        assert {difference.name for difference in report.differences} == {"h_l0", "h_l1", "y"}
        assert {gate.name for gate in report.gates} == {f"{n}_l{k}" for n in ("r", "z", "h_tilde") for k in (0, 1)}


def test_a_layer_that_is_missing_in_one_file_is_named() -> None:
    rng = np.random.default_rng(0)
    lower, upper = torch_layer(rng, 4, 4), torch_layer(rng, 4, 4, "_l1")
    both = formats.read_arrays(lower | upper, "two")
    for arrays, number in ((lower, 2), ({name.replace("l1", "l0"): a for name, a in upper.items()}, 1)):
        single = formats.read_arrays(arrays, "one")
        for report in (check(both, single), check(single, both)):
            assert report.cause is not None
            assert (report.cause.name, f"layer {number} left out" in report.cause.words) == ("layers", True)


def test_files_read_in_opposite_directions_differ_in_time() -> None:
    forward, backward = (
        formats.read_file(FIXTURES / FILES["both"], {"direction": d}).cells for d in ("forward", "backward")
    )
    assert not np.array_equal(forward[0].W, backward[0].W)
    imported = formats.read_file(FIXTURES / FILES["both"], {"direction": "backward"})
    report = check(imported, imported.model)  # a model without its file reads forward
    assert report.cause is not None
    assert report.cause.name == "time"


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ("pytorch-lstm.safetensors", "the first file has GRU layers, the second LSTM layers"),
        ("equinox.npz", "3 inputs|7 inputs"),
    ],
)
def test_files_of_different_networks_are_refused(other: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        check(formats.read_file(FIXTURES / FILES["tagger"]), FIXTURES / other)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lengths": np.array([40])}, "lengths in the reference must be"),
        ({"mask": np.full((12, 1), 2)}, "mask in the reference must be"),
        ({"mask": np.zeros((12, 1))}, "has only padding"),
        ({"h0": np.zeros(3)}, r"h0 in the reference has the shape \(3,\); it must be \(1, 1, 4\)"),
        ({"c0": np.zeros(4)}, "c0 in the reference is the cell state of an LSTM"),
        ({"h": np.zeros((12, 1, 9))}, "name its states by layer"),
    ],
)
def test_bad_padding_or_a_bad_initial_state_is_refused_with_a_reason(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        check(formats.read_file(FIXTURES / "equinox.npz"), reference("equinox") | changes)


def test_no_cause_is_named_for_a_reference_of_zeros() -> None:
    arrays = reference("equinox")
    report = check(formats.read_file(FIXTURES / "equinox.npz"), {"x": 0 * arrays["x"], "h": 0 * arrays["h"]})
    assert not report.passed
    assert report.cause is None
