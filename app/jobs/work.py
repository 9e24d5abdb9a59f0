"""The functions that run in worker processes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, TypedDict

import numpy as np

from gru_core.experiments import race, sequence
from gru_core.training import checkpoints
from gru_core.training.checkpoints import Checkpoint, train
from gru_core.training.fit import Diverged
from gru_core.training.recipe import Recipe, RecipeFields

from .engine import Report

COMPUTING_SECONDS = 60
"""Seconds of processor time after which a training stops."""


def training(recipe: RecipeFields, report: Report) -> str:
    """Train a recipe, and report each checkpoint as a pair (report, bytes of the weights).

    Return a sentence that says why the training ended early, or "".
    """
    started = time.process_time()
    try:
        for checkpoint in train(Recipe.from_dict(recipe)):
            report((checkpoint.report, checkpoint.weights.tobytes()))
            if time.process_time() - started > COMPUTING_SECONDS:
                fewer = "Try a smaller network or fewer training steps."
                return f"The training stopped after {COMPUTING_SECONDS} seconds of computing. {fewer}"
    except Diverged as error:
        return f"{str(error)[0].upper()}{str(error)[1:]}. The last checkpoint is the one before that training step."
    return ""


def checkpoint(message: tuple[checkpoints.Report, bytes]) -> Checkpoint:
    """Return the checkpoint in a message that `training` reported."""
    return Checkpoint(message[0], np.frombuffer(message[1], np.float32))


class Outcome(TypedDict):
    """The result of a training, as columns of a sweep table.

    `good_at` is the training step at which the score reached its target, or None if it never did. `way_back` and
    `way_back_before` are the relative norms of the gradient over the longest lag, after and before training. `ended`
    says why the training ended early, or is "" if it did not.
    """

    steps: int
    good_at: int | None
    score: float
    loss: float | None
    way_back_before: float
    way_back: float
    ended: str


def outcome(recipe: RecipeFields, report: Report) -> Outcome:
    """Train a recipe, and return its result."""
    reports: list[checkpoints.Report] = []
    ended = training(recipe, lambda message: reports.append(message[0]))
    last = reports[-1]
    return {
        "steps": last["step"],
        "good_at": last["good_at"],
        "score": last["score"],
        "loss": last["losses"][-1] if last["losses"] else None,
        "way_back_before": reports[0]["lags"][-1],
        "way_back": last["lags"][-1],
        "ended": ended,
    }


def sequence_times(point: tuple[int, int, int], report: Report) -> dict[str, float]:
    """Time the networks of the experiment Sequential cost. `point` is (T, B, repeats). Return seconds by network.

    A worker uses one thread for linear algebra.
    """
    return sequence.timed(*point)


def parity_course(training: tuple[int, str], report: Report) -> list[tuple[int, float]]:
    """Train a cell on parity. `training` is (seed, cell). Return pairs of a training step and a held-out accuracy."""
    return sequence.parity(*training)


def race_row(recipe: RecipeFields, report: Report) -> race.Row:
    """Train a recipe of the experiment Cell comparison. Return the table row of this training."""
    return race.row(Recipe.from_dict(recipe))


class ExperimentRow(TypedDict):
    """The result of a training, and the settings that differ between the recipes of an experiment.

    `gradient` is the relative gradient over the longest lag, before and after training. `scores` are pairs of a
    training step and a score.
    """

    task: str
    cell: str
    units: int
    seed: int
    first: str
    T_max: int | None
    biases: Mapping[str, float]
    T: int
    rate: float
    steps: int
    good_at: int | None
    score: float
    gradient: list[float]
    scores: list[tuple[int, float]]


def experiment_row(recipe: RecipeFields, report: Report) -> ExperimentRow:
    """Train a recipe of an experiment. Return its settings and its result."""
    scores: list[tuple[int, float]] = []

    def store(message: Any) -> None:
        scores.append((message[0]["step"], message[0]["score"]))
        reports.append(message[0])

    reports: list[checkpoints.Report] = []
    training(recipe, store)
    last = reports[-1]
    return {
        "task": recipe["task"],
        "cell": recipe["cell"],
        "units": recipe["units"],
        "seed": recipe["seed"],
        "first": recipe["first"],
        "T_max": recipe["T_max"],
        "biases": recipe["biases"],
        "T": recipe["schedule"]["T"],
        "rate": recipe["schedule"]["rate"],
        "steps": last["step"],
        "good_at": last["good_at"],
        "score": last["score"],
        "gradient": [reports[0]["lags"][-1], last["lags"][-1]],
        "scores": scores[:: max(1, len(scores) // 40)] + scores[-1:],
    }
