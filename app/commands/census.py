"""gruscope census: run a model over many sequences, and print what each unit does."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import gru_core
from gru_core import Model
from gru_core.runs.census import Census, Labels, Moment, Unit

from .. import output
from ..exports.files import rows_as_csv
from ..runs.census import Data, held_out_data, labels_between, read_arrays, read_data, targets_of
from .messages import fail
from .numbers import whole_number

HELP = "run a model over many sequences, and print what each unit does: gates, half-life, and the labels it separates"
EXAMPLES = (
    "gruscope census sentiment",
    "gruscope census net.safetensors texts.csv --html census.html",
    "gruscope census store-and-recall --by half-life --csv > units.csv",
)
BY: dict[str, Callable[[Unit], float]] = {
    "auc": lambda unit: abs((0.5 if unit.auc is None else unit.auc) - 0.5),
    "correlation": lambda unit: abs(unit.correlation or 0.0),
    "half-life": lambda unit: unit.half_life or 0.0,
    "range": lambda unit: unit.highest - unit.lowest,
}
"""The sort keys of the units, by name. The largest value comes first."""

LONGEST = 2_000
"""The maximum length of a sequence, in characters, in the printed `gruscope trace` command."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="NAME or FILE", help="a preset, or the file of a model")
    parser.add_argument(
        "sequences",
        nargs="?",
        metavar="SEQUENCES",
        help="file with a sequence in each line, and if wanted a tab and its label (.txt, or - for standard input); "
        "a table of sequences and labels "
        "(.csv), with one label for each sequence, or one for each timestep and - for none; or arrays (.npz): "
        "x (T, B, I), and if wanted lengths (B) or mask (T, B), and labels (B) or (T, B). Default: 1,000 held-out "
        "sequences of the model's task",
    )
    parser.add_argument("--between", metavar="FIRST,SECOND", help="the two labels to separate, if there are more")
    parser.add_argument(
        "--by", choices=BY, help="sort by this, the largest first (default: auc, or range without labels)"
    )
    most = whole_number("the number of units is a whole number, at least 1", 1)
    parser.add_argument("--most", type=most, default=20, metavar="N", help="units to print (default: %(default)s)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="print every unit as comma-separated values (CSV), from 0")
    form.add_argument("--json", action="store_true", help="print every unit as JSON, counted from 0")
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write a figure of all units, as a page")


def run(options: argparse.Namespace) -> int:
    try:
        model = gru_core.load(options.model)
        data = _read(options.sequences) if options.sequences else held_out_data(model)
        targets = None if options.between else targets_of(data.labels)
        between, note = (None, "") if targets else _between(data.labels, options.between)
        census = gru_core.census(model, data.sequences, data.labels if between else None, between, targets)
        if options.html:
            output.write(options.html, census.figure().to_html(include_plotlyjs=True).encode())
    except OSError as error:  # `load` raises one without a file name for a name that is neither a preset nor a file
        words = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        return fail(words)
    except ValueError as error:
        return fail(str(error))
    if options.json:
        print(json.dumps(census.table()))
    elif options.csv:
        print(rows_as_csv(census.table()), end="")
    else:
        _print(census, data, options, note)
    return 0


def _read(name: str) -> Data:
    """Read a file of sequences, or standard input for "-". Raises OSError, or ValueError if the data are not valid."""
    path = Path(name)
    if path.suffix == ".npz":
        return read_arrays(path.read_bytes(), str(path))
    try:
        text = sys.stdin.read() if name == "-" else path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{'standard input' if name == '-' else name} is not text") from error
    try:
        return read_data(text, path.suffix == ".csv")
    except ValueError as error:
        raise ValueError(f"{'standard input' if name == '-' else name}: {error}") from error


def _between(labels: Labels | None, chosen: str | None) -> tuple[tuple[str, str] | None, str]:
    """Return the two labels to separate, or None without labels, and a note that names unused labels, or "".

    `chosen` has the form "first,second". Raises ValueError if it is not valid, or if there is only one label.
    """
    if chosen is not None:
        first, comma, second = chosen.partition(",")
        if labels is None:
            raise ValueError("these sequences have no labels: leave out --between")
        if not comma:
            raise ValueError("--between needs two labels, separated by a comma")
        return (first, second), ""
    between, others = labels_between(labels, None)
    return between, f"; not used: {', '.join(others)} (--between chooses)" if others else ""


def _print(census: Census, data: Data, options: argparse.Namespace, note: str) -> None:
    """Print a table of units, and a command that shows the first unit at its selected moment."""
    by = options.by or (
        "correlation" if census.units[0].correlation is not None else "range" if census.labels is None else "auc"
    )
    units = sorted(census, key=BY[by], reverse=True)[: options.most]
    print(f"{census.model.card.title}: {len(data.sequences):,} {data.source}, {census.steps:,} timesteps")
    if census.labels is not None:
        print(f"AUC: above 0.5 if the state is higher at {census.labels[1]} than at {census.labels[0]}{note}")
    print(f"{len(units)} of {len(census)} units, sorted by {by}; {sum(unit.dead for unit in census)} are dead")
    rows = [_row(unit, census.model) for unit in units]
    names = list(dict.fromkeys(name for row in rows for name in row))
    widths = [max(len(name), *(len(row.get(name, "")) for row in rows)) for name in names]
    print("  ".join(name.rjust(width) for name, width in zip(names, widths, strict=True)))
    for row in rows:
        print("  ".join(row.get(name, "").rjust(width) for name, width in zip(names, widths, strict=True)))
    print(_command(units[0], data, options.model))


def _row(unit: Unit, model: Model) -> dict[str, str]:
    """Return the table row of a unit: text by column name. Units, sequences and timesteps count from 1."""
    name = model.layers[unit.layer].unit_name(unit.unit)
    row = {"unit": f"L{unit.layer + 1}.{name}" if len(model.layers) > 1 else name}
    for gate, mean in unit.means.items():
        row |= {gate: f"{mean:.2f}", f"{gate}<.1": f"{unit.closed[gate]:.0%}", f"{gate}>.9": f"{unit.open[gate]:.0%}"}
    row["h"] = f"{unit.lowest:.2f} to {unit.highest:.2f}" + " dead" * unit.dead
    if unit.half_life is not None:
        row["half-life"] = f"{unit.half_life:.3g}"
        row["longest"] = f"{unit.longest_half_life:.3g}"
    if unit.auc is not None:
        row["AUC"] = f"{unit.auc:.3f}"
    if unit.correlation is not None:
        row["correlation"] = f"{unit.correlation:.3f}"
    moment = _moment(unit)
    return row | {"sequence": str(moment.sequence + 1), "t": str(moment.t + 1)}


def _moment(unit: Unit) -> Moment:
    """Return the moment in a unit's table row: that of the label or target, if any, else that of the largest change."""
    return unit.moments.get("label") or unit.moments.get("target") or unit.moments["change"]


def _command(unit: Unit, data: Data, model: str) -> str:
    """Return the command that shows a unit's moment, or a Python call if the sequence is too long or not text."""
    moment = _moment(unit)
    sequence = data.sequences[moment.sequence]
    if not isinstance(sequence, str) or len(sequence) > LONGEST:
        return f"in Python, census.trace({moment.sequence}) is the run with the moment of the first unit"
    place = f"--layer {unit.layer + 1} --unit {unit.unit + 1}"
    return f"see t = {moment.t + 1}: gruscope trace --model {shlex.quote(model)} {place} {shlex.quote(sequence)}"
