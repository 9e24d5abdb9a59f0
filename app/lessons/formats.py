"""Formats for the numbers in lessons."""

from __future__ import annotations

import re
from typing import NamedTuple


class Value(NamedTuple):
    """The value of an expression, a number or words, and its text on the page."""

    value: float | str
    text: str


def format_value(value: float | str, kind: str, form: str) -> Value:
    """Return a value together with its text.

    The text has a true minus sign. Its format follows `kind`, for example a whole percentage for a share, or two
    decimals. `form` can set the format instead: "%" or, for three decimals, ".3". Raises ValueError for another `form`.
    """
    if isinstance(value, str):
        return Value(value, value)
    if form and not re.fullmatch(r"%|\.\d", form):
        raise ValueError(f"write a number “as %” or “as .3”, not “as {form}”")
    if form == "%" or (kind == "share" and not form):
        share = 100 * value
        # Values near 0% and near 100% get a decimal, so that they do not look like exactly 0% or 100%.
        decimals = 1 if (0 < abs(share) < 1.5 or 98.5 < abs(share) < 100) else 0
        text = f"{share:.{decimals}f}%" if abs(share) >= 0.05 or share == 0 else "less than 0.1%"
    elif form:
        text = f"{value:.{form[1:]}f}"
    elif kind == "count":
        text = f"{value:,.0f}"
    elif kind == "median":
        text = f"{value:,g}"
    elif kind == "steps":
        text = "∞" if value == float("inf") else f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
    elif kind == "times":
        text = f"{value:.1f}" if abs(value) < 100 else f"{value:,.0f}"
    elif abs(value) < 0.005 and kind in ("ratio", "error", "ms") and value != 0:
        mantissa, exponent = f"{value:.0e}".split("e")
        text = _power(mantissa, int(exponent))
    else:
        text = two_decimals(value)
    return Value(float(value), text.replace("-", "−"))


def two_decimals(value: float) -> str:
    """Format a number with two decimals, as 0.00 if it rounds to −0.00."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def _power(mantissa: str, exponent: int) -> str:
    raised = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa} · 10{raised}"
