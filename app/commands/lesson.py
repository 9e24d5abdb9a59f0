"""gruscope lesson: start your own lesson, check it, preview it, and package it for a learning platform."""

from __future__ import annotations

import argparse
import errno
import os
from dataclasses import replace
from pathlib import Path

from .. import output
from ..errors import Refused
from ..exports.scorm import package
from ..lessons import shelf, shown
from ..lessons.reading import LessonError, Mistake
from ..settings import Settings
from .messages import fail, fail_to_write
from .serve import add_arguments as add_serving
from .serve import run as serve

HELP = "write your own lesson: start it, check it, preview it in a browser, or package it for a learning platform"
EXAMPLES = (
    "gruscope lesson new holding.md",
    "gruscope lesson check holding.md",
    "gruscope lesson preview holding.md",
    "gruscope lesson scorm holding.md gates",
)

TEMPLATE = """---
title: {title}
model: flip-flop
minutes: 5
---

## [A letter, then noise](?sequence=A+m+m&t=1)
At the `A` the [update gate](#z) is {{{{ z }}}}.

:::{{predict}}
What does the update gate do at the next timestep?
- (x) It closes.
- ( ) It stays open.
  > An open gate would overwrite the stored letter.
:::
:::{{reveal}} ?t=2
It is {{{{ z }}}}: the unit keeps {{{{ keeps }}}} of its state.
:::
"""
"""The text of a new lesson: a step with a question and the reveal that follows it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="new | check | preview | scorm")
    new = actions.add_parser("new", help="write a short lesson to start from")
    new.add_argument("file", type=Path, metavar="FILE.md")
    check = actions.add_parser("check", help="list mistakes with their lines; exit code 0 if there are none")
    check.add_argument("files", type=Path, nargs="+", metavar="FILE.md")
    preview = actions.add_parser(
        "preview", help="open a lesson in a browser; after you change the file, reload the page"
    )
    preview.add_argument("file", type=Path, metavar="FILE.md")
    add_serving(preview)
    scorm = actions.add_parser(
        "scorm", help="write NAME.zip, a SCORM 1.2 package for Moodle, Canvas and other learning platforms"
    )
    scorm.add_argument("lessons", nargs="+", metavar="LESSON", help="a lesson's file, or the name of a built-in lesson")


def run(options: argparse.Namespace) -> int:
    if options.action == "new":
        return _new(options.file)
    if options.action == "check":
        return max([_check(file) for file in options.files])
    if options.action == "scorm":
        return max([_package(lesson) for lesson in options.lessons])
    return _preview(options)


def _new(file: Path) -> int:
    if not _is_name(file):
        return fail(f"{file} cannot be the name of a lesson: {NAMED}")
    title = file.stem.replace("-", " ").capitalize()
    try:
        if file.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        output.write(file, TEMPLATE.format(title=title).encode())
    except OSError as error:
        return fail_to_write(file, error)
    print(f"{file}: a lesson with one part. Change it, then run: gruscope lesson check {file}")
    return 0


def _check(file: Path) -> int:
    if not file.is_file():
        return fail(f"there is no file {file}")
    try:
        settings = replace(Settings.from_environment(), lessons=str(file.parent))
    except ValueError as error:
        return fail(str(error))
    try:
        lesson = shelf.load(file)
        mistakes = [
            *shown.mistakes(lesson, settings),
            *(Mistake(1, reason) for reason in shelf.need_errors(lesson, settings)),
        ]
    except LessonError as error:
        mistakes = error.mistakes
    if mistakes:
        for line, reason in mistakes:
            print(f"{file}:{line}: {reason}")
        return 1
    steps = len(lesson.steps)
    questions = sum(len(step.questions) for step in lesson.steps)
    print(f"{file}: {_count(steps, 'part')}, {_count(questions, 'question')}, no mistakes")
    return 0


def _preview(options: argparse.Namespace) -> int:
    file: Path = options.file
    if not file.is_file() or not _is_name(file):
        return fail(f"{file} does not exist, or its name cannot be the name of a lesson: {NAMED}")
    if file.stem in shelf.ORDER:
        return fail(f"“{file.stem}” is the name of a built-in lesson, which is shown instead: rename the file")
    return serve(options, f"lessons/{file.stem}", lessons=str(file.parent))


def _package(name: str) -> int:
    file = Path(name)
    if name not in shelf.ORDER and not _is_name(file):
        return fail(f"there is no built-in lesson {name}, and it cannot be the name of a lesson's file: {NAMED}")
    try:
        settings = replace(Settings.from_environment(local=True), lessons=str(file.parent))
        lesson = shelf.get(name, settings) if name in shelf.ORDER else shelf.load(file)
        content = package(lesson, settings)
        archive = Path(f"{lesson.name}.zip")
        output.write(archive, content)
    except LessonError as error:
        return fail(f"{name}: {error.mistakes[0].reason}; to see all mistakes: gruscope lesson check {name}")
    except (Refused, ValueError) as error:
        return fail(f"{name}: {error}")
    except OSError as error:
        return fail_to_write(error.filename, error)
    print(f"{archive}: a SCORM 1.2 package, {len(content) / 1e6:.1f} MB. Upload it to your learning platform")
    return 0


NAMED = "use lowercase letters, digits and -, and .md at the end"


def _is_name(file: Path) -> bool:
    return shelf.NAME.fullmatch(file.stem) is not None and file.suffix == ".md"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
