"""The routes of rooms: the students' pages at /rooms/CODE, and the API for students and the teacher."""

from __future__ import annotations

import gzip
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any, Literal, TypedDict

import segno
from fastapi import APIRouter, Header, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from gru_core import GRU

from ..errors import Refused
from ..lessons import shelf
from ..pages.boot import escape_for_script
from ..pages.experiments import boot_without_model
from ..pages.lesson import figure_page, lesson_context
from ..pages.page import respond, respond_with_figures, templates
from ..rooms import codes
from ..rooms.composing import QuestionBody, compose
from ..rooms.record import as_csv
from ..rooms.room import Room
from ..rooms.rooms import Rooms
from ..rooms.state import ClassMode
from ..rooms.streams import ConnectedStream, follower_events, teacher_events
from ..rooms.views import ShownView, View, figure_of_view, validate_view
from ..runs.answers import to_json
from ..runs.events import EVENT_STREAM, STREAM_HEADERS
from ..schemas import Body
from ..server.shares import visitor
from ..settings import Settings

router = APIRouter()

Authorization = Annotated[str, Header(max_length=200)]
Device = Annotated[str, Header(alias="x-device", max_length=60)]


def _rooms(request: Request) -> Rooms:
    rooms: Rooms = request.app.state.rooms
    return rooms


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def _room(request: Request, code: str) -> Room:
    """Return the room with a code. Raise Refused if there is none."""
    return await _rooms(request).get(code, visitor(request))


async def _teachers_room(request: Request, code: str, authorization: str) -> Room:
    """Return the room with a code, for its teacher. Raise Refused for everyone else."""
    return await _rooms(request).get_as_teacher(code, visitor(request), authorization)


async def _validated(request: Request, view: View) -> ShownView:
    """Validate a view in a worker thread. Raise Refused if a room cannot show it."""
    return await run_in_threadpool(validate_view, view, _settings(request))


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

    mode: ClassMode


class Picked(Body):
    """The ids of the sketches to show above the others, at most twelve."""

    model_config = ConfigDict(strict=True, extra="forbid")

    sketches: Annotated[list[Annotated[str, Field(max_length=8)]], Field(max_length=12)]


class Turn(Body):
    """An action on the current question.

    close: take no more answers. again: take answers again, in the second round if there is one. reveal: show the
    answer. dismiss: remove the question.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    turn: Literal["close", "again", "reveal", "dismiss"]


class AnswerBody(Body):
    """An answer to a question of a room; `question` is the `id` of the question.

    `answer` is the place of an option, counted from 0; a number; a list of steps, counted from 1; a list with a value
    for each step that is drawn; or, in “Be the gate”, a list with z at each letter and then r at each letter.
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
def join_page(request: Request) -> Response:
    """Return the page with a field for a room's code."""
    return _join_form(request, "", 200)


def _join_form(request: Request, wrong: str, status: int, code: str = "") -> Response:
    """Return the page with the field for a room's code. `wrong` says what is wrong with `code`."""
    return respond(request, "rooms.html", {"section": "rooms", "wrong": wrong, "code": code}, status)


@router.api_route("/rooms/{code}", methods=["GET", "HEAD"], include_in_schema=False)
async def follow(request: Request, code: str) -> Response:
    """Return the page that the room shows to students. The page is cached until the view changes."""
    try:
        room = await _room(request, code)
    except Refused as error:
        return _join_form(request, error.message, error.status, code[:20])
    view = room.public.view
    key = f"{request.base_url} {replace(view, by='')}"
    gzipped = await room.page.get(key, lambda: bytes(_page(request, room, view).body))
    headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        plain = await run_in_threadpool(gzip.decompress, gzipped)
        return Response(plain, media_type="text/html", headers=headers)
    return Response(gzipped, media_type="text/html", headers=headers | {"Content-Encoding": "gzip"})


class RoomData(TypedDict):
    """The data of a room that a student's script needs: its code, and the view that it shows now."""

    code: str
    shape: str
    link: str
    upto: int | None


