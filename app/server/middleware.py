"""What holds for every request: the headers of the answer, and how large and slow a body may be."""

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
from .shares import TOO_MANY, Shares, counted_as


def route_path(scope: Scope) -> str:
    """The path below the root path that a proxy may have put the application under."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


class SecurityHeaders:
    """Puts the settings' headers on every answer that passes."""

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
    """Refuses a request of an address that has its share of the requests that are being answered, streams included.

    Behind a proxy this is what holds for an address, since there every connection is the proxy's.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.shares = app, Shares(settings.max_connections)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        address = counted_as(scope["client"][0]) if scope.get("client") else ""
        if not self.shares.allow(address):
            await _refusal(429, "busy", TOO_MANY, {"Retry-After": "5"})(scope, receive, send)
            return
        self.shares.take(address)
        try:
            await self.app(scope, receive, send)
        finally:
            self.shares.give_back(address)


FILE = re.compile("/api/models(/[^/]+/check)?")
"""Where a body is a file."""

BRINGING = re.compile("/api/models(/[^/]+/(answers|check))?")

LARGE_FILES = 10
"""How many files that are larger than other bodies may be held in memory at once."""


class BodyLimit:
    """Takes a whole body in, counted as it arrives, before anything looks at it.

    Where models can be brought a file may be larger, and take longer for as long as it keeps coming.
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
        if post and settings.no_uploads and BRINGING.fullmatch(path):
            await _refusal(403, "read-only", settings.no_uploads)(scope, receive, send)
            return
        limit, seconds, what = settings.max_body, settings.body_seconds, "request"
        if post and FILE.fullmatch(path):
            limit, seconds, what = settings.max_upload, settings.upload_seconds, "file"
        if (whole(Headers(scope=scope).get("content-length", "")) or 0) > limit:
            await _too_large(what, limit)(scope, receive, send)
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
                            await _too_large(what, limit)(scope, receive, send)
                            return
                        if len(body) > settings.max_body and not large:
                            if self._large == LARGE_FILES:
                                busy = "too many large files are arriving at the moment; try again in a few seconds"
                                await _refusal(429, "busy", busy, {"Retry-After": "5"})(scope, receive, send)
                                return
                            large = True
                            self._large += 1
            except TimeoutError:
                await _refusal(408, "too-slow", f"the {what} took too long to arrive; try again")(scope, receive, send)
                return
            await self.app(scope, _replayed(body, receive), send)
        finally:
            if large:
                self._large -= 1
                trim()  # glibc would keep 40 MB of it in reserve


def _too_large(what: str, limit: int) -> JSONResponse:
    size = f"{limit // 2**20} MiB" if limit >= 2**20 else f"{limit // 1024} KiB"
    return _refusal(413, "too-large", f"the {what} is too large: at most {size}")


def _refusal(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """An answer to a request whose body may not have been read to its end."""
    return JSONResponse(error_body(code, message), status, {"Connection": "close"} | (headers or {}))


def _replayed(body: bytearray, receive: Receive) -> Receive:
    """What gives the whole body at once, and then what else there is to receive."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        whole = bytes(body)
        body.clear()
        return {"type": "http.request", "body": whole, "more_body": False}

    return replay
