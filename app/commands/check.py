"""gruscope check: run a parity check of a network file against its library, for people and for build servers."""

from __future__ import annotations

import argparse
from pathlib import Path

import gru_core
from gru_core.formats import FormatError

from ..commands import network_file
from ..intake.child import parity_result
from ..runs.answers import to_json

HELP = "check that GRU Scope computes the same numbers for a network as the library it comes from"
EXAMPLES = ("gruscope check net.safetensors --reference net-reference.npz",)
CANNOT_BE_COMPARED = 2
"""The exit code if one of the files cannot be read."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    network_file.add_arguments(parser)
    parser.add_argument(
        "--reference",
        type=Path,
        required=True,
        metavar="REF.npz",
        help="file with an input x, and the states h (or h_l0, h_l1, …) or the outputs y that the library computed",
    )


def run(options: argparse.Namespace) -> int:
    """Return 0 if the numbers match, 1 if they do not, and 2 if they cannot be compared."""
    try:
        imported = network_file.read(options)
    except (FormatError, OSError) as error:
        network_file.print_error(error, options)
        return CANNOT_BE_COMPARED
    options.file = options.reference  # errors from here on are about the reference
    try:
        report = gru_core.check(imported, options.reference)
    except (FormatError, OSError) as error:
        network_file.print_error(error, options)
        return CANNOT_BE_COMPARED
    print(to_json(parity_result(report)).decode() if options.json else report)
    return 0 if report.passed else 1
