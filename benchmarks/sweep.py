"""A sweep of 1,000 small trainings beside a bare ProcessPoolExecutor doing the same, and a cluster by its address."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.jobs import sweep, work
from app.jobs.cluster import Cluster
from app.jobs.engine import Engine
from app.jobs.pool import Pool
from app.recipes import read_recipes
from benchmarks.timing import verdict
from gru_core.training.recipe import Recipe

WORKERS = 2
SMALL = {"task": "flip-flop", "most": "20", "after": "0", "reach": "2"}
LONGER = SMALL | {"most": "400"}  # half a second


def recipes(keys: dict[str, str], n: int) -> list[Recipe]:
    return [read_recipes(keys | {"seed": str(seed)})[0] for seed in range(n)]


def _bare(asked: dict[str, Any]) -> dict[str, Any]:
    return work.outcome(asked, lambda message: None)


def bare(grid: Sequence[Recipe]) -> float:
    begun = time.perf_counter()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, spawn, os.nice, (19,)) as executor:
        list(executor.map(_bare, [recipe.to_dict() for recipe in grid]))
    return time.perf_counter() - begun


def swept(grid: Sequence[Recipe], engine: Engine) -> float:
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        for _ in sweep.run(grid, engine, Path(folder) / "table.csv"):
            pass
        engine.close()
        return time.perf_counter() - begun


@contextmanager
def cluster() -> Iterator[str]:
    """A scheduler and its workers on this machine, begun beforehand as a cluster is."""
    dask = [sys.executable, "-m"]
    ours = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    local = ["--host", "127.0.0.1", "--no-dashboard"]
    scheduler = subprocess.Popen([*dask, "distributed.cli.dask_scheduler", *local, "--port", "0"], **ours)
    address = next(found[0] for line in scheduler.stderr if (found := re.search(r"tcp://127\.0\.0\.1:\d+", line)))
    command = [
        "nice",
        "-n",
        "19",
        *dask,
        "distributed.cli.dask_worker",
        address,
        *local,
        "--nthreads",
        "1",
        "--no-nanny",
    ]
    workers = [subprocess.Popen(command, **ours) for _ in range(WORKERS)]
    try:
        for worker in workers:
            next(line for line in worker.stderr if "Registered to" in line)
        yield address
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


def main() -> None:
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    grid = recipes(SMALL, 1000)
    print("1,000 small trainings, a row of a table each, in two turns")
    times = [(swept(grid, Pool(WORKERS)), bare(grid)) for _ in range(2)]
    ours, theirs = (min(of) for of in zip(*times, strict=True))
    verdict(f"a sweep ({ours:.1f} s) over a bare ProcessPoolExecutor ({theirs:.1f} s)", ours / theirs, 1.1)
    if importlib.util.find_spec("distributed") is None:
        print("  Dask is not installed here: no cluster")
        return
    grid = recipes(LONGER, 60)
    with cluster() as address:
        times = [(swept(grid, Cluster(address)), bare(grid)) for _ in range(2)]
    ours, theirs = (min(of) for of in zip(*times, strict=True))
    verdict(f"60 longer ones on Dask by address ({ours:.1f} s) over the same ({theirs:.1f} s)", ours / theirs, 1.3)
