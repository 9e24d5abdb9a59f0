"""GET /api/models, and a sequence drawn at random for one of them."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from .. import models
from ..answers import to_json
from ..schemas import Whole

router = APIRouter(prefix="/api/models")


@router.get("", summary="List all models except uploaded ones, each with its card, alphabet and examples")
def list_models(request: Request) -> list[dict[str, Any]]:
    settings = request.app.state.settings
    return [models.entry(name, settings) for name in models.names(settings)]


@router.get("/{id}", summary="Get one model, which may be an uploaded model or a checkpoint", response_class=Response)
def one_model(request: Request, id: str) -> Response:
    settings = request.app.state.settings
    return Response(to_json(models.entry(id, settings)), media_type="application/json")


@router.get("/{name}/draw", summary="Draw a random sequence of the model's task")
def draw(
    request: Request,
    name: str,
    seed: Annotated[Whole, Query(ge=0, lt=2**32)],
    steps: Annotated[Whole, Query(ge=1, le=500)] = 16,
) -> dict[str, str]:
    task = models.task(models.get(name, request.app.state.settings))
    return {"sequence": task.text(np.random.default_rng(seed), steps)}
