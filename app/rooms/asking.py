"""What a teacher asks a class: a question of a lesson, one made from the cursor, or one of their own."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Annotated, Any, Literal

from markupsafe import Markup, escape
from pydantic import ConfigDict, Field, FiniteFloat

from gru_core import SequenceError

from ..errors import Refused
from ..lessons import shelf
from ..lessons.quantities import Runs, evaluate, matching_steps
from ..lessons.reading import Figure
from ..lessons.shown import ShownQuestion, link_of, question_of, reveal_answer, shown_steps
from ..schemas import Body
from ..settings import Settings
from .views import View, address, figure_at

BINS = 20
"""Of the histogram of a number."""

MOST_OPTIONS = 6
"""Of an answer in symbols: the likeliest."""

MOST_STEPS = 200
"""Of a sequence that is answered by its steps."""

STAYS = 0.05
"""A change of the output that is called none, of the range that it has in the run."""

LARGEST, SMALLEST = 1e9, 1e-6
"""Bounds of an own question about a number, and the least distance between them: a slider has 100 places there."""

Words = Annotated[str, Field(min_length=1, max_length=400)]


class Ask(Body):
    """A question for the class. `of` chooses its kind. With `rounds` 2, the class answers twice.

    "lesson": a lesson's question; give `lesson` and `question`, such as 2.1. "output": the output at the step after the
    cursor of `view`. "signal": the value of `signal` at the step after the cursor. "wrote": the step that contributed
    most to the state at the cursor. "own": a question of your own, with its `text`. Students answer it with one of
    `options`, with a number from `low` to `high`, or, without these, with steps of the sequence in `view`. `right` is
    the correct option, counted from 0, the correct number, or the correct step, counted from 1. If it is null, there is
    no correct answer.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    of: Literal["lesson", "output", "signal", "wrote", "own"]
    rounds: Literal[1, 2] = 1
    view: View = View(page="", link="")
    lesson: Annotated[str, Field(max_length=100)] = ""
    question: Annotated[str, Field(max_length=9)] = ""
    signal: Annotated[str, Field(max_length=10)] = "z"
    text: Annotated[str, Field(max_length=400)] = ""
    options: Annotated[list[Words], Field(max_length=8)] = Field(default=[])
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None
    right: FiniteFloat | None = None


@dataclass(frozen=True)
class Asked:
    """A question as a room has it: `public` is for everybody, `answer` for when it is revealed.

    `view` is what the figure has to be until then, None where it stays as it is. `plain` is it without markup.
    """

    public: dict[str, Any]
    answer: dict[str, Any]
    view: dict[str, Any] | None
    plain: str
    link: str


def asked(ask: Ask, settings: Settings) -> Asked:
    """Raises Refused where that cannot be asked."""
    try:
        made = _OF[ask.of](ask, settings)
    except (SequenceError, ValueError) as error:
        message = f"this question cannot be asked: {str(error).rstrip('.')}"
        raise Refused(422, "question", message, "question") from error
    if len(made.public["steps"]) > MOST_STEPS:
        message = (
            f"at most {MOST_STEPS} steps can be selected or drawn over; this sequence has {len(made.public['steps'])}"
        )
        raise Refused(422, "question", message, "question")
    made.public["rounds"] = ask.rounds
    return made


def _of_lesson(ask: Ask, settings: Settings) -> Asked:
    lesson = shelf.get(ask.lesson, settings)
    question = question_of(lesson, ask.question)
    if question is None:
        raise Refused(404, "not-found", "this lesson has no such question", "question")
    step = shown_steps(lesson, settings)[int(ask.question.partition(".")[0]) - 1]
    part = next(part for part in step.parts if isinstance(part, ShownQuestion) and part.id == ask.question)
    kept = ("kind", "low", "high", "grain", "form", "start", "steps", "signal")
    public = {name: getattr(part, name) for name in kept} | {"ask": part.ask, "options": part.options}
    answer = reveal_answer(question, settings)
    of = f"lessons/{ask.lesson}"
    n = int(ask.question.partition(".")[0])
    before = {"page": of, "step": n, "link": step.link, "upto": step.upto}
    after = {"page": of, "step": n, "link": answer["link"], "upto": None}
    said = {name: answer[name] for name in ("truth", "text", "replies", "reveal", "why")}
    return Asked(public, said | {"view": after}, before, _plain(part.ask), f"{of}?step={n}")


def covers_inputs(question: dict[str, Any]) -> bool:
    """Whether the inputs after the cursor are covered too: not when they are what is drawn over or pressed."""
    return question["kind"] in ("choose", "number")


