"""Parsers of whole numbers, for the values of options."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from gru_core.numerals import whole


def whole_number(message: str, least: int = 0, most: int | None = None) -> Callable[[str], int]:
    """Return a function that parses a whole number from `least` to `most`.

    The function raises ArgumentTypeError with `message` for any other text.
    """

    def parse(text: str) -> int:
        number = whole(text)
        if number is None or number < least or (most is not None and number > most):
            raise argparse.ArgumentTypeError(message)
        return number

    return parse


count = whole_number("this is a whole number, at least 0")
