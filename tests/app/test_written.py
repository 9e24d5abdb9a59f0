"""Runs in which a network reads its own outputs as inputs. All features of a run also work on such a run."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from app.cli import main
from app.link import read_link
from app.rooms.views import View, validate_view
from app.schemas import ClampBody, Scenario, WeightBody, WriteBody
from app.settings import Settings
from gru_core.training.tasks import regressions_of

WRITER = gru.load("name-writer")
WRITE = {"steps": 12, "temperature": 0.8, "seed": 3}
SCENARIO = {"model": "name-writer", "sequence": "irish mu", "write": WRITE}
CLAMP = {"gate": "z", "units": None, "from": 3, "to": 5, "value": 0.2}
WEIGHT = {"gate": "h_tilde", "unit": 2, "part": "b", "value": 3.0}
YEARS = "9.6 33 92.6 151.6 136.3 134.7 83.9 69.4 31.5 13.9"


def by_python(prompt: str = "irish mu", model: gru.Model = WRITER, **options: Any) -> gru.Writing:
    return gru.write(model, prompt, 12, 0.8, np.random.default_rng(3), **options)


def read(body: dict[str, Any], tokens: str = "tokens") -> list[str]:
    """Return the tokens that the network read in a run: all tokens before the end sign "."."""
    named: list[str] = [token for token in body[tokens] if token]
    return named[: named.index(".")] if "." in named else named


def test_a_seed_gives_the_text_of_python_and_the_run_over_it(client: TestClient) -> None:
    body, wanted = client.post("/api/trace", json=SCENARIO).json(), by_python()
    assert read(body) == wanted.trace.tokens
    T, length = len(body["tokens"]), len(wanted.trace.tokens or ())
    assert (body["given"], body["T"], T) == (3, 15, 15)
    assert body["mask"] == [t < length for t in range(T)]
    np.testing.assert_allclose(body["y"]["values"][:length], gru.trace(WRITER, wanted.text).y, atol=1e-12)
    h = np.array(body["layers"][0]["h"])
    assert (h[length:] == h[length - 1]).all()  # after the end sign the state does not change


def test_a_clamp_changed_weights_and_a_second_sequence_each_write_a_text_of_their_own(client: TestClient) -> None:
    clamps = [ClampBody.model_validate(CLAMP).clamp()]
    edited = WRITER.edited([WeightBody.model_validate(WEIGHT).edit()])
    cases: list[tuple[dict[str, Any], gru.Writing, gru.Writing]] = [
        ({"clamps": [CLAMP]}, by_python(clamps=clamps), by_python()),
        ({"weights": [WEIGHT]}, by_python(model=edited), by_python()),
        ({"against": "dutch vi"}, by_python(), by_python("dutch vi")),
        ({"against": "dutch vi", "clamps": [CLAMP]}, by_python(clamps=clamps), by_python("dutch vi", clamps=clamps)),
        ({"h0": [[0.5] * 32]}, by_python(h0=[[0.5] * 32]), by_python(h0=[[0.5] * 32])),
    ]
    for changes, wanted, other in cases:
        body = client.post("/api/trace", json=SCENARIO | changes).json()
        assert read(body) == wanted.trace.tokens
        if body["others"] is not None:
            assert read(body, "others") == other.trace.tokens
            length = len(other.trace.y)
            h = np.array(body["layers"][0]["twin.h"])
            np.testing.assert_allclose(h[:length], other.trace.h, atol=1e-12)
            assert (h[length:] == h[length - 1]).all()
    assert by_python(clamps=clamps).text != by_python().text


@pytest.mark.parametrize(
    ("route", "question"),
    [("ledger", {"from": 1, "to": 6}), ("sensitivity", {"t": 6, "output": 1}), ("sums", {"from": 3, "to": 6}),
     ("equations", {"from": 3, "to": 6})],
)  # fmt: skip
def test_questions_about_a_written_run_are_answered_as_for_its_text(
    client: TestClient, route: str, question: dict[str, Any]
) -> None:
    question |= {"layer": 1, "unit": 4}
    answer = client.post(f"/api/{route}", json=SCENARIO | question).json()
    plain = SCENARIO | {"sequence": by_python().text, "write": None}
    wanted = client.post(f"/api/{route}", json=plain | question).json()
    if route == "ledger":
        answer["shares"] = [row[: len(wanted["shares"][0])] for row in answer["shares"]]
    assert answer == wanted


def test_a_link_names_the_same_run_in_every_export(
    client: TestClient, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    keys = {"model": "name-writer", "sequence": "irish mu", "write": "12", "temperature": "0.8", "seed": "3"}
    arrays = np.load(io.BytesIO(client.get("/api/export/trace.npz", params=keys).content))
    assert [token for token in arrays["tokens"] if token][:-1] == by_python().trace.tokens
    assert client.get("/api/export/page.html", params=keys).status_code == 200
    assert main(["export", *(f"--{key}={value}" for key, value in keys.items()), "--json", "-"]) == 0
    assert read(json.loads(capsysbinary.readouterr().out)) == by_python().trace.tokens


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"write": "0"}, "write"),
        ({"write": "101"}, "write"),
        ({"write": "x"}, "write"),
        ({"temperature": "10.5"}, "temperature"),
        ({"temperature": "-1"}, "temperature"),
        ({"seed": "-1"}, "seed"),
        ({"seed": str(2**32)}, "seed"),
        ({"model": "names", "sequence": "murphy"}, "write"),
        ({"clamps": "z@20=0"}, "clamps"),
    ],
)
def test_a_wrong_key_is_named(client: TestClient, changes: dict[str, str], where: str) -> None:
    keys = {"model": "name-writer", "sequence": "irish", "write": "5"} | changes
    refused = client.get("/api/export/trace.csv", params=keys)
    assert (refused.status_code, refused.json()["error"]["where"]) == (422, where)


def test_a_run_does_not_get_longer_than_the_server_allows(client: TestClient) -> None:
    most = Settings().max_steps
    body = client.post("/api/trace", json=SCENARIO | {"sequence": "irish " + "a" * (most - 5)})
    assert (body.status_code, body.json()["error"]["where"]) == (422, "write.steps")


def test_a_forecast_reads_itself_and_each_baseline_reads_its_own(client: TestClient) -> None:
    body = client.post("/api/trace", json={"model": "sunspots", "sequence": YEARS, "write": {"steps": 6}}).json()
    wanted = gru.forecast(gru.load("sunspots"), YEARS, 6)
    assert body["tokens"] == wanted.text.split()
    regression = regressions_of(gru.load("sunspots"))["linear autoregression of order 9"]
    numbers = [float(token) / 100 for token in YEARS.split()]
    for _ in range(7):
        numbers.append(float(np.dot(numbers[-9:], regression[:-1]) + regression[-1]))
    in_unit = 100 * np.array(numbers[10:])
    np.testing.assert_allclose(body["baselines"]["linear autoregression of order 9"][9:], in_unit, rtol=1e-12)
    np.testing.assert_allclose(body["baselines"]["last value"][9:], [13.9] * 7)


def test_a_room_does_not_send_what_is_written_after_its_timestep() -> None:
    link = "?model=name-writer&sequence=irish+m+u&write=12&seed=3"
    for upto, sequence, steps in ((2, "irish m u", None), (3, "irish m u", None), (5, "irish m u", 2)):
        shown = validate_view(View(page="", link=link, upto=upto), Settings())
        cut = read_link(dict(pair.split("=") for pair in shown.link[1:].split("&")))
        assert (cut.sequence or "").replace("+", " ") == sequence
        assert (cut.write and cut.write.steps) == steps
    scenario = Scenario(model="name-writer", sequence="irish m u", write=WriteBody(steps=12))
    assert scenario.until(3).write is None
    assert (scenario.until(5).write or WriteBody(steps=1)).steps == 2
