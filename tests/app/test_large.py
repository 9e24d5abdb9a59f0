"""Runs that are too large to send exactly: all units in float32, one unit exactly, and only the likeliest outputs."""

from __future__ import annotations

import base64
import csv
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from app.runs import run as runs_run
from app.runs.events import events as events_of
from app.runs.limits import BLOCK, LIKELIEST
from app.schemas import Scenario
from app.settings import LOCAL, Settings
from gru_core import Model, Readout
from gru_core.encoders.symbols import Embedded
from tests.support.clients import client_of
from tests.support.events import numbers, read_events
from tests.support.networks import deep, random_gru

STREAM = {"accept": "text/event-stream"}
TEXT = "the film was not good . the film was good ."
SIGNALS = ("r", "z", "h_tilde", "h")


def singles(base64_text: str) -> np.ndarray:
    """Decode a base64 string into a float32 array."""
    return np.frombuffer(base64.b64decode(base64_text), "<f4")


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_run, "MOST_EXACT", 10)


def stream(client: TestClient, **scenario: Any) -> list[tuple[str, Any]]:
    response = client.post("/api/trace", json={"model": "sentiment", "sequence": TEXT} | scenario, headers=STREAM)
    assert response.status_code == 200
    return read_events(response.text)


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize("clamped", [False, True])
def test_a_large_run_has_its_signals_as_float32_and_one_unit_exactly(client: TestClient, clamped: bool) -> None:
    clamps = [{"gate": "z", "units": [3], "from": 2, "to": 5, "value": 0.25}] if clamped else []
    start, *steps, done = [
        data for _, data in stream(client, brief=True, equations={"layer": 1, "unit": 3}, clamps=clamps)
    ]
    assert start["exact"] == {"layer": 1, "unit": 3}
    whole = client.post("/api/trace", json={"model": "sentiment", "sequence": TEXT, "clamps": clamps}).json()
    of_layer = whole["layers"][0]
    assert done["last"] == [of_layer["h"][-1]]
    for signal in [*SIGNALS, *(["delta.z", "delta.h"] if clamped else [])]:
        sent = [singles(step["layers"][0][signal]) for step in steps]
        np.testing.assert_array_equal(sent, np.array(of_layer[signal], np.float32))
    shape = np.shape(of_layer["h"])
    assert steps[0]["unit"].keys() == {name for name, value in of_layer.items() if np.shape(value) == shape}
    for name in steps[0]["unit"]:
        sent = [numbers(step["unit"][name])[0] for step in steps]
        np.testing.assert_array_equal(sent, np.array(of_layer[name])[:, 2])
    np.testing.assert_array_equal([numbers(step["y"]) for step in steps], whole["y"]["values"])
    assert [step["equations"] for step in steps] == client.post(
        "/api/trace",
        json={"model": "sentiment", "sequence": TEXT, "clamps": clamps, "equations": {"layer": 1, "unit": 3}},
    ).json()["equations"]


@pytest.mark.usefixtures("everything_is_large")
def test_a_client_that_does_not_ask_for_a_brief_run_gets_every_value(client: TestClient) -> None:
    start, step, *_, done = [data for _, data in stream(client)]
    assert "exact" not in start
    assert done["last"] is None
    np.testing.assert_array_equal(numbers(step["layers"][0]["h"]), gru.trace(gru.load("sentiment"), TEXT).h[0])


def test_the_rows_of_a_unit_are_all_its_values(client: TestClient) -> None:
    scenario = {"model": "sentiment", "sequence": TEXT}
    whole = client.post("/api/trace", json=scenario).json()["layers"][0]
    answer = client.post("/api/rows", json=scenario | {"layer": 1, "unit": 5}).json()
    assert (answer["from"], answer["to"]) == (1, len(TEXT.split()))
    for name, row in answer["rows"].items():
        np.testing.assert_array_equal(numbers(row), np.array(whole[name])[:, 4])
    assert client.post("/api/rows", json=scenario | {"layer": 1, "unit": 9}).json()["error"]["where"] == "unit"


