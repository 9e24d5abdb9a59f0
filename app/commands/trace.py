"""gruscope trace: run a model over a sequence, and print its outputs, gates and states."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import gru_core
from gru_core import Clamp, Model, Trace, Vectors, presets
from gru_core.arrays import Array
from gru_core.encoders.vectors import Scaled
from gru_core.formats import FormatError
from gru_core.formats.vectors import ENDINGS, read_vectors
from gru_core.runs.trace import part
from gru_core.runs.writing import Written, run_written

from .. import output
from ..errors import Refused
from ..exports.files import Place, as_csv, as_npz
from ..link import read_h0
from ..runs.tokens import name_of
from .clamps import add_clamps, read_clamps
from .drawing import SEED, TEMPERATURE, add_drawing
from .messages import fail, fail_to_write, warn
from .numbers import count, whole_number

HELP = "run a model over a sequence, and print its outputs, gates and states"
EXAMPLES = (
    'gruscope trace "A m m B"',
    'gruscope trace --model sentiment --unit 3 "not very good ."',
    'gruscope trace --clamp z.1@4=0 "A m m B m"',
    'echo "=0.3 +0.2 0.1" | gruscope trace --model pocket-calculator --csv - > run.csv',
    'gruscope trace --after "B m m" "m A m"',
    "gruscope trace --model name-writer --write 12 --temperature 0.8 --seed 3 irish",
    'gruscope trace --npz run.npz "A m m B"',
    "gruscope trace --model net.safetensors x.npy",
)
FEW = 2
"""The maximum number of units, and of numbers in an output, in one row of the table."""

Column = tuple[str, Sequence[Any]]
"""A column of the table: the name, and a value for each timestep."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sequence",
        help="a sequence in the model's alphabet, - to read it from standard input, or a file of vectors (.npy, .npz "
        "or .csv) with a row for each timestep; an .npz can have lengths or mask (T) beside x",
    )
    parser.add_argument(
        "--model",
        default="flip-flop",
        help=f"a preset, such as {', '.join(presets.NAMES)}, or the file of a model (default: %(default)s)",
    )
    add_clamps(parser)
    initial = parser.add_mutually_exclusive_group()
    initial.add_argument(
        "--h0",
        metavar="0.5,-1;0.25",
        help="the initial state: the numbers of each layer (LSTM: h, then c) separated by commas, layers by semicolons",
    )
    initial.add_argument("--after", metavar="SEQUENCE", help="start from the state after this sequence or file")
    parser.add_argument(
        "--write",
        type=count,
        metavar="N",
        help="let the network write N timesteps at most after the sequence: it reads its own outputs",
    )
    add_drawing(parser)
    place = whole_number("layers and units are whole numbers, at least 1", 1)
    parser.add_argument("--layer", type=place, help="layer, from 1 (default: the top layer; with --csv, all)")
    parser.add_argument(
        "--unit",
        type=place,
        help=f"unit, from 1 (default: the unit that changes most, or all if there are at most {FEW}; with --csv, all)",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="print comma-separated values (CSV) with all digits")
    form.add_argument("--json", action="store_true", help="print the whole run, as Trace.to_dict() returns it")
    form.add_argument("--npz", type=Path, metavar="FILE", help="write the whole run to a file of NumPy arrays")


def run(options: argparse.Namespace) -> int:
    whole = options.json or options.npz is not None
    if whole and (options.layer or options.unit):
        return fail("--layer and --unit are for the table and --csv; --json and --npz give the whole run", 2)
    if options.write is None and (options.temperature, options.seed) != (TEMPERATURE, SEED):
        return fail("--temperature and --seed need --write: they say how the network writes", 2)
    try:
        model = gru_core.load(options.model)
        clamps = read_clamps(options)
        h0 = None if options.h0 is None else read_h0(options.h0)
        after = None if options.after is None else gru_core.trace(model, _sequence(options.after, model))
        sequence = _sequence(options.sequence, model)
        if options.write is None:
            given, trace = None, _trace(model, sequence, clamps, h0, after)
        else:
            given, trace = _written(model, sequence, options, clamps, h0 if after is None else after.last)
        places = _places(trace, options.layer, options.unit, every=options.csv)
    except (OSError, ValueError, Refused) as error:
        return fail(str(error))
    if options.json:
        print(json.dumps(trace.to_dict(), allow_nan=False))
    elif options.csv:
        for piece in as_csv(trace, places):
            print(piece.decode(), end="")
    elif options.npz is not None:
        try:
            output.write(options.npz, as_npz(trace))
        except OSError as error:
            return fail_to_write(options.npz, error)
        print(f"{options.npz}: {trace}")
    else:
        _print_table(trace, places, given)
    return 0


def _sequence(text: str, model: Model) -> str:
    """Return the sequence that an argument gives directly, as "-" for standard input, or as a file of vectors.

    Raises FormatError or another ValueError if the file cannot be read.
    """
    path = Path(text)
    if text == "-":
        return _read()
    if path.suffix.lower() not in ENDINGS or not isinstance(model.encoder, Vectors):
        return text
    try:
        file = read_vectors(path.read_bytes(), path.name, model.encoder)
    except FormatError as error:
        raise FormatError(f"{text}: {error}") from error
    except OSError as error:
        raise ValueError(f"{text} cannot be read: {error.strerror}") from error
    if file.note:
        warn(f"{text}: {file.note}")
    return file.text


