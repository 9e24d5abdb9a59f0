"""The devices of students, which join a room, connect to it, and leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from ..errors import Refused
from . import codes
from .bucket import Buckets
from .keeper import Keeper
from .room import Room
from .seats import Seats
from .tables import answers_table

POLL_SECONDS = 8
"""The seconds for which a device counts as connected after it polls the state.

A device polls if a proxy delays its event stream.
"""


class Connections:
    """The connections of devices to this process, in all rooms."""

    def __init__(self, keeper: Keeper, seats: Seats) -> None:
        self.keeper, self.seats = keeper, seats
        self.messages = Buckets(20, 2, keeper.clock)
        self._leaving = set[asyncio.Task[None]]()

    async def join(self, room: Room, device: str, address: str) -> tuple[str, bool]:
        """Give a device a place in a room. Return the device and whether it is new. Raise Refused if the room is full.

        A device without a valid signature gets a new name.
        """
        new = not (device and codes.is_device(device, room.digest))
        device = codes.new_device(room.digest) if new else device
        await self.seats.take(room, codes.device_name(device), codes.address_digest(address))
        return device, new

    @asynccontextmanager
    async def connected(self, room: Room, device: str) -> AsyncIterator[None]:
        """Count a device as connected while this context is open."""
        name = codes.device_name(device)
        await self._enter(room, name)
        try:
            yield
        finally:
            await self._leave(room, name)

    async def poll(self, room: Room, device: str) -> None:
        """Count a device as connected until `POLL_SECONDS` pass without another request for the state."""
        name = codes.device_name(device)
        timer = room.polls.pop(name, None)
        if timer is None:
            await self._enter(room, name)
        else:
            timer.cancel()
        room.polls[name] = asyncio.get_running_loop().call_later(POLL_SECONDS, self._end_poll, room, name)

    def check(self, room: Room, device: str) -> None:
        """Raise Refused if a device has not joined this room, or sends too many messages."""
        if not codes.is_device(device, room.digest):
            raise Refused(403, "not-here", "only devices that have joined this room can do this", "device")
        self.messages.take(device, "this device sent too many messages")

    async def connected_name(self, room: Room, device: str) -> str:
        """Return the name of a device. Raise Refused if the device is not connected."""
        name = codes.device_name(device)
        if not await self.seats.is_connected(room, name):
            message = "this device is not connected to the room at the moment; try again in a few seconds"
            raise Refused(409, "not-connected", message, "device")
        return name

    async def _enter(self, room: Room, name: str) -> None:
        room.connections[name] += 1
        if room.connections[name] == 1:
            await self.keeper.count_follower(room, 1)

    async def _leave(self, room: Room, name: str) -> None:
        room.connections[name] -= 1
        if room.connections[name] > 0:
            return
        del room.connections[name]
        await self.keeper.count_follower(room, -1)
        question = room.public.question
        with suppress(Refused):  # The store is not available. The place expires anyway.
            removed = await self.seats.leave(room, name)
            if removed and question is not None:
                await self.keeper.drop(room, answers_table(question.id, question.round), removed)

    def _end_poll(self, room: Room, name: str) -> None:
        del room.polls[name]
        task = asyncio.get_running_loop().create_task(self._leave(room, name))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