@pytest.mark.usefixtures("everything_is_large")
def test_the_page_of_a_large_run_has_only_its_start_and_files_have_all_of_it(client: TestClient) -> None:
    query = {"model": "sentiment", "sequence": TEXT}
    page = client.get("/", params=query).text
    assert "event: start" in page
    assert "event: step" not in page
    trace, whole = gru.trace(gru.load("sentiment"), TEXT), query | {"content": "all"}
    np.testing.assert_array_equal(
        client.get("/api/export/trace.json", params=whole).json()["layers"][0]["z"], trace.layers[0].z
    )
    head, *lines = client.get("/api/export/trace.csv", params=whole).text.splitlines()
    place = head.split(",").index("h.8")
    np.testing.assert_array_equal([float(line.split(",")[place]) for line in lines], trace.h[:, 7])


@pytest.mark.usefixtures("everything_is_large")
def test_the_page_of_a_large_run_has_no_blank_cells_for_all_units_and_timesteps(tmp_path: Path) -> None:
    deep(layers=1, units=300).save(tmp_path / "wide.safetensors")
    with client_of(tmp_path) as client:
        page = client.get("/", params={"model": "wide", "sequence": "a b c d e f g h"}).text
    values = re.findall(r'class="cells values"[^>]*>(.*?)</div>', page, re.S)
    assert len(values) == 4
    assert not any("span" in cells for cells in values)


VOCABULARY = 100_000


@pytest.fixture(scope="module")
def words() -> Model:
    """Return a model that reads and writes 100,000 words."""
    rng, names = np.random.default_rng(0), tuple(f"w{i}" for i in range(VOCABULARY))
    encoder = Embedded(names, rng.normal(size=(VOCABULARY, 4)).astype(np.float32))
    readout = Readout("softmax", rng.normal(size=(VOCABULARY, 6)), np.zeros(VOCABULARY), names)
    model = deep(layers=1, units=6)
    return replace(model, encoder=encoder, layers=(random_gru(rng, 4, 6, "after"),), readout=readout)


