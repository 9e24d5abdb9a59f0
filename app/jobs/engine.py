"""What any engine does: it takes work, tells how it goes, and gives what came of it.

Work is a function of what is asked and of `report`, at the top of a module, so that another process can find it. It
is deterministic: an engine whose worker dies begins it again, and drops the reports that it has had already.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock
from typing import Any, Protocol

Report = Callable[[Any], None]
Work = Callable[[Any, Report], Any]


RETRY = "try again, or try a smaller network"
"""What to do when a worker died, most often because the system had no memory left."""


class Cancelled(Exception):
    """Raised by `report` where nobody wants the work any more."""


class Lost(Exception):
    """The worker died more than once at this work."""


class Job:
    """Work that was submitted. `future` has what came of it, once all reports before it have been told."""

    def __init__(self, report: Report) -> None:
        self.future: Future[Any] = Future()
        self._report, self._lock = report, Lock()
        self._had, self._wanted, self._result = 0, -1, None

    def reported(self, number: int, message: Any) -> None:
        """Take in the report of this number, from 0, of which a job that was begun again sends some twice."""
        with self._lock:
            if number == self._had and not self.future.done():
                self._had += 1
                self._report(message)
        self._settle()

    def ended(self, result: Any, reports: int) -> None:
        """The work is done; so many reports were sent."""
        with self._lock:
            self._wanted, self._result = reports, result
        self._settle()

    def failed(self, error: BaseException) -> None:
        with self._lock:
            if not self.future.done():
                self.future.set_exception(error)

    def _settle(self) -> None:
        with self._lock:
            if self._had == self._wanted and not self.future.done():
                self.future.set_result(self._result)


class Engine(Protocol):
    """An engine may be used from several threads."""

    def submit(self, work: Work, asked: Any, report: Report) -> Job: ...
    def cancel(self, job: Job) -> None:
        """The job's future fails with Cancelled, at once or at its next report."""

    def close(self) -> None: ...
