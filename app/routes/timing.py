"""GET /api/timing: how long a model takes on this server."""

from __future__ import annotations

from fastapi import APIRouter, Request

from .. import models
from ..runs.timing import REPEATS, B, T, Timing, measure

router = APIRouter(prefix="/api")


@router.get(
    "/timing/{model}",
    summary="Measure how long a model takes on this server",
    description=f"Medians of {REPEATS} repeats, measured now. `step`: microseconds per timestep of one sequence of {T} "
    f"timesteps, with every signal stored. `training`: milliseconds for the gradients of a batch of {B} sequences of "
    f"{T} timesteps.",
)
def timing(request: Request, model: str) -> Timing:
    return measure(models.get(model, request.app.state.settings))
