"""gruscope sweep: train all recipes of a grid."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from .. import output
from ..jobs import sweep
from ..jobs.cache import id_of
from ..jobs.start import start_engine
from .messages import fail, fail_to_write

HELP = "train every recipe of a grid; skip the recipes that already have a row in the output table"
EXAMPLES = (
    "gruscope sweep gates.toml --out gates.csv --html gates.html",
    "gruscope sweep gates.toml --scheduler tcp://127.0.0.1:8786",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE.toml",
        help=f"the grid: one value or a list for each of the keys {', '.join(sweep.KEYS)}; also "
        "seeds (the number of seeds, starting with seed 0) and gap (T is then gap + 1)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE.csv",
        help="table to write (default: the name of FILE.toml with .csv); rows of other grids in this table stay",
    )
    parser.add_argument(
        "--html", type=Path, metavar="FILE.html", help="also write a page of charts with medians and quartiles"
    )
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="worker processes (default: one for each CPU)"
    )
    parser.add_argument(
        "--scheduler",
        default="",
        metavar="tls://HOST:PORT",
        help="train on the Dask cluster of this scheduler, not on this machine",
    )
    parser.add_argument("--plain-scheduler", action="store_true", help="allow tcp:// to other machines (not encrypted)")


def run(options: argparse.Namespace) -> int:
    table = options.out or options.file.with_suffix(".csv")
    try:
        recipes = sweep.read(options.file)
        sweep.read_rows(table)
        for file in (table, options.html):
            if file is not None:
                output.check(file)
        engine = start_engine(max(1, options.workers), options.scheduler, options.plain_scheduler)
    except (ImportError, OSError, ValueError) as error:
        return fail(str(error), 2)
    started, first_count = time.monotonic(), None
    try:
        for count in sweep.run(recipes, engine, table):
            first_count = count if first_count is None else first_count
            _print_progress(count, len(recipes), (time.monotonic() - started) / max(1, count - first_count))
    except KeyboardInterrupt:
        raise KeyboardInterrupt("interrupted. Run the same command again to continue.") from None
    except OSError as error:
        return fail_to_write(table, error)
    finally:
        if first_count is not None:
            print(file=sys.stderr)
        engine.close()
    print(f"{table}: {len(recipes):,} trainings")
    if options.html:
        rows = sweep.read_rows(table)
        output.write(options.html, sweep.page([rows[id_of(recipe)] for recipe in recipes]).encode())
        print(f"{options.html}: medians and quartiles")
    return 0


def _print_progress(count: int, total: int, seconds: float) -> None:
    """Print a progress bar with the estimated remaining time. `seconds` is the time for one training."""
    width = 30
    bar = "█" * (width * count // total)
    left = f"{seconds * (total - count):,.0f} s left" if count < total else "done"
    print(f"\r{bar:·<{width}} {count:,} of {total:,}, {left}    ", end="", file=sys.stderr, flush=True)
