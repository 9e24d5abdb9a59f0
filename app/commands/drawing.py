"""The options --temperature and --seed of the commands that let a network write."""

from __future__ import annotations

import argparse

from gru_core.numerals import decimal, whole
from gru_core.runs.writing import HOTTEST

TEMPERATURE, SEED = 1.0, 0
"""The defaults."""


def add_drawing(parser: argparse.ArgumentParser) -> None:
    """Add the options to a parser."""
    parser.add_argument(
        "--temperature",
        type=_temperature,
        default=TEMPERATURE,
        metavar="X",
        help=f"0 takes the likeliest symbol each time, {HOTTEST:g} is the most (default: %(default)g)",
    )
    parser.add_argument("--seed", type=count, default=SEED, metavar="N", help="another seed writes another text")


def count(text: str) -> int:
    """Return the whole number that an option gives."""
    if (number := whole(text)) is None:
        raise argparse.ArgumentTypeError("this is a whole number, at least 0")
    return number


def _temperature(text: str) -> float:
    if (number := decimal(text)) is None:
        raise argparse.ArgumentTypeError(f"the temperature is a number from 0 to {HOTTEST:g}")
    return number
