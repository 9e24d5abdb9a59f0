"""POST /api/trace: its events and its JSON equal the arrays of the core."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from app.main import create_app
from app.settings import Settings
from gru_core import Clamp, Edit
from gru_core.training.toys import TASKS
from tests.support.events import numbers, read_events
from tests.support.events import run as in_thread
from tests.support.networks import random_gru

STREAM = {"accept": "text/event-stream"}
SIGNALS = ("r", "z", "h_tilde", "h")


def long_text(T: int) -> str:
    """Return a random sequence of T words."""
    return TASKS["sentiment"].text(np.random.default_rng(0), T)


@pytest.mark.parametrize("T", [1, 20, 64, 65, 300])
def test_a_stream_has_a_start_every_timestep_and_an_end_with_the_cores_arrays(client: TestClient, T: int) -> None:
    text = long_text(T)
    response = client.post("/api/trace", json={"model": "sentiment", "sequence": text}, headers=STREAM)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-cache"
    events = read_events(response.text)
    assert [name for name, _ in events] == ["start", *["step"] * T, "done"]
    start, steps = events[0][1], [data for _, data in events[1:-1]]
    assert (start["model"], start["T"], start["tokens"]) == ("sentiment", T, text.split())
    assert [step["t"] for step in steps] == list(range(1, T + 1))
    trace = gru.trace(gru.load("sentiment"), text)
    layer, first_layer = trace.layers[0], start["layers"][0]
    for signal in SIGNALS:
        streamed = np.array([numbers(step["layers"][0][signal]) for step in steps])
        np.testing.assert_allclose(streamed, getattr(trace, signal), atol=1e-14)
    for gate in ("r", "z", "h_tilde"):
        for term, computed in (("Wx", layer.Wx), ("Uh", layer.Uh)):
            streamed = np.array([numbers(step["layers"][0][f"{term}.{gate}"]) for step in steps])
            np.testing.assert_allclose(streamed, computed[gate], atol=1e-13)
    np.testing.assert_array_equal(np.concatenate(list(first_layer["b"].values())), layer.cell.b)
    np.testing.assert_allclose([numbers(step["y"]) for step in steps], trace.y, atol=1e-14)
    np.testing.assert_array_equal([numbers(step["x"]) for step in steps], trace.model.encoder.encode(text.split()))
    assert start["x"]["labels"] == list(trace.model.encoder.alphabet)
    moved = np.abs(np.diff(trace.h, axis=0, prepend=0)).sum(0)
    assert events[-1][1] == {"T": T, "moved": [pytest.approx(moved, abs=1e-12)], "twin": None, "last": None}
    assert (start["twin"], first_layer["held"]) == (False, [])
    assert not [name for name in [*steps[0], *steps[0]["layers"][0]] if "twin" in name or "computed" in name]


def test_a_trace_as_json_equals_the_core(client: TestClient) -> None:
    scenario = {"model": "store-and-recall", "sequence": "AbcD?a?"}
    body = client.post("/api/trace", json=scenario).json()
    trace = gru.trace(gru.load("store-and-recall"), "AbcD?a?")
    for signal in SIGNALS:
        np.testing.assert_array_equal(body["layers"][0][signal], getattr(trace, signal))
    np.testing.assert_array_equal(body["y"]["values"], trace.y)
    assert body["y"]["labels"] == ["A", "B", "C", "D"]
    np.testing.assert_array_equal(body["x"]["values"], trace.layers[0].x)
    assert body["x"]["labels"] == list("abcdABCD?")
    np.testing.assert_array_equal(body["layers"][0]["moved"], trace.layers[0].moved)
    assert body["layers"][0]["cell"] == "gru"


def test_a_state_that_never_decays_has_an_infinite_half_life(client: TestClient) -> None:
    clamp = {"gate": "z", "units": [1], "from": 2, "to": 2, "value": 0.0}
    scenario = {"model": "store-and-recall", "sequence": "AbcD", "clamps": [clamp]}
    assert client.post("/api/trace", json=scenario).json()["layers"][0]["half_life"][1][0] is None
    steps = [
        data
        for name, data in read_events(client.post("/api/trace", json=scenario, headers=STREAM).text)
        if name == "step"
    ]
    assert numbers(steps[1]["layers"][0]["half_life"])[0] == np.inf


def test_a_request_may_have_clamps_counted_from_1_and_an_initial_state(client: TestClient) -> None:
    clamp = {"gate": "z", "units": [2], "from": 2, "to": 3, "value": 0.25}
    scenario = {"model": "store-and-recall", "sequence": "AbcD", "h0": [[0.5, -0.5, 0, 1]], "clamps": [clamp]}
    body = client.post("/api/trace", json=scenario).json()
    clamps = [Clamp("z", 0.25, units=[1], steps=slice(1, 3))]
    trace = gru.trace(gru.load("store-and-recall"), "AbcD", [np.array([0.5, -0.5, 0, 1])], clamps)
    np.testing.assert_allclose(body["layers"][0]["z"], trace.z, atol=1e-14)
    np.testing.assert_allclose(body["layers"][0]["h"], trace.h, atol=1e-14)
    moved = np.abs(np.diff(trace.h, axis=0, prepend=[[0.5, -0.5, 0, 1]])).sum(0)
    assert body["layers"][0]["moved"] == pytest.approx(moved)
    streamed = client.post("/api/trace", json=scenario, headers=STREAM).text
    assert read_events(streamed)[-1][1]["moved"] == [pytest.approx(moved)]
    assert [row[1] for row in body["layers"][0]["z"][1:3]] == [0.25, 0.25]


CLAMPS: list[dict[str, Any]] = [
    {"gate": "z", "units": [2, 3], "from": 70, "to": None, "value": 0.9},
    {"gate": "h_prev", "units": None, "from": 100, "to": 100, "value": 0.0},
]
WEIGHTS = [{"layer": 1, "gate": "h_tilde", "unit": 4, "part": "U", "index": 2, "value": 5.0}]
CORE_CLAMPS = [Clamp("z", 0.9, [1, 2], slice(69, None)), Clamp("h_prev", 0.0, None, slice(99, 100))]
CORE_EDITS = [Edit(0, "h_tilde", 3, "U", 1, 5.0)]


@pytest.mark.parametrize(("clamps", "weights"), [(CLAMPS, []), ([], WEIGHTS), (CLAMPS, WEIGHTS)])
def test_a_changed_run_comes_with_the_original_run_and_their_differences(
    client: TestClient, clamps: Any, weights: Any
) -> None:
    text = long_text(130)
    scenario = {"model": "sentiment", "sequence": text, "clamps": clamps, "weights": weights}
    core_clamps, edits = CORE_CLAMPS if clamps else [], CORE_EDITS if weights else []
    clamped, original = gru.twin(gru.load("sentiment"), text, clamps=core_clamps, edits=edits)
    outputs = [trace.y.argmax(1) for trace in (clamped, original)]
    differ = np.flatnonzero(outputs[0] != outputs[1])
    first = int(differ[0]) + 1 if len(differ) else None
    gaps = np.abs(clamped.h - original.h)
    t, unit = np.unravel_index(gaps.argmax(), gaps.shape)
    most = {"layer": 1, "unit": unit + 1, "t": t + 1, "gap": pytest.approx(gaps[t, unit], abs=1e-12)}

    events = read_events(client.post("/api/trace", json=scenario, headers=STREAM).text)
    body = client.post("/api/trace", json=scenario).json()
    start, steps, done = events[0][1], [data for _, data in events[1:-1]], events[-1][1]
    assert start["twin"] is True
    assert done["twin"] == body["twin"] == {"first": first, "most": most}
    if clamps:
        assert first is not None
    expected = {signal: getattr(clamped, signal) for signal in SIGNALS}
    expected |= {f"twin.{signal}": getattr(original, signal) for signal in SIGNALS}
    expected |= {f"delta.{signal}": getattr(clamped, signal) - getattr(original, signal) for signal in SIGNALS}
    expected |= {f"Uh.{gate}": array for gate, array in clamped.layers[0].Uh.items()}
    if clamps:
        expected |= {"computed.z": clamped.layers[0].computed["z"], "h_prev": clamped.layers[0].h_prev}
        expected |= {"computed.h_prev": np.concatenate([np.zeros((1, 8)), clamped.h[:-1]])}
    for layers in (start["layers"], body["layers"]):
        assert layers[0]["held"] == (["z", "h_prev"] if clamps else [])
        assert layers[0]["b"]["z"] == clamped.model.layers[0].b[8:16].tolist()
    expected |= {"half_life": np.log(0.5) / np.log(1 - clamped.z)}
    assert set(steps[0]["layers"][0]) == expected.keys() | {f"Wx.{gate}" for gate in ("r", "z", "h_tilde")}
    for name, array in expected.items():
        np.testing.assert_allclose([numbers(step["layers"][0][name]) for step in steps], array, atol=1e-12)
        np.testing.assert_allclose(body["layers"][0][name], array, atol=1e-12)
    np.testing.assert_allclose([numbers(step["twin.y"]) for step in steps], original.y, atol=1e-12)
    np.testing.assert_allclose([numbers(step["delta.y"]) for step in steps], clamped.y - original.y, atol=1e-12)
    np.testing.assert_allclose(body["twin.y"], original.y, atol=1e-12)
    np.testing.assert_allclose(body["delta.y"], clamped.y - original.y, atol=1e-12)
    np.testing.assert_allclose(body["y"]["values"], clamped.y, atol=1e-12)
    assert done["moved"][0] == pytest.approx(np.abs(clamped.h - clamped.layers[0].h_prev).sum(0))


def test_numeric_outputs_differ_if_their_gap_is_above_a_hundredth(client: TestClient) -> None:
    text = "=0.3 +0.2 0.1 0.2 =0.1 0.3"
    closed = {"gate": "z", "from": 4, "to": None, "value": 0.0}
    scenario = {"model": "pocket-calculator", "sequence": text, "clamps": [closed]}
    clamped, original = gru.twin(gru.load("pocket-calculator"), text, clamps=[Clamp("z", 0.0, steps=slice(3, None))])
    difference = np.abs(clamped.y - original.y)[:, 0]
    assert 0 < difference[3] < 0.01 < difference[4]
    assert client.post("/api/trace", json=scenario).json()["twin"]["first"] == 5
    unchanged = scenario | {
        "clamps": [closed | {"gate": "r", "from": 1, "to": 1}]
    }  # at t = 1 there is nothing to reset
    assert client.post("/api/trace", json=unchanged).json()["twin"] == {"first": None, "most": None}


def test_a_sequence_may_be_given_as_rows_of_numbers(client: TestClient) -> None:
    body = client.post("/api/trace", json={"model": "running-total", "sequence": [[0.2, 1], [0.1, 0]]}).json()
    np.testing.assert_array_equal(body["layers"][0]["h"], gru.trace(gru.load("running-total"), "=0.2 0.1").h)
    assert body["tokens"] is None


def test_simultaneous_requests_each_get_their_own_run(client: TestClient) -> None:
    texts = [TASKS["flip-flop"].text(np.random.default_rng(seed), 40) for seed in range(16)]
    bodies: dict[str, Any] = {}

    def request(text: str) -> None:
        bodies[text] = client.post("/api/trace", json={"model": "flip-flop", "sequence": text}).json()

    threads = [threading.Thread(target=request, args=[text]) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for text in texts:
        np.testing.assert_array_equal(bodies[text]["layers"][0]["h"], gru.trace(gru.load("flip-flop"), text).h)


def test_each_write_of_a_stream_is_small_even_for_a_large_model(tmp_path: Path) -> None:
    """If a client stops reading, the server keeps only a few of these writes in memory."""
    flip_flop, rng = gru.load("flip-flop"), np.random.default_rng(0)
    layers = tuple(random_gru(rng, inputs, 64, "before") for inputs in (flip_flop.layers[0].inputs, 64, 64, 64))
    V = rng.normal(size=(len(flip_flop.readout.labels), 64))
    replace(flip_flop, layers=layers, readout=replace(flip_flop.readout, V=V)).save(tmp_path / "large.safetensors")
    bodies = [json.dumps({"model": "large", "sequence": "A m " * 40}).encode()]
    sizes: list[int] = []

    async def visit() -> None:
        async def receive() -> dict[str, Any]:
            if not bodies:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": bodies.pop(), "more_body": False}

        async def send(message: Any) -> None:
            sizes.append(len(message.get("body", b"")))

        headers = [(b"content-type", b"application/json"), (b"accept", b"text/event-stream")]
        scope = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1"}
        scope |= {"method": "POST", "scheme": "http", "server": None, "client": None, "headers": headers}
        scope |= {"path": "/api/trace", "raw_path": b"/api/trace", "query_string": b"", "root_path": ""}
        await create_app(Settings(models=str(tmp_path)))(scope, receive, send)

    in_thread(visit())
    assert sum(sizes) > 2_000_000
    assert max(sizes) < 300_000


def test_the_stream_stops_when_the_client_disconnects() -> None:
    """The test calls the ASGI application directly, and disconnects after the first piece of the response."""
    body = json.dumps({"model": "sentiment", "sequence": long_text(2000)}).encode()
    pieces: list[bytes] = []
    received = 0

    async def visit() -> None:
        disconnected = asyncio.Event()

        async def receive() -> dict[str, Any]:
            nonlocal received
            received += 1
            if received == 1:
                return {"type": "http.request", "body": body, "more_body": False}
            await disconnected.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                pieces.append(message["body"])
                disconnected.set()
                await asyncio.sleep(0.01)

        headers = [(b"content-type", b"application/json"), (b"accept", b"text/event-stream")]
        scope = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1"}
        scope |= {"method": "POST", "scheme": "http", "server": None, "client": None, "headers": headers}
        scope |= {"path": "/api/trace", "raw_path": b"/api/trace", "query_string": b"", "root_path": ""}
        await create_app()(scope, receive, send)

    in_thread(visit())
    steps = b"".join(pieces).count(b"event: step")
    assert 0 < steps < 1000


def test_the_list_of_models_has_card_alphabet_and_examples(client: TestClient) -> None:
    entries = client.get("/api/models").json()
    assert [entry["id"] for entry in entries] == list(gru.presets.SHIPPED)
    for entry in entries:
        model = gru.load(entry["id"])
        assert entry["card"]["title"] == model.card.title
        assert entry["card"]["measured"] == model.card.measured
        assert entry["alphabet"] == list(model.encoder.alphabet)
        for example in entry["examples"]:
            assert client.post("/api/trace", json={"model": entry["id"], "sequence": example}).status_code == 200


def test_a_random_sequence_depends_on_its_seed_and_can_be_run(client: TestClient) -> None:
    for name in gru.presets.NAMES:
        first, again, different = (
            client.get(f"/api/models/{name}/draw?seed={seed}").json()["sequence"] for seed in (1, 1, 2)
        )
        assert first == again != different
        assert client.post("/api/trace", json={"model": name, "sequence": first}).json()["T"] == 16


@pytest.mark.parametrize("T", [5, 300])
def test_several_runs_are_one_stream_of_what_each_alone_is(client: TestClient, T: int) -> None:
    names = list(gru.presets.contenders("sentiment", "units", ("rnn", "lstm", "gru")).values())
    scenarios = [{"model": name, "sequence": long_text(T), "equations": {"layer": 1, "unit": 2}} for name in names]
    together = client.post("/api/traces", json={"scenarios": scenarios}, headers=STREAM)
    assert together.headers["content-type"].startswith("text/event-stream")
    alone = [client.post("/api/trace", json=scenario, headers=STREAM).text for scenario in scenarios]
    assert together.text == "".join(alone)
    wrong = [scenarios[0], scenarios[1] | {"sequence": "the qq"}, scenarios[2]]
    unit = [*scenarios[:2], scenarios[2] | {"equations": {"layer": 1, "unit": 99}}]
    for body, place in (
        (wrong, "scenarios.2.sequence.2"),
        (unit, "scenarios.3.equations.unit"),
        ([scenarios[0] | {"sequence": 3}], "scenarios.1.sequence"),
        ([], "scenarios"),
        (scenarios * 2, "scenarios"),
    ):
        refused = client.post("/api/traces", json={"scenarios": body})
        assert (refused.status_code, refused.json()["error"]["where"]) == (422, place)


def test_two_sequences_are_compared_step_by_step(client: TestClient) -> None:
    first, second = "the film was not good .", "the film was very good ."
    scenario = {"model": "sentiment", "sequence": first, "against": second}
    events = read_events(client.post("/api/trace", json=scenario, headers=STREAM).text)
    (_, start), *steps, (_, done) = events
    assert start["others"] == second.split()
    traces = [gru.trace(gru.load("sentiment"), text) for text in (first, second)]
    twin = np.array([numbers(step["layers"][0]["twin.z"]) for _, step in steps])
    np.testing.assert_allclose(twin, traces[1].z, atol=1e-14)
    delta = np.array([numbers(step["delta.y"]) for _, step in steps])
    np.testing.assert_allclose(delta, traces[0].y - traces[1].y, atol=1e-14)
    differs = np.flatnonzero(traces[0].y.argmax(1) != traces[1].y.argmax(1))
    assert done["twin"]["first"] == differs[0] + 1
    for wrong, message in (("good .", "6, not 2"), ("the film was not Q .", "step 5: 'q'")):
        refused = client.post("/api/trace", json=scenario | {"against": wrong})
        assert refused.status_code == 422
        assert refused.json()["error"]["where"] == "against"
        assert message in refused.json()["error"]["message"]
    ledger = client.post("/api/ledger", json=scenario | {"layer": 1, "unit": 2, "from": 6, "to": 6}).json()
    np.testing.assert_allclose(ledger["twin"][0], traces[1].ledger(1)[5], atol=1e-12)
