"""The streams of a room: the events that followers and the teacher receive while they are connected.

A stream sends whole states, not single changes. A slow client receives only the newest state.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from ..errors import Refused
from ..runs.events import EVENT_STREAM
from .events import PING, device_event, teacher_event
from .room import Room
from .teacher import TeacherState

PAUSE = 0.1
"""The minimum number of seconds between two events for the teacher. One event covers all answers in between."""


class ConnectedStream(StreamingResponse):
    """An event stream. A device counts as connected while the stream is open.

    This class closes `connection` after the stream. The iterator of events cannot do that: when the client leaves, the
    iterator is canceled, and it cannot await anything after that.
    """

    def __init__(
        self, events: AsyncIterator[bytes], headers: Mapping[str, str], connection: AbstractAsyncContextManager[None]
    ) -> None:
        super().__init__(events, headers=headers, media_type=EVENT_STREAM)
        self.connection = connection

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self.connection:
            await super().__call__(scope, receive, send)


async def follower_events(room: Room, device: str, last_id: str, once: bool = False) -> AsyncIterator[bytes]:
    """Yield an event with the device's name, and then the newest state whenever it changes, until the room ends.

    The device already has the state with the id `last_id`, so the stream leaves this state out. With
    `once`, end after the newest state.
    """
    yield device_event(device)
    while not room.closed:
        change = room.state_changed.next
        if room.id != last_id:
            last_id = room.id
            yield room.event
            if room.public.ended or once:
                return
            continue
        if once:
            return
        await change.wait()
        if room.id == last_id and not room.closed:
            yield PING


async def teacher_events(
    room: Room, read: Callable[[], Awaitable[TeacherState]], once: bool = False
) -> AsyncIterator[bytes]:
    """Yield an event with the teacher's state now and whenever the class does something, until the room ends.

    `read` returns the state. If `read` raises Refused because the room store is not available, the event has the last
    state and the error. With `once`, end after the first event.
    """
    room.teachers += 1
    try:
        state: TeacherState | None = None
        while not room.closed:
            change, ended = room.class_changed.next, room.public.ended
            away = None
            try:
                state = await read()
            except Refused as error:
                away = error.message
            yield teacher_event(state, away)
            if once:
                return
            await asyncio.sleep(PAUSE)
            if ended:
                return
            await change.wait()
    finally:
        room.teachers -= 1
