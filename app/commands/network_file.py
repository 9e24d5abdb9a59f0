"""Arguments, reading and error messages, shared by commands that take a network file."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from gru_core import formats
from gru_core.formats import FormatError, Imported, Unanswered

from ..runs.answers import to_json
from .messages import warn

ANSWERS_NEEDED = 2
"""The exit code if the command needs an answer to a question about the file."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help=f"file of a network: {formats.KINDS}")
    parser.add_argument(
        "--answer",
        type=parse_answer,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="answer to a question about the file; repeat the option for more answers",
    )
    parser.add_argument(
        "--alphabet", type=_names, metavar="FILE.json", help="names of the input symbols: a JSON list of strings"
    )
    parser.add_argument(
        "--labels", type=_names, metavar="FILE.json", help="names of the outputs: a JSON list of strings"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(answer_option="--answer")


def parse_answer(text: str) -> tuple[str, str]:
    """Split KEY=VALUE into the key and the value. Raises ArgumentTypeError if `text` has no "="."""
    key, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("an answer must have the form KEY=VALUE")
    return key, value


def _names(path: str) -> list[str]:
    try:
        names = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{path} could not be read as JSON") from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise argparse.ArgumentTypeError(f"{path} must contain a JSON list of strings")
    return names


def read(options: argparse.Namespace) -> Imported:
    """Read the network file that the options name. Raises FormatError or OSError."""
    return formats.read_file(options.file, dict(options.answer), options.alphabet, options.labels)


def print_error(error: FormatError | OSError, options: argparse.Namespace) -> None:
    """Print an error to standard error. If it is an open question, also print the options that answer it.

    With --json, print a question to standard output instead, as JSON.
    """
    if isinstance(error, OSError):
        warn(f"{error.filename} cannot be read: {error.strerror}")
    elif not isinstance(error, Unanswered):
        warn(f"{options.file}: {error}")
    elif options.json:
        print(to_json({"question": asdict(error.question)}).decode())
    else:
        warn(f"{options.file}: {error.question.text} Choose one:")
        answers = [
            f"{options.answer_option} {_quoted(f'{error.question.key}={o.value}')}" for o in error.question.options
        ]
        width = max(map(len, answers))
        for answer, option in zip(answers, error.question.options, strict=True):
            print(f"  {answer:{width}}  {option.means}", file=sys.stderr)


def _quoted(text: str) -> str:
    return f'"{text}"' if any(c in text for c in " ,()#") else text
