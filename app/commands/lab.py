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

from ..jobs import work
from ..jobs.start import start

HELP = "make again what a laboratory shows before anything is trained there"
EXAMPLES = ("gruscope lab gap --out gap.json",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", choices=labs.GRIDS, help=", ".join(labs.GRIDS))
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="file to write (default: NAME.json)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: %(default)s)")


def run(options: argparse.Namespace) -> int:
    out = options.out or Path(f"{options.name}.json")
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
