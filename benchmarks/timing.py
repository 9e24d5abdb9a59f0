"""Timing of programs in turns, so that other work on the machine slows all of them equally.

A turn is a rest and then several runs of one program. The rest is necessary because torch's threads continue to use
a core for a short time after their work.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

TURNS, IN_A_ROW, REST = 9, 10, 0.25


def side_by_side(
    runs: Mapping[str, Callable[[], object]], turns: int = TURNS, in_a_row: int = IN_A_ROW, rest: float = REST
) -> dict[str, list[float]]:
    """Return the median seconds of each program in each turn. The first two runs of a turn warm up and do not count."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(turns):
        for name, run in runs.items():
            time.sleep(rest)
            row = []
            for _ in range(in_a_row):
                start = time.perf_counter()
                run()
                row.append(time.perf_counter() - start)
            seconds[name].append(statistics.median(row[2:]))
    return seconds


def ratio(ours: list[float], theirs: list[float]) -> float:
    """Return the median over the turns of our seconds divided by theirs. The machine's speed differs between turns."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def verdict(what: str, ratio: float, most: float) -> None:
    print(f"  {what}: {ratio:.2f} (at most {most:g}: {'yes' if ratio <= most else 'NO'})", flush=True)
