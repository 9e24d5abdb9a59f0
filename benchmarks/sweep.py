"""Sweeps of small trainings, in processes and on a Dask cluster, compared with a bare ProcessPoolExecutor."""

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


def _outcome(recipe: dict[str, Any]) -> dict[str, Any]:
    return work.outcome(recipe, lambda message: None)


def bare(grid: Sequence[Recipe]) -> float:
    start = time.perf_counter()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, spawn, os.nice, (19,)) as executor:
        list(executor.map(_outcome, [recipe.to_dict() for recipe in grid]))
    return time.perf_counter() - start


def swept(grid: Sequence[Recipe], engine: Engine) -> float:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        for _ in sweep.run(grid, engine, Path(folder) / "table.csv"):
            pass
        engine.close()
        return time.perf_counter() - start


@contextmanager
def cluster() -> Iterator[str]:
    """Start a scheduler and its workers on this machine, and yield the address of the scheduler."""
    dask = [sys.executable, "-m"]
    ours = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    local = ["--host", "127.0.0.1", "--no-dashboard"]
    scheduler = subprocess.Popen([*dask, "distributed.cli.dask_scheduler", *local, "--port", "0"], **ours)
    address = next(url[0] for line in scheduler.stderr if (url := re.search(r"tcp://127\.0\.0\.1:\d+", line)))
    worker = [*dask, "distributed.cli.dask_worker", address, *local, "--nthreads", "1", "--no-nanny"]
    workers = [subprocess.Popen(["nice", "-n", "19", *worker], **ours) for _ in range(WORKERS)]
    try:
        for process in workers:
            next(line for line in process.stderr if "Registered to" in line)
        yield address
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


def main() -> None:
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    grid = recipes(SMALL, 1000)
    print("1,000 small trainings, each a row of a table, in two turns")
    times = [(swept(grid, Pool(WORKERS)), bare(grid)) for _ in range(2)]
    ours, theirs = map(min, zip(*times, strict=True))
    verdict(f"a sweep ({ours:.1f} s) over a bare ProcessPoolExecutor ({theirs:.1f} s)", ours / theirs, 1.1)
    if importlib.util.find_spec("distributed") is None:
        print("  Dask is not installed, so there is no cluster")
        return
    grid = recipes(LONGER, 60)
    with cluster() as address:
        times = [(swept(grid, Cluster(address)), bare(grid)) for _ in range(2)]
    ours, theirs = map(min, zip(*times, strict=True))
    verdict(
        f"60 longer trainings on a Dask cluster ({ours:.1f} s) over ProcessPoolExecutor ({theirs:.1f} s)",
        ours / theirs,
        1.3,
    )
