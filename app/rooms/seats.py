"""The places in a room. Only a device with a place can answer.

A device has a place while it is connected, and for some time after it leaves, because it may come back.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import Refused
from .keeper import Keeper
from .room import Room
from .tables import SEATS, Seat

CONNECTED_SECONDS = 60
"""The seconds after which the place of a connected device expires. The process renews it every 15 s."""

LEFT_SECONDS = 1200
"""The seconds for which a device keeps its place after it has left."""

SETTLED_SECONDS = 30
"""The seconds that a device must stay in the room to be sure to keep its place after it leaves."""

UNSETTLED = 30
"""The maximum number of devices of one address that keep their place after a stay of less than SETTLED_SECONDS.

Some students join and then put their phone into a pocket.
"""


class Seats:
    """The places in all rooms. In a room, one address has at most `most` places.

    All addresses together have at most twice as many. A whole class may share one address, so `most` is the size of a
    class. A stranger at another address cannot take the places of the class.
    """

    def __init__(self, keeper: Keeper, most: int) -> None:
        self.keeper, self.most = keeper, most

    async def take(self, room: Room, name: str, address: str) -> None:
        """Give a device a place, or renew the place that it still has. Raise Refused if the room is full."""
        seats, now = await self.valid(room), self.keeper.clock()
        since = now
        if name in seats:
            since = seats[name].since
        elif len(seats) >= 2 * self.most:
            message = f"this room is full: at most {2 * self.most:,} students can follow it"
            raise Refused(429, "full", message, retry_after=10)
        elif sum(seat.address == address for seat in seats.values()) >= self.most:
            message = f"this room is full: at most {self.most:,} students can follow it from one network address"
            raise Refused(429, "full", message, retry_after=10)
        await self.keeper.put(room, SEATS, {name: Seat(now + CONNECTED_SECONDS, since, address, True)})

    async def refresh(self, room: Room) -> None:
        """Renew the places of the devices that are connected to this process. Remove the places that have expired."""
        seats, now = await self.keeper.rows(room, SEATS), self.keeper.clock()
        until = now + CONNECTED_SECONDS
        renewed = {name: seats[name]._replace(until=until) for name in room.connections if name in seats}
        if renewed:
            await self.keeper.put(room, SEATS, renewed)
        expired = [name for name, seat in seats.items() if seat.until <= now and name not in room.connections]
        if expired:
            await self.keeper.drop(room, SEATS, expired)

    async def leave(self, room: Room, name: str) -> list[str]:
        """Mark a device as disconnected. Return the devices that lose their place: the ones with the shortest stay."""
        seats, now = await self.valid(room), self.keeper.clock()
        if name not in seats:
            return [name]
        seat = seats[name]
        await self.keeper.put(room, SEATS, {name: seat._replace(until=now + LEFT_SECONDS, connected=False)})
        stayed = {
            other: left.until - LEFT_SECONDS - left.since
            for other, left in seats.items()
            if left.address == seat.address and not left.connected
        }
        stayed[name] = now - seat.since
        unsettled = sorted((seconds, other) for other, seconds in stayed.items() if seconds < SETTLED_SECONDS)
        removed = [other for _, other in unsettled[: max(0, len(unsettled) - UNSETTLED)]]
        if removed:
            await self.keeper.drop(room, SEATS, removed)
        return removed

    async def restore(self, room: Room) -> None:
        """Mark all devices as disconnected after a restart, which ended their connections."""
        until = self.keeper.clock() + LEFT_SECONDS
        seats = await self.keeper.rows(room, SEATS)
        left = {name: seat._replace(until=until, connected=False) for name, seat in seats.items()}
        await self.keeper.put(room, SEATS, left)

    async def is_connected(self, room: Room, name: str) -> bool:
        """Return whether a device is connected, to this process or another."""
        if room.connections[name]:
            return True
        seat = (await self.keeper.rows(room, SEATS)).get(name)
        return seat is not None and seat.connected and seat.until > self.keeper.clock()

    async def valid(self, room: Room) -> Mapping[str, Seat]:
        """Return the places that have not expired, by device."""
        now = self.keeper.clock()
        return {name: seat for name, seat in (await self.keeper.rows(room, SEATS)).items() if seat.until > now}
