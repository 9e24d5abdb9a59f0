"""Errors, and the JSON format of all error responses: {"error": {"code", "message", "where"}}.

The message is shown to the visitor of the page. It never repeats the request.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from gru_core import SequenceError

FAILED = "something went wrong on the server; its log has the details"


class Refused(Exception):
    """The error for a request that the server refuses, with the status, code and message of the response.

    `where` names the part of the request that is wrong. `retry_after` is the number of seconds after which the client
    can try again.
    """

    def __init__(
        self, status: int, code: str, message: str, where: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.where = status, code, message, where
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}


def within(where: str, number: int, lowest: int, highest: int, why: str) -> None:
    """Raise Refused if `number`, the value of the field `where`, is not from `lowest` to `highest`.

    `why` explains these limits in the message.
    """
    if not lowest <= number <= highest:
        raise Refused(422, "request", f"{where} must be from {lowest} to {highest}: {why}", where)


class ErrorDetail(BaseModel):
    """The error in an error response.

    `where` names the part of the request that is wrong, or is null. Places in lists count from 1.
    """

    code: str
    message: str
    where: str | None


class ErrorBody(BaseModel):
    error: ErrorDetail


def error_body(code: str, message: str, where: str | None = None) -> dict[str, Any]:
    """Return the body of an error response, in JSON types."""
    return ErrorBody(error=ErrorDetail(code=code, message=message, where=where)).model_dump()


def at_place(place: str, error: Refused | SequenceError) -> Refused:
    """Return the error as `Refused`, with `place` at the start of its `where`, such as "scenarios.2.sequence"."""
    if isinstance(error, SequenceError):
        error = Refused(422, "sequence", str(error), part_of(error))
    if error.where is not None:
        error.where = f"{place}.{error.where}"
    return error


def part_of(error: SequenceError) -> str:
    """Return the part of the request that is wrong: "sequence", or one of its timesteps, such as "sequence.3"."""
    return "sequence" if error.step is None else f"sequence.{error.step}"
