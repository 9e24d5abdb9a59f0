"""GET /train and GET /embed/train: the page Train."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ..pages.page import respond_with_figures
from ..pages.train import page_context

router = APIRouter()


@router.api_route("/train", methods=["GET", "HEAD"], include_in_schema=False)
@router.api_route("/embed/train", methods=["GET", "HEAD"], include_in_schema=False)
def train(request: Request) -> Response:
    return respond_with_figures(request, "train.html", page_context(request.query_params, request.app.state.settings))
