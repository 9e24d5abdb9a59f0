"""The laboratories: their tasks by definition, a corner of each result made again, and what the claims say of them."""

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


def test_each_task_answers_as_it_is_defined() -> None:
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


def test_recall_of_any_text_asks_only_for_items_that_were_there() -> None:
    task = EXPERIMENT_TASKS["recall"]
    x = task.encoder.encode(task.encoder.tokens("a c ? d ? ? ?"))
    target, scored = task.answers(x)
    assert scored.tolist() == [False, False, True, False, True, True, False]
    assert ["abcd"[target[t]] for t in (2, 4, 5)] == ["a", "c", "d"]


CORNERS = {"gap": (15, 25), "bottleneck": (0, 8, 16), "race": (30, 45, 80)}


@pytest.mark.parametrize("name", experiments.GRIDS)
def test_a_corner_of_each_result_is_made_again(name: str) -> None:
    recipes, rows = experiments.recipes(name), experiments.result(name)
    assert len(recipes) == len(rows)
    for recipe, row in zip(recipes, rows, strict=True):
        assert (row["task"], row["cell"], row["units"], row["seed"]) == (
            recipe.task, recipe.cell, recipe.units, recipe.seed,
        )  # fmt: skip
    for at in CORNERS[name]:
        again = experiment_row(recipes[at].to_dict(), lambda message: None)
        assert (again["steps"], again["good_at"]) == (rows[at]["steps"], rows[at]["good_at"])
        assert again["score"] == pytest.approx(rows[at]["score"], rel=1e-3)


def test_what_was_measured_of_gaps_comes_out() -> None:
    """A fresh GRU solves 20 steps and not 50; the nearer z begins to 0 the further; chrono everywhere, and soon."""
    solved: dict[tuple[str, float | None, int], int] = defaultdict(int)
    for row in experiments.result("gap"):
        key = ("chrono" if row["first"] == "chrono" else row["cell"], row["biases"].get("z"), row["T"] - 1)
        solved[key] += row["good_at"] is not None
    fresh, less, least = ([solved["gru", b, gap] for gap in experiments.GAPS] for b in (0.0, -1.0, -2.0))
    assert fresh[0] >= 3
    assert fresh[1:] == [0, 0]
    assert less[0] == 5
    assert least[:2] == [5, 5]
    assert fresh[1] < less[1] < least[1]
    assert less[2] < least[2]
    assert [solved["chrono", None, gap] for gap in experiments.GAPS] == [5, 5, 5]
    chrono = [row["good_at"] for row in experiments.result("gap") if row["first"] == "chrono"]
    assert max(chrono) <= 165
    begun = [row for row in experiments.result("gap") if row["T"] == 101 and "z" in row["biases"]]
    lags = {row["biases"]["z"]: row["lags"][0][-1] for row in begun}
    assert lags[0.0] < 1e-18 < lags[-1.0] < lags[-2.0]


def test_no_cell_wins_every_race_and_a_state_is_a_bottleneck() -> None:
    found: dict[tuple[str, str], float] = {}
    for key, rows in groupby(experiments.result("race"), itemgetter("task", "cell")):
        found[key] = median([row["good_at"] or 9e9 for row in rows])
    assert found["parity", "lstm"] < found["parity", "gru"] < found["parity", "rnn"]
    assert found["brackets", "gru"] < found["brackets", "lstm"]
    assert found["adding", "gru"] <= found["adding", "lstm"] < found["adding", "rnn"]
    score = {(row["units"], row["T"] // 2): row["score"] for row in experiments.result("bottleneck")}
    assert score[8, 1] == 1
    assert score[8, 8] == pytest.approx(0.66, abs=0.05)
    assert score[32, 8] >= 0.98


def test_attention_is_its_equation_and_keeps_every_item() -> None:
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


def test_a_scan_is_the_run_in_log_2_t_passes() -> None:
    rng = np.random.default_rng(3)
    for T in (1, 2, 3, 8, 37, 64):
        cell = MinGRU(rng.normal(size=(10, 2)), np.zeros((0, 5)), rng.normal(size=10))
        x = rng.normal(size=(T, 4, 2))
        np.testing.assert_allclose(cell.scan(x), cell.forward(x).h, atol=1e-14)
        assert passes(T) == int(np.ceil(np.log2(T)))
    assert sequence.counts(512)["scan"][0] == 9


def test_parity_is_learned_by_the_gru_and_not_by_the_scan() -> None:
    found = experiments.result("sequence")
    assert all(accuracy < 0.75 for course in found["parity"] for _, accuracy in course)
    gru = [row["score"] for row in experiments.result("race") if (row["task"], row["cell"]) == ("parity", "gru")]
    assert min(gru) >= 0.99
    assert sequence.parity(2) == [tuple(point) for point in found["parity"][2]]
    recipes = [sequence.parity_recipe(0), replace(experiments.BASES["parity"], biases=experiments.EQUAL["gru"])]
    minimal, other = (recipe.to_dict() for recipe in recipes)
    assert {key for key in minimal if minimal[key] != other[key]} == {"cell", "schedule"}
    assert list(found["timing"]) == [str(T) for T in sequence.LENGTHS]
