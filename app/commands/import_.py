"""gruscope import: convert a network file to a GRU Scope model."""

from __future__ import annotations

import argparse
from pathlib import Path

from gru_core.formats import FormatError, Unanswered

from .. import output
from ..commands import network_file
from ..models import model_entry
from ..runs.answers import to_json
from .messages import fail_to_write

HELP = "import a network from PyTorch, Keras, ONNX, Flax, Equinox, Haiku or MLX, and report how its file was read"
EXAMPLES = (
    "gruscope import net.safetensors",
    "gruscope import net.onnx --answer direction=forward --out net-forward.safetensors",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    network_file.add_arguments(parser)
    parser.add_argument("--out", type=Path, metavar="X.safetensors", help="save the model as a GRU Scope file")


def run(options: argparse.Namespace) -> int:
    """Import the file. Return the exit code: 0, 1 if the file cannot be read, 2 if a question about it is open."""
    try:
        network = network_file.read(options)
    except (FormatError, OSError) as error:
        network_file.print_error(error, options)
        return network_file.ANSWERS_NEEDED if isinstance(error, Unanswered) else 1
    if options.json:
        print(to_json(model_entry(options.file.stem, network.model, network.report)).decode())
    else:
        print("\n".join(network.report))
    if options.out:
        try:
            output.write(options.out, network.model.to_bytes())
        except OSError as error:
            return fail_to_write(options.out, error)
    return 0
