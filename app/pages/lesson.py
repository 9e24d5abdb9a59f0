"""The lesson pages: the list of lessons, a lesson beside the figure of its current step, and a lesson on paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, cast

from ..errors import Refused
from ..lessons import shelf
from ..lessons.formats import two_decimals
from ..lessons.quantities import Runs
from ..lessons.reading import Figure, Lesson
from ..lessons.shown import ShownQuestion, ShownStep, question_of, reveal_answer, shown_steps
from ..rooms.views import ShownView
from ..runs.answers import to_json
from ..runs.linked import LinkedRun
from ..settings import Settings
from ..sitemap import COMPARE, IN_ROOMS, LAB, START, TRAIN
from . import compare, experiments, lab, start, train
from .boot import escape_for_script
from .page import Context, outputs


def course_context(settings: Settings) -> Context:
    """Return the context of the list of lessons, with the error messages of lessons that cannot be read."""
    lessons, errors = [], []
    for name in shelf.names(settings):
        try:
            lessons.append(shelf.get(name, settings))
        except Refused as error:
            errors.append(error.message)
    return {
        "section": "lessons",
        "groups": {
            title: [lesson for lesson in lessons if lesson.name in names] for title, names in shelf.COURSE.items()
        }
        | {"More lessons on this server": [lesson for lesson in lessons if lesson.name not in shelf.ORDER]},
        "wrong": errors,
    }


def page_context(name: str, n: int, settings: Settings) -> tuple[Context, str]:
    """Return the page context and the template for step `n` of the lesson `name`, or for step 1 if `n` is out of range.

    Raises Refused if the lesson does not exist or cannot be shown.
    """
    lesson = shelf.get(name, settings)
    steps = steps_of(lesson, settings)
    n = n if 1 <= n <= len(steps) else 1
    page, template = figure_page(steps[n - 1].whole, steps[n - 1].upto, settings)
    return page | lesson_context(lesson, n, settings), template


def lesson_context(lesson: Lesson, n: int, settings: Settings, view: ShownView | None = None) -> Context:
    """Return the context that a lesson adds to the page with the figure of its step `n`.

    In a room the page shows the room's `view`, without later steps and without questions: the teacher sends them.
    """
    steps = steps_of(lesson, settings)
    sent: list[StepData] = [
        {
            "page": step.figure.page,
            "shape": step.shape,
            "link": step.link,
            "upto": step.upto,
            "covered": step.covered,
        }
        for step in steps
    ]
    questions = {
        part.id: _question_data(part) for step in steps for part in step.parts if isinstance(part, ShownQuestion)
    }
    if view is not None:
        for data in sent:
            data["link"], data["upto"] = "", None
        shown = sent[n - 1]
        shown["link"], shown["upto"], shown["covered"] = view.link, view.upto, view.covered
        questions = {}
    names = shelf.names(settings)
    after = shelf.readable_lessons(names[names.index(lesson.name) + 1 :], settings)
    script: LessonData = {"name": lesson.name, "step": n, "steps": sent, "questions": questions}
    return {
        "section": "lessons",
        "title": lesson.title,
        "lesson": lesson,
        "steps": steps,
        "step": n,
        "covered": sent[n - 1]["covered"],
        "last": len(steps) if view is None else n,
        "needs": list(shelf.readable_lessons(lesson.needs, settings)),
        "after": next(after, None),
        "lesson_boot": escape_for_script(to_json(script)),
    }


class StepData(TypedDict):
    """The step data that the script needs: the view of the step's figure until the visitor answers."""

    page: str
    shape: str
    link: str
    upto: int | None
    covered: bool


class QuestionData(TypedDict):
    """The question data that the script needs. The text of the question is in the page."""

    kind: str
    low: float
    high: float
    form: str
    start: int
    steps: Sequence[str]
    signal: str


class LessonData(TypedDict):
    """The lesson data for the script: the number of the first `step` to show, all steps, and the questions by id."""

    name: str
    step: int
    steps: list[StepData]
    questions: dict[str, QuestionData]


def _question_data(question: ShownQuestion) -> QuestionData:
    return cast(QuestionData, {name: getattr(question.prompt, name) for name in QuestionData.__annotations__})


def steps_of(lesson: Lesson, settings: Settings) -> list[ShownStep]:
    try:
        return shown_steps(lesson, settings)
    except ValueError as error:
        raise Refused(422, "lesson", f"the lesson “{lesson.name}” cannot be shown: {error}", "lesson") from error


def figure_page(figure: Figure, upto: int | None, settings: Settings) -> tuple[Context, str]:
    """Return the page context and the template of a figure. With `upto`, a run in the Lab ends after this timestep."""
    page = IN_ROOMS[figure.page]
    if page is LAB:
        context = lab.page_context(figure.keys, settings, upto)
    elif page is COMPARE:
        context = compare.page_context(figure.keys, settings)
    elif page is TRAIN:
        context = train.page_context(figure.keys, settings)
    elif page is START:
        context = start.page_context(settings)
    else:
        context = experiments.page_context(page.name, settings)
    return context, page.template


def paper_context(name: str, closed: bool, settings: Settings) -> Context:
    """Return the context of a lesson on paper: its questions, and the answers on the last page unless `closed`."""
    lesson = shelf.get(name, settings)
    steps = steps_of(lesson, settings)
    answers = {
        part.id: reveal_answer(question, settings)
        for step in steps
        for part in step.parts
        if isinstance(part, ShownQuestion) and not closed and (question := question_of(lesson, part.id))
    }
    return {
        "section": "lessons",
        "lesson_title": lesson.title,
        "minutes": lesson.minutes,
        "steps": steps,
        "tapes": _tapes(steps, settings),
        "answers": answers,
        "closed": closed,
    }


MOST_ON_PAPER = 12
"""The largest number of timesteps of a run that is printed as a table."""


class PaperTape(TypedDict):
    """A run as a table on paper: tokens, outputs, and the values of each signal by its symbol."""

    tokens: Sequence[str]
    outputs: Sequence[str]
    signals: dict[str, list[str]]


def _tapes(steps: list[ShownStep], settings: Settings) -> list[PaperTape | None]:
    """Return for each step the tape to print, or None if the tape is not new or too large for paper.

    A second tape of the same sequence could give away the answer to a question about the first one.
    """
    runs, tapes, seen = Runs(settings), [], set()
    for step in steps:
        new = None
        if not step.figure.page:
            linked = runs.get(step.figure)
            key = (linked.scenario.model, linked.scenario.sequence)
            if key not in seen and len(linked.start["tokens"] or ()) <= MOST_ON_PAPER and linked.trace.h.shape[1] == 1:
                new = _tape(step, linked)
            seen.add(key)
        tapes.append(new)
    return tapes


def _tape(step: ShownStep, linked: LinkedRun) -> PaperTape:
    """Return the tape of a step, up to the last timestep that the page shows."""
    run, tokens = linked.trace.layers[-1], linked.start["tokens"] or []
    upto = step.upto or len(tokens)
    rows = {style.symbol: getattr(run, name)[:upto, 0] for name, style in run.cell.signals.items()}
    signals = {symbol: [two_decimals(value) for value in row] for symbol, row in rows.items()}
    return {"tokens": tokens, "outputs": outputs(linked.trace.model, linked.trace)[:upto], "signals": signals}
