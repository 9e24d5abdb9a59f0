"""gruscope import: a GRU from elsewhere, made a GRU Scope model."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gru_core.formats import FormatError, Unanswered

from .. import output
from ..commands import brought
from ..models import model_entry
from ..runs.answers import to_json

HELP = "import a network from PyTorch, Keras, ONNX, Flax, Equinox or Haiku, and report how its file was read"
EXAMPLES = (
    "gruscope import net.safetensors",
    "gruscope import net.onnx --answer direction=forward --out net-forward.safetensors",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    brought.add_arguments(parser)
    parser.add_argument("--out", type=Path, metavar="X.safetensors", help="save the model as a GRU Scope file")


def run(options: argparse.Namespace) -> int:
    """0 when the file was understood, 1 when it cannot be read, 2 when something must be answered first."""
    try:
        found = brought.read(options)
    except (FormatError, OSError) as error:
        brought.explain(error, options)
        return brought.ANSWERS if isinstance(error, Unanswered) else 1
    if options.json:
        print(to_json(model_entry(options.file.stem, found.model, found.said)).decode())
    else:
        print("\n".join(found.said))
    if options.out:
        try:
            output.write(options.out, found.model.to_bytes())
        except OSError as error:
            print(f"gruscope: {options.out} cannot be written: {error.strerror}", file=sys.stderr)
            return 1
    return 0
