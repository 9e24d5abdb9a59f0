"""gruscope train: train a preset again, or train the recipe in a link."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gru_core.presets import COMPARED, compared, recipes
from gru_core.presets.training import train
from gru_core.training import checkpoints
from gru_core.training.checkpoints import Training
from gru_core.training.fit import Diverged
from gru_core.training.recipe import Recipe

from .. import output
from ..errors import Refused
from ..link import read_address
from ..recipes import read_recipes
from .messages import fail, fail_to_write

HELP = "train a preset again from its recipe and seed, or train the recipe of a link to the Train page"
EXAMPLES = (
    "gruscope train sentiment",
    "gruscope train sentiment-lstm",
    'gruscope train "http://localhost:8000/train?task=flip-flop&units=2&seed=1" --out mine.safetensors',
)
NAMES = (*recipes.PRESETS, *COMPARED)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source", metavar="NAME or LINK", help=f"a link to the Train page, or one of {', '.join(NAMES)}"
    )
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
    source, checkpoint_file = options.source, options.checkpoints
    try:
        recipe = None if source in NAMES else _recipe_of_link(source)
    except (Refused, ValueError) as error:
        return fail(str(error), 2)
    out = options.out or Path(f"{source if recipe is None else f'{recipe.task}-{recipe.cell}'}.safetensors")
    if checkpoint_file is not None and source in COMPARED:
        return fail(f"{source} has no checkpoints: leave out --checkpoints", 2)
    try:
        output.check(out)
        if checkpoint_file is not None:
            output.check(checkpoint_file)
        if recipe is not None:
            return _train_recipe(recipe, out, checkpoint_file)
        status = _train_preset(source, out)
        return (
            status if checkpoint_file is None else _train_recipe(recipes.PRESETS[source].recipe, None, checkpoint_file)
        )
    except OSError as error:
        return fail_to_write(error.filename or "the file", error)


def _recipe_of_link(link: str) -> Recipe:
    """Return the recipe in a link. Raises ValueError or Refused if the link does not have exactly one valid recipe."""
    if "?" not in link:
        raise ValueError(f"{link} is neither a link to the Train page nor one of {', '.join(NAMES)}")
    recipes_of_link = read_recipes(read_address(link))
    if len(recipes_of_link) > 1:
        raise ValueError("this link has several cells: choose one, for example with cells=gru")
    return recipes_of_link[0]


def _train_preset(name: str, out: Path) -> int:
    snapshots = compared.train(name) if name in COMPARED else train(recipes.PRESETS[name])
    with _progress() as print_step:
        for snapshot in snapshots:
            print_step(snapshot.step, snapshot.loss, snapshot.score)
    output.write(out, snapshot.model.to_bytes())
    print(f"{out}: {snapshot.model.card.summary}")
    if not snapshot.reached:
        return fail(f"{name} did not reach the target of its recipe")
    return 0


def _train_recipe(recipe: Recipe, out: Path | None, checkpoint_file: Path | None) -> int:
    training = Training(recipe)
    with _progress() as print_step:
        try:
            for checkpoint in checkpoints.train(recipe):
                training.checkpoints.append(checkpoint)
                report = checkpoint.report
                print_step(report["step"], report["losses"][-1] if report["losses"] else float("nan"), report["score"])
        except Diverged as error:
            training.end = str(error)
    model = training.model(training.steps[-1])
    if out is not None:
        output.write(out, model.to_bytes())
        print(f"{out}: {model.card.summary}")
    if checkpoint_file is not None:
        output.write(checkpoint_file, training.to_bytes())
        print(f"{checkpoint_file}: {len(training.checkpoints)} checkpoints")
    if training.end or training.checkpoints[-1].report["good_at"] is None:
        return fail(training.end or "the training did not reach the target of its recipe")
    return 0


@contextmanager
def _progress() -> Iterator[Callable[[int, float, float], None]]:
    """Yield a function that prints training progress. Each call overwrites the same line."""

    def print_step(step: int, loss: float, score: float) -> None:
        print(f"\rtraining step {step}  loss {loss:.4f}  score {score:.4f}", end="", file=sys.stderr)

    try:
        yield print_step
    finally:
        print(file=sys.stderr)
