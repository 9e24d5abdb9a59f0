"""The data in an exported page, which replaces a server. static/recording.js declares the same fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

from ..runs.checkpoints import CheckpointTapes
from ..runs.reach import Reach
from ..schemas import ScenarioFields
from .models import StoredModel

Answers = dict[str, dict[str, Any]]
"""The answers about units of a recorded run, by kind and then by layer and unit, such as "1.2".

Each kind of answer has its own fields.
"""


class RecordedRun(TypedDict):
    """A recorded run: its scenario, its event stream (`trace`), and the answers about its units."""

    scenario: ScenarioFields
    trace: str
    answers: Answers


class RecordedTraining(TypedDict):
    """A recorded training run: its event stream, a sequence, and the runs of this sequence at all checkpoints."""

    events: str
    sequence: str
    tapes: CheckpointTapes


class RecordedGap(TypedDict):
    """A question of the experiment “Gradient reach” and the recorded answer."""

    question: Mapping[str, Any]
    answer: Mapping[str, Reach]


class Recording(TypedDict):
    """The data in an exported page.

    `link` is the query string of the page. `live` is the address of a server for the link “Open in GRU Scope”, or "".
    `models` has the models that the page can run itself. `reveals` has the answers to a lesson's questions, in base64.
    """

    link: str
    live: str
    runs: Sequence[RecordedRun]
    models: NotRequired[Mapping[str, StoredModel]]
    trainings: NotRequired[Mapping[str, RecordedTraining]]
    reveals: NotRequired[Mapping[str, str]]
    gaps: NotRequired[Sequence[RecordedGap]]
