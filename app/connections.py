"""What holds for every connection of `gruscope serve`, before there is a request: how many, and how slow."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
import orjson
from uvicorn.protocols.http.h11_impl import H11Protocol

from .errors import error_body
from .settings import Settings


def protocol(settings: Settings) -> type[asyncio.Protocol]:
    """uvicorn's protocol, with at most `max_connections` at once and `body_seconds` for a request's head to arrive."""

    class Bounded(H11Protocol):
        deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > settings.max_connections:
                self._refuse(503, "busy", "too many are connected at the moment; try again in a few seconds")
                return
            self._wait_for_head()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.conn.their_state is not h11.IDLE:  # the head is whole, or will never be
                self._stop_waiting()
            elif not self.transport.is_closing():
                self._wait_for_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            super().connection_lost(exc)

        def _wait_for_head(self) -> None:
            if self.deadline is None:
                self.deadline = self.loop.call_later(settings.body_seconds, self._too_slow)

        def _stop_waiting(self) -> None:
            if self.deadline is not None:
                self.deadline.cancel()
                self.deadline = None

        def _too_slow(self) -> None:
            self.deadline = None
            if not self.transport.is_closing():
                self._refuse(408, "too-slow", "the request took too long to arrive")

        def _refuse(self, status: int, code: str, message: str) -> None:
            body = orjson.dumps(error_body(code, message))
            headers = [
                ("content-type", "application/json"), ("content-length", str(len(body))), ("connection", "close"),
                *([("retry-after", "5")] if status == 503 else []),
            ]  # fmt: skip
            parts = (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage())
            self.transport.write(b"".join(self.conn.send(part) or b"" for part in parts))
            self.transport.close()

    return Bounded
