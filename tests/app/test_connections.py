"""Connections without a whole request: how long they may stand, how many, and who gives way to whom."""

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

    # Both ends of all connections are in this process.
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)

needs_addresses = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")

Address = tuple[str, int]


@contextmanager
def serving(settings: Settings, proxies: str | None = None) -> Iterator[Address]:
    """The address of a server in this process."""
    up = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            up.set()

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
        up.wait()
        try:
            yield listener.getsockname()
        finally:
            server.should_exit = True
            thread.join()


CROWD, VISITOR = "127.0.0.2", "127.0.0.3"
LAB: dict[str, str | int] = {"page": "", "link": "?model=flip-flop"}
ASKED = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
HALF = ASKED[:30]


class Visitors:
    """Connections to a server from any of this machine's addresses."""

    def __init__(self, server: Address, stack: ExitStack) -> None:
        self.server, self.stack = server, stack

    def connect(self, address: str, said: bytes = b"") -> socket.socket:
        visitor = socket.create_connection(self.server, timeout=20, source_address=(address, 0))
        self.stack.enter_context(visitor)
        visitor.sendall(said)
        return visitor

    def ask(self, address: str) -> bytes:
        return status(self.connect(address, ASKED))

    def open_room(self, view: dict[str, str | int] = LAB) -> str:
        """Open a room and return its code."""
        body = json.dumps({"view": view}).encode()
        visitor = self.connect("127.0.0.1", posted("/api/rooms", body) + body)
        return str(json.loads(everything(visitor).partition(b"\r\n\r\n")[2])["code"])


@contextmanager
def visiting(settings: Settings, proxies: str | None = None) -> Iterator[Visitors]:
    with ExitStack() as stack:
        server = stack.enter_context(serving(settings, proxies))
        yield Visitors(server, stack)


def posted(path: str, body: bytes) -> bytes:
    """The head of a request; its answer ends the connection."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()


def followed(code: str, headers: str = "") -> bytes:
    return f"GET /api/rooms/{code}/events HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode()


def status(visitor: socket.socket) -> bytes:
    """The status of one answer whose body is an object without another in it, or of an error."""
    answer = b""
    while not answer.endswith(b"}"):
        piece = visitor.recv(65536)
        assert piece
        answer += piece
    return answer.split()[1]


def begun(visitor: socket.socket) -> bytes:
    """The status of an answer that may have no end."""
    return visitor.recv(65536).split()[1]


def everything(visitor: socket.socket) -> bytes:
    return b"".join(iter(lambda: visitor.recv(65536), b""))


def farewell(visitor: socket.socket) -> tuple[bytes, str]:
    """The status and the error's code of all that comes until the server hangs up."""
    answer = everything(visitor)
    return answer.split()[1], json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"]


def is_open(visitor: socket.socket) -> bool:
    """Whether the server has not hung up."""
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


def test_half_a_head_is_hung_up_on_and_a_whole_one_is_not() -> None:
    with visiting(Settings(body_seconds=1)) as visitors:
        half, silent, good = (visitors.connect("127.0.0.1", said) for said in (HALF, b"", ASKED))
        assert status(good) == b"200"
        assert farewell(half) == farewell(silent) == (b"408", "too-slow")
        good.sendall(ASKED)  # it was kept past that deadline
        assert status(good) == b"200"
        good.sendall(HALF)
        assert farewell(good) == (b"408", "too-slow")


def test_a_head_without_end_is_refused() -> None:
    with visiting(Settings()) as visitors:
        visitor = visitors.connect("127.0.0.1", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * LONGEST_HEAD)
        assert farewell(visitor) == (b"431", "too-large")


def test_requests_are_answered_in_their_order_and_too_many_at_once_are_refused() -> None:
    last = ASKED.replace(b"Host", b"Connection: close\r\nHost")
    with visiting(Settings()) as visitors:
        few, many = (visitors.connect("127.0.0.1", ASKED * n + last) for n in (MOST_PIPELINED - 1, 5_000))
        assert everything(few).count(b"HTTP/1.1 200 ") == MOST_PIPELINED
        with suppress(ConnectionResetError):  # the rest of the requests was not read
            assert everything(many).count(b"HTTP/1.1 200 ") <= MOST_PIPELINED
        assert visitors.ask("127.0.0.1") == b"200"


@pytest.mark.parametrize(
    "head", [b"\r\n" * 9, b"GET", b"GET / HTTP/9.9", b"G\xffT / HTTP/1.1", b"CONNECT a:1 HTTP/1.1",
             b"GET /\x00 HTTP/1.1",
             b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
             b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1", b"GET /%ff%00 HTTP/1.1\r\nHost: localhost",
             b"OPTIONS * HTTP/1.1\r\nHost: localhost", b"GET http://[ HTTP/1.1\r\nHost: localhost"],
)  # fmt: skip
def test_odd_heads_are_no_error_of_the_server(head: bytes) -> None:
    with visiting(Settings(body_seconds=1)) as visitors:
        answer = everything(visitors.connect("127.0.0.1", head + b"\r\nConnection: close\r\n\r\n"))
        assert not answer or answer.split()[1][:1] in (b"2", b"3", b"4")
        assert visitors.ask("127.0.0.1") == b"200"


@needs_addresses
def test_half_heads_of_one_address_leave_places_for_others() -> None:
    with visiting(Settings(max_connections=800)) as visitors:
        crowd = [visitors.connect(CROWD, HALF) for _ in range(850)]
        assert visitors.ask(VISITOR) == b"200"
        assert sum(is_open(one) for one in crowd) == 400
        assert visitors.ask(CROWD) == b"200"
        assert sum(is_open(one) for one in crowd) == 399  # one gave way


