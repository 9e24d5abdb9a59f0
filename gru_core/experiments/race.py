"""Cell comparison: the stored rows, medians with their intervals, and which cells are ahead.

For most tasks the measure is the number of training steps to the target. For counting, the network is tested on lengths
beyond the training lengths, and the measure is the share that it counts correctly: an LSTM can count without bound, a
GRU only within a range (Weiss, Goldberg and Yahav 2018, arXiv:1805.04908).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NotRequired, TypedDict

import numpy as np

from gru_core import experiments
from gru_core.model import Model
from gru_core.training.abilities import EXPERIMENT_TASKS, a_then_b
from gru_core.training.cards import first_card
from gru_core.training.fit import fit
from gru_core.training.recipe import Recipe, begin

COUNTING = "counting"
"""The task that measures how far a network counts."""

TRAINED = (experiments.BASES[COUNTING].schedule.T - 1) // 2
"""The largest n in the training sequences of counting, which have n a's and then n + 1 b's."""

FURTHEST = 3 * TRAINED
"""The largest n that is tested."""

BEYOND = range(TRAINED + 1, 2 * TRAINED + 1)
"""The lengths n on which counting is measured: longer than in training, and at most twice as long."""

STARTS = np.array([0, 1, 4, 9])
"""The numbers of periods before the first a. Each length is tested with all of them."""

CONFIDENCE, FEWEST = 0.95, 6
"""The confidence level of the intervals, and the smallest number of seeds that allows such an interval."""

P_TIE = 0.01
"""Two cells tie if the p-value of the rank test is at least this. It is small, because five tasks are compared."""


@dataclass(frozen=True)
class Median:
    """The median `value` of a measure over seeds, with its interval from `low` to `high` at the level CONFIDENCE.

    `reached` of the `seeds` reached the target. The other seeds count as infinite.
    """

    value: float
    low: float
    high: float
    reached: int
    seeds: int


def median_of(values: Sequence[float]) -> Median:
    """Return the median with its confidence interval, which holds for every distribution of the values.

    The interval from the k-th smallest to the k-th largest of n values misses the median with probability
    2 P(Binomial(n, 1/2) < k). With fewer than six values no interval is certain enough, so both ends are infinite.
    Raises ValueError if `values` is empty.
    """
    if not values:
        raise ValueError("a median needs at least one value")
    n, ordered = len(values), sorted(values)
    missed = np.cumsum([math.comb(n, i) for i in range(n + 1)]) / 2.0**n
    k = int(np.count_nonzero(2 * missed <= 1 - CONFIDENCE))
    low, high = (ordered[k - 1], ordered[n - k]) if k else (-math.inf, math.inf)
    middle = ordered[(n - 1) // 2], ordered[n // 2]
    value = math.inf if math.inf in middle else median(middle)
    return Median(value, low, high, sum(map(math.isfinite, values)), n)


def ahead(values: Mapping[str, Sequence[float]], task: str) -> list[str]:
    """Return the cells that are ahead on a task, the best first: more than one if they tie.

    `values` has the measure of each seed, by cell. A cell ties with the best cell if a rank test over the seeds
    cannot tell the two apart at the level P_TIE, or if their medians differ by less than `resolution`.
    """
    medians = {cell: median_of(by_seed) for cell, by_seed in values.items()}
    order = ordered(medians, task)
    best = order[0]
    if math.isinf(medians[best].value):
        return order

    def ties(cell: str) -> bool:
        if rank_test(values[best], values[cell]) >= P_TIE:
            return True
        return abs(medians[best].value - medians[cell].value) < resolution(task)

    return [cell for cell in order if cell == best or ties(cell)]


def rank_test(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the two-sided p-value of the Mann–Whitney rank test for two samples, by the normal approximation.

    Equal values share their mean rank, and infinite values are the largest. Source: Mann and Whitney (1947), On a test
    of whether one of two random variables is stochastically larger than the other.
    """
    n, m = len(a), len(b)
    pooled = np.concatenate([np.asarray(a, float), np.asarray(b, float)])
    _, places, counts = np.unique(pooled, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    U = ranks[:n].sum() - n * (n + 1) / 2
    equal = float((counts.astype(float) ** 3 - counts).sum()) / ((n + m) * (n + m - 1))
    deviation = math.sqrt(n * m / 12 * (n + m + 1 - equal))
    z = max(0.0, abs(U - n * m / 2) - 0.5) / deviation if deviation else 0.0
    return math.erfc(z / math.sqrt(2))


def ordered(medians: Mapping[str, Median], task: str) -> list[str]:
    """Return the cells in the order of their medians, the best first."""
    return sorted(medians, key=lambda cell: medians[cell].value, reverse=task == COUNTING)


def resolution(task: str) -> float:
    """Return the smallest difference that the measure of a task can show."""
    return 1 / len(BEYOND) if task == COUNTING else experiments.BASES[task].schedule.every


def counted(model: Model) -> list[int]:
    """Return a list of 1s and 0s for n from 1 to FURTHEST: 1 if the model counts n correctly, else 0.

    The model counts n correctly if all its answers at the n + 1 b's are correct, for each number of periods in STARTS.
    """
    task, right = EXPERIMENT_TASKS[COUNTING], []
    for n in range(1, FURTHEST + 1):
        x = a_then_b(np.full(len(STARTS), n), STARTS, 2 * n + 1 + int(STARTS.max()))
        target, scored = task.answers(x)
        right.append(int((model(x).argmax(-1) == target)[scored].all()))
    return right


def beyond(right: Sequence[int]) -> float:
    """Return the share of the lengths in BEYOND that are counted correctly. `right` is a result of `counted`."""
    return sum(right[n - 1] for n in BEYOND) / len(BEYOND)


class Row(TypedDict):
    """A row of the stored result: the result of one training.

    `good_at` is the training step at which the target was reached, None if it was not. Rows of the counting task
    also have `counted`, a string with a digit for each n from 1 on: 1 if the network counts n correctly.
    """

    task: str
    cell: str
    units: int
    seed: int
    steps: int
    good_at: int | None
    score: float
    counted: NotRequired[str]


def row(recipe: Recipe) -> Row:
    """Train a recipe, and return its row in the stored result."""
    model, rng = begin(recipe, first_card(recipe))
    for snapshot in fit(model, EXPERIMENT_TASKS[recipe.task], rng, recipe.schedule):
        last = snapshot
    reach = recipe.schedule.reach
    result: Row = {
        "task": recipe.task,
        "cell": recipe.cell,
        "units": recipe.units,
        "seed": recipe.seed,
        "steps": last.step,
        "good_at": last.step if last.reached and reach is not None else None,
        "score": float(f"{last.score:.4g}"),
    }
    if recipe.task == COUNTING:
        result["counted"] = "".join(map(str, counted(last.model)))
    return result


def measure(row: Row) -> float:
    """Return the measure of a row: the training steps to the target or, for counting, the result of `beyond`."""
    if row["task"] == COUNTING:
        return beyond([int(digit) for digit in row["counted"]])
    return math.inf if row["good_at"] is None else float(row["good_at"])


def rows(task: str, cell: str) -> list[Row]:
    """Return the stored rows of a cell on a task."""
    return [row for row in experiments.result("race") if (row["task"], row["cell"]) == (task, cell)]


def measures(task: str) -> dict[str, list[float]]:
    """Return the stored measures of a task: by cell, a value for each seed."""
    return {cell: [measure(row) for row in rows(task, cell)] for cell in experiments.EQUAL}


def medians(task: str) -> dict[str, Median]:
    """Return the stored medians of a task by cell."""
    return {cell: median_of(values) for cell, values in measures(task).items()}
