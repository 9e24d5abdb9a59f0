"""`gruscope serve --workers 2`: both processes have the same data, even after one of them is killed."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import GRUSCOPE
from tests.support.events import parsed, read_events
from tests.support.redis import Redis
from tests.support.redis_server import installed
from tests.support.rooms import LAB

pytestmark = pytest.mark.skipif(not Path("/proc/locks").exists(), reason="processes are told apart by Linux's /proc")

JSON = {"content-type": "application/json"}
SHORT = {"task": "flip-flop", "after": 0, "most": 20, "seed": 5}
SSE = JSON | {"accept": "text/event-stream"}


class Server:
    """`gruscope serve --workers 2`, and a client that chooses which of the two processes answers."""

    def __init__(self, process: subprocess.Popen[str], port: int, output: str, folder: Path) -> None:
        self.process, self.port, self.output, self.folder = process, port, output, folder
        self.opened = ExitStack()

    @property
    def workers(self) -> list[int]:
        """The ids of the two server processes. Reading the property waits until both processes are running."""
        while True:
            pids = [pid for pid in children(self.process.pid) if "spawn_main" in command_of(pid)]
            if len(pids) == 2:
                return pids
            time.sleep(0.05)

    @property
    def primary(self) -> int:
        """The id of the server process that has the lock. Reading the property waits until a process has the lock."""
        (lock,) = self.folder.glob("gruscope-*/lock")
        while True:
            locks = Path("/proc/locks").read_text()
            match = re.search(rf"FLOCK +ADVISORY +WRITE +(\d+) \S+:{lock.stat().st_ino} ", locks)
            if match and int(match[1]) in self.workers:
                return int(match[1])
            time.sleep(0.05)

    @property
    def secondary(self) -> int:
        return next(pid for pid in self.workers if pid != self.primary)

    def connect(self, pid: int) -> http.client.HTTPConnection:
        """Pause the other process, connect to the process `pid`, and return the connection."""
        (stopped,) = set(self.workers) - {pid}
        connection = self.opened.enter_context(closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)))
        os.kill(stopped, signal.SIGSTOP)
        try:
            connection.request("GET", "/healthz")
            assert connection.getresponse().read()
        finally:
            os.kill(stopped, signal.SIGCONT)
        return connection

    def open(
        self, pid: int, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> http.client.HTTPResponse:
        connection = self.connect(pid)
        content = body if body is None or isinstance(body, bytes) else json.dumps(body)
        connection.request(method, path, content, headers or JSON)
        return self.opened.enter_context(connection.getresponse())

    def request(self, *arguments: Any) -> tuple[int, bytes]:
        """Send a request to a process and return the status and the body of the response."""
        with self.open(*arguments) as response:
            return response.status, response.read()

    def request_json(self, *arguments: Any) -> Any:
        """Send a request that must succeed and return the JSON of the response."""
        status, content = self.request(*arguments)
        assert status < 300, content
        return json.loads(content)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command_of(pid: int) -> str:
    """Return the command line of a process, or "" if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:  # it has just ended
        return ""


def has_ended(pid: int) -> bool:
    """Return whether a process has ended."""
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


