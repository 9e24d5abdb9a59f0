"""What workers do."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from gru_core.checkpoints import Checkpoint, train
from gru_core.labs import sequence
from gru_core.recipe import Recipe
from gru_core.training import Diverged

from .engine import Report

SECONDS = 60
"""Of computing, after which a training ends where it is."""


def training(asked: Mapping[str, Any], report: Report) -> str:
    """Report each checkpoint of a recipe's training as (its report, its weights' bytes); why it ended early, or ""."""
    begun = time.process_time()
    try:
        for checkpoint in train(Recipe.from_dict(asked)):
            report((checkpoint.report, checkpoint.weights.tobytes()))
            if time.process_time() - begun > SECONDS:
                fewer = "Try a smaller network or fewer training steps."
                return f"The training stopped after {SECONDS} seconds of computing. {fewer}"
    except Diverged as error:
        return f"{str(error)[0].upper()}{str(error)[1:]}. The last checkpoint is the one before that training step."
    return ""


def checkpoint(message: tuple[dict[str, Any], bytes]) -> Checkpoint:
    """What a report of `training` has."""
    return Checkpoint(message[0], np.frombuffer(message[1], np.float32))


def outcome(asked: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """What came of a recipe's training, in a few numbers: see `sweep.RESULTS`."""
    reports: list[dict[str, Any]] = []
    ended = training(asked, lambda message: reports.append(message[0]))
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


def parity_by_scan(asked: int, report: Report) -> list[tuple[int, float]]:
    """Steps and accuracies of a minimal GRU on parity, from this seed."""
    return sequence.parity(asked)


def learned(asked: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """What a laboratory shows of a recipe's training: `outcome`, what was varied, and `scores`, each with its step."""
    scores: list[tuple[int, float]] = []

    def note(message: Any) -> None:
        scores.append((message[0]["step"], message[0]["score"]))
        reports.append(message[0])

    reports: list[dict[str, Any]] = []
    training(asked, note)
    last = reports[-1]
    varied = {key: asked[key] for key in ("task", "cell", "units", "seed", "first", "T_max", "biases")}
    return varied | {
        "T": asked["schedule"]["T"],
        "steps": last["step"],
        "good_at": last["good_at"],
        "score": last["score"],
        "lags": [reports[0]["lags"], last["lags"]],
        "scores": scores[:: max(1, len(scores) // 40)] + scores[-1:],
    }
