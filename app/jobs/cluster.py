"""The engine of many machines: a Dask cluster that is there already, by its scheduler's address.

Whoever can connect to a scheduler can run code on its workers. The scheduler itself begins work again whose worker has
died, and gives up on it where several have.
"""

from __future__ import annotations

import itertools
import pickle
from importlib import import_module
from ipaddress import ip_address
from threading import Lock
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from ..version import VERSIONS
from .engine import RETRY, Cancelled, Job, Lost, Report, Work

TOPIC = "gruscope"


def check(address: str, plain: bool) -> None:
    """Raise ValueError for an address not to connect to: without TLS beyond this machine, unless `plain`."""
    parts = urlsplit(address)
    if parts.scheme not in ("tcp", "tls") or not parts.hostname or not parts.port:
        raise ValueError(f"{address} is not the address of a scheduler: use tls://HOST:PORT or tcp://127.0.0.1:PORT")
    if parts.scheme == "tcp" and not plain and not _loopback(parts.hostname):
        raise ValueError(
            f"{address} is on another machine and not encrypted: others on the network could run code on its workers. "
            "Use tls://, or set GRUSCOPE_PLAIN_SCHEDULER=1 if you trust the network"
        )


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Cluster:
    """Raises ValueError where the address is refused, OSError where no scheduler answers, ImportError without Dask."""

    def __init__(self, address: str, plain: bool = False) -> None:
        check(address, plain)
        try:
            distributed: Any = import_module("distributed")
        except ImportError as error:
            raise ImportError("a cluster needs Dask: pip install 'gruscope[cluster]'") from error
        self._killed = distributed.KilledWorker
        self._client: Any = distributed.Client(address, timeout=10, set_as_default=False)
        self._lock = Lock()
        self._jobs: dict[str, tuple[Job, Any]] = {}
        try:
            self._same_versions()
        except ValueError:
            self._client.close()
            raise
        self._client.subscribe_topic(TOPIC, self._heard)

    def submit(self, work: Work, asked: Any, report: Report) -> Job:
        job, key = Job(report), f"gruscope-{uuid4().hex}"
        with self._lock:
            self._jobs[key] = job, None
        future = self._client.submit(_do, key, work, asked, key=key, pure=False)
        with self._lock:
            self._jobs[key] = job, future
        future.add_done_callback(lambda done: self._done(key, job, done))
        return job

    def cancel(self, job: Job) -> None:
        with self._lock:
            found = [(key, future) for key, (one, future) in self._jobs.items() if one is job]
        for key, future in found:
            self._client.run(
                _cancel, key, wait=False, on_error="ignore"
            )  # one that is running sees this at its next report
            if future is not None:
                future.cancel(force=True)
            job.failed(Cancelled())

    def close(self) -> None:
        with self._lock:
            jobs = [job for job, _ in self._jobs.values()]
        for job in jobs:
            self.cancel(job)
        self._client.close()

    def _same_versions(self) -> None:
        """Raise ValueError where a worker would not compute the same bits."""
        for worker, versions in self._client.run(_versions).items():
            if versions != VERSIONS:
                raise ValueError(
                    f"the worker {worker} has {versions}, but this machine has {VERSIONS}: install the same versions"
                )

    def _heard(self, event: tuple[float, dict[str, Any]]) -> None:
        _, said = event
        with self._lock:
            job, _ = self._jobs.get(said["key"], (None, None))
        if job is not None:
            job.reported(said["number"], pickle.loads(said["message"]))

    def _done(self, key: str, job: Job, done: Any) -> None:
        if done.status == "finished":
            job.ended(*done.result())
        elif done.cancelled():
            job.failed(Cancelled())
        else:
            error = done.exception()
            died = Lost(f"the workers that computed this died; {RETRY}")
            job.failed(died if isinstance(error, self._killed) else error)
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


def _do(key: str, work: Work, asked: Any) -> tuple[Any, int]:
    """What came of the work, and how many reports were sent."""
    worker: Any = import_module("distributed").get_worker()
    numbers = itertools.count()
    sent = 0

    def report(message: Any) -> None:
        nonlocal sent
        if key in _cancelled:
            raise Cancelled
        # Of what can be sent itself tuples and NumPy's numbers are left out.
        worker.log_event(TOPIC, {"key": key, "number": next(numbers), "message": pickle.dumps(message)})
        sent += 1

    if key in _cancelled:
        raise Cancelled
    return work(asked, report), sent
