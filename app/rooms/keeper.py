"""Where rooms are kept, and everything that is said in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from .room import Room


class Keeper(Protocol):
    """Keeps rooms, each with tables that have one value a key, such as a question's answers by device."""

    async def open(self, room: Room) -> None:
        """Keep a new room."""

    async def find(self, code: str) -> Room | None:
        """The room as this process has it, which hears of every change from now on."""

    async def count(self) -> int:
        """How many rooms there are."""

    async def change(self, room: Room, fields: Mapping[str, Any]) -> None:
        """Put fields into a room's state, wherever somebody is in it."""

    async def put(self, room: Room, table: str, key: str, value: Any, most: int) -> bool:
        """Put a value in a table; False where that has `most` other keys already."""

    async def table(self, room: Room, name: str) -> Mapping[str, Any]:
        """All of a table."""

    async def followers(self, room: Room) -> int:
        """How many are in a room, in all processes."""

    async def joined(self, room: Room, by: int) -> None:
        """Count one more in this process (1), or one less (−1)."""

    async def met(self, room: Room) -> float:
        """When the teacher was last seen in a room, a time in seconds."""

    async def meet(self, room: Room, now: float) -> None:
        """The teacher is seen now."""

    async def forget(self, room: Room) -> None:
        """Keep a room no longer."""

    def rooms(self) -> list[Room]:
        """Those that this process has."""

    async def close(self) -> None:
        """Let go of everything that was opened."""


class InMemory:
    """Rooms of this process alone, for as long as it lasts."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}
        self._tables: dict[str, dict[str, dict[str, Any]]] = {}

    async def open(self, room: Room) -> None:
        self._rooms[room.code], self._tables[room.code] = room, {}

    async def find(self, code: str) -> Room | None:
        return self._rooms.get(code)

    async def count(self) -> int:
        return len(self._rooms)

    async def change(self, room: Room, fields: Mapping[str, Any]) -> None:
        room.change(fields)

    async def put(self, room: Room, table: str, key: str, value: Any, most: int) -> bool:
        kept = self._tables[room.code].setdefault(table, {})
        if key not in kept and len(kept) >= most:
            return False
        kept[key] = value
        room.stir()
        return True

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

    async def close(self) -> None:
        pass
