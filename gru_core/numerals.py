"""Numbers as text writes them: in ASCII digits, and at most `LONGEST` characters of them.

`int` and `float` alone also read the digits of other scripts, underscores, inf and nan, and take their time over
thousands of digits.
"""

from __future__ import annotations

import re

LONGEST = 40
"""Characters of a number."""

_DECIMAL = re.compile(r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?")


def whole(text: str) -> int | None:
    """Return the whole number, 0 or more, that the text is; None when it is none."""
    return int(text) if len(text) <= LONGEST and text.isascii() and text.isdigit() else None


def decimal(text: str) -> float | None:
    """Return the number that the text is, infinite when it is too large for a float; None when it is no number."""
    return float(text) if len(text) <= LONGEST and _DECIMAL.fullmatch(text) else None
