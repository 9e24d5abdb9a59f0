"""The tables of a room. A table has one value for each device: its place, its answer, or the view that it explores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from ..questions.kind import Answer
from .views import ShownView

T = TypeVar("T")


class Seat(NamedTuple):
    """The place of a device in a room. Times are in seconds.

    The place expires at the time `until`. The device joined at the time `since`. `address` is the digest of its network
    address.
    """

    until: float
    since: float
    address: str
    connected: bool


@dataclass(frozen=True)
class ExploredView:
    """The view of an exploring student. `at` is the time of the view, in seconds since the room was opened."""

    view: ShownView
    at: float


@dataclass(frozen=True)
class Table(Generic[T]):
    """A table of a room: its name, and the type of its values, which are stored as JSON."""

    name: str
    type: TypeAdapter[T]

    def to_json(self, value: T) -> bytes:
        return self.type.dump_json(value)

    def from_json(self, text: str | bytes) -> T:
        """Parse a stored value. If it has another type, raise a ValueError that does not show `text`."""
        try:
            return self.type.validate_json(text)
        except ValidationError:
            raise ValueError(f"the table {self.name} is not as this version stores it") from None


_ANSWER: TypeAdapter[Answer] = TypeAdapter(Answer)
_LOOK = TypeAdapter(ExploredView)

SEATS = Table("seats", TypeAdapter(Seat))


def answers_table(question: int, round: int) -> Table[Answer]:
    """Return the table of the answers that round `round` of the question with the id `question` received."""
    return Table(f"answers.{question}.{round}", _ANSWER)


def looks_table(exploration: int) -> Table[ExploredView]:
    """Return the table of the students' newest views in an exploration."""
    return Table(f"looks.{exploration}", _LOOK)


def suggestions_table(exploration: int) -> Table[ExploredView]:
    """Return the table of the views that students suggested in an exploration."""
    return Table(f"suggestions.{exploration}", _LOOK)


def table_named(name: str) -> Table[Any]:
    """Return the table with a stored name. Raise ValueError if there is no such table."""
    types: dict[str, TypeAdapter[Any]] = {
        "seats": SEATS.type, "answers": _ANSWER, "looks": _LOOK, "suggestions": _LOOK,
    }  # fmt: skip
    kind = name.partition(".")[0]
    if kind not in types:
        raise ValueError(f"a room has no table {name}")
    return Table(name, types[kind])
