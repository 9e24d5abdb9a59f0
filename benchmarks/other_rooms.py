"""A room written with other libraries, for comparison: `python -m benchmarks.other_rooms sse-starlette`."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from typing import Any

import socketio
import uvicorn
from fastapi import FastAPI, Request
from sse_starlette import EventSourceResponse


def by_sse_starlette() -> Any:
    """Return an application with a queue of length one for each follower. A slow follower gets only the newest view."""
    app, followers = FastAPI(), set[asyncio.Queue[str]]()

    @app.get("/events")
    async def events() -> EventSourceResponse:
        async def stream() -> AsyncIterator[dict[str, str]]:
            queue: asyncio.Queue[str] = asyncio.Queue(1)
            followers.add(queue)
            try:
                yield {"event": "you", "data": "{}"}
                while True:
                    yield {"event": "room", "data": await queue.get()}
            finally:
                followers.discard(queue)

        return EventSourceResponse(stream())

    @app.post("/view", status_code=204)
    async def view(request: Request) -> None:
        text = json.dumps({"view": await request.json()})
        for follower in followers:
            if follower.full():
                follower.get_nowait()
            follower.put_nowait(text)

    return app


def by_socketio() -> Any:
    app, server = FastAPI(), socketio.AsyncServer(async_mode="asgi")

    @app.post("/view", status_code=204)
    async def view(request: Request) -> None:
        await server.emit("room", {"view": await request.json()})

    return socketio.ASGIApp(server, app)


def main() -> None:
    app = {"sse-starlette": by_sse_starlette, "python-socketio": by_socketio}[sys.argv[1]]()
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", http="h11")).run([listener])


if __name__ == "__main__":
    main()
