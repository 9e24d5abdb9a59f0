"""The engine that needs nothing started: processes of this machine, which yield to everything else on it."""

from __future__ import annotations

import ctypes
import itertools
import multiprocessing
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from ..interrupts import deaf_children
from .engine import RETRY, Cancelled, Job, Lost, Report, Work

MEMORY = 1024 * 2**20
"""Bytes a worker may take besides what it began with."""
TRIES = 2
RENEWED = 200
"""Jobs after which others begin in fresh processes: whatever those before have left behind goes with them."""
FLAGS = 2**16
"""Jobs that can be told apart at one time, for their being cancelled."""

_SPAWN = multiprocessing.get_context("spawn")


class Pool:
    """At most `workers` processes, begun when there is work. After a MemoryError, and after many jobs, others take over
    and those before end with their last job."""

    def __init__(self, workers: int) -> None:
        self._workers, self._lock, self._numbers = workers, Lock(), itertools.count()
        self._jobs: dict[int, Job] = {}
        self._flags: Any = _SPAWN.RawArray(ctypes.c_bool, FLAGS)
        self._executor: ProcessPoolExecutor | None = None
        self._left = 0  # jobs before the executor is renewed
        self._going: Counter[ProcessPoolExecutor] = Counter()  # jobs of each, of those before as well
        self._writer: Connection | None = None
        self._closed = False

    def submit(self, work: Work, asked: Any, report: Report) -> Job:
        job = Job(report)
        with self._lock:
            number = next(self._numbers) % FLAGS
            self._jobs[number] = job
            self._flags[number] = False
        self._send(number, work, asked, 1)
        return job

    def cancel(self, job: Job) -> None:
        with self._lock:
            for number in [number for number, one in self._jobs.items() if one is job]:
                self._flags[number] = True

    def close(self) -> None:
        with self._lock:
            self._closed, executors = True, {*self._going, self._executor} - {None}
            for number in self._jobs:
                self._flags[number] = True
            self._executor = None
        for executor in executors:
            assert executor is not None
            for process in list((executor._processes or {}).values()):
                process.kill()  # up to its next report it would keep everybody waiting
            executor.shutdown(wait=True, cancel_futures=True)
        self._hang_up()

    def _send(self, number: int, work: Work, asked: Any, attempt: int) -> None:
        with self._lock:
            if self._closed:
                self._jobs.pop(number).failed(Cancelled())
                return
            executor = self._executor or self._start()
            try:
                with _one_thread():
                    inner = executor.submit(_do, number, work, asked)
            except BrokenProcessPool:  # noticed here first; those before this one begin again as well
                self._retire(executor)
                executor = self._start()
                with _one_thread():
                    inner = executor.submit(_do, number, work, asked)
            self._going[executor] += 1
            self._left -= 1
            if self._left == 0:
                self._retire(executor)
        inner.add_done_callback(lambda done: self._done(done, executor, number, work, asked, attempt))

    def _done(
        self, done: Future[Any], executor: ProcessPoolExecutor, number: int, work: Work, asked: Any, attempt: int
    ) -> None:
        error = Cancelled() if done.cancelled() else done.exception()
        if isinstance(error, BrokenProcessPool):
            # In a thread of its own: this one belongs to the executor that is broken, and may hold its lock.
            Thread(target=self._lost, args=(executor, number, work, asked, attempt), daemon=True).start()
            return
        with self._lock:
            self._going[executor] -= 1
            if isinstance(error, MemoryError) or executor is not self._executor:
                self._retire(executor)
            job = self._jobs[number] if error is None else self._jobs.pop(number)
        if error is None:
            job.ended(*done.result())
            job.future.add_done_callback(lambda _: self._forget(number))
        else:
            job.failed(error)

    def _lost(self, executor: ProcessPoolExecutor, number: int, work: Work, asked: Any, attempt: int) -> None:
        """Begin a job again whose process has died, if it is the first time."""
        with self._lock:
            self._going[executor] -= 1
            self._retire(executor)
            job = self._jobs[number] if attempt < TRIES else self._jobs.pop(number)
        if attempt < TRIES:
            self._send(number, work, asked, attempt + 1)
        else:
            job.failed(Lost(f"the process that computed this died twice; {RETRY}"))

    def _forget(self, number: int) -> None:
        with self._lock:
            self._jobs.pop(number, None)

    def _retire(self, executor: ProcessPoolExecutor) -> None:
        """Give it no more jobs, and end its processes once it has none."""
        if self._executor is executor:
            self._executor = None
        if self._going[executor] == 0 and not self._closed:
            del self._going[executor]
            executor.shutdown(wait=False)

    def _start(self) -> ProcessPoolExecutor:
        self._hang_up()
        reader, self._writer = _SPAWN.Pipe(duplex=False)
        Thread(target=self._listen, args=(reader,), daemon=True, name="reports").start()
        told = (self._writer, _SPAWN.Lock(), self._flags)
        self._executor, self._left = ProcessPoolExecutor(self._workers, _SPAWN, _enter, told), RENEWED
        return self._executor

    def _hang_up(self) -> None:
        """Close this end, so that who listens hears when the last worker has gone."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _listen(self, reader: Connection) -> None:
        with suppress(EOFError, OSError), reader:
            while True:
                number, count, message = reader.recv()
                with self._lock:
                    job = self._jobs.get(number)
                if job is not None:
                    job.reported(count, message)


@contextmanager
def _one_thread() -> Iterator[None]:
    """What is begun meanwhile computes in one thread: matrices are small, and results are the same everywhere."""
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        with deaf_children():
            yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


# In the worker

_writer: Connection
_writing: Any
_flags: Any


def _enter(writer: Connection, writing: Any, flags: Any) -> None:
    global _writer, _writing, _flags
    _writer, _writing, _flags = writer, writing, flags
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the server, which ends its workers
    if hasattr(os, "nice"):
        os.nice(19)
    if hasattr(os, "SCHED_BATCH"):  # Linux: does not wait for its turn to end when the server has something to do
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    parent = multiprocessing.parent_process()
    assert parent is not None
    Thread(target=lambda: (wait([parent.sentinel]), os._exit(1)), daemon=True).start()  # nobody is left to work for
    with suppress(ImportError):  # Windows
        import resource

        pages = Path("/proc/self/statm")
        if sys.platform != "win32" and pages.exists():
            most = int(pages.read_text().split()[0]) * resource.getpagesize() + MEMORY
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _do(number: int, work: Work, asked: Any) -> tuple[Any, int]:
    """What came of the work, and how many reports were sent."""
    count = itertools.count()
    sent = 0

    def report(message: Any) -> None:
        nonlocal sent
        if _flags[number]:
            raise Cancelled
        with _writing:
            _writer.send((number, next(count), message))
        sent += 1

    if _flags[number]:
        raise Cancelled
    return work(asked, report), sent
