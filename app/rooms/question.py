"""The question of a room: the part that every student sees, and the solution, which is secret until it is revealed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..questions.kind import Prompt, Tally, Truth

Status = Literal["open", "locked", "revealed"]
"""The status of a question: the room takes answers, takes no more answers, or shows the solution."""


@dataclass(frozen=True)
class Solution:
    """The solution of a question.

    `truth` is the correct answer, `text` the correct number as text, and `reveal` and `why` explain the answer.
    `replies` has a reply to each option. `replies`, `reveal` and `why` are HTML.
    """

    truth: Truth
    text: str = ""
    replies: tuple[str, ...] = ()
    reveal: str = ""
    why: str = ""


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
