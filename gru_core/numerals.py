"""Parsers of numbers in text. They accept only ASCII digits, and at most `LONGEST` characters.

Python's `int` and `float` accept more: digits of other scripts, underscores, thousands of digits and, for `float`, inf
and nan.
"""

from __future__ import annotations

import re

LONGEST = 40
"""The most characters of a number."""

_NUMBER = r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?"
_DECIMAL = re.compile(_NUMBER)
_DECIMALS = re.compile(rf"(?:{_NUMBER},)*+{_NUMBER}")


def whole(text: str) -> int | None:
    """Return the number if the text is a whole number from 0, else None."""
    return int(text) if len(text) <= LONGEST and text.isascii() and text.isdigit() else None


def decimal(text: str) -> float | None:
    """Return the number in the text, or None if the text is not a number. It is infinite if a float cannot hold it."""
    return float(text) if len(text) <= LONGEST and _DECIMAL.fullmatch(text) else None


def decimals(text: str) -> list[float] | None:
    """Return the numbers of a comma-separated text, each as in `decimal`, or None if one of them is not a number."""
    pieces = text.split(",")
    return list(map(float, pieces)) if max(map(len, pieces)) <= LONGEST and _DECIMALS.fullmatch(text) else None
