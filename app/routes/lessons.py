"""GET /lessons and /lessons/NAME: the course, and a lesson beside the figure that its step shows."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response
from pydantic import Field

from gru_core.numerals import whole

from ..answers import to_json
from ..assets import version
from ..errors import Refused
from ..export import Followed
from ..lessons import shelf
from ..lessons.quantities import Runs, fixed, worked_out
from ..lessons.reading import Figure, Lesson, figure_of
from ..lessons.shown import Asked, ShownStep, question_of, revealed, shown
from ..schemas import Body
from ..settings import Settings
from ..shares import visitor
from . import compare, lab, labs, train
from .lab import answered, inert, outputs, root_of, templates

router = APIRouter()


@router.api_route("/lessons", methods=["GET", "HEAD"], include_in_schema=False)
def course(request: Request) -> Response:
    settings: Settings = request.app.state.settings
    own, wrong = [], []
    for name in shelf.names(settings):
        try:
            own.append(shelf.get(name, settings))
        except Refused as error:
            wrong.append(error.message)
    page = {
        "section": "lessons",
        "groups": {
            "Before you begin": [one for one in own if one.name in shelf.BEFORE],
            "Ten claims": [one for one in own if one.name in shelf.CLAIMS],
            "After the GRU": [one for one in own if one.name in shelf.AFTER],
            "More lessons on this server": [one for one in own if one.name not in shelf.ORDER],
        },
        "wrong": wrong,
        "root": root_of(request),
        "static": f"{root_of(request)}/static/{version()}",
    }
    return templates.TemplateResponse(request, "lessons.html", page, headers={"Cache-Control": "no-cache"})


@router.api_route("/lessons/{name}", methods=["GET", "HEAD"], include_in_schema=False)
@router.api_route("/embed/lessons/{name}", methods=["GET", "HEAD"], include_in_schema=False)
def lesson(request: Request, name: str) -> Response:
    """A step that there is not is the first."""
    settings: Settings = request.app.state.settings
    found = shelf.get(name, settings)
    steps = _shown(found, settings)
    n = whole(request.query_params.get("step", "1")) or 1
    n = n if n <= len(steps) else 1
    page, template = figure_page(steps[n - 1].whole, steps[n - 1].upto, settings)
    return answered(request, template, page | of_lesson(found, n, settings))


def of_lesson(found: Lesson, n: int, settings: Settings, view: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a lesson adds to the page of its n-th step's figure.

    In a room the page shows a `view`, and has nothing of the steps after it: the teacher goes on, and asks.
    """
    steps = _shown(found, settings)
    sent = [{"page": step.figure.page, "shape": step.shape, "link": step.link, "upto": step.upto} for step in steps]
    asked = {part.id: _sent(part) for step in steps for part in step.parts if isinstance(part, Asked)}
    if view is not None:
        sent = [one | {"link": "", "upto": None} for one in sent]
        sent[n - 1] |= {"link": view["link"], "upto": view["upto"]}
        asked = {}
    known = shelf.names(settings)
    after = shelf.shown(known[known.index(found.name) + 1 :], settings)
    return {
        "section": "lessons",
        "title": found.title,
        "lesson": found,
        "steps": steps,
        "step": n,
        "last": len(steps) if view is None else n,
        "needs": list(shelf.shown(found.needs, settings)),
        "after": next(after, None),
        "lesson_boot": inert(to_json({"name": found.name, "step": n, "steps": sent, "questions": asked})),
    }


def _sent(asked: Asked) -> dict[str, Any]:
    """What the script must know of a question; its words stand in the page."""
    kept = ("kind", "low", "high", "form", "start", "steps", "signal")
    return {name: getattr(asked, name) for name in kept}


def _shown(found: Lesson, settings: Settings) -> list[ShownStep]:
    try:
        return shown(found, settings)
    except ValueError as error:
        raise Refused(422, "lesson", f"the lesson “{found.name}” cannot be shown: {error}", "lesson") from error


def figure_page(figure: Figure, upto: int | None, settings: Settings) -> tuple[dict[str, Any], str]:
    """What the page of a figure is filled with, of which the run may end after the step `upto`, and its template."""
    if figure.page == "compare":
        return compare.filled(figure.keys, settings), "compare.html"
    if figure.page == "train":
        return train.filled(figure.keys, settings), "train.html"
    if figure.page:
        name = figure.page.removeprefix("compare/")
        return labs.filled(name, settings), f"labs/{name}.html"
    return lab.filled(figure.keys, settings, upto), "lab.html"


async def withheld(request: Request, name: str, authorization: Annotated[str, Header(max_length=200)] = "") -> bool:
    """Whether a class at this address follows a room that runs the lesson; False for the room's teacher."""
    answer: bool = await request.app.state.rooms.withheld(name, visitor(request), authorization)
    return answer


def open_to(closed: Annotated[bool, Depends(withheld)]) -> None:
    """Raise Refused while the lesson's answers are withheld."""
    if closed:
        message = "students at your network address are in this lesson: their teacher shows the answers"
        raise Refused(403, "in-class", message, "lesson")


