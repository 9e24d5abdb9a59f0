"""A lesson as its page has it: words as HTML, every number worked out, and, apart from these, what is revealed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from gru_core.cells import USUAL
from gru_core.numerals import decimal, whole

from ..link import compared_cells
from ..settings import Settings
from .markdown import Prose, numbers_in, render
from .quantities import Runs, check_figure, curve, steps_where, worked_out
from .reading import Figure, Lesson, Mistake, Question, Step, figure_of

VIEW = ("sequence", "clamps", "t", "unit", "convention", "when", "cells", "step")
"""What other pages than the lab change without being loaded anew; the cells of Compare, where they are on the page."""


def markup_of(figure: Figure) -> dict[str, str]:
    """The keys that decide the markup of a page other than the lab: the task or the recipe, and its cells."""
    kept = {key: value for key, value in figure.keys.items() if key not in VIEW}
    cells = figure.keys.get("cells", "") if figure.page == "train" else ""
    if figure.page == "compare":
        cells = ",".join(cell for cell in compared_cells(figure.keys) if cell not in USUAL)
    return kept | ({"cells": cells} if cells else {})


@dataclass(frozen=True)
class Asked:
    """A question as it stands on the page: its answer is not in it.

    A number is from `low` to `high`, a `grain` apart, and written in `form`: "%", or so many decimals. `steps` are the
    tokens to click, or to draw over from the place `start` on.
    """

    id: str
    kind: str
    ask: Markup
    options: list[Markup]
    low: float
    high: float
    grain: float
    form: str
    start: int
    steps: list[str]
    signal: str


@dataclass(frozen=True)
class ShownStep:
    """`shape` is the same for steps that one page can show without being loaded anew."""

    title: str
    figure: Figure
    shape: str
    link: str
    upto: int | None
    parts: list[Markup | Asked]
    notes: Markup

    @property
    def whole(self) -> Figure:
        """The figure, with the sequence that is run where the lesson leaves that out."""
        return figure_of(self.link, self.figure)


@lru_cache(maxsize=64)
def shown(lesson: Lesson, settings: Settings) -> list[ShownStep]:
    """Its steps. Raises ValueError where a number or a figure cannot be had."""
    runs = Runs(settings)
    return [_step(n, step, runs) for n, step in enumerate(lesson.steps, 1)]


def question_of(lesson: Lesson, id: str) -> Question | None:
    """The question of an id such as "2.1", the first of the second step."""
    step, place = (whole(part) or 0 for part in id.partition(".")[::2])
    questions = lesson.steps[step - 1].questions if 0 < step <= len(lesson.steps) else []
    return questions[place - 1] if 0 < place <= len(questions) else None


def revealed(question: Question, settings: Settings) -> dict[str, Any]:
    """What is said and shown once somebody has answered.

    `truth` has the options that are right, from 0; a number, with its `text`; the value at each step; or steps. Each
    option has one of the `replies`; `link` is the figure's.

    Raises ValueError where it cannot be worked out.
    """
    figure, runs = question.figure, Runs(settings)
    write = _writer(figure, runs)
    truth: Any
    text = ""
    if question.kind == "choose":
        truth = [i for i, option in enumerate(question.options) if option.right]
    elif question.kind == "number":
        found = worked_out(_number(question)[0], figure, runs)
        truth, text = found.value, found.text
    elif question.kind == "draw":
        truth = curve(question.asked, figure, runs)[0]
    else:
        truth = steps_where(question.asked, figure, runs)
    return {
        "truth": truth,
        "text": text,
        "replies": [render(option.reply, write) if option.reply else "" for option in question.options],
        "reveal": render(question.reveal, write) if question.reveal else "",
        "why": render(question.why, write) if question.why else "",
        "page": figure.page,
        "link": link_of(figure, runs),
    }


def mistakes(lesson: Lesson, settings: Settings) -> Iterator[Mistake]:
    """What goes wrong when every step, number and answer is worked out."""
    runs = Runs(settings)

    def tried(line: int, what: Any, *arguments: Any) -> Iterator[Mistake]:
        try:
            what(*arguments)
        except ValueError as error:
            yield Mistake(line, str(error))

    def numbers(prose: Prose | None, figure: Figure) -> Iterator[Mistake]:
        for line, expression in numbers_in(prose) if prose else ():
            yield from tried(line, worked_out, expression.removeprefix("yours "), figure, runs)

    for step in lesson.steps:
        wrong = list(tried(step.line, check_figure, step.figure, runs))
        yield from wrong
        if wrong:
            continue
        yield from numbers(step.notes, step.figure)
        for part in step.parts:
            if isinstance(part, Prose):
                yield from numbers(part, step.figure)
                continue
            wrong = list(tried(part.ask.line, check_figure, part.figure, runs))
            yield from wrong or tried(part.ask.line - 1, revealed_answer, part, runs)
            yield from () if wrong else numbers(part.ask, step.figure)
            for prose in (*(option.words for option in part.options), *(option.reply for option in part.options)):
                yield from () if wrong else numbers(prose, part.figure)
            for prose in (part.reveal, part.why):
                yield from () if wrong else numbers(prose, part.figure)


def revealed_answer(question: Question, runs: Runs) -> None:
    """Raise ValueError where the answer to a question cannot be worked out, or could not be given."""
    figure = question.figure
    if question.kind == "number":
        expression, low, high = _number(question)
        value = worked_out(expression, figure, runs).value
        if isinstance(value, str) or not low <= value <= high:
            raise ValueError(f"the answer, {value}, is not a number from {low:g} to {high:g}")
    elif question.kind == "draw":
        curve(question.asked, figure, runs)
    elif question.kind == "click" and not steps_where(question.asked, figure, runs):
        raise ValueError(f"no step has “{question.asked}”, so the question has no answer")


def link_of(figure: Figure, runs: Runs) -> str:
    """The query of a figure's link, with the sequence that is run where it leaves that out."""
    keys = dict(figure.keys)
    if figure.page.startswith("compare/"):
        return "?" + urlencode(keys, safe=",@=") if keys else ""
    keys["sequence"] = str(runs.of(figure).scenario.sequence)
    return "?" + urlencode(keys, safe=",@=")


