"""Bodies of requests that are larger than usual: a file as bytes, and JSON that is parsed in a thread."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool


async def _read(request: Request) -> bytes:
    return await request.body()


FileBody = Annotated[bytes, Depends(_read)]
"""The type of a handler's parameter that receives the body."""

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)

MOST_PARTS = 100
"""The most objects and lists in a body of JSON. Millions of empty lists would be parsed for seconds."""


def _parse(body: bytes) -> Any:
    """Parse JSON. Raise ValueError if it is not JSON, or has more than MOST_PARTS objects and lists."""
    marks = _STRING.sub(b"", body)
    if marks.count(b"[") + marks.count(b"{") > MOST_PARTS:
        raise ValueError("too many objects and lists")
    return json.loads(body)


class _ParsedInThread(Request):
    async def json(self) -> Any:
        return await run_in_threadpool(_parse, await self.body())


class LongJSON(APIRoute):
    """A route whose body of JSON may be long, so that it is parsed in a thread."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_parsed(request: Request) -> Response:
            return await handle(_ParsedInThread(request.scope, request.receive))

        return handle_parsed
