"""A line in the log for each request, with nothing in it that a visitor wrote, and the same as metrics."""

from __future__ import annotations

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .metrics import Metrics

LOG = logging.getLogger("gruscope.requests")

METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE")
"""Those that are told: any other word is the visitor's."""


class Log:
    """Says method, route, status, milliseconds until the answer began, and bytes sent, when an answer has ended."""

    def __init__(self, app: ASGIApp, metrics: Metrics | None) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status, seconds, sent = time.perf_counter(), 0, 0.0, 0

        async def counted(message: Message) -> None:
            nonlocal status, seconds, sent
            if message["type"] == "http.response.start":
                status, seconds = message["status"], time.perf_counter() - begun
            sent += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, counted)
        except Exception:
            status = status or 500  # the answer is made outside of all middleware
            raise
        finally:
            # The route as it is declared, such as /api/models/{id}: the path itself is the visitor's.
            route = getattr(scope.get("route"), "path", "-")
            method = scope["method"] if scope["method"] in METHODS else "-"
            LOG.info("%s %s %d %.0f ms %d bytes", method, route, status, 1000 * seconds, sent)
            if self.metrics is not None:
                self.metrics.answered(method, route, status, seconds)
