"""The experiments: their tasks by definition, some stored results trained again, and the claims about them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from statistics import median

import numpy as np
import pytest

from app.jobs.work import experiment_row
from gru_core import experiments
from gru_core.cells.mingru import MinGRU, passes
from gru_core.experiments import sequence
from gru_core.experiments.attention import Attention, recalling
from gru_core.training.tasks import EXPERIMENT_TASKS


def test_the_targets_of_each_task_follow_its_definition() -> None:
    rng = np.random.default_rng(0)
    for name, T in (("gap", 12), ("recall", 8), ("adding", 10), ("parity", 9), ("brackets", 30)):
        task = EXPERIMENT_TASKS[name]
        batch = task.draw(rng, T, 40)
        for b in range(40):
            tokens = task.encoder.tokens(task.encoder.write(batch.x[:, b]))
            target, scored = batch.target[:, b], batch.scored[:, b]
            steps = np.flatnonzero(scored)
            if name == "gap":
                assert steps.tolist() == [T - 1]
                assert "AB"[target[-1]] == tokens[0]
            elif name == "recall":
                assert steps.tolist() == list(range(4, 8))
                assert ["abcd"[target[t]] for t in steps] == tokens[:4]
            elif name == "adding":
                marked = [t for t, token in enumerate(tokens) if token.startswith("=")]
                assert (steps.tolist(), len(marked)) == ([T - 1], 2)
                assert target[-1] == pytest.approx(batch.x[marked, b, 0].sum())
            elif name == "parity":
                assert target.tolist() == [tokens[: t + 1].count("1") % 2 for t in range(T)]
            else:
                opens = [tokens[: t + 1].count("(") - tokens[: t + 1].count(")") for t in range(T)]
                assert target.tolist() == opens
                assert 0 <= min(opens) <= max(opens) <= 4


def test_recall_has_targets_only_for_items_in_the_sequence() -> None:
    task = EXPERIMENT_TASKS["recall"]
    x = task.encoder.encode(task.encoder.tokens("a c ? d ? ? ?"))
    target, scored = task.answers(x)
    assert scored.tolist() == [False, False, True, False, True, True, False]
    assert ["abcd"[target[t]] for t in (2, 4, 5)] == ["a", "c", "d"]


CORNERS = {"gap": (15, 25, 115), "bottleneck": (0, 8, 16), "race": (30, 45, 80)}


@pytest.mark.parametrize("name", experiments.GRIDS)
def test_training_again_reproduces_some_of_the_stored_results(name: str) -> None:
    recipes, rows = experiments.recipes(name), experiments.result(name)
    assert len(recipes) == len(rows)
    for recipe, row in zip(recipes, rows, strict=True):
        assert (row["task"], row["cell"], row["units"], row["seed"]) == (
            recipe.task, recipe.cell, recipe.units, recipe.seed,
        )  # fmt: skip
    for index in CORNERS[name]:
        again = experiment_row(recipes[index].to_dict(), lambda message: None)
        assert (again["steps"], again["good_at"]) == (rows[index]["steps"], rows[index]["good_at"])
        assert again["score"] == pytest.approx(rows[index]["score"], rel=1e-3)


def test_a_smaller_initial_bias_of_z_learns_longer_gaps() -> None:
    """With b_z = 0 a GRU learns gaps of 20 steps but not of 50. A smaller b_z reaches further; chrono learns all."""
    solved: dict[tuple[str, float | None, int], int] = defaultdict(int)
    stored = [row for row in experiments.result("gap") if (row["rate"], row["units"]) == (0.01, 16)]
    for row in stored:
        key = ("chrono" if row["first"] == "chrono" else row["cell"], row["biases"].get("z"), row["T"] - 1)
        solved[key] += row["good_at"] is not None
    bias_0, bias_1, bias_2 = ([solved["gru", b, gap] for gap in experiments.GAPS] for b in (0.0, -1.0, -2.0))
    assert bias_0[0] >= 3
    assert bias_0[1:] == [0, 0]
    assert bias_1[0] == 5
    assert bias_2[:2] == [5, 5]
    assert bias_0[1] < bias_1[1] < bias_2[1]
    assert bias_1[2] < bias_2[2]
    assert [solved["chrono", None, gap] for gap in experiments.GAPS] == [5, 5, 5]
    chrono = [row["good_at"] for row in stored if row["first"] == "chrono"]
    assert max(chrono) <= 165
    runs = [row for row in stored if row["T"] == 101 and "z" in row["biases"]]
    before = {row["biases"]["z"]: row["gradient"][0] for row in runs}
    assert before[0.0] < 1e-18 < before[-1.0] < before[-2.0]


def test_the_learning_rate_and_the_size_decide_as_much_as_the_bias() -> None:
    """An independent program in PyTorch counted 0, 2 and 5 of 5 seeds with b_z = 0 at the rates 0.01, 0.02 and 0.03."""

    def seeds(kind: str, rate: float, units: int = 16) -> int:
        entry = experiments.solved(kind, 50, rate, units)
        assert entry is not None
        assert entry.seeds == 5
        assert (entry.steps is None) == (entry.solved < 3)
        return entry.solved

    assert [seeds("GRU, b_z = 0", rate) for rate in (0.01, 0.02, 0.03)] == pytest.approx([0, 2, 5], abs=1)
    assert seeds("RNN", 0.003) < seeds("RNN", 0.02) == 5
    assert all(seeds("GRU, b_z = −2", rate) == 5 for rate in (0.003, 0.01, 0.02, 0.03))
    for kind in ("GRU, b_z = 0", "RNN"):
        by_size = [seeds(kind, experiments.SIZES_RATE, units) for units in experiments.GAP_SIZES]
        assert by_size == sorted(by_size)
        assert by_size[-1] - by_size[0] > 1  # more than a tie
    assert experiments.solved("GRU, b_z = 0", 50, 0.04, 16) is None
    places = [(50, rate, 16) for rate in experiments.GAP_RATES] + [(gap, 0.01, 16) for gap in experiments.GAPS]
    places += [(50, experiments.SIZES_RATE, units) for units in experiments.GAP_SIZES]
    kinds = {experiments.kind_of_row(row) for row in experiments.result("gap")}
    assert len(kinds) == 6
    assert all(experiments.solved(kind, *place) for kind in kinds for place in places)
    assert len(experiments.result("gap")) == 5 * 6 * len(set(places))


def test_a_table_has_a_row_of_single_values_for_each_training() -> None:
    for name in (*experiments.GRIDS, "sequence"):
        table = experiments.table(name)
        assert len(table) == (len(experiments.recipes(name)) if name in experiments.GRIDS else len(sequence.LENGTHS))
        assert not any(isinstance(value, (list, dict)) for row in table for value in row.values())
    assert experiments.table("gap")[10]["b_z"] == 0


def test_no_cell_is_fastest_on_every_task_and_small_states_recall_less() -> None:
    steps: dict[tuple[str, str], float] = {}
    for key, rows in groupby(experiments.result("race"), itemgetter("task", "cell")):
        steps[key] = median([row["good_at"] or 9e9 for row in rows])
    assert steps["parity", "lstm"] < steps["parity", "gru"] < steps["parity", "rnn"]
    assert steps["brackets", "gru"] < steps["brackets", "lstm"]
    assert steps["adding", "gru"] <= steps["adding", "lstm"] < steps["adding", "rnn"]
    score = {(row["units"], row["T"] // 2): row["score"] for row in experiments.result("bottleneck")}
    assert score[8, 1] == 1
    assert score[8, 8] == pytest.approx(0.66, abs=0.05)
    assert score[32, 8] >= 0.98


def test_attention_satisfies_its_equation_and_recalls_every_item() -> None:
    rng = np.random.default_rng(1)
    head = Attention(*(rng.normal(size=(3, d)) for d in (4, 4, 2)))
    x = rng.normal(size=(6, 3))
    q, k, v = x @ head.W_q, x @ head.W_k, x @ head.W_v
    for t in range(6):
        weights = np.exp(q[t] @ k[: t + 1].T / 2)
        np.testing.assert_allclose(head(x)[t], weights @ v[: t + 1] / weights.sum(), rtol=1e-12)
    for n in (1, 5, 8):
        head, places = recalling(n, 4)
        batch = EXPERIMENT_TASKS["recall"].draw(rng, 2 * n, 50)
        y = head(np.concatenate([batch.x, np.broadcast_to(places[:, None], (2 * n, 50, 2 * n))], -1))
        assert (y.argmax(-1) == batch.target)[batch.scored].all()


def test_a_scan_equals_the_run_in_log2_of_t_passes() -> None:
    rng = np.random.default_rng(3)
    for T in (1, 2, 3, 8, 37, 64):
        cell = MinGRU(rng.normal(size=(10, 2)), np.zeros((0, 5)), rng.normal(size=10))
        x = rng.normal(size=(T, 4, 2))
        np.testing.assert_allclose(cell.scan(x), cell.forward(x).h, atol=1e-14)
        assert passes(T) == int(np.ceil(np.log2(T)))
    assert sequence.counts(512)["scan"][0] == 9


def test_parity_is_learned_by_the_gru_but_not_by_the_minimal_gru() -> None:
    result = experiments.result("sequence")
    assert all(accuracy < 0.75 for course in result["parity"] for _, accuracy in course)
    gru = [row["score"] for row in experiments.result("race") if (row["task"], row["cell"]) == ("parity", "gru")]
    assert min(gru) >= 0.99
    assert sequence.parity(2) == [tuple(point) for point in result["parity"][2]]
    recipes = [sequence.parity_recipe(0), replace(experiments.BASES["parity"], biases=experiments.EQUAL["gru"])]
    minimal, gru_recipe = (recipe.to_dict() for recipe in recipes)
    assert {key for key in minimal if minimal[key] != gru_recipe[key]} == {"cell", "schedule"}
    assert list(result["timing"]) == [str(T) for T in sequence.LENGTHS]
