"""Models as files, and models as functions that compute outputs."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gru_core as gru
from tests.support.networks import stacked


def test_a_saved_model_is_read_back_unchanged(tmp_path: Path) -> None:
    model = stacked()
    model.save(tmp_path / "a.safetensors")
    back = gru.load(tmp_path / "a.safetensors")
    assert back.card == model.card
    assert back.encoder == model.encoder
    assert [layer.reset for layer in back.layers] == ["before", "after"]
    for name, array in model.parameters.items():
        np.testing.assert_array_equal(back.parameters[name], array)
    back.save(tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_arrays_in_column_order_are_saved_correctly() -> None:
    model = gru.load("flip-flop-plain")
    columns = model.with_parameters({name: np.asfortranarray(array) for name, array in model.parameters.items()})
    assert columns.to_bytes() == model.to_bytes()


def test_load_refuses_unknown_names_and_files(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere is neither a file nor a preset: choose one of flip-flop"):
        gru.load("nowhere")
    (tmp_path / "x.safetensors").write_bytes(b"not a model")
    with pytest.raises(ValueError, match=r"this type of file cannot be read"):
        gru.load(tmp_path / "x.safetensors")


def test_a_readout_needs_as_many_labels_as_outputs() -> None:
    with pytest.raises(ValueError, match="V, c and labels differ: 2, 2 and 1 outputs"):
        replace(gru.load("flip-flop").readout, labels=("A",))


def test_a_model_without_examples_on_its_card_gets_one() -> None:
    model = stacked()
    assert model.examples == model.card.examples
    bare = replace(model, card=replace(model.card, examples=()))
    assert bare.examples == ("a b c d A B C D",)


def test_negating_a_unit_changes_only_its_sign() -> None:
    model, x = stacked(), np.random.default_rng(1).normal(size=(20, 3, 9))
    for layer, unit in ((0, 2), (1, 5)):
        negated = model.negate_unit(layer, unit)
        np.testing.assert_allclose(negated(x), model(x), atol=1e-14)
        ours, theirs = negated.forward(x)[layer].h, model.forward(x)[layer].h
        np.testing.assert_allclose(ours[..., unit], -theirs[..., unit], atol=1e-14)


def test_a_float32_copy_computes_the_same_up_to_its_precision() -> None:
    model = gru.load("sentiment")
    single, double = (gru.trace(m, "not good . bad") for m in (model.astype(np.float32), model))
    assert (single.h.dtype, double.h.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(single.h, double.h, atol=1e-5)


def test_importing_the_core_imports_neither_the_app_nor_plotly() -> None:
    code = "import gru_core, sys; print([m for m in ('app', 'fastapi', 'plotly') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
