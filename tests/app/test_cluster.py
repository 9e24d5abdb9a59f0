"""Trainings on a real Dask cluster on this machine: bit-identical weights, cancellation, and a killed worker."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.jobs import cluster as cluster_module
from app.jobs import work
from app.jobs.cluster import Cluster, check
from app.jobs.engine import Cancelled
from app.main import create_app
from app.recipes import RecipeBody
from app.settings import Settings
from gru_core.training.checkpoints import train
from gru_core.training.recipe import Recipe
from tests.support.jobs import report_forever

ROOT = Path(__file__).parents[2]


def start(*command: str) -> tuple[subprocess.Popen[str], str]:
    """Start a Dask process. Return the process and the address that it prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stderr is not None
    for line in process.stderr:
        match = re.search(r"(?:Scheduler at|Start worker at): +(tcp://127\.0\.0\.1:\d+)", line)
        if match:
            threading.Thread(target=drain, args=[process.stderr], daemon=True).start()
            return process, match[1]
    raise RuntimeError("Dask printed no address")


def drain(log: Any) -> None:
    """Read the log of a process to its end, so the pipe never fills up."""
    with contextlib.suppress(ValueError):  # `end` closes the log meanwhile
        for _ in log:
            pass


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stderr is not None
    process.stderr.close()


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    process, address = start(
        "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-jupyter"
    )
    yield address
    end(process)


@pytest.fixture(scope="module")
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Yield the list of all workers that the tests start, and end these workers after the last test."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        end(process)


@pytest.fixture
def workers(scheduler: str, started: list[subprocess.Popen[str]]) -> list[subprocess.Popen[str]]:
    """Return two running workers, which the tests share. A new worker replaces each one that a test has killed."""
    options = ("--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--no-dashboard")
    running = [process for process in started if process.poll() is None]
    missing = [start("distributed.cli.dask_worker", scheduler, *options)[0] for _ in range(2 - len(running))]
    started += missing
    return running + missing


@pytest.fixture
def cluster(scheduler: str, workers: list[Any]) -> Iterator[Cluster]:
    cluster = Cluster(scheduler)
    yield cluster
    cluster.close()


def recipe(seed: int, **changes: Any) -> Recipe:
    return RecipeBody.model_validate({"task": "flip-flop", "seed": seed, "after": 20, "most": 200} | changes).recipe()


def test_a_cluster_trains_the_same_weights_to_the_bit_even_if_a_worker_is_killed(
    cluster: Cluster, workers: list[subprocess.Popen[str]]
) -> None:
    recipes = [recipe(seed, task="store-and-recall", most=300, T=8, reach=2.0) for seed in (1, 2, 3)]
    reports: list[list[Any]] = [[] for _ in recipes]
    killed = threading.Event()

    def kill_at_step_40(message: Any) -> None:
        if message[0]["step"] > 40 and not killed.is_set():
            killed.set()
            os.kill(workers[0].pid, signal.SIGKILL)

    jobs = [
        cluster.submit(work.training, trained.to_dict(), lambda m, into=into: (into.append(m), kill_at_step_40(m)))
        for trained, into in zip(recipes, reports, strict=True)
    ]
    assert [job.future.result(900) for job in jobs] == ["", "", ""]
    assert killed.is_set()
    for trained, messages in zip(recipes, reports, strict=True):
        assert [message[1] for message in messages] == [checkpoint.weights.tobytes() for checkpoint in train(trained)]


def test_a_canceled_job_frees_its_worker(cluster: Cluster) -> None:
    started = [threading.Event(), threading.Event()]
    endless = [cluster.submit(report_forever, None, lambda _, event=event: event.set()) for event in started]
    assert all(event.wait(60) for event in started)
    for job in endless:
        cluster.cancel(job)
        with pytest.raises(Cancelled):
            job.future.result(10)
    assert cluster.submit(work.training, recipe(3).to_dict(), lambda m: None).future.result(900) == ""


def test_a_server_with_a_scheduler_trains_on_the_cluster(scheduler: str, workers: list[Any]) -> None:
    with TestClient(create_app(Settings(scheduler=scheduler))) as client:
        id = client.post("/api/trainings", json={"task": "flip-flop", "seed": 5, "after": 0, "most": 50}).json()["id"]
        stream = client.get(f"/api/trainings/{id}/events").text
    assert '"state":"done"' in stream
    assert stream.count("event: checkpoint") == len(list(train(recipe(5, after=0, most=50))))


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("tcp://192.0.2.1:8786", "not encrypted"),
        ("tcp://example.org:8786", "not encrypted"),
        ("http://127.0.0.1:8786", "is not the address of a scheduler"),
        ("tcp://127.0.0.1", "is not the address of a scheduler"),
    ],
)
def test_a_cluster_on_another_machine_needs_tls_unless_plain_tcp_is_allowed(address: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        create_app(Settings(scheduler=address))
    check("tls://192.0.2.1:8786", plain=False)
    check("tcp://192.0.2.1:8786", plain=True)
    check("tcp://[::1]:8786", plain=False)


def test_the_error_for_an_unreachable_scheduler_has_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 0.5)
    with pytest.raises(OSError, match=r"127\.0\.0\.1:9"):
        Cluster("tcp://127.0.0.1:9")
