"""gruscope lab: make the result of a laboratory again."""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import orjson

from gru_core import labs
from gru_core.labs import sequence

from ..jobs import work
from ..jobs.start import start

HELP = "make again what a laboratory shows before anything is trained there"
EXAMPLES = ("gruscope lab gap --out gap.json",)


NAMES = (*labs.GRIDS, "sequence")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", choices=NAMES, help=", ".join(NAMES))
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="file to write (default: NAME.json)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: %(default)s)")


def run(options: argparse.Namespace) -> int:
    out = options.out or Path(f"{options.name}.json")
    if options.name == "sequence":
        timing = {T: sequence.timed(T) for T in sequence.LENGTHS}
        parity = [sequence.parity(seed) for seed in sequence.PARITY_SEEDS]
        out.write_bytes(orjson.dumps({"timing": timing, "parity": parity}, option=orjson.OPT_NON_STR_KEYS) + b"\n")
        print(f"{out}: {len(timing)} lengths timed, {len(parity)} trainings")
        return 0
    recipes = labs.recipes(options.name)
    engine = start(max(1, options.workers))
    try:
        futures: list[Future[Any]] = [
            engine.submit(work.learned, recipe.to_dict(), lambda message: None).future for recipe in recipes
        ]
        rows = []
        for i, future in enumerate(futures, 1):
            rows.append(orjson.dumps(future.result()).decode())
            print(f"\r{i} of {len(futures)}", end="", file=sys.stderr, flush=True)
    finally:
        engine.close()
    print(file=sys.stderr)
    out.write_text("[\n" + ",\n".join(rows) + "\n]\n")
    print(f"{out}: {len(rows)} trainings")
    return 0
