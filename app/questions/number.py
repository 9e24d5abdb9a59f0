"""Questions that students answer with a number, on a slider."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from gru_core.numerals import decimal

from ..lessons.quantities import Runs, evaluate
from ..lessons.reading import LessonQuestion
from .kind import Answer, LessonKind, Prompt, Scale, Tally, Truth, count, in_range

BINS = 20
"""The number of bars in the histogram of a class's answers."""


class NumberOf(LessonKind):
    """A question that asks for a number. An answer lies between the limits of the question."""

    def parse(self, prompt: Prompt, value: object) -> Answer | None:
        return float(value) if in_range(value, prompt) else None

    def allowed(self, prompt: Prompt) -> str:
        return f"a number from {prompt.low:g} to {prompt.high:g}"

    def tally(self, prompt: Prompt, answers: Sequence[Answer], truth: Truth) -> Tally:
        low, width = prompt.low, (prompt.high - prompt.low) / BINS
        labels = [f"{low + i * width:g} to {low + (i + 1) * width:g}" for i in range(BINS)]
        return count(labels, answers, truth, lambda value: min(BINS - 1, int((value - low) / width)))

    def solve(self, question: LessonQuestion, runs: Runs) -> tuple[Truth, str]:
        expression, low, high = _target(question)
        value, text = evaluate(expression, question.figure, runs)
        if isinstance(value, str) or not low <= value <= high:
            raise ValueError(f"the answer, {value}, is not a number from {low:g} to {high:g}")
        return value, text

    def scale(self, question: LessonQuestion, cursor: int, runs: Runs) -> Scale:
        expression, low, high = _target(question)
        text = evaluate(expression, question.figure, runs).text
        is_whole = re.fullmatch(r"[−\d,]+", text) is not None
        return Scale(low, high, "%" if text.endswith("%") else "0" if is_whole else "2")


def _target(question: LessonQuestion) -> tuple[str, float, float]:
    """Return the expression of a question, and its limits. Raise ValueError if an expression or limit is missing."""
    expression, _, span = question.target.rpartition(",")
    low, high = (decimal(end.strip()) for end in span.partition(" to ")[::2])
    if not expression or low is None or high is None or not -math.inf < low < high < math.inf:
        example = "write, for example, “:number: z@3, 0 to 1”"
        raise ValueError(f"“{question.target}” is not a value with a range: {example}")
    return expression.strip(), low, high
