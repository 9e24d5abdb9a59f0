"""Parameter types for handlers that receive numbers in a path or a query."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from gru_core.numerals import decimal, whole


def _whole(text: object) -> int:
    digits = text.removeprefix("-") if isinstance(text, str) else ""
    number = whole(digits)
    if number is None:
        raise PydanticCustomError("whole", "must be a whole number, written with the digits 0 to 9")
    return number if digits == text else -number


Whole = Annotated[int, BeforeValidator(_whole)]
"""A whole number written with the digits 0 to 9."""


def _decimal(text: object) -> float:
    number = decimal(text) if isinstance(text, str) else None
    if number is None:
        raise PydanticCustomError("decimal", "must be a number, written with the digits 0 to 9")
    return number


Decimal = Annotated[float, BeforeValidator(_decimal)]
"""A number written with the digits 0 to 9."""
