"""`make load`: rooms with 300 and 1,000 followers, with stalled and hostile clients, restarts and full queues.

`make load PARTS=growth HOURS=2` measures whether the server's memory grows.
"""

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

from benchmarks.crowd import Crowd, Follower, Post, Socket, quantile, until
from benchmarks.server import memory_kib, printed_address, processor_seconds
from benchmarks.timing import verdict

MOVES = 5
"""Moves of the cursor per second."""

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
"""Seconds to wait for a response."""


def view(move: int) -> dict[str, Any]:
    """Return a view of 400 bytes that contains the number of the move."""
    link = f"?model=flip-flop&t={move % 5 + 1}&views=tape,words,cell,equations,memory&clamps=z.1@4-6=0&sequence=m{move}"
    return {"page": "", "link": link.ljust(300, "x")}


@dataclass
class Running:
    url: str
    process: subprocess.Popen[str]

    def seconds(self) -> float:
        return processor_seconds(self.process.pid)

    def kib(self) -> int:
        return memory_kib(self.process.pid)


@asynccontextmanager
async def running(command: list[str], limits: Mapping[str, str] = LIMITS) -> AsyncIterator[Running]:
    """Start a server, and yield it when it uses the processor no more after its start."""
    folder = tempfile.TemporaryDirectory()  # without rooms of an earlier server
    environment = os.environ | {"GRUSCOPE_UPLOADS": folder.name} | limits
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    try:
        server = Running(await asyncio.to_thread(printed_address, process), process)
        before = -1.0
        while server.seconds() - before > 0.05:
            before = server.seconds()
            await asyncio.sleep(1)
        yield server
    finally:
        process.kill()
        process.wait()
        folder.cleanup()


class Room:
    """A room of GRU Scope and its teacher. With a `secret`, `open` opens the room of another process again."""

    def __init__(self, url: str, address: str = "127.0.0.1") -> None:
        self.crowd, self.move = Crowd(url, address), 0

    async def open(self, secret: str | None = None) -> Room:
        url = f"http://{self.crowd.host}:{self.crowd.port}/"
        body = {"view": view(self.move)} | ({"secret": secret} if secret else {})
        status, content = await Post(url, {}, self.crowd.address)("/api/rooms", body)
        assert status == 201, content
        self.secret, self.path = json.loads(content)["secret"], f"/api/rooms/{json.loads(content)['code']}"
        self.post = Post(url, {"authorization": f"Bearer {self.secret}"}, self.crowd.address)
        self.view_path = f"{self.path}/view"
        return self

    async def teacher_state(self) -> dict[str, Any]:
        """Return the state that the teacher receives now."""
        reader, writer = await asyncio.open_connection(self.crowd.host, self.crowd.port)
        request = f"GET {self.path}/class?once=true HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        writer.write(f"{request}Authorization: Bearer {self.secret}\r\n\r\n".encode())
        response = (await reader.read()).decode()
        writer.close()
        state: dict[str, Any] = json.loads(re.search("^data: (.*)$", response, re.M)[1])  # type: ignore[index]
        return state

    async def step(self) -> None:
        self.move += 1
        self.crowd.posted[self.move] = time.perf_counter()
        status, content = await self.post(self.view_path, view(self.move))
        assert status == 204, content

    async def lead(self, seconds: float) -> None:
        """Move the cursor for some seconds."""
        start = time.perf_counter()
        for n in range(int(seconds * MOVES)):
            await self.step()
            await asyncio.sleep(max(0, start + (n + 1) / MOVES - time.perf_counter()))

    async def arrived(self, among: list[Follower] | None = None) -> bool:
        """Return whether all followers receive the newest view."""
        followers = self.crowd.followers if among is None else among
        return await until(lambda: all(follower.seen == self.move for follower in followers), 10)

    async def ask(self, *options: str) -> None:
        """Ask a question, and wait until all followers have it."""
        status, content = await self.post(f"{self.path}/question", {"of": "own", "text": "?", "options": options})
        assert status == 204, content
        await self.all_have_question()

    async def all_have_question(self) -> None:
        await until(lambda: all(follower.question for follower in self.crowd.followers), 10)

    async def reveal(self) -> None:
        """Reveal the answer, and wait until all followers have the counts."""
        await self.post(f"{self.path}/turn", {"turn": "reveal"})
        await until(lambda: all(follower.counts for follower in self.crowd.followers), 10)


