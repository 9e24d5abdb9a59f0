"""The interface of engines. An engine runs jobs in other processes, and passes on their reports and results.

A job runs a work function with two arguments, a value and `report`. The function must be at the top level of a module,
because another process imports it. It must also be deterministic: if the worker dies, the engine starts the function
again, and ignores the reports that it has already received.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock
from typing import Any, Protocol

Report = Callable[[Any], None]
Work = Callable[[Any, Report], Any]


RETRY = "try again, or try a smaller network"
"""The advice to a visitor after a worker has died, most often because the system ran out of memory."""


class Cancelled(Exception):
    """The error of a canceled job. In the worker, `report` raises it."""


class WorkerDied(Exception):
    """The error of a job that failed because its worker died at every try."""


class Job:
    """A job of an engine. `future` gets the result after all reports have been passed on."""

    def __init__(self, report: Report) -> None:
        self.future: Future[Any] = Future()
        self._report, self._lock = report, Lock()
        self._received, self._expected, self._result = 0, -1, None

    def receive(self, number: int, message: Any) -> None:
        """Pass on report `number`, counted from 0, unless it is a repeat from a job that was started again."""
        with self._lock:
            if number == self._received and not self.future.done():
                self._received += 1
                self._report(message)
        self._settle()

    def finish(self, result: Any, reports: int) -> None:
        """Store the result, and the number of reports that the job sent."""
        with self._lock:
            self._expected, self._result = reports, result
        self._settle()

    def fail(self, error: BaseException) -> None:
        with self._lock:
            if not self.future.done():
                self.future.set_exception(error)

    def _settle(self) -> None:
        with self._lock:
            if self._received == self._expected and not self.future.done():
                self.future.set_result(self._result)


class Engine(Protocol):
    """An engine that runs jobs. Several threads may use it."""

    def submit(self, work: Work, argument: Any, report: Report) -> Job: ...
    def cancel(self, job: Job) -> None:
        """Cancel a job: its future fails with Cancelled, at once or at its next report."""

    def close(self) -> None: ...
