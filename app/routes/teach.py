"""GET /teach and GET /teach/lab-sheet: plans for a class, and a sheet of tasks to print."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ..pages import teach as pages
from ..pages.page import respond
from ..settings import is_loopback

router = APIRouter(include_in_schema=False)


@router.api_route("/teach", methods=["GET", "HEAD"])
def teach(request: Request) -> Response:
    context = pages.plans_context(request.app.state.settings)
    return respond(request, "teach.html", context | {"local": is_loopback(request.url.hostname or "")})


@router.api_route("/teach/lab-sheet", methods=["GET", "HEAD"])
def lab_sheet(request: Request) -> Response:
    context = pages.lab_sheet_context(request.app.state.settings)
    return respond(request, "lab-sheet.html", context | {"address": str(request.base_url)})
