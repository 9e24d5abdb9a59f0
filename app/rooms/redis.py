"""A store of rooms in Redis, for any number of processes and computers (extra `redis`).

A room is a hash with the room's fields and `n`, the number of changes so far. Each table is a separate hash. Every
change is also added to a stream. All processes read the stream and apply the changes to their rooms. After a lost
connection, a process continues where it stopped in the stream, which is not possible with pub/sub.
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
from .keeper import LOG, SEEN_SECONDS, UNREADABLE
from .room import Room
from .state import Changes, State, changes_from_json, changes_to_json
from .tables import Table

CHANGE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
local n = redis.call('HINCRBY', KEYS[1], 'n', 1)
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', 'code', ARGV[1], 'n', n, unpack(ARGV, 2))
return n
"""
"""A Lua script for a change. It is atomic: a process that loads the room sees the whole change or nothing."""

PREFIX = "gruscope:2"
"""The prefix of all keys. The number is the version of the stored format: a server ignores rooms of other versions."""

STREAM, INDEX = f"{PREFIX}:changes", f"{PREFIX}:rooms"

FIELD = "f:"
"""The prefix of a room's field names, in the room's hash and in the stream."""

SECONDS = 2
"""The seconds after which a command without a response counts as lost."""

READING_SECONDS = 5
"""The seconds that one read of the stream waits for changes."""

PRESENT_SECONDS = 30
"""The seconds for which a process counts as running after its last report. A process reports every ten seconds."""

MARGIN_SECONDS = 600
"""The seconds for which Redis still stores a room after the room has expired."""

P = ParamSpec("P")
T = TypeVar("T")


class Away(Refused):
    """The error while Redis does not answer."""

    def __init__(self) -> None:
        message = "the server cannot reach its store of rooms at the moment; try again in a few seconds"
        super().__init__(503, "away", message, retry_after=1)


