"""The statistics of units over many sequences equal the results of plain loops over single runs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import gru_core as gru
from gru_core.cells.registry import CELLS
from gru_core.cells.run import Run
from gru_core.runs import census as module
from gru_core.runs.census import auc
from gru_core.training.toys import TASKS
from tests.support.networks import network_of, random_sequences, stacked


def runs_of(model: gru.Model, sequences: Any, layer: int) -> list[tuple[Run, Any]]:
    """Return a pair for each sequence: the run of layer `layer`, and the mask of the timesteps that count."""
    traces = [gru.trace(model, sequence) for sequence in sequences]
    return [(t.layers[layer], np.ones(len(t.y), bool) if t.mask is None else t.mask) for t in traces]


@pytest.mark.parametrize("padding", [None, 0.0])
@pytest.mark.parametrize("cell", CELLS)
def test_the_statistics_of_a_unit_are_those_of_its_single_runs(
    cell: str, padding: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 200)  # so the sequences run in several groups
    model, sequences = network_of(cell, padding), random_sequences((7, 1, 12, 5, 12, 3))
    sequences[2][[3, 11]] = 0
    census = gru.census(model, sequences)
    assert [(unit.layer, unit.unit) for unit in census] == [(k, u) for k in range(2) for u in range(4)]
    for unit in census:
        runs, u = runs_of(model, sequences, unit.layer), unit.unit
        gates = [name for name, signal in model.layers[0].signals.items() if signal.lowest == 0]
        assert list(unit.means) == gates
        for gate in gates:
            values = np.concatenate([getattr(run, gate)[mask, u] for run, mask in runs])
            assert unit.means[gate] == pytest.approx(values.mean())
            assert unit.closed[gate] == pytest.approx((values < 0.1).mean())
            assert unit.open[gate] == pytest.approx((values > 0.9).mean())
        h = np.concatenate([run.h[mask, u] for run, mask in runs])
        assert (unit.lowest, unit.highest) == (pytest.approx(h.min()), pytest.approx(h.max()))
        changes = {
            (n, t): abs(run.h[t, u] - run.before("h")[t, u])
            for n, (run, mask) in enumerate(runs)
            for t in np.flatnonzero(mask)
        }
        assert changes[unit.moments["change"]] == pytest.approx(max(changes.values()))
        if unit.half_life is None:
            assert cell == "rnn"
            continue
        keep = {(n, t): run.mixture.keep[t, u] for n, (run, mask) in enumerate(runs) for t in np.flatnonzero(mask) if t}  # type: ignore[union-attr]
        assert 0.5 ** (1 / unit.half_life) == pytest.approx(math.exp(np.mean(np.log(list(keep.values())))))
        assert keep[unit.moments["half-life"]] == pytest.approx(max(keep.values()))
        assert unit.longest_half_life == pytest.approx(math.log(0.5) / math.log(max(keep.values())))
    assert census.steps == sum(mask.sum() for _, mask in runs_of(model, sequences, 0))


def test_the_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        values = rng.integers(0, 6, 30).astype(float)  # with equal values
        second = rng.random(30) < 0.4
        pairs = [(a > b) + 0.5 * (a == b) for a in values[second] for b in values[~second]]
        assert auc(values, second) == pytest.approx(np.mean(pairs) if pairs else 0.5)
        assert auc(-values, second) == pytest.approx(1 - auc(values, second))


def test_labels_of_sequences_are_separated_by_the_last_state_and_labels_of_timesteps_by_every_state() -> None:
    model, rng = gru.load("flip-flop"), np.random.default_rng(0)
    texts = [TASKS["flip-flop"].text(rng, T) for T in rng.integers(3, 30, 40)]
    traces = [gru.trace(model, text) for text in texts]
    ends = [max("AB", key=text.rfind) for text in texts]
    (unit,) = gru.census(model, texts, ends)
    assert unit.auc == auc(np.array([trace.h[-1, 0] for trace in traces]), np.array(ends) == "B") == 1
    each = [
        [None if token in "AB" else max("AB", key=text[: 2 * t].rfind) for t, token in enumerate(text.split())]
        for text in texts
    ]
    (unit,) = census = gru.census(model, texts, each)
    assert (unit.auc, census.labels) == (1, ("A", "B"))
    place = unit.moments["label"]
    assert each[place.sequence][place.t] == "B"
    assert census.trace(place.sequence).h[place.t, 0] == pytest.approx(
        max(trace.h[t, 0] for trace, e in zip(traces, each, strict=True) for t, label in enumerate(e) if label == "B")
    )
    (unit,) = gru.census(model, texts, each, between=("B", "A"))
    assert unit.auc == 0
    assert unit.moments["label"].sequence < 40
    numbers = np.array([int(end == "B") for end in ends])
    assert gru.census(model, texts, numbers).labels == ("0", "1")


@pytest.mark.parametrize(
    ("labels", "between", "message"),
    [
        (["a"], None, "1 labels for 2 sequences"),
        ([["a"], ["a", "b"]], None, "sequence 1 has 2 timesteps, but 1 labels"),
        (["a", "a"], None, r"1 different labels \(a\)"),
        (["a", "b"], ("a", "c"), "no timestep has the label 'c'"),
        ([["a", "b"], ["c", None]], None, r"3 different labels \(a, b, c\).*between="),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels: Any, between: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gru.census(gru.load("flip-flop"), ["A m", "B m"], labels, between)


def test_a_unit_that_does_not_move_is_dead() -> None:
    model = gru.load("sentiment")
    parameters = dict(model.parameters)
    parameters["layers.0.b"] = parameters["layers.0.b"].copy()
    parameters["layers.0.b"][8 + 3] = -30  # the update gate of unit 3 stays closed
    census = gru.census(model.with_parameters(parameters), ["the film was not good .", "lovely"])
    assert [unit.dead for unit in census] == [u == 3 for u in range(8)]
    assert "1 dead" in repr(census)


def test_the_table_and_the_figure_have_every_unit() -> None:
    census = gru.census(stacked(), ["A b c ?", "B a ?"], ["x", "y"])
    rows = census.table()
    assert len(rows) == len(census) == 10
    assert {tuple(row) for row in rows} == {tuple(rows[0])}
    assert rows[9] == census.units[9].row()
    assert "auc" in census._repr_html_()
    figure = census.figure()
    assert [len(panel.x) for panel in figure.data] == [10] * 4
    np.testing.assert_array_equal(figure.data[1].x, [unit.closed["z"] for unit in census])
    np.testing.assert_array_equal(figure.data[3].y, [unit.auc for unit in census])
    assert len(gru.census(gru.load("sentiment-rnn"), ["good"]).figure("dark").data) == 1


@pytest.mark.parametrize("each", [False, True])
def test_a_correlation_with_numbers_is_pearsons(each: bool) -> None:
    model, rng = network_of("gru"), np.random.default_rng(5)
    sequences = random_sequences([3, 7, 1, 5, 4, 6])
    targets: Any = [rng.normal(size=len(x)).tolist() for x in sequences] if each else rng.normal(size=6).tolist()
    targets[2] = None
    if each:
        targets[0][1] = None
    rows: list[tuple[Any, int, int, float]] = []
    for i, (x, target) in enumerate(zip(sequences, targets, strict=True)):
        h = gru.trace(model, x).layers[1].h
        steps = target if isinstance(target, list) else [None] * (len(x) - 1) + [target]
        rows += [(h[t], i, t, value) for t, value in enumerate(steps) if value is not None]
    states, y = np.array([h for h, *_ in rows]), np.array([value for *_, value in rows])
    for unit in [unit for unit in gru.census(model, sequences, targets=targets) if unit.layer == 1]:
        own = states[:, unit.unit]
        assert unit.correlation == pytest.approx(np.corrcoef(own, y)[0, 1])
        products = (own - own.mean()) * (y - y.mean()) * np.sign(unit.correlation)
        assert unit.moments["target"] == rows[int(products.argmax())][1:3]
    with pytest.raises(ValueError, match="sequence 1 at timestep 3"):
        gru.census(model, sequences[:1], targets=[np.inf])
