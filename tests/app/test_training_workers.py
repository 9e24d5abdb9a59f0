"""The worker processes of trainings: memory, priority and termination."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.jobs import pool as pool_module
from app.jobs import work
from app.jobs.pool import Pool
from app.jobs.trainings import Trainings
from app.settings import Settings
from gru_core.training.checkpoints import train
from tests.support.events import parsed
from tests.support.jobs import dies, hog, process_info
from tests.support.trainings import all_events, recipe, run_with_trainings


def test_a_job_out_of_memory_fails_with_a_reason_and_the_next_has_a_new_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool = Pool(1)

    async def test(service: Trainings) -> None:
        before = pool.submit(process_info, None, print).future.result(900)
        with monkeypatch.context() as patched:
            patched.setattr(work, "training", hog)
            live = service.start(recipe(seed=21))
            *_, (_, _, end) = parsed(await all_events(service, live))
        assert end["state"] == "failed"
        assert "memory" in end["why"]
        again = service.start(recipe(seed=21))
        *_, (_, _, end) = parsed(await all_events(service, again))
        assert end["state"] == "done"
        assert pool.submit(process_info, None, print).future.result(900)[0] != before[0]
        with pytest.raises(ProcessLookupError):
            os.kill(before[0], 0)

    run_with_trainings(test, Settings(body_seconds=15), pool)
    pool.close()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_process_is_replaced_after_a_number_of_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pool_module.JOBS_PER_EXECUTOR <= 1_000
    monkeypatch.setattr(pool_module, "JOBS_PER_EXECUTOR", 3)
    pool = Pool(1)
    pids = [pool.submit(process_info, None, print).future.result(900)[0] for _ in range(7)]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 1]
    together = [pool.submit(process_info, None, print) for _ in range(7)]
    assert len({job.future.result(900)[0] for job in together}) >= 3
    pool.close()
    for pid in pids:
        while is_running(pid):  # a replaced process ends shortly after its last job
            time.sleep(0.01)


def test_a_killed_worker_is_replaced_and_no_checkpoint_is_repeated() -> None:
    pool = Pool(2)
    recipes = [recipe(seed=seed, task="store-and-recall", most=400, T=8, reach=2.0) for seed in (1, 2)]
    killed = False

    def kill_at_step_50(message: Any) -> None:
        nonlocal killed
        if not killed and message[0]["step"] > 50:
            killed = True
            assert pool._executor is not None
            os.kill(next(iter(pool._executor._processes)), signal.SIGKILL)

    reports: list[list[Any]] = [[], []]
    jobs = [
        pool.submit(work.training, trained.to_dict(), lambda m, into=into: (into.append(m), kill_at_step_50(m)))
        for trained, into in zip(recipes, reports, strict=True)
    ]
    assert [job.future.result(900) for job in jobs] == ["", ""]
    assert killed
    for trained, messages in zip(recipes, reports, strict=True):
        assert [m[1] for m in messages] == [checkpoint.weights.tobytes() for checkpoint in train(trained)]
    pool.close()


def test_workers_have_low_priority_and_end_with_the_server() -> None:
    pool = Pool(1)
    pid, nice, threads = pool.submit(process_info, None, print).future.result(900)
    assert nice == 19
    assert threads == "1"
    pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_killed_worker_of_an_experiment_is_answered_with_503(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "sequence_times", dies)
    response = client.get("/api/experiments/sequence?T=16")
    assert (response.status_code, response.json()["error"]["code"]) == (503, "lost")
    assert response.headers["retry-after"].isdigit()
    monkeypatch.undo()
    assert client.get("/api/experiments/sequence?T=16").status_code == 200