class _Cursor:
    """Where a question is made from: the lab, as a link shows it."""

    def __init__(self, ask: Ask, settings: Settings) -> None:
        self.view, self.runs = ask.view.model_dump(), Runs(settings)
        self.figure, _ = figure_at(self.view, settings)
        if self.figure.page:
            raise ValueError("a question about the cursor needs a figure of the Lab: show one first")
        followed = self.runs.get(self.figure)
        self.run, self.tokens = followed.trace, followed.start["tokens"] or []
        said = followed.link.options
        self.T, self.t, self.unit = followed.start["T"], int(said.get("t", 1)), int(said.get("unit", 1))

    def after(self) -> Figure:
        """The figure one step on."""
        if self.t >= self.T:
            raise ValueError("the cursor is at the last step, so nothing comes after it: move the cursor back")
        return Figure("", {**self.figure.keys, "t": str(self.t + 1)})

    def step(self, t: int) -> Markup:
        token = Markup(" (“{}”)").format(self.tokens[t - 1]) if self.tokens else Markup("")
        return Markup("<i>t</i> = {}{}").format(t, token)

    @property
    def link(self) -> str:
        return link_of(self.figure, self.runs)

    def until(self) -> dict[str, Any]:
        return {**self.view, "link": self.link, "upto": self.t}


def _of_output(ask: Ask, settings: Settings) -> Asked:
    at = _Cursor(ask, settings)
    figure, y, readout = at.after(), at.run.y, at.run.model.readout
    now, then = y[at.t - 1], y[at.t]
    if readout.kind == "linear":
        options = [Markup(words) for words in ("It rises.", "It falls.", "It stays about the same.")]
        change, least = float(then[0] - now[0]), STAYS * float(y.max() - y.min())
        right = 2 if abs(change) <= least else 0 if change > 0 else 1
        words = Markup("How will the output change at the next step, {}?").format(at.step(at.t + 1))
    else:
        likely = sorted(range(len(then)), key=lambda k: -then[k])[:MOST_OPTIONS]
        labels = sorted(likely)
        options = [escape(readout.labels[k]) for k in labels]
        right = labels.index(int(then.argmax()))
        words = Markup("What will the output be at the next step, {}?").format(at.step(at.t + 1))
    said = evaluate(f"y@{at.t + 1}", figure, at.runs).text
    answer = _answer([right], "", Markup("The output at {} is {}.").format(at.step(at.t + 1), said), figure, at)
    return Asked(_public("choose", words, options), answer, at.until(), _plain(words), address(at.view))


def _of_signal(ask: Ask, settings: Settings) -> Asked:
    at = _Cursor(ask, settings)
    figure = at.after()
    signals = at.run.layers[-1].cell.signals
    if ask.signal not in signals:
        raise ValueError(f"this cell has no {ask.signal}; it has {', '.join(signals)}")
    style = signals[ask.signal]
    value, text = evaluate(f"{ask.signal}@{at.t + 1}", figure, at.runs)
    words = Markup("What will <i>{}</i> of unit {} be at the next step, {}?").format(
        style.symbol, at.unit, at.step(at.t + 1)
    )
    public = _public("number", words, []) | _scale(style.lowest, style.highest)
    answer = _answer(value, text, Markup("<i>{}</i> is {}.").format(style.symbol, text), figure, at)
    return Asked(public, answer, at.until(), _plain(words), address(at.view))


def _of_wrote(ask: Ask, settings: Settings) -> Asked:
    at = _Cursor(ask, settings)
    truth = matching_steps(f"most share@{at.t}", at.figure, at.runs)
    share = evaluate(f"share@{at.t} from {truth[0]}", at.figure, at.runs).text
    words = Markup("Which step contributed most to the state of unit {} at {}?").format(at.unit, at.step(at.t))
    views = at.figure.keys.get("views", "tape,words,cell,equations").split(",")
    figure = Figure("", {**at.figure.keys, "views": ",".join(dict.fromkeys([*views, "memory"]))})
    said = Markup("{} of the state comes from {}.").format(share, at.step(truth[0]))
    hidden = {**at.figure.keys, "views": ",".join(view for view in views if view not in ("memory", "influence"))}
    before = {**at.view, "link": link_of(Figure("", hidden), at.runs), "upto": None}
    public = _public("click", words, []) | {"steps": at.tokens[: at.t] or [str(t) for t in range(1, at.t + 1)]}
    return Asked(public, _answer(truth, "", said, figure, at), before, _plain(words), address(at.view))


def _of_own(ask: Ask, settings: Settings) -> Asked:
    if not ask.text.strip():
        raise ValueError("the question has no text: write it")
    words, right = Markup("{}").format(ask.text.strip()), ask.right
    truth: Any = None if right is None else [int(right)]
    text = ""
    if len(ask.options) == 1:
        raise ValueError("a choice needs two to eight options")
    if ask.options:
        public = _public("choose", words, [escape(option) for option in ask.options])
        if right is not None and right not in range(len(ask.options)):
            raise ValueError(f"the correct option must be a whole number from 0 to {len(ask.options) - 1}")
    elif ask.low is not None and ask.high is not None:
        if not (-LARGEST <= ask.low < ask.high <= LARGEST and ask.high - ask.low >= SMALLEST):
            limits = f"at least {SMALLEST:f} apart, and within ±{LARGEST:,.0f}"
            raise ValueError(f"the range must go from a lower to a higher number, {limits}")
        if right is not None and not ask.low <= right <= ask.high:
            raise ValueError(f"the correct number must be from {ask.low:g} to {ask.high:g}")
        public = _public("number", words, []) | _scale(ask.low, ask.high)
        truth, text = right, "" if right is None else f"{right:g}"
    else:
        at = _Cursor(ask, settings)
        public = _public("click", words, []) | {"steps": at.tokens or [str(t) for t in range(1, at.T + 1)]}
        if right is not None and right not in range(1, at.T + 1):
            raise ValueError(f"the correct step must be a whole number from 1 to {at.T}")
    answer = {"truth": truth, "text": text, "replies": [], "reveal": "", "why": "", "view": None}
    return Asked(public, answer, None, ask.text.strip(), address(ask.view.model_dump()))