def _read() -> str:
    """Read standard input as one sequence, and warn if it has several lines. Raises ValueError if it is not text."""
    try:
        text = sys.stdin.read()
    except UnicodeDecodeError as error:
        raise ValueError("the standard input is not text") from error
    lines = sum(bool(line.strip()) for line in text.splitlines())
    if lines > 1:
        note = f"the {lines} lines of the standard input are read as one sequence; for a sequence in each line use"
        warn(f"{note} gruscope census MODEL -")
    return text


def _trace(
    model: Model, sequence: str, clamps: Sequence[Clamp], h0: Sequence[Sequence[float]] | None, after: Trace | None
) -> Trace:
    """Run the model. With clamps, the returned trace also has the original run."""
    if clamps:
        return gru_core.twin(model, sequence, h0, clamps, after=after)[0]
    return gru_core.trace(model, sequence, h0, after=after)


def _written(
    model: Model,
    sequence: str,
    options: argparse.Namespace,
    clamps: Sequence[Clamp],
    h0: Sequence[Sequence[float] | Array] | None,
) -> tuple[int, Trace]:
    """Let the model write after `sequence`. Return the number of given timesteps, and the run over all timesteps.

    With clamps, the trace also has the original run, in which the model writes without clamps.
    """

    def written_with(clamps: Sequence[Clamp]) -> tuple[Written, Trace]:
        rng = np.random.default_rng(options.seed)
        return run_written(model, sequence, options.write, options.temperature, rng, h0, clamps)

    writing, trace = written_with(clamps)
    end = writing.end
    if clamps:
        original, twin = written_with(())
        end, trace = max(end, original.end), replace(trace, twin=twin)
    return writing.given, part(trace, slice(end))


def _places(trace: Trace, layer: int | None, unit: int | None, every: bool) -> list[Place]:
    """Return the units to show. `layer` and `unit` count from 1. Raises ValueError if the model has no such unit."""
    if layer is not None and layer > len(trace.layers):
        raise ValueError(f"layer {layer} is not in this model: choose from 1 to {len(trace.layers)}")
    layers = range(len(trace.layers))
    places: list[Place] = []
    for i in [layer - 1] if layer is not None else layers if every else layers[-1:]:
        run = trace.layers[i]
        if unit is not None and unit > run.cell.units:
            raise ValueError(f"unit {unit} is not in layer {i + 1}: choose from 1 to {run.cell.units}")
        show_all = every or run.cell.units <= FEW
        units = [unit - 1] if unit is not None else range(run.cell.units) if show_all else [int(run.moved.argmax())]
        places += [(i, j) for j in units]
    return places


def _answers(trace: Trace) -> list[str]:
    return [trace.model.readout.labels[k] for k in trace.y.argmax(1)]


def _print_table(trace: Trace, places: Sequence[Place], given: int | None) -> None:
    """Print the run as a table. A star marks clamped values. The network wrote the inputs after the first `given`."""
    readout = trace.model.readout
    columns: list[Column] = [("t", range(1, len(trace.y) + 1)), ("input", [*map(name_of, trace.tokens or ())])]
    if trace.twin is not None and trace.twin.tokens != trace.tokens:  # the runs wrote different inputs
        columns.append(("original input", [*map(name_of, trace.twin.tokens or ())]))
    for name, shown in (("output", trace), ("original", trace.twin)):
        if shown is None:
            continue
        if readout.kind == "softmax":
            columns.append((name, _answers(shown)))
        elif isinstance(trace.model.encoder, Scaled) and len(readout.labels) == 1:  # in the unit of the inputs
            numbers, decimals = trace.model.encoder.numbers(shown.y[:, 0]), trace.model.encoder.decimals
            columns.append((name, [f"{number:.{decimals}f}" for number in numbers.tolist()]))
        elif len(readout.labels) <= FEW:
            columns.append((name, [" ".join(f"{value:.2f}" for value in y) for y in shown.y.tolist()]))
    for layer, unit in places:
        run = trace.layers[layer]
        masks: Any = {} if run.holds is None else run.holds.masks
        for signal in run.cell.signals:
            held = masks.get(signal, np.zeros_like(run.h, bool))[:, unit]
            star = {True: "*", False: "" if trace.twin is None else " "}
            values = [f"{v:.2f}{star[bool(h)]}" for v, h in zip(getattr(run, signal)[:, unit], held, strict=True)]
            columns.append((f"{signal}.{unit + 1}{star[False]}", values))
    layer, units = places[0][0], ", ".join(trace.layers[i].cell.unit_name(unit) for i, unit in places)
    layer_text = f"layer {layer + 1} of {len(trace.layers)}, " if len(trace.layers) > 1 else ""
    units_text = f"{layer_text}unit{'s' * (len(places) > 1)} {units} of {trace.layers[layer].cell.units}"
    notes = ["* marks a clamped value"] * (trace.twin is not None)
    if given is not None:
        notes.append(f"the network wrote the inputs after t = {given}")
    print("; ".join([f"{trace.model.card.title}: {units_text}", *notes]))
    widths = [max(len(name), *(len(str(value)) for value in values)) for name, values in columns]
    for line in zip(*([name, *values] for name, values in columns), strict=True):
        print("  ".join(str(cell).rjust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
