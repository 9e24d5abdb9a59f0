"""Rooms on a real redis-server with two server processes: one process is killed, and Redis stops for a while."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from app.rooms.rooms import Rooms
from app.rooms.start import store_for
from app.settings import Settings
from tests.support.events import run
from tests.support.redis import Redis
from tests.support.redis_server import installed
from tests.support.rooms import LAB, Server, Teacher

pytestmark = pytest.mark.skipif(installed() is None, reason="there is no redis-server here")


@dataclass
class Worker(Server):
    process: subprocess.Popen[str]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


Process = tuple[subprocess.Popen[str], str]
"""A server process and its address."""


@contextmanager
def server_process(port: int) -> Iterator[Process]:
    """Run a server process that stores its rooms in Redis. Yield the process and its address."""
    command = [sys.executable, "-m", "app.cli", "serve", "--port", "0", "--no-browser"]
    environment = os.environ | {"GRUSCOPE_REDIS": f"redis://127.0.0.1:{port}"}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )  # fmt: skip
    assert process.stdout
    try:
        url = None
        while not url:
            url = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        yield process, url[0]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@asynccontextmanager
async def client_of(process: Process) -> AsyncIterator[Worker]:
    """Yield a client of a server process."""
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(base_url=process[1], timeout=60, limits=limits) as client:
        server = Worker(process[0])
        server.client = client
        yield server


@dataclass
class Shared:
    """Redis, and two server processes that share the rooms in Redis."""

    redis: Redis
    processes: list[Process]

    def run(self, test: Callable[[Redis, Worker, Worker], Awaitable[None]]) -> None:
        """Run `test` with Redis and a client of each server process."""

        async def run_test() -> None:
            async with AsyncExitStack() as stack:
                first, second = [await stack.enter_async_context(client_of(process)) for process in self.processes]
                await test(self.redis, first, second)

        run(run_test())


@contextmanager
def started(folder: Path) -> Iterator[Shared]:
    """Run Redis and two server processes, and yield them."""
    with ExitStack() as stack:
        redis = Redis(folder)
        stack.callback(redis.end)
        yield Shared(redis, [stack.enter_context(server_process(redis.port)) for _ in range(2)])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """Yield Redis and two server processes, which are shared by all tests that do not stop any of them."""
    with started(tmp_path_factory.mktemp("redis")) as servers:
        yield servers


def test_a_room_continues_after_its_process_is_killed(tmp_path: Path) -> None:
    async def test(_: Redis, first: Worker, second: Worker) -> None:
        teacher = await first.open()
        elsewhere = Teacher(second, teacher.code, teacher.secret)
        async with elsewhere.follower() as b, elsewhere.watching() as watching:
            async with teacher.follower() as a:
                await teacher.post_ok("view", {"page": "", "link": LAB["link"].replace("t=2", "t=3")})
                for follower in (a, b):
                    await follower.wait_for_state(lambda state: state["view"]["link"].endswith("t=3"))
                await watching.until(lambda event: event["followers"] == 2)
                await elsewhere.post_ok("question", {"subject": "own", "text": "Which?", "options": ["one", "two"]})
                for follower, answer in ((a, 0), (b, 1), (a, 1)):
                    if not follower.state.get("question"):
                        await follower.wait_for_state(lambda state: state["question"])
                    assert (await follower.answer(answer)).status_code == 204
                await watching.until(lambda event: event.get("answers", {}).get("count") == 2)
                first.kill()
                # A follower of the killed process reconnects to the other process, as the same device.
                async with elsewhere.follower(a.device, a.id) as again:
                    assert again.device == a.device
                    await elsewhere.post_ok("turn", {"turn": "reveal"})
                    for follower in (again, b):
                        state = await follower.wait_for_state(lambda state: state["question"]["status"] == "revealed")
                        assert state["question"]["class"][0]["counts"] == [0, 2]
            # The record keeps the answers to a question after the teacher has asked the next question.
            for text in ("Again?", "And now?"):
                await elsewhere.post_ok("question", {"subject": "own", "text": text, "options": ["one", "two"]})
                await b.wait_for_state(lambda state, text=text: text in state["question"]["ask"])
                assert (await b.answer(0)).status_code == 204
            record = await second.client.get(f"/api/rooms/{teacher.code}/record.csv", headers=elsewhere.headers)
            rows = [row for row in csv.DictReader(io.StringIO(record.text)) if row["count"] != "0"]
            assert [(row["asked"], row["answer"], row["count"]) for row in rows] == [
                ("Which?", "two", "2"), ("Again?", "one", "1"), ("And now?", "one", "1"),
            ]  # fmt: skip
            await elsewhere.end()
            assert (await b.wait_for_state(lambda state: state["ended"]))["ended"]

    with started(tmp_path) as servers:
        servers.run(test)


def test_rooms_survive_a_pause_of_redis_and_the_teacher_is_informed(shared: Shared) -> None:
    async def test(redis: Redis, first: Worker, second: Worker) -> None:
        teacher = await first.open()
        elsewhere = Teacher(second, teacher.code, teacher.secret)
        view = {"page": "", "link": LAB["link"].replace("t=2", "t=4")}
        async with elsewhere.follower() as follower, teacher.watching() as watching:
            await follower.wait_for_state()
            await watching.until(lambda event: "away" not in event)
            redis.end()
            refused = await teacher.post("view", view)
            assert refused.status_code == 503
            assert refused.json()["error"]["code"] == "away"
            await watching.until(lambda event: bool(event.get("away")))
            redis.start()
            while (await teacher.post("view", view)).status_code == 503:
                await asyncio.sleep(0.1)
            await follower.wait_for_state(lambda state: state["view"]["link"] == view["link"])
            await watching.until(lambda event: "away" not in event)

    shared.run(test)


def test_a_process_can_disconnect_from_redis_at_any_moment(tmp_path: Path) -> None:
    async def test() -> None:
        for steps in range(150):
            settings = Settings(redis=f"redis://127.0.0.1:{redis.port}")
            rooms = Rooms(settings, store_for(settings))
            assert await rooms.keeper.count() == 0
            for _ in range(steps):
                await asyncio.sleep(0)
            await asyncio.wait_for(rooms.stop(), 20)

    redis = Redis(tmp_path)
    try:
        run(test())
    finally:
        redis.end()


def test_every_process_withholds_the_answers_of_a_followed_lesson(shared: Shared) -> None:
    async def test(_: Redis, first: Worker, second: Worker) -> None:
        reveal = "/api/lessons/reset/reveal?question=2.1"
        teacher = await first.open({"page": "lessons/reset", "link": "", "step": 2})
        assert (await second.client.get(reveal)).status_code == 200  # no class follows the lesson
        async with teacher.follower() as follower:
            await follower.wait_for_state()
            assert (await second.client.get(reveal)).status_code == 403
            assert (await second.client.get(reveal, headers=teacher.headers)).status_code == 200
            await teacher.post_ok("mode", {"mode": "explore"})
            await follower.wait_for_state(lambda state: state["mode"] == "explore")
            while (await second.client.get(reveal)).status_code != 200:
                await asyncio.sleep(0.02)

    shared.run(test)


def test_rooms_in_redis_use_the_clock_of_redis(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(redis: Redis, first: Worker, _: Worker) -> None:
        wall = time.time
        monkeypatch.setattr(time, "time", lambda: wall() + 61 * 60)
        teacher = await first.open()
        settings = Settings(redis=f"redis://127.0.0.1:{redis.port}")
        rooms = Rooms(settings, store_for(settings))
        room = await rooms.get(teacher.code, "somebody")
        assert abs(rooms.keeper.clock() - wall()) < 60
        assert rooms.keeper.clock() - room.opened < 60
        await rooms.sweep()
        async with teacher.follower() as follower, teacher.watching() as watching:
            await follower.wait_for_state()
            event = await watching.until(lambda event: event.get("followers"))
            assert event["followers"] == 1
        await rooms.stop()

    shared.run(test)
