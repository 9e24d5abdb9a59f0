"""A lesson's page: its text beside the figure that the current step shows; and the lesson on paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import Refused
from ..lessons import shelf
from ..lessons.quantities import Runs, fixed
from ..lessons.reading import Figure, Lesson
from ..lessons.shown import Asked, ShownStep, question_of, revealed, shown
from ..runs.answers import to_json
from ..runs.followed import Followed
from ..settings import Settings
from . import compare, experiments, lab, train
from .boot import inert
from .page import Context, outputs


def course(settings: Settings) -> Context:
    """Return what the list of lessons fills in, with the errors of lessons that cannot be shown."""
    lessons, errors = [], []
    for name in shelf.names(settings):
        try:
            lessons.append(shelf.get(name, settings))
        except Refused as error:
            errors.append(error.message)
    groups = {"Before you begin": shelf.BEFORE, "Ten claims": shelf.CLAIMS, "After the GRU": shelf.AFTER}
    return {
        "section": "lessons",
        "groups": {title: [lesson for lesson in lessons if lesson.name in names] for title, names in groups.items()}
        | {"More lessons on this server": [lesson for lesson in lessons if lesson.name not in shelf.ORDER]},
        "wrong": errors,
    }


def filled(name: str, n: int, settings: Settings) -> tuple[Context, str]:
    """Return what the page of a lesson's n-th step fills in, of the first step if there is no such, and its template.

    Raises Refused if there is no such lesson, or if it cannot be shown.
    """
    lesson = shelf.get(name, settings)
    steps = steps_of(lesson, settings)
    n = n if 1 <= n <= len(steps) else 1
    page, template = figure_page(steps[n - 1].whole, steps[n - 1].upto, settings)
    return page | of_lesson(lesson, n, settings), template


def of_lesson(found: Lesson, n: int, settings: Settings, view: Mapping[str, Any] | None = None) -> Context:
    """What a lesson adds to the page of its n-th step's figure.

    In a room the page shows a `view`, and has nothing of the steps after it: the teacher goes on, and asks.
    """
    steps = steps_of(found, settings)
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


def steps_of(found: Lesson, settings: Settings) -> list[ShownStep]:
    try:
        return shown(found, settings)
    except ValueError as error:
        raise Refused(422, "lesson", f"the lesson “{found.name}” cannot be shown: {error}", "lesson") from error


def figure_page(figure: Figure, upto: int | None, settings: Settings) -> tuple[Context, str]:
    """What the page of a figure is filled with, of which the run may end after the step `upto`, and its template."""
    if figure.page == "compare":
        return compare.filled(figure.keys, settings), "compare.html"
    if figure.page == "train":
        return train.filled(figure.keys, settings), "train.html"
    if figure.page:
        name = figure.page.removeprefix("compare/")
        return experiments.filled(name, settings), f"labs/{name}.html"
    return lab.filled(figure.keys, settings, upto), "lab.html"


def on_paper(name: str, closed: bool, settings: Settings) -> Context:
    """Return what a lesson on paper fills in: the questions, and the answers on the last page unless `closed`."""
    lesson = shelf.get(name, settings)
    steps = steps_of(lesson, settings)
    answers = {
        part.id: revealed(question, settings)
        for step in steps
        for part in step.parts
        if isinstance(part, Asked) and not closed and (question := question_of(lesson, part.id))
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
    run, tokens = of.run.layers[-1], of.about["tokens"] or []
    upto = step.upto or len(tokens)
    rows = {style.symbol: getattr(run, name)[:upto, 0] for name, style in run.cell.signals.items()}
    signals = {symbol: [fixed(value) for value in row] for symbol, row in rows.items()}
    return {"tokens": tokens, "outputs": outputs(of.run.model, of.run)[:upto], "signals": signals}