@pytest.fixture(scope="module")
def words_client(words: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("words")
    replace(words, card=replace(words.card, examples=("w1 w2",))).save(folder / "words.safetensors")
    with client_of(folder) as client:
        yield client


def test_of_100000_outputs_each_timestep_has_the_likeliest(words: Model, words_client: TestClient) -> None:
    text = "w7 w99999 w12345"
    y = gru.trace(words, text).y
    start, *steps, _ = [data for _, data in stream(words_client, model="words", sequence=text)]
    assert start["y"] == {"kind": "softmax", "labels": [], "sent": LIKELIEST, "total": VOCABULARY}
    for t, step in enumerate(steps):
        best = np.argsort(-y[t], kind="stable")[:LIKELIEST]
        np.testing.assert_allclose(numbers(step["y"]), y[t, best])
        assert step["labels"] == [f"w{place}" for place in best]
    columns = words_client.get("/api/export/trace.csv", params={"model": "words", "sequence": text}).text.split("\n")[0]
    assert f"y.w{y[2].argmax()}" in columns.split(",")
    assert columns.count(",y.") <= 3 * LIKELIEST
    sensitivity = {"model": "words", "sequence": text, "layer": 1, "unit": 1, "t": 3}
    assert words_client.post("/api/sensitivity", json=sensitivity).json()["output"] == y[2].argmax() + 1


@pytest.mark.parametrize("total", [1_024, 1_025])
def test_of_more_than_1024_outputs_the_likeliest_are_sent_for_both_runs(
    words: Model, total: int, tmp_path: Path
) -> None:
    rng, names = np.random.default_rng(1), tuple(f"w{i}" for i in range(total))
    V, c = 3 * rng.normal(size=(total, 6)), rng.normal(size=total)
    encoder = Embedded(names, rng.normal(size=(total, 4)).astype(np.float32))
    replace(words, encoder=encoder, readout=Readout("softmax", V, c, names)).save(tmp_path / "words.safetensors")
    scenario = {"model": "words", "sequence": "w7 w999 w1023 w0"}
    clamps = [{"gate": "z", "units": None, "from": 2, "to": 2, "value": 1.0}]
    with client_of(tmp_path) as client:
        whole = client.post("/api/trace", json=scenario | {"clamps": clamps}).json()
        start, *steps, _ = [data for _, data in stream(client, **scenario, clamps=clamps)]
    for prefix in ("", "twin."):
        for t, h in enumerate(np.array(whole["layers"][-1][f"{prefix}h"])):
            scores = np.exp(V @ h + c)
            p, sent = scores / scores.sum(), numbers(steps[t][f"{prefix}y"])
            if total <= 1_024:
                assert start["y"]["labels"] == list(names)
                np.testing.assert_allclose(sent, p)
            else:
                best = np.argsort(-p, kind="stable")[:LIKELIEST]
                np.testing.assert_allclose(sent, p[best])
                assert steps[t][f"{prefix}labels"] == [names[k] for k in best]
                assert start["y"]["total"] == total


def test_the_words_of_a_large_vocabulary_are_looked_up_and_never_one_hot(words: Model) -> None:
    x = words.encoder.encode(words.encoder.tokens("w7 w99999"))
    assert x.shape == (2, 4)
    assert isinstance(words.encoder, Embedded)
    np.testing.assert_array_equal(x[1], words.encoder.table[99_999])


def test_the_page_of_a_model_with_100000_words_opens_and_stays_small(words_client: TestClient) -> None:
    response = words_client.get("/", params={"model": "words", "sequence": "w7 w99999"})
    assert response.status_code == 200
    assert len(response.content) < 500_000


def test_a_large_run_comes_in_blocks_that_are_neither_tiny_nor_slow(tmp_path: Path) -> None:
    model = deep(layers=2, units=512).astype(np.float32)
    model.save(tmp_path / "wide.safetensors")
    scenario = Scenario(model="wide", sequence="a b c d e f g h " * 25)
    start, blocks = runs_run.prepare(scenario, Settings(models=str(tmp_path)), BLOCK, brief=True)
    pieces = list(events_of(start, blocks))
    assert 2 <= len(pieces) <= 10
    assert sum(map(len, pieces)) < 6e6


def test_products_use_one_thread_unless_the_environment_says_otherwise() -> None:
    code = "import app, os; print(os.environ['OPENBLAS_NUM_THREADS'])"
    without = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    chosen: dict[str, str]
    for chosen, expected in (({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")):
        command = [sys.executable, "-c", code]
        run = subprocess.run(command, capture_output=True, text=True, env=without | chosen, check=True)
        assert run.stdout.strip() == expected


def test_a_persons_own_machine_has_larger_limits_and_settings_come_first() -> None:
    own = Settings.from_environment({"GRUSCOPE_MAX_CELLS": "5"}, local=True)
    assert own.max_units == LOCAL["max_units"] > Settings.from_environment({}).max_units
    assert own.max_cells == 5


def test_files_of_a_large_run_say_their_size_first_and_stay_small(tmp_path: Path) -> None:
    model = deep(layers=2, units=512).astype(np.float32)
    model.save(tmp_path / "wide.safetensors")
    letters = np.random.default_rng(0).choice(list("abcdefgh"), 200)
    query = {"model": "wide", "sequence": " ".join(letters)}
    with client_of(tmp_path) as client:
        sizes = client.get("/api/export/sizes", params=query).json()
        run = gru.trace(model, str(query["sequence"]))
        files = {}
        for name in sizes:
            for content in ("all", "signals"):
                file = client.get(f"/api/export/{name}", params=query | {"content": content}).content
                assert len(file) == pytest.approx(sizes[name][content], rel=0.1)
            files[name] = client.get(f"/api/export/{name}", params=query).content
            assert len(files[name]) < 10e6
    signals = np.load(io.BytesIO(files["trace.npz"]))
    assert signals["layers.1.h"].dtype == np.float32
    np.testing.assert_array_equal(signals["layers.1.h"], run.h)
    assert "layers.1.h_prev" not in signals
    layer = orjson.loads(files["trace.json"])["layers"][1]
    np.testing.assert_array_equal(np.array(layer["h"], np.float32), run.h)
    assert "h_prev" not in layer
    lines = list(csv.DictReader(io.StringIO(files["trace.csv"].decode())))
    z = [[line[f"L2.z.{unit}"] for unit in range(1, 513)] for line in lines]
    np.testing.assert_array_equal(np.array(z, np.float32), run.layers[1].z)
