"""What may be done in rooms, by whom, and for how long."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
from fastapi.sse import format_sse_event

from ..errors import Refused
from ..settings import Settings
from . import codes
from .asking import Asked, checked, sketches, tally
from .bucket import Buckets
from .keeper import Keeper
from .looks import gathered
from .record import Entry
from .room import PING_SECONDS, Room
from .seats import Seats
from .views import with_cursor

BREATH = 0.1
"""Seconds between two words to the teacher about the class: 300 answers within one of them are one word."""

MOST_RECORDED = 200
"""Entries of a room's record."""

ASKING_SECONDS = 8
"""For which a device that asks now and then, since its stream is held back, counts as connected."""

MOST_ENDED = 1_000
"""Rooms that ended, whose codes are known a while longer: who asks for one learns that it has ended."""

IDLE_SECONDS = 60
"""After which a room that nobody is in has to go when there are as many as the server allows."""


WHILE = {
    "open": "while the question is open",
    "locked": "while the question is closed",
    "revealed": "after the answer is shown",
}
"""What a question's status means, as the teacher's page says it."""


class Rooms:
    """All rooms that this process knows of. `clock` gives seconds, the same on all machines that share rooms."""

    def __init__(self, settings: Settings, keeper: Keeper, clock: Callable[[], float] | None = None) -> None:
        self.settings, self.keeper, self.clock = settings, keeper, clock or keeper.clock
        self.seats = Seats(keeper, settings.followers)
        self.opened = Buckets(20, 0.1, self.clock)
        self.guessed = Buckets(60, 1, self.clock)
        self.posted = Buckets(20, 2, self.clock)
        self._beating: asyncio.Task[None] | None = None
        self._ended = OrderedDict[str, None]()
        self._leaving = set[asyncio.Task[None]]()

    async def open(self, view: Mapping[str, Any], secret: str | None, who: str) -> tuple[Room, str]:
        """A new room that shows a view, and its secret; with a secret, the room of that, opened again if need be.

        Raises Refused.
        """
        self.opened.take(who, "too many rooms were opened from your network address")
        given = secret is not None
        secret = secret or codes.new_secret()
        code = await asyncio.to_thread(codes.code_of, secret)
        room = await self.keeper.find(code)
        if room is not None:
            if codes.is_secret(secret, room.digest):
                return room, secret
            if given:
                raise Refused(409, "room", "another room has this code now: open a new room", "secret")
            return await self.open(view, None, who)
        by = _digest(who)
        most = max(1, self.settings.rooms // 4)
        if await self.keeper.count(by) >= most:
            message = f"at most {most} rooms can be open from one network address: end one of yours first"
            raise Refused(429, "busy", message, retry_after=60)
        if await self.keeper.count() >= self.settings.rooms and not await self._make_room():
            message = f"all {self.settings.rooms} rooms of this server are in use; try again when one has ended"
            raise Refused(429, "busy", message, retry_after=60)
        now = self.clock()
        state: dict[str, Any] = {"view": dict(view), "mode": "follow", "question": None, "ended": False}
        state |= {"_record": [], "_by": by}
        room = Room(code, codes.digest_of(secret), now, state)
        self._ended.pop(code, None)
        await self.keeper.open(room)
        return await self.keeper.find(code) or room, secret

    async def get(self, code: str, who: str) -> Room:
        """Raises Refused where there is no such room; whoever tries many codes is let wait."""
        room = await self.keeper.find(codes.read_code(code))
        if codes.read_code(code) in self._ended:
            raise Refused(410, "ended", "this room has ended", "code")
        if room is None or room.ended:
            self.guessed.take(who, "too many wrong codes came from your network address")
            raise Refused(
                404, "no-room", "there is no room with this code: the code is wrong, or the room has ended", "code"
            )
        return room

    async def led(self, code: str, who: str, authorization: str) -> Room:
        """The room, for its teacher alone. Raises Refused."""
        room = await self.get(code, who)
        if not self.leads(room, authorization):
            self.guessed.take(who, "too many wrong secrets came from your network address")
            raise Refused(403, "not-yours", "only the teacher of this room can do this", "authorization")
        await self.keeper.meet(room, self.clock())
        return room

    async def show(self, room: Room, view: Mapping[str, Any]) -> None:
        """Show a view to everybody. Going on to another page or step puts away a question that was revealed.

        Until a question is revealed the figure stays covered, whatever a page of the teacher's posts: of its view only
        the cursor counts. Raises Refused for a view of something else.
        """
        asked, before = room.state["question"], room.state["view"]
        if asked is not None and asked["status"] != "revealed" and room.state["_covered"]:
            covered = with_cursor(before, view)
            if covered is None:
                message = "the class still sees the question: press “Show answer” or “Remove question” first"
                raise Refused(409, "covered", message, "view")
            await self.keeper.change(room, {"view": covered})
            return
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
            raise Refused(429, "busy", f"{MOST_RECORDED} questions were asked in this room, the limit: open a new room")
        question = asked.public | {"id": int(1000 * self.clock()), "round": 1, "status": "open"}
        entry = Entry(number, asked.public["kind"], asked.plain, asked.link, self.clock() - room.opened).to_dict()
        fields = {"question": question, "_answer": asked.answer, "_record": [*record, entry]}
        before = room.state["question"]
        if before is None or before["status"] == "revealed":
            fields["_before"] = room.state["view"]
        if asked.view is not None:
            fields["view"] = asked.view
        await self.keeper.change(room, fields | {"_covered": asked.view is not None})

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
        question = now | {"status": "revealed", "revealed": revealed, "class": rounds, "picked": []}
        await self.keeper.change(room, {"question": question, "view": view, "_record": record})

    async def dismiss(self, room: Room) -> None:
        """Put the question away; what it had covered is shown again."""
        now = self._question(room)
        fields: dict[str, Any] = {"question": None, "_answer": None, "_record": await self._record(room)}
        if now["status"] != "revealed" and room.state["_covered"]:
            fields["view"] = {**room.state["_before"], "by": ""}
        await self.keeper.change(room, fields)

    async def pick(self, room: Room, ids: list[str]) -> None:
        """Show some of the class's sketches to everybody above the others."""
        now = self._question(room)
        if now["status"] != "revealed" or now["kind"] != "draw":
            message = "sketches can be shown only after the answer to a drawing question is shown"
            raise Refused(409, "question", message, "question")
        await self.keeper.change(room, {"question": now | {"picked": ids}})

    async def sketches(self, room: Room, leads: bool) -> dict[str, Any]:
        """Return what the class has drawn, without names. Raises Refused for followers until it is revealed."""
        now = self._question(room)
        if now["kind"] != "draw" or not (leads or now["status"] == "revealed"):
            raise Refused(409, "question", "this question has no sketches, or its answer is not shown yet", "question")
        answers = await self._given(room, now["id"], now["round"])
        return {"question": now["id"], "sketches": sketches(f"{now['id']}{room.digest}", answers)}

    async def answer(self, room: Room, device: str, question: int, given: Any) -> None:
        """Count a device's answer, instead of what it had said before. Raises Refused."""
        self._known(room, device)
        now = room.state["question"]
        if now is None or now["id"] != question:
            raise Refused(409, "over", "this question is over", "question")
        if now["status"] != "open":
            raise Refused(409, "closed", "this question takes no more answers", "question")
        answer = checked(now, given)
        name = await self._seated(room, device)
        await self.keeper.put(room, f"answers.{question}.{now['round']}", {name: answer})

    async def look(self, room: Room, device: str, look: Mapping[str, Any], offered: bool) -> None:
        """Note, without a name, what somebody looks at who explores; and whether they would show it to all."""
        self._known(room, device)
        if room.state["mode"] != "explore":
            if offered:
                raise Refused(409, "follows", "the class is not exploring at the moment", "mode")
            return  # it was told in the moment in which everybody was called back
        name = await self._seated(room, device)
        for table in ("looks", "offers")[: 2 if offered else 1]:
            kept = {**look, "at": round(self.clock() - room.opened, 1)}
            await self.keeper.put(room, f"{table}.{self._explored(room)}", {name: kept})

    async def end(self, room: Room) -> None:
        """Everybody hears of it once; then there is no such room."""
        self._ended[room.code] = None
        while len(self._ended) > MOST_ENDED:
            self._ended.popitem(last=False)
        await self.keeper.change(room, {"ended": True})
        await self.keeper.forget(room)

    async def join(self, room: Room, device: str, who: str) -> tuple[str, bool]:
        """Give a device a place in a room: its name there, and whether it is new. Raises Refused when there is none."""
        new = not (device and codes.is_device(device, room.digest))
        device = codes.new_device(room.digest) if new else device
        await self.seats.take(room, _name(device), _digest(who))
        return device, new

    @asynccontextmanager
    async def following(self, room: Room, device: str) -> AsyncIterator[None]:
        """For as long as a device does."""
        await self._enter(room, _name(device))
        try:
            yield
        finally:
            await self._leave(room, _name(device))

    async def asks(self, room: Room, device: str) -> None:
        """Count a device that asks now and then as connected, until it has not asked for a while."""
        name, loop = _name(device), asyncio.get_running_loop()
        waiting = room.asking.pop(name, None)
        if waiting is None:
            await self._enter(room, name)
        else:
            waiting.cancel()
        room.asking[name] = loop.call_later(ASKING_SECONDS, self._gone, room, name)

    async def withheld(self, lesson: str, who: str, authorization: str) -> bool:
        """Whether the answers and notes of a lesson are kept from this address for now.

        They are while somebody there follows a room that runs the lesson, but for its teacher.
        """
        try:
            rooms = await self.keeper.all()
        except Refused:  # what stores the rooms is away
            rooms = self.keeper.rooms()
        for room in rooms:
            if room.state["view"]["page"] != f"lessons/{lesson}" or room.state["mode"] == "explore" or room.ended:
                continue
            seats = await self.seats.valid(room)
            if any(seat[2] == _digest(who) for seat in seats.values()) and not self.leads(room, authorization):
                return True
        return False

    def leads(self, room: Room, authorization: str) -> bool:
        """Whether a request comes with the room's secret."""
        scheme, _, secret = authorization.partition(" ")
        return scheme.lower() == "bearer" and codes.is_secret(secret, room.digest)

    async def lead(self, room: Room, once: bool = False) -> AsyncIterator[bytes]:
        """What a teacher hears: the state, how many follow, what they answer, and what they look at.

        With `once`, only what there is now.
        """
        room.teachers += 1
        try:
            told: dict[str, Any] = {}
            async for _ in room.stirs():
                try:
                    told = await self.told(room)
                except Refused as error:
                    told = told | {"away": error.message}
                yield format_sse_event(event="class", data_str=orjson.dumps(told).decode())
                if once:
                    return
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
            for room in self.keeper.rooms():
                await self.seats.restore(room)
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
            with suppress(Refused):  # what stores the rooms is away: another time
                for room in self.keeper.rooms():
                    await self.seats.refresh(room)
                await self.sweep()

    def _known(self, room: Room, device: str) -> None:
        if not codes.is_device(device, room.digest):
            raise Refused(403, "not-here", "only devices that have joined this room can do this", "device")
        self.posted.take(device, "this device sent too many messages")

    async def _seated(self, room: Room, device: str) -> str:
        """Return the name of a device that is connected. Raises Refused for another."""
        name = _name(device)
        if not await self.seats.connected(room, name):
            message = "this device is not connected to the room at the moment; try again in a few seconds"
            raise Refused(409, "not-connected", message, "device")
        return name

    async def _enter(self, room: Room, name: str) -> None:
        room.here[name] += 1
        if room.here[name] == 1:
            await self.keeper.joined(room, 1)

    async def _leave(self, room: Room, name: str) -> None:
        room.here[name] -= 1
        if room.here[name] > 0:
            return
        del room.here[name]
        await self.keeper.joined(room, -1)
        now = room.state["question"]
        with suppress(Refused):  # what stores the rooms is away: the place lapses by itself
            given_up = await self.seats.leave(room, name)
            if given_up and now is not None:
                await self.keeper.drop(room, f"answers.{now['id']}.{now['round']}", given_up)

    def _gone(self, room: Room, name: str) -> None:
        del room.asking[name]
        task = asyncio.get_running_loop().create_task(self._leave(room, name))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _make_room(self) -> bool:
        """End the room that nobody has been in for longest; False when there is none."""
        idle = [room for room in await self.keeper.all() if not room.teachers and not await self.keeper.followers(room)]
        met = {room.code: await self.keeper.met(room) for room in idle}
        longest = min(idle, key=lambda room: met[room.code], default=None)
        if longest is None or self.clock() - met[longest.code] < IDLE_SECONDS:
            return False
        await self.end(longest)
        return True

    def _explored(self, room: Room) -> int:
        return int(room.state.get("_explored", 0))

    def _question(self, room: Room) -> dict[str, Any]:
        now: dict[str, Any] | None = room.state["question"]
        if now is None:
            raise Refused(409, "nothing", "there is no question at the moment", "question")
        return now

    async def _change_question(self, room: Room, fields: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
        now = self._question(room)
        if now["status"] not in allowed:
            raise Refused(409, "question", f"this is not possible {WHILE[now['status']]}", "question")
        await self.keeper.change(room, {"question": now | dict(fields)})

    async def _answers(self, room: Room, question: int, n: int) -> list[Any]:
        return list((await self._given(room, question, n)).values())

    async def _given(self, room: Room, question: int, n: int) -> Mapping[str, Any]:
        """What each device that has a place answered in a round."""
        seats, table = await self.seats.valid(room), await self.keeper.table(room, f"answers.{question}.{n}")
        return {name: answer for name, answer in table.items() if name in seats}

    async def _record(self, room: Room) -> list[dict[str, Any]]:
        """The record, with what was answered so far to a question that is not revealed."""
        now, record = room.state["question"], list(room.state["_record"])
        if now is not None and now["status"] != "revealed":
            rounds = [tally(now, await self._answers(room, now["id"], n)) for n in range(1, now["round"] + 1)]
            record[-1] = record[-1] | {"rounds": rounds}
        return record


def _digest(who: str) -> str:
    """By which an address is known: the address itself is stored nowhere."""
    return hashlib.sha256(who.encode()).hexdigest()[:16]


def _name(device: str) -> str:
    return device.partition(".")[0]
