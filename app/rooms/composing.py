"""The questions that a teacher can ask a class: from a lesson, about the run at the cursor, or the teacher's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from markupsafe import Markup, escape
from pydantic import ConfigDict, Field, FiniteFloat

from gru_core import Model, SequenceError
from gru_core.training.tasks import task_of

from ..errors import Refused
from ..lessons import shelf
from ..lessons.quantities import Runs, evaluate, matching_steps
from ..lessons.reading import Figure
from ..lessons.shown import ShownQuestion, link_of, question_of, reveal_answer, shown_steps
from ..link import DEFAULTS
from ..questions.choose import plain
from ..questions.kind import Number, Prompt, Truth
from ..schemas import Body
from ..settings import Settings
from ..sitemap import START
from .gate import TEXT, gate_question
from .question import Solution
from .views import ShownView, View, address, figure_of_view, validate_view

MOST_OPTIONS = 6
"""The maximum number of options in a question about a symbol output. The options are the most likely symbols."""

MOST_STEPS = 200
"""The maximum number of timesteps that students can select or draw over."""

STAYS = 0.05
"""The largest change of the output that counts as no change, as a share of the output's range in the run."""

LARGEST, SMALLEST = 1e9, 1e-6
"""The limits for the range of a number question: the largest absolute value of its ends, and its smallest width."""

Subject = Literal["lesson", "output", "signal", "wrote", "gate", "own"]
"""The subject of a question. `QuestionBody` describes each subject."""

OptionText = Annotated[str, Field(min_length=1, max_length=400)]


