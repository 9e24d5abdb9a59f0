"""A server with a room, and a teacher who moves the cursor in the room."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.crowd import Crowd, Follower, Post, until
from benchmarks.server import memory_kib, printed_address, processor_seconds

MOVES = 5
"""Moves of the cursor per second."""

CLASS = 300
OURS = [sys.executable, "-m", "app.cli", "serve", "--no-browser", "--port"]
LIMITS = {"GRUSCOPE_MAX_CONNECTIONS": "3000", "GRUSCOPE_FOLLOWERS": "1500"}
SCHOOL, HOSTILE = "127.0.0.2", "127.0.0.3"


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
    """Start a server, and yield it when it has finished starting and no longer uses the processor."""
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
    """A room of GRU Scope and its teacher. With a `secret`, `open` reopens a room that an earlier process had."""

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
        """Return the current state of the room, as the teacher receives it."""
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
        """Move the cursor for some seconds, MOVES times per second."""
        start = time.perf_counter()
        for n in range(int(seconds * MOVES)):
            await self.step()
            await asyncio.sleep(max(0, start + (n + 1) / MOVES - time.perf_counter()))

    async def arrived(self, among: list[Follower] | None = None) -> bool:
        """Wait up to 10 seconds, and return whether all followers have received the newest view."""
        followers = self.crowd.followers if among is None else among
        return await until(lambda: all(follower.seen == self.move for follower in followers), 10)

    async def ask(self, *options: str) -> None:
        """Ask a question, and wait until all followers have it."""
        status, content = await self.post(f"{self.path}/question", {"subject": "own", "text": "?", "options": options})
        assert status == 204, content
        await self.all_have_question()

    async def all_have_question(self) -> None:
        await until(lambda: all(follower.question for follower in self.crowd.followers), 10)

    async def reveal(self) -> None:
        """Reveal the answer, and wait until all followers have the counts."""
        await self.post(f"{self.path}/turn", {"turn": "reveal"})
        await until(lambda: all(follower.counts for follower in self.crowd.followers), 10)


def print_limit(what: str, value: float, most: float, unit: str) -> None:
    print(f"  {what}: {value:.1f} {unit} (at most {most:g}: {'yes' if value <= most else 'NO'})", flush=True)


def print_check(what: str, true: bool) -> None:
    print(f"  {what}: {'yes' if true else 'NO'}", flush=True)
