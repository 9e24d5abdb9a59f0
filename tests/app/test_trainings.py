"""Trainings on the server: in other processes, resumable, stoppable, and bit-identical to the core's trainings."""

from __future__ import annotations

import asyncio
import gc
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from app.cli import main
from app.errors import Refused
from app.jobs import cache, trainings, work
from app.jobs.cache import training_cache
from app.jobs.engine import Cancelled
from app.jobs.pool import Pool
from app.jobs.trainings import Trainings
from app.main import create_app
from app.recipes import RecipeBody, read_recipes
from app.settings import Settings
from gru_core.cells.registry import CELLS
from gru_core.presets.recipes import PRESETS
from gru_core.training import checkpoints
from gru_core.training.checkpoints import Training, shipped, train
from gru_core.training.table import Table
from gru_core.training.tasks import TAGGING, TASKS, WORD_TASKS
from tests.support.events import numbers, parsed, read_events
from tests.support.trainings import SHORT, all_events, recipe, run_with_trainings


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    pool = Pool(2)
    yield pool
    pool.close()


def test_server_command_and_core_train_the_same_weights_to_the_bit(client: TestClient, tmp_path: Path) -> None:
    started = client.post("/api/trainings", json=SHORT).json()
    events = parsed(client.get(f"/api/trainings/{started['id']}/events").text)
    reports = [data for _, name, data in events if name == "checkpoint"]
    file = tmp_path / "t.npz"
    link = "http://localhost/train?task=flip-flop&after=20&most=200&seed=5"
    main(["train", link, "--out", str(tmp_path / "m.safetensors"), "--checkpoints", str(file)])
    commanded, core = Training.from_bytes(file.read_bytes()), list(train(recipe()))
    served = training_cache(client.app.state.settings).get(started["id"])  # type: ignore[attr-defined]
    assert len(core) == len(commanded.checkpoints) == len(served.checkpoints) == len(reports)
    for by_core, by_command, by_server, report in zip(
        core, commanded.checkpoints, served.checkpoints, reports, strict=True
    ):
        assert by_core.weights.tobytes() == by_command.weights.tobytes() == by_server.weights.tobytes()
        assert json.loads(json.dumps(by_core.report)) == by_command.report == report
    assert events[0][1:] == ("start", events[0][2])
    assert events[0][2]["recipe"] == json.loads(json.dumps(recipe().to_dict()))
    assert events[-1][1:] == ("end", {"state": "done", "why": ""})
    model = gru.load(tmp_path / "m.safetensors")
    assert model.to_bytes() == served.model(served.steps[-1]).to_bytes()


def test_a_link_with_only_a_task_has_the_recipe_of_its_preset() -> None:
    for task in TAGGING | WORD_TASKS | TASKS:
        assert read_recipes({"task": task}) == [PRESETS[task].recipe]


def test_the_same_recipe_is_trained_only_once(client: TestClient) -> None:
    first = client.post("/api/trainings", json=SHORT)
    client.get(f"/api/trainings/{first.json()['id']}/events")
    again, different = (client.post("/api/trainings", json=SHORT | changes).json() for changes in ({}, {"seed": 6}))
    assert first.status_code == 201
    assert first.json()["id"] == again["id"] != different["id"]
    assert again["state"] == "done"
    client.delete(f"/api/trainings/{different['id']}")


def test_an_interrupted_stream_resumes_after_the_last_received_event(client: TestClient) -> None:
    id = client.post("/api/trainings", json=SHORT).json()["id"]
    client.get(f"/api/trainings/{id}/events")  # wait for the end: `place` events have no id
    for name in (id, "flip-flop"):
        events = parsed(client.get(f"/api/trainings/{name}/events").text)
        assert [number for number, *_ in events] == list(range(len(events)))
        for last in (0, 7, len(events) - 1):
            rest = client.get(f"/api/trainings/{name}/events", headers={"Last-Event-ID": str(last)})
            assert parsed(rest.text) == events[last + 1 :]