def _refuse_if_away(method: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Return a wrapper of `method` that raises Away if Redis does not answer."""

    @wraps(method)
    async def wrapped(*arguments: P.args, **named: P.kwargs) -> T:
        try:
            return await method(*arguments, **named)
        except (RedisError, OSError, TimeoutError) as error:
            raise Away from error

    return wrapped


def _key(code: str) -> str:
    """Return the key of a room's hash."""
    return f"{PREFIX}:room:{code}"


def _index(address: str) -> str:
    """Return the key of the set of rooms that were opened from `address`, a digest."""
    return f"{INDEX}:{address}"


def _table_key(room: Room, name: str) -> str:
    return f"{_key(room.code)}:{name}"


def _with_prefix(texts: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"{FIELD}{name}": text for name, text in texts.items()}


def _fields(values: Mapping[str, str]) -> dict[str, str]:
    """Return the room's fields from a hash or a stream entry, without the prefix."""
    return {name.removeprefix(FIELD): text for name, text in values.items() if name.startswith(FIELD)}


class InRedis:
    """A store of rooms in the Redis at `url`. Redis removes a room soon after `hours` hours."""

    def __init__(self, url: str, hours: int) -> None:
        # One retry, at once: after a restart of Redis all connections are lost.
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
        self._process = secrets.token_hex(6)
        self._rooms: dict[str, Room] = {}
        self._seen: dict[str, float] = {}
        self._reported: dict[str, tuple[int, float]] = {}
        self._offset: float | None = None
        """Redis's time minus this computer's monotonic clock, in seconds."""
        self._change: Any = self._redis.register_script(CHANGE)
        self._tasks: list[asyncio.Task[None]] = []

    def clock(self) -> float:
        """Return Redis's time in seconds, because the clocks of the computers that share the rooms may differ."""
        return time.monotonic() + (self._offset or 0.0)

    @_refuse_if_away
    async def open(self, room: Room) -> None:
        await self._begin()
        fields = {"digest": room.digest, "opened": room.opened, "seen": room.opened, "epoch": room.epoch, "n": 0}
        async with self._redis.pipeline() as pipeline:
            pipeline.hset(_key(room.code), mapping=fields | _with_prefix(room.state.to_json()))
            pipeline.expire(_key(room.code), self._seconds + MARGIN_SECONDS)
            for index in (INDEX, _index(room.private.opened_by)):
                pipeline.zadd(index, {room.code: room.opened + self._seconds})
                pipeline.expire(index, self._seconds + MARGIN_SECONDS)
            await pipeline.execute()

    @_refuse_if_away
    async def find(self, code: str) -> Room | None:
        await self._begin()
        return self._rooms.get(code) or await self._load(code)

    @_refuse_if_away
    async def count(self, address: str = "") -> int:
        await self._begin()
        index = _index(address) if address else INDEX
        await self._redis.zremrangebyscore(index, 0, self.clock())
        return int(await self._redis.zcard(index))

    @_refuse_if_away
    async def change(self, room: Room, changes: Changes) -> None:
        pairs = [part for pair in _with_prefix(changes_to_json(changes)).items() for part in pair]
        if await self._change(keys=[_key(room.code), STREAM], args=[room.code, *pairs]) is None:
            self._rooms.pop(room.code, None)
            room.change({"ended": True})  # The room has expired, and Redis has removed it.

    @_refuse_if_away
    async def put(self, room: Room, table: Table[T], values: Mapping[str, T]) -> None:
        key = _table_key(room, table.name)
        async with self._redis.pipeline() as pipeline:
            pipeline.hset(key, mapping={name: table.to_json(value) for name, value in values.items()})
            pipeline.expire(key, self._seconds + MARGIN_SECONDS)
            pipeline.sadd(_table_key(room, "tables"), key)
            pipeline.expire(_table_key(room, "tables"), self._seconds + MARGIN_SECONDS)
            self._notify_teachers(pipeline, room)
            await pipeline.execute()

    @_refuse_if_away
    async def drop(self, room: Room, table: Table[T], keys: Sequence[str]) -> None:
        async with self._redis.pipeline() as pipeline:
            pipeline.hdel(_table_key(room, table.name), *keys)
            self._notify_teachers(pipeline, room)
            await pipeline.execute()

    @_refuse_if_away
    async def rows(self, room: Room, table: Table[T]) -> Mapping[str, T]:
        values = await self._redis.hgetall(_table_key(room, table.name))
        return {key: table.from_json(value) for key, value in values.items()}

    @_refuse_if_away
    async def followers(self, room: Room) -> int:
        others = 0
        for process, report in (await self._redis.hgetall(_table_key(room, "present"))).items():
            count, at = json.loads(report)
            if process != self._process and self.clock() - at < PRESENT_SECONDS:
                others += count
        return room.followers + int(others)

    async def count_follower(self, room: Room, change: int) -> None:
        # `_report` tells the other processes once a second, and not for each student of a class that arrives together.
        room.followers += change
        room.class_changed.send()

    @_refuse_if_away
    async def last_seen(self, room: Room) -> float:
        return float(await self._redis.hget(_key(room.code), "seen") or room.opened)

    @_refuse_if_away
    async def mark_seen(self, room: Room, now: float) -> None:
        if now - self._seen.get(room.code, 0.0) >= SEEN_SECONDS:
            self._seen[room.code] = now
            if await self._redis.exists(_key(room.code)):
                await self._redis.hset(_key(room.code), "seen", now)

    @_refuse_if_away
    async def forget(self, room: Room) -> None:
        tables = await self._redis.smembers(_table_key(room, "tables"))
        keys = (_key(room.code), _table_key(room, "tables"), _table_key(room, "present"))
        await self._redis.delete(*keys, *tables)
        for index in (INDEX, _index(room.private.opened_by)):
            await self._redis.zrem(index, room.code)

    def rooms(self) -> list[Room]:
        return list(self._rooms.values())

    @_refuse_if_away
    async def all(self) -> list[Room]:
        await self._begin()
        codes = await self._redis.zrangebyscore(INDEX, self.clock(), "inf")
        return [room for code in codes if (room := await self.find(code))]

    async def close(self) -> None:
        for task in self._tasks:
            # redis-py uses wait_for. In Python 3.11 wait_for loses a cancellation that arrives as its work ends.
            while not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=0.1)
        with suppress(RedisError, OSError):
            for room in self.rooms():
                await self._redis.hdel(_table_key(room, "present"), self._process)
        await self._redis.aclose()
        await self._reader.aclose()

    def _notify_teachers(self, pipeline: Any, room: Room) -> None:
        """Add a stream entry without fields, which tells all processes that the class has done something."""
        pipeline.xadd(STREAM, {"code": room.code, "n": 0}, maxlen=10_000, approximate=True)

    async def _begin(self) -> None:
        """Read Redis's time, and start the tasks that read changes and report this process, unless they already run."""
        if self._offset is None:
            await self._read_time()
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._read_changes()), asyncio.create_task(self._report())]

    async def _read_time(self) -> None:
        seconds, micros = await self._redis.time()
        self._offset = seconds + micros / 1e6 - time.monotonic()

    async def _load(self, code: str) -> Room | None:
        """Load a room with its newest state, or return None. Remove a room that this version cannot read."""
        values = await self._redis.hgetall(_key(code))
        if "digest" not in values:
            return None
        try:
            state = State.from_json(_fields(values))
        except ValueError as error:
            LOG.warning(UNREADABLE, error)
            await self._redis.delete(_key(code))
            await self._redis.zrem(INDEX, code)
            return None
        room, n = self._rooms.get(code), int(values["n"])
        if room is None:
            room = Room(code, values["digest"], float(values["opened"]), state, values["epoch"], n)
            self._rooms[code] = room
        elif n > room.n:
            room.replace(state, n)
        return room

    async def _read_changes(self) -> None:
        """Apply changes from the stream forever. After a lost connection, which may lose changes, reload all rooms."""
        last, lost = "$", False
        while True:
            try:
                if lost or last == "$":
                    newest = await self._reader.xrevrange(STREAM, count=1)
                    last = newest[0][0] if newest else "0"
                    for code in list(self._rooms):
                        if await self._load(code) is None:
                            room = self._rooms[code]
                            room.close()
                            self._drop(room)
                    lost = False
                for _, entries in await self._reader.xread({STREAM: last}, block=1000 * READING_SECONDS) or ():
                    for _, entry in entries:
                        self._apply(entry)
                    last = entries[-1][0]
            except (RedisError, OSError, TimeoutError):
                lost = True
                for room in self.rooms():
                    room.class_changed.send()  # The teacher's page reports that Redis is away.
                await asyncio.sleep(0.5)

    def _apply(self, entry: Mapping[str, str]) -> None:
        """Apply an entry of the stream to a room of this process."""
        room, texts = self._rooms.get(entry["code"]), _fields(entry)
        if room is None:
            return
        if not texts:
            room.class_changed.send()
        elif int(entry["n"]) > room.n:
            try:
                room.change(changes_from_json(texts), int(entry["n"]))
            except ValueError as error:
                LOG.warning(UNREADABLE, error)
                room.close()
                self._drop(room)
                return
            if room.public.ended:
                self._drop(room)

    def _drop(self, room: Room) -> None:
        """Remove a room, and everything that this process stores about it."""
        self._rooms.pop(room.code, None)
        self._seen.pop(room.code, None)
        self._reported.pop(room.code, None)

    async def _report(self) -> None:
        """Report the followers of this process when their number changes, and every ten seconds."""
        read = self.clock()
        while True:
            await asyncio.sleep(1)
            if self.clock() - read > PRESENT_SECONDS:
                with suppress(RedisError, OSError, TimeoutError):
                    await self._read_time()
                    read = self.clock()
            for room in self.rooms():
                count, at = self._reported.get(room.code, (0, 0.0))
                if room.followers == count and self.clock() - at < PRESENT_SECONDS / 3:
                    continue
                with suppress(RedisError, OSError, TimeoutError):
                    await self._report_room(room, changed=room.followers != count)

    async def _report_room(self, room: Room, changed: bool) -> None:
        count, key = room.followers, _table_key(room, "present")
        async with self._redis.pipeline() as pipeline:
            pipeline.hset(key, self._process, json.dumps([count, self.clock()]))
            pipeline.expire(key, self._seconds + MARGIN_SECONDS)
            if changed:
                self._notify_teachers(pipeline, room)
            await pipeline.execute()
        self._reported[room.code] = (count, self.clock())
