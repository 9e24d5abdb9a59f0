"""The primary worker. If several worker processes serve together, only one of them, the primary, runs the trainings.

The primary also has the rooms, unless they are in Redis.

The primary is the process that holds the lock on a file. The file is in a folder that only these processes can open.
When the primary dies, the system gives the lock to another process, which then becomes the primary. The other processes
forward requests about trainings and rooms to the primary, through a socket in the same folder.

A message on the socket consists of two lengths, a head in JSON, and a body. The head of a request is its ASGI scope, so
the primary gets the client's address and everything else that the other process has already checked. Nobody else can
write to the socket.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any, BinaryIO

import orjson
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gru_core.training.checkpoints import Training

from ..errors import FAILED, Refused, error_body
from ..jobs.cache import training_cache
from ..settings import Settings
from .budget import Budget
from .middleware import route_path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

POSSIBLE = fcntl is not None
"""Whether this system supports several worker processes."""

LOG = logging.getLogger("uvicorn.error")

TRIES, PAUSE = 10, 0.1
"""The number of times that a process tries to connect to the primary, and the seconds between two tries."""

RESPONSE_SECONDS = 30
"""The timeout for the start of the primary's response, in seconds."""

FETCH_SECONDS = 5
"""The timeout for fetching a training from the primary, in seconds."""

UNAVAILABLE = "the server process for this request does not answer at the moment; try again in a second"

BACKLOG = 2048
"""The maximum number of connections that wait for the primary to accept them."""


TRAINING_PATHS = ("/api/trainings", "/api/experiments/sequence")
"""The paths of requests about trainings. Only the primary trains."""

ROOM_PATHS = ("/api/rooms", "/rooms", "/api/lessons")
"""The paths of requests about rooms. They include lessons, because a room withholds the answers of its lesson."""

Startup = Callable[[FastAPI], Awaitable[None]]


