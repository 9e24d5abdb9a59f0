"""What goes wrong with a file, and what must be asked of whoever brought it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class FormatError(ValueError):
    """A file that cannot be brought in: what was wrong, where, and what is allowed."""


@dataclass(frozen=True)
class Option:
    """One answer: its `value`, and what follows from it, in words."""

    value: str
    means: str


@dataclass(frozen=True)
class Question:
    """What the file does not tell. `key` is the name under which `answers` holds the answer."""

    key: str
    text: str
    options: tuple[Option, ...]


class Unanswered(FormatError):
    """A question stands in the way: read the file again with `answers={question.key: a value}`.

    `call` is code that does so with the first option, where that can be said.
    """

    def __init__(self, question: Question, call: str = "") -> None:
        options = "; ".join(f"{option.value}: {option.means}" for option in question.options)
        example = f". For example: {call}" if call else ""
        super().__init__(f"{question.text} Answer {question.key!r} with one of: {options}{example}")
        self.question, self.call = question, call

    def __reduce__(self) -> tuple[type[Unanswered], tuple[Question, str]]:
        return Unanswered, (self.question, self.call)


def answer(question: Question, answers: Mapping[str, str]) -> str:
    """The answer given. Raises Unanswered when there is none, FormatError when it is no option."""
    if question.key not in answers:
        raise Unanswered(question)
    allowed = [option.value for option in question.options]
    if answers[question.key] not in allowed:
        given = shown(str(answers[question.key]))
        raise FormatError(f"{given} is not an answer to {question.key!r}; choose one of {', '.join(allowed)}")
    return answers[question.key]


def shown(name: str) -> str:
    """A name out of a file as a message may show it."""
    return f"'{short(name)}'"


def short(name: str, most: int = 60) -> str:
    """The name without what would not print, and cut if it is long."""
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name[: most + 1])
    return printable[:most] + "…" if len(printable) > most else printable


def apart(names: Sequence[str]) -> list[str]:
    """Names as answers: short, and no two alike."""
    found: list[str] = []
    for name in map(short, names):
        count = sum(other == name or other.startswith(name + " #") for other in found)
        found.append(f"{name} #{count + 1}" if count else name)
    return found
