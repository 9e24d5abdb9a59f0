"""The engine for many machines: a Dask cluster that is already running.

Everyone who can connect to a scheduler can run code on its workers. If a worker dies, the scheduler itself starts the
job again on another one, and gives up after several workers have died.
"""

from __future__ import annotations

import itertools
import pickle
from importlib import import_module
from threading import Lock
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from ..settings import is_loopback
from ..version import VERSIONS
from .engine import RETRY, Cancelled, Job, Report, Work, WorkerDied

TOPIC = "gruscope"
CONNECT_SECONDS = 10
"""The timeout for connecting to the scheduler, in seconds."""


def check(address: str, plain: bool) -> None:
    """Raise ValueError if the address is not valid, or if it is on another machine without TLS and `plain` is false."""
    parts = urlsplit(address)
    if parts.scheme not in ("tcp", "tls") or not parts.hostname or not parts.port:
        raise ValueError(f"{address} is not the address of a scheduler: use tls://HOST:PORT or tcp://127.0.0.1:PORT")
    if parts.scheme == "tcp" and not plain and not is_loopback(parts.hostname):
        raise ValueError(
            f"{address} is on another machine and not encrypted: others on the network could run code on its workers. "
            "Use tls://, or set GRUSCOPE_PLAIN_SCHEDULER=1 if you trust the network"
        )


class Cluster:
    """An engine that runs jobs on a Dask cluster.

    Raises ValueError if `check` refuses the address or if a worker has other package versions, OSError if no scheduler
    answers, and ImportError if Dask is not installed.
    """

    def __init__(self, address: str, plain: bool = False) -> None:
        check(address, plain)
        try:
            distributed: Any = import_module("distributed")
        except ImportError as error:
            raise ImportError("a cluster needs Dask: pip install 'gruscope[cluster]'") from error
        self._killed = distributed.KilledWorker
        self._client: Any = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        self._lock = Lock()
        self._jobs: dict[str, tuple[Job, Any]] = {}
        try:
            self._same_versions()
        except ValueError:
            self._client.close()
            raise
        self._client.subscribe_topic(TOPIC, self._receive)

    def submit(self, work: Work, argument: Any, report: Report) -> Job:
        job, key = Job(report), f"gruscope-{uuid4().hex}"
        with self._lock:
            self._jobs[key] = job, None
        future = self._client.submit(_run, key, work, argument, key=key, pure=False)
        with self._lock:
            self._jobs[key] = job, future
        future.add_done_callback(lambda done: self._done(key, job, done))
        return job

    def cancel(self, job: Job) -> None:
        with self._lock:
            matches = [(key, future) for key, (submitted, future) in self._jobs.items() if submitted is job]
        for key, future in matches:
            # A running job sees this at its next report.
            self._client.run(_cancel, key, on_error="ignore")
            if future is not None:
                future.cancel(force=True)
            job.fail(Cancelled())

    def close(self) -> None:
        with self._lock:
            jobs = [job for job, _ in self._jobs.values()]
        for job in jobs:
            self.cancel(job)
        self._client.close()

    def _same_versions(self) -> None:
        """Raise ValueError if a worker has other package versions, because its results could differ."""
        for worker, versions in self._client.run(_versions).items():
            if versions != VERSIONS:
                raise ValueError(
                    f"the worker {worker} has {versions}, but this machine has {VERSIONS}: install the same versions"
                )

    def _receive(self, event: tuple[float, dict[str, Any]]) -> None:
        _, message = event
        with self._lock:
            job, _ = self._jobs.get(message["key"], (None, None))
        if job is not None:
            job.receive(message["number"], pickle.loads(message["message"]))

    def _done(self, key: str, job: Job, done: Any) -> None:
        if done.status == "finished":
            job.finish(*done.result())
        elif done.cancelled():
            job.fail(Cancelled())
        else:
            error = done.exception()
            died = WorkerDied(f"the workers that computed this died; {RETRY}")
            job.fail(died if isinstance(error, self._killed) else error)
        job.future.add_done_callback(lambda _: self._forget(key))

    def _forget(self, key: str) -> None:
        with self._lock:
            self._jobs.pop(key, None)


# In the worker

_cancelled: set[str] = set()


def _versions() -> dict[str, str]:
    return VERSIONS


def _cancel(key: str) -> None:
    _cancelled.add(key)


def _run(key: str, work: Work, argument: Any) -> tuple[Any, int]:
    """Run the work in a worker. Return its result and the number of reports that it sent."""
    worker: Any = import_module("distributed").get_worker()
    numbers = itertools.count()
    sent = 0

    def report(message: Any) -> None:
        nonlocal sent
        if key in _cancelled:
            raise Cancelled
        # Pickled, because events can contain neither tuples nor NumPy numbers.
        worker.log_event(TOPIC, {"key": key, "number": next(numbers), "message": pickle.dumps(message)})
        sent += 1

    if key in _cancelled:
        raise Cancelled
    return work(argument, report), sent