class Other(Room):
    """A room of another program, which has only one room, at /view."""

    async def open(self, secret: str | None = None) -> Room:
        self.post, self.view_path = Post(f"http://{self.crowd.host}:{self.crowd.port}/", {}), "/view"
        return self


def print_limit(what: str, value: float, most: float, unit: str) -> None:
    print(f"  {what}: {value:.1f} {unit} (at most {most:g}: {'yes' if value <= most else 'NO'})", flush=True)


def print_check(what: str, true: bool) -> None:
    print(f"  {what}: {'yes' if true else 'NO'}", flush=True)


async def measured(
    room: Room, server: Running, count: int, seconds: float, path: str, kind: type[Follower] = Follower
) -> dict[str, float]:
    """Measure a class of `count` followers: delays in ms, the server's processor time and its memory."""
    before = server.kib()
    await room.crowd.join(count, path, kind)
    await asyncio.sleep(1)
    start, used = time.perf_counter(), server.seconds()
    await room.lead(seconds)
    cpu = (server.seconds() - used) / (time.perf_counter() - start)
    arrived = await room.arrived()
    delays = room.crowd.delays()
    room.crowd.posted.clear()
    received = len(delays) / (count * int(seconds * MOVES))
    backward = sum(follower.backward for follower in room.crowd.followers)
    return {
        "p99": 1000 * quantile(delays, 0.99), "p50": 1000 * quantile(delays, 0.5), "cpu": 100 * cpu,
        "kib": (server.kib() - before) / count, "arrived": float(arrived and not backward), "received": received,
    }  # fmt: skip


async def classes(seconds: float) -> None:
    results: dict[str, dict[str, float]] = {}
    for count, length, most, cpu in ((CLASS, seconds, 30, 12), (1_000, min(seconds, 120), 60, 35)):
        async with running([*OURS, "0"]) as server:
            room = await Room(server.url).open()
            now = await measured(room, server, count, length, f"{room.path}/events")
            print(f"{count} followers for {length:.0f} s, {MOVES} moves a second", flush=True)
            print_check("no follower ended on an older state, or went back to one", now["arrived"] == 1)
            print_limit("from the teacher's post to a follower, p99", now["p99"], most, "ms")
            print_limit("CPU of a core", now["cpu"], cpu, "%")
            print_limit("memory for each", now["kib"], 40, "KiB")
            print(f"  p50 {now['p50']:.1f} ms; {100 * now['received']:.1f} % of all moves were received", flush=True)
            room.crowd.leave()
    print(f"{CLASS} followers for 30 s, with other libraries, and ours in comparison", flush=True)
    for name, path, kind in (
        ("ours", "", Follower),
        ("sse-starlette", "/events", Follower),
        ("python-socketio", "/socket.io/?EIO=4&transport=websocket", Socket),
    ):
        command = [*OURS, "0"] if name == "ours" else [sys.executable, "-m", "benchmarks.other_rooms", name]
        async with running(command) as server:
            room = await (Room if name == "ours" else Other)(server.url).open()
            results[name] = await measured(room, server, CLASS, 30, path or f"{room.path}/events", kind)
            room.crowd.leave()
            now = results[name]
            costs = f"{now['cpu']:.1f} % of a core, {now['kib']:.0f} KiB each"
            print(f"  {name}: p50 {now['p50']:.1f}, p99 {now['p99']:.1f} ms, {costs}", flush=True)
            if name != "ours":
                verdict(f"ours over {name}, p99", results["ours"]["p99"] / now["p99"], 1)