class QuestionBody(Body):  # The API reference shows the names of request bodies.
    """A question for the class. `subject` chooses its kind. If `rounds` is 2, the class answers twice.

    "lesson": a question of a lesson; `lesson` and `question`, such as 2.1, name it. "output": the output at the step
    after the cursor of `view`. "signal": the value of `signal` at the step after the cursor. "wrote": the step that
    contributed most to the state at the cursor. "gate": the game “Be the gate”, which each student plays on their
    own device. "own": your own question, with its `text`. Students answer with one of `options`, with a number from
    `low` to `high`, or, if neither is given, with timesteps of the sequence in `view`. `right` is the correct option,
    counted from 0, the correct number, or the correct timestep, counted from 1. It is null if there is no correct
    answer.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    subject: Subject
    rounds: Literal[1, 2] = 1
    view: View = View(page="", link="")
    lesson: Annotated[str, Field(max_length=100)] = ""
    question: Annotated[str, Field(max_length=9)] = ""
    signal: Annotated[str, Field(max_length=10)] = "z"
    text: Annotated[str, Field(max_length=400)] = ""
    options: Annotated[list[OptionText], Field(max_length=8)] = Field(default=[])
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None
    right: FiniteFloat | None = None


@dataclass(frozen=True)
class NewQuestion:
    """A question that a room can ask, with its solution.

    `cover` is the view that the class sees before the answer is revealed, and `view_after` the view that it sees
    afterward. Both are None if the question does not change the view. For the record, `text` is the question without
    markup, and `link` the address of its figure.
    """

    prompt: Prompt
    rounds: int
    solution: Solution
    cover: ShownView | None
    view_after: ShownView | None
    text: str
    link: str


@dataclass(frozen=True)
class _Draft:
    """A question with unvalidated views. Before the answer, students see the inputs up to timestep `last_input`."""

    prompt: Prompt
    solution: Solution
    views: tuple[View, View] | None
    text: str
    link: str
    last_input: int | None = None


def compose(body: QuestionBody, settings: Settings) -> NewQuestion:
    """Build the question that a request describes. Raise Refused if it cannot be asked."""
    try:
        draft = DRAFTS[body.subject](body, settings)
    except (SequenceError, ValueError) as error:
        message = f"this question cannot be asked: {str(error).rstrip('.')}"
        raise Refused(422, "question", message, "question") from error
    steps = len(draft.prompt.steps)
    if steps > MOST_STEPS:
        message = f"at most {MOST_STEPS} timesteps can be selected or drawn over; this sequence has {steps}"
        raise Refused(422, "question", message, "question")
    cover, after = None, None
    if draft.views:
        cover = validate_view(draft.views[0], settings, draft.last_input)
        after = replace(validate_view(draft.views[1], settings), covered=False)
    return NewQuestion(draft.prompt, body.rounds, draft.solution, cover, after, draft.text, draft.link)


def _lesson_question(body: QuestionBody, settings: Settings) -> _Draft:
    lesson = shelf.get(body.lesson, settings)
    question = question_of(lesson, body.question)
    if question is None:
        raise Refused(404, "not-found", "this lesson has no such question", "question")
    n = int(body.question.partition(".")[0])
    step = shown_steps(lesson, settings)[n - 1]
    part = next(part for part in step.parts if isinstance(part, ShownQuestion) and part.id == body.question)
    answer = reveal_answer(question, settings)
    replies = tuple(map(str, answer["replies"]))
    solution = Solution(answer["truth"], answer["text"], replies, str(answer["reveal"]), str(answer["why"]))
    page = f"lessons/{body.lesson}"
    before = View.model_construct(page=page, step=n, link=step.link, upto=step.upto)
    after = View.model_construct(page=page, step=n, link=answer["link"], upto=None)
    return _Draft(part.prompt, solution, (before, after), plain(Markup(part.prompt.ask)), f"{page}?step={n}")


class _Cursor:
    """The run that a view of the Lab shows, and the unit and timestep at the cursor.

    Raises ValueError if the view shows another page.
    """

    def __init__(self, view: View, settings: Settings) -> None:
        self.view, self.runs = view, Runs(settings)
        self.figure = figure_of_view(view, settings)
        if self.figure.page:
            raise ValueError("a question about the cursor needs a figure of the Lab: show one first")
        linked = self.runs.get(self.figure)
        self.run, self.tokens = linked.trace, linked.start["tokens"] or []
        keys = linked.link.options
        self.T, self.t, self.unit = linked.start["T"], int(keys.get("t", 1)), int(keys.get("unit", 1))
        self.given = linked.start["given"]

    def next_figure(self) -> Figure:
        """Return the figure with the cursor at the next timestep. Raise ValueError if there is none."""
        if self.t >= self.T:
            raise ValueError("the cursor is at the last timestep, so nothing comes after it: move the cursor back")
        return Figure("", {**self.figure.keys, "t": str(self.t + 1)})

    def step(self, t: int) -> Markup:
        """Return a timestep as HTML, with its token."""
        token = Markup(" (“{}”)").format(self.tokens[t - 1]) if self.tokens else Markup("")
        return Markup("<i>t</i> = {}{}").format(t, token)

    def steps(self, last: int) -> tuple[str, ...]:
        """Return the tokens of the timesteps up to `last`, or the timestep numbers if the model has no tokens."""
        return tuple(self.tokens[:last]) or tuple(str(t) for t in range(1, last + 1))

    def views(self, figure: Figure) -> tuple[View, View]:
        """Return two views: one that ends at the cursor, and one of `figure`, which shows the answer."""
        return self.view_of(self.figure, self.t), self.view_of(figure)

    def view_of(self, figure: Figure, upto: int | None = None) -> View:
        """Return the view with `figure` as its figure, and the run cut off after timestep `upto`, if given."""
        # model_copy does not validate: a link that was made here may be longer than a link from a page.
        return self.view.model_copy(update={"link": link_of(figure, self.runs), "upto": upto, "by": ""})


def _output_question(body: QuestionBody, settings: Settings) -> _Draft:
    cursor = _Cursor(body.view, settings)
    figure, y, readout = cursor.next_figure(), cursor.run.y, cursor.run.model.readout
    step = cursor.step(cursor.t + 1)
    now, then = y[cursor.t - 1], y[cursor.t]
    if readout.kind == "linear":
        options = [Markup(text) for text in ("It rises.", "It falls.", "It stays about the same.")]
        change, least = float(then[0] - now[0]), STAYS * float(y.max() - y.min())
        right = 2 if abs(change) <= least else 0 if change > 0 else 1
        text = Markup("How will the output change at the next timestep, {}?").format(step)
    else:
        likeliest = sorted(sorted(range(len(then)), key=lambda k: -then[k])[:MOST_OPTIONS])
        options = [escape(readout.labels[k]) for k in likeliest]
        right = likeliest.index(int(then.argmax()))
        text = Markup("What will the output be at the next timestep, {}?").format(step)
    output = evaluate(f"y@{cursor.t + 1}", figure, cursor.runs).text
    solution = _solution((right,), Markup("The output at {} is {}.").format(step, output))
    last_input = cursor.t + 1 if _predicts_inputs(cursor.run.model) else None
    return _Draft(
        Prompt("choose", _paragraph(text), tuple(map(str, options))), solution, cursor.views(figure), plain(text),
        address(cursor.view), last_input,
    )  # fmt: skip


def _predicts_inputs(model: Model) -> bool:
    """Return whether a model's output can be its next input. If it can, later inputs would give the answer away."""
    task = task_of(model)
    return task is None or task.writes or task.series is not None


def _signal_question(body: QuestionBody, settings: Settings) -> _Draft:
    cursor = _Cursor(body.view, settings)
    figure = cursor.next_figure()
    signals = cursor.run.layers[-1].cell.signals
    if body.signal not in signals:
        raise ValueError(f"this cell has no {body.signal}; it has {', '.join(signals)}")
    style = signals[body.signal]
    value, number = evaluate(f"{body.signal}@{cursor.t + 1}", figure, cursor.runs)
    text = Markup("What will <i>{}</i> of unit {} be at the next timestep, {}?").format(
        style.symbol, cursor.unit, cursor.step(cursor.t + 1)
    )
    prompt = _number_prompt(text, style.lowest, style.highest)
    solution = _solution(float(value), Markup("<i>{}</i> is {}.").format(style.symbol, number), number)
    return _Draft(prompt, solution, cursor.views(figure), plain(text), address(cursor.view))


