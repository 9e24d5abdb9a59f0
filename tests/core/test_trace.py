"""Traces: whole or in blocks, with and without clamps, and with an original run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gru_core as gru
from gru_core import Clamp, Edit, Gap, SequenceError, forward
from gru_core.arrays import Array, Mask
from gru_core.runs.clamp import hold
from gru_core.training.toys import TASKS
from tests.support.networks import random_gru, stacked

HOLDABLE: list[str] = ["r", "z", "h_tilde", "h_prev"]


def test_the_signals_of_a_trace_are_those_of_its_top_layer() -> None:
    trace = gru.trace(stacked(), "A b c ?")
    assert [layer.r.shape for layer in trace.layers] == [(4, 4), (4, 6)]
    for name in ("r", "z", "h_tilde", "h"):
        assert getattr(trace, name) is getattr(trace.layers[1], name)
    np.testing.assert_array_equal(trace.layers[1].x, trace.layers[0].h)
    np.testing.assert_allclose(trace.y.sum(1), 1)
    logits = trace.h @ trace.model.readout.V.T
    np.testing.assert_allclose(trace.y, np.exp(logits) / np.exp(logits).sum(1, keepdims=True))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 45))
def test_blocks_of_a_stream_equal_the_whole_trace(seed: int, T: int, block: int) -> None:
    model, rng = stacked(), np.random.default_rng(seed)
    text = TASKS["store-and-recall"].text(rng, T)
    h0 = [rng.uniform(-1, 1, 4), rng.uniform(-1, 1, 6)]
    clamps = [Clamp("z", 0.3, units=[1], steps=slice(T // 3, T), layer=1), Clamp("r", 1.0, steps=slice(0, 1))]
    whole = gru.trace(model, text, h0, clamps)
    blocks = list(gru.stream(model, text, h0, clamps, block))
    assert [len(b.h) for b in blocks[:-1]] == [block] * (len(blocks) - 1)
    assert [token for b in blocks for token in b.tokens or []] == whole.tokens
    for name in ("r", "z", "h_tilde", "h", "y"):
        joined = np.concatenate([getattr(b, name) for b in blocks])
        np.testing.assert_allclose(joined, getattr(whole, name), atol=1e-13)


def test_text_and_rows_of_numbers_give_the_same_trace() -> None:
    model = gru.load("pocket-calculator")
    text, rows = gru.trace(model, "=0.3 +0.2 0.1"), gru.trace(model, np.array([[0.3, 1, 0], [0.2, 0, 1], [0.1, 0, 0]]))
    np.testing.assert_array_equal(text.h, rows.h)
    assert rows.tokens is None


@pytest.mark.parametrize(
    ("sequence", "message"),
    [
        ("", "the sequence is empty"),
        ("  ", "the sequence is empty"),
        (np.zeros((3, 2)), r"the inputs have shape \(3, 2\), but this model needs \(T, 6\)"),
        (np.zeros((0, 6)), r"the inputs have shape \(0, 6\)"),
        (np.array([[0.0] * 6, [np.nan] * 6]), "step 2: input 1 is NaN"),
        (np.array([[np.inf] * 6]), "step 1: input 1 is out of range"),
    ],
)
def test_a_bad_sequence_is_refused_before_the_run(sequence: str | Array, message: str) -> None:
    with pytest.raises(SequenceError, match=message):
        gru.stream(gru.load("flip-flop"), sequence)


def drawn_clamp(data: st.DataObject, gate: str, T: int, H: int, layer: int = 0) -> tuple[Clamp, Mask]:
    """Draw a random clamp. Return the clamp and the mask of the values that it sets."""
    start = data.draw(st.integers(0, T - 1))
    steps = slice(start, data.draw(st.integers(start + 1, T)))
    units = data.draw(st.none() | st.lists(st.integers(0, H - 1), min_size=1, unique=True))
    cells = np.zeros((T, H), bool)
    cells[np.ix_(range(T)[steps], range(H) if units is None else units)] = True
    return Clamp(gate, data.draw(st.floats(0, 1)), units, steps, layer), cells


@settings(deadline=None, max_examples=80)
@given(st.data(), st.sampled_from(HOLDABLE))
def test_a_clamp_sets_its_values_and_all_others_satisfy_the_equations(data: st.DataObject, gate: str) -> None:
    model, T = gru.load("sentiment"), 12
    text = TASKS["sentiment"].text(np.random.default_rng(data.draw(st.integers(0, 10**6))), T)
    clamp, cells = drawn_clamp(data, gate, T, 8)
    original, run = gru.trace(model, text), gru.trace(model, text, clamps=[clamp])
    layer, start = run.layers[0], clamp.steps.start
    assert (getattr(layer, gate)[cells] == clamp.value).all()
    for name in ("r", "z", "h_tilde", "h"):
        np.testing.assert_array_equal(getattr(run, name)[:start], getattr(original, name)[:start])
    previous = np.concatenate([np.zeros((1, 8)), run.h[:-1]])
    np.testing.assert_array_equal(layer.h_prev, np.where(cells & (gate == "h_prev"), clamp.value, previous))
    computed = {"h_prev": previous}
    for name, b in zip(("r", "z", "h_tilde"), np.split(model.layers[0].b, 3), strict=True):
        a = layer.Wx[name] + layer.Uh[name] + b
        computed[name] = np.tanh(a) if name == "h_tilde" else 1 / (1 + np.exp(-a))
        unclamped = ~cells if name == gate else np.ones_like(cells)
        np.testing.assert_allclose(getattr(layer, name)[unclamped], computed[name][unclamped], atol=1e-13)
    np.testing.assert_allclose(run.h, (1 - run.z) * layer.h_prev + run.z * run.h_tilde, atol=1e-15)
    assert list(layer.computed) == [gate]
    np.testing.assert_allclose(layer.computed[gate], computed[gate], atol=1e-13)


def test_z_clamped_at_0_keeps_the_state_and_at_1_takes_the_candidate() -> None:
    model = gru.load("flip-flop")
    closed = gru.trace(model, "A m B m", clamps=[Clamp("z", 0.0, steps=slice(2, 3))])
    assert closed.h[2, 0] == closed.h[1, 0]
    opened = gru.trace(model, "A m B m", clamps=[Clamp("z", 1.0)])
    np.testing.assert_array_equal(opened.h, opened.h_tilde)


@pytest.mark.parametrize("reset", ["before", "after"])
def test_a_step_with_h_prev_clamped_at_0_starts_a_new_run(reset: Literal["before", "after"]) -> None:
    rng = np.random.default_rng(3)
    layer, x = random_gru(rng, 3, 4, reset), rng.normal(size=(9, 3))
    cleared = forward(layer, x, rng.uniform(-1, 1, 4), hold([Clamp("h_prev", 0.0, steps=slice(5, 6))], 0, layer, (9,)))
    np.testing.assert_allclose(cleared.h[5:], forward(layer, x[5:]).h, atol=1e-15)
    np.testing.assert_array_equal(cleared[5:].h_prev, cleared.h_prev[5:])
    np.testing.assert_array_equal(cleared[5:].before("h"), cleared.before("h")[5:])


@settings(deadline=None, max_examples=60)
@given(st.data(), st.integers(1, 30))
def test_twin_returns_the_changed_run_and_the_original_run(data: st.DataObject, block: int) -> None:
    model, T = stacked(), 25
    text = TASKS["store-and-recall"].text(np.random.default_rng(data.draw(st.integers(0, 10**6))), T)
    sizes = [layer.units for layer in model.layers]
    clamps = []
    for _ in range(data.draw(st.integers(0, 3))):
        layer = data.draw(st.integers(0, 1))
        clamps.append(drawn_clamp(data, data.draw(st.sampled_from(HOLDABLE)), T, sizes[layer], layer)[0])
    edits = [Edit(1, "z", 2, "U", 4, 5.0)] if data.draw(st.booleans()) else []
    h0 = [np.full(size, 0.5) for size in sizes]
    clamped, original = gru.twin(model, text, h0, clamps, edits)
    changed = model.edited(edits)
    alone = gru.trace(changed, text, h0, clamps), gru.trace(model, text, h0)
    blocks = list(gru.stream(changed, text, h0, clamps, block, twin=model if edits else changed))
    for run, part_of, expected in zip((clamped, original), (lambda b: b, lambda b: b.twin), alone, strict=True):
        assert run.tokens == expected.tokens
        np.testing.assert_allclose(run.y, expected.y, atol=1e-12)
        np.testing.assert_allclose(np.concatenate([part_of(b).y for b in blocks]), expected.y, atol=1e-12)
        for i, (layer_run, expected_layer) in enumerate(zip(run.layers, expected.layers, strict=True)):
            for name in ("x", "h0", "r", "z", "h_tilde", "h", "h_prev"):
                np.testing.assert_allclose(getattr(layer_run, name), getattr(expected_layer, name), atol=1e-12)
            for name in ("h", "h_prev"):
                joined = np.concatenate([getattr(part_of(b).layers[i], name) for b in blocks])
                np.testing.assert_allclose(joined, getattr(expected_layer, name), atol=1e-12)


def test_a_clamp_changes_nothing_before_its_first_step() -> None:
    clamped, original = gru.twin(stacked(), "A b c ? D a", clamps=[Clamp("z", 1.0, steps=slice(3, 4))])
    for name in ("r", "z", "h_tilde", "h", "y"):
        np.testing.assert_array_equal(getattr(clamped, name)[:3], getattr(original, name)[:3])
    assert (clamped.y[3:] != original.y[3:]).any()
    assert clamped.twin is original


@pytest.mark.parametrize("block", [None, 1, 7])
def test_largest_gap_is_the_first_of_the_largest_differences(block: int | None) -> None:
    rng, model, T = np.random.default_rng(5), stacked(), 20
    for _ in range(20):
        clamps = [Clamp("z", rng.random(), [int(rng.integers(4))], slice(int(rng.integers(T)), None), layer=0)]
        text = TASKS["store-and-recall"].text(rng, T)
        clamped, original = gru.trace(model, text, clamps=clamps), gru.trace(model, text)
        size, place = 0.0, (0, 0, 0)
        for t in range(T):
            for layer, (clamped_layer, original_layer) in enumerate(zip(clamped.layers, original.layers, strict=True)):
                for unit in range(clamped_layer.cell.units):
                    gap = abs(clamped_layer.h[t, unit] - original_layer.h[t, unit])
                    if gap > size + 1e-12:  # separate runs and one batch round differently
                        size, place = gap, (layer, unit, t)
        largest = None
        for block_index, run in enumerate(gru.stream(model, text, clamps=clamps, block=block, twin=model)):
            gap = run.largest_gap
            if gap is not None and (largest is None or gap.size > largest.size):
                largest = Gap(gap.layer, gap.unit, block_index * (block or T) + gap.t, gap.size)
        assert largest is not None
        assert (largest.layer, largest.unit, largest.t) == place
        assert largest.size == pytest.approx(size)


def test_largest_gap_is_none_without_a_difference_and_needs_an_original_run() -> None:
    model, without_effect = (
        gru.load("flip-flop"),
        Clamp("r", 0.5, steps=slice(0, 1)),
    )  # at the first timestep there is no past for r to reset
    clamped, original = gru.twin(model, "A m B", clamps=[without_effect])
    assert clamped.largest_gap is None
    with pytest.raises(ValueError, match="no original run to compare with"):
        _ = original.largest_gap


def test_the_earliest_and_lowest_of_equal_gaps_is_returned() -> None:
    original = gru.trace(stacked(), "A b c ?")
    flat = replace(original, layers=tuple(replace(run, h=np.zeros_like(run.h)) for run in original.layers))
    places = [(1, 3, 2), (0, 3, 2), (0, 2, 2), (1, 5, 1), (1, 4, 1), (0, 3, 1)]  # layer, unit, t
    layers = [np.zeros_like(run.h) for run in original.layers]
    for place in places:
        layer, unit, t = place
        layers[layer][t, unit] = -0.5
        changed = tuple(replace(run, h=h.copy()) for run, h in zip(original.layers, layers, strict=True))
        assert replace(original, layers=changed, twin=flat).largest_gap == Gap(*place, 0.5)


@pytest.mark.parametrize(
    ("clamp", "message"),
    [
        (lambda: Clamp("q", 0.0), "there is no gate 'q' to clamp: choose one of r, z, h_tilde, h_prev"),
        (lambda: Clamp("z", 1.5), "z cannot be clamped at 1.5: choose from 0 to 1"),
        (lambda: Clamp("z", float("nan")), "z cannot be clamped at nan: choose from 0 to 1"),
        (lambda: Clamp("r", float("inf")), "r cannot be clamped at inf: choose from 0 to 1"),
        (lambda: Clamp("h_prev", -2.0), "h_prev cannot be clamped at -2.0: choose from -1 to 1"),
        (lambda: Clamp("h_tilde", -1.1), "h_tilde cannot be clamped at -1.1: choose from -1 to 1"),
        (lambda: Clamp("z", 0.0, units=[1]), "unit 2 is not in this layer: choose from 1 to 1"),
        (lambda: Clamp("z", 0.0, units=[-1]), "unit 0 is not in this layer"),
        (lambda: Clamp("z", 0.0, steps=slice(9, 10)), "covers none of the timesteps 1 to 3"),
        (lambda: Clamp("z", 0.0, layer=1), "layer 2 is not in this model: choose from 1 to 1"),
    ],
)
def test_the_error_for_a_bad_clamp_has_the_allowed_values(clamp: Callable[[], Clamp], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gru.trace(gru.load("flip-flop"), "A m B", clamps=[clamp()])


def test_an_initial_state_with_a_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"h0 has shapes \[\(2,\)\], but this model needs \[\(1,\)\]"):
        gru.trace(gru.load("flip-flop"), "A", h0=[np.zeros(2)])


def test_the_figure_shows_the_trace() -> None:
    trace = gru.trace(gru.load("store-and-recall"), "A b c ?")
    pictures = {p.name: p for p in trace.figure().data}
    assert list(pictures) == ["r", "z", "h_tilde", "h"]
    for name, picture in pictures.items():
        np.testing.assert_array_equal(picture.z, getattr(trace, name).T)
        assert list(picture.x) == [1, 2, 3, 4]


def test_a_second_sequence_is_run_as_the_twin() -> None:
    model = gru.load("sentiment")
    clamps = [gru.Clamp("r", 0.5, units=[1])]
    first, second = "the film was not good .", "the film was very good ."
    trace = gru.trace(model, first, clamps=clamps, against=second)
    assert trace.twin is not None
    for run, sequence in ((trace, first), (trace.twin, second)):
        alone = gru.trace(model, sequence, clamps=clamps)
        np.testing.assert_array_equal(run.y, alone.y)
        np.testing.assert_array_equal(run.z, alone.z)
    assert trace.differs.tolist()[:3] == [False] * 3
    assert trace.differs[4]
    with pytest.raises(SequenceError, match="6, not 2"):
        gru.trace(model, first, against="good .")


def test_the_figure_and_the_text_of_a_trace_name_a_second_sequence_as_such() -> None:
    model = gru.load("sentiment")
    second = gru.trace(model, "not good .", against="very good .")
    clamped, _ = gru.twin(model, "not good .", clamps=[Clamp("z", 0.5)])
    for trace, role, other in ((second, "second sequence", "original"), (clamped, "original", "second sequence")):
        texts = repr(trace), trace.figure(difference=True).layout.title.text, trace._repr_html_()
        assert all(role in text for text in texts)
        assert not any(other in text for text in texts)


@pytest.mark.parametrize(("steps", "same"), [(0, slice(0, 1)), (2, slice(2, 3)), (-1, slice(3, 4))])
def test_a_clamp_can_have_one_unit_and_one_timestep(steps: int, same: slice) -> None:
    model = gru.load("sentiment")
    for kind in (int, np.int64):
        clamped = gru.trace(model, "not good . good", clamps=[Clamp("z", 0.5, units=kind(2), steps=kind(steps))])
        listed = gru.trace(model, "not good . good", clamps=[Clamp("z", 0.5, units=[2], steps=same)])
        np.testing.assert_array_equal(clamped.h, listed.h)
        assert (clamped.z == 0.5).sum() == 1
    assert replace(Clamp("z", 0.5, units=2, steps=1), layer=1) == Clamp("z", 0.5, [2], slice(1, 2), 1)


@pytest.mark.parametrize("name", ["sentiment", "sentiment-lstm"])
def test_a_run_goes_on_after_another_run(name: str) -> None:
    model = gru.load(name)
    first, rest = "the film was not", "good . lovely"
    whole = gru.trace(model, f"{first} {rest}")
    np.testing.assert_allclose(gru.trace(model, rest, after=gru.trace(model, first)).y, whole.y[4:], atol=1e-15)
    clamps = [Clamp(model.layers[0].gates[0], 0.3)]
    changed, original = gru.twin(model, f"{first} {rest}", clamps=clamps)
    for edits in ([], [Edit(0, model.layers[0].gates[0], 0, "b", None, 0.5)]):
        start = gru.twin(model, first, clamps=clamps, edits=edits)[0]
        runs = gru.twin(model, rest, clamps=clamps, edits=edits, after=start)
        wanted = gru.trace(model.edited(edits), f"{first} {rest}", clamps=clamps), original
        for run, full in zip(runs, wanted, strict=True):
            np.testing.assert_allclose(run.h, full.h[4:], atol=1e-12)
    assert not np.allclose(changed.h, original.h)
    pair = gru.trace(model, first, against="the film was very")
    second = gru.trace(model, rest, against=rest, after=pair)
    assert second.twin is not None
    np.testing.assert_allclose(second.twin.y, gru.trace(model, f"the film was very {rest}").y[4:], atol=1e-15)
