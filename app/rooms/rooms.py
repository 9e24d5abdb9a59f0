"""The rooms of a server: who may open, find and lead a room, which view it shows, and when it ends."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace

from ..errors import Refused
from ..runs.events import HEARTBEAT_SECONDS
from ..settings import Settings
from . import codes
from .bucket import Buckets
from .connections import Connections
from .explorations import Explorations
from .keeper import Keeper
from .questions import Questions
from .room import Room
from .seats import Seats
from .state import Changes, ClassMode, PrivateState, PublicState, State
from .teacher import TeacherState
from .views import ShownView, with_cursor

MOST_ENDED = 1_000
"""The maximum number of ended rooms that the server remembers, to tell students that their room has ended."""

IDLE_SECONDS = 60
"""The seconds that a room must be without its teacher before the server may end it to make room for another."""


class Rooms:
    """The rooms of this server."""

    def __init__(self, settings: Settings, keeper: Keeper) -> None:
        self.settings, self.keeper = settings, keeper
        self.seats = Seats(keeper, settings.followers)
        self.connections = Connections(keeper, self.seats)
        self.questions = Questions(keeper, self.seats, self.connections)
        self.explorations = Explorations(keeper, self.connections)
        self._openings = Buckets(20, 0.1, keeper.clock)
        self._guesses = Buckets(60, 1, keeper.clock)
        self._ended = OrderedDict[str, None]()
        self._beating: asyncio.Task[None] | None = None

    async def open(self, view: ShownView, secret: str | None, address: str) -> tuple[Room, str]:
        """Open a room that shows a view. Return the room and its secret.

        With a `secret`, return the room that belongs to it. If the server has lost this room, open it again with the
        same code. Raise Refused if another room has this code now, or if there are too many rooms.
        """
        self._openings.take(address, "too many rooms were opened from your network address")
        new_secret = secret or codes.new_secret()
        code = await asyncio.to_thread(codes.code_of, new_secret)
        room = await self.keeper.find(code)
        if room is not None and codes.is_secret(new_secret, room.digest):
            return room, new_secret
        if room is not None and secret is not None:
            raise Refused(409, "room", "another room has this code now: open a new room", "secret")
        if room is not None:
            return await self.open(view, None, address)
        opened_by = codes.address_digest(address)
        await self._check_limits(opened_by)
        state = State(PublicState(view), PrivateState(opened_by))
        room = Room(code, codes.digest_of(new_secret), self.keeper.clock(), state)
        self._ended.pop(code, None)
        await self.keeper.open(room)
        return await self.keeper.find(code) or room, new_secret

    async def get(self, code: str, address: str) -> Room:
        """Return the room with a code. Raise Refused if there is none, or if the address tries too many codes."""
        code = codes.read_code(code)
        room = await self.keeper.find(code)
        if code in self._ended:
            raise Refused(410, "ended", "this room has ended", "code")
        if room is None or room.public.ended:
            self._guesses.take(address, "too many wrong codes came from your network address")
            message = "there is no room with this code: the code is wrong, or the room has ended"
            raise Refused(404, "no-room", message, "code")
        return room

    async def get_as_teacher(self, code: str, address: str, authorization: str) -> Room:
        """Return the room with a code, for its teacher. Raise Refused for everyone else."""
        room = await self.get(code, address)
        if not self.is_teacher(room, authorization):
            self._guesses.take(address, "too many wrong secrets came from your network address")
            raise Refused(403, "not-yours", "only the teacher of this room can do this", "authorization")
        await self.keeper.mark_seen(room, self.keeper.clock())
        return room

    def is_teacher(self, room: Room, authorization: str) -> bool:
        """Return whether `authorization`, the value of the header Authorization, contains the room's secret."""
        scheme, _, secret = authorization.partition(" ")
        return scheme.lower() == "bearer" and codes.is_secret(secret, room.digest)

    async def show(self, room: Room, view: ShownView, seen: int | None) -> None:
        """Show a view to the class. A view of another page or step removes a question with a revealed answer.

        A covered step of a lesson stays covered until an answer is revealed.

        While a question covers the figure, apply only the cursor of `view`, because a teacher's page sends the whole
        run after a reload. In this case, raise Refused if `view` has another page, step, model or sequence. `seen` is
        the id of the question that the teacher's page showed when it sent `view`. If this question is over, ignore a
        view of the figure that it covered.
        """
        question, before = room.public.question, room.public.view
        revealed = question is not None and question.status == "revealed"
        same = (view.page, view.step) == (before.page, before.step)
        is_over = question is None or revealed or question.id != seen
        if seen is not None and is_over and room.private.covered and same and view.upto is not None:
            return
        if question is not None and not revealed and room.private.covered:
            covered = with_cursor(before, view)
            if covered is None:
                message = "the class still sees the question: press “Show answer” or “Remove question” first"
                raise Refused(409, "covered", message, "view")
            await self.keeper.change(room, {"view": covered})
            return
        changes: Changes = {"view": replace(view, covered=before.covered) if same else view}
        if revealed and not same:
            changes |= {"question": None, "solution": None}
        await self.keeper.change(room, changes)

    async def set_mode(self, room: Room, mode: ClassMode) -> None:
        """Set the mode of the class. A new exploration starts without the views of the previous one."""
        changes: Changes = {"mode": mode}
        if mode == "explore" and room.public.mode != "explore":
            changes["explorations"] = room.private.explorations + 1
        await self.keeper.change(room, changes)

    async def teacher_state(self, room: Room) -> TeacherState:
        """Return the current state of a room for its teacher. Raise Refused if the store is not available."""
        public = room.public
        followers = await self.keeper.followers(room)
        rounds = () if public.question is None else await self.questions.tallies(room, public.question)
        exploration = await self.explorations.summary(room, public.view) if public.mode == "explore" else None
        return TeacherState(public, followers, rounds, exploration)

    async def withheld(self, lesson: str, address: str, authorization: str) -> bool:
        """Return whether a lesson's answers and notes are withheld from an address.

        They are withheld while a student at this address follows a room that shows the lesson, unless the class
        explores and has no open question. The room's teacher can always see them.
        """
        try:
            rooms = await self.keeper.all()
        except Refused:  # The store is not available.
            rooms = self.keeper.rooms()
        for room in rooms:
            state = room.public
            asked = state.question is not None and state.question.status != "revealed"
            explores = state.mode == "explore" and not asked
            if state.view.page != f"lessons/{lesson}" or explores or state.ended:
                continue
            seats = (await self.seats.valid(room)).values()
            followed = any(seat.address == codes.address_digest(address) for seat in seats)
            if followed and not self.is_teacher(room, authorization):
                return True
        return False

    async def end(self, room: Room) -> None:
        """End a room. Everyone in it receives a last state."""
        self._ended[room.code] = None
        while len(self._ended) > MOST_ENDED:
            self._ended.popitem(last=False)
        await self.keeper.change(room, {"ended": True})
        await self.keeper.forget(room)

    async def begin(self) -> None:
        """Start the background work that keeps streams open and ends old rooms. It needs a running event loop."""
        if self._beating is None:
            for room in self.keeper.rooms():
                await self.seats.restore(room)
            self._beating = asyncio.create_task(self._beat())

    def leave(self) -> None:
        """End all streams before this process ends."""
        for room in self.keeper.rooms():
            room.close()

    async def stop(self) -> None:
        """End all streams and the background work, and close the store."""
        self.leave()
        if self._beating is not None:
            self._beating.cancel()
            with suppress(asyncio.CancelledError):
                await self._beating
        await self.keeper.close()

    async def sweep(self) -> None:
        """End the rooms that are too old, or have been without their teacher for too long."""
        now = self.keeper.clock()
        for room in self.keeper.rooms():
            if room.teachers:
                await self.keeper.mark_seen(room, now)
            alone = now - await self.keeper.last_seen(room)
            if now - room.opened > 3600 * self.settings.room_hours or alone > 60 * self.settings.room_alone:
                await self.end(room)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            for room in self.keeper.rooms():
                room.wake()
            with suppress(Refused):  # The store is not available. The next beat tries again.
                for room in self.keeper.rooms():
                    await self.seats.refresh(room)
                await self.sweep()

    async def _check_limits(self, opened_by: str) -> None:
        """Raise Refused if the server, or the address `opened_by`, already has the maximum number of rooms."""
        most = max(1, self.settings.rooms // 4)
        if await self.keeper.count(opened_by) >= most:
            message = f"at most {most} rooms can be open from one network address: end one of yours first"
            raise Refused(429, "busy", message, retry_after=60)
        if await self.keeper.count() >= self.settings.rooms and not await self._end_idle_room():
            message = f"all {self.settings.rooms} rooms of this server are in use; try again when one has ended"
            raise Refused(429, "busy", message, retry_after=60)

    async def _end_idle_room(self) -> bool:
        """End the empty room that has been without its teacher for longest. Return whether there was one."""
        idle = [room for room in await self.keeper.all() if not room.teachers and not await self.keeper.followers(room)]
        seen = {room.code: await self.keeper.last_seen(room) for room in idle}
        longest = min(idle, key=lambda room: seen[room.code], default=None)
        if longest is None or self.keeper.clock() - seen[longest.code] < IDLE_SECONDS:
            return False
        await self.end(longest)
        return True