@router.api_route("/lessons/{name}/print", methods=["GET", "HEAD"], include_in_schema=False)
def on_paper(request: Request, name: str, closed: Annotated[bool, Depends(withheld)]) -> Response:
    """Its questions first, and the answers on a last page, which a class has to wait for."""
    settings: Settings = request.app.state.settings
    found = shelf.get(name, settings)
    steps = _shown(found, settings)
    answers = {
        part.id: revealed(question, settings)
        for step in steps
        for part in step.parts
        if isinstance(part, Asked) and not closed and (question := question_of(found, part.id))
    }
    page = {
        "section": "lessons",
        "lesson_title": found.title,
        "minutes": found.minutes,
        "steps": steps,
        "tapes": _tapes(steps, settings),
        "answers": answers,
        "closed": closed,
        "address": f"{request.base_url}lessons/{name}",
        "root": root_of(request),
        "static": f"{root_of(request)}/static/{version()}",
    }
    return templates.TemplateResponse(request, "paper.html", page, headers={"Cache-Control": "no-cache"})


MOST_ON_PAPER = 12
"""Steps of a run of one unit that is printed as a table."""


def _tapes(steps: list[ShownStep], settings: Settings) -> list[dict[str, Any] | None]:
    """What the tape of each step says, where it is new, and small enough for paper.

    A later one of the same sequence could give away what is asked about the first.
    """
    runs, tapes, seen = Runs(settings), [], set()
    for step in steps:
        new = None
        if not step.figure.page:
            of = runs.of(step.figure)
            what = (of.scenario.model, of.scenario.sequence)
            if what not in seen and len(of.about["tokens"] or ()) <= MOST_ON_PAPER and of.run.h.shape[1] == 1:
                new = _tape(step, of)
            seen.add(what)
        tapes.append(new)
    return tapes


def _tape(step: ShownStep, of: Followed) -> dict[str, Any]:
    """No further than the page shows it."""
    run, tokens = of.run.layers[-1], of.about["tokens"]
    upto = step.upto or len(tokens)
    rows = {style.symbol: getattr(run, name)[:upto, 0] for name, style in run.cell.signals.items()}
    signals = {symbol: [fixed(value) for value in row] for symbol, row in rows.items()}
    return {"tokens": tokens, "outputs": outputs(of.run.model, of.run)[:upto], "signals": signals}


@router.get(
    "/api/lessons/{name}/reveal",
    summary="Get the answer to a lesson's question",
    description="`question` is, for example, 2.1: the first question of step 2. The lesson's page does not contain the "
    "answer. While students at your network address follow a room that shows this lesson, and do not explore, the "
    "status is 403: they get the answer from the room, when the teacher shows it. The teacher has the room's secret, "
    "and still gets the answer here with the header `Authorization: Bearer SECRET`.",
    dependencies=[Depends(open_to)],
)
def reveal(request: Request, name: str, question: Annotated[str, Query(max_length=9)]) -> Response:
    settings: Settings = request.app.state.settings
    found = question_of(shelf.get(name, settings), question)
    if found is None:
        raise Refused(404, "not-found", "this lesson has no such question", "question")
    try:
        return Response(to_json(revealed(found, settings)), media_type="application/json")
    except ValueError as error:
        raise Refused(422, "lesson", str(error), "lesson") from error


@router.get(
    "/api/lessons/{name}/outline",
    summary="Get a lesson's steps with the teacher's notes",
    description="Each step has its `title`, `notes`, `questions` by id, and the `link` of its figure. If the figure is "
    "covered, `upto` is the last timestep that it shows; otherwise it is null. While students at your network address "
    "follow a room that shows this lesson, and do not explore, only the teacher gets the steps, with the room's "
    "secret. Everyone else gets 403.",
    dependencies=[Depends(open_to)],
)
def outline(request: Request, name: str) -> list[dict[str, Any]]:
    settings: Settings = request.app.state.settings
    return [
        {
            "title": step.title,
            "notes": step.notes,
            "questions": {part.id: part.ask for part in step.parts if isinstance(part, Asked)},
            "link": step.link,
            "upto": step.upto,
        }
        for step in _shown(shelf.get(name, settings), settings)
    ]


SECONDS = 1.0
"""Of the processor, which one request for numbers may take; the time of its last number comes on top."""


class Numbers(Body):
    """Expressions such as z@3, to compute for the figure that `link` shows."""

    link: Annotated[str, Field(max_length=8000)]
    what: Annotated[list[Annotated[str, Field(max_length=200)]], Field(min_length=1, max_length=32)]


@router.post(
    "/api/numbers",
    summary="Compute numbers about a figure, as lessons write them",
    description="For example `z@3`, `share@7 from 4` or `score`, each as text. A number is null if it cannot be "
    f"computed, or if the request has already used {SECONDS:g} s of processor time.",
)
def numbers(request: Request, asked: Numbers) -> list[str | None]:
    settings: Settings = request.app.state.settings
    try:
        figure = figure_of(asked.link, Figure("", {}))
    except ValueError as error:
        raise Refused(422, "link", str(error), "link") from error
    runs, end = Runs(settings), time.thread_time() + SECONDS
    return [_number(expression, figure, runs) if time.thread_time() < end else None for expression in asked.what]


def _number(expression: str, figure: Figure, runs: Runs) -> str | None:
    try:
        return worked_out(expression, figure, runs).text
    except ValueError:
        return None
