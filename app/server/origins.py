"""From where a request may come: by a name of this server, and from its own pages where it costs something."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ..errors import error_body
from ..settings import Settings
from .middleware import route_path


class OwnNames:
    """Answers only requests for a name of this server, so that no other name can be pointed at it to read from it.

    Its names are those of the settings, this machine's, and the address at which the request came in.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        machine = socket.gethostname().lower()
        told = (name.strip().lower() for name in settings.hosts.split(","))
        self.names = {"localhost", machine, f"{machine}.local", *told} - {""}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not all(
            self._ours(host, scope) for host in Headers(scope=scope).getlist("host")
        ):
            message = "this server does not answer to this host name; add the name to GRUSCOPE_HOSTS"
            await _refusal(421, "host", message)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _ours(self, host: str, scope: Scope) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self.names or (scope.get("server") and name == scope["server"][0]):
            return True
        try:
            return ip_address(name).is_loopback
        except ValueError:
            return False


class OwnPages:
    """Refuses what another origin's page asks, where that changes or costs something: all but GET, and all of /api.

    A link to an export can be followed from anywhere, pages can be embedded, and programs that are no browser send
    neither of the two headers and pass.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _may_be_asked(scope):
            message = "this request comes from a page of another origin; only this server's pages may send it"
            await _refusal(403, "cross-origin", message)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _may_be_asked(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    if scope["method"] in ("GET", "HEAD", "OPTIONS"):
        followed = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        if followed or not route_path(scope).startswith("/api/"):
            return True
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    # Where TLS ends in front of this server an https page is asked for as http.
    schemes = {scope["scheme"], "https"}
    return origin is None or origin.lower() in {f"{scheme}://{headers.get('host', '').lower()}" for scheme in schemes}


def _refusal(status: int, code: str, message: str) -> JSONResponse:
    """An answer to a request whose body was not read."""
    return JSONResponse(error_body(code, message), status, {"Connection": "close"})
