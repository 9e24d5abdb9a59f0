"""CPU time of a call, for tests that limit it."""

from __future__ import annotations

import time
from collections.abc import Callable


def cpu_seconds(call: Callable[[], object], limit: float, clock: Callable[[], float] = time.thread_time) -> float:
    """Return the shortest CPU time of a call, in seconds, in up to 4 runs. Stop after a run within the limit.

    By default only the time of this thread counts, without other programs and other tests. Pass `time.process_time` as
    `clock` if the call works in another thread.
    """
    best = float("inf")
    for _ in range(4):
        start = clock()
        call()
        best = min(best, clock() - start)
        if best <= limit:
            break
    return best
