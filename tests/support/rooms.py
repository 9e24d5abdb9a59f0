"""A server with rooms, its teachers and its followers."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import uvicorn

from app.main import create_app
from app.settings import Settings
from tests.support.events import run

LAB = {"page": "", "link": "?model=flip-flop&sequence=A+x+B+x&t=2"}


class Server:
    """A server and somebody who talks to it."""

    def __init__(self, app: Any, client: httpx2.AsyncClient) -> None:
        self.app, self.client = app, client
        self.now = 1_000.0

    async def open(self, view: dict[str, Any] = LAB) -> Teacher:
        answer = await self.client.post("/api/rooms", json={"view": view})
        assert answer.status_code == 201, answer.text
        said = answer.json()
        return Teacher(self, said["code"], said["secret"])


class Teacher:
    def __init__(self, server: Server, code: str, secret: str) -> None:
        self.server, self.code, self.secret = server, code, secret
        self.headers = {"authorization": f"Bearer {secret}"}

    async def say(self, part: str, body: object) -> httpx2.Response:
        return await self.server.client.post(f"/api/rooms/{self.code}/{part}", json=body, headers=self.headers)

    async def must(self, part: str, body: object) -> None:
        answer = await self.say(part, body)
        assert answer.status_code == 204, answer.text

    async def end(self) -> None:
        answer = await self.server.client.delete(f"/api/rooms/{self.code}", headers=self.headers)
        assert answer.status_code == 204

    @asynccontextmanager
    async def follower(self, device: str = "", last: str = "") -> AsyncIterator[Follower]:
        headers = {"x-device": device, "last-event-id": last}
        async with self.server.client.stream("GET", f"/api/rooms/{self.code}/events", headers=headers) as answer:
            assert answer.status_code == 200, await answer.aread()
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield await Follower(self, answer).begin()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[Stream]:
        async with self.server.client.stream("GET", f"/api/rooms/{self.code}/class", headers=self.headers) as answer:
            assert answer.status_code == 200, await answer.aread()
            yield Stream(answer)


class Stream:
    def __init__(self, answer: httpx2.Response) -> None:
        self.lines = answer.aiter_lines()
        self.id = ""

    async def next(self) -> tuple[str, Any]:
        """The next event's name and data."""
        name, data = "", ""
        async for line in self.lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                data = line.removeprefix("data: ")
            elif line.startswith("id: "):
                self.id = line.removeprefix("id: ")
            elif not line and name:
                return name, json.loads(data)
        raise EOFError

    async def until(self, wanted: Callable[[Any], bool]) -> Any:
        while True:
            _, data = await self.next()
            if wanted(data):
                return data


class Follower(Stream):
    def __init__(self, teacher: Teacher, answer: httpx2.Response) -> None:
        super().__init__(answer)
        self.teacher, self.device = teacher, ""
        self.state: dict[str, Any] = {}

    async def begin(self) -> Follower:
        name, data = await self.next()
        assert name == "you"
        self.device = data["device"]
        return self

    async def hear(self, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        self.state = await self.until(wanted)
        return self.state

    async def answer(self, answer: object) -> httpx2.Response:
        body = {"question": self.state["question"]["id"], "answer": answer}
        path = f"/api/rooms/{self.teacher.code}/answers"
        return await self.teacher.server.client.post(path, json=body, headers={"x-device": self.device})


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Server]:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    app = create_app(settings)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve([listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    limits = httpx2.Limits(max_connections=None)
    try:
        async with httpx2.AsyncClient(base_url=url, timeout=60, limits=limits) as client:
            yield Server(app, client)
    finally:
        app.state.rooms.leave()
        server.should_exit = True
        await task


def in_room(test: Callable[[Server], Awaitable[None]], settings: Settings | None = None) -> None:
    async def inside() -> None:
        async with serving(settings or Settings()) as server:
            await test(server)

    run(inside())
