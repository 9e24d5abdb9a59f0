"""Questions that students answer by drawing the curve of a signal over its row."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from ..lessons.quantities import Runs, curve
from ..lessons.reading import LessonQuestion
from .kind import Answer, LessonKind, Prompt, Scale, Tally, Truth, curve_of


class Draw(LessonKind):
    """A question that asks for a curve. An answer has a value for each timestep after the first `start` timesteps."""

    has_sketches = True

    def parse(self, prompt: Prompt, value: object) -> Answer | None:
        return curve_of(value, len(prompt.steps) - prompt.start, prompt)

    def allowed(self, prompt: Prompt) -> str:
        return f"a list of {len(prompt.steps) - prompt.start} numbers from {prompt.low:g} to {prompt.high:g}"

    def tally(self, prompt: Prompt, answers: Sequence[Answer], truth: Truth) -> Tally:
        curves = [answer for answer in answers if isinstance(answer, tuple)]
        middle = tuple(float(median(values)) for values in zip(*curves, strict=True))
        return Tally(("a curve",), (len(answers),), (False,), middle, len(answers))

    def solve(self, question: LessonQuestion, runs: Runs) -> tuple[Truth, str]:
        return tuple(curve(question.target, question.figure, runs)[0]), ""

    def scale(self, question: LessonQuestion, cursor: int, runs: Runs) -> Scale:
        _, low, high = curve(question.target, question.figure, runs)
        steps = tuple(runs.get(question.figure).start["tokens"] or ())
        return Scale(low, high, start=cursor, steps=steps, signal=question.target)