def _step(n: int, step: Step, runs: Runs) -> ShownStep:
    check_figure(step.figure, runs)
    upto = int(step.figure.keys.get("t", 1)) if step.covered and step.figure.page == "" else None
    parts: list[Markup | Asked] = []
    asked = 0
    for part in step.parts:
        if isinstance(part, Question):
            asked += 1
            parts.append(_asked(f"{n}.{asked}", part, step.figure, runs))
        else:
            parts.append(render(part, _writer(step.figure, runs)))
    figure = step.figure
    notes = render(step.notes, _writer(figure, runs)) if step.notes else Markup("")
    return ShownStep(step.title, figure, _shape(figure, runs), link_of(figure, runs), upto, parts, notes)


def _shape(figure: Figure, runs: Runs) -> str:
    """The page, and what on it is part of its markup: the lab's cell, or the task, or the recipe."""
    if figure.page == "":
        return runs.of(figure).run.layers[-1].cell.name
    return f"{figure.page}?{urlencode(sorted(markup_of(figure).items()))}"


def _asked(id: str, question: Question, figure: Figure, runs: Runs) -> Asked:
    low, high, form = 0.0, 1.0, "2"
    steps: list[str] = []
    if question.kind == "number":
        expression, low, high = _number(question)
        written = worked_out(expression, question.figure, runs).text
        whole = re.fullmatch(r"[−\d,]+", written) is not None
        form = "%" if written.endswith("%") else "0" if whole else "2"
    elif question.kind != "choose":
        of = runs.of(question.figure)
        steps = of.about["tokens"] or []
        if question.kind == "draw":
            _, low, high = curve(question.asked, question.figure, runs)
    start = int(figure.keys.get("t", 1)) if question.kind == "draw" and question.covered else 0
    return Asked(
        id,
        question.kind,
        render(question.ask, _writer(figure, runs)),
        [render(option.words, _writer(question.figure, runs)) for option in question.options],
        low,
        high,
        1 if form == "0" else (high - low) / 100,
        form,
        start,
        steps,
        question.asked if question.kind == "draw" else "",
    )


def _number(question: Question) -> tuple[str, float, float]:
    expression, _, span = question.asked.rpartition(",")
    low, high = (decimal(end.strip()) for end in span.partition(" to ")[::2])
    if not expression or low is None or high is None or not -math.inf < low < high < math.inf:
        example = "write, for example, “:number: z@3, 0 to 1”"
        raise ValueError(f"“{question.asked}” is not a value with a range: {example}")
    return expression.strip(), low, high


def _writer(figure: Figure, runs: Runs) -> Any:
    """Writes what stands between {{ and }}: a number, or one that follows what the reader makes of the figure."""

    def write(expression: str) -> Markup:
        yours = expression.startswith("yours ")
        expression = expression.removeprefix("yours ")
        value, text = worked_out(expression, figure, runs)
        if yours:
            return Markup('<output class="yours" data-what="{}">{}</output>').format(expression, text)
        of = f"/{figure.page}?{urlencode(dict(figure.keys))}"
        tag = '<data class="number" value="{}" data-what="{}" data-of="{}">{}</data>'
        return Markup(tag).format(value, expression, of, text)

    return write
