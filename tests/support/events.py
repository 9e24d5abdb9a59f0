"""Parsers of event streams, and functions that run coroutines in a new thread."""

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
    """Parse server-sent events without ids into pairs (name, data)."""
    lines = [block.split("\n") for block in text.split("\n\n") if block]
    return [(event.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for event, data in lines]


def run(coroutine: Coroutine[Any, Any, object]) -> None:
    """Run a coroutine in a new thread, because Playwright's event loop may be running in this thread."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, coroutine).result()


def numbers(base64_text: str) -> np.ndarray:
    """Decode a float64 array from base64."""
    return np.frombuffer(base64.b64decode(base64_text), "<f8")


def unpacked_answer(answer: dict[str, Any]) -> dict[str, Any]:
    """Return a recorded answer with its base64 arrays as lists. None replaces NaN and infinity."""
    return {
        name: [number if np.isfinite(number) else None for number in numbers(value).tolist()]
        if isinstance(value, str)
        else value
        for name, value in answer.items()
    }


class _Instant(asyncio.SelectorEventLoop):
    """An event loop that does not wait for timers: its clock jumps to the next timer."""

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
    """Run a coroutine in a new thread without waiting for timers. Timers still fire in their usual order."""

    def run_to_end() -> None:
        with asyncio.Runner(loop_factory=_Instant) as runner:
            runner.run(coroutine)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(run_to_end).result()


def parsed(stream: str) -> list[tuple[int | None, str, Any]]:
    """Parse server-sent events into tuples (id, name, data). The id is None if an event has none."""
    events = []
    for block in stream.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if lines:
            events.append((int(lines["id"]) if "id" in lines else None, lines["event"], json.loads(lines["data"])))
    return events
