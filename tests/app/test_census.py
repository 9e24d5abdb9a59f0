"""POST /api/census: equal to the core, over held-out sequences and over a text of the visitor; errors name the line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from app.runs import census as runs_census
from tests.support.clients import client_of
from tests.support.networks import network_of

LINES = ["the film was not good .", "lovely", "dull . very very bad"]


def test_held_out_sequences_have_the_census_of_the_core(client: TestClient) -> None:
    answer = client.post("/api/census", json={"model": "flip-flop"}).json()
    data = runs_census.held_out_data(gru.load("flip-flop"))
    census = gru.census(gru.load("flip-flop"), data.sequences, data.labels)
    assert (answer["sequences"], answer["steps"], tuple(answer["labels"])) == (1000, census.steps, census.labels)
    (row,), (unit,) = answer["units"], census.units
    assert row["gates"]["z"] == {"mean": unit.means["z"], "closed": unit.closed["z"], "open": unit.open["z"]}
    assert (row["auc"], row["dead"], row["longest_half_life"]) == (unit.auc, unit.dead, unit.longest_half_life)
    for name, moment in unit.moments.items():
        place = row["moments"][name]
        assert (answer["texts"][place["text"]], place["t"]) == (data.sequences[moment.sequence], moment.t + 1)


@pytest.mark.parametrize("table", [False, True])
def test_a_text_has_a_sequence_in_each_line_and_labels(client: TestClient, table: bool) -> None:
    labels = ["a", "b", "a"]
    separator = "," if table else "\t"
    text = "\n\n".join(f"{line}{separator}{label}" for line, label in zip(LINES, labels, strict=True))
    answer = client.post("/api/census", json={"model": "sentiment", "text": text, "table": table}).json()
    census = gru.census(gru.load("sentiment"), LINES, labels)
    assert answer["labels"] == ["a", "b"]
    assert [row["auc"] for row in answer["units"]] == pytest.approx([unit.auc for unit in census])
    reverse = {"model": "sentiment", "text": text, "table": table, "between": ["b", "a"]}
    turned = client.post("/api/census", json=reverse).json()
    assert [row["auc"] for row in turned["units"]] == pytest.approx([1 - (unit.auc or 0) for unit in census])
    plain = client.post("/api/census", json={"model": "sentiment", "text": "\n".join(LINES)}).json()
    assert plain["labels"] is None
    assert plain["units"][0]["auc"] is None


@pytest.mark.parametrize(
    ("text", "table", "part"),
    [
        ("lovely\nthe movie\n", False, "line 2: step 2"),
        ("lovely\ta\n\nbad\n", False, "line 3"),
        ("\n \n", False, "no sequences"),
        ("sequence,label\nlovely,a b\n", True, "line 2: the sequence has 1"),
        ("lovely\ta\nbad\ta\n", False, "one label"),
        ("lovely " * 200, False, "at most 100"),
        ("a\n" * 10_001, False, "10,001 lines"),
    ],
)
def test_an_error_names_the_line(tmp_path: Path, text: str, table: bool, part: str) -> None:
    body = {"model": "sentiment", "text": text, "table": table}
    response = client_of(tmp_path, max_steps=100).post("/api/census", json=body)
    assert (response.status_code, response.json()["error"]["code"]) == (422, "census")
    assert part in response.json()["error"]["message"]


def test_the_work_of_a_census_is_limited(client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_census, "MOST_COUNTED", 8 * 20 * 10)
    assert client.post("/api/census", json={"model": "sentiment"}).json()["sequences"] == 10
    refused = client.post("/api/census", json={"model": "sentiment", "text": "lovely bad\n" * 101})
    assert refused.json()["error"]["code"] == "census"
    network_of("gru").save(tmp_path / "none.safetensors")
    with client_of(tmp_path) as own:
        assert own.post("/api/census", json={"model": "none"}).json()["error"]["code"] == "census"
        rows = own.post("/api/census", json={"model": "none", "text": "1,2,3 4,5,6\n0,0,1"}).json()["units"]
        assert [(row["layer"], row["unit"]) for row in rows] == [(k, u) for k in (1, 2) for u in (1, 2, 3, 4)]
        assert np.isfinite([row["gates"]["z"]["mean"] for row in rows]).all()


def test_numbers_in_place_of_labels_give_correlations(client: TestClient) -> None:
    ratings = [0.25, -1.0, 3.5]
    text = "\n".join(f"{line}\t{rating}" for line, rating in zip(LINES, ratings, strict=True))
    answer = client.post("/api/census", json={"model": "sentiment", "text": text}).json()
    census = gru.census(gru.load("sentiment"), LINES, targets=ratings)
    assert answer["labels"] is None
    assert [row["correlation"] for row in answer["units"]] == pytest.approx([unit.correlation for unit in census])
    (row,) = client.post("/api/census", json={"model": "pocket-calculator"}).json()["units"]
    assert abs(row["correlation"]) > 0.9
