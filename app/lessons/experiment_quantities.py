"""Lesson expressions that need no run of a model: stored results of the experiments, and parameter counts."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from gru_core import experiments
from gru_core.cells.registry import CELLS
from gru_core.experiments import race, sequence
from gru_core.numerals import decimal, whole

from ..runs import race as race_outcome


def _gap(words: list[str]) -> tuple[float, str]:
    base = experiments.BASES["gap"]
    changed = {"rate": str(base.schedule.rate), "units": str(base.units)}
    named = [word.partition("=") for word in words if re.match("[a-z]+=", word)]
    *kind, gap = [word for word in words if not re.match("[a-z]+=", word)] or [""]
    keys = changed | {key: value for key, _, value in named}
    rate, steps, units = decimal(keys["rate"]), whole(gap), whole(keys["units"])
    entry = None
    if keys.keys() == changed.keys() and None not in (rate, steps, units):
        entry = experiments.solved(" ".join(kind).replace("-", "−"), steps or 0, rate or 0, units or 0)
    if entry is None:
        example = "write, for example, “gap GRU, b_z = -2 50” or “gap GRU, b_z = 0 50 | rate=0.03”"
        raise ValueError(f"the experiment Gradient reach has no “{' '.join(words)}”: {example}")
    return entry.solved, "count"


def _race(words: list[str]) -> tuple[float | str, str]:
    task, cell = _racing(words)
    median = race.medians(task)[cell].value
    if math.isinf(median):
        return f"more than {experiments.BASES[task].schedule.most:,}", "words"
    return median, "share" if task == race.COUNTING else "median"


def _interval(words: list[str]) -> tuple[str, str]:
    task, cell = _racing(words)
    return race_outcome.stored(task)["cells"][cell]["interval"], "words"


def _racing(words: list[str]) -> tuple[str, str]:
    """Return the task and the cell that `words` name. Raises ValueError if no experiment compares them."""
    if len(words) != 2 or words[0] not in experiments.RACES or words[1] not in experiments.EQUAL:
        tasks, cells = ", ".join(experiments.RACES), ", ".join(experiments.EQUAL)
        raise ValueError(
            f"write “race TASK CELL” or “interval TASK CELL”, with a task of {tasks} and a cell of {cells}"
        )
    return words[0], words[1]


def _recall(words: list[str]) -> tuple[float, str]:
    for row in experiments.result("bottleneck"):
        if [str(row["units"]), str(row["T"] // 2)] == words:
            return row["score"], "share"
    units, letters = ", ".join(map(str, experiments.SIZES)), f"{min(experiments.ITEMS)} to {max(experiments.ITEMS)}"
    raise ValueError(f"write “recall UNITS LETTERS”, with units of {units} and letters from {letters}")


def _time(words: list[str]) -> tuple[float, str]:
    timing = experiments.result("sequence")["timing"]["1"]
    if len(words) != 2 or words[1] not in timing or words[0] not in timing[words[1]]:
        kinds, steps = ", ".join(sequence.KINDS), ", ".join(timing)
        raise ValueError(f"write “time KIND STEPS”, with a kind of {kinds} and steps of {steps}")
    return 1000 * timing[words[1]][words[0]], "ms"


def _waits(words: list[str]) -> tuple[float, str]:
    return _counts("waits", words)[0], "count"


def _products(words: list[str]) -> tuple[float, str]:
    return _counts("products", words)[1], "count"


def _counts(name: str, words: list[str]) -> tuple[int, int]:
    """Return the number of sequential operations and of multiply-adds for the kind and the timesteps in `words`.

    Raises ValueError, which names the expression `name`, if `words` are not valid.
    """
    steps = whole(words[1]) if len(words) == 2 else None
    if not steps or words[0] not in sequence.KINDS:
        raise ValueError(f"write “{name} KIND STEPS”, with a kind of {', '.join(sequence.KINDS)} and a number of steps")
    return sequence.counts(steps)[words[0]]


def _attention(words: list[str]) -> tuple[float, str]:
    lookups = experiments.result("attention")["lookups"]
    score, t, timestep = words if len(words) == 3 else ("", "", "")
    rows = lookups.get(score, [])
    if not 1 <= (whole(timestep) or 0) <= (whole(t) or 0) <= len(rows):
        raise ValueError(f"write, for example, “attention 2 6 1”, with a score of {', '.join(lookups)}")
    return rows[int(t) - 1]["weights"][int(timestep) - 1], "value"


def _parameters(words: list[str]) -> tuple[float, str]:
    units, inputs = (whole(word) for word in words[1:]) if len(words) == 3 else (None, None)
    if words[:1] == [] or words[0] not in CELLS or not units or not inputs:
        raise ValueError(f"write “parameters CELL UNITS INPUTS”, with a cell of {', '.join(CELLS)}")
    cell = CELLS[words[0]]
    return len(cell.gates) * units * (inputs + 1) + len(cell.recurrent) * units**2, "count"


EXPRESSIONS: dict[str, Callable[[list[str]], tuple[float | str, str]]] = {
    "parameters": _parameters,
    "gap": _gap,
    "race": _race,
    "interval": _interval,
    "recall": _recall,
    "time": _time,
    "waits": _waits,
    "products": _products,
    "attention": _attention,
}
"""The expressions by name. Each function takes the words after the name, and returns a value and its kind.

The kind sets the format of the value.
"""
