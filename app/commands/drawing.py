"""The --temperature and --seed options, shared by commands that let a network write."""

from __future__ import annotations

import argparse

from gru_core.numerals import decimal
from gru_core.runs.writing import HOTTEST

from .numbers import count

TEMPERATURE, SEED = 1.0, 0
"""The defaults of the options."""


def add_drawing(parser: argparse.ArgumentParser) -> None:
    """Add --temperature and --seed to a parser."""
    parser.add_argument(
        "--temperature",
        type=_temperature,
        default=TEMPERATURE,
        metavar="X",
        help=f"0 takes the likeliest symbol each time, {HOTTEST:g} is the most (default: %(default)g)",
    )
    parser.add_argument("--seed", type=count, default=SEED, metavar="N", help="another seed writes another text")


def _temperature(text: str) -> float:
    if (number := decimal(text)) is None:
        raise argparse.ArgumentTypeError(f"the temperature is a number from 0 to {HOTTEST:g}")
    return number
