"""The part of a room's state that only the teacher sees."""

from __future__ import annotations

from dataclasses import dataclass

from ..questions.kind import Tally
from .state import PublicState
from .tables import ExploredView


@dataclass(frozen=True)
class Exploration:
    """The views of a class that explores.

    `models` has pairs of a model and its number of students. `steps` maps timesteps, counted from 1, to numbers of
    students; it counts only students with the teacher's model and sequence. `suggestions` are the newest suggested
    views, and `students` is the number of students who have explored.
    """

    models: tuple[tuple[str, int], ...]
    steps: dict[str, int]
    suggestions: tuple[ExploredView, ...]
    students: int


@dataclass(frozen=True)
class TeacherState:
    """The state for the teacher: the public state, the number of followers, and the activity of the class.

    `rounds` has a tally of the answers in each round, and is empty without a question. `exploration` is None if the
    class does not explore.
    """

    public: PublicState
    followers: int
    rounds: tuple[Tally, ...]
    exploration: Exploration | None
