"""Middleware for every request: security headers, fair shares, and limits on the size and duration of a body."""

from __future__ import annotations

import asyncio
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gru_core.numerals import whole

from ..errors import error_body
from ..settings import Settings
from .memory import trim
from .shares import TOO_MANY, Shares, limit_key


def route_path(scope: Scope) -> str:
    """Return the path of a request without the root path, the prefix at which a proxy may serve the application."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


class SecurityHeaders:
    """Middleware that adds the security headers to every response."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = self.settings.security_headers(route_path(scope), scope["scheme"])
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class FairShares:
    """Middleware that refuses a request if the client's address already has its fair share of requests and streams.

    Behind a proxy this is the only limit for a single visitor, because every connection comes from the proxy.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.shares = app, Shares(settings.max_connections)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        address = limit_key(scope["client"][0]) if scope.get("client") else ""
        if not self.shares.allow(address):
            await refusal(429, "busy", TOO_MANY, {"Retry-After": "5"})(scope, receive, send)
            return
        self.shares.take(address)
        try:
            await self.app(scope, receive, send)
        finally:
            self.shares.give_back(address)


UPLOAD_PATHS = re.compile("/api/models(/[^/]+/(answers|check))?")
"""The paths to which a POST request sends a file, or the answers to questions about a file."""

MOST_ANSWERS = 4 * 2**20
"""The maximum size of the answers about a file, in bytes. The answers can name 100,000 symbols."""

LARGE_FILES = 10
"""The maximum number of bodies with more than `max_body` bytes that are in memory at the same time."""


class BodyLimit:
    """Middleware that reads the whole body of a request, within limits on size and time, before the application starts.

    An uploaded file may be larger than other bodies, and may take more time as long as bytes keep arriving.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings
        self._large = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        settings = self.settings
        post, path = scope["method"] == "POST", route_path(scope)
        if post and settings.no_uploads and UPLOAD_PATHS.fullmatch(path):
            await refusal(403, "read-only", settings.no_uploads)(scope, receive, send)
            return
        limit, seconds, kind = settings.max_body, settings.body_seconds, "request"
        if post and UPLOAD_PATHS.fullmatch(path):
            limit, seconds, kind = settings.max_upload, settings.upload_seconds, "file"
            if path.endswith("/answers"):
                limit, kind = min(limit, MOST_ANSWERS), "request"
        if (whole(Headers(scope=scope).get("content-length", "")) or 0) > limit:
            await _too_large(kind, limit)(scope, receive, send)
            return
        body, more, large = bytearray(), True, False
        try:
            try:
                async with asyncio.timeout(seconds) as timeout:
                    end = timeout.when() or 0.0
                    while more:
                        timeout.reschedule(min(end, asyncio.get_running_loop().time() + settings.body_seconds))
                        message = await receive()
                        if message["type"] == "http.disconnect":
                            return
                        body += message.get("body", b"")
                        more = message.get("more_body", False)
                        if len(body) > limit:
                            await _too_large(kind, limit)(scope, receive, send)
                            return
                        if len(body) > settings.max_body and not large:
                            if self._large == LARGE_FILES:
                                busy = "too many large files are arriving at the moment; try again in a few seconds"
                                await refusal(429, "busy", busy, {"Retry-After": "5"})(scope, receive, send)
                                return
                            large = True
                            self._large += 1
            except TimeoutError:
                await refusal(408, "too-slow", f"the {kind} took too long to arrive; try again")(scope, receive, send)
                return
            await self.app(scope, _replay_body(body, receive), send)
        finally:
            if large:
                self._large -= 1
                trim()  # otherwise glibc would keep 40 MB of the body


def _too_large(kind: str, limit: int) -> JSONResponse:
    size = f"{limit // 2**20} MiB" if limit >= 2**20 else f"{limit // 1024} KiB"
    return refusal(413, "too-large", f"the {kind} is too large: at most {size}")


def refusal(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return an error response that closes the connection, because the request body may not be read completely."""
    return JSONResponse(error_body(code, message), status, {"Connection": "close"} | (headers or {}))


def _replay_body(body: bytearray, receive: Receive) -> Receive:
    """Return a `receive` function that first returns the whole body, and then calls the original `receive`."""
    replayed = False

    async def replay() -> Message:
        nonlocal replayed
        if replayed:
            return await receive()
        replayed = True
        content = bytes(body)
        body.clear()
        return {"type": "http.request", "body": content, "more_body": False}

    return replay
