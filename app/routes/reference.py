"""GET /docs: the reference of the API from its OpenAPI document. The page loads nothing from other hosts."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ..pages.page import respond

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def docs(request: Request) -> Response:
    return respond(request, "docs.html", {"openapi": request.app.openapi()})
