"""gruscope train: make a shipped model again."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gru_core.presets import COMPARED, compared, recipes

HELP = "make a shipped model again, from its recipe and seed"
EXAMPLES = ("gruscope train sentiment", "gruscope train sentiment-lstm")
NAMES = (*recipes.PRESETS, *COMPARED)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", choices=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--out", type=Path, help="file to write (default: NAME.safetensors)")


def run(options: argparse.Namespace) -> int:
    name, out = options.name, options.out or Path(f"{options.name}.safetensors")
    try:
        out.touch()  # better known before the work than after it
    except OSError as error:
        print(f"gruscope: {out} cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    snapshots = compared.train(name) if name in COMPARED else recipes.train(recipes.PRESETS[name])
    for snapshot in snapshots:
        print(f"\rstep {snapshot.step}  loss {snapshot.loss:.4f}  score {snapshot.score:.4f}", end="", file=sys.stderr)
    print(file=sys.stderr)
    snapshot.model.save(out)
    print(f"{out}: {snapshot.model.card.summary}")
    if not snapshot.reached:
        print(f"gruscope: {name} did not get as good as its recipe asks", file=sys.stderr)
        return 1
    return 0
