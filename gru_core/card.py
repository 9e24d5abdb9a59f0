"""Model cards: human-readable descriptions of models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypedDict, cast

Origin = Literal["trained", "random", "hand-set", "imported"]
"""Where a model's weights come from."""


class CardFields(TypedDict):
    """The fields of a `Card` as they appear in JSON."""

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
    """A human-readable description of a model.

    `task` is a name in `tasks.ALL`, "own" or "imported". `about` describes the task in words, and `question`
    says what to look for. `weights` says where the weights come from, and `summary` how good they are. `training` has
    the training settings. `measured` maps names to figures measured on held-out sequences. `examples` are sequences to
    start with. `reading` explains the hidden state. `confusion` is the confusion matrix: each row counts the outputs
    for one true label. It is empty if nothing was counted. `regressions` is for forecasts of a visitor's data: it has
    the weights of the linear autoregressions that serve as the baseline, as in `Series.regressions`.
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