def _page(request: Request, room: Room, view: ShownView) -> Response:
    """Return the page of a view, with the data that its script needs to follow the room."""
    settings = _settings(request)
    room_data: RoomData = {"code": codes.written(room.code), "shape": view.shape, "link": view.link, "upto": view.upto}
    shown = {"room": room_data, "room_boot": escape_for_script(to_json(room_data))}
    page, template = figure_page(figure_of_view(view, settings), view.upto, settings)
    if view.page.startswith("lessons/"):
        lesson = shelf.get(view.page.removeprefix("lessons/"), settings)
        page |= lesson_context(lesson, view.step or 1, settings, view)
    return respond_with_figures(request, template, page | shown)


class OpenedRoom(BaseModel):
    """A new room: its code and address for the students, and its secret for the teacher."""

    code: str
    secret: str
    address: str


@router.post(
    "/api/rooms",
    summary="Open a room",
    status_code=201,
    description="The answer has the room's `code` and `address` for the students, and its `secret` for the teacher. "
    "The teacher's requests need the header `Authorization: Bearer SECRET`.",
)
async def open_room(request: Request, opening: Opening) -> OpenedRoom:
    view = await _validated(request, opening.view)
    room, secret = await _rooms(request).open(view, opening.secret, visitor(request))
    code = codes.written(room.code)
    return OpenedRoom(code=code, secret=secret, address=f"{request.base_url}rooms/{code}")


@router.get("/api/rooms/{code}/qr.svg", summary="Get a room's address as a QR code", response_class=Response)
async def qr(request: Request, code: str) -> Response:
    room = await _room(request, code)
    image = io.BytesIO()
    qr_code = segno.make(f"{request.base_url}rooms/{codes.written(room.code)}", error="m")
    qr_code.save(image, kind="svg", border=4, light="#fff", dark="#000", xmldecl=False, omitsize=True)
    return Response(image.getvalue(), media_type="image/svg+xml", headers={"Cache-Control": "no-cache"})


EVENTS: dict[int | str, dict[str, Any]] = {200: {"description": "Server-sent events", "content": {EVENT_STREAM: {}}}}


def _stream(events: AsyncIterator[bytes]) -> Response:
    return StreamingResponse(events, headers=STREAM_HEADERS, media_type=EVENT_STREAM)


@router.get(
    "/api/rooms/{code}/events",
    summary="Follow a room",
    response_class=Response,
    responses=EVENTS,
    description="The event `you` has the name of this `device`: send it as `X-Device` from then on. Each event `room` "
    "is the whole newest state. With `Last-Event-ID`, the stream leaves out the state that you already have. With "
    "`once`, the response ends after the newest state; use it behind a proxy that holds streams back.",
)
async def events(
    request: Request,
    code: str,
    device: Device = "",
    last_event_id: Annotated[str, Header(max_length=60)] = "",
    once: bool = False,
) -> Response:
    room, connections = await _room(request, code), _rooms(request).connections
    device, new = await connections.join(room, device, visitor(request))
    stream = follower_events(room, device, "" if new else last_event_id, once)
    if once:
        await connections.poll(room, device)
        return _stream(stream)
    return ConnectedStream(stream, STREAM_HEADERS, connections.connected(room, device))


@router.get(
    "/api/rooms/{code}/class",
    summary="Follow a room as its teacher",
    response_class=Response,
    responses=EVENTS,
    description="The event `class` has the room's state, the number of students, how many gave each answer, and, while "
    "they explore, their views. `once` works as for students.",
)
async def lead(request: Request, code: str, authorization: Authorization = "", once: bool = False) -> Response:
    room = await _teachers_room(request, code, authorization)
    return _stream(teacher_events(room, lambda: _rooms(request).teacher_state(room), once))


@router.get(
    "/api/rooms/{code}/sketches",
    summary="Get the class's sketches",
    description="The curves that students drew, each with an `id` and `values`, without names. Students get them once "
    "the answer is shown, the teacher at any time.",
)
async def sketches(request: Request, code: str, authorization: Authorization = "") -> Response:
    room = await _room(request, code)
    for_teacher = _rooms(request).is_teacher(room, authorization)
    sketches = await _rooms(request).questions.sketches(room, for_teacher)
    content = await run_in_threadpool(to_json, sketches)
    return Response(content, media_type="application/json", headers={"Cache-Control": "no-store"})