class Primary:
    """A worker process's view of the primary. `here` is true if this process is the primary."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.here = False
        self._socket, self._lock = str(folder / "primary"), folder / "lock"
        self._settings, self._cache = settings, training_cache(settings)
        self._cache.newest = self._fetch_newest
        self._paths = TRAINING_PATHS if settings.redis else TRAINING_PATHS + ROOM_PATHS
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaving = False
        self.routes: ASGIApp
        """The application without its middleware, which the forwarding process has already run."""

    def serves(self, path: str) -> bool:
        """Return whether the primary answers requests for this path."""
        return any(path == prefix or path.startswith(f"{prefix}/") for prefix in self._paths)

    async def join(self, app: FastAPI, startup: Startup) -> None:
        """Become the primary now, or when the current primary dies. Await `startup` before the first request."""
        lock = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            loop = asyncio.get_running_loop()
            Thread(target=self._wait, args=(lock, loop, app, startup), daemon=True, name="primary").start()
        else:
            await self._become(app, startup)

    async def leave(self) -> None:
        """Stop answering the other processes. The system releases the lock when this process ends."""
        self._leaving = True
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """Return a connection to the primary, or None if this process is the primary.

        Raises OSError if no primary can be reached.
        """
        for left in reversed(range(TRIES)):
            if self.here:
                return None
            try:
                return await asyncio.open_unix_connection(self._socket)
            except OSError:
                if not left:
                    raise
            await asyncio.sleep(PAUSE)
        raise AssertionError

    def _wait(self, lock: int, loop: asyncio.AbstractEventLoop, app: FastAPI, startup: Startup) -> None:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with suppress(RuntimeError):  # the loop has already ended
            loop.call_soon_threadsafe(self._take_over, app, startup)

    def _take_over(self, app: FastAPI, startup: Startup) -> None:
        if self._leaving:
            return
        self._taking_over = asyncio.create_task(self._become(app, startup))
        self._taking_over.add_done_callback(_end_if_failed)

    async def _become(self, app: FastAPI, startup: Startup) -> None:
        await startup(app)
        self._app = app
        self._budgeted = Budget(self.routes, self._settings)
        Path(self._socket).unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._handle, self._socket, backlog=BACKLOG)
        self.here = True

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            head, body = await _read(reader)
            if "training" in head:
                await self._send_training(head, writer)
            else:
                await self._run(head, body, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the other process, or its client, has disconnected
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _run(
        self, head: dict[str, Any], body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        scope: Scope = _scope(head) | {"app": self._app}
        received, started = False, False

        async def receive() -> Message:
            nonlocal received
            if not received:
                received = True
                return {"type": "http.request", "body": body, "more_body": False}
            await reader.read(1)  # the other side sends nothing more, so this returns when it closes
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            nonlocal started
            answer: dict[str, Any]
            if message["type"] == "http.response.start":
                started = True
                route = getattr(scope.get("route"), "path", "-")
                answer = {"status": message["status"], "headers": _text(message["headers"]), "route": route}
            else:
                answer = {"more": message.get("more_body", False)}
            writer.write(_pack(answer, message.get("body", b"")))
            await writer.drain()

        try:
            await self._budgeted(scope, receive, send)
        except OSError:
            raise
        except Exception:
            LOG.exception("Exception in ASGI application\n")
            if not started:
                await JSONResponse(error_body("server", FAILED), 500)(scope, receive, send)

    async def _send_training(self, head: Mapping[str, Any], writer: asyncio.StreamWriter) -> None:
        """Send the requested training. If there is none, or if the other process is up to date, send an empty body."""
        body, live = b"", self._app.state.trainings.get(head["training"])
        with suppress(Refused):
            training = self._cache.get(head["training"])
            if head["have"] != _extent(training):
                # Copy the list, because a running training adds checkpoints meanwhile.
                body = await run_in_threadpool(replace(training, checkpoints=[*training.checkpoints]).to_bytes)
        writer.write(_pack({"over": live is None or live.over}, body))
        await writer.drain()

    def _fetch_newest(self, id: str, own: Training | None) -> Training | None:
        """Return the newest copy of a training: this process's copy `own` if it is up to date, else the primary's.

        If no primary answers, return `own`, or raise Refused if `own` is None. Call this in a worker thread, because it
        blocks.
        """
        if self.here:
            return own
        try:
            with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rb") as reply:
                connection.settimeout(FETCH_SECONDS)
                connection.connect(self._socket)
                connection.sendall(_pack({"training": id, "have": own and _extent(own)}))
                head, body = _read_blocking(reply)
        except (OSError, EOFError) as error:
            if own is None:
                raise Refused(503, "starting", UNAVAILABLE, retry_after=1) from error
            return own
        if not body:
            return own
        training = Training.from_bytes(body)
        if head["over"]:
            self._cache.put(id, training)
        return training


def _end_if_failed(task: asyncio.Task[None]) -> None:
    """End this process if it has the lock but cannot become the primary. A new process then replaces it."""
    if not task.cancelled() and (error := task.exception()) is not None:
        LOG.error("this process cannot take over from the primary process", exc_info=error)
        os.kill(os.getpid(), signal.SIGTERM)


class ForwardToPrimary:
    """The innermost middleware. It forwards requests that only the primary can answer."""

    def __init__(self, app: ASGIApp, primary: Primary) -> None:
        self.app, self.primary = app, primary
        primary.routes = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        primary = self.primary
        if scope["type"] != "http" or primary.here or not primary.serves(route_path(scope)):
            await self.app(scope, receive, send)
            return
        try:
            connection = await primary.connect()
        except OSError:
            await _send_unavailable(scope, receive, send)
            return
        if connection is None:
            await self.app(scope, receive, send)
            return
        reader, writer = connection
        request = await receive()  # the whole body, because BodyLimit has read it
        leaving = asyncio.create_task(_close_when_gone(receive, writer))
        try:
            writer.write(_pack(_head(scope), request.get("body", b"")))
            await _forward_response(reader, scope, receive, send, leaving)
        finally:
            leaving.cancel()
            writer.close()


async def _forward_response(
    reader: asyncio.StreamReader, scope: Scope, receive: Receive, send: Send, leaving: asyncio.Task[None]
) -> None:
    """Send the response of the primary to the client, piece by piece."""
    try:
        async with asyncio.timeout(RESPONSE_SECONDS):
            start, _ = await _read(reader)
    except (OSError, asyncio.IncompleteReadError):  # a TimeoutError is an OSError
        if not leaving.done():
            await _send_unavailable(scope, receive, send)
        return
    scope["route"] = SimpleNamespace(path=start["route"])  # for the log
    headers = _bytes(start["headers"])
    await send({"type": "http.response.start", "status": start["status"], "headers": headers})
    more = True
    while more:
        try:
            head, body = await _read(reader)
        except (OSError, asyncio.IncompleteReadError):
            if leaving.done() or b"content-length" in dict(headers):
                return  # the server closes the connection, so the client sees that the response is incomplete
            head, body = {"more": False}, b""  # the response is a stream, so the client connects again
        more = head["more"]
        await send({"type": "http.response.body", "body": body, "more_body": more})


async def _close_when_gone(receive: Receive, writer: asyncio.StreamWriter) -> None:
    """Close the connection to the primary when the client disconnects. The primary then stops its work too."""
    while (await receive())["type"] != "http.disconnect":
        pass
    writer.close()


async def _send_unavailable(scope: Scope, receive: Receive, send: Send) -> None:
    await JSONResponse(error_body("starting", UNAVAILABLE), 503, {"Retry-After": "1"})(scope, receive, send)


def _extent(training: Training) -> list[Any]:
    """Return the number of checkpoints of a training and why it ended, to compare two copies of the training."""
    return [len(training.checkpoints), training.end]


# Messages

_LENGTHS = struct.Struct(">II")

_PLAIN = ("type", "asgi", "http_version", "method", "scheme", "path", "root_path", "client", "server")
_ENCODED = ("raw_path", "query_string")


def _pack(head: Mapping[str, Any], body: bytes = b"") -> bytes:
    text = orjson.dumps(head)
    return _LENGTHS.pack(len(text), len(body)) + text + body


async def _read(reader: asyncio.StreamReader) -> tuple[dict[str, Any], bytes]:
    """Return the head and the body of the next message. Raises IncompleteReadError if the connection ends first."""
    head, body = _LENGTHS.unpack(await reader.readexactly(_LENGTHS.size))
    return orjson.loads(await reader.readexactly(head)), await reader.readexactly(body)


def _read_blocking(file: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """Return the next message as `_read` does, but block. Raises EOFError if the connection ends first."""
    lengths = file.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        raise EOFError
    head, body = _LENGTHS.unpack(lengths)
    content = file.read(head + body)
    if len(content) < head + body:
        raise EOFError
    return orjson.loads(content[:head]), content[head:]


def _head(scope: Scope) -> dict[str, Any]:
    """Return an ASGI scope as the head of a message."""
    encoded = {name: scope[name].decode("latin-1") for name in _ENCODED}
    return {name: scope[name] for name in _PLAIN} | encoded | {"headers": _text(scope["headers"])}


def _scope(head: Mapping[str, Any]) -> dict[str, Any]:
    encoded = {name: head[name].encode("latin-1") for name in _ENCODED}
    pairs = {name: head[name] and tuple(head[name]) for name in ("client", "server")}
    return {**head, **encoded, **pairs, "headers": _bytes(head["headers"])}


def _text(headers: Any) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _bytes(headers: Any) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
