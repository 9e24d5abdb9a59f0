"""Where rooms are stored, and everything that is posted to them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from .room import Room

STARTED = time.time() - time.monotonic()
"""The time at which this machine's steady clock was at 0: a wall clock that is set anew ends no room."""


class Keeper(Protocol):
    """Stores rooms, each with tables of one value per key, such as a question's answers by device."""

    def clock(self) -> float:
        """Return the time in seconds, the same for all processes that share these rooms."""

    async def open(self, room: Room) -> None:
        """Store a new room."""

    async def find(self, code: str) -> Room | None:
        """Return the room as this process has it, which hears of every change from now on."""

    async def count(self, by: str = "") -> int:
        """Return how many rooms there are, or how many of them were opened `by` this address."""

    async def change(self, room: Room, fields: Mapping[str, Any]) -> None:
        """Put fields into a room's state, in every process that has somebody in it."""

    async def put(self, room: Room, table: str, values: Mapping[str, Any]) -> None:
        """Put values into a table. Does nothing when the room has ended."""

    async def drop(self, room: Room, table: str, keys: Sequence[str]) -> None:
        """Remove keys from a table."""

    async def table(self, room: Room, name: str) -> Mapping[str, Any]:
        """Return all of a table."""

    async def followers(self, room: Room) -> int:
        """Return how many follow a room, in all processes."""

    async def joined(self, room: Room, by: int) -> None:
        """Count one more follower in this process (1), or one less (−1)."""

    async def met(self, room: Room) -> float:
        """Return when the teacher was last seen in a room, a time in seconds."""

    async def meet(self, room: Room, now: float) -> None:
        """Note that the teacher is seen now."""

    async def forget(self, room: Room) -> None:
        """Remove a room and its tables."""

    def rooms(self) -> list[Room]:
        """Return the rooms that this process has."""

    async def all(self) -> list[Room]:
        """Return the rooms of all processes."""

    async def close(self) -> None:
        """Close everything that was opened."""


class InMemory:
    """Rooms of this process alone, for as long as it lasts."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}
        self._tables: dict[str, dict[str, dict[str, Any]]] = {}

    def clock(self) -> float:
        return STARTED + time.monotonic()

    async def open(self, room: Room) -> None:
        self._rooms[room.code], self._tables[room.code] = room, {}

    async def find(self, code: str) -> Room | None:
        return self._rooms.get(code)

    async def count(self, by: str = "") -> int:
        return sum(not by or room.state.get("_by") == by for room in self._rooms.values())

    async def change(self, room: Room, fields: Mapping[str, Any]) -> None:
        room.change(fields)

    async def put(self, room: Room, table: str, values: Mapping[str, Any]) -> None:
        tables = self._tables.get(room.code)
        if tables is not None:
            tables.setdefault(table, {}).update(values)
            room.stir()

    async def drop(self, room: Room, table: str, keys: Sequence[str]) -> None:
        values = self._tables.get(room.code, {}).get(table, {})
        for key in keys:
            values.pop(key, None)
        room.stir()

    async def table(self, room: Room, name: str) -> Mapping[str, Any]:
        return self._tables.get(room.code, {}).get(name, {})

    async def followers(self, room: Room) -> int:
        return room.followers

    async def joined(self, room: Room, by: int) -> None:
        room.followers += by
        room.stir()

    async def met(self, room: Room) -> float:
        return room.seen

    async def meet(self, room: Room, now: float) -> None:
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
