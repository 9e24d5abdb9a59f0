"""Connections without a complete request: time limits, shares per address, and which ones the server closes first."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st

from app.main import create_app
from app.server.connections import LONGEST_HEAD, MOST_PIPELINED, protocol
from app.server.shares import Shares, limit_key
from app.settings import Settings

if sys.platform != "win32":
    import resource

    # Both ends of every connection are in this process, which needs many file descriptors.
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)

needs_addresses = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")

Address = tuple[str, int]


@contextmanager
def serving(settings: Settings, proxies: str | None = None) -> Iterator[Address]:
    """Run a server in this process and yield its address."""
    started = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started.set()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            app.state.rooms.leave()
            await super().shutdown(sockets)

    app = create_app(settings)
    config = uvicorn.Config(
        app,
        http=protocol(settings),
        ws="none",
        log_level="critical",
        proxy_headers=proxies is not None,
        forwarded_allow_ips=proxies,
        timeout_graceful_shutdown=1,
    )
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        server = Server(config)
        thread = threading.Thread(target=server.run, args=[[listener]])
        thread.start()
        started.wait()
        try:
            yield listener.getsockname()
        finally:
            server.should_exit = True
            thread.join()


CROWD, VISITOR = "127.0.0.2", "127.0.0.3"
LAB: dict[str, str | int] = {"page": "", "link": "?model=flip-flop"}
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
HALF_REQUEST = REQUEST[:30]


class Visitors:
    """Visitors of a server, who connect from any loopback address of this machine."""

    def __init__(self, server: Address, stack: ExitStack) -> None:
        self.server, self.stack = server, stack

    def connect(self, address: str, data: bytes = b"") -> socket.socket:
        visitor = socket.create_connection(self.server, timeout=20, source_address=(address, 0))
        self.stack.enter_context(visitor)
        visitor.sendall(data)
        return visitor

    def status_for(self, address: str) -> bytes:
        """Send a complete request from `address` and return the status of the response."""
        return status(self.connect(address, REQUEST))

    def open_room(self, view: dict[str, str | int] = LAB) -> str:
        """Open a room and return its code."""
        body = json.dumps({"view": view}).encode()
        visitor = self.connect("127.0.0.1", post_head("/api/rooms", body) + body)
        return str(json.loads(read_all(visitor).partition(b"\r\n\r\n")[2])["code"])


@contextmanager
def visiting(settings: Settings, proxies: str | None = None) -> Iterator[Visitors]:
    """Run a server and yield a `Visitors` object that connects to the server."""
    with ExitStack() as stack:
        server = stack.enter_context(serving(settings, proxies))
        yield Visitors(server, stack)


def post_head(path: str, body: bytes) -> bytes:
    """Return the head of a POST request that makes the server close the connection after its response."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()


def follow_request(code: str, headers: str = "") -> bytes:
    """Return an HTTP request for the event stream of a room."""
    return f"GET /api/rooms/{code}/events HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode()


def status(visitor: socket.socket) -> bytes:
    """Read a response with a JSON object as its body and return the status."""
    response = b""
    while not response.endswith(b"}"):
        piece = visitor.recv(65536)
        assert piece
        response += piece
    return response.split()[1]


def first_status(visitor: socket.socket) -> bytes:
    """Return the status of a response that may never end."""
    return visitor.recv(65536).split()[1]


def read_all(visitor: socket.socket) -> bytes:
    """Return all bytes that the server sends until it closes the connection."""
    return b"".join(iter(lambda: visitor.recv(65536), b""))


def farewell(visitor: socket.socket) -> tuple[bytes, str]:
    """Read an error response until the server closes the connection. Return the status and the error code."""
    response = read_all(visitor)
    return response.split()[1], json.loads(response.partition(b"\r\n\r\n")[2])["error"]["code"]


def is_open(visitor: socket.socket) -> bool:
    """Return whether the server still keeps the connection open."""
    visitor.setblocking(False)
    try:
        while visitor.recv(65536):
            pass
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False
    finally:
        visitor.settimeout(20)
    return False


