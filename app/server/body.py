"""Request bodies that are larger than usual: files as bytes, and JSON that is parsed in a worker thread."""

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
"""The type of a handler parameter that receives the request body as bytes."""

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)

MOST_PARTS = 100
"""The maximum number of objects and lists in a JSON body. Parsing millions of empty lists would take seconds."""


def _parse(body: bytes) -> Any:
    """Parse a JSON body. Raise ValueError if it is not JSON, or has more than MOST_PARTS objects and lists."""
    marks = _STRING.sub(b"", body)
    if marks.count(b"[") + marks.count(b"{") > MOST_PARTS:
        raise ValueError("too many objects and lists")
    return json.loads(body)


class _ParsedInThread(Request):
    async def json(self) -> Any:
        return await run_in_threadpool(_parse, await self.body())


class LongJSON(APIRoute):
    """A route with a JSON body that may be long. A worker thread parses the body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_parsed(request: Request) -> Response:
            return await handle(_ParsedInThread(request.scope, request.receive))

        return handle_parsed
