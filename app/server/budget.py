"""What the answers that are being computed and sent may take together, so that the server refuses instead of swapping.

It is counted in cells: a unit at a step, of which a run keeps some ten numbers.
"""

from __future__ import annotations

from contextvars import ContextVar
from threading import Lock

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import Refused
from ..settings import Settings

PIECE = 2**16
"""Bytes to one write: an answer counts as sent when its last piece is, so one that nobody reads goes on counting."""


class Budget:
    """Gives back what a request spent once its answer has been sent."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.most, self.used, self.lock = app, settings.max_cells, 0, Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_pieces(message: Message) -> None:
            body = message.get("body", b"")
            for start in range(0, len(body) - PIECE, PIECE):
                await send({"type": "http.response.body", "body": body[start : start + PIECE], "more_body": True})
            await send({**message, "body": body[-(len(body) % PIECE or PIECE) :]} if len(body) > PIECE else message)

        spending = _Spending(self)
        token = _spending.set(spending)
        try:
            await self.app(scope, receive, send_in_pieces)
        finally:
            _spending.reset(token)
            with self.lock:
                self.used -= spending.cells


class _Spending:
    def __init__(self, budget: Budget) -> None:
        self.budget, self.cells = budget, 0


_spending: ContextVar[_Spending | None] = ContextVar("spending", default=None)


def spend(cells: int) -> None:
    """Count `cells` as this request's, if there is one.

    Raises Refused when others leave too little; a request that is alone is always answered.
    """
    mine = _spending.get()
    if mine is None:
        return
    budget = mine.budget
    with budget.lock:
        others = budget.used - mine.cells
        if others and budget.used + cells > budget.most:
            raise Refused(429, "busy", "this server is busy with other runs; try again in a few seconds", retry_after=3)
        budget.used += cells
        mine.cells += cells