def test_a_connection_with_an_incomplete_head_is_closed_after_the_time_limit() -> None:
    with visiting(Settings(body_seconds=1)) as visitors:
        half, silent, good = (visitors.connect("127.0.0.1", data) for data in (HALF_REQUEST, b"", REQUEST))
        assert status(good) == b"200"
        assert farewell(half) == farewell(silent) == (b"408", "too-slow")
        good.sendall(REQUEST)  # the connection stayed open after the time limit
        assert status(good) == b"200"
        good.sendall(HALF_REQUEST)
        assert farewell(good) == (b"408", "too-slow")


def test_a_head_above_the_size_limit_gets_status_431() -> None:
    with visiting(Settings()) as visitors:
        visitor = visitors.connect("127.0.0.1", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * LONGEST_HEAD)
        assert farewell(visitor) == (b"431", "too-large")


def test_only_a_limited_number_of_pipelined_requests_is_answered() -> None:
    last = REQUEST.replace(b"Host", b"Connection: close\r\nHost")
    with visiting(Settings()) as visitors:
        few, many = (visitors.connect("127.0.0.1", REQUEST * n + last) for n in (MOST_PIPELINED - 1, 5_000))
        assert read_all(few).count(b"HTTP/1.1 200 ") == MOST_PIPELINED
        with suppress(ConnectionResetError):  # the server does not read the remaining requests
            assert read_all(many).count(b"HTTP/1.1 200 ") <= MOST_PIPELINED
        assert visitors.status_for("127.0.0.1") == b"200"


@pytest.mark.parametrize(
    "head", [b"\r\n" * 9, b"GET", b"GET / HTTP/9.9", b"G\xffT / HTTP/1.1", b"CONNECT a:1 HTTP/1.1",
             b"GET /\x00 HTTP/1.1",
             b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
             b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1", b"GET /%ff%00 HTTP/1.1\r\nHost: localhost",
             b"OPTIONS * HTTP/1.1\r\nHost: localhost", b"GET http://[ HTTP/1.1\r\nHost: localhost"],
)  # fmt: skip
def test_malformed_heads_cause_no_server_error(head: bytes) -> None:
    with visiting(Settings(body_seconds=1)) as visitors:
        response = read_all(visitors.connect("127.0.0.1", head + b"\r\nConnection: close\r\n\r\n"))
        assert not response or response.split()[1][:1] in (b"2", b"3", b"4")
        assert visitors.status_for("127.0.0.1") == b"200"


@needs_addresses
def test_incomplete_requests_from_one_address_take_at_most_half_of_the_connections() -> None:
    with visiting(Settings(max_connections=800)) as visitors:
        crowd = [visitors.connect(CROWD, HALF_REQUEST) for _ in range(850)]
        assert visitors.status_for(VISITOR) == b"200"
        assert sum(is_open(visitor) for visitor in crowd) == 400
        assert visitors.status_for(CROWD) == b"200"
        assert sum(is_open(visitor) for visitor in crowd) == 399  # the server closed one of them


@needs_addresses
def test_streams_of_one_address_take_at_most_half_of_the_connections_and_stay_open() -> None:
    with visiting(Settings(max_connections=800, followers=1_000)) as visitors:
        code = visitors.open_room()
        crowd = [visitors.connect(CROWD, follow_request(code)) for _ in range(850)]
        statuses = [first_status(visitor) for visitor in crowd]
        assert (statuses[:400], set(statuses[400:])) == ([b"200"] * 400, {b"429"})
        assert visitors.status_for(VISITOR) == b"200"
        assert first_status(visitors.connect(VISITOR, follow_request(code))) == b"200"
        assert all(is_open(visitor) for visitor in crowd[:400])


@needs_addresses
def test_a_full_server_closes_the_longest_idle_connection_of_the_busiest_address() -> None:
    body = json.dumps({"model": "flip-flop", "sequence": "A m"}).encode()
    with visiting(Settings(max_connections=8)) as visitors:
        idle, half = visitors.connect(CROWD, REQUEST), visitors.connect(CROWD, HALF_REQUEST)
        in_flight = [visitors.connect(CROWD, post_head("/api/trace", body) + body[:9]) for _ in range(2)]
        assert status(idle) == b"200"
        keep_alive = [visitors.connect(f"127.0.0.{n}") for n in (10, 10, 11, 12)]
        for visitor in keep_alive:
            visitor.sendall(REQUEST)
            assert status(visitor) == b"200"
        assert is_open(half)
        assert is_open(idle)
        # The incomplete request has waited longest: the idle connection has received a response since.
        assert visitors.status_for("127.0.0.13") == b"200"
        assert (is_open(half), is_open(idle)) == (False, True)
        assert visitors.status_for("127.0.0.14") == b"200"
        assert not is_open(idle)
        assert visitors.status_for("127.0.0.15") == b"200"
        assert [is_open(visitor) for visitor in keep_alive] == [False, True, True, True]
        for visitor in in_flight:
            visitor.sendall(body[9:])
            assert read_all(visitor).split()[1] == b"200"


