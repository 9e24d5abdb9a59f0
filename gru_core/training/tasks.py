"""All built-in tasks, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from gru_core.arrays import Array
from gru_core.encoders.symbols import Letters, Symbols
from gru_core.encoders.vectors import Scaled
from gru_core.training import tagging
from gru_core.training.abilities import EXPERIMENT_TASKS
from gru_core.training.names import ALPHABET, END, VOWELS, NextLetters, no_answers, surnames
from gru_core.training.reversal import ALPHABET as ALL_LETTERS
from gru_core.training.reversal import HANDOVER, LABELS, ReversedWords, reversed_letters
from gru_core.training.series import SUNSPOT_SCALE, next_number, sunspots
from gru_core.training.task import Task
from gru_core.training.toys import FLIP_FLOP, TASKS

if TYPE_CHECKING:
    from gru_core.model import Model

SUNSPOTS = sunspots()

FORECASTS: dict[str, Task] = {
    "sunspots": Task(
        Scaled(1, scale=SUNSPOT_SCALE, unit="sunspots"), "linear", (f"next year's sunspots ÷ {SUNSPOT_SCALE}",),
        SUNSPOTS.windows, next_number, {}, "year", SUNSPOTS,
    ),
}  # fmt: skip
"""The forecasting tasks, by name."""

SURNAMES = surnames()

NEXT_LETTERS = NextLetters(SURNAMES)

NAME_TASKS: dict[str, Task] = {
    "names": Task(
        Letters(ALPHABET), "softmax", SURNAMES.languages, lambda rng, T, B: SURNAMES.draw(rng, B)[0], no_answers,
        {"vowel": VOWELS}, "consonant", names=SURNAMES,
    ),
    "name-writer": Task(
        Letters(NEXT_LETTERS.alphabet), "softmax", (*ALPHABET, END), lambda rng, T, B: NEXT_LETTERS.draw(rng, B)[0],
        no_answers, {"language": np.s_[26:], "vowel": VOWELS}, "consonant", names=NEXT_LETTERS,
    ),
}  # fmt: skip
"""The surname tasks, by name."""

_WORDS = ReversedWords()

WORD_TASKS: dict[str, Task] = {
    "reversed-words": Task(
        Symbols(ALL_LETTERS), "softmax", LABELS, lambda rng, T, B: _WORDS.draw(rng, B)[0], reversed_letters,
        {"letter": HANDOVER.read, "handover": HANDOVER.sign}, "written letter", names=_WORDS, handover=HANDOVER,
    ),
}  # fmt: skip
"""The tasks for an encoder and a decoder, by name."""

TAGGING: dict[str, Task] = {
    "tagger": Task(FLIP_FLOP, "softmax", tagging.LABELS, tagging.letters, tagging.tags, {"write": np.s_[:2]}, "other"),
}
"""The tasks with answers that depend on later inputs, by name."""

ALL = TASKS | EXPERIMENT_TASKS | FORECASTS | NAME_TASKS | WORD_TASKS | TAGGING


def regressions_of(model: Model) -> Mapping[str, Array]:
    """Return the weights of the linear autoregressions that the model's forecasts are compared with, by name."""
    task = task_of(model)
    if task is None or task.series is None:
        return {name: np.array(weights) for name, weights in model.card.regressions.items()}
    return task.series.regressions


def task_of(model: Model) -> Task | None:
    """Return the built-in task that the model's card names; None if it is unknown, or if inputs or outputs differ."""
    task, readout = ALL.get(model.card.task), model.readout
    if task is None or (task.encoder, task.kind, task.labels) != (model.encoder, readout.kind, readout.labels):
        return None
    return task
