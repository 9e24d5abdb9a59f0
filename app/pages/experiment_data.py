"""The data that an experiment's template and script share. Modules in static/experiments declare the same fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from gru_core.experiments.attention import Lookup
from gru_core.experiments.sequence import Comparison
from gru_core.training.recipe import RecipeFields

from ..runs.race import RaceOutcome


class Times(TypedDict):
    """The times of all networks at one sequence length, in seconds, and the comparison of attention with the GRU."""

    seconds: Mapping[str, float]
    comparison: Comparison


class SequenceData(TypedDict):
    """The data of “Sequential cost”: the stored times by batch size and length, and the stored trainings.

    `kinds` has the titles of the networks. `counts` has for each length the sequential operations and the multiply-adds
    of each network. `parity` has the learning curves of each cell, and `recipes` the recipe that trains it.
    """

    kinds: Mapping[str, str]
    counts: Mapping[str, Mapping[str, tuple[int, int]]]
    timing: Mapping[str, Mapping[str, Times]]
    parity: Mapping[str, Sequence[Sequence[tuple[int, float]]]]
    recipes: Mapping[str, RecipeFields]


class BottleneckData(TypedDict):
    """The data of “Memory capacity”: the recipe of its trainings, and the largest difference that counts as a tie."""

    base: RecipeFields
    tie: float


class RaceData(TypedDict):
    """The data of “Cell comparison”: the stored outcome and the recipe of each task, and the initial biases by cell.

    `counting` is the name of the counting task, and `furthest` its largest n. With fewer than `few` seeds the page
    shows no interval.
    """

    stored: Mapping[str, RaceOutcome]
    bases: Mapping[str, RecipeFields]
    equal: Mapping[str, Mapping[str, float]]
    counting: str
    furthest: int
    few: int


class AttentionData(TypedDict):
    """The data of “Attention weights”: the tokens of a sequence, and the head's lookups by the score of a match."""

    tokens: Sequence[str]
    lookups: Mapping[str, Sequence[Lookup]]


ExperimentData = SequenceData | BottleneckData | RaceData | AttentionData
