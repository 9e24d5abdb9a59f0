"""The responses to errors in requests. Commands, which have no server, do not import FastAPI with them."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from gru_core import SequenceError

from ..errors import FAILED, Refused, error_body, part_of

NO_PAGE = {
    404: "there is nothing at this address; check the address",
    405: "this address does not accept requests with this method",
}
"""The messages for a status if no route handled the request."""


def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return JSONResponse(error_body(error.code, error.message, error.where), error.status, error.headers)


def _sequence(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, SequenceError)
    return JSONResponse(error_body("sequence", str(error), part_of(error)), 422)


def _validation(_: Request, error: Exception) -> JSONResponse:
    """Return an error that names the wrong field. FastAPI's own response would repeat the input."""
    assert isinstance(error, RequestValidationError)
    # If a field can have several forms, the most deeply nested error belongs to the form that the client meant.
    first = max(error.errors(), key=lambda entry: len(entry["loc"]))
    if first["type"] == "json_invalid":
        return JSONResponse(error_body("json", "the request is not valid JSON"), 400)
    if first["type"] == "model_attributes_type" and len(first["loc"]) == 1:
        return JSONResponse(error_body("request", "the request must be a JSON object, sent as application/json"), 422)
    # Only names of the schema may be in `where`, because an unknown key is text of the visitor.
    # Places in a list count from 1, as timesteps do on the page.
    place = [str(part + 1 if isinstance(part, int) else part) for part in first["loc"][1:]]
    unknown = first["type"] == "extra_forbidden"
    place = place[:-1] if unknown else place
    where = ".".join(part for part in place if not part.startswith(("list[", "str"))) or None
    if unknown:
        message = f"{where or 'this request'} has an unknown field"
    else:
        message = (f"{where}: " if where else "") + first["msg"][:1].lower() + first["msg"][1:]
    return JSONResponse(error_body("request", message, where), 422)


def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    if status == 400:
        return JSONResponse(error_body("json", "the request could not be read as JSON"), 400)
    code = status.phrase.lower().replace(" ", "-")
    message = NO_PAGE.get(status) or status.description or status.phrase
    return JSONResponse(error_body(code, message), status, headers=error.headers)


def _unexpected(request: Request, _: Exception) -> JSONResponse:
    # This response passes no middleware, so it needs its own headers.
    body = error_body("server", FAILED)
    headers = request.app.state.settings.security_headers(request.url.path, request.url.scheme)
    return JSONResponse(body, 500, headers)


def add_handlers(app: FastAPI) -> None:
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(SequenceError, _sequence)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)
