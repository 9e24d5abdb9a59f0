"""The request log, which contains no text from visitors, and the metrics of the same requests."""

from __future__ import annotations

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .metrics import Metrics

LOG = logging.getLogger("gruscope.requests")

METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE")
"""The methods that the log names. Any other method is text from the visitor, and the log shows "-" for it."""


class Log:
    """Middleware that logs each response: method, route, status, milliseconds until it starts, and bytes."""

    def __init__(self, app: ASGIApp, metrics: Metrics | None) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status, seconds, sent = time.perf_counter(), 0, 0.0, 0

        async def count_and_send(message: Message) -> None:
            nonlocal status, seconds, sent
            if message["type"] == "http.response.start":
                status, seconds = message["status"], time.perf_counter() - started
            sent += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, count_and_send)
        except Exception:
            status = status or 500  # the response is created outside of all middleware
            raise
        finally:
            # Log the declared route, such as /api/models/{id}, because the path itself is text from the visitor.
            route = getattr(scope.get("route"), "path", "-")
            method = scope["method"] if scope["method"] in METHODS else "-"
            LOG.info("%s %s %d %.0f ms %d bytes", method, route, status, 1000 * seconds, sent)
            if self.metrics is not None:
                self.metrics.observe(method, route, status, seconds)
