"""A memory budget for all responses in progress. A busy server refuses requests instead of running out of memory.

The budget is counted in cells. A cell is one unit at one timestep.
"""

from __future__ import annotations

from contextvars import ContextVar
from threading import Lock

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import Refused
from ..settings import Settings

NUMBERS = 10
"""The approximate number of values that a run stores for each cell."""

PIECE = 2**16
"""The bytes in one write. A response uses the budget until its last piece is sent, even if the client reads slowly."""


class Budget:
    """Middleware that frees the cells of a request after its response is sent."""

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
    """Charge `cells` to the current request. Outside of a request, do nothing.

    Raises Refused if the other requests leave too few cells. A request that runs alone is never refused.
    """
    spending = _spending.get()
    if spending is None:
        return
    budget = spending.budget
    with budget.lock:
        others = budget.used - spending.cells
        if others and budget.used + cells > budget.most:
            raise Refused(429, "busy", "this server is busy with other runs; try again in a few seconds", retry_after=3)
        budget.used += cells
        spending.cells += cells
