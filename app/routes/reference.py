"""GET /docs: the API as its OpenAPI document describes it, on a page that loads nothing from other hosts."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ..pages.page import respond

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def docs(request: Request) -> Response:
    return respond(request, "docs.html", {"openapi": request.app.openapi()})
