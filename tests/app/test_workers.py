"""Two processes that serve together: what one is told the other knows, also when one of them is killed."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.events import parsed, read_events
from tests.support.redis import Redis
from tests.support.redis_server import installed
from tests.support.rooms import LAB

pytestmark = pytest.mark.skipif(not Path("/proc/locks").exists(), reason="processes are told apart by Linux's /proc")

GRUSCOPE = [sys.executable, "-m", "app.cli"]
JSON = {"content-type": "application/json"}
SHORT = {"task": "flip-flop", "after": 0, "most": 20, "seed": 5}
SSE = JSON | {"accept": "text/event-stream"}


class Server:
    """`gruscope serve --workers 2`, and a client who chooses which of the two processes answers."""

    def __init__(self, process: subprocess.Popen[str], port: int, said: str, folder: Path) -> None:
        self.process, self.port, self.said, self.folder = process, port, said, folder
        self.opened = ExitStack()

    @property
    def workers(self) -> list[int]:
        """Those that run, once there are two that serve."""
        while True:
            pids = [pid for pid in children(self.process.pid) if "spawn_main" in command_of(pid)]
            if len(pids) == 2:
                return pids
            time.sleep(0.05)

    @property
    def primary(self) -> int:
        """The process with the lock, once there is one with it that answers."""
        (lock,) = self.folder.glob("gruscope-*/lock")
        while True:
            locks = Path("/proc/locks").read_text()
            found = re.search(rf"FLOCK +ADVISORY +WRITE +(\d+) \S+:{lock.stat().st_ino} ", locks)
            if found and int(found[1]) in self.workers:
                return int(found[1])
            time.sleep(0.05)

    @property
    def other(self) -> int:
        return next(pid for pid in self.workers if pid != self.primary)

    def connect(self, pid: int) -> http.client.HTTPConnection:
        """A connection to one of the processes: the other cannot take it, since it is stopped meanwhile."""
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

    def ask(self, *request: Any) -> tuple[int, bytes]:
        with self.open(*request) as answer:
            return answer.status, answer.read()

    def told(self, *request: Any) -> Any:
        """The JSON of an answer that must be good."""
        status, content = self.ask(*request)
        assert status < 300, content
        return json.loads(content)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:  # it has just ended
        return ""


def gone(pid: int) -> bool:
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


@contextmanager
def serving(**environment: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # short: the path of a socket has some hundred bytes
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
            said = ""
            while "Ctrl+C" not in said:
                line = process.stdout.readline()
                assert line, said
                said += line
            server = Server(process, int(re.findall(r":(\d+)/", said)[0]), said, Path(folder))
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


def test_a_training_is_known_to_both(server: Server) -> None:
    id = server.told(server.other, "POST", "/api/trainings", SHORT)["id"]
    stream = parsed(server.ask(server.other, "GET", f"/api/trainings/{id}/events")[1].decode())
    assert (stream[0][1], stream[-1][1]) == ("start", "end")
    step = stream[-2][2]["step"]
    for path, body in (
        (f"/api/trainings/{id}", None),
        (f"/api/trainings/{id}/events", None),
        (f"/api/trainings/{id}/tapes", {"sequence": "A x B"}),
        ("/api/trace", {"model": f"{id}@{step}", "sequence": "A x B"}),
        (f"/api/models/{id}@{step}", None),
        (f"/train?training={id}", None),
        (f"/api/export/model.safetensors?model={id}@{step}", None),
    ):
        answers = [server.ask(pid, "GET" if body is None else "POST", path, body) for pid in server.workers]
        assert answers[0][0] == 200, path
        assert answers[0] == answers[1], path
    for pid in server.workers:
        assert server.ask(pid, "GET", "/api/trainings/t-" + 32 * "0")[0] == 404
        assert server.ask(pid, "POST", "/api/trace", {"model": f"t-{32 * '0'}@1", "sequence": "A"})[0] == 404


def test_a_training_that_runs_is_followed_and_ended_at_either(server: Server) -> None:
    long = {"task": "sentiment", "reach": 1.0, "after": 3000, "most": 3000, "seed": 7}
    id = server.told(server.primary, "POST", "/api/trainings?token=mine", long)["id"]
    stream = server.open(server.other, "GET", f"/api/trainings/{id}/events?token=mine")
    blocks = []
    while len(blocks) < 4:  # as they come, long before the end
        blocks += [line for line in (stream.readline(),) if line.startswith(b"event: checkpoint")]
    now = server.told(server.other, "GET", f"/api/trainings/{id}")
    assert now["state"] == "running"
    for step in (now["steps"][0], now["steps"][-1]):  # not only what there was when it was first asked for
        assert server.ask(server.other, "POST", "/api/trace", {"model": f"{id}@{step}", "sequence": "good ."})[0] == 200
    assert server.told(server.other, "DELETE", f"/api/trainings/{id}?token=mine")["state"] == "stopped"
    assert parsed("\n\n".join(stream.read().decode().split("\n\n")[-2:]))[-1][2]["state"] == "stopped"


def test_an_upload_is_known_to_both(server: Server) -> None:
    content = (Path(__file__).parents[1] / "fixtures" / "pytorch-bare.npz").read_bytes()
    for here, there in (server.workers, server.workers[::-1]):
        id = server.told(here, "POST", "/api/models?name=bare.npz", content, {})["model"]["id"]
        assert server.told(there, "GET", f"/api/models/{id}")["id"] == id


def test_without_redis_rooms_are_in_one_process_and_reached_through_both(server: Server) -> None:
    assert "GRUSCOPE_REDIS" in server.said
    room = server.told(server.other, "POST", "/api/rooms", {"view": LAB})
    of_teacher = JSON | {"authorization": f"Bearer {room['secret']}"}
    path = f"/api/rooms/{room['code']}"
    lead = server.open(server.primary, "GET", f"{path}/class", None, of_teacher)

    def until(followers: int) -> None:
        while True:
            line = lead.readline().decode()
            if line.startswith("data: ") and json.loads(line[6:]).get("followers") == followers:
                return

    line = server.connect(server.other)
    line.request("GET", f"{path}/events")
    with line.getresponse():
        until(1)
        line.close()
    until(0)  # who leaves the process in front is gone from the room
    assert server.ask(server.other, "GET", f"/rooms/{room['code']}")[0] == 200
    assert server.ask(server.other, "DELETE", path, None, of_teacher)[0] == 204
    assert server.ask(server.primary, "GET", f"/rooms/{room['code']}")[0] == 410
    lead.close()


def test_the_client_that_counts_is_the_one_in_front(server: Server) -> None:
    def guess(address: str) -> int:
        # It is believed as a proxy's, since it comes from FORWARDED_ALLOW_IPS.
        return server.ask(server.other, "GET", "/api/rooms/AAA-AAA/events", None, {"x-forwarded-for": address})[0]

    for _ in range(100):
        if guess("203.0.113.1") == 429:
            break
    assert guess("203.0.113.1") == 429
    assert guess("203.0.113.2") == 404


def test_a_primary_that_is_killed_is_replaced_and_no_request_hangs(server: Server) -> None:
    id = server.told(server.other, "POST", "/api/trainings", SHORT)["id"]
    server.ask(server.other, "GET", f"/api/trainings/{id}/events")
    model = f"{id}@{server.told(server.other, 'GET', f'/api/trainings/{id}')['steps'][-1]}"
    traced = server.ask(server.other, "POST", "/api/trace", {"model": model, "sequence": "A x B"})
    room = server.told(server.other, "POST", "/api/rooms", {"view": LAB})
    survivor, killed = server.other, server.primary
    stream = server.open(survivor, "GET", f"/api/rooms/{room['code']}/events")
    line = server.connect(survivor)
    os.kill(killed, signal.SIGKILL)
    with suppress(http.client.IncompleteRead):
        stream.read()  # it ends, so that the browser connects again
    line.request("POST", "/api/trainings", json.dumps(SHORT | {"seed": 8}), JSON)
    answer = line.getresponse()
    assert answer.status in (201, 503)
    assert answer.status == 201 or answer.headers["retry-after"]
    while not gone(killed) or server.primary != survivor:
        time.sleep(0.05)
    for pid in server.workers:
        assert server.ask(pid, "GET", f"/rooms/{room['code']}")[0] == 200  # it is in a file
        new = server.told(pid, "POST", "/api/trainings", SHORT | {"seed": 9})["id"]
        assert server.ask(pid, "GET", f"/api/trainings/{new}/events")[0] == 200
        # What a process had been asked about it still has, and gives to the others.
        assert server.ask(pid, "POST", "/api/trace", {"model": model, "sequence": "A x B"}) == traced


@pytest.mark.skipif(installed() is None, reason="there is no redis-server here")
def test_rooms_in_redis_outlive_any_process_and_all_end_with_streams_open(tmp_path: Path) -> None:
    redis = Redis(tmp_path)
    try:
        with serving(GRUSCOPE_REDIS=f"redis://127.0.0.1:{redis.port}") as server:
            assert "GRUSCOPE_REDIS" not in server.said
            room = server.told(server.other, "POST", "/api/rooms", {"view": LAB})
            killed = server.primary
            os.kill(killed, signal.SIGKILL)
            while not gone(killed):
                time.sleep(0.02)
            streams = [server.open(pid, "GET", f"/api/rooms/{room['code']}/events") for pid in server.workers]
            for stream in streams:
                assert stream.status == 200
                assert stream.readline()
            pids = server.workers
            begun = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(20) == 0
            assert time.monotonic() - begun < 8  # 3 s of grace, on a busy machine
            assert all(map(gone, pids))
            assert not list(server.folder.glob("gruscope-*"))
    finally:
        redis.end()


def test_none_outlives_a_supervisor_that_is_killed() -> None:
    with serving() as server:
        pids = server.workers
        server.process.kill()
        while not all(map(gone, pids)):
            time.sleep(0.05)


def test_a_run_of_any_model_is_the_same_at_both(server: Server) -> None:
    body = {"model": "sentiment", "sequence": "not very good ."}
    one, other = (server.ask(pid, "POST", "/api/trace", body, SSE)[1].decode() for pid in server.workers)
    assert read_events(one) == read_events(other)