HIDDEN_VIEWS = ("memory", "influence")
"""The views of the Lab that show which timestep contributed most."""


def _contribution_question(body: QuestionBody, settings: Settings) -> _Draft:
    cursor = _Cursor(body.view, settings)
    truth = matching_steps(f"most share@{cursor.t}", cursor.figure, cursor.runs)
    share = evaluate(f"share@{cursor.t} from {truth[0]}", cursor.figure, cursor.runs).text
    text = Markup("Which timestep contributed most to the state of unit {} at {}?").format(
        cursor.unit, cursor.step(cursor.t)
    )
    views = cursor.figure.keys.get("views", DEFAULTS["views"]).split(",")
    before = _with_views(cursor.figure, [view for view in views if view not in HIDDEN_VIEWS])
    after = _with_views(cursor.figure, [*views, "memory"])
    solution = _solution(tuple(truth), Markup("{} of the state comes from {}.").format(share, cursor.step(truth[0])))
    prompt = Prompt("click", _paragraph(text), steps=cursor.steps(cursor.t))
    shown_views = cursor.view_of(before), cursor.view_of(after)
    return _Draft(prompt, solution, shown_views, plain(text), address(cursor.view))


def _with_views(figure: Figure, views: Sequence[str]) -> Figure:
    return Figure("", {**figure.keys, "views": ",".join(dict.fromkeys(views))})


def _gate_question(body: QuestionBody, settings: Settings) -> _Draft:
    prompt, solution = gate_question()
    view = View(page=START.path, link="")
    return _Draft(prompt, solution, (view, view), TEXT, START.path)


def _own_question(body: QuestionBody, settings: Settings) -> _Draft:
    text = body.text.strip()
    if not text:
        raise ValueError("the question has no text: write it")
    if len(body.options) == 1:
        raise ValueError("a choice needs two to eight options")
    if body.options:
        prompt, solution = _own_choice(body, escape(text))
    elif body.low is not None and body.high is not None:
        prompt, solution = _own_number(body, escape(text), body.low, body.high)
    else:
        prompt, solution = _own_steps(body, escape(text), settings)
    return _Draft(prompt, solution, None, text, address(body.view))


def _own_choice(body: QuestionBody, text: Markup) -> tuple[Prompt, Solution]:
    if body.right is not None and body.right not in range(len(body.options)):
        raise ValueError(f"the correct option must be a whole number from 0 to {len(body.options) - 1}")
    prompt = Prompt("choose", _paragraph(text), tuple(str(escape(option)) for option in body.options))
    return prompt, Solution(_places(body.right))


def _own_number(body: QuestionBody, text: Markup, low: float, high: float) -> tuple[Prompt, Solution]:
    if not (-LARGEST <= low < high <= LARGEST and high - low >= SMALLEST):
        limits = f"at least {SMALLEST:f} apart, and within ±{LARGEST:,.0f}"
        raise ValueError(f"the range must go from a lower to a higher number, {limits}")
    if body.right is not None and not low <= body.right <= high:
        raise ValueError(f"the correct number must be from {low:g} to {high:g}")
    number = "" if body.right is None else f"{body.right:g}"
    return _number_prompt(text, low, high), Solution(body.right, number)


def _own_steps(body: QuestionBody, text: Markup, settings: Settings) -> tuple[Prompt, Solution]:
    cursor = _Cursor(body.view, settings)
    # What the network writes after the timestep `upto` is not shown to the class.
    last = cursor.T if body.view.upto is None else min(cursor.T, max(cursor.given, body.view.upto))
    if body.right is not None and body.right not in range(1, last + 1):
        raise ValueError(f"the correct timestep must be a whole number from 1 to {last}")
    return Prompt("click", _paragraph(text), steps=cursor.steps(last)), Solution(_places(body.right))


def _places(right: float | None) -> Truth:
    return None if right is None else (int(right),)


def _number_prompt(text: Markup, low: Number, high: Number) -> Prompt:
    form = "2" if high - low < 50 else "0"
    return Prompt("number", _paragraph(text), low=low, high=high, grain=(high - low) / 100, form=form)


def _solution(truth: Truth, reveal: Markup, text: str = "") -> Solution:
    return Solution(truth, text, reveal=_paragraph(reveal))


def _paragraph(text: Markup) -> str:
    return str(Markup("<p>{}</p>").format(text))


DRAFTS: dict[Subject, Callable[[QuestionBody, Settings], _Draft]] = {
    "lesson": _lesson_question,
    "output": _output_question,
    "signal": _signal_question,
    "wrote": _contribution_question,
    "gate": _gate_question,
    "own": _own_question,
}
