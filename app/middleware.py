"""What holds for every request: the headers of the answer, and how large and slow a body may be."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import error_body
from app.settings import Settings


class SecurityHeaders:
    """Puts the settings' headers on every answer that passes."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.headers = app, settings.security_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self.headers)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class BodyLimit:
    """Takes a whole body in, counted as it arrives, before anything looks at it."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.settings.max_body
        too_large = error_body("too-large", f"the request is too large: at most {limit // 1024} KiB")
        said = Headers(scope=scope).get("content-length", "0")
        if said.isdigit() and int(said) > limit:
            await JSONResponse(too_large, 413, {"Connection": "close"})(scope, receive, send)
            return
        body, more = bytearray(), True
        try:
            async with asyncio.timeout(self.settings.body_seconds):
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > limit:
                        await JSONResponse(too_large, 413, {"Connection": "close"})(scope, receive, send)
                        return
        except TimeoutError:
            too_slow = error_body("too-slow", "the request took too long to arrive")
            await JSONResponse(too_slow, 408, {"Connection": "close"})(scope, receive, send)
            return

        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        await self.app(scope, replay, send)