@pytest.mark.parametrize("body", [SHORT | {"units": 2}, {"task": "tagger", "most": 60}])  # the tagger reads both ways
def test_tapes_equal_the_runs_of_the_checkpoints(client: TestClient, body: dict[str, Any]) -> None:
    id = client.post("/api/trainings", json=body).json()["id"]
    client.get(f"/api/trainings/{id}/events")
    sequence = "A m p B . s"
    tapes = client.post(f"/api/trainings/{id}/tapes", json={"sequence": sequence, "first": 3}).json()
    N, T, H = len(tapes["steps"]), 6, 2
    arrays = {name: decoded(text).reshape(N, T, H) for name, text in tapes["signals"].items()}
    assert list(arrays) == ["r", "z", "h_tilde", "h"]
    y = decoded(tapes["y"]).reshape(N, T, -1)
    for n in (0, 10, N - 1):
        name = f"{id}@{tapes['steps'][n]}"
        stream = read_events(client.post("/api/trace", json={"model": name, "sequence": sequence}, headers=SSE).text)
        assert stream[0][1]["layers"][0]["backward_units"] == (body["task"] == "tagger")
        for t, (_, step) in enumerate(stream[1:-1]):
            for signal_name, array in arrays.items():
                np.testing.assert_allclose(array[n, t], numbers(step["layers"][0][signal_name]), atol=1e-6)
            np.testing.assert_allclose(y[n, t], numbers(step["y"]), atol=1e-6)


SSE = {"accept": "text/event-stream"}


def decoded(text: str) -> np.ndarray:
    """Decode a base64 string into a float32 array."""
    import base64

    return np.frombuffer(base64.b64decode(text), "<f4")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"units": 0}, "units: must be from 1 to 32"), ({"units": 33}, "units: must be from 1 to 32"),
        ({"rate": 0}, "rate: must be from 0.0001 to 10"), ({"rate": 11}, "from 0.0001 to 10"),
        ({"most": 6001}, "from 1 to 6,000"), ({"T": 1}, "T: must be from 2 to 201"),
        ({"seed": -1}, "from 0 to 4,294,967,295"), ({"penalties": {"z": 2}}, "penalties.z: must be from 0 to 1"),
        ({"biases": {"z": 11}}, "from -10 to 10"), ({"biases": {"f": 1}}, "r, z, h_tilde"),
        ({"first": "chrono"}, "T_max"), ({"task": "nothing"}, "flip-flop"),
        ({"cell": "rnn", "first": "chrono", "T_max": 20}, "RNN"), ({"units": "3"}, "integer"),
        ({"changes": [{"step": 5, "rate": 0.1}, {"step": 3, "rate": 0.1}]}, "order"),
        ({"color": "red"}, "unknown field"),
    ],
)  # fmt: skip
def test_a_setting_out_of_range_is_refused_with_the_range(
    client: TestClient, body: dict[str, Any], message: str
) -> None:
    response = client.post("/api/trainings", json=SHORT | body)
    assert response.status_code == 422
    assert message in response.json()["error"]["message"]


def test_a_diverging_training_has_a_last_finite_checkpoint(client: TestClient) -> None:
    id = client.post("/api/trainings", json={"task": "running-total", "rate": 10, "most": 400, "reach": 0}).json()["id"]
    *_, (_, name, end) = parsed(client.get(f"/api/trainings/{id}/events").text)
    description = client.get(f"/api/trainings/{id}").json()
    assert (name, end["state"]) == ("end", "done")
    if end["why"]:  # depends on the rounding of this machine
        assert "no longer a finite number" in end["why"]
    last = client.post("/api/trace", json={"model": f"{id}@{description['steps'][-1]}", "sequence": "=0.1 0.2"})
    assert np.isfinite(last.json()["y"]["values"]).all()


def test_a_huge_learning_rate_stops_at_the_last_finite_checkpoint_with_a_reason() -> None:
    request, reports = recipe(task="running-total").to_dict(), []
    request["schedule"] |= {"rate": 1e300, "reach": 0.0}
    reason = work.training(request, reports.append)
    assert "no longer a finite number" in reason
    assert "lower learning rate" in reason
    assert reports
    assert np.isfinite(work.checkpoint(reports[-1]).weights).all()


