"""Simulate many followers of a room. Each follower is a connection that measures when it receives a cursor move."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

MOVE = re.compile(rb"sequence=m(\d+)")
"""The pattern for the number of the teacher's move in a state of the room."""

DEVICE, EVENT_ID = re.compile(rb'"device":"([^"]+)"'), re.compile(rb"^id: (\S+)", re.M)
QUESTION_ID, COUNTS = re.compile(rb'"id":(\d+)'), re.compile(rb'"counts":(\[[\d,]*\])')


class Follower(asyncio.Protocol):
    """A follower of a room.

    `seen` is the number of the newest move. `delays` has the seconds between the post of each move and its arrival.
    """

    def __init__(self, crowd: Crowd, request: bytes) -> None:
        self.crowd, self.request = crowd, request
        self.seen, self.backward, self.open = -1, 0, False
        self.delays: list[float] = []
        self.device = self.id = ""
        self.question, self.counts = 0, list[int]()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.connected = time.perf_counter()
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        self.open = True
        if not self.device and (you := DEVICE.search(data)):
            self.device = you[1].decode()
        if ids := EVENT_ID.findall(data):
            self.id = ids[-1].decode()
        if b'"question":{' in data:
            self._note_question(data)
        for move in map(int, MOVE.findall(data)):
            if move < self.seen:
                self.backward += 1
            elif move > self.seen:
                self.seen = move
                posted = self.crowd.posted.get(move)
                if posted is not None and posted > self.connected:
                    self.delays.append(now - posted)

    def _note_question(self, data: bytes) -> None:
        if id := QUESTION_ID.search(data):
            self.question = int(id[1])
        if counts := COUNTS.search(data):
            self.counts = json.loads(counts[1])

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False


class Socket(Follower):
    """A follower that uses Socket.IO over a WebSocket."""

    def data_received(self, data: bytes) -> None:
        if not self.open:
            self.transport.write(_frame(b"40"))
        for start in range(len(data)):
            if data[start : start + 2] == b"\x81\x01" and data[start + 2 : start + 3] == b"2":
                self.transport.write(_frame(b"3"))  # answer the ping
        super().data_received(data)


def _frame(text: bytes) -> bytes:
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text


class Crowd:
    """The followers of one server, all from one address. `posted` has the time at which each move was posted."""

    def __init__(self, url: str, address: str = "127.0.0.1") -> None:
        parts = urlsplit(url)
        self.address = address
        self.host, self.port = parts.hostname or "", parts.port or 80
        self.posted: dict[int, float] = {}
        self.followers: list[Follower] = []

    async def join(self, count: int, path: str, kind: type[Follower] = Follower, headers: str = "") -> list[Follower]:
        """Add `count` followers, a few at a time. Return them when all of them have received something."""
        key = base64.b64encode(bytes(16)).decode()
        if kind is Socket:
            headers += "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            headers += f"Sec-WebSocket-Key: {key}\r\n"
        request = f"GET {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n{headers}\r\n".encode()
        loop = asyncio.get_running_loop()
        new: list[Follower] = []
        for start in range(0, count, 25):
            made = [
                loop.create_connection(lambda: kind(self, request), self.host, self.port, local_addr=(self.address, 0))
                for _ in range(min(25, count - start))
            ]
            new += [protocol for _, protocol in await asyncio.gather(*made)]
            await asyncio.sleep(0.02)
        await until(lambda: all(follower.open for follower in new), 30)
        self.followers += new
        return new

    def leave(self) -> None:
        for follower in self.followers:
            follower.transport.abort()
        self.followers.clear()

    def delays(self) -> list[float]:
        return sorted(seconds for follower in self.followers for seconds in follower.delays)


async def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait up to `seconds` until `condition` is true. Return whether it became true."""
    end = time.perf_counter() + seconds
    while not condition():
        if time.perf_counter() > end:
            return False
        await asyncio.sleep(0.02)
    return True


class Post:
    """A connection that is reused to post JSON."""

    def __init__(self, url: str, headers: dict[str, str], address: str = "127.0.0.1") -> None:
        parts = urlsplit(url)
        self.host, self.port, self.headers, self.address = parts.hostname or "", parts.port or 80, headers, address
        self.reader: asyncio.StreamReader | None = None

    async def __call__(self, path: str, body: object, method: str = "POST") -> tuple[int, bytes]:
        if self.reader is None or self.reader.at_eof():
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port, local_addr=(self.address, 0))
        content = json.dumps(body).encode()
        headers = {"host": f"{self.host}:{self.port}", "content-type": "application/json", **self.headers}
        headers["content-length"] = str(len(content))
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + content)
        response = await self.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", response)
        content = await self.reader.readexactly(int(length[1])) if length else b""
        if b"onnection: close" in response:
            self.close()
        return int(response.split(b" ", 2)[1]), content

    def close(self) -> None:
        if self.reader is not None:
            self.writer.close()
            self.reader = None


def quantile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")
