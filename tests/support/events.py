"""Reading a stream of the server's as any client would."""

from __future__ import annotations

import asyncio
import base64
import json
import selectors
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np


def read_events(text: str) -> list[tuple[str, Any]]:
    """(event, data) of each server-sent event."""
    lines = [block.split("\n") for block in text.split("\n\n") if block]
    return [(event.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for event, data in lines]


def run(coroutine: Coroutine[Any, Any, object]) -> None:
    """In a thread of its own: in that of the tests Playwright's loop may be running."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, coroutine).result()


def numbers(base64_text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(base64_text), "<f8")


class _Instant(asyncio.SelectorEventLoop):
    """A loop that waits for no time: when it would wait, its clock moves on to the next thing that is due."""

    def __init__(self) -> None:
        self.passed = 0.0
        selector = selectors.DefaultSelector()
        super().__init__(selector)
        wait = selector.select

        def select(timeout: float | None = None) -> list[Any]:
            self.passed += timeout or 0.0
            return wait(0 if timeout is not None else None)

        selector.select = select  # type: ignore[method-assign]

    def time(self) -> float:
        return super().time() + self.passed


def run_without_waiting(coroutine: Coroutine[Any, Any, object]) -> None:
    """Run what only sleeps and waits for what sleeps, in order of time, but without the time."""

    def all_of_it() -> None:
        with asyncio.Runner(loop_factory=_Instant) as runner:
            runner.run(coroutine)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(all_of_it).result()


def parsed(stream: str) -> list[tuple[int | None, str, Any]]:
    """(id, event, data) of each event."""
    found = []
    for block in stream.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if lines:
            found.append((int(lines["id"]) if "id" in lines else None, lines["event"], json.loads(lines["data"])))
    return found
