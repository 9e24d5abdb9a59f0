"""Checks of the host name in a request, and of the origin of the page that sent the request."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ..settings import Settings, is_loopback
from .middleware import refusal, route_path


class HostCheck:
    """Middleware that accepts only requests to a host name of this server, as a protection against DNS rebinding.

    The host names are the names in the settings, the name of this machine, loopback names, and the address at which the
    request arrived.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        machine = socket.gethostname().lower()
        others = (name.strip().lower() for name in settings.hosts.split(","))
        self.names = {"localhost", machine, f"{machine}.local", *others} - {""}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not all(
            self._is_own(host, scope) for host in Headers(scope=scope).getlist("host")
        ):
            message = "this server does not answer to this host name; add the name to GRUSCOPE_HOSTS"
            await refusal(421, "host", message)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _is_own(self, host: str, scope: Scope) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self.names or bool(scope.get("server") and name == scope["server"][0]) or is_loopback(name)


class OriginCheck:
    """Middleware that refuses requests from pages of another origin to /api, or with a method that can change data.

    Links to exports still work on any page, and other sites can embed pages. Programs other than browsers send neither
    `Sec-Fetch-Site` nor `Origin`, so their requests pass.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _is_allowed(scope):
            message = "this request comes from a page of another origin; only this server's pages may send it"
            await refusal(403, "cross-origin", message)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _is_allowed(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    if scope["method"] in ("GET", "HEAD", "OPTIONS"):
        navigation = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        if navigation or not route_path(scope).startswith("/api/"):
            return True
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    # If a proxy terminates TLS, requests from an https page arrive here as http.
    schemes = {scope["scheme"], "https"}
    return origin is None or origin.lower() in {f"{scheme}://{headers.get('host', '').lower()}" for scheme in schemes}
