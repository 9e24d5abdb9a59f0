"""`make load`: a class of 300 and of 1,000, and what may befall it; PARTS=growth HOURS=2 looks whether it grows."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from benchmarks.crowd import Crowd, Follower, Post, Process, Socket, quantile, until
from benchmarks.timing import verdict

MOVES = 5
"""Of the cursor, in a second."""

CLASS = 300
STALLED = 5
CUTS = 1_000
TRAININGS = 200
JOINS = 10_000
VOTERS = 1_000
KILLS, VOTING = 50, 60
HELD = 2_500
OURS = [sys.executable, "-m", "app.cli", "serve", "--no-browser", "--port"]
LIMITS = {"GRUSCOPE_MAX_CONNECTIONS": "3000", "GRUSCOPE_FOLLOWERS": "1500"}
SCHOOL, HOSTILE = "127.0.0.2", "127.0.0.3"
PATIENCE = 5
"""Seconds after which an answer that has not come is given up."""


def view(move: int) -> dict[str, Any]:
    """One of 400 bytes, which says which move it is of."""
    link = f"?model=flip-flop&t={move % 5 + 1}&views=tape,words,cell,equations,memory&clamps=z.1@4-6=0&sequence=m{move}"
    return {"page": "", "link": link.ljust(300, "x")}


@dataclass
class Running:
    url: str
    process: subprocess.Popen[str]

    @property
    def used(self) -> Process:
        return Process(self.process.pid)


@asynccontextmanager
async def running(command: list[str], limits: Mapping[str, str] = LIMITS) -> AsyncIterator[Running]:
    """A server, once it has done what it does at first."""
    folder = tempfile.TemporaryDirectory()  # no room of an earlier server is in it
    environment = os.environ | {"GRUSCOPE_UPLOADS": folder.name} | limits
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )  # fmt: skip
    try:
        assert process.stdout is not None
        found = None
        while not found:
            line = await asyncio.to_thread(process.stdout.readline)
            if not line:
                raise RuntimeError(f"{command} ended")
            found = re.search(r"http://127\.0\.0\.1:\d+/", line)
        now = Running(found[0], process)
        before = -1.0
        while now.used.seconds() - before > 0.05:
            before = now.used.seconds()
            await asyncio.sleep(1)
        yield now
    finally:
        process.kill()
        process.wait()
        folder.cleanup()


class Room:
    """A room of ours, and its teacher. A secret opens the room that it had on another process."""

    def __init__(self, url: str, address: str = "127.0.0.1") -> None:
        self.crowd, self.move = Crowd(url, address), 0

    async def open(self, secret: str | None = None) -> Room:
        url = f"http://{self.crowd.host}:{self.crowd.port}/"
        said = {"view": view(self.move)} | ({"secret": secret} if secret else {})
        status, answer = await Post(url, {}, self.crowd.address)("/api/rooms", said)
        assert status == 201, answer
        self.secret, self.path = json.loads(answer)["secret"], f"/api/rooms/{json.loads(answer)['code']}"
        self.post = Post(url, {"authorization": f"Bearer {self.secret}"}, self.crowd.address)
        self.to = f"{self.path}/view"
        return self

    async def told(self) -> dict[str, Any]:
        """What the teacher sees now."""
        reader, writer = await asyncio.open_connection(self.crowd.host, self.crowd.port)
        ask = f"GET {self.path}/class?once=true HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        writer.write(f"{ask}Authorization: Bearer {self.secret}\r\n\r\n".encode())
        answer = (await reader.read()).decode()
        writer.close()
        told: dict[str, Any] = json.loads(re.search("^data: (.*)$", answer, re.M)[1])  # type: ignore[index]
        return told

    async def step(self) -> None:
        self.move += 1
        self.crowd.posted[self.move] = time.perf_counter()
        status, answer = await self.post(self.to, view(self.move))
        assert status == 204, answer

    async def lead(self, seconds: float) -> None:
        """Move the cursor for so long."""
        begun = time.perf_counter()
        for n in range(int(seconds * MOVES)):
            await self.step()
            await asyncio.sleep(max(0, begun + (n + 1) / MOVES - time.perf_counter()))

    async def arrived(self, among: list[Follower] | None = None) -> bool:
        """Whether everybody comes to the newest."""
        followers = self.crowd.followers if among is None else among
        return await until(lambda: all(one.seen == self.move for one in followers), 10)


class Other(Room):
    """The same by something else, which has one room, at /view."""

    async def open(self, secret: str | None = None) -> Room:
        self.post, self.to = Post(f"http://{self.crowd.host}:{self.crowd.port}/", {}), "/view"
        return self


def holds(what: str, value: float, most: float, unit: str) -> None:
    print(f"  {what}: {value:.1f} {unit} (at most {most:g}: {'yes' if value <= most else 'NO'})", flush=True)


def must(what: str, true: bool) -> None:
    print(f"  {what}: {'yes' if true else 'NO'}", flush=True)


async def measured(
    room: Room, server: Running, count: int, seconds: float, path: str, kind: type[Follower] = Follower
) -> dict[str, float]:
    """What a class of so many costs, and how late it hears."""
    before = server.used.kib()
    await room.crowd.join(count, path, kind)
    await asyncio.sleep(1)
    begun, used = time.perf_counter(), server.used.seconds()
    await room.lead(seconds)
    cpu = (server.used.seconds() - used) / (time.perf_counter() - begun)
    arrived = await room.arrived()
    late = room.crowd.late()
    room.crowd.posted.clear()
    heard = len(late) / (count * int(seconds * MOVES))
    backward = sum(one.backward for one in room.crowd.followers)
    return {
        "p99": 1000 * quantile(late, 0.99), "p50": 1000 * quantile(late, 0.5), "cpu": 100 * cpu,
        "kib": (server.used.kib() - before) / count, "arrived": float(arrived and not backward), "heard": heard,
    }  # fmt: skip


async def classes(seconds: float) -> None:
    found: dict[str, dict[str, float]] = {}
    for count, of, most, cpu in ((CLASS, seconds, 30, 12), (1_000, min(seconds, 120), 60, 35)):
        async with running([*OURS, "0"]) as server:
            room = await Room(server.url).open()
            now = await measured(room, server, count, of, f"{room.path}/events")
            print(f"{count} followers for {of:.0f} s, {MOVES} moves a second", flush=True)
            must("nobody ended on an older state, or went back to one", now["arrived"] == 1)
            holds("from the teacher's post to a follower, p99", now["p99"], most, "ms")
            holds("CPU of a core", now["cpu"], cpu, "%")
            holds("memory for each", now["kib"], 40, "KiB")
            print(f"  p50 {now['p50']:.1f} ms; {100 * now['heard']:.1f} % of all moves were heard of", flush=True)
            room.crowd.leave()
    print(f"{CLASS} followers for 30 s, by what would otherwise be used, and ours beside it", flush=True)
    for name, path, kind in (
        ("ours", "", Follower),
        ("sse-starlette", "/events", Follower),
        ("python-socketio", "/socket.io/?EIO=4&transport=websocket", Socket),
    ):
        command = [*OURS, "0"] if name == "ours" else [sys.executable, "-m", "benchmarks.other_rooms", name]
        async with running(command) as server:
            room = await (Room if name == "ours" else Other)(server.url).open()
            found[name] = await measured(room, server, CLASS, 30, path or f"{room.path}/events", kind)
            room.crowd.leave()
            now = found[name]
            costs = f"{now['cpu']:.1f} % of a core, {now['kib']:.0f} KiB each"
            print(f"  {name}: p50 {now['p50']:.1f}, p99 {now['p99']:.1f} ms, {costs}", flush=True)
            if name != "ours":
                verdict(f"ours over {name}, p99", found["ours"]["p99"] / now["p99"], 1)


async def stalled() -> None:
    """Some read nothing, with little room on their side."""
    async with running([*OURS, "0"]) as server:
        room = await Room(server.url).open()
        await room.crowd.join(CLASS - STALLED, f"{room.path}/events")
        loop, sleepers = asyncio.get_running_loop(), []
        for _ in range(STALLED):
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.setblocking(False)
            await loop.sock_connect(one, (room.crowd.host, room.crowd.port))
            await loop.sock_sendall(one, f"GET {room.path}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            sleepers.append(one)
        reader, writer = await asyncio.open_connection(room.crowd.host, room.crowd.port)
        hello = f"GET {room.path}/class HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {room.secret}\r\n\r\n"
        writer.write(hello.encode())
        begun, gone, most = time.perf_counter(), float("inf"), 0
        leading = asyncio.create_task(room.lead(45))
        while not leading.done():
            told = re.search(rb'"followers":(\d+)', await reader.readline())
            most = max(most, int(told[1])) if told else most
            if told and int(told[1]) == most - STALLED:
                gone = min(gone, time.perf_counter() - begun)
        await leading
        writer.close()
        print(f"{STALLED} of {CLASS} read nothing", flush=True)
        holds("the last of them was let go after", gone, 35, "s")
        holds("p99 of the others", 1000 * quantile(room.crowd.late(), 0.99), 30, "ms")
        must("all others ended on the newest state", await room.arrived())
        for one in sleepers:
            one.close()
        room.crowd.leave()


async def cuts() -> None:
    chance = random.Random(0)
    async with running([*OURS, "0"]) as server:
        room = await Room(server.url).open()
        followers = await room.crowd.join(CLASS, f"{room.path}/events")
        leading = asyncio.create_task(room.lead(40))
        for _ in range(CUTS):
            one = chance.choice(room.crowd.followers)
            one.transport.abort()
            room.crowd.followers.remove(one)
            headers = f"X-Device: {one.device}\r\nLast-Event-ID: {one.id}\r\n"
            (new,) = await room.crowd.join(1, f"{room.path}/events", headers=headers)
            new.seen = max(new.seen, one.seen)
        await leading
        await room.step()
        print(f"{CUTS} connections of {len(followers)} cut at random while the cursor moved", flush=True)
        must("everybody ended on the newest state", await room.arrived())
        room.crowd.leave()


async def answers() -> None:
    async with running([*OURS, "0"]) as server:
        room = await Room(server.url).open()
        await room.crowd.join(CLASS, f"{room.path}/events")
        status, said = await room.post(f"{room.path}/question", {"of": "own", "text": "?", "options": ["a", "b", "c"]})
        assert status == 204, said
        await until(lambda: all(one.question for one in room.crowd.followers), 10)
        begun = time.perf_counter()

        async def say(n: int, one: Follower) -> int:
            await asyncio.sleep(n / CLASS / 2)
            post = Post(server.url, {"x-device": one.device})
            for answer in (0, n % 3):  # the second is another, or the same once more
                status, _ = await post(f"{room.path}/answers", {"question": one.question, "answer": answer})
            return status

        counted = await asyncio.gather(*(say(n, one) for n, one in enumerate(room.crowd.followers)))
        seconds = time.perf_counter() - begun
        await room.post(f"{room.path}/turn", {"turn": "reveal"})
        await until(lambda: all(one.counts for one in room.crowd.followers), 10)
        print(f"{CLASS} followers answer, and change their answer, in {seconds:.2f} s", flush=True)
        must(
            "all are counted, once, as they were said last",
            {tuple(one.counts) for one in room.crowd.followers} == {(100, 100, 100)} and set(counted) == {204},
        )
        room.crowd.leave()


async def restart() -> None:
    """The process is told to end, and another begins where it was."""
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    port = str(free.getsockname()[1])
    free.close()
    async with running([*OURS, port]) as server:
        room = await Room(server.url).open()
        await room.crowd.join(CLASS, f"{room.path}/events")
        await room.lead(2)
        begun = time.perf_counter()
        server.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(server.process.wait)
        print(f"SIGTERM with {CLASS} followers", flush=True)
        holds("the process had ended after", time.perf_counter() - begun, 5, "s")
    devices = [(one.device, one.id) for one in room.crowd.followers]
    room.crowd.leave()
    async with running([*OURS, port]) as server:
        await room.open(room.secret)
        begun = time.perf_counter()
        for device, id in devices:
            await room.crowd.join(1, f"{room.path}/events", headers=f"X-Device: {device}\r\nLast-Event-ID: {id}\r\n")
        await room.step()
        must("the same room, opened again by its secret, has all of them on the newest state", await room.arrived())
        room.crowd.leave()


async def trainings() -> None:
    async with running([*OURS, "0"]) as server:
        room = await Room(server.url).open()
        await room.crowd.join(CLASS, f"{room.path}/events")
        leading = asyncio.create_task(room.lead(40))
        statuses = []
        for seed in range(TRAININGS):
            post = Post(server.url, {})
            status, _ = await post("/api/trainings", {"task": "sentiment", "units": 8, "seed": 1_000 + seed})
            statuses.append(status)
            await asyncio.sleep(0.15)
        await leading
        taken, waits = statuses.count(201), statuses.count(429)
        print(f"{TRAININGS} trainings asked for beside it: {taken} taken, {waits} told to wait", flush=True)
        holds("p99 of the class", 1000 * quantile(room.crowd.late(), 0.99), 250, "ms")
        must("everybody ended on the newest state", await room.arrived())
        room.crowd.leave()


async def hostile() -> None:
    """One who answers without end, forges the teacher, and joins again and again as somebody new."""
    async with running([*OURS, "0"]) as server:
        room = await Room(server.url).open()
        await room.crowd.join(CLASS, f"{room.path}/events")
        await room.post(f"{room.path}/question", {"of": "own", "text": "?", "options": ["a", "b"]})
        await until(lambda: all(one.question for one in room.crowd.followers), 10)
        mine, statuses = room.crowd.followers[0], Counter[tuple[str, int]]()
        leading = asyncio.create_task(room.lead(40))

        async def post(what: str, path: str, body: object, headers: dict[str, str]) -> None:
            say = Post(server.url, headers)
            while not leading.done():
                status, _ = await say(f"{room.path}/{path}", body)
                statuses[what, status] += 1

        async def join() -> None:
            while not leading.done() and sum(n for (what, _), n in statuses.items() if what == "joining") < JOINS:
                reader, writer = await asyncio.open_connection(room.crowd.host, room.crowd.port)
                writer.write(f"GET {room.path}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
                statuses["joining", int((await reader.readline()).split()[1])] += 1
                writer.transport.abort()

        answer = {"question": mine.question, "answer": 0}
        await asyncio.gather(
            *(post("answers", "answers", answer, {"x-device": mine.device}) for _ in range(4)),
            post("forged", "view", view(0), {"authorization": "Bearer " + "x" * 32}),
            post("made up", "answers", answer, {"x-device": "x.y"}),
            *(join() for _ in range(4)),
        )
        await leading
        print(f"a hostile follower beside a class of {CLASS}, for 40 s", flush=True)
        for (what, status), count in sorted(statuses.items()):
            print(f"  {what}: {count:,} times {status}", flush=True)
        holds("p99 of the class", 1000 * quantile(room.crowd.late(), 0.99), 250, "ms")
        must("everybody ended on the newest state", await room.arrived())
        await room.post(f"{room.path}/turn", {"turn": "reveal"})
        await until(lambda: all(one.counts for one in room.crowd.followers), 10)
        must("what one device said is counted once", mine.counts == [1, 0])
        room.crowd.leave()


async def health(url: str) -> float:
    """Return the seconds until a newcomer is answered, PATIENCE when it takes longer or is refused."""
    begun = time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE):
            status, _ = await Post(url, {"connection": "close"})("/healthz", None, "GET")
    except (OSError, EOFError, TimeoutError):
        return PATIENCE
    return time.perf_counter() - begun if status == 200 else PATIENCE


async def slowest_health(url: str, meanwhile: Coroutine[Any, Any, object]) -> float:
    """Return the longest wait of a newcomer while something goes on, which is given up after PATIENCE seconds."""
    task, slowest = asyncio.ensure_future(asyncio.wait_for(meanwhile, PATIENCE)), 0.0
    while not task.done():
        slowest = max(slowest, await health(url))
        await asyncio.sleep(0.01)
    with suppress(TimeoutError, OSError, EOFError):
        await task
    return slowest


async def freeze() -> None:
    """Long numbers in a sequence, wherever a visitor's sequence is read."""
    ones = "1" * 40_000
    link = {"model": "pocket-calculator", "sequence": f"{ones[:7_000]}x"}
    async with running([*OURS, "0"], {}) as server:
        room = await Room(server.url).open()
        print(f"a sequence of {len(ones):,} digits", flush=True)
        for what, post, path, body, method in (
            ("POST /api/trace", Post(server.url, {}), "/api/trace", link | {"sequence": f"{ones}x"}, "POST"),
            ("GET of a page, 15,000 digits", Post(server.url, {}), f"/?{urlencode(link)}{ones[:8_000]}", None, "GET"),
            ("view of a room, 7,000 digits", room.post, room.to, {"page": "", "link": f"?{urlencode(link)}"}, "POST"),
        ):
            holds(
                f"{what}: /healthz waits", 1000 * await slowest_health(server.url, post(path, body, method)), 250, "ms"
            )


