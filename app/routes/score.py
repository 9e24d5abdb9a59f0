"""POST /api/score: measure how well a scenario's model does on held-out sequences."""

from __future__ import annotations

from fastapi import APIRouter, Request

from ..runs.scores import scores
from ..schemas import Scenario, Scores

router = APIRouter(prefix="/api")


@router.post(
    "/score",
    summary="Score the model on held-out sequences, with the scenario's clamps and changed weights",
    response_description="`untouched` is the score of the original model, `changed` is the score with the scenario's "
    "changes, and `name` is the kind of score. Both use the same `sequences` held-out sequences of at most `steps` "
    "timesteps, in every request; a large model is scored on fewer. Every sequence starts from the scenario's h0. A "
    "clamp on all timesteps of the scenario's sequence holds at every timestep. A clamp on timesteps of one kind, for "
    "example capital letters, holds at all timesteps of this kind, as `held` lists for each clamp. A clamp on "
    "timesteps of several kinds is refused. Only models with a built-in task can be scored.",
)
def ask(request: Request, scenario: Scenario) -> Scores:
    return scores(scenario, request.app.state.settings)
