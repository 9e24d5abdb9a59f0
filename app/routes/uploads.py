"""POST /api/models: upload models, answer questions about their files, and run parity checks."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from gru_core import formats

from .. import models
from ..errors import Refused
from ..intake import reading
from ..intake.upload import Upload
from ..models import model_entry
from ..schemas import Answers
from ..server.body import FileBody, LongJSON
from ..server.json_response import JSON
from ..settings import Settings

router = APIRouter(prefix="/api/models", route_class=LongJSON)


def _model_or_question(takes: str) -> dict[int | str, dict[str, Any]]:
    description = (
        f"{takes} Status 201 comes with {{model}}, the model as in the list of models; its `report` says in "
        "sentences how the file was read. If the file leaves a question open, status 200 comes with "
        "{upload, question}: send the answer to `/api/models/{upload}/answers`. `question` has the `key` of the "
        "answer, a `text`, and `options`, each with a `value` and what it `means`."
    )
    return {200: {"description": description}, 201: {"description": "The model"}}


@router.post(
    "",
    summary="Upload a model",
    status_code=201,
    response_class=Response,
    responses=_model_or_question(
        f"The body is the file itself ({formats.KINDS}); `name` is its file name. The server "
        "stores the model while there is space, under an id that only people with the file or the link know."
    ),
)
def bring(
    request: Request, body: FileBody, name: Annotated[str, Query(min_length=1, max_length=255)] = "model"
) -> Response:
    return _answer(Upload(body, name), request.app.state.settings)


@router.post(
    "/{id}/answers",
    summary="Answer the questions about an uploaded file",
    status_code=201,
    response_class=Response,
    responses=_model_or_question(
        "The request has `answers` by key. `alphabet` names the symbols and `labels` the outputs; each can be null. "
        "Earlier answers stay valid unless this request replaces them. The resulting model has its own id."
    ),
)
def answer(request: Request, id: str, body: Answers) -> Response:
    settings = request.app.state.settings
    if id in models.served_models(settings.models):
        raise Refused(422, "model", "this model has no open questions; only an uploaded file can have them", "model")
    upload = models.upload(id, settings)
    return _answer(upload.with_answers(body.answers, body.alphabet, body.labels), settings)


@router.post(
    "/{id}/check",
    summary="Check that a model computes the same numbers as another implementation, and name the cause if not",
    response_class=Response,
    response_description="The body is a reference as .npz: `x` (T, I) and `h` (T, H) of the top layer, or h_l0, h_l1, "
    "… of each layer, or `y`, as the other library computed them. Arrays (B, ·) are those after the last step. The "
    "reference can also have `h0` (in an LSTM `c0` too), `lengths` (B,) or `mask` (T, B). Or the body is the file of a "
    "second model: both then run on the same random input. `passed` is true if every relative difference is at "
    "most `tolerance`. Each entry of `differences` has the `name` of the array, the `largest` difference, its place "
    "(`step` and `unit`, from 1), the `first` step above the tolerance, its size `relative` to the largest number of "
    "the reference (null if that number"
    " is zero and the difference is not), and the largest difference of each step, `by_step`. `cause` names a "
    "known cause that explains the differences, if there is one, `cause_name` is its kind, and `remedy` says what to "
    "change in which library. `gates` has the differences of gates if two models were compared. `text` reports "
    "everything in words.",
)
def check(request: Request, id: str, body: FileBody) -> Response:
    settings = request.app.state.settings
    models.get(id, settings)
    return JSON(reading.check(models.upload(id, settings), settings.limits, body))


def _answer(upload: Upload, settings: Settings) -> Response:
    """Store an upload, and return a response with its model or its open question."""
    result = models.read_and_store(upload, settings)
    if result.model is None:
        return JSON({"upload": upload.id, "question": result.question})
    return JSON({"model": model_entry(upload.id, result.model, result.report)}, 201)
