"""gruscope sweep: train a grid of recipes."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from .. import output
from ..jobs import sweep
from ..jobs.start import start
from ..jobs.trainings import id_of

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
        sweep.done(table)
        for file in (table, options.html):
            if file is not None:
                output.check(file)
        engine = start(max(1, options.workers), options.scheduler, options.plain_scheduler)
    except (ImportError, OSError, ValueError) as error:
        print(f"gruscope: {error}", file=sys.stderr)
        return 2
    begun, at_first = time.monotonic(), None
    try:
        for had in sweep.run(recipes, engine, table):
            at_first = had if at_first is None else at_first
            _tell(had, len(recipes), (time.monotonic() - begun) / max(1, had - at_first))
    except KeyboardInterrupt:
        raise KeyboardInterrupt("interrupted. Run the same command again to continue.") from None
    except OSError as error:
        print(f"gruscope: {table} cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    finally:
        if at_first is not None:
            print(file=sys.stderr)
        engine.close()
    print(f"{table}: {len(recipes):,} trainings")
    if options.html:
        rows = sweep.done(table)
        output.write(options.html, sweep.page([rows[id_of(recipe)] for recipe in recipes]).encode())
        print(f"{options.html}: medians and quartiles")
    return 0


def _tell(had: int, of: int, seconds: float) -> None:
    """A bar, and how long it may yet take."""
    width = 30
    bar = "█" * (width * had // of)
    left = f"{seconds * (of - had):,.0f} s left" if had < of else "done"
    print(f"\r{bar:·<{width}} {had:,} of {of:,}, {left}    ", end="", file=sys.stderr, flush=True)
