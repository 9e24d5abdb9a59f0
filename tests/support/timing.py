"""The CPU time of a call, for tests that bound it."""

from __future__ import annotations

import time
from collections.abc import Callable


def cpu_seconds(call: Callable[[], object], limit: float, clock: Callable[[], float] = time.thread_time) -> float:
    """Return the shortest CPU time of a call in up to 4 runs. The first run below the limit is enough.

    The time is that of this thread: neither another program nor the server of another test adds to it. Pass
    `time.process_time` if the call does its work in another thread.
    """
    best = float("inf")
    for _ in range(4):
        start = clock()
        call()
        best = min(best, clock() - start)
        if best <= limit:
            break
    return best
