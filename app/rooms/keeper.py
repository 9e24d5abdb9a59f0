"""The interface of room stores, and the store in memory."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from .room import Room
from .state import Changes
from .tables import Table

T = TypeVar("T")

LOG = logging.getLogger("gruscope.rooms")

SEEN_SECONDS = 20
"""The minimum number of seconds between two updates of the stored time at which the teacher was last seen."""

UNREADABLE = "a room that another version of GRU Scope stored is lost: %s"

STARTED = time.time() - time.monotonic()
"""The time at which this computer's monotonic clock was at 0.

Times are this value plus the monotonic clock, so a change of the system time ends no room.
"""


class Keeper(Protocol):
    """A store of rooms. Each room has a state and tables."""

    def clock(self) -> float:
        """Return the time in seconds. All processes that share the rooms have the same time."""

    async def open(self, room: Room) -> None:
        """Store a new room."""

    async def find(self, code: str) -> Room | None:
        """Return the room with a code, or None. From then on this process receives all changes of the room."""

    async def count(self, address: str = "") -> int:
        """Return the number of rooms. With `address`, a digest, count only the rooms that were opened from it."""

    async def change(self, room: Room, changes: Changes) -> None:
        """Apply changes to the state of a room, in all processes."""

    async def put(self, room: Room, table: Table[T], values: Mapping[str, T]) -> None:
        """Store values in a table, by key. Do nothing if the room has ended."""

    async def drop(self, room: Room, table: Table[T], keys: Sequence[str]) -> None:
        """Remove keys from a table."""

    async def rows(self, room: Room, table: Table[T]) -> Mapping[str, T]:
        """Return all values of a table, by key."""

    async def followers(self, room: Room) -> int:
        """Return the number of followers of a room, in all processes."""

    async def count_follower(self, room: Room, change: int) -> None:
        """Add `change`, 1 or −1, to the number of followers in this process."""

    async def last_seen(self, room: Room) -> float:
        """Return the time at which the teacher was last seen in a room."""

    async def mark_seen(self, room: Room, now: float) -> None:
        """Store `now` as the time at which the teacher was last seen in a room."""

    async def forget(self, room: Room) -> None:
        """Remove a room and its tables."""

    def rooms(self) -> list[Room]:
        """Return the rooms that this process has loaded."""

    async def all(self) -> list[Room]:
        """Return the rooms of all processes."""

    async def close(self) -> None:
        """Close files and connections."""


class InMemory:
    """A store in memory. The rooms belong to one process, and are lost when it ends."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}
        self._tables: dict[str, dict[str, dict[str, Any]]] = {}

    def clock(self) -> float:
        return STARTED + time.monotonic()

    async def open(self, room: Room) -> None:
        self._rooms[room.code], self._tables[room.code] = room, {}

    async def find(self, code: str) -> Room | None:
        return self._rooms.get(code)

    async def count(self, address: str = "") -> int:
        return sum(not address or room.private.opened_by == address for room in self._rooms.values())

    async def change(self, room: Room, changes: Changes) -> None:
        room.change(changes)

    async def put(self, room: Room, table: Table[T], values: Mapping[str, T]) -> None:
        tables = self._tables.get(room.code)
        if tables is not None:
            tables.setdefault(table.name, {}).update(values)
            room.class_changed.send()

    async def drop(self, room: Room, table: Table[T], keys: Sequence[str]) -> None:
        values = self._tables.get(room.code, {}).get(table.name, {})
        for key in keys:
            values.pop(key, None)
        room.class_changed.send()

    async def rows(self, room: Room, table: Table[T]) -> Mapping[str, T]:
        return self._tables.get(room.code, {}).get(table.name, {})

    async def followers(self, room: Room) -> int:
        return room.followers

    async def count_follower(self, room: Room, change: int) -> None:
        room.followers += change
        room.class_changed.send()

    async def last_seen(self, room: Room) -> float:
        return room.seen

    async def mark_seen(self, room: Room, now: float) -> None:
        room.seen = now

    async def forget(self, room: Room) -> None:
        self._rooms.pop(room.code, None)
        self._tables.pop(room.code, None)

    def rooms(self) -> list[Room]:
        return list(self._rooms.values())

    async def all(self) -> list[Room]:
        return self.rooms()

    async def close(self) -> None:
        pass
