"""Errors about a file, and questions to the person who has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class FormatError(ValueError):
    """A file that cannot be imported: what is wrong, where, and what is allowed."""


@dataclass(frozen=True)
class Option:
    """One answer: its `value`, and what it means in words."""

    value: str
    means: str


@dataclass(frozen=True)
class Question:
    """A question that the file leaves open. `key` is the name under which `answers` has the answer."""

    key: str
    text: str
    options: tuple[Option, ...]


class Unanswered(FormatError):
    """A question that must be answered first: read the file again with `answers={question.key: value}`.

    `call` is code that does so with the first option, "" if unknown.
    """

    def __init__(self, question: Question, call: str = "") -> None:
        options = "; ".join(f"{option.value}: {option.means}" for option in question.options)
        example = f". For example: {call}" if call else ""
        super().__init__(f"{question.text} Answer {question.key!r} with one of: {options}{example}")
        self.question, self.call = question, call

    def __reduce__(self) -> tuple[type[Unanswered], tuple[Question, str]]:
        return Unanswered, (self.question, self.call)


def answer(question: Question, answers: Mapping[str, str]) -> str:
    """Return the answer to a question. Raises Unanswered if there is none, FormatError if it is not an option."""
    if question.key not in answers:
        raise Unanswered(question)
    allowed = [option.value for option in question.options]
    if answers[question.key] not in allowed:
        given = shown(str(answers[question.key]))
        raise FormatError(f"{given} is not an answer to {question.key!r}; choose one of {', '.join(allowed)}")
    return answers[question.key]


def shown(name: str) -> str:
    """Return a name from a file in quotes, as a message shows it."""
    return f"'{short(name)}'"


def short(name: str, most: int = 60) -> str:
    """Return a name without characters that cannot be printed, cut if it is long."""
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name[: most + 1])
    return printable[:most] + "…" if len(printable) > most else printable


def apart(names: Sequence[str]) -> list[str]:
    """Return names as values of options: short, and all different."""
    found: list[str] = []
    for name in map(short, names):
        count = sum(other == name or other.startswith(name + " #") for other in found)
        found.append(f"{name} #{count + 1}" if count else name)
    return found
