"""How large and how slow what arrives may be: a request at once, a file for as long as it keeps coming."""

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


async def arriving(
    limit: BodyLimit, path: str, pieces: Iterable[tuple[float, bytes]]
) -> tuple[int, dict[str, Any], dict[bytes, bytes]]:
    """The answer to a body of which each piece comes after some seconds."""
    parts, sent = iter(pieces), list[Message]()

    async def receive() -> Message:
        wait, piece = next(parts, (0.0, b""))
        await asyncio.sleep(wait)
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    async def send(message: Message) -> None:
        sent.append(message)

    await limit({"type": "http", "method": "POST", "path": path, "headers": []}, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"]), dict(sent[0]["headers"])


async def length(scope: Scope, receive: Receive, send: Send) -> None:
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(len(message["body"])).encode()})


def test_a_file_may_take_long_but_not_stand_still() -> None:
    async def all_of_them() -> None:
        limit = BodyLimit(length, FAST)
        slow, stalled, trickling = [(0.4, b"x")] * 4, [(0, b"x"), (1.5, b"x")], [(0.5, b"x")] * 20
        answers = await asyncio.gather(
            arriving(limit, "/api/models", slow),
            arriving(limit, "/api/models/u-1/check", slow),
            arriving(limit, "/api/trace", slow),
            arriving(limit, "/api/models/u-1/answers", slow),
            arriving(limit, "/api/models", stalled),
            arriving(limit, "/api/models", trickling),
        )
        assert [status for status, _, _ in answers] == [200, 200, 408, 408, 408, 408]
        assert answers[2][1]["error"]["message"] == "the request took too long to arrive; try again"
        assert answers[4][1]["error"]["message"] == "the file took too long to arrive; try again"
        assert answers[4][2][b"connection"] == b"close"

    in_thread(all_of_them())


def test_only_so_many_large_files_are_held_at_once() -> None:
    async def all_of_them() -> None:
        limit = BodyLimit(length, FAST)
        large, small = [(0, b"x" * 50), (0.5, b"x")], [(0.2, b"x")]
        many = [arriving(limit, "/api/models", large) for _ in range(middleware.LARGE_FILES + 2)]
        answers = await asyncio.gather(*many, arriving(limit, "/api/models", small))
        assert sorted(status for status, _, _ in answers) == [200] * (middleware.LARGE_FILES + 1) + [429] * 2
        refused = next(answer for answer in answers if answer[0] == 429)
        assert refused[2][b"retry-after"] == b"5"
        assert (await arriving(limit, "/api/models", large))[0] == 200  # there is room again

    in_thread(all_of_them())
