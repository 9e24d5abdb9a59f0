"""Time limits for request bodies, and the limit on simultaneous large uploads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from app.server import middleware
from app.server.middleware import BodyLimit
from app.settings import Settings
from tests.support.events import run_without_waiting as in_thread

FAST = Settings(uploads="x", body_seconds=1, upload_seconds=3, max_body=10, max_upload=100)


async def upload(
    limit: BodyLimit, path: str, pieces: Iterable[tuple[float, bytes]]
) -> tuple[int, dict[str, Any], dict[bytes, bytes]]:
    """Send a request body in `pieces` and return the status, body and headers of the response.

    Each piece is a tuple: a wait in seconds, and the bytes to send after the wait.
    """
    parts, messages = iter(pieces), list[Message]()

    async def receive() -> Message:
        wait, piece = next(parts, (0.0, b""))
        await asyncio.sleep(wait)
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    async def send(message: Message) -> None:
        messages.append(message)

    await limit({"type": "http", "method": "POST", "path": path, "headers": []}, receive, send)
    return messages[0]["status"], json.loads(messages[1]["body"]), dict(messages[0]["headers"])


async def length(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond with the number of bytes in the request body. This is the ASGI application that `BodyLimit` wraps."""
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(len(message["body"])).encode()})


def test_an_upload_may_be_slow_but_must_not_stall() -> None:
    async def requests() -> None:
        limit = BodyLimit(length, FAST)
        slow, stalled, trickling = [(0.4, b"x")] * 4, [(0, b"x"), (1.5, b"x")], [(0.5, b"x")] * 20
        responses = await asyncio.gather(
            upload(limit, "/api/models", slow),
            upload(limit, "/api/models/u-1/check", slow),
            upload(limit, "/api/trace", slow),
            upload(limit, "/api/score", slow),
            upload(limit, "/api/models", stalled),
            upload(limit, "/api/models", trickling),
        )
        assert [status for status, _, _ in responses] == [200, 200, 408, 408, 408, 408]
        assert responses[2][1]["error"]["message"] == "the request took too long to arrive; try again"
        assert responses[4][1]["error"]["message"] == "the file took too long to arrive; try again"
        assert responses[4][2][b"connection"] == b"close"

    in_thread(requests())


def test_large_uploads_above_the_limit_get_status_429() -> None:
    async def requests() -> None:
        limit = BodyLimit(length, FAST)
        large, small = [(0, b"x" * 50), (0.5, b"x")], [(0.2, b"x")]
        many = [upload(limit, "/api/models", large) for _ in range(middleware.LARGE_FILES + 2)]
        responses = await asyncio.gather(*many, upload(limit, "/api/models", small))
        assert sorted(status for status, _, _ in responses) == [200] * (middleware.LARGE_FILES + 1) + [429] * 2
        refused = next(response for response in responses if response[0] == 429)
        assert refused[2][b"retry-after"] == b"5"
        assert (await upload(limit, "/api/models", large))[0] == 200  # there is room again

    in_thread(requests())