@router.post("/api/rooms/{code}/sketches", summary="Show some sketches above the others", status_code=204)
async def pick(request: Request, code: str, picked: Picked, authorization: Authorization = "") -> None:
    room = await _teachers_room(request, code, authorization)
    await _rooms(request).questions.pick(room, picked.sketches)


@router.post("/api/rooms/{code}/view", summary="Show a view to the class", status_code=204)
async def show(request: Request, code: str, view: View, authorization: Authorization = "") -> None:
    room = await _teachers_room(request, code, authorization)
    await _rooms(request).show(room, await _validated(request, view), view.question)


@router.post(
    "/api/rooms/{code}/mode",
    summary="Set the mode of the class",
    status_code=204,
)
async def mode(request: Request, code: str, body: Mode, authorization: Authorization = "") -> None:
    room = await _teachers_room(request, code, authorization)
    await _rooms(request).set_mode(room, body.mode)


@router.post(
    "/api/rooms/{code}/question",
    summary="Ask the class a question",
    status_code=204,
    description="A new question replaces the one before. Until the answer is shown, the figure hides it. A question of "
    "your own (`own`) leaves the figure as it is.",
)
async def ask(request: Request, code: str, body: QuestionBody, authorization: Authorization = "") -> None:
    room = await _teachers_room(request, code, authorization)
    question = await run_in_threadpool(compose, body, _settings(request))
    await _rooms(request).questions.ask(room, question)


@router.post(
    "/api/rooms/{code}/turn",
    summary="Stop or reopen answering, show the answer, or remove the question",
    status_code=204,
)
async def turn(request: Request, code: str, body: Turn, authorization: Authorization = "") -> None:
    room = await _teachers_room(request, code, authorization)
    questions = _rooms(request).questions
    turns = {
        "close": questions.close,
        "again": questions.again,
        "reveal": questions.reveal,
        "dismiss": questions.dismiss,
    }
    await turns[body.turn](room)


@router.post(
    "/api/rooms/{code}/answers",
    summary="Answer the question of a room",
    status_code=204,
    description="In each round a device counts once, with its last answer, until the teacher stops taking answers.",
)
async def answer(request: Request, code: str, body: AnswerBody, device: Device = "") -> None:
    room = await _room(request, code)
    await _rooms(request).questions.answer(room, device, body.question, body.answer)


@router.post(
    "/api/rooms/{code}/looks",
    summary="Report the view of an exploring student, without a name",
    status_code=204,
)
async def look(request: Request, code: str, look: Look, device: Device = "") -> None:
    try:
        room = await _room(request, code)
    except Refused as error:
        if error.code != "ended":
            raise
        return  # A student's page may report its view before it learns that the room has ended.
    await _rooms(request).explorations.look(room, device, await _validated(request, look.view), look.offered)


@router.delete("/api/rooms/{code}", summary="End a room", status_code=204)
async def end(request: Request, code: str, authorization: Authorization = "") -> None:
    room = await _teachers_room(request, code, authorization)
    await _rooms(request).end(room)


@router.get(
    "/api/rooms/{code}/record.{form}", summary="Get the record of questions and answers", response_class=Response
)
async def record(
    request: Request, code: str, form: Literal["csv", "html"], authorization: Authorization = ""
) -> Response:
    """Return the record: the questions, how many students gave each answer, and the links, without any names."""
    room = await _teachers_room(request, code, authorization)
    entries = await _rooms(request).questions.record(room)
    private = {"Cache-Control": "no-store"}
    if form == "csv":
        return Response(as_csv(entries), media_type="text/csv; charset=utf-8", headers=private)
    page = {"entries": entries, "code": codes.written(room.code), "base": str(request.base_url)}
    return templates.TemplateResponse(request, "record.html", page, headers=private)


@router.api_route("/rooms/{code}/presenter", methods=["GET", "HEAD"], include_in_schema=False)
async def presenter(request: Request, code: str) -> Response:
    """Return the page of the teacher's second window. It contains no secret: the secret is in the link, after the #."""
    page = {
        "section": "rooms",
        "code": codes.written(codes.read_code(code)[: codes.LENGTH]),
        "signals": GRU.signals,
        "boot": escape_for_script(to_json(boot_without_model(_settings(request)))),
    }
    return respond(request, "presenter.html", page)
