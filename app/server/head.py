"""HEAD requests: the headers of the response to GET, without its body."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Head:
    """Middleware that answers a HEAD request with the headers of the response to GET at the same address.

    It cancels the application as soon as the headers are sent, because an event stream would never end.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        answered = asyncio.Event()

        async def send_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                answered.set()
            else:
                await asyncio.Event().wait()  # the application waits here until it is cancelled

        async def answer_get() -> None:
            await self.app(scope, receive, send_headers)

        scope["method"] = "GET"
        request = asyncio.create_task(answer_get())
        answer = asyncio.create_task(answered.wait())
        try:
            await asyncio.wait([request, answer], return_when=asyncio.FIRST_COMPLETED)
            if request.done():
                request.result()  # raises an error of the application
        finally:
            request.cancel()
            answer.cancel()
            await asyncio.gather(request, answer, return_exceptions=True)
            scope["method"] = "HEAD"  # the log reports it
