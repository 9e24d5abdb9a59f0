"""The cache of trainings: the checkpoints of visitors' trainings so far, and of the presets' trainings.

A recipe identifies its training: the same recipe always has the same id.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import OrderedDict
from collections.abc import Callable, Collection
from functools import cache
from threading import Lock

from gru_core import Model, presets
from gru_core.presets.recipes import PRESETS
from gru_core.training.checkpoints import Checkpoint, Training, shipped
from gru_core.training.recipe import Recipe

from ..errors import Refused
from ..settings import Settings
from ..version import VERSIONS

ID = r"t-[0-9a-f]{32}"

CACHE_BYTES, CACHE_TRAININGS = 64 * 2**20, 500
"""The maximum size in bytes, and the maximum number, of all trainings in memory.

Beyond these limits, the least recently used trainings are removed.
"""

TRAINING_BYTES, REPORT_BYTES, NUMBER_BYTES = 4_000, 6_000, 32
"""The bytes that Python needs for a training without its table, for a report without its lists of numbers, and for each
number in these lists."""


def id_of(recipe: Recipe) -> str:
    """Return the id of a recipe's training. The id also depends on the installed versions in `VERSIONS`."""
    text = json.dumps([recipe.to_dict(), VERSIONS], sort_keys=True)
    return "t-" + hashlib.sha256(text.encode()).hexdigest()[:32]


def name_of(recipe: Recipe) -> str:
    """Return the name of the preset with this recipe, or the id of the recipe's training if no preset has it."""
    return next((name for name in presets.NAMES if PRESETS[name].recipe == recipe), None) or id_of(recipe)


class TrainingCache:
    """A cache of trainings by id, the least recently used first. `get` also takes the names of presets."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._trainings: OrderedDict[str, Training] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self.newest: Callable[[str, Training | None], Training | None] = lambda id, own: own
        """A function that takes the id of a training and this process's copy, and returns the newest copy.

        If there are several worker processes, another process can have the newest copy.
        """

    def put(self, id: str, training: Training) -> None:
        with self._lock:
            self._trainings[id] = training
            self._trainings.move_to_end(id)
            self._sizes[id] = _size(training)

    def add(self, id: str, training: Training, checkpoint: Checkpoint) -> None:
        """Add a checkpoint to a training."""
        with self._lock:
            training.checkpoints.append(checkpoint)
            if self._trainings.get(id) is training:
                self._sizes[id] += _size_of(checkpoint)

    def remove(self, id: str) -> None:
        with self._lock:
            if self._trainings.pop(id, None) is not None:
                del self._sizes[id]

    def make_room(self, busy: Collection[str]) -> bool:
        """Remove the least recently used trainings, except `busy` ones, until the rest is within the limits.

        Return whether the rest is within the limits.
        """
        with self._lock:
            size = sum(self._sizes.values())
            for id in [id for id in self._trainings if id not in busy]:
                if size <= CACHE_BYTES and len(self._trainings) <= CACHE_TRAININGS:
                    break
                del self._trainings[id]
                size -= self._sizes.pop(id)
            return size <= CACHE_BYTES and len(self._trainings) <= CACHE_TRAININGS

    def has(self, id: str) -> bool:
        with self._lock:
            return id in self._trainings

    def get(self, id: str) -> Training:
        """Return the training with an id. Raises Refused if there is none."""
        if id in presets.NAMES:
            return shipped(id)
        with self._lock:
            own = self._trainings.get(id)
            if own is not None:
                self._trainings.move_to_end(id)
        training = self.newest(id, own)
        if training is not None:
            return training
        message = "this server does not have this training: start it again; the same recipe gives the same weights"
        raise Refused(404, "gone", message, "training")

    def model(self, id: str, step: int) -> Model:
        """Return the model of a training at step `step`. Raises Refused if there is no such training or checkpoint."""
        try:
            return self.get(id).model(step)
        except ValueError as error:
            raise Refused(404, "step", str(error), "step") from error


@cache
def training_cache(settings: Settings) -> TrainingCache:
    return TrainingCache()


def _size(training: Training) -> int:
    recipe = training.recipe
    table = sys.getsizeof(recipe.table) + recipe.data.nbytes if recipe.table else 0
    return TRAINING_BYTES + table + sum(map(_size_of, training.checkpoints))


def _size_of(checkpoint: Checkpoint) -> int:
    numbers = len(checkpoint.report["losses"]) + len(checkpoint.report["lags"])
    return checkpoint.weights.nbytes + REPORT_BYTES + NUMBER_BYTES * numbers
