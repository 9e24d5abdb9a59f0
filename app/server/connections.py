"""What holds for every connection of `gruscope serve`, before there is a request: how many, of whom, and how slow."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from ..errors import Refused, error_body
from ..settings import Settings
from .shares import TOO_MANY, Shares, counted_as

LONGEST_HEAD = 2**14
"""Bytes of a request's head that may arrive before the head is complete."""

MOST_PIPELINED = 8
"""The most requests that a connection may send before the first one is answered."""


class Connection(HttpToolsProtocol):
    """A connection that waits for a request, or has one that is being answered; `address` is None without a place."""

    address: str | None = None

    @property
    def answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def give_way(self) -> None:
        """Close a connection that waits for a request. HTTP clients expect this at any time and connect again."""
        self.transport.close()


class Places:
    """The places of a server's connections; those that wait are in order, the longest waiting first."""

    def __init__(self, most: int) -> None:
        self.shares = Shares(most)
        self.waiting: dict[str, dict[Connection, None]] = {}

    def enter(self, connection: Connection, address: str, proxy: bool) -> None:
        """Give a newcomer a free place, or the place of a connection that waits. Raises Refused when there is none.

        A trusted proxy has no share of its own: its requests are counted by the visitors' addresses.
        """
        if not (self.shares.free if proxy else self.shares.allow(address)):
            self._make_room(address)
        self.shares.take(address)
        connection.address = address

    def rest(self, connection: Connection) -> None:
        """Note that a connection waits for a request from now on."""
        if connection.address is not None and not connection.answering:
            self.waiting.setdefault(connection.address, {})[connection] = None

    def work(self, connection: Connection) -> None:
        """Note that a connection has a request, and does not give way until that is answered."""
        if connection.address is None:
            return
        waiting = self.waiting.get(connection.address, {})
        waiting.pop(connection, None)
        if not waiting:
            self.waiting.pop(connection.address, None)

    def leave(self, connection: Connection) -> None:
        """Free the place of a connection, if it has one."""
        self.work(connection)
        if connection.address is not None:
            self.shares.give_back(connection.address)
            connection.address = None

    def _make_room(self, newcomer: str) -> None:
        held = self.shares.held
        # Nobody gives way to an address that holds more than they do.
        others = (address for address in self.waiting if address == newcomer or held[address] > held[newcomer])
        for address in sorted(others, key=lambda address: -held[address]):
            for connection in self.waiting[address]:
                if connection.transport.get_write_buffer_size() == 0:  # the last answer is sent to its end
                    self.leave(connection)
                    connection.give_way()
                    return
        if self.shares.free:
            raise Refused(429, "busy", TOO_MANY, retry_after=5)
        message = "all connections of this server are in use; try again in a few seconds"
        raise Refused(503, "busy", message, retry_after=5)


def protocol(settings: Settings) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol, with at most `max_connections` at once and a deadline for a request's head.

    Each address gets a fair share of the connections; the head has `body_seconds` to arrive.
    """
    places = Places(settings.max_connections)

    class Bounded(Connection):
        deadline: asyncio.TimerHandle | None = None
        refused = False
        in_head, head = True, 0

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            host = self.client[0] if self.client else ""
            app = self.config.loaded_app
            try:
                proxy = isinstance(app, ProxyHeadersMiddleware) and host in app.trusted_hosts
                places.enter(self, counted_as(host), proxy)
            except Refused as refused:
                self._refuse(refused)
                return
            self._wait_for_head()
            # Not at once: many may have connected together, and what they have sent is read after that.
            self.loop.call_later(0, places.rest, self)

        def data_received(self, data: bytes) -> None:
            if self.refused:
                return
            super().data_received(data)
            if self.answering:
                places.work(self)
            if not self.in_head:
                self._stop_waiting()
            elif not self.transport.is_closing():
                self._wait_for_head()
                self.head += len(data)
                if self.head > LONGEST_HEAD:
                    self._refuse(Refused(431, "too-large", "the request's headers are too large"))

        def on_message_begin(self) -> None:
            if len(self.pipeline) == MOST_PIPELINED:
                raise ValueError("too many requests at once")  # uvicorn answers with status 400 and closes
            super().on_message_begin()
            self.in_head, self.head = True, 0

        def on_headers_complete(self) -> None:
            super().on_headers_complete()
            self.in_head = False

        def on_response_complete(self) -> None:
            super().on_response_complete()  # may begin with the next request
            places.rest(self)

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            places.leave(self)
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
                self._refuse(Refused(408, "too-slow", "the request took too long to arrive; try again"))

        def _refuse(self, refused: Refused) -> None:
            body = orjson.dumps(error_body(refused.code, refused.message))
            headers = {
                "content-type": "application/json", "content-length": str(len(body)), "connection": "close",
                **refused.headers,
            }  # fmt: skip
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            self.transport.write(STATUS_LINE[refused.status] + lines.encode() + b"\r\n" + body)
            self.refused = True
            # Not at once: closed with something unread in it, the connection would be reset and the answer lost.
            self.loop.call_later(0, self.transport.close)

    return Bounded
