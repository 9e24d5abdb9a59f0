"""The body of a request as bytes, for routes that read a file."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request


async def _read(request: Request) -> bytes:
    return await request.body()


FileBody = Annotated[bytes, Depends(_read)]
"""The type of a handler's parameter that receives the body."""
