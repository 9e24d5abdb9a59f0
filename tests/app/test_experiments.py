"""The experiment routes: comparisons of trainings that visitors ran, and tests of counting."""

from __future__ import annotations

from itertools import pairwise
from statistics import median

import pytest
from fastapi.testclient import TestClient

from gru_core import experiments
from gru_core.experiments import race, sequence


def test_the_race_is_compared_as_the_stored_result_is(client: TestClient) -> None:
    steps = {cell: [row["good_at"] for row in race.rows("echo", cell)] for cell in experiments.EQUAL}
    response = client.post("/api/experiments/race", json={"task": "echo", "steps": steps})
    body = response.json()
    assert body["ahead"] == race.ahead(race.measures("echo"), "echo")
    for cell, by_seed in steps.items():
        assert body["cells"][cell]["median"] == f"{median(by_seed):,g}"
        curve = body["cells"][cell]["curve"]
        assert (curve[0], curve[-1][1]) == ([0, 0], 1)
        assert all(before <= after for (_, before), (_, after) in pairwise(curve))


def test_few_seeds_tie_and_seeds_without_success_are_slowest(client: TestClient) -> None:
    def ahead(**steps: list[int | None]) -> list[str]:
        body = client.post("/api/experiments/race", json={"task": "parity", "steps": steps}).json()
        return list(body["ahead"])

    assert ahead(rnn=[500, 900], gru=[100, 110]) == ["gru", "rnn"]
    assert ahead(rnn=[None] * 6, gru=[100] * 6) == ["gru"]
    assert ahead(rnn=[500] * 6, gru=[100] * 6) == ["gru"]
    assert ahead(rnn=[None] * 6, gru=[None] * 6) == ["rnn", "gru"]


@pytest.mark.parametrize(
    "body",
    [
        {"task": "parity"},
        {"task": "parity", "steps": {"gru": []}},
        {"task": "parity", "steps": {"gru": [0]}},
        {"task": "parity", "steps": {"mingru": [5]}},
        {"task": "parity", "counted": {"gru": [[1] * race.FURTHEST]}},
        {"task": "counting", "counted": {"gru": [[1, 0]]}},
        {"task": "counting", "steps": {"gru": [5]}},
        {"task": "flip-flop", "steps": {"gru": [5]}},
    ],
)
def test_results_that_do_not_fit_the_task_are_refused(client: TestClient, body: dict[str, object]) -> None:
    response = client.post("/api/experiments/race", json=body)
    assert (response.status_code, response.json()["error"]["code"]) == (422, "request")


def test_counting_is_tested_for_a_checkpoint(client: TestClient) -> None:
    id = client.post("/api/trainings", json={"task": "counting", "most": 2}).json()["id"]
    with client.stream("GET", f"/api/trainings/{id}/events") as stream:
        assert "event: end" in "".join(stream.iter_text())
    counted = client.get("/api/experiments/counting", params={"model": f"{id}@2"}).json()["counted"]
    assert len(counted) == race.FURTHEST
    assert set(counted) <= {0, 1}
    body = {"task": "counting", "counted": {"gru": [counted], "lstm": [[1] * race.FURTHEST]}}
    outcome = client.post("/api/experiments/race", json=body).json()
    assert outcome["cells"]["lstm"]["median"] == "100%"
    assert client.get("/api/experiments/counting", params={"model": "flip-flop"}).status_code == 422


def test_times_say_whether_attention_is_slower(client: TestClient) -> None:
    body = client.get("/api/experiments/sequence", params={"T": 16, "B": 32}).json()
    assert body["seconds"].keys() == sequence.KINDS.keys()
    assert body["comparison"] == sequence.attention_against_gru(body["seconds"])
