"""Tokens, the text of one timestep's input, as people see them."""

from __future__ import annotations

from gru_core.numerals import decimals

FEW = 4
"""The most numbers of a token that are shown as they are, as in static/tokens.js."""


def name_of(token: str) -> str:
    """Return a token as pages and tables show it: many numbers are counted, as in "80 numbers"."""
    count = token.count(",") + 1
    return f"{count} numbers" if count > FEW and decimals(token) is not None else token
