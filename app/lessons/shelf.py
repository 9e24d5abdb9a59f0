"""The lessons that this server shows: those that ship, and a teacher's own beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from ..assets import TEMPLATES
from ..errors import Refused
from ..settings import Settings
from .reading import MOST_BYTES, Lesson, LessonError, Mistake, read

SHIPPED = TEMPLATES / "lessons"

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")

BEFORE = ("sequences", "gates", "state")
CLAIMS = (
    "vanishing", "parameters", "one-state", "reset", "update", "candidate", "half-life", "neither-wins", "one-by-one",
    "bottleneck",
)  # fmt: skip
AFTER = ("what-came-next",)

ORDER = (*BEFORE, *CLAIMS, *AFTER)
"""The course."""


def names(settings: Settings) -> list[str]:
    """The course in its order, then the teacher's own by name."""
    return sorted(_files(settings.lessons), key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def get(name: str, settings: Settings) -> Lesson:
    """Raises Refused where there is no such lesson, or it cannot be shown."""
    path = _files(settings.lessons).get(name)
    if path is None:
        raise Refused(404, "not-found", "there is no lesson with this name", "lesson")
    try:
        return load(path)
    except LessonError as error:
        mistake = error.mistakes[0]
        message = f"the lesson “{name}” cannot be shown: line {mistake.line}, {mistake.reason}"
        raise Refused(422, "lesson", message, "lesson") from error


def shown(names: Iterable[str], settings: Settings) -> Iterator[Lesson]:
    """Return the lessons of these names that there are and that can be read: a broken one is left out."""
    for name in names:
        with suppress(Refused):
            yield get(name, settings)


def load(path: Path) -> Lesson:
    """Read a lesson's file, anew only where it has changed. Raises LessonError."""
    try:
        about = path.stat()
        if about.st_size > MOST_BYTES:
            return read(path.stem, "x" * (MOST_BYTES + 1))
        return _loaded(path, about.st_mtime_ns)
    except (OSError, UnicodeDecodeError) as error:
        raise LessonError([Mistake(1, "the file cannot be read, or its text is not UTF-8")]) from error


def circles(lesson: Lesson, settings: Settings) -> Iterator[str]:
    """What is wrong with the lessons that one says it needs."""
    files = _files(settings.lessons)

    def visit(name: str, above: tuple[str, ...]) -> Iterator[str]:
        if name in above:
            yield f"the lessons need each other in a circle: {' → '.join((*above, name))}"
        elif name not in files and name != lesson.name:
            yield f"the lesson “{above[-1]}” needs “{name}”, which does not exist; choose one of {', '.join(files)}"
        else:
            try:
                needs = lesson.needs if name == lesson.name else get(name, settings).needs
            except Refused as error:
                yield error.message
                return
            for need in needs:
                yield from visit(need, (*above, name))

    yield from visit(lesson.name, ())


def check(folder: str) -> None:
    """Raise ValueError when the folder of one's own lessons is not there."""
    if folder and not Path(folder).is_dir():
        raise ValueError(f"GRUSCOPE_LESSONS: {folder} is not a directory")


def _files(folder: str) -> Mapping[str, Path]:
    """Those that ship first: a teacher's own cannot take their place."""
    found = {path.stem: path for path in sorted(SHIPPED.glob("*.md"))}
    for path in sorted(Path(folder).glob("*.md")) if folder else ():
        if NAME.fullmatch(path.stem):
            found.setdefault(path.stem, path)
    return found


@lru_cache(maxsize=128)
def _loaded(path: Path, changed: int) -> Lesson:
    return read(path.stem, path.read_text("utf-8"))
