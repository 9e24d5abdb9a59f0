"""Error responses. All of them have the form {"error": {"code", "message", "where"}}.

The message is for the visitor of the page. It never repeats the request.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TypedDict

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from gru_core import SequenceError

NO_PAGE = {
    404: "there is nothing at this address; check the address",
    405: "this address does not accept requests with this method",
}
"""The messages for a status if no route handled the request."""

FAILED = "something went wrong on the server; its log has the details"


class Refused(Exception):
    """A refused request: the status and the error of its response. `where` names the wrong part of the request.

    `retry_after` is the number of seconds after which the client can try again.
    """

    def __init__(
        self, status: int, code: str, message: str, where: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.where = status, code, message, where
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}


def within(where: str, number: int, lowest: int, highest: int, why: str) -> None:
    """Raise Refused if `number` is not from `lowest` to `highest`. `why` says what these limits are."""
    if not lowest <= number <= highest:
        raise Refused(422, "request", f"{where} must be from {lowest} to {highest}: {why}", where)


class ErrorDetails(TypedDict):
    """An error's `code`, its message, and the name of the field that it is about, if there is one."""

    code: str
    message: str
    where: str | None


class ErrorBody(TypedDict):
    """The body of every response with an error."""

    error: ErrorDetails


def error_body(code: str, message: str, where: str | None = None) -> ErrorBody:
    return {"error": {"code": code, "message": message, "where": where}}


def at_place(place: str, error: Refused | SequenceError) -> Refused:
    """Return the error with `place` before the name of the wrong part of the request."""
    if isinstance(error, SequenceError):
        error = Refused(422, "sequence", str(error), _part_of(error))
    if error.where is not None:
        error.where = f"{place}.{error.where}"
    return error


def _part_of(error: SequenceError) -> str:
    return "sequence" if error.step is None else f"sequence.{error.step}"


def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return JSONResponse(error_body(error.code, error.message, error.where), error.status, error.headers)


def _sequence(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, SequenceError)
    return JSONResponse(error_body("sequence", str(error), _part_of(error)), 422)


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
