"""Who has a place in a room, and with it a vote: a device that is connected, or was and may come back.

A place is [until, since, by, connected]: it lapses at `until`; `since` is when the device came; `by` is the address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import Refused
from .keeper import Keeper
from .room import Room

TABLE = "seats"

ALIVE = 60
"""Seconds for which a connected device keeps its place without a sign of its process, which gives one every 15 s."""

KEPT = 1200
"""Seconds for which the place of a device that left is kept."""

SETTLED = 30
"""Seconds after which a device has settled: its place is kept when it leaves."""

UNSETTLED = 30
"""Places kept for devices of one address that left before they settled: some students pocket their phone."""


class Seats:
    """The places of all rooms of a keeper: `most` in each for one address, and twice as many for all.

    A whole class may share one address, so an address has as many places as a class, and a stranger elsewhere cannot
    take them.
    """

    def __init__(self, keeper: Keeper, most: int) -> None:
        self.keeper, self.most = keeper, most

    async def take(self, room: Room, name: str, by: str) -> None:
        """Give a device its place, the one that it had if it is still kept. Raises Refused when there is none."""
        seats, now = await self.valid(room), self.keeper.clock()
        since = now
        if name in seats:
            since = seats[name][1]
        elif len(seats) >= 2 * self.most:
            message = f"this room is full: at most {2 * self.most:,} students can follow it"
            raise Refused(429, "full", message, retry_after=10)
        elif sum(seat[2] == by for seat in seats.values()) >= self.most:
            message = f"this room is full: at most {self.most:,} students can follow it from one network address"
            raise Refused(429, "full", message, retry_after=10)
        await self.keeper.put(room, TABLE, {name: [now + ALIVE, since, by, True]})

    async def refresh(self, room: Room) -> None:
        """Keep the places of all devices that are connected to this process."""
        seats, now = await self.keeper.table(room, TABLE), self.keeper.clock()
        kept = {name: [now + ALIVE, *seats[name][1:]] for name in room.here if name in seats}
        if kept:
            await self.keeper.put(room, TABLE, kept)
        lapsed = [name for name, seat in seats.items() if seat[0] <= now and name not in room.here]
        if lapsed:
            await self.keeper.drop(room, TABLE, lapsed)

    async def leave(self, room: Room, name: str) -> list[str]:
        """Keep the place of a device that left. Return the devices whose place is given up: those that stayed least."""
        seats, now = await self.valid(room), self.keeper.clock()
        if name not in seats:
            return [name]
        _, since, by, _ = seats[name]
        await self.keeper.put(room, TABLE, {name: [now + KEPT, since, by, False]})
        stayed = {one: until - KEPT - came for one, (until, came, at, here) in seats.items() if at == by and not here}
        unsettled = sorted((s, one) for one, s in (stayed | {name: now - since}).items() if s < SETTLED)
        given_up = [one for _, one in unsettled[: max(0, len(unsettled) - UNSETTLED)]]
        if given_up:
            await self.keeper.drop(room, TABLE, given_up)
        return given_up

    async def restore(self, room: Room) -> None:
        """Keep every place for a while: the process that these devices were connected to has ended."""
        seats, until = await self.keeper.table(room, TABLE), self.keeper.clock() + KEPT
        await self.keeper.put(
            room, TABLE, {name: [until, since, by, False] for name, (_, since, by, _) in seats.items()}
        )

    async def connected(self, room: Room, name: str) -> bool:
        """Whether a device is connected, to this process or another."""
        if room.here[name]:
            return True
        seat = (await self.keeper.table(room, TABLE)).get(name)
        return seat is not None and seat[3] and seat[0] > self.keeper.clock()

    async def valid(self, room: Room) -> Mapping[str, Any]:
        """The places that have not lapsed."""
        now = self.keeper.clock()
        return {name: seat for name, seat in (await self.keeper.table(room, TABLE)).items() if seat[0] > now}
