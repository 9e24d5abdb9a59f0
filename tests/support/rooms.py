"""A server with rooms, and clients that act as teachers and students."""

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

LAB = {"page": "", "link": "?model=flip-flop&sequence=A+m+B+m&t=2"}


class Server:
    """A running server, and an HTTP client for it."""

    def __init__(self, app: Any, client: httpx2.AsyncClient) -> None:
        self.app, self.client = app, client

    async def open(self, view: dict[str, Any] = LAB) -> Teacher:
        """Open a room that shows `view`, and return its teacher."""
        response = await self.client.post("/api/rooms", json={"view": view})
        assert response.status_code == 201, response.text
        room = response.json()
        return Teacher(self, room["code"], room["secret"])


class Teacher:
    """The teacher of a room, who has the secret of the room."""

    def __init__(self, server: Server, code: str, secret: str) -> None:
        self.server, self.code, self.secret = server, code, secret
        self.headers = {"authorization": f"Bearer {secret}"}

    async def post(self, part: str, body: object) -> httpx2.Response:
        """Post `body` to the route `part` of the room, and return the response."""
        return await self.server.client.post(f"/api/rooms/{self.code}/{part}", json=body, headers=self.headers)

    async def post_ok(self, part: str, body: object) -> None:
        """Post `body` to the route `part` of the room, and assert that the status is 204."""
        response = await self.post(part, body)
        assert response.status_code == 204, response.text

    async def end(self) -> None:
        """End the room, and assert that the status is 204."""
        response = await self.server.client.delete(f"/api/rooms/{self.code}", headers=self.headers)
        assert response.status_code == 204

    @asynccontextmanager
    async def follower(self, device: str = "", last: str = "") -> AsyncIterator[Follower]:
        """Join the room as a student, and yield the student.

        `device` and `last` are the device and the id of the last event of an earlier stream, to continue it.
        """
        headers = {"x-device": device, "last-event-id": last}
        async with self.server.client.stream("GET", f"/api/rooms/{self.code}/events", headers=headers) as response:
            assert response.status_code == 200, await response.aread()
            assert response.headers["content-type"].startswith("text/event-stream")
            yield await Follower(self, response).start()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[Stream]:
        """Yield the teacher's event stream."""
        async with self.server.client.stream("GET", f"/api/rooms/{self.code}/class", headers=self.headers) as response:
            assert response.status_code == 200, await response.aread()
            yield Stream(response)


class Stream:
    """An event stream. `id` is the id of the last event."""

    def __init__(self, response: httpx2.Response) -> None:
        self.lines = response.aiter_lines()
        self.id = ""

    async def next(self) -> tuple[str, Any]:
        """Return the name and the data of the next event. Raises EOFError at the end of the stream."""
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

    async def until(self, condition: Callable[[Any], bool]) -> Any:
        """Return the data of the first event that meets a condition."""
        while True:
            _, data = await self.next()
            if condition(data):
                return data


class Follower(Stream):
    """A student in a room, with an event stream."""

    def __init__(self, teacher: Teacher, response: httpx2.Response) -> None:
        super().__init__(response)
        self.teacher, self.device = teacher, ""
        self.state: dict[str, Any] = {}

    async def start(self) -> Follower:
        """Read the first event, which names the student's device."""
        name, data = await self.next()
        assert name == "you"
        self.device = data["device"]
        return self

    async def wait_for_state(self, condition: Callable[[Any], bool] = lambda _: True) -> Any:
        """Read events until the state of the room meets a condition, and return this state."""
        self.state = await self.until(condition)
        return self.state

    async def answer(self, answer: object) -> httpx2.Response:
        """Post an answer to the current question."""
        body = {"question": self.state["question"]["id"], "answer": answer}
        path = f"/api/rooms/{self.teacher.code}/answers"
        return await self.teacher.server.client.post(path, json=body, headers={"x-device": self.device})


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Server]:
    """Run a server with rooms in this event loop, and yield it."""
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
    """Run a test with a new server."""

    async def run_test() -> None:
        async with serving(settings or Settings()) as server:
            await test(server)

    run(run_test())
