"""A recipe: all settings of a training. The same recipe gives the same weights at every training step.

    first    "plain": W and U uniform in ±1/√H, b zero except b_f = 1 in an LSTM. For other names see cells/initial.py
    steps    Adam, on sequences drawn with the seed: see `fit.Schedule`
    loss     the task's loss, with penalties on the means of gates: see `fit.Penalties`

Recipes that differ only in the cell have the same training sequences.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, TypedDict, cast, get_args

import numpy as np

from gru_core.arrays import Array
from gru_core.card import Card
from gru_core.cells.cell import Cell
from gru_core.cells.gru import GRU
from gru_core.cells.initial import NO_CHRONO, Initial, initial
from gru_core.cells.registry import CELLS
from gru_core.model import Model, Readout
from gru_core.training.fit import NO_PENALTIES, Penalties, Schedule
from gru_core.training.handover import Handover
from gru_core.training.own import Column, read
from gru_core.training.series import ORDER, Series
from gru_core.training.table import Split, Table
from gru_core.training.task import Task
from gru_core.training.tasks import ALL

First = Literal["plain"] | Initial
OWN = "own"
"""The task name of a visitor's own table or series, which is part of the recipe."""

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
    ("tagger", 2, 1, True): (0, 1),
}
"""Units that start negated in the presets, by task, number of units, seed and whether z has a penalty.

A network with a negated unit computes the same function, and learns it in the same way. Without the negation, h of the
listed units would fall while the stored value rises. With the negation, h rises together with the value, in the preset
and in every checkpoint.
"""


class ScheduleFields(TypedDict):
    """The fields of a `Schedule` in JSON."""

    reach: float | None
    after: int
    rate: float
    T: int
    B: int
    norm: float
    every: int
    most: int
    aside: int
    changes: Sequence[tuple[int, float]]


class RecipeFields(TypedDict):
    """The fields of a `Recipe` in JSON."""

    task: str
    units: int
    seed: int
    schedule: ScheduleFields
    cell: str
    first: First
    T_max: int | None
    biases: Mapping[str, float]
    penalties: Mapping[str, float]
    table: str
    layers: int
    both: bool


@dataclass(frozen=True)
class Recipe:
    """The settings of a training.

    `task` is a name in `tasks.ALL`, or OWN. Only OWN takes a `table`, which is CSV for `own.read`. `cell` is a name in
    `CELLS`. The network has `layers` layers of `units` units each. If `both` is true, each layer is bidirectional, with
    `units` units in each direction. `first` names the initialization, and only "chrono" takes `T_max`. `biases` are
    initial biases by gate. They replace the biases of the initialization in every layer.

    Raises ValueError if a name is unknown, if parts do not fit together, if the table cannot be read, if a learning
    rate is not above 0, or if the changes of the learning rate are not in order.
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
    layers: int = 1
    both: bool = False

    def __post_init__(self) -> None:
        if (self.task == OWN) != bool(self.table):
            raise ValueError(f"the task {OWN!r} needs a table, and no other task takes one")
        if self.table:
            _ = self.data  # raises TableError, which is a ValueError, if the table cannot be read
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
        for gate in self.penalties.slopes:
            if gate not in cell.gates:
                raise ValueError(f"{cell.title} cells have no gate {gate}: remove the penalty on {gate}")
        if (series := series_of(self)) is not None and not ORDER < self.schedule.T <= series.training:
            raise ValueError(
                f"a forecast needs sequences of more than {ORDER} timesteps, and at most {series.training:,}, "
                "the numbers of the training part"
            )
        if _handover(self) is not None and (self.cell != "gru" or self.layers != 1 or self.both or self.units % 2):
            raise ValueError("an encoder and a decoder need one layer of GRU cells, with an even number of units")
        if self.layers < 1:
            raise ValueError("a network needs at least one layer")
        if (self.first == "chrono") != (self.T_max is not None):
            raise ValueError("the initialization “chrono” needs T_max, and no other initialization takes it")
        if self.first == "chrono" and not cell.chrono:
            raise ValueError(NO_CHRONO.format(cell.title))
        if not all(math.isfinite(rate) and rate > 0 for rate in self.rates):
            raise ValueError("a learning rate must be a number above 0")
        if list(self.schedule.changes) != sorted(self.schedule.changes):
            raise ValueError("changes of the learning rate must be in the order of their training steps")

    @property
    def rates(self) -> tuple[float, ...]:
        return (self.schedule.rate, *(rate for _, rate in self.schedule.changes))

    @cached_property
    def data(self) -> Table | Column:
        """The visitor's table or series, parsed once."""
        return read(self.table)

    def to_dict(self) -> RecipeFields:
        """Return the recipe as a dictionary for JSON."""
        return cast(RecipeFields, asdict(self))

    @staticmethod
    def from_dict(data: RecipeFields) -> Recipe:
        """Build a recipe from the dictionary that `to_dict` returned, also after a round trip through JSON."""
        changes = tuple((step, rate) for step, rate in data["schedule"]["changes"])
        schedule: dict[str, Any] = {**data["schedule"], "changes": changes}
        fields: dict[str, Any] = {**data, "schedule": Schedule(**schedule), "penalties": Penalties(**data["penalties"])}
        return Recipe(**fields)


