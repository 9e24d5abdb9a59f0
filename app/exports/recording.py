"""The data of a saved page, which replace the server. static/recording.js declares the same fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

from ..runs.checkpoints import CheckpointTapes
from ..runs.reach import Reach
from ..schemas import ScenarioFields
from .models import StoredModel

Answers = dict[str, dict[str, Any]]
"""The answers of a recorded run by kind, and by layer and unit, such as "1.2". Each kind has fields of its own."""


class RecordedRun(TypedDict):
    """A recorded run: its scenario, its stream, and the answers about its units."""

    scenario: ScenarioFields
    trace: str
    answers: Answers


class RecordedTraining(TypedDict):
    """A recorded training: its stream, and the runs of a sequence at its checkpoints."""

    events: str
    sequence: str
    tapes: CheckpointTapes


class RecordedGap(TypedDict):
    """A recorded answer of the experiment “Gradient reach”."""

    question: Mapping[str, Any]
    answer: Mapping[str, Reach]


class Recording(TypedDict):
    """The data of a saved page.

    `link` is the query of the view, and `live` the address of a server that can answer more, or "". `models` are those
    that the page can run itself. `reveals` has the answers to the questions of a lesson, in base64.
    """

    link: str
    live: str
    runs: Sequence[RecordedRun]
    models: NotRequired[Mapping[str, StoredModel]]
    trainings: NotRequired[Mapping[str, RecordedTraining]]
    reveals: NotRequired[Mapping[str, str]]
    gaps: NotRequired[Sequence[RecordedGap]]
