"""GET /compare and GET /embed/compare: the page Compare."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ..pages.compare import page_context
from ..pages.page import respond_with_figures

router = APIRouter()


@router.api_route("/compare", methods=["GET", "HEAD"], include_in_schema=False)
@router.api_route("/embed/compare", methods=["GET", "HEAD"], include_in_schema=False)
def compare(request: Request) -> Response:
    return respond_with_figures(request, "compare.html", page_context(request.query_params, request.app.state.settings))
