"""A recipe: all that decides a training, so that the same recipe gives the same weights at every step.

    biases   plain: W and U uniform in ±1/√H, b = 0 but for b_f = 1 of an LSTM. Others: see `initial`
    steps    Adam, on sequences drawn with the seed: see `training.Schedule`
    loss     that of the task, and λ_z · mean(z) + λ_r · mean(1 − r) of a GRU: see `training.Penalties`

Whatever the cell, the sequences are those that a GRU of as many units would see.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np

from gru_core.card import Card
from gru_core.cell import CELLS, Cell
from gru_core.gru import GRU
from gru_core.initial import Initial, initial
from gru_core.model import Model, Readout
from gru_core.table import Split, Table, read
from gru_core.tasks import ALL, Task
from gru_core.training import NO_PENALTIES, Penalties, Schedule

First = Literal["plain"] | Initial
OWN = "own"
"""A task of one's own: the recipe has its table."""

FIRST = ("plain", *get_args(Initial))


@dataclass(frozen=True)
class Recipe:
    """`task` is a name in `tasks.ALL`, or OWN with a `table` as `table.read` takes it; `cell` is one in `CELLS`.

    `first` names the first weights, `T_max` goes with "chrono". `biases` are put in place of what that
    gives, by gate.

    Raises ValueError for what cannot be followed.
    """

    task: str
    units: int
    seed: int
    schedule: Schedule
    cell: str = "gru"
    first: First = "plain"
    T_max: int | None = None
    biases: Mapping[str, float] = field(default_factory=dict)
    penalties: Penalties = NO_PENALTIES
    table: str = ""

    def __post_init__(self) -> None:
        if (self.task == OWN) != bool(self.table):
            raise ValueError("a table goes with a task of one's own, and with that alone")
        if self.table:
            _ = self.rows  # a table that cannot be read is no recipe
        for what, name, known in (
            ("task", self.task, (*ALL, OWN)),
            ("cell", self.cell, CELLS),
            ("weights", self.first, FIRST),
        ):
            if name not in known:
                raise ValueError(f"there is no {what} {name!r}: {', '.join(known)}")
        cell = CELLS[self.cell]
        for gate in self.biases:
            if gate not in cell.gates:
                raise ValueError(f"an {cell.title} has no bias of {gate}: {', '.join(cell.gates)}")
        if self.penalties != NO_PENALTIES and self.cell != "gru":
            raise ValueError(f"the penalties are on gates of a GRU, and this is an {cell.title}")
        if (self.first == "chrono") != (self.T_max is not None):
            raise ValueError("T_max goes with the first weights chrono, and with these alone")
        if self.first == "chrono" and self.cell == "rnn":
            raise ValueError("chrono sets the biases of gates, and an RNN has none")
        if not all(math.isfinite(rate) and rate > 0 for rate in self.rates):
            raise ValueError("a rate is a number above 0")
        if list(self.schedule.changes) != sorted(self.schedule.changes):
            raise ValueError("changes of the rate come in the order of their steps")

    @property
    def rates(self) -> tuple[float, ...]:
        return (self.schedule.rate, *(rate for _, rate in self.schedule.changes))

    @cached_property
    def rows(self) -> Table:
        """What is in the table, kept for as long as the recipe is."""
        return read(self.table)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Recipe:
        """What `to_dict` gave, changes of the rate as lists if need be."""
        schedule = dict(data["schedule"])
        schedule["changes"] = tuple((step, rate) for step, rate in schedule["changes"])
        return Recipe(**{**data, "schedule": Schedule(**schedule), "penalties": Penalties(**data["penalties"])})


def task_for(recipe: Recipe) -> Task | Split:
    return Split(recipe.rows, recipe.seed) if recipe.task == OWN else ALL[recipe.task]


def begin(recipe: Recipe, card: Card) -> tuple[Model, np.random.Generator]:
    """The model that training begins with, and what draws its sequences."""
    rng = np.random.default_rng(recipe.seed)
    model = _gru(recipe, card, rng)
    if recipe.cell != "gru" or recipe.first != "plain":
        apart = np.random.default_rng([recipe.seed, recipe.units, len(CELLS[recipe.cell].gates)])
        model = Model(model.encoder, (_layer(recipe, model.encoder.inputs, apart),), model.readout, card)
    layer = model.layers[0]
    biases = layer.biases | {gate: np.full(layer.units, value) for gate, value in recipe.biases.items()}
    layer = layer.with_parameters({"b": np.concatenate([*biases.values()])})
    return Model(model.encoder, (layer,), model.readout, card), rng


def _gru(recipe: Recipe, card: Card, rng: np.random.Generator) -> Model:
    task, H = task_for(recipe), recipe.units
    gru = GRU.random(task.encoder.inputs, H, rng)
    K = len(task.labels)
    readout = Readout(task.kind, rng.uniform(-1, 1, (K, H)) / np.sqrt(H), np.zeros(K), task.labels)
    return Model(task.encoder, (gru,), readout, card)


def _layer(recipe: Recipe, inputs: int, rng: np.random.Generator) -> Cell:
    if recipe.first != "plain":
        return initial(recipe.cell, inputs, recipe.units, rng, recipe.first, recipe.T_max)
    layer = initial(recipe.cell, inputs, recipe.units, rng)
    return layer.with_parameters({"b": np.concatenate([np.full(recipe.units, float(g == "f")) for g in layer.biases])})
