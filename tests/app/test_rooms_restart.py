"""Rooms survive a restart of the server."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from app.rooms.keeper import InMemory
from app.rooms.sqlite import FILE, InFile
from app.settings import Settings
from tests.support.events import run
from tests.support.rooms import Server, Teacher, in_room, serving


@asynccontextmanager
async def process(folder: Path, port: int = 0) -> AsyncIterator[tuple[Server, subprocess.Popen[str]]]:
    """Run a server that stores its rooms in `folder`. Yield the `Server` and its process."""
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port), "--no-browser"]
    started = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=os.environ | {"GRUSCOPE_UPLOADS": str(folder)},
    )  # fmt: skip
    assert started.stdout
    try:
        url = None
        while not url:
            url = re.search(r"http://127\.0\.0\.1:\d+", await asyncio.to_thread(started.stdout.readline))
        async with httpx2.AsyncClient(base_url=url[0], timeout=60) as client:
            yield Server(None, client), started
    finally:
        started.kill()
        started.wait()
        started.stdout.close()


def test_a_restarted_server_has_the_same_question_and_counts(tmp_path: Path) -> None:
    async def test() -> None:
        async with process(tmp_path) as (server, killed):
            teacher = await server.open()
            async with teacher.follower() as a, teacher.follower() as b:
                await teacher.post_ok("question", {"subject": "own", "text": "Which?", "options": ["one", "two"]})
                for follower, answer in ((a, 0), (b, 1)):
                    await follower.wait_for_state(lambda state: state["question"])
                    assert (await follower.answer(answer)).status_code == 204
                question, last, device = a.state["question"], a.id, a.device
                killed.send_signal(signal.SIGKILL)
                await asyncio.to_thread(killed.wait)
        async with process(tmp_path) as (server, _):
            after = Teacher(server, teacher.code, teacher.secret)
            async with after.watching() as watching:
                event = await watching.until(lambda event: event["question"])
                assert event["question"] == question
                assert event["answers"]["class"][0]["counts"] == [1, 1]
                # A follower that already has the newest state receives nothing, and may still change its answer.
                async with after.follower(device, last) as again:
                    assert again.device == device
                    again.state = {"question": question}
                    assert (await again.answer(1)).status_code == 204
                    await watching.until(lambda event: event["answers"]["class"][0]["counts"] == [0, 2])
                    await after.post_ok("turn", {"turn": "reveal"})
                    state = await again.wait_for_state(lambda state: state["question"]["status"] == "revealed")
                    assert state["question"]["class"][0]["counts"] == [0, 2]

    run(test())


def test_an_empty_room_survives_a_restart_of_the_server(tmp_path: Path) -> None:
    async def test() -> None:
        settings = Settings(uploads=str(tmp_path))
        async with serving(settings) as server:
            code = (await server.open()).code
        async with serving(settings) as server:
            assert (await server.client.get(f"/rooms/{code}")).status_code == 200

    run(test())


def test_a_damaged_file_of_rooms_is_replaced_and_a_locked_one_is_not_used(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all" * 100)
    keeper = InFile(tmp_path)
    assert keeper.rooms() == []
    with pytest.raises(OSError, match="cannot be used"):
        InFile(tmp_path)
    run(keeper.close())

    async def two_servers() -> None:
        settings = Settings(uploads=str(tmp_path))
        async with serving(settings) as first, serving(settings) as second:
            assert isinstance(first.app.state.rooms.keeper, InFile)
            assert type(second.app.state.rooms.keeper) is InMemory
            await (await second.open()).end()

    run(two_servers())


def test_a_change_of_the_wall_clock_ends_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(server: Server) -> None:
        teacher = await server.open()
        wall = time.time
        monkeypatch.setattr(time, "time", lambda: wall() + 61 * 60)
        await server.app.state.rooms.sweep()
        async with teacher.follower() as follower:
            await follower.wait_for_state()

    in_room(test)