_OF = {"lesson": _of_lesson, "output": _of_output, "signal": _of_signal, "wrote": _of_wrote, "own": _of_own}


def _public(kind: str, words: Markup, options: Sequence[Markup]) -> dict[str, Any]:
    """What everybody has of a question; it is shown as markup, and all that somebody wrote is escaped in it."""
    ask = Markup("<p>{}</p>").format(words)
    return {"kind": kind, "ask": ask, "options": list(options), "start": 0, "steps": [], "signal": ""} | _scale(0, 1)


def _scale(low: float, high: float) -> dict[str, Any]:
    return {"low": low, "high": high, "grain": (high - low) / 100, "form": "2" if high - low < 50 else "0"}


def _answer(truth: Any, text: str, reveal_answer: Markup, figure: Figure, at: _Cursor) -> dict[str, Any]:
    then = {**at.view, "link": link_of(figure, at.runs), "upto": None}
    return {
        "truth": truth,
        "text": text,
        "replies": [],
        "reveal": Markup("<p>{}</p>").format(reveal_answer),
        "why": "",
        "view": then,
    }


def _plain(words: Markup) -> str:
    return re.sub(r"\s+", " ", words.striptags()).strip()


def checked(question: dict[str, Any], given: Any) -> Any:
    """An answer to a question, if it is one. Raises Refused."""
    kind, steps = question["kind"], question["steps"]
    whole = isinstance(given, int) and not isinstance(given, bool)
    if kind == "choose" and whole and 0 <= given < len(question["options"]):
        return given
    if kind == "number" and _within(given, question):
        return float(given)
    if kind == "click" and isinstance(given, list) and 0 < len(given) <= len(steps):
        pressed = {t for t in given if isinstance(t, int) and not isinstance(t, bool) and 1 <= t <= len(steps)}
        if len(pressed) == len(given):
            return sorted(pressed)
    long = isinstance(given, list) and len(given) == len(steps) - question["start"]
    if kind == "draw" and long and all(_within(value, question) for value in given):
        return [float(value) for value in given]
    allowed = {
        "choose": f"the place of an option, from 0 to {len(question['options']) - 1}",
        "number": f"a number from {question['low']:g} to {question['high']:g}",
        "click": f"a list of one or more steps from 1 to {len(steps)}, each only once",
        "draw": f"a list of {len(steps) - question['start']} numbers from {question['low']:g} to {question['high']:g}",
    }[kind]
    raise Refused(422, "answer", f"the answer must be {allowed}", "answer")


def _within(value: Any, question: dict[str, Any]) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and question["low"] <= value <= question["high"]


def tally(question: dict[str, Any], answers: Sequence[Any], truth: Any = None) -> dict[str, Any]:
    """How many answered what: `labels` in words, a count for each, and which of them are right.

    A curve has the middle of all curves at each step as `middle`.
    """
    kind, low, high = question["kind"], question["low"], question["high"]
    truths = [] if truth is None else truth if isinstance(truth, list) else [truth]
    middle: list[float] = []
    if kind == "choose":
        labels = [_plain(Markup(option)) for option in question["options"]]
        counted = Counter(answers)
        places = list(range(len(labels)))
    elif kind == "click":
        labels = [f"t = {t}, {token}" for t, token in enumerate(question["steps"], 1)]
        counted = Counter(t for answer in answers for t in answer)
        places = list(range(1, len(labels) + 1))
    elif kind == "number":
        width = (high - low) / BINS
        labels = [f"{low + i * width:g} to {low + (i + 1) * width:g}" for i in range(BINS)]
        answers, truths = ([min(BINS - 1, int((one - low) / width)) for one in all] for all in (answers, truths))
        counted, places = Counter(answers), list(range(BINS))
    else:
        labels, counted, places = ["a curve"], Counter({0: len(answers)}), [0]
        middle = [median(values) for values in zip(*answers, strict=True)]
        truths = []
    counts = [counted[place] for place in places]
    right = [place in truths for place in places]
    return {"labels": labels, "counts": counts, "right": right, "middle": middle, "answers": len(answers)}


def sketches(salt: str, answers: Mapping[str, Sequence[float]]) -> list[dict[str, Any]]:
    """Return what was drawn, in an order that tells nothing of the devices, each with an id of its own."""
    made = {hashlib.sha256(f"{salt}{name}".encode()).hexdigest()[:8]: values for name, values in answers.items()}
    return [{"id": id, "values": [round(value, 3) for value in made[id]]} for id in sorted(made)]