HALF = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"


def follow(room: Room) -> bytes:
    return f"GET {room.path}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


class Held:
    """Connections of one address, as many as it gets."""

    def __init__(self, url: str, address: str) -> None:
        parts = urlsplit(url)
        self.host, self.port, self.address = parts.hostname or "", parts.port or 80, address
        self.writers: list[asyncio.StreamWriter] = []

    async def hold(self, count: int, said: bytes) -> None:
        """So many more that say this and then neither read nor go."""
        for start in range(0, count, 50):
            some = min(50, count - start)
            made = (asyncio.open_connection(self.host, self.port, local_addr=(self.address, 0)) for _ in range(some))
            for _, writer in await asyncio.gather(*made):
                writer.write(said)
                self.writers.append(writer)
            await asyncio.sleep(0.02)

    def leave(self) -> None:
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()


async def full() -> None:
    """One address opens more connections than there are places, and keeps them."""
    async with running([*OURS, "0"], {}) as server:
        rooms = [await Room(server.url).open() for _ in range(5)]
        print(f"{HELD:,} connections of one address, on a server as it is by default", flush=True)
        hostile = Held(server.url, HOSTILE)
        await hostile.hold(HELD, HALF)
        await others_are_answered("half heads", server.url)
        hostile.leave()
        for room in rooms:
            await hostile.hold(HELD // len(rooms), follow(room))
        await others_are_answered("streams", server.url)
        hostile.leave()


async def others_are_answered(what: str, url: str) -> None:
    """Print whether newcomers are answered while one address holds what it has got."""
    await health(url)  # is answered once the server has looked at them all
    holds(f"{what}: another address waits", 1000 * await slowest_health(url, asyncio.sleep(2)), 1000, "ms")


async def nat() -> None:
    """A class behind one address joins: each browser opens six connections for the page, and a stream that stays."""
    async with running([*OURS, "0"], {}) as server:
        rooms = [await Room(server.url).open() for _ in range(4)]
        hostile = Held(server.url, HOSTILE)
        for room in rooms:
            await hostile.hold(HELD // len(rooms), follow(room))
        await hostile.hold(HELD, HALF)
        room = await Room(server.url, SCHOOL).open()
        begun, pages = time.perf_counter(), Held(server.url, SCHOOL)
        ask = f"GET {room.path.removeprefix('/api')} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
        for _ in range(CLASS // 10):
            await pages.hold(10, ask)
            await pages.hold(50, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            await room.crowd.join(10, f"{room.path}/events")
        seconds = time.perf_counter() - begun
        print(f"{CLASS} followers behind one address, while another address holds all that it can", flush=True)
        holds("all have joined after", seconds, 10, "s")
        await room.step()
        must("all of them get the newest state", await room.arrived())
        for one in (pages, hostile, room.crowd):
            one.leave()


async def votes() -> None:
    """One address joins and votes under a thousand names and leaves; then somebody comes back who was there before."""
    async with running([*OURS, "0"]) as server:
        room = await Room(server.url).open()
        await room.crowd.join(CLASS, f"{room.path}/events")
        await room.post(f"{room.path}/question", {"of": "own", "text": "?", "options": ["a", "b"]})
        await until(lambda: all(one.question for one in room.crowd.followers), 10)
        honest, hostile = room.crowd.followers[0], Crowd(server.url, HOSTILE)
        statuses = Counter[int]()
        for _ in range(VOTERS // 50):
            for one in await hostile.join(50, f"{room.path}/events"):
                post = Post(server.url, {"x-device": one.device})
                statuses[(await post(f"{room.path}/answers", {"question": honest.question, "answer": 1}))[0]] += 1
                post.close()
            hostile.leave()
        for one in room.crowd.followers:
            post = Post(server.url, {"x-device": one.device})
            await post(f"{room.path}/answers", {"question": honest.question, "answer": 0})
            post.close()
        honest.transport.abort()
        room.crowd.followers.remove(honest)
        headers = f"X-Device: {honest.device}\r\n"
        (again,) = await room.crowd.join(1, f"{room.path}/events", headers=headers)
        await room.post(f"{room.path}/turn", {"turn": "reveal"})
        await until(lambda: all(one.counts for one in room.crowd.followers), 10)
        print(f"{VOTERS:,} votes under new names beside a class of {CLASS}: {dict(statuses)}", flush=True)
        must("the whole class is counted", again.counts[0] == CLASS)
        holds("votes of devices that left at once", again.counts[1], 30, "votes")
        must("who had joined came back to its place", again.device == honest.device)
        room.crowd.leave()


async def rooms() -> None:
    """One address opens rooms for as long as it can; then a teacher elsewhere wants one."""
    async with running([*OURS, "0"]) as server:
        statuses = Counter[int]()
        for _ in range(300):
            post = Post(server.url, {})
            statuses[(await post("/api/rooms", {"view": view(0)}))[0]] += 1
            post.close()
        print(f"300 rooms asked for by one address: {statuses[201]} opened, {statuses[429]} refused", flush=True)
        room = await Room(server.url, SCHOOL).open()
        await room.crowd.join(1, f"{room.path}/events")
        await room.step()
        must("a teacher elsewhere gets a room", await room.arrived())
        room.crowd.leave()


async def kills() -> None:
    """The process is killed in the middle of a question, again and again."""
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    port = str(free.getsockname()[1])
    free.close()
    right, asked, devices, room = 0, 0, list[str](), Room(f"http://127.0.0.1:{port}/")
    with tempfile.TemporaryDirectory() as folder:
        for n in range(KILLS + 1):
            async with running([*OURS, port], LIMITS | {"GRUSCOPE_UPLOADS": folder}) as server:
                if n == 0:
                    await room.open()
                    await room.crowd.join(VOTING, f"{room.path}/events")
                    await room.post(f"{room.path}/question", {"of": "own", "text": "?", "options": ["a", "b"]})
                    await until(lambda: all(one.question for one in room.crowd.followers), 10)
                    asked, devices = room.crowd.followers[0].question, [one.device for one in room.crowd.followers]
                else:
                    for device in devices:
                        await room.crowd.join(1, f"{room.path}/events", headers=f"X-Device: {device}\r\n")
                    await until(lambda: all(one.question for one in room.crowd.followers), 10)
                    told = await room.told()
                    same = {one.question for one in room.crowd.followers} == {asked}
                    right += same and told["answers"]["class"][0]["counts"] == [VOTING - n + 1, n - 1]
                if n < KILLS:  # the n-th device changes its answer just before the kill
                    for i, device in enumerate(devices):
                        post = Post(server.url, {"x-device": device})
                        if n == 0 or i == n - 1:
                            await post(f"{room.path}/answers", {"question": asked, "answer": int(i < n)})
                            post.close()
                server.process.kill()
            room.crowd.leave()
    print(f"kill -9 in the middle of a question, {KILLS} times, with {VOTING} votes", flush=True)
    must(f"the same question with the same counts, {right} of {KILLS} times", right == KILLS)


async def growth(hours: float) -> None:
    async with running([*OURS, "0"]) as server:
        room = await Room(server.url).open()
        await room.crowd.join(CLASS, f"{room.path}/events")
        await room.lead(300)
        begun, first = time.perf_counter(), server.used.kib()
        while time.perf_counter() - begun < 3600 * hours:
            await room.lead(60)
            room.crowd.posted.clear()
            for one in room.crowd.followers:
                one.late.clear()
            passed = (time.perf_counter() - begun) / 3600
            print(f"  {60 * passed:.0f} min: {(server.used.kib() - first) / 1024:+.2f} MB", flush=True)
        holds(
            f"growth with {CLASS} followers over {hours:g} h",
            (server.used.kib() - first) / 1024 / hours,
            5,
            "MB an hour",
        )
        room.crowd.leave()


PARTS = {
    "votes": votes,
    "rooms": rooms,
    "kills": kills,
    "stalled": stalled,
    "cuts": cuts,
    "answers": answers,
    "restart": restart,
    "trainings": trainings,
    "hostile": hostile,
    "freeze": freeze,
    "full": full,
    "nat": nat,
}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["classes", *PARTS], help="classes, growth, " + ", ".join(PARTS))
    parser.add_argument("--seconds", type=float, default=600, help="of a class")
    parser.add_argument("--hours", type=float, default=2, help="of growth")
    told = parser.parse_args()
    for part in told.parts:
        if part not in ("classes", "growth", *PARTS):
            parser.error(f"there is no part {part!r}; the parts are classes, growth, {', '.join(PARTS)}")
    for part in told.parts:
        if part == "classes":
            await classes(told.seconds)
        elif part == "growth":
            await growth(told.hours)
        else:
            await PARTS[part]()


if __name__ == "__main__":
    asyncio.run(main())
