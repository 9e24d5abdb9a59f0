"""The card that says what a model is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Card:
    """What a model is, for people: every figure is measured on data that training never saw.

    `task` names one of `gru_core.tasks.TASKS`, `about` says it in words and `question` is what to
    look for. `weights` says where they come from, `summary` how good they are; `training` is the
    recipe, `measured` the figures by name. `reading` helps to read the hidden state.
    """

    title: str
    task: str
    about: str
    question: str
    weights: Literal["trained", "random", "hand-set", "imported"]
    summary: str
    training: Mapping[str, Any] = field(default_factory=dict)
    measured: Mapping[str, float] = field(default_factory=dict)
    examples: tuple[str, ...] = ()
    reading: str = ""