def task_for(recipe: Recipe) -> Task | Split:
    if recipe.task != OWN:
        return ALL[recipe.task]
    return recipe.data.task if isinstance(recipe.data, Column) else Split(recipe.data, recipe.seed)


def series_of(recipe: Recipe) -> Series | None:
    """Return the series that a recipe forecasts, or None if it forecasts none."""
    task = task_for(recipe)
    return task.series if isinstance(task, Task) else None


def baselines_of(recipe: Recipe) -> Mapping[str, float]:
    """Return the held-out score of each baseline of a recipe's task, by name; empty if the task has no baselines."""
    task = task_for(recipe)
    return task.baselines if isinstance(task, Task) else {}


def begin(recipe: Recipe, card: Card) -> tuple[Model, np.random.Generator]:
    """Return the model before training, and the generator that draws the training sequences."""
    rng = np.random.default_rng(recipe.seed)
    model = _gru(recipe, card, rng)
    for unit in negated(recipe):
        model = model.negate_unit(0, unit)
    if recipe.cell != "gru" or recipe.first != "plain":
        apart = np.random.default_rng([recipe.seed, recipe.units, len(CELLS[recipe.cell].gates)])
        model = replace(model, layers=(_layer(recipe, model.encoder.inputs, apart),))
    width = recipe.units * (2 if recipe.both else 1)
    upper = (np.random.default_rng([recipe.seed, recipe.units, i]) for i in range(1, recipe.layers))
    model = replace(model, layers=(*model.layers, *(_layer(recipe, width, above) for above in upper)))
    if recipe.both:
        model = _with_backward(recipe, model)
    model = replace(model, layers=tuple(_with_biases(cell, recipe.biases) for cell in model.layers))
    handover = _handover(recipe)
    return model if handover is None else handover.connect(model), rng


def _handover(recipe: Recipe) -> Handover | None:
    task = task_for(recipe)
    return task.handover if isinstance(task, Task) else None


def masks(recipe: Recipe, model: Model) -> Mapping[str, Array] | None:
    """Return a mask for each parameter, 0 for weights that training does not change, as `fit` takes them.

    Return None if all weights are trained.
    """
    handover = _handover(recipe)
    return None if handover is None else handover.trained(model)


def negated(recipe: Recipe) -> tuple[int, ...]:
    """Return the units that start negated: see NEGATED."""
    if recipe.cell != "gru" or recipe.first != "plain" or recipe.layers > 1:
        return ()
    return NEGATED.get((recipe.task, recipe.units, recipe.seed, recipe.penalties.z > 0), ())


def sign_in_words(units: Sequence[int]) -> dict[str, str]:
    """Return a card entry, as a dictionary, that names the units that started negated.

    `units` count from 0. Without units, the dictionary is empty.
    """
    if not units:
        return {}
    *others, last = (str(unit + 1) for unit in units)
    which = f"units {', '.join(others)} and {last}" if others else f"unit {last}"
    return {"sign of h": f"chosen for display: {which} started negated, which changes no output"}


def _with_biases(layer: Cell, values: Mapping[str, float]) -> Cell:
    biases = layer.biases | {gate: np.full(layer.units, value) for gate, value in values.items()}
    return layer.with_parameters({"b": np.concatenate([*biases.values()])})


def _gru(recipe: Recipe, card: Card, rng: np.random.Generator) -> Model:
    task, H = task_for(recipe), recipe.units
    gru = GRU.random(task.encoder.inputs, H, rng)
    K = len(task.labels)
    readout = Readout(task.kind, rng.uniform(-1, 1, (K, H)) / np.sqrt(H), np.zeros(K), task.labels)
    return Model(task.encoder, (gru,), readout, card)


def _with_backward(recipe: Recipe, model: Model) -> Model:
    """Return the model with backward units added to each layer, and with a readout for both directions."""
    rng = np.random.default_rng([recipe.seed, recipe.units, recipe.layers, 2])
    layers = tuple(Cell.bidirectional(cell, _layer(recipe, cell.inputs, rng)) for cell in model.layers)
    V = rng.uniform(-1, 1, model.readout.V.shape) / np.sqrt(recipe.units)
    readout = replace(model.readout, V=np.concatenate([model.readout.V, V], 1))
    return replace(model, layers=layers, readout=readout)


def _layer(recipe: Recipe, inputs: int, rng: np.random.Generator) -> Cell:
    if recipe.first != "plain":
        return initial(recipe.cell, inputs, recipe.units, rng, recipe.first, recipe.T_max)
    layer = initial(recipe.cell, inputs, recipe.units, rng)
    return layer.with_parameters({"b": np.concatenate([np.full(recipe.units, float(g == "f")) for g in layer.biases])})
