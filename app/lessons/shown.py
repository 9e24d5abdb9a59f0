"""Lessons as their pages show them: text as HTML with all numbers computed, and the answers, which are separate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypedDict
from urllib.parse import urlencode

from markupsafe import Markup

from gru_core.cells.registry import USUAL
from gru_core.numerals import whole

from ..link import compared_cells
from ..questions.kind import Prompt, Truth
from ..questions.registry import LESSON_KINDS
from ..settings import Settings
from .markdown import Prose, numbers_in, render
from .quantities import Runs, check_figure, evaluate
from .reading import Figure, Lesson, LessonQuestion, Mistake, Step, figure_of

VIEW = ("sequence", "clamps", "t", "unit", "convention", "when", "times", "cells", "step")
"""The keys of links that a page other than the Lab can change without a reload, `cells` of Compare only in part."""


def reload_keys(figure: Figure) -> dict[str, str]:
    """Return the keys that decide the HTML of a page other than the Lab: the task or the recipe, and its cells.

    An experiment has no such keys, since its script sets its controls.
    """
    if figure.page.startswith("compare/"):
        return {}
    keys = {key: value for key, value in figure.keys.items() if key not in VIEW}
    cells = figure.keys.get("cells", "") if figure.page == "train" else ""
    if figure.page == "compare":
        cells = ",".join(cell for cell in compared_cells(figure.keys) if cell not in USUAL)
    return keys | ({"cells": cells} if cells else {})


@dataclass(frozen=True)
class ShownQuestion:
    """A question on the page, without its answer. The texts of its `prompt` are Markup."""

    id: str
    prompt: Prompt


@dataclass(frozen=True)
class ShownStep:
    """A step on the page. Steps with the same `shape` can be shown by one page without a reload."""

    title: str
    figure: Figure
    shape: str
    link: str
    upto: int | None
    covered: bool
    parts: list[Markup | ShownQuestion]
    notes: Markup

    @property
    def whole(self) -> Figure:
        """The figure, with its sequence if the lesson does not name one."""
        return figure_of(self.link, self.figure)


@lru_cache(maxsize=64)
def shown_steps(lesson: Lesson, settings: Settings) -> list[ShownStep]:
    """Return the steps of a lesson. Raises ValueError if a number cannot be computed or a figure is not valid."""
    runs = Runs(settings)
    return [_step(n, step, runs) for n, step in enumerate(lesson.steps, 1)]


def question_of(lesson: Lesson, id: str) -> LessonQuestion | None:
    """Return the question with an id such as "2.1", the first question of the second step, or None."""
    step, place = (whole(part) or 0 for part in id.partition(".")[::2])
    questions = lesson.steps[step - 1].questions if 0 < step <= len(lesson.steps) else []
    return questions[place - 1] if 0 < place <= len(questions) else None


class Revealed(TypedDict):
    """The answer to a question, with the texts and the figure that are shown with it.

    `text` is a number in words. There is one of the `replies` for each option. `page` and `link` belong to the figure.
    """

    truth: Truth
    text: str
    replies: list[str]
    reveal: str
    why: str
    page: str
    link: str


def reveal_answer(question: LessonQuestion, settings: Settings) -> Revealed:
    """Return the answer to a question. Raises ValueError if it cannot be computed."""
    figure, runs = question.figure, Runs(settings)
    write = _number_writer(figure, runs)
    truth, text = LESSON_KINDS[question.kind].solve(question, runs)
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
    """Compute all steps, numbers and answers of a lesson, and yield the mistakes."""
    runs = Runs(settings)

    def attempt(line: int, function: Any, *arguments: Any) -> Iterator[Mistake]:
        try:
            function(*arguments)
        except ValueError as error:
            yield Mistake(line, str(error))

    def numbers(prose: Prose | None, figure: Figure) -> Iterator[Mistake]:
        for line, expression in numbers_in(prose) if prose else ():
            yield from attempt(line, evaluate, expression.removeprefix("yours "), figure, runs)

    for step in lesson.steps:
        errors = list(attempt(step.line, check_figure, step.figure, runs))
        yield from errors
        if errors:
            continue
        yield from numbers(step.notes, step.figure)
        for part in step.parts:
            if isinstance(part, Prose):
                yield from numbers(part, step.figure)
                continue
            errors = list(attempt(part.text.line, check_figure, part.figure, runs))
            yield from errors or attempt(part.text.line - 1, LESSON_KINDS[part.kind].solve, part, runs)
            yield from () if errors else numbers(part.text, step.figure)
            for prose in (*(option.words for option in part.options), *(option.reply for option in part.options)):
                yield from () if errors else numbers(prose, part.figure)
            for prose in (part.reveal, part.why):
                yield from () if errors else numbers(prose, part.figure)


def link_of(figure: Figure, runs: Runs) -> str:
    """Return the query of a figure's link. A link to the Lab always names the sequence.

    The inputs of the sequence have spaces between them, so that a page can hide the last inputs.
    """
    keys = dict(figure.keys)
    if figure.page.startswith("compare/"):
        return "?" + urlencode(keys, safe=",@=") if keys else ""
    linked = runs.get(figure)
    keys["sequence"] = " ".join(linked.trace.model.encoder.tokens(str(linked.scenario.sequence)))
    return "?" + urlencode(keys, safe=",@=")


def _step(n: int, step: Step, runs: Runs) -> ShownStep:
    check_figure(step.figure, runs)
    parts: list[Markup | ShownQuestion] = []
    count = 0
    for part in step.parts:
        if isinstance(part, LessonQuestion):
            count += 1
            parts.append(_shown_question(f"{n}.{count}", part, step.figure, runs))
        else:
            parts.append(render(part, _number_writer(step.figure, runs)))
    figure = step.figure
    notes = render(step.notes, _number_writer(figure, runs)) if step.notes else Markup("")
    return ShownStep(
        step.title, figure, _shape(figure, runs), link_of(figure, runs), step.upto, step.covered, parts, notes
    )


def _shape(figure: Figure, runs: Runs) -> str:
    """Return the shape of a figure: the cell in the Lab, otherwise the page and the keys that need a reload."""
    if figure.page == "":
        return runs.get(figure).trace.layers[-1].cell.name
    return f"{figure.page}?{urlencode(sorted(reload_keys(figure).items()))}"


def _shown_question(id: str, question: LessonQuestion, figure: Figure, runs: Runs) -> ShownQuestion:
    scale = LESSON_KINDS[question.kind].scale(question, int(figure.keys.get("t", 1)), runs)
    prompt = Prompt(
        question.kind,
        render(question.text, _number_writer(figure, runs)),
        tuple(render(option.words, _number_writer(question.figure, runs)) for option in question.options),
        scale.low,
        scale.high,
        1 if scale.form == "0" else (scale.high - scale.low) / 100,
        scale.form,
        scale.start,
        scale.steps,
        scale.signal,
    )
    return ShownQuestion(id, prompt)


def _number_writer(figure: Figure, runs: Runs) -> Callable[[str], Markup]:
    """Return a function that renders an expression between {{ and }} as HTML.

    The number is fixed. With “yours” before the expression, it changes with the scenario on the reader's page.
    """

    def write(expression: str) -> Markup:
        yours = expression.startswith("yours ")
        expression = expression.removeprefix("yours ")
        value, text = evaluate(expression, figure, runs)
        if yours:
            return Markup('<output class="yours" data-what="{}">{}</output>').format(expression, text)
        address = f"/{figure.page}?{urlencode(dict(figure.keys))}"
        tag = '<data class="number" value="{}" data-what="{}" data-of="{}">{}</data>'
        return Markup(tag).format(value, expression, address, text)

    return write
