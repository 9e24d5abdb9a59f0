"""GET /train and GET /embed/train: the page Train."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ..pages.page import answered
from ..pages.train import filled

router = APIRouter()


@router.api_route("/train", methods=["GET", "HEAD"], include_in_schema=False)
@router.api_route("/embed/train", methods=["GET", "HEAD"], include_in_schema=False)
def train(request: Request) -> Response:
    return answered(request, "train.html", filled(request.query_params, request.app.state.settings))
