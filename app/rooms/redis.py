"""Rooms in Redis, for any number of processes and machines (extra `redis`).

A room is a hash: its fields, and `n`, the number of its changes. Every change goes to one stream, which each process
reads and applies to its own rooms. Streams and not pub/sub: after a lost connection reading goes on where it was.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

from redis import asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Lost
from redis.exceptions import RedisError

from ..errors import Refused
from .room import Room

CHANGE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
local n = redis.call('HINCRBY', KEYS[1], 'n', 1)
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', 'code', ARGV[1], 'n', n, 'fields', ARGV[2])
return n
"""
"""A change, at once: nobody sees half of it, and whoever loads the room knows which changes it has in it."""

STREAM, INDEX = "gruscope:changes", "gruscope:rooms"
SECONDS = 2
"""After which a word to Redis counts as lost."""

READING_SECONDS = 5
"""At most for which reading waits for a change."""

PRESENT_SECONDS = 30
"""For which a process counts as being there, that says every ten seconds that it is."""


P = ParamSpec("P")
T = TypeVar("T")


class Away(Refused):
    def __init__(self) -> None:
        message = "the server cannot reach its store of rooms at the moment; try again in a few seconds"
        super().__init__(503, "away", message, retry_after=1)


def _telling(method: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """In words, where Redis does not answer."""

    @wraps(method)
    async def told(*arguments: P.args, **named: P.kwargs) -> T:
        try:
            return await method(*arguments, **named)
        except (RedisError, OSError, TimeoutError) as error:
            raise Away from error

    return told


def _key(code: str) -> str:
    return f"gruscope:room:{code}"


def _by(by: str) -> str:
    """The index of the rooms that an address opened."""
    return f"{INDEX}:{by}"


class InRedis:
    """Rooms at `url`, kept for so many `hours` at most."""

    def __init__(self, url: str, hours: int) -> None:
        # One that was lost is opened again at once: after a restart all are.
        connect = partial(
            redis.Redis.from_url,
            url,
            decode_responses=True,
            socket_connect_timeout=1,
            retry=Retry(NoBackoff(), 1, (Lost,)),
        )
        self._redis: Any = connect(socket_timeout=SECONDS)
        self._reader: Any = connect(socket_timeout=2 * READING_SECONDS)
        self._seconds = 3600 * hours
        self._me = secrets.token_hex(6)
        self._rooms: dict[str, Room] = {}
        self._met: dict[str, float] = {}
        self._told: dict[str, tuple[int, float]] = {}
        self._ahead: float | None = None
        self._change: Any = self._redis.register_script(CHANGE)
        self._tasks: list[asyncio.Task[None]] = []

    def clock(self) -> float:
        """Redis's time: the wall clocks of the machines that share it may differ, and are not looked at."""
        return time.monotonic() + (self._ahead or 0.0)

    @_telling
    async def open(self, room: Room) -> None:
        await self._begin()
        fields = {name: json.dumps(value) for name, value in room.state.items()}
        about = {"digest": room.digest, "opened": room.opened, "met": room.opened, "epoch": room.epoch, "n": 0}
        async with self._redis.pipeline() as together:
            together.hset(_key(room.code), mapping=about | {f"f:{name}": value for name, value in fields.items()})
            together.expire(_key(room.code), self._seconds + 600)
            for index in (INDEX, _by(room.state["_by"])):
                together.zadd(index, {room.code: room.opened + self._seconds})
                together.expire(index, self._seconds + 600)
            await together.execute()

    @_telling
    async def find(self, code: str) -> Room | None:
        await self._begin()
        return self._rooms.get(code) or await self._load(code)

    @_telling
    async def count(self, by: str = "") -> int:
        await self._begin()
        index = _by(by) if by else INDEX
        await self._redis.zremrangebyscore(index, 0, self.clock())
        return int(await self._redis.zcard(index))

    @_telling
    async def change(self, room: Room, fields: Mapping[str, Any]) -> None:
        pairs = [part for name, value in fields.items() for part in (f"f:{name}", json.dumps(value))]
        said = [room.code, json.dumps(dict(fields)), *pairs]
        if await self._change(keys=[_key(room.code), STREAM], args=said) is None:
            self._rooms.pop(room.code, None)
            room.change({"ended": True})  # its time is over: Redis has let go of it

    @_telling
    async def put(self, room: Room, table: str, values: Mapping[str, Any]) -> None:
        name = self._table(room, table)
        async with self._redis.pipeline() as together:
            together.hset(name, mapping={key: json.dumps(value) for key, value in values.items()})
            together.expire(name, self._seconds + 600)
            together.sadd(f"{_key(room.code)}:tables", name)
            together.expire(f"{_key(room.code)}:tables", self._seconds + 600)
            self._stir(together, room)
            await together.execute()

    @_telling
    async def drop(self, room: Room, table: str, keys: Sequence[str]) -> None:
        async with self._redis.pipeline() as together:
            together.hdel(self._table(room, table), *keys)
            self._stir(together, room)
            await together.execute()

    @_telling
    async def table(self, room: Room, name: str) -> Mapping[str, Any]:
        kept = await self._redis.hgetall(self._table(room, name))
        return {key: json.loads(value) for key, value in kept.items()}

    @_telling
    async def followers(self, room: Room) -> int:
        others = 0
        for who, said in (await self._redis.hgetall(self._table(room, "present"))).items():
            count, at = json.loads(said)
            if who != self._me and self.clock() - at < PRESENT_SECONDS:
                others += count
        return room.followers + int(others)

    async def joined(self, room: Room, by: int) -> None:
        """It is told once a second, and not for each of a class that comes all at once."""
        room.followers += by
        room.stir()

    @_telling
    async def met(self, room: Room) -> float:
        return float(await self._redis.hget(_key(room.code), "met") or room.opened)

    @_telling
    async def meet(self, room: Room, now: float) -> None:
        if now - self._met.get(room.code, 0.0) >= 20:
            self._met[room.code] = now
            if await self._redis.exists(_key(room.code)):
                await self._redis.hset(_key(room.code), "met", now)

    @_telling
    async def forget(self, room: Room) -> None:
        tables = await self._redis.smembers(f"{_key(room.code)}:tables")
        await self._redis.delete(_key(room.code), f"{_key(room.code)}:tables", self._table(room, "present"), *tables)
        for index in (INDEX, _by(room.state.get("_by", ""))):
            await self._redis.zrem(index, room.code)

    def rooms(self) -> list[Room]:
        return list(self._rooms.values())

    @_telling
    async def all(self) -> list[Room]:
        await self._begin()
        codes = await self._redis.zrangebyscore(INDEX, self.clock(), "inf")
        return [room for code in codes if (room := await self.find(code))]

    async def close(self) -> None:
        for task in self._tasks:
            # redis-py sends through wait_for, which in Python 3.11 loses a cancellation that comes as the work is done.
            while not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=0.1)
        with suppress(RedisError, OSError):
            for room in self.rooms():
                await self._redis.hdel(self._table(room, "present"), self._me)
        await self._redis.aclose()
        await self._reader.aclose()

    def _table(self, room: Room, name: str) -> str:
        return f"{_key(room.code)}:{name}"

    def _stir(self, together: Any, room: Room) -> None:
        together.xadd(STREAM, {"code": room.code, "n": 0, "fields": ""}, maxlen=10_000, approximate=True)

    async def _begin(self) -> None:
        """Read and tell from now on, once Redis has said what time it is."""
        if self._ahead is None:
            await self._ask_time()
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._tell())]

    async def _ask_time(self) -> None:
        seconds, micros = await self._redis.time()
        self._ahead = seconds + micros / 1e6 - time.monotonic()

    async def _load(self, code: str) -> Room | None:
        kept = await self._redis.hgetall(_key(code))
        if "digest" not in kept:
            return None
        known = self._rooms.get(code)
        state = {name[2:]: json.loads(value) for name, value in kept.items() if name.startswith("f:")}
        if known is not None:
            if int(kept["n"]) > known.n:
                known.change(state, int(kept["n"]))
            return known
        room = Room(code, kept["digest"], float(kept["opened"]), state, kept["epoch"], int(kept["n"]))
        self._rooms[code] = room
        return room

    async def _read(self) -> None:
        """Hear of every change. After a lost connection every room is looked at anew: some changes may be gone."""
        last, lost = "$", False
        while True:
            try:
                if lost or last == "$":
                    newest = await self._reader.xrevrange(STREAM, count=1)
                    last = newest[0][0] if newest else "0"
                    for code in list(self._rooms):
                        if await self._load(code) is None:
                            self._rooms.pop(code).leave()
                    lost = False
                for _, entries in await self._reader.xread({STREAM: last}, block=1000 * READING_SECONDS) or ():
                    for _, said in entries:
                        self._hear(said)
                    last = entries[-1][0]
            except (RedisError, OSError, TimeoutError):
                lost = True
                for room in self.rooms():
                    room.stir()  # so that the teacher hears of it
                await asyncio.sleep(0.5)

    def _hear(self, said: Mapping[str, str]) -> None:
        room = self._rooms.get(said["code"])
        if room is None:
            return
        if not said["fields"]:
            room.stir()
        elif int(said["n"]) > room.n:
            room.change(json.loads(said["fields"]), int(said["n"]))
            if room.ended:
                self._rooms.pop(room.code, None)

    async def _tell(self) -> None:
        """How many are here, whenever that has changed, and every ten seconds."""
        asked = self.clock()
        while True:
            await asyncio.sleep(1)
            if self.clock() - asked > PRESENT_SECONDS:
                with suppress(RedisError, OSError, TimeoutError):
                    await self._ask_time()
                    asked = self.clock()
            for room in self.rooms():
                count, at = self._told.get(room.code, (0, 0.0))
                if room.followers == count and self.clock() - at < PRESENT_SECONDS / 3:
                    continue
                with suppress(RedisError, OSError, TimeoutError):
                    async with self._redis.pipeline() as together:
                        together.hset(
                            self._table(room, "present"), self._me, json.dumps([room.followers, self.clock()])
                        )
                        together.expire(self._table(room, "present"), self._seconds + 600)
                        if room.followers != count:
                            self._stir(together, room)
                        await together.execute()
                    self._told[room.code] = (room.followers, self.clock())
