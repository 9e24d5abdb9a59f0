"""GET /, /start, /compare and /train, and the same below /embed."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ..lessons import shelf
from ..pages import compare, lab, start, train
from ..pages.page import respond_with_figures
from ..server.middleware import route_path
from ..settings import Settings
from ..sitemap import START

FIRST_SCREEN = {"welcome", "convention"}
"""The keys that a link to the Lab's first screen may have. A link with any other key describes a view."""

router = APIRouter(include_in_schema=False)


@router.api_route("/", methods=["GET", "HEAD"])
@router.api_route("/embed", methods=["GET", "HEAD"])
def lab_page(request: Request) -> Response:
    settings: Settings = request.app.state.settings
    embedded = route_path(request.scope) == "/embed"
    uploads = settings.no_uploads is None and not embedded
    context = lab.page_context(request.query_params, settings, uploads=uploads)
    context["after_gate"] = start.task_after(request.query_params)
    if not embedded and request.query_params.keys() <= FIRST_SCREEN:
        context["newcomer"] = shelf.get(shelf.ORDER[0], settings)
    return respond_with_figures(request, "lab.html", context)


@router.api_route("/start", methods=["GET", "HEAD"])
@router.api_route("/embed/start", methods=["GET", "HEAD"])
def start_page(request: Request) -> Response:
    return respond_with_figures(request, START.template, start.page_context(request.app.state.settings))


@router.api_route("/compare", methods=["GET", "HEAD"])
@router.api_route("/embed/compare", methods=["GET", "HEAD"])
def compare_page(request: Request) -> Response:
    context = compare.page_context(request.query_params, request.app.state.settings)
    return respond_with_figures(request, "compare.html", context)


@router.api_route("/train", methods=["GET", "HEAD"])
@router.api_route("/embed/train", methods=["GET", "HEAD"])
def train_page(request: Request) -> Response:
    context = train.page_context(request.query_params, request.app.state.settings)
    return respond_with_figures(request, "train.html", context)
