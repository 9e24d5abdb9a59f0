"""The exception handlers, which build the error responses.

They are not in errors.py, because commands use that module and should not import FastAPI.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from gru_core import SequenceError

from ..errors import FAILED, Refused, error_body, part_of
from ..pages.page import respond
from .middleware import route_path

NO_PAGE = {
    404: "there is nothing at this address; check the address",
    405: "this address does not accept requests with this method",
}
"""The messages for requests that no route handles, by status."""


def _opens_page(request: Request) -> bool:
    """Return whether a browser opens the address as a page. Programs and scripts do not accept text/html."""
    return "text/html" in request.headers.get("accept", "") and not route_path(request.scope).startswith("/api/")


def _response(
    request: Request,
    status: int,
    code: str,
    message: str,
    where: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an error response: a page if a browser opens the address, otherwise JSON."""
    if not _opens_page(request):
        return JSONResponse(error_body(code, message, where), status, headers)
    heading = "There is no such page" if status == 404 else "This page cannot be shown"
    embed = route_path(request.scope).startswith("/embed")
    context = {"heading": heading, "message": message, "section": "error", "embed": embed, "hide": []}
    response = respond(request, "error.html", context, status)
    response.headers.update(headers or {})
    return response


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return _response(request, error.status, error.code, error.message, error.where, error.headers)


def _sequence(request: Request, error: Exception) -> Response:
    assert isinstance(error, SequenceError)
    return _response(request, 422, "sequence", str(error), part_of(error))


def _validation(request: Request, error: Exception) -> Response:
    """Return an error response that names the wrong field. FastAPI's own response would repeat the input."""
    assert isinstance(error, RequestValidationError)
    # If a field can have several forms, the most deeply nested error belongs to the form that the client meant.
    first = max(error.errors(), key=lambda entry: len(entry["loc"]))
    if first["loc"][0] == "path" and _opens_page(request):
        return _response(request, 404, "not-found", NO_PAGE[404])
    if first["type"] == "json_invalid":
        return _response(request, 400, "json", "the request is not valid JSON")
    if first["type"] == "model_attributes_type" and len(first["loc"]) == 1:
        return _response(request, 422, "request", "the request must be a JSON object, sent as application/json")
    # `where` may contain only names from the schema, because an unknown key is text from the visitor.
    # Places in a list count from 1, as timesteps do on the page.
    place = [str(part + 1 if isinstance(part, int) else part) for part in first["loc"][1:]]
    unknown = first["type"] == "extra_forbidden"
    place = place[:-1] if unknown else place
    where = ".".join(part for part in place if not part.startswith(("list[", "str"))) or None
    if unknown:
        message = f"{where or 'this request'} has an unknown field"
    else:
        message = (f"{where}: " if where else "") + first["msg"][:1].lower() + first["msg"][1:]
    return _response(request, 422, "request", message, where)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    if status == 400:
        return _response(request, 400, "json", "the request could not be read as JSON")
    code = status.phrase.lower().replace(" ", "-")
    message = NO_PAGE.get(status) or status.description or status.phrase
    return _response(request, status, code, message, headers=error.headers)


def _unexpected(request: Request, _: Exception) -> Response:
    # This response does not pass through the middleware, so it needs its own headers.
    headers = request.app.state.settings.security_headers(request.url.path, request.url.scheme)
    return _response(request, 500, "server", FAILED, headers=headers)


def add_handlers(app: FastAPI) -> None:
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(SequenceError, _sequence)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)
