"""Numbers in text: in ASCII digits, with at most `LONGEST` characters.

`int` and `float` also read the digits of other scripts and underscores, `float` reads inf and nan, and both read
thousands of digits.
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
    """Return the number in the text, infinite if it is too large for a float; None if the text is no number."""
    return float(text) if len(text) <= LONGEST and _DECIMAL.fullmatch(text) else None


def decimals(text: str) -> list[float] | None:
    """Return the numbers in a text that has commas between them, as `decimal` reads each; None if one is no number."""
    pieces = text.split(",")
    return list(map(float, pieces)) if max(map(len, pieces)) <= LONGEST and _DECIMALS.fullmatch(text) else None
