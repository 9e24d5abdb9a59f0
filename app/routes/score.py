"""POST /api/score: how well a scenario's model does on fresh data, beside the model left alone."""

from __future__ import annotations

from fastapi import APIRouter, Request

from gru_core.presets.recipes import held_out
from gru_core.scoring import SCORE, carried, score

from .. import models
from ..budget import spend
from ..errors import Refused
from ..scenario import set_up
from ..schemas import HeldAt, Scenario, Scores
from ..settings import Settings

router = APIRouter(prefix="/api")

MOST_CELLS = 2**20
"""Units × steps × sequences of a batch: at most half a second's work, and some 100 MB while it lasts."""


@router.post(
    "/score",
    summary="Score the model on held-out sequences, with the scenario's clamps and changed weights",
    response_description="`untouched` is the score of the original model, `changed` is the score with the scenario's "
    "changes, and `name` is the kind of score. Both use the same `sequences` held-out sequences of `steps` timesteps, "
    "in every request; a large model is scored on fewer. Every sequence starts from the scenario's h0. A clamp on all "
    "timesteps of the scenario's sequence holds at every timestep. A clamp on timesteps of one kind, for example "
    "capital letters, holds at all timesteps of this kind, as `held` lists for each clamp. A clamp on timesteps of "
    "several kinds is refused. Only models with a built-in task can be scored.",
)
def ask(request: Request, scenario: Scenario) -> Scores:
    return scores(scenario, request.app.state.settings)


def scores(scenario: Scenario, settings: Settings) -> Scores:
    """Raises Refused or SequenceError where the scenario cannot be scored."""
    setup = set_up(scenario, settings)
    model, task, batch = setup.model, models.task(setup.model), held_out(setup.model)
    assert batch is not None  # since it has a task
    steps = len(batch.x)
    batch = batch.first(max(1, MOST_CELLS // (steps * sum(gru.units for gru in model.layers))))
    spend(batch.scored.size * sum(cell.units for cell in model.layers))
    clamps, held = [], []
    for n, clamp in enumerate(setup.clamps, 1):
        try:
            elsewhere, at = carried(clamp, task.events(setup.x), batch.events)
        except ValueError as error:
            raise Refused(422, "scenario", str(error), f"clamps.{n}") from error
        clamps.append(elsewhere)
        held.append(HeldAt(at=at))
    return Scores(
        name=SCORE[model.readout.kind],
        untouched=score(model, batch, h0=setup.h0),
        changed=score(setup.changed, batch, clamps, setup.h0),
        sequences=batch.scored.shape[1],
        steps=steps,
        held=held,
    )
