"""Lessons as HTML files that need no server. A file has a page for each kind of figure, with the recorded data."""

from __future__ import annotations

import base64

from markupsafe import Markup

from ..assets import assets
from ..lessons.quantities import Runs
from ..lessons.reading import Figure, Lesson
from ..lessons.shown import ShownStep, question_of, reveal_answer, shown_steps
from ..pages.boot import escape_for_script
from ..pages.lesson import figure_page, lesson_context
from ..pages.page import templates
from ..runs.answers import to_json
from ..runs.linked import LinkedRun
from ..runs.reach import gradient_reach, linked_body
from ..runs.run import run_whole
from ..settings import Settings
from .models import stored_models
from .page import (
    MOST_NUMBERS,
    MOST_PRODUCTS,
    Allowance,
    file,
    plotly_packed,
    plotly_source,
    policy,
    record_comparison,
    record_run,
    record_trainings,
    scripts,
)
from .recording import RecordedRun, RecordedTraining, Recording


def lesson_page(lesson: Lesson, settings: Settings, live: str = "") -> str:
    """Return a lesson as one HTML file. `live` is the address of a server, for the link “Open in GRU Scope”.

    Raises ValueError if the lesson cannot be shown.
    """
    steps = shown_steps(lesson, settings)
    firsts: dict[str, int] = {}
    for n, step in enumerate(steps, 1):
        firsts.setdefault(step.shape, n)
    with_plotly = len(firsts) == 1
    pages = {shape: _page(lesson, steps, n, settings, live, with_plotly) for shape, n in firsts.items()}
    if len(pages) == 1:
        return next(iter(pages.values()))
    # The policies of a frame and of the page around the frame both apply to the frame.
    allowed = [script for step in steps for script in scripts(_page_of(step))]
    frame_script = Markup(assets()["lesson/frames.js"].content.decode())
    context = {
        "lesson": lesson,
        "pages": escape_for_script(to_json({"pages": pages, "shapes": [step.shape for step in steps]})),
        "plotly_itself": plotly_packed(),
        "frame_script": frame_script,
        "policy": policy([frame_script, plotly_source(), *allowed]),
    }
    return templates.get_template("saved.html").render(context)


def _page(
    lesson: Lesson, steps: list[ShownStep], n: int, settings: Settings, live: str, with_plotly: bool
) -> str:  # fmt: skip
    """Return the page for step `n`. All other steps with a figure of the same shape use this page too."""
    first = steps[n - 1]
    context, _ = figure_page(first.whole, first.upto, settings)
    runs: list[RecordedRun] = []
    trainings: dict[str, RecordedTraining] = {}
    reveals: dict[str, str] = {}
    for k, step in enumerate(steps, 1):
        if step.shape != first.shape:
            continue
        for q in range(1, len(lesson.steps[k - 1].questions) + 1):
            question = question_of(lesson, f"{k}.{q}")
            assert question is not None
            # The answers are encoded so that nobody reads them by accident in the file.
            reveals[f"{k}.{q}"] = base64.b64encode(to_json(reveal_answer(question, settings))).decode()
        for figure in (step.figure, *(question.figure for question in lesson.steps[k - 1].questions)):
            if figure.page == "":
                runs += _runs(figure, step.upto, settings)
            elif figure.page == "compare":
                runs += record_comparison(figure.keys, settings)
            elif figure.page == "train":
                trainings |= record_trainings(figure.keys, context, settings)
    record: Recording = {
        "link": first.link,
        "live": live,
        "runs": runs,
        "models": stored_models((run["scenario"]["model"] for run in runs), settings),
        "trainings": trainings,
        "reveals": reveals,
    }
    if first.figure.page == "compare/gap":
        linked = (linked_body(step.figure.keys) for step in steps if step.shape == first.shape)
        questions = {question.model_dump_json(): question for question in linked}
        record["gaps"] = [
            {"question": question.model_dump(), "answer": gradient_reach(question)} for question in questions.values()
        ]
    return file(_page_of(first), context | lesson_context(lesson, n, settings), record, with_plotly)


def _page_of(step: ShownStep) -> str:
    return step.figure.page.removeprefix("compare/") or "lab"


def _runs(figure: Figure, upto: int | None, settings: Settings) -> list[RecordedRun]:
    """Return the recorded runs of a figure.

    If the run has a twin, also record the original run. If `upto` is not None, the page hides the timesteps after
    `upto`, so also record the run over the shorter sequence.
    """
    linked = Runs(settings).get(figure)
    allowance = Allowance(MOST_NUMBERS, MOST_PRODUCTS)
    recordings = [record_run(linked, allowance, settings)]
    other_scenarios = (
        [linked.scenario.model_copy(update={"clamps": [], "weights": [], "against": None})]
        if linked.start["twin"]
        else []
    )
    if upto is not None:
        other_scenarios.append(linked.scenario.until(upto))
    runs = (LinkedRun(linked.link, scenario, *run_whole(scenario, settings)) for scenario in other_scenarios)
    return [*recordings, *(record_run(run, allowance, settings) for run in runs)]
