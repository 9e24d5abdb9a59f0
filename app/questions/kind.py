"""The base classes of all kinds of questions: prompts, answers, tallies, and the methods of a kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeGuard

from ..lessons.quantities import Runs
from ..lessons.reading import LessonQuestion

Number = int | float
"""A JSON number, which stays an int or a float when it is stored and loaded."""

Answer = Number | tuple[Number, ...]
"""A student's answer: an option, counted from 0; a number; timesteps, counted from 1; or values of a curve or gates."""

Truth = Answer | None
"""The correct answer: a number, a tuple of options or timesteps, or a curve. None if there is no correct answer."""


@dataclass(frozen=True)
class Prompt:
    """The text of a question, and the answers that it allows.

    `ask` and `options` are HTML, with all text from users escaped. A number or a curve lies between `low` and `high`,
    `grain` is the step size of the slider, and `form` is the number format: "%", or a number of decimals. `steps` are
    the tokens that students select or draw over. A curve shows `signal` and starts after the first `start` tokens.
    """

    kind: str
    ask: str
    options: tuple[str, ...] = ()
    low: Number = 0
    high: Number = 1
    grain: Number = 0.01
    form: str = "2"
    start: int = 0
    steps: tuple[str, ...] = ()
    signal: str = ""


@dataclass(frozen=True)
class Tally:
    """The answers in a round.

    For each of the `labels`, `counts` has the number of students who chose it, and `right` says whether it is correct.
    Drawn curves have one label, and `middle` is the median of all curves at each timestep. If students play gates,
    `counts` has the number of students with the correct output at each letter, `middle` the median of their z, and
    `quartiles` its lower and upper quartile.
    """

    labels: tuple[str, ...]
    counts: tuple[int, ...]
    right: tuple[bool, ...]
    middle: tuple[float, ...]
    answers: int
    quartiles: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Scale:
    """The scale of the input form for a lesson question. `Prompt` has the same fields, and describes them."""

    low: float = 0.0
    high: float = 1.0
    form: str = "2"
    start: int = 0
    steps: tuple[str, ...] = ()
    signal: str = ""


class Kind(ABC):
    """A kind of question. If `has_sketches` is true, the class sees the answers themselves, as drawn curves."""

    has_sketches: ClassVar[bool] = False

    @abstractmethod
    def parse(self, prompt: Prompt, value: object) -> Answer | None:
        """Parse an answer from a JSON value. Return None if the question does not allow it."""

    @abstractmethod
    def allowed(self, prompt: Prompt) -> str:
        """Describe the answers that a question allows, in words that follow "the answer must be"."""

    @abstractmethod
    def tally(self, prompt: Prompt, answers: Sequence[Answer], truth: Truth) -> Tally:
        """Count the answers to a question. If there is a `truth`, mark the correct answers."""


class LessonKind(Kind):
    """A kind of question that a lesson can also ask."""

    @abstractmethod
    def solve(self, question: LessonQuestion, runs: Runs) -> tuple[Truth, str]:
        """Return the correct answer, and the answer as text if it is a number, otherwise "".

        Raises ValueError if there is no correct answer that students can enter.
        """

    @abstractmethod
    def scale(self, question: LessonQuestion, cursor: int, runs: Runs) -> Scale:
        """Return the scale of the input form. `cursor` is the timestep at the figure's cursor, counted from 1."""


def count(
    labels: Sequence[str], answers: Sequence[Answer], truth: Truth, place: Callable[[Number], int] = int, first: int = 0
) -> Tally:
    """Count how often each label was chosen. `place` maps a value to the place of its label, counted from `first`."""
    counts = Counter(place(value) for answer in answers for value in values_of(answer))
    correct = {place(value) for value in values_of(truth)}
    places = range(first, first + len(labels))
    right = tuple(i in correct for i in places)
    return Tally(tuple(labels), tuple(counts[i] for i in places), right, (), len(answers))


def in_range(value: object, prompt: Prompt) -> TypeGuard[Number]:
    """Return whether a value is a number between the limits of a question."""
    return isinstance(value, int | float) and not isinstance(value, bool) and prompt.low <= value <= prompt.high


def is_place(value: object, places: range) -> TypeGuard[int]:
    """Return whether a value is an integer in `places`."""
    return isinstance(value, int) and not isinstance(value, bool) and value in places


def curve_of(value: object, length: int, prompt: Prompt) -> tuple[float, ...] | None:
    """Return `value` as a tuple if it is a list of `length` numbers within the limits of a question, otherwise None."""
    if not isinstance(value, list) or len(value) != length:
        return None
    curve = tuple(float(number) for number in value if in_range(number, prompt))
    return curve if len(curve) == length else None


def values_of(answer: Truth) -> tuple[Number, ...]:
    """Return the values of an answer as a tuple, which is empty if `answer` is None."""
    return () if answer is None else answer if isinstance(answer, tuple) else (answer,)
