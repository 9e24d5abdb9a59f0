"""The answers of a class: each is parsed by the question's kind, and all are counted."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeGuard

from markupsafe import Markup

from ..errors import Refused
from .gate import tally_gates
from .question import Answer, Number, Prompt, Tally, Truth

BINS = 20
"""The number of bars in the histogram of a question about a number."""


@dataclass(frozen=True)
class Sketch:
    """A curve that a student drew. Its id does not identify the student."""

    id: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Sketches:
    """All curves that a class drew for a question, which is named by its id."""

    question: int
    sketches: tuple[Sketch, ...]


def parse_answer(prompt: Prompt, value: object) -> Answer:
    """Return a student's answer. Raise Refused if the question does not allow it."""
    if not isinstance(value, list):
        if prompt.kind == "choose" and _is_place(value, range(len(prompt.options))):
            return value
        if prompt.kind == "number" and _is_in_range(value, prompt):
            return float(value)
    elif prompt.kind == "click":
        places = range(1, len(prompt.steps) + 1)
        if value and all(_is_place(t, places) for t in value) and len(set(value)) == len(value):
            return tuple(sorted(value))
    elif prompt.kind in ("draw", "gate") and len(value) == _length(prompt):
        curve = tuple(float(number) for number in value if _is_in_range(number, prompt))
        if len(curve) == len(value):
            return curve
    raise Refused(422, "answer", f"the answer must be {_allowed(prompt)}", "answer")


def _length(prompt: Prompt) -> int:
    """Return the number of values of a curve, or of the gates z and r at all letters."""
    return 2 * len(prompt.steps) if prompt.kind == "gate" else len(prompt.steps) - prompt.start


def _allowed(prompt: Prompt) -> str:
    steps = len(prompt.steps)
    limits = f"from {prompt.low:g} to {prompt.high:g}"
    return {
        "choose": f"the place of an option, from 0 to {len(prompt.options) - 1}",
        "number": f"a number {limits}",
        "click": f"a list of one or more steps from 1 to {steps}, each only once",
        "draw": f"a list of {_length(prompt)} numbers {limits}",
        "gate": f"a list of {_length(prompt)} numbers {limits}: z at each letter, and then r at each letter",
    }[prompt.kind]


def _is_place(value: object, places: range) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value in places


def _is_in_range(value: object, prompt: Prompt) -> TypeGuard[Number]:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return prompt.low <= value <= prompt.high


def tally(prompt: Prompt, answers: Sequence[Answer], truth: Truth = None) -> Tally:
    """Count the answers to a question. If there is a `truth`, mark the correct answers."""
    if prompt.kind == "gate":
        return tally_gates(prompt, answers, truth)
    if prompt.kind == "draw":
        curves = [curve for curve in answers if isinstance(curve, tuple)]
        middle = tuple(float(median(values)) for values in zip(*curves, strict=True))
        return Tally(("a curve",), (len(answers),), (False,), middle, len(answers))
    labels = _labels(prompt)
    first = 1 if prompt.kind == "click" else 0
    places = range(first, first + len(labels))
    counts = Counter(place for answer in answers for place in _places(prompt, answer))
    correct = set() if truth is None else set(_places(prompt, truth))
    right = tuple(place in correct for place in places)
    return Tally(labels, tuple(counts[place] for place in places), right, (), len(answers))


def _labels(prompt: Prompt) -> tuple[str, ...]:
    if prompt.kind == "choose":
        return tuple(plain(Markup(option)) for option in prompt.options)
    if prompt.kind == "click":
        return tuple(f"t = {t}, {token}" for t, token in enumerate(prompt.steps, 1))
    low, width = prompt.low, (prompt.high - prompt.low) / BINS
    return tuple(f"{low + i * width:g} to {low + (i + 1) * width:g}" for i in range(BINS))


def _places(prompt: Prompt, answer: Answer) -> list[int]:
    """Return the indices of the options, timesteps or bars of the histogram in which an answer is counted."""
    values = answer if isinstance(answer, tuple) else (answer,)
    if prompt.kind == "number":
        width = (prompt.high - prompt.low) / BINS
        return [min(BINS - 1, int((value - prompt.low) / width)) for value in values]
    return [int(value) for value in values]


def plain(html: Markup) -> str:
    """Return the text of HTML in one line."""
    return re.sub(r"\s+", " ", html.striptags()).strip()


def anonymous_sketches(salt: str, answers: Mapping[str, Answer]) -> tuple[Sketch, ...]:
    """Return the curves of all devices. Neither their ids nor their order show which device drew a curve."""
    curves = {
        hashlib.sha256(f"{salt}{device}".encode()).hexdigest()[:8]: curve
        for device, curve in answers.items()
        if isinstance(curve, tuple)
    }
    return tuple(Sketch(id, tuple(round(value, 3) for value in curves[id])) for id in sorted(curves))