@needs_addresses
def test_a_server_full_of_active_streams_answers_new_connections_with_503() -> None:
    with visiting(Settings(max_connections=3)) as visitors:
        code = visitors.open_room()
        for address in (CROWD, CROWD, VISITOR):
            assert first_status(visitors.connect(address, follow_request(code))) == b"200"
        assert farewell(visitors.connect("127.0.0.4")) == (b"503", "busy")


@needs_addresses
def test_a_class_behind_one_address_joins_while_another_address_uses_its_full_share() -> None:
    """Each browser opens six connections and an event stream, but uses only two of the six. All seven stay open."""
    with visiting(Settings(followers=1_000)) as visitors:
        code = visitors.open_room()
        hostile = [visitors.connect(CROWD, follow_request(code)) for _ in range(1_010)]
        assert [first_status(visitor) for visitor in hostile].count(b"200") == 1_000
        code, start = visitors.open_room(), time.monotonic()
        streams = []
        for _ in range(300):
            *_, page, script = (visitors.connect(VISITOR) for _ in range(6))
            for visitor in (page, script):
                visitor.sendall(REQUEST)
            assert status(page) == status(script) == b"200"
            streams.append(visitors.connect(VISITOR, follow_request(code)))
        assert {first_status(visitor) for visitor in streams} == {b"200"}
        assert time.monotonic() - start < 10
        assert all(is_open(visitor) for visitor in [*hostile[:1_000], *streams])


def test_behind_a_proxy_each_visitor_has_a_share_and_not_the_proxy() -> None:
    with visiting(Settings(max_connections=8), "127.0.0.1") as visitors:
        code = visitors.open_room()

        def follow(address: str) -> bytes:
            return first_status(visitors.connect("127.0.0.1", follow_request(code, f"X-Forwarded-For: {address}\r\n")))

        assert [follow("192.0.2.1") for _ in range(5)] == [b"200"] * 4 + [b"429"]
        assert [follow("192.0.2.2") for _ in range(3)] == [b"200"] * 2 + [b"429"]
        assert follow("2001:db8::1:2") == b"200"
        assert follow("2001:db8::3:4") == b"429"  # in the same /64 network: the same visitor
        assert follow("2001:db8:0:1::1") == b"200"


def test_a_lessons_answers_are_withheld_from_the_ipv6_network_of_a_student() -> None:
    with visiting(Settings(), "127.0.0.1") as visitors:
        code = visitors.open_room({"page": "lessons/reset", "link": "", "step": 2})

        def outline(address: str) -> bytes:
            head = f"GET /api/lessons/reset/outline HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {address}\r\n\r\n"
            return first_status(visitors.connect("127.0.0.1", head.encode()))

        student = visitors.connect("127.0.0.1", follow_request(code, "X-Forwarded-For: 2001:db8::1:2\r\n"))
        assert first_status(student) == b"200"
        assert [outline(address) for address in ("2001:db8::3:4", "2001:db8:0:1::1")] == [b"403", b"200"]


@given(st.integers(1, 3_000))
def test_each_address_may_take_half_of_the_free_places(most: int) -> None:
    shares, free = Shares(most), most
    while free:
        address = str(free)
        while shares.allow(address):
            shares.take(address)
        assert shares.held[address] == (free + 1) // 2
        free -= shares.held[address]
    assert not shares.allow("newcomer")
    for address, count in list(shares.held.items()):
        for _ in range(count):
            shares.give_back(address)
    assert (shares.free, len(shares.held)) == (most, 0)


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:DB8:1:2::9", "2001:db8:1:2::"), ("nobody", ""), ("", ""),
    ],
)  # fmt: skip
def test_limit_key_unifies_the_spellings_of_an_address(host: str, key: str) -> None:
    assert limit_key(host) == key
