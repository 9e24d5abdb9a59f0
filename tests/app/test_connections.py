"""Connections without a whole request: how long they may stand, and how many."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import uvicorn

from app.connections import protocol
from app.main import create_app
from app.settings import Settings


@contextmanager
def serving(settings: Settings) -> Iterator[tuple[str, int]]:
    """The address of a server in this process."""
    up = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            up.set()

    config = uvicorn.Config(create_app(settings), http=protocol(settings), ws="none", log_level="critical")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(config)
        thread = threading.Thread(target=server.run, args=[[listener]])
        thread.start()
        up.wait()
        try:
            yield listener.getsockname()
        finally:
            server.should_exit = True
            thread.join()


ASKED = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def status(visitor: socket.socket) -> bytes:
    """The status of one answer whose body is an object without another in it, or of an error."""
    answer = b""
    while not answer.endswith(b"}"):
        piece = visitor.recv(65536)
        assert piece
        answer += piece
    return answer.split()[1]


def farewell(visitor: socket.socket) -> tuple[bytes, str]:
    """The status and the error's message of all that comes until the server hangs up."""
    answer = b""
    while piece := visitor.recv(65536):
        answer += piece
    return answer.split()[1], json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["message"]


def test_half_a_head_is_hung_up_on_and_a_whole_one_is_not() -> None:
    slow = (b"408", "the request took too long to arrive")
    with serving(Settings(body_seconds=1)) as address, ExitStack() as stack:
        half, silent, good = (stack.enter_context(socket.create_connection(address)) for _ in range(3))
        half.sendall(ASKED[:30])
        good.sendall(ASKED)
        assert status(good) == b"200"
        assert farewell(half) == farewell(silent) == slow
        good.sendall(ASKED)  # it was kept past that deadline
        assert status(good) == b"200"
        good.sendall(ASKED[:30])
        assert farewell(good) == slow


def test_one_connection_too_many_is_told_so() -> None:
    with serving(Settings(max_connections=2)) as address, ExitStack() as stack:
        for _ in range(2):
            visitor = stack.enter_context(socket.create_connection(address))
            visitor.sendall(ASKED)
            assert status(visitor) == b"200"
        third = stack.enter_context(socket.create_connection(address))
        assert farewell(third) == (b"503", "too many are connected at the moment; try again in a few seconds")
