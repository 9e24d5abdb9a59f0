"""gruscope forecast: let a network forecast a series, with each forecast as its next input."""

from __future__ import annotations

import argparse

import gru_core

from .messages import fail
from .numbers import whole_number

HELP = "forecast a series: the network reads each forecast as its next input"
EXAMPLES = ('gruscope forecast --steps 11 "45.9 9.6 33 92.6 151.6 136.3 134.7 83.9"',)
MOST_STEPS = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("numbers", help="the numbers of the series so far, separated by spaces")
    parser.add_argument(
        "--model", default="sunspots", help="a preset that forecasts, or the file of a model (default: %(default)s)"
    )
    steps = whole_number(f"steps is a whole number, at most {MOST_STEPS:,}", 0, MOST_STEPS)
    parser.add_argument("--steps", type=steps, default=11, help="forecasts to make (default: %(default)s)")


def run(options: argparse.Namespace) -> int:
    """Print one forecast per line. Return the exit code: 0, or 1 if the numbers or the model cannot be used."""
    try:
        free_run = gru_core.forecast(gru_core.load(options.model), options.numbers, options.steps)
    except (OSError, ValueError) as error:
        return fail(str(error))
    for number in free_run.forecasts:
        print(f"{number:g}")
    return 0
