"""gruscope write: let a network continue a prompt."""

from __future__ import annotations

import argparse
import json

import numpy as np

import gru_core

from ..errors import Refused
from .clamps import add_clamps, read_clamps
from .drawing import add_drawing
from .messages import fail
from .numbers import count

HELP = "let a network write: it draws each symbol from its output, and reads it next"
EXAMPLES = (
    "gruscope write name-writer irish",
    "gruscope write name-writer 'finnish vi' --steps 12 --temperature 0.8 --seed 3",
    "gruscope write name-writer irish --clamp z@3-5=0.2",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="NAME or FILE", help="a preset, such as name-writer, or the file of a model")
    parser.add_argument("prompt", help="the start of the sequence, in the model's alphabet")
    parser.add_argument("--steps", type=count, default=16, metavar="N", help="symbols at most (default: %(default)s)")
    add_drawing(parser)
    add_clamps(parser)
    parser.add_argument("--json", action="store_true", help="print the whole run, as Trace.to_dict() returns it")


def run(options: argparse.Namespace) -> int:
    try:
        model = gru_core.load(options.model)
        rng = np.random.default_rng(options.seed)
        clamps = read_clamps(options)
        writing = gru_core.write(model, options.prompt, options.steps, options.temperature, rng, clamps=clamps)
    except (OSError, ValueError, Refused) as error:
        return fail(str(error))
    print(json.dumps(writing.trace.to_dict(), allow_nan=False) if options.json else writing.text)
    return 0