async def stalled() -> None:
    """Some followers read nothing, and have small receive buffers."""
    async with running([*OURS, "0"]) as server:
        room = await Room(server.url).open()
        await room.crowd.join(CLASS - STALLED, f"{room.path}/events")
        loop, sleepers = asyncio.get_running_loop(), []
        for _ in range(STALLED):
            sleeper = socket.socket()
            sleeper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sleeper.setblocking(False)
            await loop.sock_connect(sleeper, (room.crowd.host, room.crowd.port))
            await loop.sock_sendall(sleeper, f"GET {room.path}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            sleepers.append(sleeper)
        reader, writer = await asyncio.open_connection(room.crowd.host, room.crowd.port)
        request = f"GET {room.path}/class HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {room.secret}\r\n\r\n"
        writer.write(request.encode())
        start, disconnected, most = time.perf_counter(), float("inf"), 0
        leading = asyncio.create_task(room.lead(45))
        while not leading.done():
            if match := re.search(rb'"followers":(\d+)', await reader.readline()):
                followers = int(match[1])
                most = max(most, followers)
                if followers == most - STALLED:
                    disconnected = min(disconnected, time.perf_counter() - start)
        await leading
        writer.close()
        print(f"{STALLED} of {CLASS} read nothing", flush=True)
        print_limit("the last of them was disconnected after", disconnected, 35, "s")
        print_limit("p99 of the others", 1000 * quantile(room.crowd.delays(), 0.99), 30, "ms")
        print_check("all others ended on the newest state", await room.arrived())
        for sleeper in sleepers:
            sleeper.close()
        room.crowd.leave()


async def cuts() -> None:
    chance = random.Random(0)
    async with running([*OURS, "0"]) as server:
        room = await Room(server.url).open()
        followers = await room.crowd.join(CLASS, f"{room.path}/events")
        leading = asyncio.create_task(room.lead(40))
        for _ in range(CUTS):
            follower = chance.choice(room.crowd.followers)
            follower.transport.abort()
            room.crowd.followers.remove(follower)
            headers = f"X-Device: {follower.device}\r\nLast-Event-ID: {follower.id}\r\n"
            (new,) = await room.crowd.join(1, f"{room.path}/events", headers=headers)
            new.seen = max(new.seen, follower.seen)
        await leading
        await room.step()
        print(f"{CUTS} connections of {len(followers)} cut at random while the cursor moved", flush=True)
        print_check("every follower ended on the newest state", await room.arrived())
        room.crowd.leave()


async def answers() -> None:
    async with running([*OURS, "0"]) as server:
        room = await Room(server.url).open()
        await room.crowd.join(CLASS, f"{room.path}/events")
        await room.ask("a", "b", "c")
        start = time.perf_counter()

        async def answer_twice(n: int, follower: Follower) -> int:
            await asyncio.sleep(n / CLASS / 2)
            post = Post(server.url, {"x-device": follower.device})
            for answer in (0, n % 3):  # every third follower repeats its answer
                status, _ = await post(f"{room.path}/answers", {"question": follower.question, "answer": answer})
            return status

        counted = await asyncio.gather(*(answer_twice(n, each) for n, each in enumerate(room.crowd.followers)))
        seconds = time.perf_counter() - start
        await room.reveal()
        print(f"{CLASS} followers answer, and change their answer, in {seconds:.2f} s", flush=True)
        print_check(
            "the last answer of each follower is counted once",
            {tuple(follower.counts) for follower in room.crowd.followers} == {(100, 100, 100)}
            and set(counted) == {204},
        )
        room.crowd.leave()


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


async def restart() -> None:
    """The server ends after SIGTERM, and another starts at the same port."""
    port = free_port()
    async with running([*OURS, port]) as server:
        room = await Room(server.url).open()
        await room.crowd.join(CLASS, f"{room.path}/events")
        await room.lead(2)
        start = time.perf_counter()
        server.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(server.process.wait)
        print(f"SIGTERM with {CLASS} followers", flush=True)
        print_limit("the process had ended after", time.perf_counter() - start, 5, "s")
    devices = [(follower.device, follower.id) for follower in room.crowd.followers]
    room.crowd.leave()
    async with running([*OURS, port]) as server:
        await room.open(room.secret)
        for device, id in devices:
            await room.crowd.join(1, f"{room.path}/events", headers=f"X-Device: {device}\r\nLast-Event-ID: {id}\r\n")
        await room.step()
        print_check(
            "the room, opened again with its secret, sends the newest state to all of them", await room.arrived()
        )
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
        print(f"{TRAININGS} trainings requested at the same time: {taken} accepted, {waits} refused", flush=True)
        print_limit("p99 of the class", 1000 * quantile(room.crowd.delays(), 0.99), 250, "ms")
        print_check("every follower ended on the newest state", await room.arrived())
        room.crowd.leave()


async def hostile() -> None:
    """A hostile client sends answers without end, forges the teacher's requests, and joins under new names."""
    async with running([*OURS, "0"]) as server:
        room = await Room(server.url).open()
        await room.crowd.join(CLASS, f"{room.path}/events")
        await room.ask("a", "b")
        mine, statuses = room.crowd.followers[0], Counter[tuple[str, int]]()
        leading = asyncio.create_task(room.lead(40))

        async def post(what: str, path: str, body: object, headers: dict[str, str]) -> None:
            send = Post(server.url, headers)
            while not leading.done():
                status, _ = await send(f"{room.path}/{path}", body)
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
        print(f"a hostile follower and a class of {CLASS}, for 40 s", flush=True)
        for (what, status), count in sorted(statuses.items()):
            print(f"  {what}: {count:,} times {status}", flush=True)
        print_limit("p99 of the class", 1000 * quantile(room.crowd.delays(), 0.99), 250, "ms")
        print_check("every follower ended on the newest state", await room.arrived())
        await room.reveal()
        print_check("the answers of one device are counted once", mine.counts == [1, 0])
        room.crowd.leave()


async def health(url: str) -> float:
    """Return the seconds until a new connection gets a response, PATIENCE if it takes longer or is refused."""
    start = time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE):
            status, _ = await Post(url, {"connection": "close"})("/healthz", None, "GET")
    except (OSError, EOFError, TimeoutError):
        return PATIENCE
    return time.perf_counter() - start if status == 200 else PATIENCE


