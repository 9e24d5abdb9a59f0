"""The display of tokens on pages and in tables. A token is the text of the input at one timestep."""

from __future__ import annotations

from gru_core.numerals import decimals

FEW = 4
"""The most numbers in a token that is shown in full, as in static/tokens.js."""


def name_of(token: str) -> str:
    """Return a token as pages and tables show it. A token with many numbers becomes a count, such as "80 numbers"."""
    count = token.count(",") + 1
    return f"{count} numbers" if count > FEW and decimals(token) is not None else token
