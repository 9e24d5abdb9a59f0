"""A lesson as one HTML file that needs no server: a page for each kind of figure, with all that it asks for."""

from __future__ import annotations

import base64
from typing import Any

from markupsafe import Markup

from ..assets import assets
from ..lessons.quantities import Runs
from ..lessons.reading import Figure, Lesson
from ..lessons.shown import ShownStep, question_of, revealed, shown
from ..pages.boot import inert
from ..pages.lesson import figure_page, of_lesson
from ..pages.page import templates
from ..runs.answers import to_json
from ..runs.followed import Followed
from ..runs.reach import way_back_of
from ..runs.run import run_whole
from ..schemas import GapQuestion
from ..settings import Settings
from .page import (
    MOST_NUMBERS,
    MOST_PRODUCTS,
    Allowance,
    compared_runs,
    file,
    plotly_itself,
    plotly_source,
    policy,
    recorded,
    scripts,
    trainings_of,
)


def lesson_page(lesson: Lesson, settings: Settings, live: str = "") -> str:
    """`live` is the address of the server that can answer more. Raises ValueError where the lesson cannot be shown."""
    steps = shown(lesson, settings)
    firsts: dict[str, int] = {}
    for n, step in enumerate(steps, 1):
        firsts.setdefault(step.shape, n)
    plotly = "" if len(firsts) == 1 else None
    pages = {shape: _page(lesson, steps, n, settings, live, plotly) for shape, n in firsts.items()}
    if len(pages) == 1:
        return next(iter(pages.values()))
    # A frame is held to the policy of the page around it as well as to its own.
    allowed = [script for step in steps for script in scripts(_page_of(step))]
    frame_script = Markup(assets()["lesson/frames.js"].content.decode())
    filled = {
        "lesson": lesson,
        "pages": inert(to_json({"pages": pages, "shapes": [step.shape for step in steps]})),
        "plotly_itself": plotly_itself(),
        "frame_script": frame_script,
        "policy": policy([frame_script, plotly_source(), *allowed]),
    }
    return templates.get_template("saved.html").render(filled)


def _page(
    lesson: Lesson, steps: list[ShownStep], n: int, settings: Settings, live: str, plotly: str | None
) -> str:  # fmt: skip
    """The page of all steps that have the figure of the n-th, which is the first of these."""
    first = steps[n - 1]
    filled, _ = figure_page(first.whole, first.upto, settings)
    runs: list[dict[str, Any]] = []
    trainings: dict[str, Any] = {}
    reveals: dict[str, str] = {}
    for k, step in enumerate(steps, 1):
        if step.shape != first.shape:
            continue
        for q in range(1, len(lesson.steps[k - 1].questions) + 1):
            question = question_of(lesson, f"{k}.{q}")
            assert question is not None
            # Not to be read in passing by whoever looks into the file.
            reveals[f"{k}.{q}"] = base64.b64encode(to_json(revealed(question, settings))).decode()
        for figure in (step.figure, *(question.figure for question in lesson.steps[k - 1].questions)):
            if figure.page == "":
                runs += _runs(figure, step.upto, settings)
            elif figure.page == "compare":
                runs += compared_runs(figure.keys, settings)
            elif figure.page == "train":
                trainings |= trainings_of(figure.keys, filled, settings)
    record = {"link": first.link, "live": live, "runs": runs, "trainings": trainings, "reveals": reveals}
    if first.figure.page == "compare/gap":
        asked = {"gap": 50, "units": 16, "first": "plain", "b": 0}
        record["gap"] = {"question": asked, "answer": way_back_of(GapQuestion.model_validate(asked))}
    return file(_page_of(first), filled | of_lesson(lesson, n, settings), record, plotly)


def _page_of(step: ShownStep) -> str:
    return step.figure.page.removeprefix("compare/") or "lab"


def _runs(figure: Figure, upto: int | None, settings: Settings) -> list[dict[str, Any]]:
    """The run of a figure; where something is held, that of the model left alone; of a covered step its beginning."""
    of = Runs(settings).of(figure)
    allowance = Allowance(MOST_NUMBERS, MOST_PRODUCTS)
    found = [recorded(of, allowance, settings)]
    others = [of.scenario.model_copy(update={"clamps": [], "weights": [], "against": None})] if of.about["twin"] else []
    if upto is not None:
        tokens = str(of.scenario.sequence).split()[:upto]
        others.append(of.scenario.model_copy(update={"sequence": " ".join(tokens)}))
    runs = (Followed(of.link, scenario, *run_whole(scenario, settings)) for scenario in others)
    return [*found, *(recorded(run, allowance, settings) for run in runs)]
