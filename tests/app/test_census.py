"""POST /api/census: results equal the core's, for held-out sequences and a visitor's text. Errors name the line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from app.runs import census as runs_census
from tests.support.clients import client_of
from tests.support.files import npz
from tests.support.networks import network_of, random_sequences

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


@pytest.mark.parametrize("each", [False, True])
def test_arrays_in_a_file_have_lengths_and_labels(tmp_path: Path, each: bool) -> None:
    model, xs = network_of("gru"), [x.astype(np.float32) for x in random_sequences((7, 2, 5))]
    model.save(tmp_path / "none.safetensors")
    x = np.zeros((7, 3, 3), np.float32)
    for b, sequence in enumerate(xs):
        x[: len(sequence), b] = sequence
    labels = np.where(np.arange(21).reshape(7, 3) % 2, "odd", "even") if each else np.array(["even", "odd", "odd"])
    given = [labels[: len(s), b].tolist() for b, s in enumerate(xs)] if each else labels.tolist()
    file = npz(x=x, lengths=np.array([7, 2, 5]), labels=labels)
    with client_of(tmp_path) as client:
        answer = client.post("/api/census/arrays?model=none", content=file).json()
        turned = client.post("/api/census/arrays?model=none&between=odd&between=even", content=file).json()
        moment = answer["units"][-1]["moments"]["change"]
        shown = client.post("/api/trace", json={"model": "none", "sequence": answer["texts"][moment["text"]]}).json()
    census = gru.census(model, xs, given)
    assert (answer["sequences"], answer["steps"], answer["labels"]) == (3, 14, ["even", "odd"])
    assert [row["auc"] for row in answer["units"]] == pytest.approx([unit.auc for unit in census])
    assert [row["auc"] for row in turned["units"]] == pytest.approx([1 - (unit.auc or 0) for unit in census])
    # A run over the text of a moment has the same states as the run in the census.
    unit = census.units[-1]
    h = np.array(shown["layers"][-1]["h"])[:, unit.unit]
    assert moment["t"] == unit.moments["change"].t + 1
    np.testing.assert_allclose(h, census.trace(unit.moments["change"].sequence).layers[-1].h[:, unit.unit], atol=1e-6)


def test_one_hot_arrays_are_texts_of_the_alphabet(client: TestClient) -> None:
    model = gru.load("sentiment")
    tokens = [model.encoder.tokens(line) for line in LINES]
    x = np.zeros((max(map(len, tokens)), len(LINES), model.encoder.inputs))
    for b, line in enumerate(tokens):
        x[: len(line), b] = model.encoder.encode(line)
    lengths, numbers = np.array(list(map(len, tokens))), np.array([0.25, -1.0, 3.5])
    file = npz(x=x, lengths=lengths, labels=numbers)
    answer = client.post("/api/census/arrays?model=sentiment", content=file).json()
    census = gru.census(model, LINES, targets=numbers)
    assert [row["correlation"] for row in answer["units"]] == pytest.approx([unit.correlation for unit in census])
    assert set(answer["texts"].values()) <= {" ".join(line) for line in tokens}
    refused = client.post("/api/census/arrays?model=sentiment", content=npz(x=x + 0.5, lengths=lengths))
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "census")
    assert "alphabet" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    ("file", "part"),
    [
        (b"PK no zip", "zip"),
        (npz(y=np.zeros((2, 2, 3))), "x (T, B, I)"),
        (npz(x=np.zeros((2, 3))), "x (T, B, I)"),
        (npz(x=np.zeros((0, 2, 3))), "x (T, B, I)"),
        (npz(x=np.array([[["a"]]])), "x (T, B, I)"),
        (npz(x=np.zeros((2, 2, 4))), "4"),
        (npz(x=np.full((2, 2, 3), np.nan)), "sequence 1"),
        (npz(x=np.zeros((2, 2, 3)), labels=np.zeros(3)), "labels"),
        (npz(x=np.zeros((2, 2, 3)), mask=np.array([[1, 0], [1, 0]])), "sequence 2"),
        (npz(x=np.zeros((101, 1, 3))), "at most 100"),
    ],
)
def test_arrays_of_another_form_are_refused(tmp_path: Path, file: bytes, part: str) -> None:
    network_of("gru").save(tmp_path / "none.safetensors")
    with client_of(tmp_path, max_steps=100) as client:
        response = client.post("/api/census/arrays?model=none", content=file)
    assert (response.status_code, response.json()["error"]["code"]) == (422, "census")
    assert part in response.json()["error"]["message"]
