"""The registry of question kinds. The pages have the same list in `static/questions/kinds.js`."""

from __future__ import annotations

from .choose import Choose
from .click import Click
from .draw import Draw
from .gate import Gate
from .kind import Kind, LessonKind
from .number import NumberOf

KINDS: dict[str, Kind] = {
    "choose": Choose(),
    "number": NumberOf(),
    "click": Click(),
    "draw": Draw(),
    "gate": Gate(),
}
"""The kinds of questions, by the name that the page receives."""

LESSON_KINDS = {name: kind for name, kind in KINDS.items() if isinstance(kind, LessonKind)}
"""The kinds that a lesson can ask."""
