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

NEGATED: Mapping[tuple[str, int, int, bool], tuple[int, ...]] = {
    ("flip-flop", 1, 10, True): (0,),
    ("flip-flop", 1, 10, False): (0,),
    ("pocket-calculator", 1, 7, True): (0,),
    ("pocket-calculator", 1, 7, False): (0,),
    ("store-and-recall", 4, 3, True): (2, 3),
    ("store-and-recall", 4, 3, False): (2, 3),
    ("sentiment", 8, 2, True): (0, 1, 2, 3, 7),
    ("sentiment", 8, 2, False): (0, 1, 3, 7),
}
"""Units that start negated in the presets, by task, units, seed and whether z has a penalty.

A network with a negated unit is the same function, and training negates its weights at every step alike. These are the
units that would end upside down otherwise: with them, h rises with the stored value in the preset and in every
checkpoint of its training.
"""


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
            raise ValueError(f"the task {OWN!r} needs a table, and no other task takes one")
        if self.table:
            _ = self.rows  # a table that cannot be read is no recipe
        for what, name, known in (
            ("task", self.task, (*ALL, OWN)),
            ("cell", self.cell, CELLS),
            ("initialization", self.first, FIRST),
        ):
            if name not in known:
                raise ValueError(f"{what} {name!r} is unknown: choose one of {', '.join(known)}")
        cell = CELLS[self.cell]
        for gate in self.biases:
            if gate not in cell.gates:
                raise ValueError(f"{cell.title} cells have no bias for {gate!r}: choose from {', '.join(cell.gates)}")
        if self.penalties != NO_PENALTIES and self.cell != "gru":
            raise ValueError(f"penalties apply to the gates of a GRU, and this cell is an {cell.title}: remove them")
        if (self.first == "chrono") != (self.T_max is not None):
            raise ValueError("the initialization “chrono” needs T_max, and no other initialization takes it")
        if self.first == "chrono" and self.cell == "rnn":
            raise ValueError(
                "the initialization “chrono” sets gate biases, and an RNN has no gates: choose another one"
            )
        if not all(math.isfinite(rate) and rate > 0 for rate in self.rates):
            raise ValueError("a learning rate must be a number above 0")
        if list(self.schedule.changes) != sorted(self.schedule.changes):
            raise ValueError("changes of the learning rate must be in the order of their training steps")

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
    else:
        for unit in NEGATED.get((recipe.task, recipe.units, recipe.seed, recipe.penalties.z > 0), ()):
            model = model.negate_unit(0, unit)
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
