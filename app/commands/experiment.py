"""gruscope experiment: compute the stored result of an experiment again."""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import orjson

from gru_core import experiments
from gru_core.experiments import sequence

from .. import output
from ..jobs import work
from ..jobs.start import start_engine
from .messages import fail_to_write

HELP = "compute the stored result of an experiment again, and write it to a file"
EXAMPLES = ("gruscope experiment gap --out gap.json",)

NAMES = (*experiments.GRIDS, "sequence")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name",
        choices=NAMES,
        help="gap (Gradient reach), bottleneck (Memory capacity), race (Cell comparison) or sequence (Sequential cost)",
    )
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="file to write (default: NAME.json)")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="worker processes (default: one for each CPU)"
    )


def run(options: argparse.Namespace) -> int:
    out = options.out or Path(f"{options.name}.json")
    try:
        output.check(out)
        content, summary = (
            _measure_sequence() if options.name == "sequence" else _train_grid(options.name, options.workers)
        )
        output.write(out, content)
    except OSError as error:
        return fail_to_write(out, error)
    print(f"{out}: {summary}")
    return 0


def _measure_sequence() -> tuple[bytes, str]:
    """Compute the experiment "sequence" in one worker. Return the content of its file and a summary for the user."""
    engine = start_engine(1)

    def compute(function: Any, argument: Any) -> Any:
        return engine.submit(function, argument, lambda message: None).future.result()

    try:
        timing = {
            B: {T: compute(work.sequence_times, (T, B, sequence.REPEATS)) for T in lengths}
            for B, lengths in sequence.LENGTHS.items()
        }
        parity = {
            cell: [compute(work.parity_course, (seed, cell)) for seed in sequence.PARITY_SEEDS]
            for cell in ("gru", "mingru")
        }
    finally:
        engine.close()
    content = orjson.dumps({"timing": timing, "parity": parity}, option=orjson.OPT_NON_STR_KEYS) + b"\n"
    return content, f"{sum(map(len, timing.values()))} times, {sum(map(len, parity.values()))} trainings"


def _train_grid(name: str, workers: int) -> tuple[bytes, str]:
    recipes = experiments.recipes(name)
    engine = start_engine(max(1, workers))
    rows = []
    train = work.race_row if name == "race" else work.experiment_row
    try:
        futures: list[Future[Any]] = [
            engine.submit(train, recipe.to_dict(), lambda message: None).future for recipe in recipes
        ]
        for i, future in enumerate(futures, 1):
            row = future.result()
            rows.append(orjson.dumps({key: row[key] for key in experiments.STORED.get(name, row)}))
            print(f"\r{i} of {len(futures)} trainings", end="", file=sys.stderr, flush=True)
    finally:
        if rows:
            print(file=sys.stderr)
        engine.close()
    return b"[\n" + b",\n".join(rows) + b"\n]\n", f"{len(rows)} trainings"
