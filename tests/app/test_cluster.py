"""Trainings on a real Dask cluster of this machine: the same bits, cancelled, and a worker killed."""

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

from app.jobs import work
from app.jobs.cluster import Cluster, check
from app.jobs.engine import Cancelled
from app.main import create_app
from app.recipes import RecipeBody
from app.settings import Settings
from gru_core.training.checkpoints import train
from gru_core.training.recipe import Recipe

ROOT = Path(__file__).parents[2]


def begun(*command: str) -> tuple[subprocess.Popen[str], str]:
    """A process of Dask's, and the address that it says it is at."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(r"(?:Scheduler at|Start worker at): +(tcp://127\.0\.0\.1:\d+)", line)
        if found:
            threading.Thread(target=drain, args=[process.stderr], daemon=True).start()
            return process, found[1]
    raise RuntimeError("Dask said no address")


def drain(log: Any) -> None:
    """Its log would fill the pipe, and stop it."""
    with contextlib.suppress(ValueError):  # closed meanwhile
        for _ in log:
            pass


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stderr is not None
    process.stderr.close()


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    process, address = begun(
        "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-jupyter"
    )
    yield address
    end(process)


@pytest.fixture
def workers(scheduler: str) -> Iterator[list[subprocess.Popen[str]]]:
    options = ("--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--no-dashboard")
    found = [begun("distributed.cli.dask_worker", scheduler, *options)[0] for _ in range(2)]
    yield found
    for process in found:
        end(process)


@pytest.fixture
def cluster(scheduler: str, workers: list[Any]) -> Iterator[Cluster]:
    cluster = Cluster(scheduler)
    yield cluster
    cluster.close()


def recipe(seed: int, **changes: Any) -> Recipe:
    return RecipeBody.model_validate({"task": "flip-flop", "seed": seed, "after": 20, "most": 200} | changes).recipe()


def test_a_cluster_trains_the_same_bits_and_one_whose_worker_is_killed_begins_again(
    cluster: Cluster, workers: list[subprocess.Popen[str]]
) -> None:
    recipes = [recipe(seed, task="store-and-recall", most=300, reach=2.0) for seed in (1, 2, 3)]
    reports: list[list[Any]] = [[] for _ in recipes]
    killed = threading.Event()

    def told(message: Any) -> None:
        if message[0]["step"] > 40 and not killed.is_set():
            killed.set()
            os.kill(workers[0].pid, signal.SIGKILL)

    jobs = [
        cluster.submit(work.training, one.to_dict(), lambda m, into=into: (into.append(m), told(m)))
        for one, into in zip(recipes, reports, strict=True)
    ]
    assert [job.future.result(900) for job in jobs] == ["", "", ""]
    assert killed.is_set()
    for one, had in zip(recipes, reports, strict=True):
        assert [message[1] for message in had] == [checkpoint.weights.tobytes() for checkpoint in train(one)]


def test_what_is_cancelled_frees_its_worker(cluster: Cluster) -> None:
    going = threading.Event()
    long = [
        cluster.submit(work.training, recipe(s, most=6000, reach=2.0).to_dict(), lambda m: going.set()) for s in (1, 2)
    ]
    assert going.wait(60)
    for job in long:
        cluster.cancel(job)
        with pytest.raises(Cancelled):
            job.future.result(10)
    assert cluster.submit(work.training, recipe(3).to_dict(), lambda m: None).future.result(900) == ""


def test_a_server_trains_on_it(scheduler: str, workers: list[Any]) -> None:
    with TestClient(create_app(Settings(scheduler=scheduler))) as client:
        id = client.post("/api/trainings", json={"task": "flip-flop", "seed": 5, "after": 0, "most": 50}).json()["id"]
        stream = client.get(f"/api/trainings/{id}/events").text
    assert '"state":"done"' in stream
    assert stream.count("event: checkpoint") == len(list(train(recipe(5, after=0, most=50))))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("tcp://192.0.2.1:8786", "not encrypted"),
        ("tcp://example.org:8786", "not encrypted"),
        ("http://127.0.0.1:8786", "is not the address of a scheduler"),
        ("tcp://127.0.0.1", "is not the address of a scheduler"),
    ],
)
def test_a_cluster_beyond_this_machine_needs_tls_unless_it_is_asked_for(address: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        create_app(Settings(scheduler=address))
    check("tls://192.0.2.1:8786", plain=False)
    check("tcp://192.0.2.1:8786", plain=True)
    check("tcp://[::1]:8786", plain=False)


def test_where_no_scheduler_answers_it_is_said() -> None:
    with pytest.raises(OSError, match=r"127\.0\.0\.1:9"):
        Cluster("tcp://127.0.0.1:9")
