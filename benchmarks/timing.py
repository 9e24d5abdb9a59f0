"""Timing things against one another, in turns, so that what the machine does meanwhile falls on all alike.

A turn is several runs in a row after a rest: torch's threads go on spinning for a while after their
work, on the core that the next one in turn would use.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

TURNS, IN_A_ROW, REST = 9, 10, 0.25


def side_by_side(
    runs: Mapping[str, Callable[[], object]], turns: int = TURNS, in_a_row: int = IN_A_ROW, rest: float = REST
) -> dict[str, list[float]]:
    """The median seconds of each run in each turn, the first two of a turn warming up."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(turns):
        for name, run in runs.items():
            time.sleep(rest)
            row = []
            for _ in range(in_a_row):
                begun = time.perf_counter()
                run()
                row.append(time.perf_counter() - begun)
            seconds[name].append(statistics.median(row[2:]))
    return seconds


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median over the turns of what one took over the other: the machine's speed changes from turn to turn."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def verdict(what: str, ratio: float, most: float) -> None:
    print(f"  {what}: {ratio:.2f} (at most {most:g}: {'yes' if ratio <= most else 'NO'})", flush=True)
