"""FastAPI dependencies that withhold a lesson's answers from a class that must not see them yet."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Request

from ..errors import Refused
from ..server.shares import visitor


async def withheld(request: Request, name: str, authorization: Annotated[str, Header(max_length=200)] = "") -> bool:
    """Return whether the answers of the lesson `name` are withheld from the sender of this request."""
    answer: bool = await request.app.state.rooms.withheld(name, visitor(request), authorization)
    return answer


def open_to(closed: Annotated[bool, Depends(withheld)]) -> None:
    """Raise Refused while the lesson's answers are withheld."""
    if closed:
        message = "students at your network address are in this lesson: their teacher shows the answers"
        raise Refused(403, "in-class", message, "lesson")
