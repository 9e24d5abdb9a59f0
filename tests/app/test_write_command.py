"""gruscope write: the same text as `gru.write` for the same seed, and its errors."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from app.cli import main
from app.runs.census import held_out_data


def test_it_prints_the_text_that_python_writes_with_the_same_seed(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["write", "name-writer", "finnish vi", "--steps", "12", "--temperature", "0.8", "--seed", "3"]
    assert main(arguments) == 0
    wanted = gru.write(gru.load("name-writer"), "finnish vi", 12, 0.8, np.random.default_rng(3))
    assert capsys.readouterr().out == f"{wanted.text}\n"
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tokens"] == wanted.trace.tokens


@pytest.mark.parametrize(
    "arguments",
    [["names", "rossi"], ["name-writer", "irish 7"], ["nowhere", "a"], ["name-writer", "irish", "--temperature", "11"]],
)
def test_errors_go_to_standard_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["write", *arguments]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)


def test_the_server_writes_the_same_text(client: TestClient) -> None:
    query = {"prompt": "finnish vi", "steps": 12, "temperature": 0.8, "seed": 3}
    wanted = gru.write(gru.load("name-writer"), "finnish vi", 12, 0.8, np.random.default_rng(3))
    response = client.get("/api/models/name-writer/write", params=query)
    assert response.json() == {"sequence": wanted.text, "given": wanted.given, "ended": wanted.ended}
    for change, status, where in (
        ({"temperature": 11}, 422, "temperature"),
        ({"steps": 101}, 422, "steps"),
        ({"prompt": "finnish 7"}, 422, "sequence.2"),
    ):
        refused = client.get("/api/models/name-writer/write", params=query | change)
        assert (refused.status_code, refused.json()["error"]["where"]) == (status, where)
    assert client.get("/api/models/names/write", params=query).status_code == 404


@pytest.mark.parametrize("name", ["names", "name-writer"])
def test_a_census_counts_the_letters_of_the_held_out_names(name: str) -> None:
    data = held_out_data(gru.load(name), 300)
    census = gru.census(gru.load(name), data.sequences, data.labels, tuple(gru.load(name).readout.labels[:2]))
    assert census.steps == sum(len(gru.load(name).encoder.tokens(text)) for text in data.sequences)