async def slowest_health(url: str, meanwhile: Coroutine[Any, Any, object]) -> float:
    """Return the longest `health` during `meanwhile`, which is canceled after PATIENCE seconds."""
    task, slowest = asyncio.ensure_future(asyncio.wait_for(meanwhile, PATIENCE)), 0.0
    while not task.done():
        slowest = max(slowest, await health(url))
        await asyncio.sleep(0.01)
    with suppress(TimeoutError, OSError, EOFError):
        await task
    return slowest


async def freeze() -> None:
    """Sequences with very long numbers, in each kind of request that has a sequence."""
    ones = "1" * 40_000
    link = {"model": "pocket-calculator", "sequence": f"{ones[:7_000]}x"}
    async with running([*OURS, "0"], {}) as server:
        room = await Room(server.url).open()
        print(f"a sequence of {len(ones):,} digits", flush=True)
        for what, post, path, body, method in (
            ("POST /api/trace", Post(server.url, {}), "/api/trace", link | {"sequence": f"{ones}x"}, "POST"),
            ("GET of a page, 15,000 digits", Post(server.url, {}), f"/?{urlencode(link)}{ones[:8_000]}", None, "GET"),
            (
                "view of a room, 7,000 digits",
                room.post,
                room.view_path,
                {"page": "", "link": f"?{urlencode(link)}"},
                "POST",
            ),
        ):
            print_limit(
                f"{what}: /healthz waits", 1000 * await slowest_health(server.url, post(path, body, method)), 250, "ms"
            )


