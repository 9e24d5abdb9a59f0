"""GET /api/models: the models of this server, and random sequences of their tasks."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from .. import models
from ..runs.answers import to_json
from ..schemas import Whole

router = APIRouter(prefix="/api/models")


@router.get(
    "",
    summary="List all models except uploaded ones, each with its card, alphabet and examples",
    response_class=Response,
)
def list_models(request: Request) -> Response:
    settings = request.app.state.settings
    return _json([models.entry(name, settings) for name in models.names(settings)])


@router.get("/{id}", summary="Get one model, which may be an uploaded model or a checkpoint", response_class=Response)
def one_model(request: Request, id: str) -> Response:
    return _json(models.entry(id, request.app.state.settings))


@router.get("/{name}/draw", summary="Draw a random sequence of the model's task")
def draw(
    request: Request,
    name: str,
    seed: Annotated[Whole, Query(ge=0, lt=2**32)],
    steps: Annotated[Whole, Query(ge=1, le=500)] = 16,
) -> dict[str, str]:
    task = models.task(models.get(name, request.app.state.settings))
    return {"sequence": task.text(np.random.default_rng(seed), steps)}


def _json(content: object) -> Response:
    return Response(to_json(content), media_type="application/json")
