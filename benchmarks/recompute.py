"""The experiments, run again in torch with separate code for the equations, sequences and initial weights.

Each line of the cell comparison has the median in torch and the stored median, both with their 95% intervals.
`python -m benchmarks.recompute [SEEDS]`: 10 seeds take about half an hour.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

import numpy as np
import torch

from gru_core import experiments
from gru_core.experiments import race, sequence
from gru_core.training.recipe import Recipe
from tests.support.torch_training import Data, Network, answers, random_weights, steps_to_target

Sequences = Callable[[np.random.Generator, int, int], Data]


def _one_hot(symbol: np.ndarray, size: int) -> np.ndarray:
    return np.eye(size)[symbol]


def _echo(rng: np.random.Generator, T: int, B: int) -> Data:
    letter = rng.integers(0, 4, (T, B))
    return Data(_one_hot(letter, 4), np.concatenate([letter[:1], letter[:1], letter[:-2]]), np.ones((T, B), bool))


def _parity(rng: np.random.Generator, T: int, B: int) -> Data:
    bit = rng.integers(0, 2, (T, B))
    return Data(_one_hot(bit, 2), np.bitwise_xor.accumulate(bit, 0), np.ones((T, B), bool))


def _brackets(rng: np.random.Generator, T: int, B: int) -> Data:
    symbol, depth = np.empty((T, B), int), np.zeros((T + 1, B), int)
    for b in range(B):
        for t in range(T):
            kind, now = rng.random(), depth[t, b]
            symbol[t, b] = 0 if kind < 0.4 and now < 4 else 1 if kind < 0.7 and now > 0 else 2
            depth[t + 1, b] = now + (1, -1, 0)[symbol[t, b]]
    return Data(_one_hot(symbol, 3), depth[1:], np.ones((T, B), bool))


def _adding(rng: np.random.Generator, T: int, B: int) -> Data:
    value, mark = rng.uniform(-0.5, 0.5, (T, B)), np.zeros((T, B))
    for b in range(B):
        mark[[rng.integers(0, T // 2), rng.integers(T // 2, T)], b] = 1
    scored = np.zeros((T, B), bool)
    scored[-1] = True
    return Data(np.stack([value, mark], -1), (value * mark).cumsum(0), scored)


def _gap(rng: np.random.Generator, T: int, B: int) -> Data:
    symbol = rng.integers(2, 6, (T, B))
    symbol[0] = rng.integers(0, 2, B)
    scored = np.zeros((T, B), bool)
    scored[-1] = True
    return Data(_one_hot(symbol, 6), np.broadcast_to(symbol[0], (T, B)), scored)


def counted(n: int, start: int, T: int) -> Data:
    """Return a sequence of `T` timesteps with n a's and then n + 1 b's from timestep `start` on, and its answers."""
    symbol = np.full((T, 1), 2)
    symbol[start : start + n], symbol[start + n : start + 2 * n + 1] = 0, 1
    target = 1 + np.sign((symbol == 1).cumsum(0) - (symbol == 0).cumsum(0))
    return Data(_one_hot(symbol, 3), target, symbol == 1)


def _counting(rng: np.random.Generator, T: int, B: int) -> Data:
    lengths = rng.integers(1, (T - 1) // 2 + 1, B)
    parts = [counted(int(n), int(rng.integers(0, T - 2 * n)), T) for n in lengths]
    return Data(*(np.concatenate(arrays, 1) for arrays in zip(*parts, strict=True)))


TASKS: dict[str, tuple[Sequences, int, int]] = {
    "echo": (_echo, 4, 4),
    "parity": (_parity, 2, 2),
    "brackets": (_brackets, 3, 5),
    "adding": (_adding, 2, 1),
    "gap": (_gap, 6, 2),
    "counting": (_counting, 3, 3),
}
"""For each task, the function that draws its sequences, the number of inputs and the number of outputs."""


def train(recipe: Recipe) -> tuple[int | None, Network]:
    """Train a recipe in torch. Return the training step at which it reached the target, and the network."""
    sequences, inputs, outputs = TASKS[recipe.task]
    weights = random_weights(recipe.cell, inputs, recipe.units, outputs, recipe.biases, recipe.seed)
    network = Network(recipe.cell, weights)
    rng, schedule = np.random.default_rng([recipe.seed, 2]), recipe.schedule

    def draw(B: int) -> Data:
        return sequences(rng, schedule.T, B)

    return steps_to_target(network, draw, schedule, draw(100)), network


def share_beyond(network: Network) -> float:
    """Return the share of the lengths in `race.BEYOND` that the network counts correctly."""

    def right(n: int) -> bool:
        tests = [counted(n, int(start), 2 * n + 10) for start in race.STARTS]
        return all((answers(network, test.x).argmax(-1) == test.target)[test.scored].all() for test in tests)

    return float(np.mean([right(n) for n in race.BEYOND]))


def _line(name: str, values: list[float], stored: race.Median) -> None:
    ours = race.median_of(values)
    agrees = ours.low <= stored.high and stored.low <= ours.high
    print(
        f"  {name}: {ours.value:g} ({ours.low:g} to {ours.high:g}) in torch with {len(values)} seeds; "
        f"stored {stored.value:g} ({stored.low:g} to {stored.high:g}){'' if agrees else '  DIFFERS'}",
        flush=True,
    )


def recompute_race(seeds: int) -> None:
    print("Cell comparison: training steps to the target, and the share of longer lengths for counting")
    for task in experiments.RACES:
        for cell, stored in race.medians(task).items():
            recipes = [r for r in experiments.recipes("race") if (r.task, r.cell) == (task, cell)][:seeds]
            results = [train(recipe) for recipe in recipes]
            values = [
                share_beyond(network) if task == race.COUNTING else math.inf if step is None else float(step)
                for step, network in results
            ]
            _line(f"{task}, {cell}", values, stored)


def recompute_gap(seeds: int) -> None:
    print("Gradient reach: seeds that reach the target")
    stored = dict(zip(_keys(), experiments.result("gap"), strict=True))
    kinds: dict[tuple[object, ...], list[Recipe]] = {}
    for recipe in experiments.recipes("gap"):
        if recipe.first == "plain" and recipe.schedule.T <= 51 and recipe.seed < seeds:
            schedule = recipe.schedule
            kinds.setdefault(
                (recipe.cell, *recipe.biases.items(), schedule.T - 1, schedule.rate, recipe.units), []
            ).append(recipe)
    for kind, recipes in kinds.items():
        ours = sum(train(recipe)[0] is not None for recipe in recipes)
        theirs = sum(stored[_key(recipe)]["good_at"] is not None for recipe in recipes)
        print(f"  {kind}: {ours} of {len(recipes)} in torch, stored {theirs}", flush=True)


def _key(recipe: Recipe) -> tuple[object, ...]:
    schedule = recipe.schedule
    return recipe.cell, recipe.first, tuple(recipe.biases.items()), schedule.T, schedule.rate, recipe.units, recipe.seed


def _keys() -> list[tuple[object, ...]]:
    return [_key(recipe) for recipe in experiments.recipes("gap")]


def recount() -> None:
    """Count the multiply-adds of attention and the GRU term by term, and compare with the page's counts."""
    d = sequence.WIDTH
    for T in sequence.LENGTHS[1]:
        attention = sum(3 * d * d + 2 * d * t for t in range(1, T + 1))  # q, k, v; then t scores and t values
        gru = sum(3 * (d * d + d * d) + 3 * d for _ in range(T))  # W x and U h of z, r and h̃; r ⊙ h, (1 − z) ⊙ h, z ⊙ h̃
        counts = sequence.counts(T)
        print(
            f"  T = {T}: attention {attention:,} and {counts['attention'][1]:,}; GRU {gru:,} and {counts['gru'][1]:,}"
        )


def main() -> None:
    torch.set_num_threads(1)
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print("Sequential cost: multiply-adds, counted here and in the experiment")
    recount()
    recompute_race(seeds)
    recompute_gap(min(seeds, len(experiments.GAP_SEEDS)))


if __name__ == "__main__":
    main()
