"""Functions that tests run in worker processes. Each new process imports this module, so it imports little."""

from __future__ import annotations

import os
import signal
import time

from app.jobs.engine import Report


def process_info(argument: None, report: Report) -> tuple[int, int, str | None]:
    """Return the process id, the priority and the number of BLAS threads of a worker."""
    return os.getpid(), os.nice(0), os.environ.get("OPENBLAS_NUM_THREADS")


def report_forever(argument: None, report: Report) -> None:
    """Report 0 every 20 ms, until the job is canceled."""
    while True:
        report(0)
        time.sleep(0.02)


def hog(argument: object, report: Report) -> str:
    """Try to allocate more memory than a worker may use."""
    import numpy as np

    return str(np.ones(2**31).sum())


def dies(argument: object, report: Report) -> None:
    """Kill the worker process that runs this function."""
    os.kill(os.getpid(), signal.SIGKILL)
