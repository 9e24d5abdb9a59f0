"""GET /healthz"""

from fastapi import APIRouter

router = APIRouter()


@router.get("/healthz", summary="Whether the server is up")
def healthz() -> dict[str, str]:
    return {"status": "ok"}
