"""gruscope train: make a shipped model again, or train what a link says."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gru_core import checkpoints
from gru_core.checkpoints import Training
from gru_core.presets import COMPARED, compared, recipes
from gru_core.recipe import Recipe
from gru_core.training import Diverged

from .. import output
from ..errors import Refused
from ..link import read_address
from ..recipes import read_recipes

HELP = "train a preset again from its recipe and seed, or train the recipe of a link to the Train page"
EXAMPLES = (
    "gruscope train sentiment",
    "gruscope train sentiment-lstm",
    'gruscope train "http://localhost:8000/train?task=flip-flop&units=2&seed=1" --out mine.safetensors',
)
NAMES = (*recipes.PRESETS, *COMPARED)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="NAME or LINK", help=f"a link to the Train page, or one of {', '.join(NAMES)}")
    parser.add_argument(
        "--out",
        type=Path,
        help="file to write (default: NAME.safetensors; for a link TASK-CELL.safetensors)",
    )
    parser.add_argument(
        "--checkpoints",
        type=Path,
        metavar="FILE.npz",
        help="also write the training: its checkpoints, with losses and scores",
    )


def run(options: argparse.Namespace) -> int:
    what, kept = options.what, options.checkpoints
    try:
        wanted = None if what in NAMES else _of_link(what)
    except (Refused, ValueError) as error:
        print(f"gruscope: {error}", file=sys.stderr)
        return 2
    out = options.out or Path(f"{what if wanted is None else f'{wanted.task}-{wanted.cell}'}.safetensors")
    if kept is not None and what in COMPARED:
        print(f"gruscope: {what} has no checkpoints: leave out --checkpoints", file=sys.stderr)
        return 2
    try:
        output.check(out)
        if kept is not None:
            output.check(kept)
        if wanted is not None:
            return _checkpoints(wanted, out, kept)
        status = _again(what, out)
        return status if kept is None else _checkpoints(recipes.PRESETS[what].recipe, None, kept)
    except OSError as error:
        print(f"gruscope: {error.filename or 'the file'} cannot be written: {error.strerror}", file=sys.stderr)
        return 1


def _of_link(link: str) -> Recipe:
    """Raises ValueError or Refused for what is neither a name nor a link to one recipe."""
    if "?" not in link:
        raise ValueError(f"{link} is neither a link to the Train page nor one of {', '.join(NAMES)}")
    found = read_recipes(read_address(link))
    if len(found) > 1:
        raise ValueError("this link has several cells: choose one, for example with cells=gru")
    return found[0]


def _again(name: str, out: Path) -> int:
    snapshots = compared.train(name) if name in COMPARED else recipes.train(recipes.PRESETS[name])
    with _progress() as tell:
        for snapshot in snapshots:
            tell(snapshot.step, snapshot.loss, snapshot.score)
    output.write(out, snapshot.model.to_bytes())
    print(f"{out}: {snapshot.model.card.summary}")
    if not snapshot.reached:
        print(f"gruscope: {name} did not reach the target of its recipe", file=sys.stderr)
        return 1
    return 0


def _checkpoints(recipe: Recipe, out: Path | None, kept: Path | None) -> int:
    training = Training(recipe)
    with _progress() as tell:
        try:
            for checkpoint in checkpoints.train(recipe):
                training.checkpoints.append(checkpoint)
                report = checkpoint.report
                tell(report["step"], report["losses"][-1] if report["losses"] else float("nan"), report["score"])
        except Diverged as error:
            training.end = str(error)
    model = training.model(training.steps[-1])
    if out is not None:
        output.write(out, model.to_bytes())
        print(f"{out}: {model.card.summary}")
    if kept is not None:
        output.write(kept, training.to_bytes())
        print(f"{kept}: {len(training.checkpoints)} checkpoints")
    if training.end or training.checkpoints[-1].report["good_at"] is None:
        print(f"gruscope: {training.end or 'the training did not reach the target of its recipe'}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def _progress() -> Iterator[Callable[[int, float, float], None]]:
    """What shows where a training stands, on a line of its own."""

    def tell(step: int, loss: float, score: float) -> None:
        print(f"\rtraining step {step}  loss {loss:.4f}  score {score:.4f}", end="", file=sys.stderr)

    try:
        yield tell
    finally:
        print(file=sys.stderr)
