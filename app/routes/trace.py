"""POST /api/trace and /api/traces: run one scenario or several, as a stream of timesteps or as one JSON document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse
from fastapi.sse import EventSourceResponse

from gru_core import SequenceError, presets

from ..errors import Refused, at_place
from ..runs.answers import whole
from ..runs.events import EVENT_STREAM, STREAM_HEADERS, events
from ..runs.limits import BLOCK
from ..runs.run import is_large, prepare
from ..schemas import Scenario, TraceBody, TracesBody
from ..settings import Settings

router = APIRouter(prefix="/api")

SHORT, MOST_SHORT_CHANGES = 128, 8
"""The limits of a run that is computed in the event loop: characters of the sequence, and number of changes."""


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
            "the run of the second sequence. Names with `delta.` are the differences from that run. If a value is "
            "clamped, `computed.z` and so on are the values that the clamp replaced; if the old state is clamped, "
            "`h_prev` is the old state that the timestep used. With `equations` in the request, each step has the "
            "`equations` of that unit. Their `parts` are the products: kept and taken, of a GRU also past (what the "
            "reset gate lets through), of an LSTM also tanh(c). Their `sizes` are the root mean squares of these over "
            "the units of the layer. Their `decimals` are the numbers of decimals with which a result follows from the "
            "other printed numbers, for each result that does not follow with all of 2, 3 and 4. At the end, `moved` "
            "has the sum of the changes of each unit's state, without their signs. `twin.first` is the first timestep "
            "with a different output (another label, or a number that differs by more than 0.01), and `twin.most` is "
            "the largest difference of h, with its layer, unit and timestep; both are null if nothing differs. With "
            "`brief` in the request, a run of more than a million numbers has `exact` in `start`: each step then has "
            "only the signals of the units and their `delta.`, as float32 like `x`, and `unit` has all values of the "
            "unit that `exact` names. At the end, `last` has the exact last state of each layer; of other runs it is "
            "null. `/api/rows` returns those of another unit. If a softmax has more than 1,024 outputs, `y` has the 16 "
            "largest probabilities of each timestep, and `labels` their names; of more than 1,024 numbers `y` has the "
            "first 16. `y.total` counts all.",
            "content": {EVENT_STREAM: {}, "application/json": {}},
        }
    },
)
async def trace(request: Request, body: TraceBody) -> Response:
    settings, accept = request.app.state.settings, request.headers.get("accept", "")
    if _is_short(body):
        return _answer(body, settings, accept)
    return await run_in_threadpool(_answer, body, settings, accept)


@router.post(
    "/traces",
    summary="Run several models",
    response_class=Response,
    responses={
        200: {
            "description": "The streams of all scenarios, one after the other, each as `/api/trace` sends it: `start`, "
            "one `step` for each timestep, and `done`.",
            "content": {EVENT_STREAM: {}},
        }
    },
)
async def traces(request: Request, body: TracesBody) -> Response:
    settings, scenarios = request.app.state.settings, body.scenarios
    if all(map(_is_short, scenarios)):
        return _stream(_all_events(scenarios, settings))
    return _stream(await run_in_threadpool(_all_events, scenarios, settings))


def _is_short(scenario: Scenario) -> bool:
    """Return whether a run is so short that a worker thread would cost more time than it saves.

    A run of a loaded preset over a short text takes a few milliseconds at most.
    """
    texts = [scenario.sequence, scenario.against or ""]
    changes = len(scenario.clamps) + len(scenario.weights)
    short = all(isinstance(text, str) and len(text) <= SHORT for text in texts)
    simple = scenario.write is None and changes <= MOST_SHORT_CHANGES
    return scenario.model in presets.SHIPPED and short and simple


def _answer(body: TraceBody, settings: Settings, accept: str) -> Response:
    if EVENT_STREAM in accept:
        return _stream([_events(body, settings)])
    beginning, blocks = prepare(body, settings, None, place=body.equations)
    pieces = whole(beginning, next(blocks), body.equations)
    if is_large(beginning):
        return StreamingResponse(pieces, media_type="application/json")
    return Response(b"".join(pieces), media_type="application/json")


Events = tuple[bool, Iterator[bytes]]
"""A pair for a run: whether it is a single block, and its encoded events."""


def _events(body: TraceBody, settings: Settings) -> Events:
    """Compute the first block of a run, and return the `Events` of the run. Raises Refused or SequenceError."""
    place = body.equations
    beginning, blocks = prepare(body, settings, BLOCK, body.brief, place)
    first = next(blocks)
    return len(first.y) == beginning["T"], events(beginning, chain([first], blocks), place)


def _all_events(scenarios: Sequence[TraceBody], settings: Settings) -> list[Events]:
    """Return the `Events` of several runs. Raises Refused, with the number of the wrong scenario."""
    runs = []
    for number, scenario in enumerate(scenarios, start=1):
        try:
            runs.append(_events(scenario, settings))
        except (Refused, SequenceError) as error:
            raise at_place(f"scenarios.{number}", error) from error
    return runs


def _stream(runs: Sequence[Events]) -> Response:
    """Return a response that sends the events of all runs, one run after another."""
    pieces = chain.from_iterable(pieces for _, pieces in runs)
    if all(is_one_block for is_one_block, _ in runs):
        # One block is one write, so send the same events as a plain response, which is faster than a stream.
        return Response(b"".join(pieces), headers=STREAM_HEADERS, media_type=EVENT_STREAM)
    # Starlette computes each block of a plain iterator in a worker thread, and stops when the client disconnects.
    return EventSourceResponse(pieces, headers=STREAM_HEADERS)
