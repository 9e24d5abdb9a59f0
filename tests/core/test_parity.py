"""The parity check: it passes for a model that matches its source library, and names a known cause of a difference."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gru_core as gru
from gru_core import check, formats
from gru_core.formats import FormatError
from tests.support.files import FIXTURES, REAL, npz, reference


@pytest.mark.parametrize(("file", "name", "answers"), REAL, ids=lambda value: str(value) if value else "")
def test_every_real_file_matches_its_own_library(file: str, name: str, answers: dict[str, str]) -> None:
    imported = formats.read_file(FIXTURES / file, answers)
    parity = check(imported, FIXTURES / f"{name}-reference.npz")
    assert parity.passed
    assert parity.cause is None
    assert parity.tolerance == (1e-10 if name == "pytorch-cell" else 1e-5)
    assert all(difference.relative < 1e-6 for difference in parity.differences)
    assert str(parity).startswith("parity check passed: h of layer 1 differs by at most ")


def test_the_report_has_the_differences_of_each_layer_and_step() -> None:
    imported, wanted = formats.read_file(FIXTURES / "pytorch-tagger.safetensors"), reference("pytorch-tagger")
    wanted["h_l1"][7, 1, 3] += 0.5
    parity = check(imported, wanted)
    assert [difference.name for difference in parity.differences] == ["h_l0", "h_l1", "y"]
    lower, upper, _ = parity.differences
    assert lower.by_step.shape == (12,)
    assert (upper.step, upper.unit) == (8, 4)
    assert upper.largest == pytest.approx(0.5, abs=1e-6)
    assert upper.relative == pytest.approx(0.5 / np.abs(wanted["h_l1"]).max(), rel=1e-5)
    assert not parity.passed
    assert "No known cause explains the difference" in str(parity)


ORDERS = ["r,z,h", "r,h,z", "z,r,h", "z,h,r", "h,r,z", "h,z,r"]


@pytest.mark.parametrize("order", ORDERS[1:])
def test_a_wrong_order_of_gates_is_named(order: str) -> None:
    imported = formats.read_file(FIXTURES / "pytorch-tagger.safetensors", {"order": order})
    parity = check(imported, reference("pytorch-tagger"))
    assert parity.cause is not None
    assert parity.cause.words == "with gate order r, z, h"
    assert parity.cause.relative < 1e-6
    assert f"But with gate order r, z, h it matches to {parity.cause.relative:.1e}. PyTorch" in str(parity)


@pytest.mark.parametrize(
    ("file", "name", "answers", "words"),
    [
        ("pytorch-cell.safetensors", "pytorch-cell", {"z": "take"}, "with z near 1 keeping the old state"),
        ("haiku.npz", "haiku", {"z": "keep"}, "with z near 1 taking the candidate"),
        ("haiku.npz", "haiku", {"reset": "after"}, "with the reset gate acting before the product"),
        ("equinox.npz", "equinox", {"reset": "before"}, "with the reset gate acting after the product"),
        (
            "haiku.npz", "haiku", {"order": "r,z,h", "z": "keep"},
            "with gate order z, r, h and z near 1 taking the candidate",
        ),
        (
            "keras-before.keras", "keras-before", {"order": "r,z,h", "reset": "after"},
            "with gate order z, r, h and the reset gate acting before the product",
        ),
    ],
)  # fmt: skip
def test_a_convention_of_another_library_is_named(file: str, name: str, answers: dict[str, str], words: str) -> None:
    parity = check(formats.read_file(FIXTURES / file, answers), reference(name))
    assert parity.cause is not None
    assert parity.cause.words == words


def cell_arrays() -> dict[str, Any]:
    from gru_core.formats import safetensors

    return dict(safetensors.arrays((FIXTURES / "pytorch-cell.safetensors").read_bytes())[0])


def transposed(arrays: dict[str, Any]) -> None:
    arrays["weight_hh"] = np.concatenate([block.T for block in np.split(arrays["weight_hh"], 3)])


def swapped(arrays: dict[str, Any]) -> None:
    arrays["bias_ih"], arrays["bias_hh"] = arrays["bias_hh"], arrays["bias_ih"]


def both(arrays: dict[str, Any]) -> None:
    transposed(arrays)
    swapped(arrays)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (transposed, "with each recurrent block transposed"),
        (swapped, "with the input biases and the recurrent biases swapped"),
        (both, "with each recurrent block transposed and the input biases and the recurrent biases swapped"),
    ],
)
def test_wrongly_written_weights_are_named(spoil: Any, words: str) -> None:
    arrays = cell_arrays()
    spoil(arrays)
    parity = check(formats.read_arrays(arrays, "cell"), reference("pytorch-cell"))
    assert parity.cause is not None
    assert parity.cause.words == words


def test_swapped_square_kernels_are_named() -> None:
    rng = np.random.default_rng(0)
    right = gru.GRU.random(4, 4, rng, reset="after")
    x = rng.normal(size=(20, 4))
    wanted = {"x": x, "h": gru.forward(right, x).h}
    base = formats.read_arrays(cell_arrays() | {"weight_ih": np.zeros((12, 4))}, "cell").model
    for wrong, words in (
        (gru.GRU(right.U, right.W, right.b, right.c_h), "with the input weights and the recurrent weights swapped"),
        (
            gru.GRU(np.concatenate([block.T for block in np.split(right.W, 3)]), right.U, right.b, right.c_h),
            "with each input block transposed",
        ),
    ):
        cause = check(gru.Model(base.encoder, (wrong,), base.readout, base.card), wanted).cause
        assert cause is not None
        assert cause.words == words


def test_swapped_axes_of_a_reference_are_named() -> None:
    wanted = reference("pytorch-tagger")
    del wanted["y"]
    swapped = {name: array.swapaxes(0, 1) for name, array in wanted.items()}
    parity = check(formats.read_file(FIXTURES / "pytorch-tagger.safetensors"), swapped)
    assert parity.cause is not None
    assert parity.cause.words == "with the batch axis and the time axis swapped (batch_first)"


def test_a_wrong_direction_is_named() -> None:
    wanted = reference("pytorch-both")
    wanted["h"] = wanted["h"][..., 4:]  # only the backward half
    model = formats.read_file(FIXTURES / "pytorch-both.safetensors", direction="backward").model
    parity = check(model, wanted)
    assert parity.cause is not None
    assert parity.cause.words == "with the sequence read from its end"


def test_a_missing_softmax_is_named() -> None:
    imported = formats.read_file(FIXTURES / "keras-tagger.weights.h5", {"network": "stacked"})
    parity = check(imported, reference("keras-tagger"))
    assert str(parity.cause).startswith("h is right, and with a softmax on y it matches to ")


def test_a_model_without_its_file_can_be_checked() -> None:
    model = formats.read_file(FIXTURES / "pytorch-cell.safetensors").model
    assert check(model, reference("pytorch-cell")).passed
    wrong = formats.read_file(FIXTURES / "pytorch-cell.safetensors", {"order": "z,r,h"}).model
    cause = check(wrong, reference("pytorch-cell")).cause
    assert cause is not None
    assert cause.words == "with gate order z, r, h"  # r and z are swapped, and it is unknown which name is right


@given(st.integers(0, 2**32), st.sampled_from(["before", "after"]))
@settings(max_examples=15, deadline=None)
def test_no_cause_is_named_for_an_unrelated_network(seed: int, reset: Any) -> None:
    rng = np.random.default_rng(seed)
    layer, other_layer = (gru.GRU.random(3, 4, rng, reset=reset) for _ in range(2))
    model = formats.read_file(FIXTURES / "pytorch-cell.safetensors").model
    x = rng.normal(size=(10, 2, 3))
    model = gru.Model(model.encoder, (layer,), model.readout, model.card)
    parity = check(model, {"x": x, "h": gru.forward(other_layer, x).h})
    assert not parity.passed
    assert parity.cause is None


def test_a_reference_is_read_from_a_path_from_bytes_or_from_arrays(tmp_path: Path) -> None:
    imported, arrays = formats.read_file(FIXTURES / "equinox.npz"), reference("equinox")
    path = FIXTURES / "equinox-reference.npz"
    assert check(imported, path).passed
    assert check(imported, path.read_bytes()).passed
    assert check(imported, arrays).passed
    assert check(imported, npz(x=arrays["x"], h_l0=arrays["h"])).passed


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": None}, "holds arrays called x, and h, h_l0 or y; this one has 'h'"),
        ({"h": None}, "holds arrays called x, and h, h_l0 or y; this one has 'x'"),
        ({"c": np.zeros(3)}, "'c' is none of them"),
        ({"x": np.zeros((12, 5))}, r"x in the reference has the shape \(12, 5\); this model needs \(T, 3\) or"),
        ({"x": np.zeros((0, 3)), "h": np.zeros((0, 4))}, r"x in the reference has the shape \(0, 3\)"),
        ({"x": np.full((12, 3), np.nan)}, "x in the reference has a number outside -1,000,000 to 1,000,000"),
        ({"h": np.zeros((11, 4))}, r"h_l0 in the reference has the shape \(11, 4\); for x of 12 steps it must be"),
        ({"h": np.full((12, 4), np.inf)}, "h_l0 in the reference must contain finite floating-point numbers only"),
        ({"x": np.zeros((10_001, 3)), "h": np.zeros((10_001, 4))}, "has 10,001 timesteps; at most 10,000 can be run"),
    ],
)  # fmt: skip
def test_a_bad_reference_is_refused_with_a_reason(changes: dict[str, Any], message: str) -> None:
    arrays = reference("equinox") | changes
    with pytest.raises(FormatError, match=message):
        check(formats.read_file(FIXTURES / "equinox.npz"), {n: a for n, a in arrays.items() if a is not None})


def test_a_reference_with_symbols_outside_the_alphabet_is_refused() -> None:
    wanted = reference("pytorch-tagger")
    wanted["x"][0, 0] = 7
    with pytest.raises(FormatError, match="x in the reference has symbols 0 to 7; this model has 0 to 6"):
        check(formats.read_file(FIXTURES / "pytorch-tagger.safetensors"), wanted)


def test_a_hostile_reference_is_refused() -> None:
    file = io.BytesIO()
    np.savez(file, x=np.array([{}], object))
    with pytest.raises(FormatError, match=r"x in the reference has the shape|holds arrays called"):
        check(gru.load("flip-flop"), file.getvalue())
