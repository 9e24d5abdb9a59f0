"""GET / and GET /embed: the Lab."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ..pages.lab import page_context
from ..pages.page import respond_with_figures
from ..server.middleware import route_path
from ..settings import Settings

router = APIRouter()


@router.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
@router.api_route("/embed", methods=["GET", "HEAD"], include_in_schema=False)
def lab(request: Request) -> Response:
    settings: Settings = request.app.state.settings
    uploads = settings.no_uploads is None and route_path(request.scope) != "/embed"
    return respond_with_figures(request, "lab.html", page_context(request.query_params, settings, uploads=uploads))
