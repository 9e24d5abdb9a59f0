"""Node tests for JavaScript modules, without a browser. Run the tests with `python -m tests.unit`.

The tests receive the data of a real page: the descriptions of the cells and the models, and the first run. The tests
also receive random runs with clamps, and random scenarios for the JavaScript engine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from app.pages.lab import page_context
from app.runs.events import events
from app.runs.run import example, prepare
from app.schemas import UnitPlace
from app.settings import Settings

from .drawn import drawn_runs
from .engine_cases import cases, refused

FOLDER = Path(__file__).parent

NUMBERS, SEEDS = 8, 300
"""How many random numbers per seed, and how many seeds, are compared between NumPy and the engine."""


def seeds() -> list[int]:
    """Return seeds from the whole range of 32-bit numbers, including both ends."""
    return [0, 1, 2, 3, 2**31, 2**32 - 1, *np.random.default_rng(28).integers(0, 2**32, SEEDS).tolist()]


def main() -> int:
    """Write the data of a page to a file, run the tests with node, and return the exit code."""
    settings, run = Settings(), "flip-flop"
    prepared, blocks = prepare(example(run, settings), settings, None)
    page = {
        "boot": json.loads(page_context({"model": run}, settings)["boot"]),
        "run": b"".join(events(prepared, blocks, UnitPlace(layer=1, unit=1))).decode(),
        "drawn": drawn_runs(settings),
        "engine": cases(),
        "random": {seed: np.random.default_rng(seed).random(NUMBERS).tolist() for seed in seeds()},
        "refused": refused(),
    }
    with tempfile.TemporaryDirectory() as folder:
        page_file = Path(folder) / "page.json"
        page_file.write_text(json.dumps(page), "utf-8")
        modules = sorted(str(path) for path in FOLDER.glob("*.test.js"))
        node = ["node", "--test", "--import", (FOLDER / "page.js").as_uri(), *modules]
        return subprocess.run(node, env=os.environ | {"PAGE": str(page_file)}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
