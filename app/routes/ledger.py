"""POST /api/ledger: of which candidates a unit's state is made."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.errors import within
from app.routes.trace import prepare_unit
from app.schemas import LedgerQuestion, shares

router = APIRouter(prefix="/api")

MOST = 65_536
"""Shares in one answer."""


@router.post(
    "/ledger",
    summary="Of which candidates a unit's state is made",
    response_class=Response,
    responses={
        200: {
            "description": "Takes besides a `layer`, a `unit` of it, and the steps `from` and `to`: all count from 1, "
            f"`to` is included, at most {MOST:,} shares at once. `shares` has a row for each step: first the share of "
            "h_0, or of what a clamp on h_prev put in its place, then that of each step's candidate. `twin` has the "
            "same of the untouched run where anything is changed, else it is null. An exact account of the mixture, "
            "not of causes.",
            "content": {"application/json": {}},
        }
    },
)
def ask(request: Request, question: LedgerQuestion) -> Response:
    about, blocks = prepare_unit(question, request.app.state.settings)
    T, first = about["T"], question.from_
    most = max(1, MOST // (T + 1))
    within("from", first, 1, T, "the steps of this sequence")
    last = min(T, first + most - 1)
    why = "the steps of this sequence" if last == T else f"at most {most} rows of {T + 1} shares at once"
    within("to", question.to, first, last, why)
    return Response(shares(question, next(blocks)), media_type="application/json")
