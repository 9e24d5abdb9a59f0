"""Questions that students answer by selecting timesteps."""

from __future__ import annotations

from collections.abc import Sequence

from ..lessons.quantities import Runs, matching_steps
from ..lessons.reading import LessonQuestion
from .kind import Answer, LessonKind, Prompt, Scale, Tally, Truth, count, is_place


class Click(LessonKind):
    """A question about timesteps of the tape. An answer is one or more timesteps, counted from 1."""

    def parse(self, prompt: Prompt, value: object) -> Answer | None:
        if not isinstance(value, list) or not value:
            return None
        places = range(1, len(prompt.steps) + 1)
        if not all(is_place(t, places) for t in value) or len(set(value)) < len(value):
            return None
        return tuple(sorted(value))

    def allowed(self, prompt: Prompt) -> str:
        return f"a list of one or more steps from 1 to {len(prompt.steps)}, each only once"

    def tally(self, prompt: Prompt, answers: Sequence[Answer], truth: Truth) -> Tally:
        labels = [f"t = {t}, {token}" for t, token in enumerate(prompt.steps, 1)]
        return count(labels, answers, truth, first=1)

    def solve(self, question: LessonQuestion, runs: Runs) -> tuple[Truth, str]:
        steps = matching_steps(question.target, question.figure, runs)
        if not steps:
            raise ValueError(f"no timestep has “{question.target}”, so the question has no answer")
        return tuple(steps), ""

    def scale(self, question: LessonQuestion, cursor: int, runs: Runs) -> Scale:
        return Scale(steps=tuple(runs.get(question.figure).start["tokens"] or ()))
