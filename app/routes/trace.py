"""POST /api/trace: run a scenario, as a stream of steps or as one JSON."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse

from gru_core import Model, Trace, stream
from gru_core.arrays import Array
from gru_core.cells import CELLS
from gru_core.tasks import task_of

from ..answers import events, numbers_of, start, whole
from ..budget import spend
from ..errors import Refused, within
from ..models import SHIPPED
from ..scenario import set_up
from ..schemas import Scenario, TraceQuestion, UnitPlace, UnitQuestion
from ..settings import Settings

router = APIRouter(prefix="/api")

NOT_KEPT = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}

BLOCK = 64
"""Most steps to one write: enough that a long run is not slowed by its events, few enough to be seen coming."""

PIECE = 2**14
"""Most numbers to one write, if a step has not more: a reader who stops reading holds some ten times that."""


SHORT, MOST_SHORT_CHANGES = 128, 8
"""Characters of a sequence, and clamps and edited weights, of a run that is computed in the event loop."""

MOST_IN_TEXT = 2**20
"""Numbers of a run in one answer of text, some 20 MB of it."""


def prepare(scenario: Scenario, settings: Settings, block: int | None) -> tuple[dict[str, Any], Iterator[Trace]]:
    """The `start` of a scenario's run, and the run itself, with its twin when anything is changed.

    It comes at most `block` steps and about PIECE numbers at a time, or whole where `block` is None.
    Raises as `set_up`, before anything is computed.
    """
    setup = set_up(scenario, settings)
    beside = setup.against is not None
    twin = setup.model if (scenario.clamps or scenario.weights) and not beside else None
    two = beside or twin is not None
    if block is not None:
        numbers = sum(cell.inputs + numbers_of(cell, two) * cell.units for cell in setup.changed.layers)
        block = max(1, min(block, PIECE // numbers))
    units = sum(cell.units for cell in setup.changed.layers)
    spend(units * min(len(setup.x), block or len(setup.x)) * (2 if two else 1))
    held, right = setup.holds, right_of(setup.model, setup.x)
    about = start(scenario.model, setup.changed, setup.tokens, len(setup.x), setup.h0, held, two, right)
    about["others"] = setup.others
    return about, stream(setup.changed, setup.x, setup.h0, setup.clamps, block, twin, setup.against)


def check_place(about: dict[str, Any], place: UnitPlace | UnitQuestion, where: str = "") -> None:
    """Raise Refused if the run of this `start` has no such unit; `where` is the part of the request it stands in."""
    layers = about["layers"]
    within(f"{where}layer", place.layer, 1, len(layers), "the layers of this model")
    within(f"{where}unit", place.unit, 1, layers[place.layer - 1]["H"], "the units of this layer")


def right_of(model: Model, x: Array) -> list[float | None] | None:
    """The task's own answers to inputs `(T, I)`, as `start` has them."""
    task = task_of(model)
    if task is None:
        return None
    target, scored = task.answers(x)
    first = 1 if task.kind == "softmax" else 0
    return [value + first if asked else None for value, asked in zip(target.tolist(), scored.tolist(), strict=True)]


def within_text(about: dict[str, Any], what: str) -> None:
    """Raise Refused when the run of this `start` is too large for `what`, one JSON for one."""
    most = MOST_IN_TEXT // sum(numbers_of(CELLS[one["cell"]], about["twin"]) * one["H"] for one in about["layers"])
    if about["T"] > most:
        message = (
            f"the run is too large for {what}: at most {most:,} of its {about['T']:,} steps fit. The stream (Accept: "
            "text/event-stream) and /api/export/trace.npz return the whole run"
        )
        raise Refused(413, "too-large", message, "sequence")


@router.post(
    "/trace",
    summary="Run a model over a sequence",
    response_class=Response,
    responses={
        200: {
            "description": "As text/event-stream: the events `start`, one `step` per timestep, and `done`; the rows of "
            "a step are little-endian float64 in base64. As application/json: one document, with infinite values as "
            "null. A step has `x`, `y` and, for each layer, its signals (r, z, h_tilde and h of a GRU), the terms "
            "`Wx.z`, `Uh.z`, … of each gate's sum, and `half_life`: the number of timesteps until half of the state is "
            "left if the gates stay as they are. Names with `twin.` belong to the original run, or with `against` to "
            "the run of the second sequence. Names with `delta.` are the differences to it. If something is clamped, "
            "`computed.z` and so on are the values that the clamp replaced, and `h_prev` is the old state that the "
            "timestep used. With `equations` in the request, each step has the `equations` of that unit. Their `parts` "
            "are the products: of a GRU kept, taken and past (what the reset gate lets through), of an LSTM kept, "
            "taken and tanh(c). Their `sizes` are the root mean squares of these over the units of the layer. Their "
            "`decimals` are the numbers of decimals with which a result follows from the other printed numbers, for "
            "each result that does not follow with all of 2, 3 and 4. At the end, `moved` has how far each unit's "
            "state moved. `twin.first` is the first timestep with another output (another label, or a number more "
            "than 0.01 away), and `twin.most` the largest difference of h with its place; both are null if nothing "
            "differs.",
            "content": {"text/event-stream": {}, "application/json": {}},
        }
    },
)
async def trace(request: Request, question: TraceQuestion) -> Response:
    settings, accept = request.app.state.settings, request.headers.get("accept", "")
    if _is_short(question):
        return _answer(question, settings, accept)
    return await run_in_threadpool(_answer, question, settings, accept)


def _is_short(scenario: Scenario) -> bool:
    """Return whether a run takes so little that a worker thread costs more than it saves: a preset, which is loaded,
    over a short text takes at most some milliseconds."""
    texts = [scenario.sequence, scenario.against or ""]
    changes = len(scenario.clamps) + len(scenario.weights)
    short = all(isinstance(text, str) and len(text) <= SHORT for text in texts)
    return scenario.model in SHIPPED and short and changes <= MOST_SHORT_CHANGES


def _answer(question: TraceQuestion, settings: Settings, accept: str) -> Response:
    place = question.equations
    streamed = "text/event-stream" in accept
    about, blocks = prepare(question, settings, BLOCK if streamed else None)
    if place is not None:
        check_place(about, place, "equations.")
    if streamed:
        first = next(blocks)
        if len(first.y) == about["T"]:
            # One block is one write: the same events, without the machinery of a stream.
            return Response(b"".join(events(about, [first], place)), headers=NOT_KEPT, media_type="text/event-stream")
        # A plain iterator: Starlette draws each block in a worker thread, and draws no more once the visitor has left.
        return EventSourceResponse(events(about, chain([first], blocks), place), headers=NOT_KEPT)
    within_text(about, "one JSON document")
    return Response(whole(about, next(blocks), place), media_type="application/json")
