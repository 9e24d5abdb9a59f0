"""Errors, and the form of all error responses: {"error": {"code", "message", "where"}}.

The message is for the visitor of the page. It never repeats the request.
"""

from __future__ import annotations

from typing import Any

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


def error_body(code: str, message: str, where: str | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "where": where}}
