"""Rooms: a class on /rooms/CODE that follows its teacher, and what both say to the server."""

from __future__ import annotations

import gzip
import io
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import segno
from fastapi import APIRouter, Header, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from ..errors import Refused
from ..lessons import shelf
from ..pages.boot import escape_for_script
from ..pages.experiments import boot_without_model
from ..pages.lesson import figure_page, lesson_context
from ..pages.page import respond, respond_with_figures, templates
from ..rooms import codes
from ..rooms.asking import Ask, asked, covers_inputs
from ..rooms.record import as_csv
from ..rooms.room import Room
from ..rooms.rooms import Rooms
from ..rooms.views import View, figure_at, placed
from ..runs.answers import STREAM_HEADERS, to_json
from ..schemas import Body
from ..server.shares import visitor
from ..settings import Settings

router = APIRouter()

Authorization = Annotated[str, Header(max_length=200)]
Device = Annotated[str, Header(alias="x-device", max_length=60)]


def _rooms(request: Request) -> Rooms:
    rooms: Rooms = request.app.state.rooms
    return rooms


class Opening(Body):
    """The first view of a new room. If the server has lost a room, its `secret` opens it again with the same code."""

    model_config = ConfigDict(strict=True, extra="forbid")

    view: View
    secret: Annotated[str, Field(min_length=16, max_length=100)] | None = None


class Mode(Body):
    """The mode of the class.

    follow: students see the teacher's view. explore: each student has a view of their own. pause: students keep the
    last view, because the teacher's page sends no new one.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    mode: Literal["follow", "explore", "pause"]


class Picked(Body):
    """The ids of the sketches to show above the others, at most twelve."""

    model_config = ConfigDict(strict=True, extra="forbid")

    sketches: Annotated[list[Annotated[str, Field(max_length=8)]], Field(max_length=12)]


class Turn(Body):
    """What to do with the question.

    close: take no more answers. again: take answers again, in the second round if there is one. reveal: show the
    answer. dismiss: remove the question.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    turn: Literal["close", "again", "reveal", "dismiss"]


class Given(Body):
    """An answer to a question of a room; `question` is the `id` of the question.

    `answer` is the place of an option, counted from 0; a number; a list of steps, counted from 1; or a list with a
    value for each step that is drawn.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    question: int
    answer: int | float | Annotated[list[int | float], Field(max_length=2_000)]


class Look(Body):
    """The view of a student who explores. If `offered` is true, the teacher sees it as a suggestion for everyone."""

    model_config = ConfigDict(strict=True, extra="forbid")

    view: View
    offered: bool = False


@router.api_route("/rooms", methods=["GET", "HEAD"], include_in_schema=False)
def door(request: Request) -> Response:
    """Where a code is typed."""
    return _door(request, "", 200)


def _door(request: Request, wrong: str, status: int, code: str = "") -> Response:
    return respond(request, "rooms.html", {"section": "rooms", "wrong": wrong, "code": code}, status)


@router.api_route("/rooms/{code}", methods=["GET", "HEAD"], include_in_schema=False)
async def follow(request: Request, code: str) -> Response:
    """The page that the teacher has, for somebody who follows: made once for all who come while it shows the same."""
    try:
        room = await _rooms(request).get(code, visitor(request))
    except Refused as error:
        return _door(request, error.message, error.status, code[:20])
    view = room.state["view"]
    key = f"{request.base_url} {to_json({**view, 'by': ''}).decode()}"
    async with room.making:
        if room.page[0] != key:
            room.page = (key, await run_in_threadpool(lambda: gzip.compress(bytes(_page(request, room, view).body))))
        _, gzipped = room.page
    headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        plain = await run_in_threadpool(gzip.decompress, gzipped)
        return Response(plain, media_type="text/html", headers=headers)
    return Response(gzipped, media_type="text/html", headers=headers | {"Content-Encoding": "gzip"})


def _page(request: Request, room: Room, view: dict[str, Any]) -> Response:
    settings: Settings = request.app.state.settings
    about = {"code": codes.written(room.code), "shape": view["shape"], "link": view["link"], "upto": view["upto"]}
    shown = {"room": about, "room_boot": escape_for_script(to_json(about))}
    figure, upto = figure_at(view, settings)
    page, template = figure_page(figure, upto, settings)
    if view["page"].startswith("lessons/"):
        lesson = shelf.get(view["page"].removeprefix("lessons/"), settings)
        page |= lesson_context(lesson, view["step"] or 1, settings, view)
    return respond_with_figures(request, template, page | shown)


@router.post(
    "/api/rooms",
    summary="Open a room",
    status_code=201,
    description="The response has the room's `code` and `address` for the students, and its `secret` for the teacher. "
    "The teacher's requests need the header `Authorization: Bearer SECRET`.",
)
async def open_room(request: Request, opening: Opening) -> dict[str, Any]:
    view = await run_in_threadpool(placed, opening.view, request.app.state.settings)
    room, secret = await _rooms(request).open(view, opening.secret, visitor(request))
    written = codes.written(room.code)
    return {"code": written, "secret": secret, "address": f"{request.base_url}rooms/{written}"}


@router.get("/api/rooms/{code}/qr.svg", summary="Get a room's address as a QR code", response_class=Response)
async def qr(request: Request, code: str) -> Response:
    room = await _rooms(request).get(code, visitor(request))
    drawn = io.BytesIO()
    made = segno.make(f"{request.base_url}rooms/{codes.written(room.code)}", error="m")
    made.save(drawn, kind="svg", border=4, light="#fff", dark="#000", xmldecl=False, omitsize=True)
    return Response(drawn.getvalue(), media_type="image/svg+xml", headers={"Cache-Control": "no-cache"})


class Following(StreamingResponse):
    """A follower's stream: they are counted while it lasts."""

    def __init__(self, rooms: Rooms, room: Room, device: str, events: AsyncIterator[bytes]) -> None:
        super().__init__(events, headers=STREAM_HEADERS, media_type="text/event-stream")
        self.rooms, self.room, self.device = rooms, room, device

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self.rooms.following(self.room, self.device):
            await super().__call__(scope, receive, send)


EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Server-sent events", "content": {"text/event-stream": {}}}
}


@router.get(
    "/api/rooms/{code}/events",
    summary="Follow a room",
    response_class=Response,
    responses=EVENTS,
    description="The event `you` has the name of your `device`: send it as `X-Device` from then on. Each event `room` "
    "is the whole newest state. With `Last-Event-ID`, the stream leaves out the state that you already have. With "
    "`once`, the response ends after the newest state; use it if a proxy does not pass on streams.",
)
async def events(
    request: Request,
    code: str,
    device: Device = "",
    last_event_id: Annotated[str, Header(max_length=60)] = "",
    once: bool = False,
) -> Response:
    rooms, who = _rooms(request), visitor(request)
    room = await rooms.get(code, who)
    device, new = await rooms.join(room, device, who)
    stream = room.events(device, "" if new else last_event_id, once)
    if once:
        await rooms.asks(room, device)
        return StreamingResponse(stream, headers=STREAM_HEADERS, media_type="text/event-stream")
    return Following(rooms, room, device, stream)


@router.get(
    "/api/rooms/{code}/class",
    summary="Follow a room as its teacher",
    response_class=Response,
    responses=EVENTS,
    description="The event `class` has the room's state, the number of students, and how many gave each answer. While "
    "the students explore, it also has their views. `once` works as for students.",
)
async def lead(request: Request, code: str, authorization: Authorization = "", once: bool = False) -> Response:
    room = await _rooms(request).led(code, visitor(request), authorization)
    return StreamingResponse(_rooms(request).lead(room, once), headers=STREAM_HEADERS, media_type="text/event-stream")


@router.get(
    "/api/rooms/{code}/sketches",
    summary="Get the class's sketches",
    description="The curves that students drew, each with an `id` and `values`, without names. Students get them once "
    "the answer is shown, the teacher at any time.",
)
async def sketches(request: Request, code: str, authorization: Authorization = "") -> Response:
    room = await _rooms(request).get(code, visitor(request))
    drawn = await _rooms(request).sketches(room, _rooms(request).leads(room, authorization))
    return Response(to_json(drawn), media_type="application/json", headers={"Cache-Control": "no-store"})


@router.post("/api/rooms/{code}/sketches", summary="Show some sketches above the others", status_code=204)
async def pick(request: Request, code: str, picked: Picked, authorization: Authorization = "") -> None:
    room = await _rooms(request).led(code, visitor(request), authorization)
    await _rooms(request).pick(room, picked.sketches)


