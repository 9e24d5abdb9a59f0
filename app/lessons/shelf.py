"""The lessons of this server: the built-in lessons, and the files in the folder `Settings.lessons`."""

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

COURSE = {
    "The cell": ("sequences", "gates", "state", "update", "reset", "candidate", "half-life"),
    "Gradients": ("vanishing", "exploding", "truncated"),
    "Cells compared": ("other-gates", "one-state", "parameters", "neither-wins"),
    "Larger networks": ("layers", "padding", "both-directions"),
    "Sequence models": ("one-by-one", "bottleneck", "what-came-next"),
    "Real data": ("belief", "last-value", "writing"),
}
"""The course: the built-in lessons under each heading, in order. A name without a file is a planned lesson."""

ORDER = tuple(name for names in COURSE.values() for name in names if (SHIPPED / f"{name}.md").exists())
"""The names of the built-in lessons, in the order of the course."""


def names(settings: Settings) -> list[str]:
    """Return the names of all lessons: built-in lessons in the order of the course, then all others alphabetically."""
    return sorted(_files(settings.lessons), key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def get(name: str, settings: Settings) -> Lesson:
    """Return the lesson `name`. Raises Refused if it does not exist or has mistakes."""
    path = _files(settings.lessons).get(name)
    if path is None:
        raise Refused(404, "not-found", "there is no lesson with this name", "lesson")
    try:
        return load(path)
    except LessonError as error:
        mistake = error.mistakes[0]
        message = f"the lesson “{name}” cannot be shown: line {mistake.line}, {mistake.reason}"
        raise Refused(422, "lesson", message, "lesson") from error


def readable_lessons(names: Iterable[str], settings: Settings) -> Iterator[Lesson]:
    """Yield the lessons with these names. Skip lessons that do not exist or have mistakes."""
    for name in names:
        with suppress(Refused):
            yield get(name, settings)


def load(path: Path) -> Lesson:
    """Return the lesson in a file. Parse the file only if it has changed. Raises LessonError if it has mistakes."""
    try:
        status = path.stat()
        if status.st_size > MOST_BYTES:
            return read(path.stem, "x" * (MOST_BYTES + 1))
        return _loaded(path, status.st_mtime_ns)
    except (OSError, UnicodeDecodeError) as error:
        raise LessonError([Mistake(1, "the file cannot be read, or its text is not UTF-8")]) from error


def need_errors(lesson: Lesson, settings: Settings) -> Iterator[str]:
    """Yield messages about the lessons that `lesson` needs, if they form a cycle, do not exist or have mistakes."""
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
    """Raise ValueError if the folder of lessons does not exist."""
    if folder and not Path(folder).is_dir():
        raise ValueError(f"GRUSCOPE_LESSONS: {folder} is not a directory")


def _files(folder: str) -> Mapping[str, Path]:
    """Return the files of all lessons by name. A file in `folder` cannot replace a built-in lesson."""
    files = {path.stem: path for path in sorted(SHIPPED.glob("*.md"))}
    for path in sorted(Path(folder).glob("*.md")) if folder else ():
        if NAME.fullmatch(path.stem):
            files.setdefault(path.stem, path)
    return files


@lru_cache(maxsize=128)
def _loaded(path: Path, changed: int) -> Lesson:
    return read(path.stem, path.read_text("utf-8"))
