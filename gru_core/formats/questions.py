"""The error for a file that cannot be imported, and questions to the person who imports a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class FormatError(ValueError):
    """The error for a file that cannot be imported. The message says what is wrong, where, and what is allowed."""


@dataclass(frozen=True)
class Option:
    """A possible answer to a question: its `value`, and its meaning in words."""

    value: str
    means: str


@dataclass(frozen=True)
class Question:
    """A question that the file leaves open. `key` is its name in the dictionary `answers`."""

    key: str
    text: str
    options: tuple[Option, ...]


class Unanswered(FormatError):
    """The error for a question without an answer. To answer, read the file again with `answers={question.key: value}`.

    `call` is example code that reads the file with the first option, or "" if there is no such code.
    """

    def __init__(self, question: Question, call: str = "") -> None:
        options = "; ".join(f"{option.value}: {option.means}" for option in question.options)
        example = f". For example: {call}" if call else ""
        super().__init__(f"{question.text} Answer {question.key!r} with one of: {options}{example}")
        self.question, self.call = question, call

    def __reduce__(self) -> tuple[type[Unanswered], tuple[Question, str]]:
        return Unanswered, (self.question, self.call)


def answer(question: Question, answers: Mapping[str, str]) -> str:
    """Return the answer to a question. Raises Unanswered if there is none, and FormatError if it is not an option."""
    if question.key not in answers:
        raise Unanswered(question)
    allowed = [option.value for option in question.options]
    if answers[question.key] not in allowed:
        value = shown(str(answers[question.key]))
        raise FormatError(f"{value} is not an answer to {question.key!r}; choose one of {', '.join(allowed)}")
    return answers[question.key]


def shown(name: str) -> str:
    """Quote a name from a file for a message. The result is short and printable."""
    return f"'{short(name)}'"


def short(name: str, most: int = 60) -> str:
    """Shorten a name to `most` characters, with � in place of unprintable characters."""
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name[: most + 1])
    return printable[:most] + "…" if len(printable) > most else printable


def apart(names: Sequence[str]) -> list[str]:
    """Return the names as different option values: shortened, and with a number appended to repeated names."""
    values: list[str] = []
    for name in map(short, names):
        count = sum(value == name or value.startswith(name + " #") for value in values)
        values.append(f"{name} #{count + 1}" if count else name)
    return values
