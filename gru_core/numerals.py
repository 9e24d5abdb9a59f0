"""Parsers of numbers in text. They accept only ASCII digits, and at most `LONGEST` characters.

Python's `int` and `float` accept more: digits of other scripts, underscores, thousands of digits and, for `float`, inf
and nan.
"""

from __future__ import annotations

import re

LONGEST = 40
"""The largest number of characters in a number."""

_NUMBER = r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?"
_DECIMAL = re.compile(_NUMBER)
_DECIMALS = re.compile(rf"(?:{_NUMBER},)*+{_NUMBER}")


def whole(text: str) -> int | None:
    """Parse `text` as a nonnegative integer. Return None if it is not one."""
    return int(text) if len(text) <= LONGEST and text.isascii() and text.isdigit() else None


def decimal(text: str) -> float | None:
    """Parse `text` as a float, or return None if it is not a number. A number too large for a float is infinite."""
    return float(text) if len(text) <= LONGEST and _DECIMAL.fullmatch(text) else None


def decimals(text: str) -> list[float] | None:
    """Parse comma-separated numbers as `decimal` does. Return None if one of them is not a number."""
    pieces = text.split(",")
    return list(map(float, pieces)) if max(map(len, pieces)) <= LONGEST and _DECIMALS.fullmatch(text) else None
