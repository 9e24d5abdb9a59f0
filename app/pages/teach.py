"""The pages for teachers: class plans made of lessons, and a lab sheet with computed answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ..lessons import shelf
from ..lessons.quantities import Runs, evaluate
from ..lessons.reading import Figure, figure_of
from ..lessons.shown import ShownQuestion
from ..settings import Settings
from .lesson import steps_of
from .page import Context


class Item(NamedTuple):
    """A lesson part in a plan: its duration in minutes, and the instruction `do` for the teacher."""

    lesson: str
    part: int
    minutes: int
    do: str


CLASS = (
    Item("sequences", 1, 6, "Students answer alone. Show the answer, and read the tape aloud, timestep by timestep."),
    Item("gates", 1, 7, "Students draw. Show all drawings, and ask why the gate opens at one timestep only."),
    Item("gates", 2, 7, "Write the equation on the board. Students compute on paper before they answer."),
    Item("update", 1, 7, "Ask in two rounds: students answer alone, discuss with a neighbor, and answer again."),
    Item("half-life", 1, 6, "Ask how a small change at every timestep adds up over many timesteps."),
    Item("vanishing", 1, 7, "Write the gradient on the board as a product, with one factor for each timestep."),
)
"""The plan for 45 minutes. The minutes that are left at the end are for the students' own experiments."""

TASTE = (
    Item("gates", 1, 4, "Students draw the gate. Show the answer, and press Play once."),
    Item("update", 1, 4, "Students answer alone. Show the answer, and ask what a plain recurrent network keeps."),
)
"""The plan for 10 minutes. It also leaves the last minutes free."""

PLANS = {45: CLASS, 10: TASTE}
"""The plans by duration in minutes."""


@dataclass(frozen=True)
class Row:
    """A row of a plan: a lesson part with its questions, from minute `start` to minute `end`."""

    start: int
    end: int
    lesson: str
    part: int
    title: str
    part_title: str
    questions: list[str]
    do: str


def plans_context(settings: Settings) -> Context:
    """Return the context of the page with the plans. A plan leaves out parts that the lessons do not have."""
    plans = {minutes: _rows(items, settings) for minutes, items in PLANS.items()}
    return {"section": "lessons", "plans": plans}


def _rows(items: tuple[Item, ...], settings: Settings) -> list[Row]:
    rows, start = [], 0
    for name, part, minutes, do in items:
        lesson = shelf.get(name, settings)
        step = steps_of(lesson, settings)[part - 1]
        texts = [question.prompt.ask for question in step.parts if isinstance(question, ShownQuestion)]
        rows.append(Row(start, start + minutes, name, part, lesson.title, step.title, texts, do))
        start += minutes
    return rows


TAPE = "?model=flip-flop&sequence=A+m+m+B+m&t=1&views=tape,words"
CLAMPED = "?model=flip-flop&sequence=A+m+m+B+m&t=4&views=tape,words,whatif"
EQUATIONS = "?model=flip-flop&sequence=A+m+m+B+m&t=4&views=tape,equations"
"""The links of the tasks on the lab sheet."""


def lab_sheet_context(settings: Settings) -> Context:
    """Return the context of the lab sheet.

    The function `number` in the context evaluates an expression of the lessons' kind on the run of a link to the Lab.
    """
    runs = Runs(settings)

    def number(expression: str, link: str = TAPE) -> str:
        return evaluate(expression, figure_of(link, Figure("", {})), runs).text

    links = {"tape": TAPE, "clamped": CLAMPED, "equations": EQUATIONS}
    return {"section": "lessons", "number": number, "links": links}
