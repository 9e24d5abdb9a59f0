"""GET /static/<version>/<path>: static files. GET /embed/gruscope.js: the script of figures in other pages."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ..assets import assets, version
from ..embed import component
from ..errors import Refused

router = APIRouter(include_in_schema=False)


@router.get("/embed/gruscope.js")
def figure_script() -> Response:
    # Any page can import the script as a module. It holds no data of this server.
    headers = {"Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"}
    return Response(component.script(), 200, headers, "text/javascript")


@router.get("/static/{build}/{path:path}")
def static(request: Request, build: str, path: str) -> Response:
    asset = assets().get(path)
    if asset is None:
        raise Refused(404, "not-found", "there is no such file")
    # A page of an older version gets the current file, and must check it again before each use.
    immutable = build == version()
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if immutable else "no-cache",
        "Vary": "Accept-Encoding",
    }
    accepted = {part.split(";")[0].strip() for part in request.headers.get("accept-encoding", "").split(",")}
    for encoding in ("br", "gzip"):
        if encoding in accepted and (body := asset.encode(encoding)) is not None:
            return Response(body, 200, headers | {"Content-Encoding": encoding}, asset.media_type)
    return Response(asset.content, 200, headers, asset.media_type)
