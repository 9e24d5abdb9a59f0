"""Lessons in the form that their pages show: text as HTML with computed numbers. The answers are separate."""

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
"""The link keys that pages other than the Lab can change without a reload. `reload_keys` has the exceptions."""


def reload_keys(figure: Figure) -> dict[str, str]:
    """Return the link keys that decide the HTML of a page other than the Lab: the task or recipe, and the cells.

    The result is empty for the page of an experiment, because a script sets the controls of that page.
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
    """A question on the page, without its answer. All texts in `prompt` are HTML (Markup)."""

    id: str
    prompt: Prompt


@dataclass(frozen=True)
class ShownStep:
    """A step on the page. The page can change between steps with the same `shape` without a reload."""

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
        """The figure with all keys of its link, including a sequence that the lesson does not name."""
        return figure_of(self.link, self.figure)


@lru_cache(maxsize=64)
def shown_steps(lesson: Lesson, settings: Settings) -> list[ShownStep]:
    """Return the steps of a lesson for its page. Raises ValueError if a number or a figure cannot be computed."""
    runs = Runs(settings)
    return [_step(n, step, runs) for n, step in enumerate(lesson.steps, 1)]


def question_of(lesson: Lesson, id: str) -> LessonQuestion | None:
    """Return the question with this id, or None. The id "2.1" is the first question of the second step."""
    step, place = (whole(part) or 0 for part in id.partition(".")[::2])
    questions = lesson.steps[step - 1].questions if 0 < step <= len(lesson.steps) else []
    return questions[place - 1] if 0 < place <= len(questions) else None


class Revealed(TypedDict):
    """The answer to a question, with the texts and the figure that the page shows with the answer.

    `text` is the formatted answer to a number question. `replies` has one reply for each option. `page` and `link` give
    the address of the figure.
    """

    truth: Truth
    text: str
    replies: list[str]
    reveal: str
    why: str
    page: str
    link: str


def reveal_answer(question: LessonQuestion, settings: Settings) -> Revealed:
    """Return the answer to a question. Raises ValueError if the answer cannot be computed."""
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
    """Compute all figures, numbers and answers of a lesson, and yield each mistake."""
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
    """Return the query string of a figure's link. Except for an experiment, it always names the sequence.

    Spaces separate the inputs of the sequence, because a page may hide the last inputs.
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
    """Return a name that figures share if a page can change between them without a reload.

    For the Lab it is the name of the cell; for other pages, the page and its `reload_keys`.
    """
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
    """Return a function that evaluates an expression between {{ and }} for a figure, and returns HTML.

    With “yours” before the expression, the number on the page changes with the reader's scenario. Otherwise it is
    fixed.
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
