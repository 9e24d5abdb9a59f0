"""Runs of one sequence at all checkpoints of a training run."""

from __future__ import annotations

from collections.abc import Sequence

from gru_core.runs.trace import read
from gru_core.training.checkpoints import Training

from ..server.budget import spend
from ..settings import Settings
from .answers import Start, Tapes, start, tapes
from .limits import MOST_READ
from .run import targets


class CheckpointTapes(Tapes):
    """The runs of a sequence at several checkpoints, and the checkpoints' training `steps`.

    `start` is None if there are no checkpoints.
    """

    start: Start | None
    steps: Sequence[int]


def run_at_checkpoints(id: str, training: Training, sequence: str, first: int, settings: Settings) -> CheckpointTapes:
    """Run a sequence at the checkpoints of a training run, from checkpoint `first` (counted from 0) on.

    Raises Refused or SequenceError if the sequence cannot be run.
    """
    steps = training.steps[first:]
    if not steps:
        return {"start": None, "steps": [], "signals": {}, "y": "", "numbers": None}
    models = training.models(steps)
    tokens, x = read(models[-1], sequence, min(MOST_READ, settings.max_steps))
    spend(len(steps) * len(x) * training.recipe.units)
    run_start = start(id, models[-1], tokens, len(x), models[-1].state(None), [None], False, targets(models[-1], x))
    return {"start": run_start, "steps": steps, **tapes(models, x)}
