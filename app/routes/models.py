"""GET /api/models: the models of this server, random sequences of their tasks, and sequences that models write."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from gru_core import SequenceError
from gru_core.formats import FormatError
from gru_core.formats.vectors import read_vectors
from gru_core.runs.writing import HOTTEST, write

from .. import models
from ..errors import Refused
from ..numbers import Decimal, Whole
from ..server.body import FileBody
from ..server.budget import spend
from ..server.json_response import JSON

router = APIRouter(prefix="/api/models")


@router.get(
    "",
    summary="List all models except uploaded ones, each with its card, alphabet and examples",
    response_class=Response,
)
def list_models(request: Request) -> Response:
    settings = request.app.state.settings
    return JSON([models.entry(name, settings) for name in models.names(settings)])


@router.get("/{id}", summary="Get one model, which may be an uploaded model or a checkpoint", response_class=Response)
def one_model(request: Request, id: str) -> Response:
    return JSON(models.entry(id, request.app.state.settings))


@router.get("/{name}/draw", summary="Draw a random sequence of the model's task")
def draw(
    request: Request,
    name: str,
    seed: Annotated[Whole, Query(ge=0, lt=2**32)],
    steps: Annotated[Whole, Query(ge=1, le=500)] = 16,
) -> dict[str, str]:
    task = models.task(models.get(name, request.app.state.settings))
    try:
        return {"sequence": task.text(np.random.default_rng(seed), steps)}
    except ValueError as error:
        raise Refused(422, "request", str(error), "steps") from error


@router.get("/{name}/write", summary="Let a model write: it draws each symbol from its output, and reads it next")
def write_on(
    request: Request,
    name: str,
    prompt: Annotated[str, Query(min_length=1, max_length=2_000)],
    seed: Annotated[Whole, Query(ge=0, lt=2**32)],
    steps: Annotated[Whole, Query(ge=1, le=100)] = 16,
    temperature: Annotated[Decimal, Query(ge=0, le=HOTTEST)] = 1.0,
) -> dict[str, str | int | bool]:
    """Return `sequence`, which is the prompt and the text that the model wrote after it.

    `given` is the number of timesteps in the prompt. `ended` is true if the model wrote its end symbol. The same seed
    gives the same sequence.
    """
    model = models.get(name, request.app.state.settings)
    spend((len(model.encoder.tokens(prompt)) + steps) * sum(cell.units for cell in model.layers))
    try:
        writing = write(model, prompt, steps, temperature, np.random.default_rng(seed))
    except SequenceError:
        raise
    except ValueError as error:
        raise Refused(404, "task", str(error), "model") from error
    return {"sequence": writing.text, "given": writing.given, "ended": writing.ended}


@router.post("/{id}/sequence", summary="Read a file of vectors as the sequence of a model")
def read_file(
    request: Request,
    id: str,
    body: FileBody,
    name: Annotated[str, Query(min_length=1, max_length=255)] = "x.npy",
) -> dict[str, str]:
    """Read a sequence from the request body: .npy or .npz with numbers (T, I), or CSV with a row for each timestep.

    `name` is the file name. Timesteps that `lengths` or `mask` (T,) in an .npz exclude are left out, and `note` says
    how many. The response has the text of the sequence, with every digit.
    """
    settings = request.app.state.settings
    try:
        file = read_vectors(body, name, models.get(id, settings).encoder, settings.max_steps)
    except FormatError as error:
        raise Refused(422, "file", str(error), "body") from error
    return {"sequence": file.text, "note": file.note}
