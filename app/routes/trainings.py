"""/api/trainings: start, follow and stop trainings, and run sequences at their checkpoints."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from gru_core.numerals import whole
from gru_core.training.checkpoints import Training

from ..errors import Refused
from ..jobs.cache import training_cache
from ..jobs.trainings import UNFOLLOWED_SECONDS, LiveTraining, State, Trainings, as_events, describe
from ..recipes import RecipeBody
from ..runs.checkpoints import run_at_checkpoints
from ..runs.events import EVENT_STREAM, STREAM_HEADERS
from ..runs.limits import MOST_READ
from ..schemas import TapesBody
from ..server.json_response import JSON
from ..settings import Settings

router = APIRouter(prefix="/api/trainings")

Token = Annotated[str, Query(max_length=64)]
"""A random string that a visitor chooses. The server uses it to recognize requests from the same visitor."""


class TrainingState(BaseModel):
    """The state of a training: its `place` in the queue, the `steps` of its checkpoints, and `why` it ended early."""

    id: str
    recipe: dict[str, Any]
    versions: dict[str, str]
    state: State
    place: int
    steps: list[int]
    why: str


def _trainings(request: Request) -> Trainings:
    trainings: Trainings = request.app.state.trainings
    return trainings


def _live(request: Request, id: str) -> LiveTraining:
    live = _trainings(request).get(id)
    if live is None:
        training_cache(request.app.state.settings).get(id)  # raises Refused if the training is not in memory
        raise Refused(409, "over", "this training has ended", "training")
    return live


@router.post(
    "",
    summary="Train a recipe",
    status_code=201,
    description="The response has the `id` of the training and its `state`. The same recipe has the same id, and the "
    "server trains it again only if that training was stopped, failed, or is no longer stored. You follow a training "
    f"while you read its events. A training that nobody follows stops after {UNFOLLOWED_SECONDS} seconds. You cannot "
    "stop a training that somebody else follows. So that the server recognizes you, choose a random `token`, and send "
    "it here, when you read the events, and when you stop the training. Status 429 means that the queue, or the memory "
    "for trainings, is full.",
)
async def begin(request: Request, body: RecipeBody, token: Token = "") -> TrainingState:
    live = _trainings(request).start(await run_in_threadpool(body.recipe), token)
    return _state_of(request, live)


@router.get(
    "/{id}",
    summary="Get the state of a training",
    description="`steps` lists the training steps of its checkpoints so far.",
)
async def state(request: Request, id: str) -> TrainingState:
    live = _trainings(request).get(id)
    if live is not None:
        return _state_of(request, live)
    return _state(id, training_cache(request.app.state.settings).get(id), "done")


@router.delete(
    "/{id}",
    summary="Stop a training",
    description="The server keeps the checkpoints so far. If another visitor follows the training, it continues, as "
    "`state` shows. Send the `token` that you sent when you started the training and read its events. Without a token, "
    "the server takes every follower for another visitor, even you.",
)
async def stop(request: Request, id: str, token: Token = "") -> TrainingState:
    live = _live(request, id)
    _trainings(request).stop_unless_followed(live, token)
    return _state_of(request, live)


def _state_of(request: Request, live: LiveTraining) -> TrainingState:
    return _state(live.id, live.training, live.state, _trainings(request).place(live))


def _state(id: str, training: Training, state: State, place: int = 0) -> TrainingState:
    progress = {"state": state, "place": place, "steps": training.steps, "why": training.end}
    return TrainingState.model_validate({**describe(id, training), **progress})


@router.get(
    "/{id}/events",
    summary="Follow a training",
    response_class=Response,
    responses={
        200: {
            "description": "Server-sent events. `start` has the recipe, and each `checkpoint` its report. `end` has "
            "the `state` (done, stopped or failed) and, as `why`, the reason in words, empty if the training is "
            "complete. While the training waits, `place` has its place in the queue. All events except `place` have "
            "ids: after a lost connection, send the last id as `Last-Event-ID` to continue there.",
            "content": {EVENT_STREAM: {}},
        }
    },
)
async def events(request: Request, id: str, token: Token = "") -> Response:
    last = whole(request.headers.get("last-event-id", ""))
    after = -1 if last is None else last
    live = _trainings(request).get(id)
    if live is None:
        training = training_cache(request.app.state.settings).get(id)
        return Response(as_events(id, training, after), headers=STREAM_HEADERS, media_type=EVENT_STREAM)
    stream = _trainings(request).follow(live, after, token)
    return StreamingResponse(stream, headers=STREAM_HEADERS, media_type=EVENT_STREAM)


@router.post(
    "/{id}/tapes",
    summary="Run a sequence at every checkpoint of a training",
    response_class=Response,
    description=f"The sequence has at most {MOST_READ} timesteps. `start` is as in a trace. `steps` has the training "
    "steps of N checkpoints, starting with checkpoint `first`, counted from 0. `signals` has an array (N, T, H) for "
    "each signal, and `y` is (N, T, K), as little-endian float32 in base64.",
)
def tapes(request: Request, id: str, body: TapesBody) -> Response:
    settings: Settings = request.app.state.settings
    content = run_at_checkpoints(id, training_cache(settings).get(id), body.sequence, body.first, settings)
    return JSON(content)
