"""Limits for connections to `gruscope serve`: their number, each address's share, and the time for a request's head."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from ..errors import Refused, error_body
from ..settings import Settings
from .shares import TOO_MANY, Shares, limit_key

LONGEST_HEAD = 2**14
"""The maximum number of bytes that may arrive before the head of a request is complete."""

MOST_PIPELINED = 8
"""The maximum number of requests that a client may send on one connection before the first response."""


class Connection(HttpToolsProtocol):
    """A client connection, idle or with a request in progress.

    `address` is None unless `Connections` counts the connection.
    """

    address: str | None = None

    @property
    def has_request(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def close_idle(self) -> None:
        """Close an idle connection. HTTP clients expect this at any time and connect again."""
        self.transport.close()


class Connections:
    """The open connections of a server. `idle` maps addresses to their idle connections, the longest idle first."""

    def __init__(self, most: int) -> None:
        self.shares = Shares(most)
        self.idle: dict[str, dict[Connection, None]] = {}

    def add(self, connection: Connection, address: str, proxy: bool) -> None:
        """Add a connection. If there is no place for it, close an idle one. Raises Refused if this is not possible.

        A trusted proxy has no share of its own, because its requests are counted by the visitors' addresses.
        """
        if not (self.shares.free if proxy else self.shares.allow(address)):
            self._close_one_idle(address)
        self.shares.take(address)
        connection.address = address

    def mark_idle(self, connection: Connection) -> None:
        """Mark a connection as idle."""
        if connection.address is not None and not connection.has_request:
            self.idle.setdefault(connection.address, {})[connection] = None

    def mark_busy(self, connection: Connection) -> None:
        """Mark a connection as busy: it has a request in progress and must not be closed."""
        if connection.address is None:
            return
        idle = self.idle.get(connection.address, {})
        idle.pop(connection, None)
        if not idle:
            self.idle.pop(connection.address, None)

    def remove(self, connection: Connection) -> None:
        """Remove a connection, if it was added."""
        self.mark_busy(connection)
        if connection.address is not None:
            self.shares.give_back(connection.address)
            connection.address = None

    def _close_one_idle(self, newcomer: str) -> None:
        held = self.shares.held
        # Close only a connection of the same address, or of an address with more connections.
        others = (address for address in self.idle if address == newcomer or held[address] > held[newcomer])
        for address in sorted(others, key=lambda address: -held[address]):
            for connection in self.idle[address]:
                if connection.transport.get_write_buffer_size() == 0:  # its last response is sent completely
                    self.remove(connection)
                    connection.close_idle()
                    return
        if self.shares.free:
            raise Refused(429, "busy", TOO_MANY, retry_after=5)
        message = "all connections of this server are in use; try again in a few seconds"
        raise Refused(503, "busy", message, retry_after=5)


def protocol(settings: Settings) -> type[asyncio.Protocol]:
    """Return a subclass of uvicorn's HTTP protocol that limits connections.

    It accepts at most `max_connections` connections, with a fair share for each address. The head of a request must
    arrive within `body_seconds`.
    """
    connections = Connections(settings.max_connections)

    class LimitedConnection(Connection):
        deadline: asyncio.TimerHandle | None = None
        refused = False
        in_head, head_bytes = True, 0

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            host = self.client[0] if self.client else ""
            app = self.config.loaded_app
            try:
                proxy = isinstance(app, ProxyHeadersMiddleware) and host in app.trusted_hosts
                connections.add(self, limit_key(host), proxy)
            except Refused as refused:
                self._refuse(refused)
                return
            self._wait_for_head()
            # Deferred: if many clients connect together, the loop accepts all of them before it reads a request.
            self.loop.call_later(0, connections.mark_idle, self)

        def data_received(self, data: bytes) -> None:
            if self.refused:
                return
            super().data_received(data)
            if self.has_request:
                connections.mark_busy(self)
            if not self.in_head:
                self._stop_waiting()
            elif not self.transport.is_closing():
                self._wait_for_head()
                self.head_bytes += len(data)
                if self.head_bytes > LONGEST_HEAD:
                    self._refuse(Refused(431, "too-large", "the request's headers are too large"))

        def on_message_begin(self) -> None:
            if len(self.pipeline) == MOST_PIPELINED:
                raise ValueError("too many requests at once")  # uvicorn answers with status 400 and closes
            super().on_message_begin()
            self.in_head, self.head_bytes = True, 0

        def on_headers_complete(self) -> None:
            super().on_headers_complete()
            self.in_head = False

        def on_response_complete(self) -> None:
            super().on_response_complete()  # may start the next request
            connections.mark_idle(self)

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            connections.remove(self)
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
            # Deferred, because closing with unread data would reset the connection and lose the response.
            self.loop.call_later(0, self.transport.close)

    return LimitedConnection