HALF = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"


def follow(room: Room) -> bytes:
    return f"GET {room.path}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


class Held:
    """The connections of one address, as many as the server accepts."""

    def __init__(self, url: str, address: str) -> None:
        parts = urlsplit(url)
        self.host, self.port, self.address = parts.hostname or "", parts.port or 80, address
        self.writers: list[asyncio.StreamWriter] = []

    async def hold(self, count: int, request: bytes) -> None:
        """Open connections that send a request, and then neither read nor close."""
        for start in range(0, count, 50):
            some = min(50, count - start)
            made = (asyncio.open_connection(self.host, self.port, local_addr=(self.address, 0)) for _ in range(some))
            for _, writer in await asyncio.gather(*made):
                writer.write(request)
                self.writers.append(writer)
            await asyncio.sleep(0.02)

    def leave(self) -> None:
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()


async def full() -> None:
    """One address opens more connections than the server allows, and never closes them."""
    async with running([*OURS, "0"], {}) as server:
        rooms = [await Room(server.url).open() for _ in range(5)]
        print(f"{HELD:,} connections of one address, on a server with default settings", flush=True)
        hostile = Held(server.url, HOSTILE)
        await hostile.hold(HELD, HALF)
        await others_are_answered("half heads", server.url)
        hostile.leave()
        for room in rooms:
            await hostile.hold(HELD // len(rooms), follow(room))
        await others_are_answered("streams", server.url)
        hostile.leave()


async def others_are_answered(what: str, url: str) -> None:
    """Print how long other addresses wait while one address has these connections."""
    await health(url)  # returns after the server has handled the new connections
    print_limit(f"{what}: another address waits", 1000 * await slowest_health(url, asyncio.sleep(2)), 1000, "ms")


async def nat() -> None:
    """A class behind one address joins. Each browser opens six connections for the page, and a stream."""
    async with running([*OURS, "0"], {}) as server:
        rooms = [await Room(server.url).open() for _ in range(4)]
        hostile = Held(server.url, HOSTILE)
        for room in rooms:
            await hostile.hold(HELD // len(rooms), follow(room))
        await hostile.hold(HELD, HALF)
        room = await Room(server.url, SCHOOL).open()
        start, pages = time.perf_counter(), Held(server.url, SCHOOL)
        request = f"GET {room.path.removeprefix('/api')} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
        for _ in range(CLASS // 10):
            await pages.hold(10, request)
            await pages.hold(50, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            await room.crowd.join(10, f"{room.path}/events")
        seconds = time.perf_counter() - start
        print(
            f"{CLASS} followers behind one address, while another address has as many connections as it gets",
            flush=True,
        )
        print_limit("all have joined after", seconds, 10, "s")
        await room.step()
        print_check("all of them get the newest state", await room.arrived())
        pages.leave()
        hostile.leave()
        room.crowd.leave()


async def votes() -> None:
    """One address votes under a thousand names. Then an earlier student of the room comes back."""
    async with running([*OURS, "0"]) as server:
        room = await Room(server.url).open()
        await room.crowd.join(CLASS, f"{room.path}/events")
        await room.ask("a", "b")
        honest, hostile = room.crowd.followers[0], Crowd(server.url, HOSTILE)
        statuses = Counter[int]()
        for _ in range(VOTERS // 50):
            for follower in await hostile.join(50, f"{room.path}/events"):
                post = Post(server.url, {"x-device": follower.device})
                statuses[(await post(f"{room.path}/answers", {"question": honest.question, "answer": 1}))[0]] += 1
                post.close()
            hostile.leave()
        for follower in room.crowd.followers:
            post = Post(server.url, {"x-device": follower.device})
            await post(f"{room.path}/answers", {"question": honest.question, "answer": 0})
            post.close()
        honest.transport.abort()
        room.crowd.followers.remove(honest)
        headers = f"X-Device: {honest.device}\r\n"
        (again,) = await room.crowd.join(1, f"{room.path}/events", headers=headers)
        await room.reveal()
        print(f"{VOTERS:,} votes under new names, and a class of {CLASS}: {dict(statuses)}", flush=True)
        print_check("the whole class is counted", again.counts[0] == CLASS)
        print_limit("votes of devices that left at once", again.counts[1], 30, "votes")
        print_check("the student who came back has the same place", again.device == honest.device)
        room.crowd.leave()


async def rooms() -> None:
    """One address opens as many rooms as it can. Then a teacher at another address opens a room."""
    async with running([*OURS, "0"]) as server:
        statuses = Counter[int]()
        for _ in range(300):
            post = Post(server.url, {})
            statuses[(await post("/api/rooms", {"view": view(0)}))[0]] += 1
            post.close()
        print(f"300 rooms requested by one address: {statuses[201]} opened, {statuses[429]} refused", flush=True)
        room = await Room(server.url, SCHOOL).open()
        await room.crowd.join(1, f"{room.path}/events")
        await room.step()
        print_check("a teacher at another address gets a room", await room.arrived())
        room.crowd.leave()


async def kills() -> None:
    """The server is killed many times while students answer a question."""
    port = free_port()
    right, question, devices, room = 0, 0, list[str](), Room(f"http://127.0.0.1:{port}/")
    with tempfile.TemporaryDirectory() as folder:
        for n in range(KILLS + 1):
            async with running([*OURS, port], LIMITS | {"GRUSCOPE_UPLOADS": folder}) as server:
                if n == 0:
                    await room.open()
                    await room.crowd.join(VOTING, f"{room.path}/events")
                    await room.ask("a", "b")
                    question = room.crowd.followers[0].question
                    devices = [follower.device for follower in room.crowd.followers]
                else:
                    for device in devices:
                        await room.crowd.join(1, f"{room.path}/events", headers=f"X-Device: {device}\r\n")
                    await room.all_have_question()
                    tally = (await room.teacher_state())["answers"]["class"][0]
                    same = {follower.question for follower in room.crowd.followers} == {question}
                    right += same and tally["counts"] == [VOTING - n + 1, n - 1]
                if n < KILLS:  # the n-th device changes its answer just before the kill
                    for i, device in enumerate(devices):
                        post = Post(server.url, {"x-device": device})
                        if n == 0 or i == n - 1:
                            await post(f"{room.path}/answers", {"question": question, "answer": int(i < n)})
                            post.close()
                server.process.kill()
            room.crowd.leave()
    print(f"kill -9 in the middle of a question, {KILLS} times, with {VOTING} votes", flush=True)
    print_check(f"the same question with the same counts, {right} of {KILLS} times", right == KILLS)


async def growth(hours: float) -> None:
    async with running([*OURS, "0"]) as server:
        room = await Room(server.url).open()
        await room.crowd.join(CLASS, f"{room.path}/events")
        await room.lead(300)
        start, first = time.perf_counter(), server.kib()
        while time.perf_counter() - start < 3600 * hours:
            await room.lead(60)
            room.crowd.posted.clear()
            for follower in room.crowd.followers:
                follower.delays.clear()
            passed = (time.perf_counter() - start) / 3600
            print(f"  {60 * passed:.0f} min: {(server.kib() - first) / 1024:+.2f} MB", flush=True)
        rate = (server.kib() - first) / 1024 / hours
        print_limit(f"growth with {CLASS} followers over {hours:g} h", rate, 5, "MB per hour")
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
    options = parser.parse_args()
    for part in options.parts:
        if part not in ("classes", "growth", *PARTS):
            parser.error(f"there is no part {part!r}; the parts are classes, growth, {', '.join(PARTS)}")
    for part in options.parts:
        if part == "classes":
            await classes(options.seconds)
        elif part == "growth":
            await growth(options.hours)
        else:
            await PARTS[part]()


if __name__ == "__main__":
    asyncio.run(main())
