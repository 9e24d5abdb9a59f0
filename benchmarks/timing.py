"""Timing things against one another, in turns, so that what the machine does meanwhile falls on all alike.

A turn is several runs in a row after a rest: torch's threads go on spinning for a while after their
work, on the core that the next one in turn would use.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

TURNS, IN_A_ROW, REST = 6, 12, 0.25


def side_by_side(runs: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """The median seconds of each run over all its turns, the first two runs of a turn warming up."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(TURNS):
        for name, run in runs.items():
            time.sleep(REST)
            for i in range(IN_A_ROW):
                begun = time.perf_counter()
                run()
                if i >= 2:
                    seconds[name].append(time.perf_counter() - begun)
    return {name: statistics.median(values) for name, values in seconds.items()}


def verdict(what: str, ratio: float, most: float) -> None:
    print(f"  {what}: {ratio:.2f} (at most {most:g}: {'yes' if ratio <= most else 'NO'})", flush=True)
