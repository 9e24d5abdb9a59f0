"""The state of a room, in two types: a public part for everyone in the room, and a private part hidden from students.

Each field is stored separately: a change stores and sends only the fields that it changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypedDict, cast, get_type_hints

from pydantic import TypeAdapter, ValidationError

from .question import RoomQuestion, Solution
from .record import Entry
from .views import ShownView

ClassMode = Literal["follow", "explore", "pause"]
"""Whether students see the teacher's view, have views of their own, or keep the last view."""


@dataclass(frozen=True)
class PublicState:
    """The state that everyone in a room may see. Each device receives all of it."""

    view: ShownView
    mode: ClassMode = "follow"
    question: RoomQuestion | None = None
    ended: bool = False


@dataclass(frozen=True)
class PrivateState:
    """The state that no student may see.

    `opened_by` is the digest of the network address that opened the room. `record` has the questions so far, and
    `explorations` is the number of explorations so far. All other fields belong to the newest question: its `solution`;
    `view_after`, the view to show with the solution, or None for no new view; `view_before`, the view before the
    question; and `covered`, whether the figure is covered until the reveal.
    """

    opened_by: str
    record: tuple[Entry, ...] = ()
    explorations: int = 0
    solution: Solution | None = None
    view_after: ShownView | None = None
    view_before: ShownView | None = None
    covered: bool = False


class Changes(TypedDict, total=False):
    """New values for fields of a room's state."""

    view: ShownView
    mode: ClassMode
    question: RoomQuestion | None
    ended: bool
    record: tuple[Entry, ...]
    explorations: int
    solution: Solution | None
    view_after: ShownView | None
    view_before: ShownView | None
    covered: bool


@dataclass(frozen=True)
class State:
    """The whole state of a room."""

    public: PublicState
    private: PrivateState

    def changed(self, changes: Changes) -> State:
        """Return a new state with these changes applied."""
        public, private = self.public, self.private
        return State(
            PublicState(
                view=changes.get("view", public.view),
                mode=changes.get("mode", public.mode),
                question=changes.get("question", public.question),
                ended=changes.get("ended", public.ended),
            ),
            PrivateState(
                opened_by=private.opened_by,
                record=changes.get("record", private.record),
                explorations=changes.get("explorations", private.explorations),
                solution=changes.get("solution", private.solution),
                view_after=changes.get("view_after", private.view_after),
                view_before=changes.get("view_before", private.view_before),
                covered=changes.get("covered", private.covered),
            ),
        )

    def to_json(self) -> dict[str, bytes]:
        """Return the JSON of each field, by field name."""
        values = {
            field.name: getattr(part, field.name) for part in (self.public, self.private) for field in fields(part)
        }
        return {name: _TYPES[name].dump_json(value) for name, value in values.items()}

    @classmethod
    def from_json(cls, texts: Mapping[str, str | bytes]) -> State:
        """Parse a state from the JSON of each field. Raise ValueError if another version stored it."""
        values = {name: _parse(name, texts.get(name, "")) for name in _TYPES}
        public, private = ({field.name: values[field.name] for field in fields(part)} for part in _PARTS)
        return cls(PublicState(**public), PrivateState(**private))


_PARTS = (PublicState, PrivateState)

_TYPES: dict[str, TypeAdapter[Any]] = {
    name: TypeAdapter(type) for part in _PARTS for name, type in get_type_hints(part).items()
}


def changes_to_json(changes: Changes) -> dict[str, bytes]:
    """Return the JSON of each changed field, by field name."""
    return {name: _TYPES[name].dump_json(value) for name, value in changes.items()}


def changes_from_json(texts: Mapping[str, str | bytes]) -> Changes:
    """Parse changes from the JSON of each field. Raise ValueError if another version stored them."""
    return cast(Changes, {name: _parse(name, text) for name, text in texts.items()})


def _parse(name: str, text: str | bytes) -> Any:
    """Parse the value of a field. If the field or its type is unknown, raise a ValueError that does not show `text`."""
    try:
        return _TYPES[name].validate_json(text)
    except (KeyError, ValidationError):
        raise ValueError(f"the field {name} is not as this version stores it") from None
