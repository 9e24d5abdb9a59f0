"""gruscope check: compare a network file with a reference or with a second file, for people and for build servers."""

from __future__ import annotations

import argparse
from pathlib import Path

import gru_core
from gru_core import formats
from gru_core.formats import FormatError, Imported
from gru_core.parity import reference as references
from gru_core.parity.report import is_reference

from ..commands import network_file
from ..intake.child import parity_result
from ..runs.answers import to_json

HELP = "check that a network computes the same numbers as another implementation, and name the cause if not"
EXAMPLES = (
    "gruscope check net.safetensors --reference net-reference.npz",
    "gruscope check net.safetensors port.onnx",
)
CANNOT_BE_COMPARED = 2
"""The exit code if a file cannot be read."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    network_file.add_arguments(parser)
    others = parser.add_mutually_exclusive_group(required=True)
    others.add_argument(
        "other", type=Path, nargs="?", metavar="OTHER", help="second file of a network, or a reference (.npz)"
    )
    others.add_argument(
        "--reference",
        type=Path,
        metavar="REF.npz",
        help="file with an input x, and the states h (or h_l0, h_l1, …) or the outputs y that the library computed; "
        "it can also have h0 (in an LSTM c0 too), lengths or mask",
    )
    parser.add_argument(
        "--second-answer",
        type=network_file.parse_answer,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="answer to a question about the second file; repeat the option for more answers",
    )


def run(options: argparse.Namespace) -> int:
    """Compare the files, and return the exit code: 0 if the numbers match, 1 if not, 2 if a file cannot be read."""
    try:
        imported = network_file.read(options)
    except (FormatError, OSError) as error:
        network_file.print_error(error, options)
        return CANNOT_BE_COMPARED
    options.file = options.reference or options.other  # errors from here on are about this file
    try:
        report = gru_core.check(imported, _other(options))
    except (FormatError, OSError) as error:
        network_file.print_error(error, options)
        return CANNOT_BE_COMPARED
    print(to_json(parity_result(report)).decode() if options.json else report)
    return 0 if report.passed else 1


def _other(options: argparse.Namespace) -> Path | Imported:
    """Return the path of a reference, or the network in the second file. Raises FormatError or OSError."""
    path: Path = options.file
    if options.reference is not None or is_reference(references.data(path)):
        return path
    options.answer_option = "--second-answer"
    return formats.read_file(path, dict(options.second_answer))