@router.post("/api/rooms/{code}/view", summary="Show a view to the class", status_code=204)
async def show(request: Request, code: str, view: View, authorization: Authorization = "") -> None:
    room = await _rooms(request).led(code, visitor(request), authorization)
    await _rooms(request).show(room, await run_in_threadpool(placed, view, request.app.state.settings))


@router.post(
    "/api/rooms/{code}/mode",
    summary="Set the mode of the class",
    status_code=204,
)
async def mode(request: Request, code: str, body: Mode, authorization: Authorization = "") -> None:
    room = await _rooms(request).led(code, visitor(request), authorization)
    await _rooms(request).set_mode(room, body.mode)


@router.post(
    "/api/rooms/{code}/question",
    summary="Ask the class a question",
    status_code=204,
    description="A new question replaces the previous one. Until the answer is shown, the figure hides the answer. A "
    "question of your own (`own`) leaves the figure as it is.",
)
async def ask(request: Request, code: str, body: Ask, authorization: Authorization = "") -> None:
    room = await _rooms(request).led(code, visitor(request), authorization)
    settings: Settings = request.app.state.settings
    made = await run_in_threadpool(asked, body, settings)
    if made.view is not None:
        for view in (made.view, made.answer["view"]):
            whole = not covers_inputs(made.public)
            view.update(await run_in_threadpool(placed, View(**view | {"by": ""}), settings, whole))
    await _rooms(request).ask(room, made)


@router.post(
    "/api/rooms/{code}/turn",
    summary="Stop or reopen answering, show the answer, or remove the question",
    status_code=204,
)
async def turn(request: Request, code: str, body: Turn, authorization: Authorization = "") -> None:
    rooms = _rooms(request)
    room = await rooms.led(code, visitor(request), authorization)
    await {"close": rooms.close, "again": rooms.again, "reveal": rooms.reveal, "dismiss": rooms.dismiss}[body.turn](
        room
    )


@router.post(
    "/api/rooms/{code}/answers",
    summary="Answer the question of a room",
    status_code=204,
    description="In each round only the last answer of a device counts. After the teacher stops taking answers, the "
    "status is 409.",
)
async def answer(request: Request, code: str, given: Given, device: Device = "") -> None:
    room = await _rooms(request).get(code, visitor(request))
    await _rooms(request).answer(room, device, given.question, given.answer)


@router.post(
    "/api/rooms/{code}/looks",
    summary="Report the view of an exploring student, without a name",
    status_code=204,
)
async def look(request: Request, code: str, look: Look, device: Device = "") -> None:
    try:
        room = await _rooms(request).get(code, visitor(request))
    except Refused as refused:
        if refused.code != "ended":
            raise
        return  # a student's page learns of the end later than it looks
    view = await run_in_threadpool(placed, look.view, request.app.state.settings)
    await _rooms(request).look(room, device, view, look.offered)


@router.delete("/api/rooms/{code}", summary="End a room", status_code=204)
async def end(request: Request, code: str, authorization: Authorization = "") -> None:
    room = await _rooms(request).led(code, visitor(request), authorization)
    await _rooms(request).end(room)


@router.get(
    "/api/rooms/{code}/record.{form}", summary="Get the record of questions and answers", response_class=Response
)
async def record(
    request: Request, code: str, form: Literal["csv", "html"], authorization: Authorization = ""
) -> Response:
    """The record has the questions, how many students gave each answer, and the links. It has no names."""
    room = await _rooms(request).led(code, visitor(request), authorization)
    entries = await _rooms(request).record(room)
    private = {"Cache-Control": "no-store"}
    if form == "csv":
        return Response(as_csv(entries), media_type="text/csv; charset=utf-8", headers=private)
    page = {"entries": entries, "code": codes.written(room.code), "base": str(request.base_url)}
    return templates.TemplateResponse(request, "record.html", page, headers=private)


@router.api_route("/rooms/{code}/presenter", methods=["GET", "HEAD"], include_in_schema=False)
async def presenter(request: Request, code: str) -> Response:
    """The teacher's other window. It holds nothing that is secret: that is in the link, after the #."""
    page = {
        "section": "rooms",
        "code": codes.written(codes.read_code(code)[: codes.LENGTH]),
        "boot": escape_for_script(to_json(boot_without_model(request.app.state.settings))),
    }
    return respond(request, "presenter.html", page)
