"""Work for worker processes, in a module that imports little: each new process imports the module of its work first."""

from __future__ import annotations

import os
import signal
import time

from app.jobs.engine import Report


def process_info(argument: None, report: Report) -> tuple[int, int, str | None]:
    """Return the process id, the priority and the number of BLAS threads of a worker."""
    return os.getpid(), os.nice(0), os.environ.get("OPENBLAS_NUM_THREADS")


def report_forever(argument: None, report: Report) -> None:
    """Report until the job is canceled."""
    while True:
        report(0)
        time.sleep(0.02)


def hog(argument: object, report: Report) -> str:
    """Allocate more memory than a worker may have."""
    import numpy as np

    return str(np.ones(2**31).sum())


def dies(argument: object, report: Report) -> None:
    """Kill the process of the worker."""
    os.kill(os.getpid(), signal.SIGKILL)
