"""GET / and GET /embed: the Lab."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ..pages.lab import filled
from ..pages.page import answered
from ..server.middleware import route_path
from ..settings import Settings

router = APIRouter()


@router.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
@router.api_route("/embed", methods=["GET", "HEAD"], include_in_schema=False)
def lab(request: Request) -> Response:
    settings: Settings = request.app.state.settings
    uploads = settings.no_uploads is None and route_path(request.scope) != "/embed"
    return answered(request, "lab.html", filled(request.query_params, settings, uploads=uploads))
