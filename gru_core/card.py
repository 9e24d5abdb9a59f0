"""Model cards: descriptions of models for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypedDict, cast

Origin = Literal["trained", "random", "hand-set", "imported"]
"""The origin of the weights of a model."""


class CardFields(TypedDict):
    """The fields of a `Card` as JSON has them."""

    title: str
    task: str
    about: str
    question: str
    weights: Origin
    summary: str
    training: Mapping[str, Any]
    measured: Mapping[str, float]
    examples: Sequence[str]
    reading: str
    confusion: Sequence[Sequence[int]]
    regressions: Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Card:
    """The description of a model, for people.

    `task` is a name in `tasks.ALL`, "own" or "imported". `about` describes the task in words, and `question`
    says what to look for. `weights` is the origin of the weights, and `summary` their quality in words. `training` is
    the recipe. `measured` has the figures by name, measured on held-out sequences. `examples` are sequences to start
    with. `reading` explains the hidden state. `confusion` has a row for each label, with the number of times that the
    output was each label, and is empty if nothing was counted. `regressions` has the weights of the linear
    autoregressions that the forecasts of a series are compared with, if they are fitted to data of a visitor: see
    `Series.regressions`.
    """

    title: str
    task: str
    about: str
    question: str
    weights: Origin
    summary: str
    training: Mapping[str, Any] = field(default_factory=dict)
    measured: Mapping[str, float] = field(default_factory=dict)
    examples: tuple[str, ...] = ()
    reading: str = ""
    confusion: tuple[tuple[int, ...], ...] = ()
    regressions: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def fields(self) -> CardFields:
        """Return the card as a dictionary for JSON, with all fields."""
        return cast(CardFields, asdict(self))

    def to_dict(self) -> dict[str, Any]:
        """Return the card as a dictionary for JSON, without `confusion` and `regressions` if they are empty."""
        return {
            name: value for name, value in self.fields().items() if value or name not in ("confusion", "regressions")
        }