def test_a_full_queue_answers_with_429_and_waiting_trainings_move_up(pool: Pool) -> None:
    settings = Settings(trainings=1, waiting=2)

    async def test(service: Trainings) -> None:
        first, second, third = (service.start(recipe(seed=seed, most=6000, reach=2.0)) for seed in (1, 2, 3))
        assert [first.state, second.state, third.state] == ["running", "waiting", "waiting"]
        assert [service.place(live) for live in (first, second, third)] == [0, 1, 2]
        with pytest.raises(Refused, match="2 trainings are waiting") as refused:
            service.start(recipe(seed=4))
        assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "5"})
        stream = asyncio.create_task(all_events(service, third))
        await asyncio.sleep(0)
        for live in (first, second):
            service.stop(live)
        assert third.state == "running"
        service.stop(third)
        places = [data["place"] for _, name, data in parsed(await stream) if name == "place"]
        assert places[0] == 2

    run_with_trainings(test, settings, pool)


def test_a_training_without_followers_stops_after_a_while(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert trainings.UNFOLLOWED_SECONDS < 30
    monkeypatch.setattr(trainings, "UNFOLLOWED_SECONDS", 0.3)

    async def test(service: Trainings) -> None:
        live, followed = (
            service.start(recipe(most=6000, reach=2.0)),
            service.start(recipe(most=6000, reach=2.0, seed=9)),
        )
        stream = service.follow(followed, -1)
        await anext(stream)
        while not live.over:
            await asyncio.sleep(0.02)
        assert live.state == "stopped"
        await stream.aclose()
        again = service.follow(followed, 0)
        await anext(again)
        await asyncio.sleep(0.5)
        assert not followed.over
        await again.aclose()
        while not followed.over:
            await asyncio.sleep(0.02)
        assert live.job is not None
        while not live.job.future.done():
            await asyncio.sleep(0.02)
        assert isinstance(live.job.future.exception(), Cancelled)

    run_with_trainings(test, Settings(), pool)


@pytest.mark.parametrize(("bound", "most"), [("CACHE_BYTES", 10_000), ("CACHE_TRAININGS", 1)])
def test_a_training_removed_from_the_cache_is_trained_again_on_request(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    settings = Settings(body_seconds=most)  # each Settings value has its own cache

    async def test(service: Trainings) -> None:
        first = service.start(recipe())
        stream = await all_events(service, first)
        monkeypatch.setattr(cache, bound, most)
        await all_events(service, service.start(recipe(seed=6)))
        with pytest.raises(Refused, match="does not have this training"):
            training_cache(settings).get(first.id)
        again = service.start(recipe())
        assert again is not first
        assert await all_events(service, again) == stream
        assert training_cache(settings).get(first.id).steps == first.training.steps

    run_with_trainings(test, settings, pool)


def own_table_body(n: int) -> dict[str, Any]:
    """Return a request body with a table of 60 KB that differs for each `n`."""
    rows = [f"{'s' * 20}{i % 60} x,{'ab'[i % 2]} -" for i in range(1_950)]
    return {"task": "own", "table": "\n".join([*rows, f"n{n} x,a b"])}


def test_the_cache_counts_the_table_of_a_training_without_checkpoints(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(body_seconds=12, trainings=1)
    monkeypatch.setattr(cache, "CACHE_BYTES", 2**20)

    async def test(service: Trainings) -> None:
        first = service.start(recipe(most=6000, reach=2.0))  # the one worker is busy
        stream = service.follow(first, -1)
        await anext(stream)
        lives = []
        for n in range(40):
            lives.append(service.start(RecipeBody.model_validate(own_table_body(n)).recipe()))
            service.stop(lives[-1])
        stored = [live for live in lives if training_cache(settings).has(live.id)]
        assert 0 < len(stored) <= 2**20 / len(own_table_body(0)["table"])
        assert stored == lives[-len(stored) :]
        assert training_cache(settings).has(first.id)
        assert [service.get(live.id) for live in lives[:3]] == [None] * 3
        await stream.aclose()

    run_with_trainings(test, settings, pool)


def test_a_followed_training_stays_in_a_full_cache_and_new_ones_are_refused(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(body_seconds=13)

    async def test(service: Trainings) -> None:
        first = service.start(recipe())
        await all_events(service, first)
        slow = service.follow(first, -1)
        await anext(slow)
        monkeypatch.setattr(cache, "CACHE_TRAININGS", 1)
        with pytest.raises(Refused) as refused:
            service.start(recipe(seed=6))
        assert refused.value.status == 429
        assert training_cache(settings).has(first.id)
        await slow.aclose()
        second = service.start(recipe(seed=6))
        assert not training_cache(settings).has(first.id)
        service.stop(second)

    run_with_trainings(test, settings, pool)


async def _busy_once() -> None:
    """Run one call in each thread of the pool. Each thread then releases the result of its previous call."""
    threads = int(anyio.to_thread.current_default_thread_limiter().total_tokens)
    together = threading.Barrier(threads)
    async with anyio.create_task_group() as group:
        for _ in range(threads):
            group.start_soon(anyio.to_thread.run_sync, together.wait)


def test_a_refused_recipe_leaves_nothing_in_memory() -> None:
    def tables() -> int:
        gc.collect()
        return sum(isinstance(object, Table) for object in gc.get_objects())

    with TestClient(create_app(Settings(trainings=1, waiting=1)), base_url="http://localhost") as client:
        for seed in (1, 2):
            assert (
                client.post("/api/trainings", json=SHORT | {"seed": seed, "reach": 2, "most": 6000}).status_code == 201
            )
        assert client.portal is not None
        client.portal.call(_busy_once)
        before = tables()
        for n in range(5):
            assert client.post("/api/trainings", json=own_table_body(n)).status_code == 429
            assert client.post("/api/trainings", json=own_table_body(n) | {"T_max": 20}).status_code == 422
        client.portal.call(_busy_once)
        assert tables() <= before


def test_only_the_last_interested_client_can_stop_a_training(client: TestClient) -> None:
    def state_after(method: str, path: str, token: str) -> str:
        body = {"json": long} if method == "POST" else {}
        response = client.request(method, path, params={"token": token} if token else {}, **body)
        assert response.status_code < 300
        state: str = response.json()["state"]
        return state

    active, long = ("waiting", "running"), SHORT | {"seed": 77, "reach": 2, "most": 6000}
    path = "/api/trainings/" + client.post("/api/trainings", params={"token": "mine"}, json=long).json()["id"]
    assert state_after("POST", "/api/trainings", "other") in active
    assert state_after("DELETE", path, "other") in active
    assert state_after("DELETE", path, "") in active
    assert state_after("DELETE", path, "made up") in active
    assert state_after("DELETE", path, "mine") == "stopped"


def test_a_training_continues_while_another_client_follows_it(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(service: Trainings) -> None:
        live = service.start(recipe(most=6000, reach=2.0), "mine")
        first, second, anonymous = (service.follow(live, -1, token) for token in ("mine", "other", ""))
        for stream in (first, second, anonymous):
            await anext(stream)
        for token in ("mine", "", "made up"):
            service.stop_unless_followed(live, token)
            assert not live.over
        await anonymous.aclose()
        service.stop_unless_followed(live, "mine")
        assert not live.over
        await second.aclose()
        service.stop_unless_followed(live, "mine")  # the other client may only have lost its connection
        assert not live.over
        monkeypatch.setattr(trainings, "AWAY_SECONDS", 0)
        await service.follow(live, -1, "other").aclose()
        again = service.follow(live, -1, "other")
        await anext(again)
        await again.aclose()
        service.stop_unless_followed(live, "mine")
        assert live.state == "stopped"
        await first.aclose()

    run_with_trainings(test, Settings(body_seconds=14), pool)


@pytest.mark.parametrize("name", ["flip-flop", "running-total"])
def test_a_shipped_training_ends_with_its_preset(name: str) -> None:
    training, preset = shipped(name), gru.load(name)
    for checkpoint, again in zip(training.checkpoints[:60], train(training.recipe), strict=False):
        np.testing.assert_allclose(checkpoint.weights, again.weights, atol=1e-5)
    last = gru.load(f"{name}@{training.steps[-1]}")
    for parameter, array in preset.parameters.items():
        np.testing.assert_allclose(last.parameters[parameter], array, atol=1e-5)
    assert last.card.training["training steps"] == preset.card.training["training steps"]


def test_checkpoints_are_dense_at_first_and_small() -> None:
    for name in gru.presets.NAMES:
        training = shipped(name)
        assert training.steps[:29] == list(range(29))
        gaps = np.diff(training.steps[28:-1])
        assert (np.abs(gaps - np.array(training.steps[28:-2]) / 28) <= 1).all()
        assert len(training.steps) <= 200
        assert sum(checkpoint.weights.nbytes for checkpoint in training.checkpoints) <= 500_000
        assert sum(len(checkpoint.report["losses"]) for checkpoint in training.checkpoints) == training.steps[-1]


def test_a_branch_equals_the_original_until_its_learning_rate_changes() -> None:
    original, fork = recipe(reach=2.0), recipe(reach=2.0, changes=[{"step": 50, "rate": 0.06}])
    same = [a.weights.tobytes() == b.weights.tobytes() for a, b in zip(train(original), train(fork), strict=True)]
    steps = [checkpoint.report["step"] for checkpoint in train(original)]
    assert same == [step <= 50 for step in steps]
    sentences = [sentence for c in train(fork) for sentence in c.report["sentences"]]
    assert any("training step 50 " in sentence and "0.06" in sentence for sentence in sentences)


@pytest.mark.parametrize("cell", CELLS)
def test_a_report_has_the_gradient_flow_and_weight_changes_of_the_model(cell: str) -> None:
    """The gradient flow equals difference quotients, and the changed weights equal the model's at both steps."""
    trained = recipe(cell=cell, units=3, most=60, reach=2.0)
    *_, last = train(trained)
    training = Training(trained, [last])
    model = training.model(last.report["step"])
    probe = checkpoints.fresh(trained, 20, 32)
    base = model.readout.V[model.readout(model.forward(probe.x)[-1].h[-1]).argmax(-1)]

    def output(x: np.ndarray) -> np.ndarray:
        return np.asarray((model.forward(x)[-1].h[-1] * base).sum(-1))

    norms = []
    for t in (19, 16, 12):
        gradient = []
        for i in range(model.encoder.inputs):
            nudge = np.zeros_like(probe.x)
            nudge[t, :, i] = 1e-5
            gradient.append((output(probe.x + nudge) - output(probe.x - nudge)) / 2e-5)
        norms.append(np.sqrt((np.array(gradient) ** 2).sum(0)).mean())
    expected = np.array(norms) / norms[0]
    np.testing.assert_allclose([last.report["lags"][k] for k in (0, 3, 7)], expected, rtol=2e-3, atol=1e-9)
    for gate, part, label, unit, before, after in last.report["moved"]:
        first = Training(trained, [next(train(trained))]).model(0)
        for at, value in ((first, before), (model, after)):
            row = at.layers[0].row(gate, unit - 1)
            weight = row["b"] if part == "b" else row[part][_place(model, part, label)]
            assert weight == pytest.approx(value, rel=1e-3)


def _place(model: gru.Model, part: str, label: str) -> int:
    """Return the index of the input or unit `label`, counted from 0."""
    return model.encoder.labels.index(label) if part == "W" else int(re.sub(r"\D", "", label)) - 1


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("sequence?T=17", "16, 32, 64"),
        ("sequence", "field required"),
        ("sequence?T=16&B=2", "1, 32"),
        ("sequence?T=1024&B=32", "16, 32, 64"),
    ],
)
def test_an_experiment_with_a_bad_parameter_is_refused(client: TestClient, path: str, message: str) -> None:
    response = client.get(f"/api/experiments/{path}")
    assert response.status_code == 422
    assert message in response.json()["error"]["message"]
    assert client.post("/api/experiments/gap", json={"gap": 201, "units": 4}).status_code == 422
