"""The --clamp option, shared by commands that run a network."""

from __future__ import annotations

import argparse

from gru_core import Clamp

from ..link import read_link


def add_clamps(parser: argparse.ArgumentParser) -> None:
    """Add the --clamp option to a parser."""
    parser.add_argument(
        "--clamp",
        action="append",
        default=[],
        metavar="z.1@4-6=0",
        help="clamp a gate, the candidate or a state, written as in links; repeat the option for more clamps",
    )


def read_clamps(options: argparse.Namespace) -> list[Clamp]:
    """Parse the values of --clamp. Raises Refused if one of them is not valid."""
    return [body.clamp() for body in read_link({"clamps": ",".join(options.clamp)}).clamps]
