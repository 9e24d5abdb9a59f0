"""What the processes of one server share when there are several: one of them, the primary, has what lives in memory.

The primary is the process that holds the lock on a file in a folder which only these processes can enter. When it dies,
the system gives the lock to another process, which is the primary from then on. The other processes pass requests about
trainings to the primary, through a socket in the same folder, and requests about rooms when these are not in Redis.

A message on the socket is two lengths, a head in JSON, and a body. The head of a request is its ASGI scope, so the
client's address and all else arrive as the process in front has checked them. Nobody else can write to the socket.
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

from gru_core.checkpoints import Training

from ..errors import FAILED, Refused, error_body
from ..jobs.trainings import kept
from ..settings import Settings
from .budget import Budget
from .middleware import route_path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

POSSIBLE = fcntl is not None
"""Whether several processes can serve together on this system."""

LOG = logging.getLogger("uvicorn.error")

TRIES, PAUSE = 10, 0.1
"""How often, and after how many seconds, a process looks for a primary before it gives up."""

SECONDS = 30
"""For the primary to begin an answer."""

FETCHED = 5
"""Seconds for the primary to send a training."""

AWAY = "the server process for this request does not answer at the moment; try again in a second"

WAITING = 2048
"""Connections that the primary has not accepted yet."""


TRAINING = ("/api/trainings", "/api/labs/parity")
"""Where requests are about what the primary computes."""

ROOMS = ("/api/rooms", "/rooms", "/api/lessons")
"""Paths of requests that need the rooms. A lesson withholds its answers while a class follows it in a room."""

Begin = Callable[[FastAPI], Awaitable[None]]


class Primary:
    """The primary, as one of several processes knows it. `here`: whether it is this process."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.here = False
        self._socket, self._lock = str(folder / "primary"), folder / "lock"
        self._settings, self._kept = settings, kept(settings)
        self._kept.newest = self._newest
        self._paths = TRAINING if settings.redis else TRAINING + ROOMS
        self._server: asyncio.Server | None = None
        self._answering: set[asyncio.Task[None]] = set()
        self._leaving = False
        self.routes: ASGIApp
        """The application without its middleware, which the process in front has run already."""

    def has(self, path: str) -> bool:
        """Whether the primary answers requests for this path."""
        return any(path == one or path.startswith(f"{one}/") for one in self._paths)

    async def join(self, app: FastAPI, begin: Begin) -> None:
        """Become the primary now, or later when that one has died; `begin` is awaited before anything is answered."""
        lock = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            loop = asyncio.get_running_loop()
            Thread(target=self._wait, args=(lock, loop, app, begin), daemon=True, name="primary").start()
        else:
            await self._become(app, begin)

    async def leave(self) -> None:
        """Answer nobody any more. The lock is given up when the process ends."""
        self._leaving = True
        if self._server is not None:
            self._server.close()
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """A connection to the primary, None when this process has become it. Raises OSError when there is none."""
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

    def _wait(self, lock: int, loop: asyncio.AbstractEventLoop, app: FastAPI, begin: Begin) -> None:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(self._take_over, app, begin)

    def _take_over(self, app: FastAPI, begin: Begin) -> None:
        if self._leaving:
            return
        self._taking_over = asyncio.create_task(self._become(app, begin))
        self._taking_over.add_done_callback(_end_if_failed)

    async def _become(self, app: FastAPI, begin: Begin) -> None:
        await begin(app)
        self._app = app
        self._budgeted = Budget(self.routes, self._settings)
        Path(self._socket).unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._answer, self._socket, backlog=WAITING)
        self.here = True

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._answering.add(task)
        try:
            head, body = await _read(reader)
            if "training" in head:
                await self._send_training(head, writer)
            else:
                await self._run(head, body, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the process that asked, or its client, has gone
        finally:
            self._answering.discard(task)
            writer.close()

    async def _run(
        self, head: dict[str, Any], body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        scope: Scope = _scope(head) | {"app": self._app}
        given, started = False, False

        async def receive() -> Message:
            nonlocal given
            if not given:
                given = True
                return {"type": "http.request", "body": body, "more_body": False}
            await reader.read(1)  # nothing more is sent: this ends when the other side closes
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
            writer.write(_packed(answer, message.get("body", b"")))
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
        """Send the training of an id, or no body when there is none or when the other side has as much of it."""
        body, live = b"", self._app.state.trainings.get(head["training"])
        with suppress(Refused):
            training = self._kept.get(head["training"])
            if head["have"] != _extent(training):
                # A copy: a training that is running grows meanwhile.
                body = await run_in_threadpool(replace(training, checkpoints=[*training.checkpoints]).to_bytes)
        writer.write(_packed({"over": live is None or live.over}, body))
        await writer.drain()

    def _newest(self, id: str, mine: Training | None) -> Training | None:
        """The training of that id as the primary has it; `mine`, as this process has it, when that is all there is.

        To be called in a worker thread, since it waits. Raises Refused when there is no primary and none of mine.
        """
        if self.here:
            return mine
        try:
            with socket.socket(socket.AF_UNIX) as line, line.makefile("rb") as answer:
                line.settimeout(FETCHED)
                line.connect(self._socket)
                line.sendall(_packed({"training": id, "have": mine and _extent(mine)}))
                over, body = _read_now(answer)
        except (OSError, EOFError) as error:
            if mine is None:
                raise Refused(503, "starting", AWAY, retry_after=1) from error
            return mine
        if not body:
            return mine
        training = Training.from_bytes(body)
        if over["over"]:
            self._kept.put(id, training)
        return training


def _end_if_failed(task: asyncio.Task[None]) -> None:
    """End this process, so that it is replaced, when it has the lock and cannot be the primary."""
    if not task.cancelled() and (error := task.exception()) is not None:
        LOG.error("this process cannot take over from the primary process", exc_info=error)
        os.kill(os.getpid(), signal.SIGTERM)


class ToPrimary:
    """Passes to the primary the requests that only that one can answer. It is the innermost middleware."""

    def __init__(self, app: ASGIApp, primary: Primary) -> None:
        self.app, self.primary = app, primary
        primary.routes = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        primary = self.primary
        if scope["type"] != "http" or primary.here or not primary.has(route_path(scope)):
            await self.app(scope, receive, send)
            return
        try:
            connection = await primary.connect()
        except OSError:
            await _away(scope, receive, send)
            return
        if connection is None:
            await self.app(scope, receive, send)
            return
        reader, writer = connection
        request = await receive()  # all of it: BodyLimit has taken it in
        leaving = asyncio.create_task(_close_when_gone(receive, writer))
        try:
            writer.write(_packed(_head(scope), request.get("body", b"")))
            await _pass_on(reader, scope, receive, send, leaving)
        finally:
            leaving.cancel()
            writer.close()


async def _pass_on(
    reader: asyncio.StreamReader, scope: Scope, receive: Receive, send: Send, leaving: asyncio.Task[None]
) -> None:
    """Send the client what the primary answers, as it comes."""
    try:
        async with asyncio.timeout(SECONDS):
            start, _ = await _read(reader)
    except (OSError, asyncio.IncompleteReadError):  # a TimeoutError is an OSError
        if not leaving.done():
            await _away(scope, receive, send)
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
                return  # the server closes the connection, and the client sees that something is missing
            head, body = {"more": False}, b""  # a stream: whoever follows it connects again
        more = head["more"]
        await send({"type": "http.response.body", "body": body, "more_body": more})


async def _close_when_gone(receive: Receive, writer: asyncio.StreamWriter) -> None:
    """Let the primary know when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    writer.close()


async def _away(scope: Scope, receive: Receive, send: Send) -> None:
    await JSONResponse(error_body("starting", AWAY), 503, {"Retry-After": "1"})(scope, receive, send)


def _extent(training: Training) -> list[Any]:
    """What tells how much of a training there is."""
    return [len(training.checkpoints), training.end]


# Messages

_LENGTHS = struct.Struct(">II")

_PLAIN = ("type", "asgi", "http_version", "method", "scheme", "path", "root_path", "client", "server")
_ENCODED = ("raw_path", "query_string")


def _packed(head: Mapping[str, Any], body: bytes = b"") -> bytes:
    text = orjson.dumps(head)
    return _LENGTHS.pack(len(text), len(body)) + text + body


async def _read(reader: asyncio.StreamReader) -> tuple[dict[str, Any], bytes]:
    """The head and the body of the next message. Raises IncompleteReadError when the connection ends before that."""
    head, body = _LENGTHS.unpack(await reader.readexactly(_LENGTHS.size))
    return orjson.loads(await reader.readexactly(head)), await reader.readexactly(body)


def _read_now(file: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """The same, for a thread. Raises EOFError."""
    lengths = file.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        raise EOFError
    head, body = _LENGTHS.unpack(lengths)
    content = file.read(head + body)
    if len(content) < head + body:
        raise EOFError
    return orjson.loads(content[:head]), content[head:]


def _head(scope: Scope) -> dict[str, Any]:
    """A scope as JSON can have it."""
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
