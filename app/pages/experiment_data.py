"""The data of each experiment's page that its script gets too. The modules in static/experiments declare the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from gru_core.experiments.attention import Lookup
from gru_core.experiments.sequence import Comparison
from gru_core.training.recipe import RecipeFields

from ..runs.race import RaceOutcome


class Times(TypedDict):
    """The seconds of each network at one length, and whether attention is faster than the GRU there."""

    seconds: Mapping[str, float]
    comparison: Comparison


class SequenceData(TypedDict):
    """The data of “Sequential cost”: the stored times by batch and length, and the stored trainings.

    `kinds` has the titles of the networks. `counts` has for each length the sequential operations and the multiply-adds
    of each network. `parity` has the learning curves by cell, and `recipes` the recipes that train them.
    """

    kinds: Mapping[str, str]
    counts: Mapping[str, Mapping[str, tuple[int, int]]]
    timing: Mapping[str, Mapping[str, Times]]
    parity: Mapping[str, Sequence[Sequence[tuple[int, float]]]]
    recipes: Mapping[str, RecipeFields]


class BottleneckData(TypedDict):
    """The data of “Memory capacity”: the recipe that its trainings start from, and the largest difference of a tie."""

    base: RecipeFields
    tie: float


class RaceData(TypedDict):
    """The data of “Cell comparison”: the stored outcome and the recipe of each task, and the initial biases by cell.

    `counting` is the name of the task on counting, and `furthest` its largest n. With fewer than `few` seeds there is
    no interval.
    """

    stored: Mapping[str, RaceOutcome]
    bases: Mapping[str, RecipeFields]
    equal: Mapping[str, Mapping[str, float]]
    counting: str
    furthest: int
    few: int


class AttentionData(TypedDict):
    """The data of “Attention weights”: the tokens of a sequence, and what the head does by the score of a match."""

    tokens: Sequence[str]
    lookups: Mapping[str, Sequence[Lookup]]


ExperimentData = SequenceData | BottleneckData | RaceData | AttentionData
