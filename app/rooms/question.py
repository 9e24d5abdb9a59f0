"""The question of a room: the part that every student sees, and the solution, which is secret until it is revealed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["choose", "number", "click", "draw", "gate"]
"""How students answer: they choose an option, set a number, select timesteps, draw a curve, or play the gates."""

Status = Literal["open", "locked", "revealed"]
"""Whether the room takes answers, takes no more of them, or shows the solution."""

Number = int | float
"""A number in JSON, which keeps its type when it is stored and loaded."""

Answer = Number | tuple[Number, ...]
"""A student's answer: an option, counted from 0; a number; timesteps, counted from 1; or values of a curve or gates."""

Truth = Answer | None
"""The correct answer: a number, a tuple of options or timesteps, or a curve. None if there is no correct answer."""


@dataclass(frozen=True)
class Prompt:
    """The text of a question, and which answers it allows.

    `ask` and `options` are HTML, with all text of users escaped. A number or a curve lies between `low` and `high`,
    `grain` is the step of its slider, and `form` is the format of its values: "%", or a number of decimals. `steps`
    are the tokens to select or to draw over. A curve starts after the first `start` of them and shows `signal`.
    """

    kind: Kind
    ask: str
    options: tuple[str, ...] = ()
    low: Number = 0
    high: Number = 1
    grain: Number = 0.01
    form: str = "2"
    start: int = 0
    steps: tuple[str, ...] = ()
    signal: str = ""

    @property
    def covers_inputs(self) -> bool:
        """Whether the inputs after the cursor are hidden: not if students draw over or select them."""
        return self.kind in ("choose", "number")


@dataclass(frozen=True)
class Solution:
    """The solution of a question: `text` is the correct number as text, and `reveal` and `why` explain the answer.

    Each option has one of the `replies`. `replies`, `reveal` and `why` are HTML.
    """

    truth: Truth
    text: str = ""
    replies: tuple[str, ...] = ()
    reveal: str = ""
    why: str = ""


@dataclass(frozen=True)
class Tally:
    """How many students gave each answer in a round: a count for each of `labels`, and whether it is `right`.

    A curve has one label. `middle` is the median of all curves at each timestep. If students play gates, `counts` has
    the students with the correct answer at each letter, and `quartiles` the lower and upper quartile of their z.
    """

    labels: tuple[str, ...]
    counts: tuple[int, ...]
    right: tuple[bool, ...]
    middle: tuple[float, ...]
    answers: int
    quartiles: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Result:
    """The result that everyone sees after the reveal: the solution, a tally for each round, and the picked sketches."""

    solution: Solution
    rounds: tuple[Tally, ...]
    picked: tuple[str, ...] = ()


@dataclass(frozen=True)
class RoomQuestion:
    """A question as everyone in the room may see it. It has a `result` only after the answer is revealed.

    `round` counts from 1 to `rounds`.
    """

    prompt: Prompt
    id: int
    rounds: int
    round: int = 1
    status: Status = "open"
    result: Result | None = None
