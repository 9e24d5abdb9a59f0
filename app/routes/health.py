"""GET /healthz, /readyz and /metrics: the state of the server, for monitoring."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ..errors import Refused

router = APIRouter()


@router.get("/healthz", summary="Check that the server is running")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/readyz", summary="Check that the server is ready for visitors")
def readyz(request: Request) -> dict[str, str]:
    if not request.app.state.ready:
        raise Refused(503, "starting", "the server is starting; try again in a second", retry_after=1)
    return {"status": "ready"}


@router.get("/metrics", summary="Get metrics for Prometheus", response_class=Response)
def metrics(request: Request) -> Response:
    collected = request.app.state.metrics
    if collected is None:
        raise Refused(404, "metrics", "metrics are off: run pip install 'gruscope[metrics]' on the server")
    return Response(collected.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
