"""gruscope check: proof that a model computes what its source computes, for people and for build servers."""

from __future__ import annotations

import argparse
from pathlib import Path

import gru_core
from gru_core.formats import FormatError

from ..commands import brought
from ..intake.child import parity
from ..runs.answers import to_json

HELP = "check that GRU Scope computes the same numbers for a network as the library it comes from"
EXAMPLES = ("gruscope check net.safetensors --reference net-reference.npz",)
CANNOT_BE_COMPARED = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    brought.add_arguments(parser)
    parser.add_argument(
        "--reference",
        type=Path,
        required=True,
        metavar="REF.npz",
        help="file with an input x, and the states h (or h_l0, h_l1, …) or the outputs y that the library computed",
    )


def run(options: argparse.Namespace) -> int:
    """0 when they match, 1 when they do not, 2 when they cannot be compared."""
    try:
        imported = brought.read(options)
    except (FormatError, OSError) as error:
        brought.explain(error, options)
        return CANNOT_BE_COMPARED
    options.file = options.reference  # what is wrong from here on is wrong there
    try:
        report = gru_core.check(imported, options.reference)
    except (FormatError, OSError) as error:
        brought.explain(error, options)
        return CANNOT_BE_COMPARED
    print(to_json(parity(report)).decode() if options.json else report)
    return 0 if report.passed else 1
