"""The curves that a class drew, without the names of the devices."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from ..questions.kind import Answer


@dataclass(frozen=True)
class Sketch:
    """A curve that a student drew. Its id does not identify the student."""

    id: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Sketches:
    """All curves that a class drew for the question with the id `question`."""

    question: int
    sketches: tuple[Sketch, ...]


def anonymous_sketches(salt: str, answers: Mapping[str, Answer]) -> tuple[Sketch, ...]:
    """Return the curves of all devices. Neither the ids nor the order of the curves identify the devices."""
    curves = {
        hashlib.sha256(f"{salt}{device}".encode()).hexdigest()[:8]: curve
        for device, curve in answers.items()
        if isinstance(curve, tuple)
    }
    return tuple(Sketch(id, tuple(round(value, 3) for value in curves[id])) for id in sorted(curves))
