"""Attacks on a class by strangers: endless answers, open connections, long numbers, and votes under new names."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode, urlsplit

from benchmarks.crowd import Crowd, Post, quantile
from benchmarks.room import CLASS, HOSTILE, OURS, SCHOOL, Room, print_check, print_limit, running, view

JOINS = 10_000
VOTERS = 1_000
HELD = 2_500
PATIENCE = 5
"""Seconds to wait for a response."""
HALF = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"


async def hostile() -> None:
    """Measure a class while a hostile client sends endless answers, forges requests, and joins under new names."""
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
    """Return the seconds until a new connection gets a response, or PATIENCE if it fails or takes longer."""
    start = time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE):
            status, _ = await Post(url, {"connection": "close"})("/healthz", None, "GET")
    except (OSError, EOFError, TimeoutError):
        return PATIENCE
    return time.perf_counter() - start if status == 200 else PATIENCE


async def slowest_health(url: str, meanwhile: Coroutine[Any, Any, object]) -> float:
    """Return the longest time of `health` while `meanwhile` runs. `meanwhile` is canceled after PATIENCE seconds."""
    task, slowest = asyncio.ensure_future(asyncio.wait_for(meanwhile, PATIENCE)), 0.0
    while not task.done():
        slowest = max(slowest, await health(url))
        await asyncio.sleep(0.01)
    with suppress(TimeoutError, OSError, EOFError):
        await task
    return slowest


async def freeze() -> None:
    """Send sequences with very long numbers, in each kind of request that has a sequence."""
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


def follow(room: Room) -> bytes:
    return f"GET {room.path}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


class Held:
    """Connections of one address that stay open, as many as the server accepts."""

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
    """Open more connections from one address than the server allows, and never close them."""
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
    """Print how long another address waits while one address keeps its connections open."""
    await health(url)  # returns after the server has handled the new connections
    print_limit(f"{what}: another address waits", 1000 * await slowest_health(url, asyncio.sleep(2)), 1000, "ms")


async def nat() -> None:
    """Let a class behind one address join while another address keeps as many connections as it can get.

    Each browser opens six connections for the page, and a stream.
    """
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
    """Vote under a thousand names from one address. Then let an earlier student of the room come back."""
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
    """Open as many rooms from one address as possible. Then let a teacher at another address open a room."""
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