@needs_addresses
def test_streams_of_one_address_leave_places_for_others_and_are_not_cut() -> None:
    with visiting(Settings(max_connections=800, followers=1_000)) as visitors:
        code = visitors.open_room()
        crowd = [visitors.connect(CROWD, followed(code)) for _ in range(850)]
        told = [begun(one) for one in crowd]
        assert (told[:400], set(told[400:])) == ([b"200"] * 400, {b"429"})
        assert visitors.ask(VISITOR) == b"200"
        assert begun(visitors.connect(VISITOR, followed(code))) == b"200"
        assert all(is_open(one) for one in crowd[:400])


@needs_addresses
def test_a_full_server_closes_what_waits_longest_at_the_address_that_holds_most_and_cuts_no_answer() -> None:
    body = json.dumps({"model": "flip-flop", "sequence": "A x"}).encode()
    with visiting(Settings(max_connections=8)) as visitors:
        idle, half = visitors.connect(CROWD, ASKED), visitors.connect(CROWD, HALF)
        in_flight = [visitors.connect(CROWD, posted("/api/trace", body) + body[:9]) for _ in range(2)]
        assert status(idle) == b"200"
        others = [visitors.connect(f"127.0.0.{n}") for n in (10, 10, 11, 12)]
        for one in others:
            one.sendall(ASKED)
            assert status(one) == b"200"
        assert is_open(half)
        assert is_open(idle)
        # The half head has waited longer than the connection that was answered since.
        assert visitors.ask("127.0.0.13") == b"200"
        assert (is_open(half), is_open(idle)) == (False, True)
        assert visitors.ask("127.0.0.14") == b"200"
        assert not is_open(idle)
        assert visitors.ask("127.0.0.15") == b"200"
        assert [is_open(one) for one in others] == [False, True, True, True]
        for one in in_flight:
            one.sendall(body[9:])
            assert everything(one).split()[1] == b"200"


@needs_addresses
def test_a_server_that_is_full_of_answers_says_so() -> None:
    with visiting(Settings(max_connections=3)) as visitors:
        code = visitors.open_room()
        for address in (CROWD, CROWD, VISITOR):
            assert begun(visitors.connect(address, followed(code))) == b"200"
        assert farewell(visitors.connect("127.0.0.4")) == (b"503", "busy")


@needs_addresses
def test_a_class_behind_one_address_joins_while_another_address_holds_all_it_can() -> None:
    """Each browser opens six connections for a page, uses two of them and keeps them all; its stream stays."""
    with visiting(Settings(followers=1_000)) as visitors:
        code = visitors.open_room()
        hostile = [visitors.connect(CROWD, followed(code)) for _ in range(1_010)]
        assert [begun(one) for one in hostile].count(b"200") == 1_000
        code, since = visitors.open_room(), time.monotonic()
        streams = []
        for _ in range(300):
            *_, page, script = (visitors.connect(VISITOR) for _ in range(6))
            for one in (page, script):
                one.sendall(ASKED)
            assert status(page) == status(script) == b"200"
            streams.append(visitors.connect(VISITOR, followed(code)))
        assert {begun(one) for one in streams} == {b"200"}
        assert time.monotonic() - since < 10
        assert all(is_open(one) for one in [*hostile[:1_000], *streams])


def test_behind_a_proxy_shares_are_those_of_the_visitors() -> None:
    with visiting(Settings(max_connections=8), "127.0.0.1") as visitors:
        code = visitors.open_room()

        def follow(address: str) -> bytes:
            return begun(visitors.connect("127.0.0.1", followed(code, f"X-Forwarded-For: {address}\r\n")))

        assert [follow("192.0.2.1") for _ in range(5)] == [b"200"] * 4 + [b"429"]
        assert [follow("192.0.2.2") for _ in range(3)] == [b"200"] * 2 + [b"429"]
        assert follow("2001:db8::1:2") == b"200"
        assert follow("2001:db8::3:4") == b"429"  # the same visitor
        assert follow("2001:db8:0:1::1") == b"200"


def test_a_lesson_s_answers_are_withheld_from_the_whole_network_of_a_student_with_ipv6() -> None:
    with visiting(Settings(), "127.0.0.1") as visitors:
        code = visitors.open_room({"page": "lessons/reset", "link": "", "step": 2})

        def outline(address: str) -> bytes:
            head = f"GET /api/lessons/reset/outline HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {address}\r\n\r\n"
            return begun(visitors.connect("127.0.0.1", head.encode()))

        student = visitors.connect("127.0.0.1", followed(code, "X-Forwarded-For: 2001:db8::1:2\r\n"))
        assert begun(student) == b"200"
        assert [outline(address) for address in ("2001:db8::3:4", "2001:db8:0:1::1")] == [b"403", b"200"]


@given(st.integers(1, 3_000))
def test_each_address_gets_half_of_what_is_left(most: int) -> None:
    shares, left = Shares(most), most
    while left:
        address = str(left)
        while shares.allow(address):
            shares.take(address)
        assert shares.held[address] == (left + 1) // 2
        left -= shares.held[address]
    assert not shares.allow("newcomer")
    for address, count in list(shares.held.items()):
        for _ in range(count):
            shares.give_back(address)
    assert (shares.free, len(shares.held)) == (most, 0)


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:DB8:1:2::9", "2001:db8:1:2::"), ("nobody", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_visitor_is_counted_by_one_name(host: str, counted: str) -> None:
    assert limit_key(host) == counted
