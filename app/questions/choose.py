"""Questions that students answer by choosing one of several options."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markupsafe import Markup

from ..lessons.quantities import Runs
from ..lessons.reading import LessonQuestion
from .kind import Answer, LessonKind, Prompt, Scale, Tally, Truth, count, is_place


class Choose(LessonKind):
    """A question with options. An answer is the number of an option, counted from 0."""

    def parse(self, prompt: Prompt, value: object) -> Answer | None:
        return value if is_place(value, range(len(prompt.options))) else None

    def allowed(self, prompt: Prompt) -> str:
        return f"the place of an option, from 0 to {len(prompt.options) - 1}"

    def tally(self, prompt: Prompt, answers: Sequence[Answer], truth: Truth) -> Tally:
        labels = [plain(Markup(option)) for option in prompt.options]
        return count(labels, answers, truth)

    def solve(self, question: LessonQuestion, runs: Runs) -> tuple[Truth, str]:
        return tuple(i for i, option in enumerate(question.options) if option.right), ""

    def scale(self, question: LessonQuestion, cursor: int, runs: Runs) -> Scale:
        return Scale()


def plain(html: Markup) -> str:
    """Return the text of `html` in one line, without tags."""
    return re.sub(r"\s+", " ", html.striptags()).strip()
