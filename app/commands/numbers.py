"""Whole numbers as values of options."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from gru_core.numerals import whole


def whole_number(message: str, least: int = 0, most: int | None = None) -> Callable[[str], int]:
    """Return a function that parses a whole number. Other numbers and other text are refused with `message`."""

    def parse(text: str) -> int:
        number = whole(text)
        if number is None or number < least or (most is not None and number > most):
            raise argparse.ArgumentTypeError(message)
        return number

    return parse


count = whole_number("this is a whole number, at least 0")
