"""GET /docs: the interface as its OpenAPI document describes it, read without anything from elsewhere."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ..assets import version
from ..routes.lab import root_of, templates

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def docs(request: Request) -> Response:
    root = root_of(request)
    page = {"openapi": request.app.openapi(), "root": root, "static": f"{root}/static/{version()}"}
    return templates.TemplateResponse(request, "docs.html", page)
