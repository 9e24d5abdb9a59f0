"""GET /lessons and GET /lessons/NAME: the list of lessons, and the pages, answers and outline of a lesson."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from gru_core.numerals import whole

from ..errors import Refused
from ..lessons import shelf
from ..lessons.quantities import Runs, evaluate
from ..lessons.reading import Figure, figure_of
from ..lessons.shown import ShownQuestion, question_of, reveal_answer
from ..link import LONGEST_LINK
from ..pages import lesson as pages
from ..pages.page import respond, respond_with_figures
from ..rooms.withheld import open_to, withheld
from ..schemas import Body
from ..server.json_response import JSON
from ..settings import Settings

router = APIRouter()


@router.api_route("/lessons", methods=["GET", "HEAD"], include_in_schema=False)
def course(request: Request) -> Response:
    return respond(request, "lessons.html", pages.course_context(request.app.state.settings))


@router.api_route("/lessons/{name}", methods=["GET", "HEAD"], include_in_schema=False)
@router.api_route("/embed/lessons/{name}", methods=["GET", "HEAD"], include_in_schema=False)
def lesson(request: Request, name: str) -> Response:
    page, template = pages.page_context(
        name, whole(request.query_params.get("step", "1")) or 1, request.app.state.settings
    )
    return respond_with_figures(request, template, page)


@router.api_route("/lessons/{name}/print", methods=["GET", "HEAD"], include_in_schema=False)
def on_paper(request: Request, name: str, closed: Annotated[bool, Depends(withheld)]) -> Response:
    page = pages.paper_context(name, closed, request.app.state.settings)
    return respond(request, "paper.html", page | {"address": f"{request.base_url}lessons/{name}"})


@router.get(
    "/api/lessons/{name}/reveal",
    summary="Get the answer to a lesson's question",
    description="`question` is, for example, 2.1: the first question of step 2. The lesson's page does not contain the "
    "answer. While a room shows this lesson to students at your network address, the status is 403, except in the "
    "room's mode `explore`. The students then get the answer from the room, when the teacher shows it. The teacher "
    "gets it here, with the room's secret in the header `Authorization: Bearer SECRET`.",
    dependencies=[Depends(open_to)],
)
def reveal(request: Request, name: str, question: Annotated[str, Query(max_length=9)]) -> Response:
    settings: Settings = request.app.state.settings
    match = question_of(shelf.get(name, settings), question)
    if match is None:
        raise Refused(404, "not-found", "this lesson has no such question", "question")
    try:
        return JSON(reveal_answer(match, settings))
    except ValueError as error:
        raise Refused(422, "lesson", str(error), "lesson") from error


class OutlinedStep(BaseModel):
    """A step of a lesson, with its questions by id.

    `upto` is the last timestep that the step's figure shows, or null if the figure shows all timesteps.
    """

    title: str
    notes: str
    questions: dict[str, str]
    link: str
    upto: int | None


@router.get(
    "/api/lessons/{name}/outline",
    summary="Get a lesson's steps with the teacher's notes",
    description="Each step has its `title`, `notes`, `questions` by id, and the `link` of its figure. If the figure "
    "hides later timesteps, `upto` is the last timestep that it shows; otherwise it is null. While a room shows this "
    "lesson to students at your network address, the status is 403, except in the room's mode `explore`, and for the "
    "teacher, who sends the room's secret.",
    dependencies=[Depends(open_to)],
)
def outline(request: Request, name: str) -> list[OutlinedStep]:
    settings: Settings = request.app.state.settings
    return [
        OutlinedStep(
            title=step.title,
            notes=step.notes,
            questions={part.id: part.prompt.ask for part in step.parts if isinstance(part, ShownQuestion)},
            link=step.link,
            upto=step.upto,
        )
        for step in pages.steps_of(shelf.get(name, settings), settings)
    ]


SECONDS = 1.0
"""The maximum seconds of processor time for one request. Only the last number computed can exceed this limit."""


class Numbers(Body):
    """Expressions such as z@3, and the `link` of the view to compute them for."""

    link: Annotated[str, Field(max_length=LONGEST_LINK)]
    what: Annotated[list[Annotated[str, Field(max_length=200)]], Field(min_length=1, max_length=32)]


@router.post(
    "/api/numbers",
    summary="Compute the values of expressions for the view of a link",
    description="Expressions are as in lessons, for example `z@3`, `share@7 from 4` or `score`. Each value is returned "
    "as text. It is null if it cannot be computed, or if the request has already used "
    f"{SECONDS:g} s of processor time.",
)
def numbers(request: Request, body: Numbers) -> list[str | None]:
    settings: Settings = request.app.state.settings
    try:
        figure = figure_of(body.link, Figure("", {}))
    except ValueError as error:
        raise Refused(422, "link", str(error), "link") from error
    runs, end = Runs(settings), time.thread_time() + SECONDS
    return [_number(expression, figure, runs) if time.thread_time() < end else None for expression in body.what]


def _number(expression: str, figure: Figure, runs: Runs) -> str | None:
    try:
        return evaluate(expression, figure, runs).text
    except ValueError:
        return None
