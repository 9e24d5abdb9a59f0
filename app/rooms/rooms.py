"""What may be done in rooms, by whom, and for how long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
from fastapi.sse import format_sse_event

from ..errors import Refused
from ..settings import Settings
from . import codes
from .asking import Asked, checked, tally
from .bucket import Buckets
from .keeper import Keeper
from .looks import gathered
from .record import Entry
from .room import PING_SECONDS, Room

BREATH = 0.1
"""Seconds between two words to the teacher about the class: 300 answers within one of them are one word."""

MOST_RECORDED = 500
"""Entries of a room's record."""


class Rooms:
    """All rooms that this process knows of. `clock` gives seconds, the same on all machines that share rooms."""

    def __init__(self, settings: Settings, keeper: Keeper, clock: Callable[[], float] = time.time) -> None:
        self.settings, self.keeper, self.clock = settings, keeper, clock
        self.opened = Buckets(20, 0.1, clock)
        self.guessed = Buckets(60, 1, clock)
        self.newcomers = Buckets(2 * settings.followers, 2, clock)
        self.posted = Buckets(20, 2, clock)
        self._beating: asyncio.Task[None] | None = None

    async def open(self, view: Mapping[str, Any], secret: str | None, who: str) -> tuple[Room, str]:
        """A new room that shows a view, and its secret; with a secret, the room of that, opened again if need be.

        Raises Refused.
        """
        self.opened.take(who, "many rooms were opened from your address")
        given = secret is not None
        secret = secret or codes.new_secret()
        code = await asyncio.to_thread(codes.code_of, secret)
        room = await self.keeper.find(code)
        if room is not None:
            if codes.is_secret(secret, room.digest):
                return room, secret
            if given:
                raise Refused(409, "room", "another room has this code by now: open a new one", "secret")
            return await self.open(view, None, who)
        if await self.keeper.count() >= self.settings.rooms:
            message = f"there are {self.settings.rooms} rooms, as many as this server has; one has to end first"
            raise Refused(429, "busy", message, retry_after=60)
        now = self.clock()
        state: dict[str, Any] = {"view": dict(view), "mode": "follow", "question": None, "ended": False, "_record": []}
        room = Room(code, codes.digest_of(secret), now, state)
        await self.keeper.open(room)
        return await self.keeper.find(code) or room, secret

    async def get(self, code: str, who: str) -> Room:
        """Raises Refused where there is no such room; whoever tries many codes is let wait."""
        room = await self.keeper.find(codes.read_code(code))
        if room is None or room.ended:
            self.guessed.take(who, "there were many wrong codes from your address")
            raise Refused(
                404, "no-room", "there is no room with this code: it has ended, or its code is another", "code"
            )
        return room

    async def led(self, code: str, who: str, authorization: str) -> Room:
        """The room, for its teacher alone. Raises Refused."""
        room = await self.get(code, who)
        scheme, _, secret = authorization.partition(" ")
        if scheme.lower() != "bearer" or not codes.is_secret(secret, room.digest):
            self.guessed.take(who, "there were many wrong secrets from your address")
            raise Refused(403, "not-yours", "only who opened this room can do this", "authorization")
        await self.keeper.meet(room, self.clock())
        return room

    async def show(self, room: Room, view: Mapping[str, Any]) -> None:
        """Going on to another page or step puts away a question that was revealed."""
        asked, before = room.state["question"], room.state["view"]
        elsewhere = (view["page"], view["step"]) != (before["page"], before["step"])
        done = asked is not None and asked["status"] == "revealed" and elsewhere
        await self.keeper.change(room, {"view": dict(view)} | ({"question": None, "_answer": None} if done else {}))

    async def set_mode(self, room: Room, mode: str) -> None:
        """What is looked at while a class explores is gathered anew each time."""
        new = mode == "explore" and room.state["mode"] != "explore"
        await self.keeper.change(room, {"mode": mode} | ({"_explored": self._explored(room) + 1} if new else {}))

    async def ask(self, room: Room, asked: Asked) -> None:
        """Ask something, instead of what was asked before."""
        record = await self._record(room)
        number = 1 + len(record)
        if number > MOST_RECORDED:
            raise Refused(429, "busy", f"{MOST_RECORDED} questions were asked in this room: open a new one")
        question = asked.public | {"id": int(1000 * self.clock()), "round": 1, "status": "open"}
        entry = Entry(number, asked.public["kind"], asked.plain, asked.link, self.clock() - room.opened).to_dict()
        fields = {"question": question, "_answer": asked.answer, "_record": [*record, entry]}
        before = room.state["question"]
        if before is None or before["status"] == "revealed":
            fields["_upto"] = room.state["view"]["upto"]
        if asked.view is not None:
            fields["view"] = asked.view
        await self.keeper.change(room, fields)

    async def close(self, room: Room) -> None:
        """Take no more answers for now."""
        await self._change_question(room, {"status": "locked"}, ("open",))

    async def again(self, room: Room) -> None:
        """Take answers once more: as a second round where it was closed after the first."""
        now = self._question(room)
        if now["round"] == now["rounds"]:
            await self._change_question(room, {"status": "open"}, ("locked",))
        else:
            await self._change_question(room, {"status": "open", "round": now["round"] + 1}, ("locked",))

    async def reveal(self, room: Room) -> None:
        """Show everybody the answer and the class's, and let the network run on."""
        now, answer = self._question(room), room.state["_answer"]
        truth = answer["truth"]
        rounds = [tally(now, await self._answers(room, now["id"], n), truth) for n in range(1, now["round"] + 1)]
        view = answer["view"] or room.state["view"]
        revealed = {name: value for name, value in answer.items() if name != "view"}
        record = list(room.state["_record"])
        record[-1] = record[-1] | {"truth": revealed["truth"], "text": revealed["text"], "rounds": rounds}
        question = now | {"status": "revealed", "revealed": revealed, "class": rounds}
        await self.keeper.change(room, {"question": question, "view": view, "_record": record})

    async def dismiss(self, room: Room) -> None:
        """Put the question away; what it had covered is shown again."""
        now = self._question(room)
        fields: dict[str, Any] = {"question": None, "_answer": None, "_record": await self._record(room)}
        if now["status"] != "revealed":
            fields["view"] = {**room.state["view"], "upto": room.state["_upto"], "by": ""}
        await self.keeper.change(room, fields)

    async def answer(self, room: Room, device: str, question: int, given: Any) -> None:
        """Count a device's answer, instead of what it had said before. Raises Refused."""
        self._known(room, device)
        now = room.state["question"]
        if now is None or now["id"] != question:
            raise Refused(409, "over", "this question is over", "question")
        if now["status"] != "open":
            raise Refused(409, "closed", "no more answers are taken to this question", "question")
        answer = checked(now, given)
        name = device.partition(".")[0]
        most = 2 * self.settings.followers
        if not await self.keeper.put(room, f"answers.{question}.{now['round']}", name, answer, most):
            raise Refused(429, "busy", "more devices have answered than this room takes")

    async def look(self, room: Room, device: str, look: Mapping[str, Any], offered: bool) -> None:
        """Note, without a name, what somebody looks at who explores; and whether they would show it to all."""
        self._known(room, device)
        if room.state["mode"] != "explore":
            if offered:
                raise Refused(409, "follows", "nobody explores at the moment", "mode")
            return  # it was told in the moment in which everybody was called back
        name = device.partition(".")[0]
        for table in ("looks", "offers")[: 2 if offered else 1]:
            kept = {**look, "at": round(self.clock() - room.opened, 1)}
            if not await self.keeper.put(
                room, f"{table}.{self._explored(room)}", name, kept, 2 * self.settings.followers
            ):
                raise Refused(429, "busy", "more devices explore than this room takes")

    async def end(self, room: Room) -> None:
        """Everybody hears of it once; then there is no such room."""
        await self.keeper.change(room, {"ended": True})
        await self.keeper.forget(room)

    def newcomer(self, room: Room, device: str, who: str) -> tuple[str, bool]:
        """The name that a device has in a room, and whether it is new. Raises Refused where many joined of late."""
        if device and codes.is_device(device, room.digest):
            return device, False
        self.newcomers.take(who, "many have joined from your address")
        return codes.new_device(room.digest), True

    @asynccontextmanager
    async def following(self, room: Room) -> AsyncIterator[None]:
        """For as long as somebody does."""
        await self.keeper.joined(room, 1)
        try:
            yield
        finally:
            await self.keeper.joined(room, -1)

    async def lead(self, room: Room) -> AsyncIterator[bytes]:
        """What a teacher hears: the state, how many follow, what they answer, and what they look at."""
        room.teachers += 1
        try:
            told: dict[str, Any] = {}
            async for _ in room.stirs():
                try:
                    told = await self.told(room)
                except Refused as error:
                    told = told | {"away": error.message}
                yield format_sse_event(event="class", data_str=orjson.dumps(told).decode())
                await asyncio.sleep(BREATH)
        finally:
            room.teachers -= 1

    async def told(self, room: Room) -> dict[str, Any]:
        now, state = room.state["question"], room.state
        said: dict[str, Any] = {"view": state["view"], "mode": state["mode"], "question": now, "ended": room.ended}
        said["followers"] = await self.keeper.followers(room)
        if now is not None:
            answers = [await self._answers(room, now["id"], n) for n in range(1, now["round"] + 1)]
            said["answers"] = {"count": len(answers[-1]), "class": [tally(now, one) for one in answers]}
        if state["mode"] == "explore":
            looks, offers = [
                list((await self.keeper.table(room, f"{table}.{self._explored(room)}")).values())
                for table in ("looks", "offers")
            ]
            said["looks"] = gathered(state["view"], looks, offers)
        return said

    async def record(self, room: Room) -> list[Entry]:
        return [Entry(**entry) for entry in await self._record(room)]

    async def begin(self) -> None:
        """Keep rooms alive, and end those whose time is over. Called once, where there is a loop."""
        if self._beating is None:
            self._beating = asyncio.create_task(self._beat())

    def leave(self) -> None:
        """Let every stream end, since this process does."""
        for room in self.keeper.rooms():
            room.leave()

    async def stop(self) -> None:
        self.leave()
        if self._beating is not None:
            self._beating.cancel()
            with suppress(asyncio.CancelledError):
                await self._beating
        await self.keeper.close()

    async def sweep(self) -> None:
        """End every room that has lasted too long, or has been without its teacher for too long."""
        now = self.clock()
        for room in self.keeper.rooms():
            if room.teachers:
                await self.keeper.meet(room, now)
            alone = now - await self.keeper.met(room)
            if now - room.opened > 3600 * self.settings.room_hours or alone > 60 * self.settings.room_alone:
                await self.end(room)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            for room in self.keeper.rooms():
                room.beat()
            with suppress(Refused):  # what keeps the rooms is away: another time
                await self.sweep()

    def _known(self, room: Room, device: str) -> None:
        if not codes.is_device(device, room.digest):
            raise Refused(403, "not-here", "only who has joined this room can do this", "device")
        self.posted.take(device, "this device has said much in a short time")

    def _explored(self, room: Room) -> int:
        return int(room.state.get("_explored", 0))

    def _question(self, room: Room) -> dict[str, Any]:
        now: dict[str, Any] | None = room.state["question"]
        if now is None:
            raise Refused(409, "nothing", "nothing is asked at the moment", "question")
        return now

    async def _change_question(self, room: Room, fields: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
        now = self._question(room)
        if now["status"] not in allowed:
            raise Refused(409, "question", f"the question is {now['status']}", "question")
        await self.keeper.change(room, {"question": now | dict(fields)})

    async def _answers(self, room: Room, question: int, n: int) -> list[Any]:
        return list((await self.keeper.table(room, f"answers.{question}.{n}")).values())

    async def _record(self, room: Room) -> list[dict[str, Any]]:
        """The record, with what was answered so far to a question that is not revealed."""
        now, record = room.state["question"], list(room.state["_record"])
        if now is not None and now["status"] != "revealed":
            rounds = [tally(now, await self._answers(room, now["id"], n)) for n in range(1, now["round"] + 1)]
            record[-1] = record[-1] | {"rounds": rounds}
        return record