@contextmanager
def serving(**environment: str) -> Iterator[Server]:
    """Run `gruscope serve --workers 2` with the variables in `environment`, and yield the `Server`."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # the path of a socket may have about 100 bytes
        process = subprocess.Popen(
            [*GRUSCOPE, "serve", "--port", "0", "--no-browser", "--workers", "2", "--proxy-headers"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=os.environ | {
                "TMPDIR": folder, "GRUSCOPE_UPLOADS": f"{folder}/uploads", "FORWARDED_ALLOW_IPS": "127.0.0.1",
            } | environment,
        )  # fmt: skip
        pids: list[int] = []
        try:
            assert process.stdout is not None
            output = ""
            while "Ctrl+C" not in output:
                line = process.stdout.readline()
                assert line, output
                output += line
            server = Server(process, int(re.findall(r":(\d+)/", output)[0]), output, Path(folder))
            with server.opened:
                for pid in server.workers:
                    server.connect(pid)
                yield server
        finally:
            pids += children(process.pid) if process.poll() is None else []
            process.kill()
            process.communicate()
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def test_both_processes_have_a_training(server: Server) -> None:
    id = server.request_json(server.secondary, "POST", "/api/trainings", SHORT)["id"]
    stream = parsed(server.request(server.secondary, "GET", f"/api/trainings/{id}/events")[1].decode())
    assert (stream[0][1], stream[-1][1]) == ("start", "end")
    step = stream[-2][2]["step"]
    for path, body in (
        (f"/api/trainings/{id}", None),
        (f"/api/trainings/{id}/events", None),
        (f"/api/trainings/{id}/tapes", {"sequence": "A m B"}),
        ("/api/trace", {"model": f"{id}@{step}", "sequence": "A m B"}),
        (f"/api/models/{id}@{step}", None),
        (f"/train?training={id}", None),
        (f"/api/export/model.safetensors?model={id}@{step}", None),
    ):
        responses = [server.request(pid, "GET" if body is None else "POST", path, body) for pid in server.workers]
        assert responses[0][0] == 200, path
        assert responses[0] == responses[1], path
    for pid in server.workers:
        assert server.request(pid, "GET", "/api/trainings/t-" + 32 * "0")[0] == 404
        assert server.request(pid, "POST", "/api/trace", {"model": f"t-{32 * '0'}@1", "sequence": "A"})[0] == 404


def test_a_running_training_is_followed_and_stopped_through_either_process(server: Server) -> None:
    long = {"task": "sentiment", "reach": 1.0, "after": 3000, "most": 3000, "seed": 7}
    id = server.request_json(server.primary, "POST", "/api/trainings?token=mine", long)["id"]
    stream = server.open(server.secondary, "GET", f"/api/trainings/{id}/events?token=mine")
    blocks = []
    while len(blocks) < 4:  # while the training runs
        blocks += [line for line in (stream.readline(),) if line.startswith(b"event: checkpoint")]
    now = server.request_json(server.secondary, "GET", f"/api/trainings/{id}")
    assert now["state"] == "running"
    for step in (now["steps"][0], now["steps"][-1]):  # also a checkpoint that is newer than the first request
        assert (
            server.request(server.secondary, "POST", "/api/trace", {"model": f"{id}@{step}", "sequence": "good ."})[0]
            == 200
        )
    assert server.request_json(server.secondary, "DELETE", f"/api/trainings/{id}?token=mine")["state"] == "stopped"
    assert parsed("\n\n".join(stream.read().decode().split("\n\n")[-2:]))[-1][2]["state"] == "stopped"


def test_both_processes_have_an_upload(server: Server) -> None:
    content = (Path(__file__).parents[1] / "fixtures" / "pytorch-bare.npz").read_bytes()
    for receiver, reader in (server.workers, server.workers[::-1]):
        id = server.request_json(receiver, "POST", "/api/models?name=bare.npz", content, {})["model"]["id"]
        assert server.request_json(reader, "GET", f"/api/models/{id}")["id"] == id


def test_without_redis_both_processes_give_access_to_a_room(server: Server) -> None:
    assert "GRUSCOPE_REDIS" in server.output
    room = server.request_json(server.secondary, "POST", "/api/rooms", {"view": LAB})
    headers = JSON | {"authorization": f"Bearer {room['secret']}"}
    path = f"/api/rooms/{room['code']}"
    lead = server.open(server.primary, "GET", f"{path}/class", None, headers)

    def until(followers: int) -> None:
        while True:
            line = lead.readline().decode()
            if line.startswith("data: ") and json.loads(line[6:]).get("followers") == followers:
                return

    line = server.connect(server.secondary)
    line.request("GET", f"{path}/events")
    with line.getresponse():
        until(1)
        line.close()
    until(0)  # a student who disconnects from the secondary leaves the room
    assert server.request(server.secondary, "GET", f"/rooms/{room['code']}")[0] == 200
    assert server.request(server.secondary, "DELETE", path, None, headers)[0] == 204
    assert server.request(server.primary, "GET", f"/rooms/{room['code']}")[0] == 410
    lead.close()


def test_limits_use_the_client_address_of_the_trusted_proxy(server: Server) -> None:
    def guess(address: str) -> int:
        # The header is trusted because FORWARDED_ALLOW_IPS has the address of the client.
        return server.request(server.secondary, "GET", "/api/rooms/AAA-AAA/events", None, {"x-forwarded-for": address})[
            0
        ]

    assert any(guess("203.0.113.1") == 429 for _ in range(200))  # each second allows one more guess
    assert guess("203.0.113.2") == 404


def test_a_killed_primary_is_replaced_and_no_request_hangs(server: Server) -> None:
    id = server.request_json(server.secondary, "POST", "/api/trainings", SHORT)["id"]
    server.request(server.secondary, "GET", f"/api/trainings/{id}/events")
    model = f"{id}@{server.request_json(server.secondary, 'GET', f'/api/trainings/{id}')['steps'][-1]}"
    traced = server.request(server.secondary, "POST", "/api/trace", {"model": model, "sequence": "A m B"})
    room = server.request_json(server.secondary, "POST", "/api/rooms", {"view": LAB})
    survivor, killed = server.secondary, server.primary
    stream = server.open(survivor, "GET", f"/api/rooms/{room['code']}/events")
    line = server.connect(survivor)
    os.kill(killed, signal.SIGKILL)
    with suppress(http.client.IncompleteRead):
        stream.read()  # the stream ends, so a browser reconnects
    line.request("POST", "/api/trainings", json.dumps(SHORT | {"seed": 8}), JSON)
    response = line.getresponse()
    assert response.status in (201, 503)
    assert response.status == 201 or response.headers["retry-after"]
    while not has_ended(killed) or server.primary != survivor:
        time.sleep(0.05)
    for pid in server.workers:
        assert server.request(pid, "GET", f"/rooms/{room['code']}")[0] == 200  # rooms are stored in a file
        new = server.request_json(pid, "POST", "/api/trainings", SHORT | {"seed": 9})["id"]
        assert server.request(pid, "GET", f"/api/trainings/{new}/events")[0] == 200
        # The survivor still has the models of the requests that it answered, and shares them.
        assert server.request(pid, "POST", "/api/trace", {"model": model, "sequence": "A m B"}) == traced


@pytest.mark.skipif(installed() is None, reason="there is no redis-server here")
def test_rooms_in_redis_survive_a_killed_process_and_sigterm_ends_all_streams(tmp_path: Path) -> None:
    redis = Redis(tmp_path)
    try:
        with serving(GRUSCOPE_REDIS=f"redis://127.0.0.1:{redis.port}") as server:
            assert "GRUSCOPE_REDIS" not in server.output
            room = server.request_json(server.secondary, "POST", "/api/rooms", {"view": LAB})
            killed = server.primary
            os.kill(killed, signal.SIGKILL)
            while not has_ended(killed):
                time.sleep(0.02)
            streams = [server.open(pid, "GET", f"/api/rooms/{room['code']}/events") for pid in server.workers]
            for stream in streams:
                assert stream.status == 200
                assert stream.readline()
            pids = server.workers
            start = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(20) == 0
            assert time.monotonic() - start < 8  # the grace period is 3 s; a busy machine takes longer
            assert all(map(has_ended, pids))
            assert not list(server.folder.glob("gruscope-*"))
    finally:
        redis.end()


def test_workers_end_after_their_supervisor_is_killed() -> None:
    with serving() as server:
        pids = server.workers
        server.process.kill()
        while not all(map(has_ended, pids)):
            time.sleep(0.05)


def test_a_run_is_the_same_in_both_processes(server: Server) -> None:
    body = {"model": "sentiment", "sequence": "not very good ."}
    first, second = (server.request(pid, "POST", "/api/trace", body, SSE)[1].decode() for pid in server.workers)
    assert read_events(first) == read_events(second)
