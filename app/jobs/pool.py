"""The default engine: worker processes on this machine, with the lowest priority."""

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

from ..interrupts import ignore_interrupts_in_children
from .engine import RETRY, Cancelled, Job, Report, Work, WorkerDied

MEMORY = 1024 * 2**20
"""The maximum number of bytes that a worker may allocate after its start."""
TRIES = 2
JOBS_PER_EXECUTOR = 200
"""The number of jobs after which new processes replace the old ones, which frees leaked memory."""
FLAGS = 2**16
"""The maximum number of unfinished jobs that can be canceled separately."""

_SPAWN = multiprocessing.get_context("spawn")


class Pool:
    """An engine with at most `workers` processes. They start with the first job.

    After a MemoryError, and after JOBS_PER_EXECUTOR jobs, new processes replace them. The old processes end after their
    last job.
    """

    def __init__(self, workers: int) -> None:
        self._workers, self._lock, self._numbers = workers, Lock(), itertools.count()
        self._jobs: dict[int, Job] = {}
        self._flags: Any = _SPAWN.RawArray(ctypes.c_bool, FLAGS)
        self._executor: ProcessPoolExecutor | None = None
        self._left = 0  # jobs before the executor is renewed
        self._pending: Counter[ProcessPoolExecutor] = Counter()  # unfinished jobs of each executor, also of old ones
        self._writer: Connection | None = None
        self._closed = False

    def submit(self, work: Work, argument: Any, report: Report) -> Job:
        job = Job(report)
        with self._lock:
            number = next(self._numbers) % FLAGS
            self._jobs[number] = job
            self._flags[number] = False
        self._send(number, work, argument, 1)
        return job

    def cancel(self, job: Job) -> None:
        with self._lock:
            for number in [number for number, submitted in self._jobs.items() if submitted is job]:
                self._flags[number] = True

    def close(self) -> None:
        with self._lock:
            self._closed, executors = True, {*self._pending, self._executor} - {None}
            for number in self._jobs:
                self._flags[number] = True
            self._executor = None
        for executor in executors:
            assert executor is not None
            for process in list((executor._processes or {}).values()):
                process.kill()  # otherwise the shutdown would wait for its next report
            executor.shutdown(wait=True, cancel_futures=True)
        self._close_writer()

    def _send(self, number: int, work: Work, argument: Any, attempt: int) -> None:
        with self._lock:
            if self._closed:
                self._jobs.pop(number).fail(Cancelled())
                return
            executor = self._executor or self._start()
            try:
                with _one_thread():
                    inner = executor.submit(_run, number, work, argument)
            except BrokenProcessPool:  # the pool is broken, and its earlier jobs start again too
                self._retire(executor)
                executor = self._start()
                with _one_thread():
                    inner = executor.submit(_run, number, work, argument)
            self._pending[executor] += 1
            self._left -= 1
            if self._left == 0:
                self._retire(executor)
        inner.add_done_callback(lambda done: self._done(done, executor, number, work, argument, attempt))

    def _done(
        self, done: Future[Any], executor: ProcessPoolExecutor, number: int, work: Work, argument: Any, attempt: int
    ) -> None:
        error = Cancelled() if done.cancelled() else done.exception()
        if isinstance(error, BrokenProcessPool):
            # In a new thread, because this thread belongs to the broken executor and may hold its lock.
            Thread(target=self._retry, args=(executor, number, work, argument, attempt), daemon=True).start()
            return
        with self._lock:
            self._pending[executor] -= 1
            if isinstance(error, MemoryError) or executor is not self._executor:
                self._retire(executor)
            job = self._jobs[number] if error is None else self._jobs.pop(number)
        if error is None:
            job.finish(*done.result())
            job.future.add_done_callback(lambda _: self._forget(number))
        else:
            job.fail(error)

    def _retry(self, executor: ProcessPoolExecutor, number: int, work: Work, argument: Any, attempt: int) -> None:
        """Start a job again after its process has died, unless `attempt` was its last try."""
        with self._lock:
            self._pending[executor] -= 1
            self._retire(executor)
            job = self._jobs[number] if attempt < TRIES else self._jobs.pop(number)
        if attempt < TRIES:
            self._send(number, work, argument, attempt + 1)
        else:
            job.fail(WorkerDied(f"the process that computed this died twice; {RETRY}"))

    def _forget(self, number: int) -> None:
        with self._lock:
            self._jobs.pop(number, None)

    def _retire(self, executor: ProcessPoolExecutor) -> None:
        """Send no more jobs to an executor, and end its processes after the last job."""
        if self._executor is executor:
            self._executor = None
        if self._pending[executor] == 0 and not self._closed:
            del self._pending[executor]
            executor.shutdown(wait=False)

    def _start(self) -> ProcessPoolExecutor:
        self._close_writer()
        reader, self._writer = _SPAWN.Pipe(duplex=False)
        Thread(target=self._listen, args=(reader,), daemon=True, name="reports").start()
        arguments = (self._writer, _SPAWN.Lock(), self._flags)
        self._executor = ProcessPoolExecutor(self._workers, _SPAWN, _initialize_worker, arguments)
        self._left = JOBS_PER_EXECUTOR
        return self._executor

    def _close_writer(self) -> None:
        """Close this process's writing end of the pipe. The listening thread then ends when the last worker ends."""
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
                    job.receive(count, message)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Make processes that start in this context use only one thread for linear algebra.

    The matrices are small, and with one thread the results are the same on all machines.
    """
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    previous = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        with ignore_interrupts_in_children():
            yield
    finally:
        for name, value in previous.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


# In the worker

_writer: Connection
_writing: Any
_flags: Any


def _initialize_worker(writer: Connection, writing: Any, flags: Any) -> None:
    global _writer, _writing, _flags
    _writer, _writing, _flags = writer, writing, flags
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server handles Ctrl+C and ends its workers
    if hasattr(os, "nice"):
        os.nice(19)
    if hasattr(os, "SCHED_BATCH"):  # Linux: the server need not wait until a worker's time slice ends
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    parent = multiprocessing.parent_process()
    assert parent is not None
    # A worker ends with its server.
    Thread(target=lambda: (wait([parent.sentinel]), os._exit(1)), daemon=True).start()
    with suppress(ImportError):  # Windows
        import resource

        pages = Path("/proc/self/statm")
        if sys.platform != "win32" and pages.exists():
            most = int(pages.read_text().split()[0]) * resource.getpagesize() + MEMORY
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _run(number: int, work: Work, argument: Any) -> tuple[Any, int]:
    """Run the work in a worker. Return its result and the number of reports that it sent."""
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
    return work(argument, report), sent
