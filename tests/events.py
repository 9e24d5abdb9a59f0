"""Reading a stream of the server's as any client would."""

from __future__ import annotations

import asyncio
import base64
import json
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
