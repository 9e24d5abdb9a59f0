"""Trainings as visitors have them: in other processes, resumable, ended at will, and everywhere the same bits."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
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
from app.jobs import pool as pool_module
from app.jobs.cache import training_cache
from app.jobs.engine import Cancelled
from app.jobs.pool import Pool
from app.jobs.trainings import LiveTraining, Trainings
from app.main import create_app
from app.recipes import RecipeBody
from app.settings import Settings
from gru_core.cells.registry import CELLS
from gru_core.training import checkpoints
from gru_core.training.checkpoints import Training, shipped, train
from gru_core.training.recipe import Recipe
from gru_core.training.table import Table
from tests.support.events import numbers, parsed, read_events
from tests.support.events import run as in_thread

SHORT: dict[str, Any] = {"task": "flip-flop", "after": 20, "most": 200, "seed": 5}


def recipe(**changes: Any) -> Recipe:
    return RecipeBody.model_validate(SHORT | changes).recipe()


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    pool = Pool(2)
    yield pool
    pool.close()


def alone(test: Callable[[Trainings], Awaitable[None]], settings: Settings, pool: Pool) -> None:
    """Run a test with trainings of its own, in a loop of its own."""

    async def run() -> None:
        class Borrowed:
            submit, cancel = pool.submit, pool.cancel

            def close(self) -> None: ...

        found = Trainings(settings, Borrowed())
        try:
            await test(found)
        finally:
            await found.close()
            # What the pool still has to say of them is said before the loop is gone.
            while any(one.job is not None and not one.job.future.done() for one in found._live.values()):
                await asyncio.sleep(0.01)

    in_thread(run())


async def whole(found: Trainings, live: LiveTraining, after: int = -1) -> str:
    return b"".join([piece async for piece in found.follow(live, after)]).decode()


def test_the_page_the_command_and_the_core_train_the_same_bits(client: TestClient, tmp_path: Path) -> None:
    made = client.post("/api/trainings", json=SHORT).json()
    events = parsed(client.get(f"/api/trainings/{made['id']}/events").text)
    reports = [data for _, name, data in events if name == "checkpoint"]
    file = tmp_path / "t.npz"
    link = "http://localhost/train?task=flip-flop&after=20&most=200&seed=5"
    main(["train", link, "--out", str(tmp_path / "m.safetensors"), "--checkpoints", str(file)])
    commanded, core = Training.from_bytes(file.read_bytes()), list(train(recipe()))
    served = training_cache(client.app.state.settings).get(made["id"])  # type: ignore[attr-defined]
    assert len(core) == len(commanded.checkpoints) == len(served.checkpoints) == len(reports)
    for one, other, third, report in zip(core, commanded.checkpoints, served.checkpoints, reports, strict=True):
        assert one.weights.tobytes() == other.weights.tobytes() == third.weights.tobytes()
        assert json.loads(json.dumps(one.report)) == other.report == report
    assert events[0][1:] == ("start", events[0][2])
    assert events[0][2]["recipe"] == json.loads(json.dumps(recipe().to_dict()))
    assert events[-1][1:] == ("end", {"state": "done", "why": ""})
    model = gru.load(tmp_path / "m.safetensors")
    assert model.to_bytes() == served.model(served.steps[-1]).to_bytes()


def test_the_same_recipe_is_trained_once_and_another_is_another(client: TestClient) -> None:
    first = client.post("/api/trainings", json=SHORT)
    client.get(f"/api/trainings/{first.json()['id']}/events")
    again, other = (client.post("/api/trainings", json=SHORT | more).json() for more in ({}, {"seed": 6}))
    assert first.status_code == 201
    assert first.json()["id"] == again["id"] != other["id"]
    assert again["state"] == "done"
    client.delete(f"/api/trainings/{other['id']}")


def test_a_stream_that_broke_off_goes_on_after_the_last_event_that_came(client: TestClient) -> None:
    id = client.post("/api/trainings", json=SHORT).json()["id"]
    client.get(f"/api/trainings/{id}/events")  # until it is over: `place` has no id
    for of in (id, "flip-flop"):
        all = parsed(client.get(f"/api/trainings/{of}/events").text)
        assert [number for number, *_ in all] == list(range(len(all)))
        for last in (0, 7, len(all) - 1):
            rest = client.get(f"/api/trainings/{of}/events", headers={"Last-Event-ID": str(last)})
            assert parsed(rest.text) == all[last + 1 :]


def test_tapes_are_what_the_checkpoints_themselves_make_of_the_sequence(client: TestClient) -> None:
    id = client.post("/api/trainings", json=SHORT | {"units": 2}).json()["id"]
    client.get(f"/api/trainings/{id}/events")
    sequence = "A x y B . z"
    found = client.post(f"/api/trainings/{id}/tapes", json={"sequence": sequence, "first": 3}).json()
    N, T, H = len(found["steps"]), 6, 2
    arrays = {name: decoded(text).reshape(N, T, H) for name, text in found["signals"].items()}
    assert list(arrays) == ["r", "z", "h_tilde", "h"]
    y = decoded(found["y"]).reshape(N, T, 2)
    for n in (0, 10, N - 1):
        name = f"{id}@{found['steps'][n]}"
        stream = read_events(client.post("/api/trace", json={"model": name, "sequence": sequence}, headers=SSE).text)
        for t, (_, step) in enumerate(stream[1:-1]):
            for of, array in arrays.items():
                np.testing.assert_allclose(array[n, t], numbers(step["layers"][0][of]), atol=1e-6)
            np.testing.assert_allclose(y[n, t], numbers(step["y"]), atol=1e-6)


SSE = {"accept": "text/event-stream"}


def decoded(text: str) -> np.ndarray:
    import base64

    return np.frombuffer(base64.b64decode(text), "<f4")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"units": 0}, "units: must be from 1 to 32"), ({"units": 33}, "units: must be from 1 to 32"),
        ({"rate": 0}, "rate: must be from 0.0001 to 10"), ({"rate": 11}, "from 0.0001 to 10"),
        ({"most": 6001}, "from 1 to 6,000"), ({"T": 1}, "T: must be from 2 to 201"),
        ({"seed": -1}, "from 0 to 4,294,967,295"), ({"penalties": {"z": 2}}, "penalties.z: must be from 0 to 1"),
        ({"biases": {"z": 11}}, "from -10 to 10"), ({"biases": {"f": 1}}, "r, z, h_tilde"),
        ({"first": "chrono"}, "T_max"), ({"task": "nothing"}, "flip-flop"),
        ({"cell": "rnn", "first": "chrono", "T_max": 20}, "RNN"), ({"units": "3"}, "integer"),
        ({"changes": [{"step": 5, "rate": 0.1}, {"step": 3, "rate": 0.1}]}, "order"),
        ({"colour": "red"}, "unknown field"),
    ],
)  # fmt: skip
def test_what_is_out_of_range_is_refused_with_the_range(client: TestClient, body: dict[str, Any], said: str) -> None:
    answer = client.post("/api/trainings", json=SHORT | body)
    assert answer.status_code == 422
    assert said in answer.json()["error"]["message"]


def test_what_falls_apart_ends_with_a_sentence_and_the_last_good_checkpoint(client: TestClient) -> None:
    id = client.post("/api/trainings", json={"task": "running-total", "rate": 10, "most": 400, "reach": 0}).json()["id"]
    *_, (_, name, end) = parsed(client.get(f"/api/trainings/{id}/events").text)
    about = client.get(f"/api/trainings/{id}").json()
    assert (name, end["state"]) == ("end", "done")
    if end["why"]:  # whether it does is the arithmetic's own affair
        assert "no longer a finite number" in end["why"]
    last = client.post("/api/trace", json={"model": f"{id}@{about['steps'][-1]}", "sequence": "=0.1 0.2"})
    assert np.isfinite(last.json()["y"]["values"]).all()


def test_a_rate_beyond_reason_ends_at_the_last_finite_checkpoint() -> None:
    asked, reports = recipe(task="running-total").to_dict(), []
    asked["schedule"] |= {"rate": 1e300, "reach": 0.0}
    said = work.training(asked, reports.append)
    assert "no longer a finite number" in said
    assert "lower learning rate" in said
    assert reports
    assert np.isfinite(work.checkpoint(reports[-1]).weights).all()


def test_more_than_may_wait_are_turned_away_and_places_move_up(pool: Pool) -> None:
    settings = Settings(trainings=1, waiting=2)

    async def test(found: Trainings) -> None:
        first, second, third = (found.start(recipe(seed=seed, most=6000, reach=2.0)) for seed in (1, 2, 3))
        assert [first.state, second.state, third.state] == ["running", "waiting", "waiting"]
        with pytest.raises(Refused, match="2 trainings are waiting") as refused:
            found.start(recipe(seed=4))
        assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "5"})
        stream = asyncio.create_task(whole(found, third))
        await asyncio.sleep(0)
        for live in (first, second):
            found.stop(live)
        assert third.state == "running"
        found.stop(third)
        places = [data["place"] for _, name, data in parsed(await stream) if name == "place"]
        assert places[0] == 2

    alone(test, settings, pool)


def test_who_leaves_for_good_frees_the_worker_and_who_comes_back_does_not(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trainings.UNFOLLOWED_SECONDS < 30
    monkeypatch.setattr(trainings, "UNFOLLOWED_SECONDS", 0.3)

    async def test(found: Trainings) -> None:
        live, other = found.start(recipe(most=6000, reach=2.0)), found.start(recipe(most=6000, reach=2.0, seed=9))
        stream = found.follow(other, -1)
        await anext(stream)
        while not live.over:
            await asyncio.sleep(0.02)
        assert live.state == "stopped"
        await stream.aclose()
        again = found.follow(other, 0)
        await anext(again)
        await asyncio.sleep(0.5)
        assert not other.over
        await again.aclose()
        while not other.over:
            await asyncio.sleep(0.02)
        assert live.job is not None
        while not live.job.future.done():
            await asyncio.sleep(0.02)
        assert isinstance(live.job.future.exception(), Cancelled)

    alone(test, Settings(), pool)


@pytest.mark.parametrize(("bound", "most"), [("CACHE_BYTES", 10_000), ("CACHE_TRAININGS", 1)])
def test_what_is_no_longer_kept_is_trained_again_when_it_is_asked_for(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    settings = Settings(body_seconds=most)  # settings of its own have trainings of their own

    async def test(found: Trainings) -> None:
        first = found.start(recipe())
        stream = await whole(found, first)
        monkeypatch.setattr(cache, bound, most)
        await whole(found, found.start(recipe(seed=6)))
        with pytest.raises(Refused, match="does not have this training"):
            training_cache(settings).get(first.id)
        again = found.start(recipe())
        assert again is not first
        assert await whole(found, again) == stream
        assert training_cache(settings).get(first.id).steps == first.training.steps

    alone(test, settings, pool)


def own(n: int) -> dict[str, Any]:
    """A recipe with a table of 60 KB, another for each n."""
    rows = [f"{'s' * 20}{i % 60} x,{'ab'[i % 2]} -" for i in range(1_950)]
    return {"task": "own", "table": "\n".join([*rows, f"n{n} x,a b"])}


def test_a_training_that_ended_before_its_first_checkpoint_counts_with_its_table(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(body_seconds=12, trainings=1)
    monkeypatch.setattr(cache, "CACHE_BYTES", 2**20)

    async def test(found: Trainings) -> None:
        first = found.start(recipe(most=6000, reach=2.0))  # the one worker is busy
        stream = found.follow(first, -1)
        await anext(stream)
        lives = []
        for n in range(40):
            lives.append(found.start(RecipeBody.model_validate(own(n)).recipe()))
            found.stop(lives[-1])
        left = [live for live in lives if training_cache(settings).has(live.id)]
        assert 0 < len(left) <= 2**20 / len(own(0)["table"])
        assert left == lives[-len(left) :]
        assert training_cache(settings).has(first.id)
        assert [found.get(live.id) for live in lives[:3]] == [None] * 3
        await stream.aclose()

    alone(test, settings, pool)


def test_what_is_followed_is_kept_and_who_comes_then_is_refused(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(body_seconds=13)

    async def test(found: Trainings) -> None:
        first = found.start(recipe())
        await whole(found, first)
        slow = found.follow(first, -1)
        await anext(slow)
        monkeypatch.setattr(cache, "CACHE_TRAININGS", 1)
        with pytest.raises(Refused) as refused:
            found.start(recipe(seed=6))
        assert refused.value.status == 429
        assert training_cache(settings).has(first.id)
        await slow.aclose()
        second = found.start(recipe(seed=6))
        assert not training_cache(settings).has(first.id)
        found.stop(second)

    alone(test, settings, pool)


async def _busy_once() -> None:
    """Give each thread of the pool another piece of work: until then it keeps its last one."""
    threads = int(anyio.to_thread.current_default_thread_limiter().total_tokens)
    together = threading.Barrier(threads)
    async with anyio.create_task_group() as group:
        for _ in range(threads):
            group.start_soon(anyio.to_thread.run_sync, together.wait)


def test_of_a_refused_recipe_nothing_is_left() -> None:
    def tables() -> int:
        gc.collect()
        return sum(isinstance(one, Table) for one in gc.get_objects())

    with TestClient(create_app(Settings(trainings=1, waiting=1)), base_url="http://localhost") as client:
        for seed in (1, 2):
            assert (
                client.post("/api/trainings", json=SHORT | {"seed": seed, "reach": 2, "most": 6000}).status_code == 201
            )
        assert client.portal is not None
        client.portal.call(_busy_once)
        before = tables()
        for n in range(5):
            assert client.post("/api/trainings", json=own(n)).status_code == 429
            assert client.post("/api/trainings", json=own(n) | {"T_max": 20}).status_code == 422
        client.portal.call(_busy_once)
        assert tables() <= before


def test_only_who_wants_a_training_alone_can_end_it(client: TestClient) -> None:
    def asked(method: str, path: str, token: str) -> str:
        body = {"json": long} if method == "POST" else {}
        answer = client.request(method, path, params={"token": token} if token else {}, **body)
        assert answer.status_code < 300
        state: str = answer.json()["state"]
        return state

    going, long = ("waiting", "running"), SHORT | {"seed": 77, "reach": 2, "most": 6000}
    path = "/api/trainings/" + client.post("/api/trainings", params={"token": "mine"}, json=long).json()["id"]
    assert asked("POST", "/api/trainings", "other") in going
    assert asked("DELETE", path, "other") in going
    assert asked("DELETE", path, "") in going
    assert asked("DELETE", path, "made up") in going
    assert asked("DELETE", path, "mine") == "stopped"


def test_a_training_goes_on_for_those_who_follow_it(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(found: Trainings) -> None:
        live = found.start(recipe(most=6000, reach=2.0), "mine")
        mine, other, nameless = (found.follow(live, -1, token) for token in ("mine", "other", ""))
        for stream in (mine, other, nameless):
            await anext(stream)
        for token in ("mine", "", "made up"):
            found.stop_unless_followed(live, token)
            assert not live.over
        await nameless.aclose()
        found.stop_unless_followed(live, "mine")
        assert not live.over
        await other.aclose()
        found.stop_unless_followed(live, "mine")  # the other's connection may have been cut
        assert not live.over
        monkeypatch.setattr(trainings, "AWAY_SECONDS", 0)
        await found.follow(live, -1, "other").aclose()
        again = found.follow(live, -1, "other")
        await anext(again)
        await again.aclose()
        found.stop_unless_followed(live, "mine")
        assert live.state == "stopped"
        await mine.aclose()

    alone(test, Settings(body_seconds=14), pool)


def hog(asked: Any, report: Any) -> str:
    return str(np.ones(2**31).sum())


def test_a_job_without_memory_fails_in_words_and_the_next_has_a_fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Pool(1)

    async def test(found: Trainings) -> None:
        before = pool.submit(look, None, print).future.result(900)
        with monkeypatch.context() as patched:
            patched.setattr(work, "training", hog)
            live = found.start(recipe(seed=21))
            *_, (_, _, end) = parsed(await whole(found, live))
        assert end["state"] == "failed"
        assert "memory" in end["why"]
        again = found.start(recipe(seed=21))
        *_, (_, _, end) = parsed(await whole(found, again))
        assert end["state"] == "done"
        assert pool.submit(look, None, print).future.result(900)[0] != before[0]
        with pytest.raises(ProcessLookupError):
            os.kill(before[0], 0)

    alone(test, Settings(body_seconds=15), pool)
    pool.close()


def test_processes_are_renewed_after_so_many_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pool_module.JOBS_PER_EXECUTOR <= 1_000
    monkeypatch.setattr(pool_module, "JOBS_PER_EXECUTOR", 3)
    pool = Pool(1)
    pids = [pool.submit(look, None, print).future.result(900)[0] for _ in range(7)]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 1]
    together = [pool.submit(look, None, print) for _ in range(7)]
    assert len({job.future.result(900)[0] for job in together}) >= 3
    pool.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_worker_that_is_killed_is_replaced_and_nothing_comes_twice() -> None:
    pool = Pool(2)
    recipes = [recipe(seed=seed, task="store-and-recall", most=400, reach=2.0) for seed in (1, 2)]
    killed = False

    def told(message: Any) -> None:
        nonlocal killed
        if not killed and message[0]["step"] > 50:
            killed = True
            assert pool._executor is not None
            os.kill(next(iter(pool._executor._processes)), signal.SIGKILL)

    reports: list[list[Any]] = [[], []]
    jobs = [
        pool.submit(work.training, one.to_dict(), lambda m, into=into: (into.append(m), told(m)))
        for one, into in zip(recipes, reports, strict=True)
    ]
    assert [job.future.result(900) for job in jobs] == ["", ""]
    assert killed
    for one, had in zip(recipes, reports, strict=True):
        assert [m[1] for m in had] == [checkpoint.weights.tobytes() for checkpoint in train(one)]
    pool.close()


def test_workers_yield_to_everything_else_and_go_when_the_server_goes() -> None:
    pool = Pool(1)
    pid, nice, threads = pool.submit(look, None, print).future.result(900)
    assert nice == 19
    assert threads == "1"
    pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def look(asked: None, report: Any) -> tuple[int, int, str | None]:
    return os.getpid(), os.nice(0), os.environ.get("OPENBLAS_NUM_THREADS")


@pytest.mark.parametrize("name", ["flip-flop", "running-total-plain"])
def test_a_training_that_ships_is_the_one_that_made_the_preset(name: str) -> None:
    training, preset = shipped(name), gru.load(name)
    for checkpoint, again in zip(training.checkpoints[:60], train(training.recipe), strict=False):
        np.testing.assert_allclose(checkpoint.weights, again.weights, atol=1e-5)
    last = gru.load(f"{name}@{training.steps[-1]}")
    for parameter, array in preset.parameters.items():
        np.testing.assert_allclose(last.parameters[parameter], array, atol=1e-5)
    assert last.card.training["training steps"] == preset.card.training["training steps"]


def test_checkpoints_are_spaced_and_small() -> None:
    for name in gru.presets.NAMES:
        training = shipped(name)
        assert training.steps[:29] == list(range(29))
        gaps = np.diff(training.steps[28:-1])
        assert (np.abs(gaps - np.array(training.steps[28:-2]) / 28) <= 1).all()
        assert len(training.steps) <= 200
        assert sum(checkpoint.weights.nbytes for checkpoint in training.checkpoints) <= 500_000
        assert sum(len(checkpoint.report["losses"]) for checkpoint in training.checkpoints) == training.steps[-1]


def test_a_fork_is_the_same_until_its_rate_changes_and_says_so() -> None:
    one, fork = recipe(reach=2.0), recipe(reach=2.0, changes=[{"step": 50, "rate": 0.06}])
    same = [a.weights.tobytes() == b.weights.tobytes() for a, b in zip(train(one), train(fork), strict=True)]
    steps = [checkpoint.report["step"] for checkpoint in train(one)]
    assert same == [step <= 50 for step in steps]
    said = [sentence for c in train(fork) for sentence in c.report["said"]]
    assert any("training step 50 " in sentence and "0.06" in sentence for sentence in said)


@pytest.mark.parametrize("cell", CELLS)
def test_what_a_report_says_is_so(cell: str) -> None:
    """The losses against the mean loss of the batches as they are drawn again, and the lags against differences."""
    made = recipe(cell=cell, units=3, most=60, reach=2.0)
    *_, last = train(made)
    training = Training(made, [last])
    model = training.model(last.report["step"])
    probe = checkpoints.fresh(made, 20, 32)
    base = model.readout.V[model.readout(model.forward(probe.x)[-1].h[-1]).argmax(-1)]

    def answer(x: np.ndarray) -> np.ndarray:
        return np.asarray((model.forward(x)[-1].h[-1] * base).sum(-1))

    norms = []
    for t in (19, 16, 12):
        gradient = []
        for i in range(model.encoder.inputs):
            nudge = np.zeros_like(probe.x)
            nudge[t, :, i] = 1e-5
            gradient.append((answer(probe.x + nudge) - answer(probe.x - nudge)) / 2e-5)
        norms.append(np.sqrt((np.array(gradient) ** 2).sum(0)).mean())
    expected = np.array(norms) / norms[0]
    np.testing.assert_allclose([last.report["lags"][k] for k in (0, 3, 7)], expected, rtol=2e-3, atol=1e-9)
    for gate, part, meets, unit, was, now in last.report["moved"]:
        first = Training(made, [next(train(made))]).model(0)
        for of, value in ((first, was), (model, now)):
            row = of.layers[0].row(gate, unit - 1)
            found = row["b"] if part == "b" else row[part][_place(model, part, meets)]
            assert found == pytest.approx(value, rel=1e-3)


def _place(model: gru.Model, part: str, meets: str) -> int:
    return model.encoder.labels.index(meets) if part == "W" else int(re.sub(r"\D", "", meets)) - 1


def dies(argument: Any, report: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_result_whose_process_dies_is_answered_with_503(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "parity_by_scan", dies)
    answer = client.get("/api/experiments/parity?seed=0")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "lost")
    assert answer.headers["retry-after"].isdigit()
    monkeypatch.undo()
    assert client.get("/api/experiments/parity?seed=0").status_code == 200


@pytest.mark.parametrize(
    ("path", "said"),
    [("sequence?T=17", "16, 32, 64"), ("sequence", "field required"), ("parity?seed=-1", "greater than or equal to 0")],
)
def test_what_an_experiment_cannot_measure_is_refused(client: TestClient, path: str, said: str) -> None:
    answer = client.get(f"/api/experiments/{path}")
    assert answer.status_code == 422
    assert said in answer.json()["error"]["message"]
    assert client.post("/api/experiments/gap", json={"gap": 201, "units": 4}).status_code == 422
