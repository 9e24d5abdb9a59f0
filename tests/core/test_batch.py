"""Batches of sequences of different lengths: the values equal a separate run of each sequence, and torch's values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import gru_core as gru
from gru_core import Clamp, SequenceError
from gru_core.cells.registry import CELLS
from gru_core.training.toys import TASKS
from tests.support.files import FIXTURES
from tests.support.networks import network_of, random_sequences, stacked

I, H, LENGTHS = 3, 4, (7, 1, 12, 5, 12, 3)


def assert_equal(trace: gru.Trace, wanted: gru.Trace) -> None:
    """Assert that two traces have equal arrays, except masks, up to rounding from a different order of summation."""
    assert trace.tokens == wanted.tokens
    arrays, wanted_arrays = trace.arrays(), wanted.arrays()
    assert arrays.keys() - {"mask"} == wanted_arrays.keys() - {"mask"}
    for name, array in wanted_arrays.items():
        if array.dtype.kind == "f":
            np.testing.assert_allclose(arrays[name], array, atol=1e-12, err_msg=name)
        elif name != "mask":
            np.testing.assert_array_equal(arrays[name], array)


@pytest.mark.parametrize("padding", [None, 0.0])
@pytest.mark.parametrize("cell", CELLS)
def test_each_sequence_has_the_values_of_a_run_of_its_own(cell: str, padding: float | None) -> None:
    model, xs = network_of(cell, padding), random_sequences(LENGTHS)
    xs[0][[0, 4]] = 0
    xs[2][[11]] = 0  # steps that the network skips as padding, in the middle and at the end
    rng = np.random.default_rng(1)
    S = len(CELLS[cell].carried) * H
    h0 = rng.normal(0, 0.3, (2, len(xs), S))
    batch = gru.trace_batch(model, xs, list(h0))
    assert batch.lengths.tolist() == list(LENGTHS)
    assert [len(trace.y) for trace in batch] == list(LENGTHS)
    for b, (trace, x) in enumerate(zip(batch, xs, strict=True)):
        alone = gru.trace(model, x, list(h0[:, b]))
        assert_equal(trace, alone)
        np.testing.assert_array_equal(batch.mask[: len(x), b], np.ones(len(x)) if alone.mask is None else alone.mask)
        for state, wanted in zip(batch.last, alone.last, strict=True):
            np.testing.assert_allclose(state[b], wanted, atol=1e-12)
        for array in (
            batch.mask,
            batch.y,
            *(getattr(run, s) for run in batch.layers for s in ("x", *run.cell.signals)),
        ):
            assert not array[len(x) :, b].any()


@pytest.mark.parametrize("cell", CELLS)
def test_clamps_hold_gates_in_every_sequence_that_is_long_enough(cell: str) -> None:
    model, xs = network_of(cell), random_sequences(LENGTHS)
    clamps = [Clamp(model.layers[0].gates[0], 0.25, units=1, steps=2, layer=1)]
    batch = gru.trace_batch(model, xs, clamps=clamps)
    for trace, x in zip(batch, xs, strict=True):
        assert_equal(trace, gru.trace(model, x, clamps=clamps if len(x) > 2 else ()))


def test_texts_of_several_layers_go_on_after_another_batch() -> None:
    model, rng = stacked(), np.random.default_rng(0)
    texts = [TASKS["store-and-recall"].text(rng, T) for T in (3, 9, 1, 20)]
    batch = gru.trace_batch(model, texts)
    for trace, text in zip(batch, texts, strict=True):
        assert_equal(trace, gru.trace(model, text))
    assert_equal(batch[-1], gru.trace(model, texts[-1]))
    again = gru.trace_batch(model, texts[::-1], after=batch)
    for b, text in enumerate(texts[::-1]):
        assert_equal(again[b], gru.trace(model, text, after=batch[b]))
    assert "B=4, T=1 to 20" in repr(batch)


def test_an_array_is_a_batch_of_sequences_of_one_length() -> None:
    model, x = network_of("gru"), np.random.default_rng(0).normal(size=(5, 8, I))
    batch = gru.trace_batch(model, x)
    assert (len(batch), batch.h.shape, batch.mask.all()) == (5, (8, 5, H), True)
    np.testing.assert_allclose(batch.y, model(x.swapaxes(0, 1)), atol=1e-13)


@pytest.mark.parametrize("kind", ["gru", "lstm", "rnn"])
def test_the_recorded_values_of_torchs_packed_sequences(kind: str) -> None:
    arrays = dict(np.load(FIXTURES / f"pytorch-packed-{kind}.npz"))
    model = gru.load({name: array for name, array in arrays.items() if "_l" in name})
    xs = [arrays["x"][:T, b] for b, T in enumerate(arrays["lengths"])]
    assert_packed(gru.trace_batch(model, xs), arrays)


def assert_packed(batch: gru.TraceBatch, wanted: dict[str, Any]) -> None:
    np.testing.assert_allclose(batch.h, wanted["h"], atol=1e-6)  # torch pads with zeros too
    for layer, state in enumerate(batch.last):
        np.testing.assert_allclose(state[:, : wanted["h_n"].shape[-1]], wanted["h_n"][layer], atol=1e-6)
        if "c_n" in wanted:
            np.testing.assert_allclose(state[:, wanted["h_n"].shape[-1] :], wanted["c_n"][layer], atol=1e-6)


@pytest.mark.parametrize("kind", ["GRU", "LSTM", "RNN"])
def test_300_sequences_have_the_values_of_torchs_packed_sequences(kind: str) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    net, rng = getattr(torch.nn, kind)(I, 32, num_layers=3), np.random.default_rng(0)
    xs = random_sequences(rng.integers(1, 120, 300).tolist())
    packed = torch.nn.utils.rnn.pack_sequence([torch.tensor(x, dtype=torch.float32) for x in xs], enforce_sorted=False)
    with torch.no_grad():
        h, last = net(packed)
    padded = torch.nn.utils.rnn.pad_packed_sequence(h)[0].numpy()
    states = dict(zip(("h_n", "c_n"), last if kind == "LSTM" else [last], strict=False))
    wanted = {"h": padded} | {name: state.numpy() for name, state in states.items()}
    assert_packed(gru.trace_batch(gru.from_torch(net), xs), wanted)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("A m B", r"a list: for one text use gru\.trace"),
        ([], "there is no sequence"),
        (["A m", "A Q"], "sequence 2, step 2: 'Q' is not in this model's alphabet"),
        (["A m", ""], "sequence 2, the sequence is empty"),
        ([np.zeros((3, 6)), np.zeros((3, 5))], r"sequence 2, the inputs have shape \(3, 5\)"),
    ],
)
def test_an_error_has_the_number_of_the_sequence(given: Any, message: str) -> None:
    with pytest.raises(SequenceError, match=message):
        gru.trace_batch(gru.load("flip-flop"), given)


def test_initial_states_of_other_shapes_are_refused() -> None:
    model, xs = network_of("gru"), random_sequences(LENGTHS)
    batch = gru.trace_batch(model, xs)
    for options in ({"h0": [np.zeros(H)]}, {"h0": [np.zeros((5, H))] * 2}, {"h0": [np.zeros(H)] * 2, "after": batch}):
        with pytest.raises(ValueError, match="h0"):
            gru.trace_batch(model, xs, **options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"\(6, 4\)"):
        gru.trace_batch(model, xs[:3], after=batch)
    with pytest.raises(AttributeError, match="its signals are r, z"):
        _ = replace(batch).nonsense  # type: ignore[attr-defined]
