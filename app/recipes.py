"""Training recipes in requests and links: their fields, and the allowed range of each number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, FiniteFloat, ValidationError
from pydantic_core import PydanticCustomError

from gru_core import experiments, presets
from gru_core.cells.registry import CELLS, GATES
from gru_core.numerals import decimal, whole
from gru_core.presets.recipes import usual
from gru_core.training.fit import Penalties, Schedule
from gru_core.training.own import Column, read
from gru_core.training.recipe import OWN, Recipe
from gru_core.training.table import MOST_BYTES
from gru_core.training.tasks import FORECASTS, NAME_TASKS, TAGGING, WORD_TASKS

from .errors import Refused
from .schemas import Body, FirstError, FirstName, Gate

RANGES: dict[str, tuple[float, float]] = {
    "units": (1, 32),
    "seed": (0, 2**32 - 1),
    "rate": (1e-4, 10),
    "bias": (-10, 10),
    "T_max": (3, 1000),
    "penalty": (0, 1),
    "after": (0, 3000),
    "most": (1, 6000),
    "T": (2, 201),
}
"""The lowest and the highest allowed value of each number in a recipe."""

MOST_CHANGES = 16

ANSWERS = Schedule(reach=0.99, after=300, most=1500, every=25)
"""The default schedule for a table of sequences with answers."""

SERIES = Schedule(None, 0, 0.01, T=40, most=500)
"""The default schedule for a time series, the same as for the sunspots."""


def _number(key: str, whole: bool = False) -> Any:
    low, high = RANGES[key]

    def within(value: float) -> float:
        if low <= value <= high:
            return value
        raise PydanticCustomError("range", "must be from {low} to {high}", {"low": f"{low:g}", "high": f"{high:,.10g}"})

    schema: dict[str, Any] = {"minimum": low, "maximum": high}
    return Annotated[int if whole else float, AfterValidator(within), Field(json_schema_extra=schema)]


if TYPE_CHECKING:
    TaskName = str
    CellName = str
    Units = int
    Seed = int
    Horizon = int
    After = int
    Most = int
    Steps = int
    Rate = float
    Bias = float
    Weight = float
else:  # so that the OpenAPI document and the errors contain the names and the ranges
    TaskName = Literal[(*presets.TASKS, *FORECASTS, *NAME_TASKS, *WORD_TASKS, *TAGGING, *experiments.BASES, OWN)]
    CellName = Literal[tuple(CELLS)]
    Units, Seed, Horizon, After, Most, Steps = (
        _number(key, True) for key in ("units", "seed", "T_max", "after", "most", "T")
    )
    Rate, Bias, Weight = _number("rate"), _number("bias"), _number("penalty")


class PenaltiesBody(Body):
    """The weights λ of the penalties on gate means: on z and 1 − r of a GRU, and on o of an LSTM."""

    z: Weight = 0.0
    r: Weight = 0.0
    o: Weight = 0.0


class ChangeBody(Body):
    """A change of the learning rate to `rate` after training step `step`."""

    step: Most
    rate: Rate


class RecipeBody(Body):
    """A training recipe.

    A missing field takes its value from the recipe of the task's preset or experiment. The task "own" has its own
    defaults and needs a `table`: CSV with sequences and their answers, or with one column of numbers. `rate` is the
    learning rate. `first` is the initialization; only "chrono" uses `T_max`, the longest memory in timesteps. `biases`
    are initial biases by gate. If they are missing, "plain" uses the preset's biases, and other initializations use
    none. Only a GRU and an LSTM have `penalties`. `reach` is the target score on held-out sequences. Training ends
    `after` training steps after it has reached the target, or after `most` training steps without reaching it. `T` is
    the number of timesteps of a training sequence.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"task": "flip-flop", "units": 2, "seed": 1}]})

    task: TaskName
    table: Annotated[str, Field(max_length=MOST_BYTES)] = ""
    cell: CellName = "gru"
    units: Units | None = None
    seed: Seed | None = None
    first: FirstName = "plain"
    T_max: Horizon | None = None
    biases: dict[Gate, Bias] | None = None
    penalties: PenaltiesBody | None = None
    rate: Rate | None = None
    changes: Annotated[list[ChangeBody], Field(max_length=MOST_CHANGES), FirstError] = Field(default=[])
    reach: FiniteFloat | None = None
    after: After | None = None
    most: Most | None = None
    T: Steps | None = None

    def recipe(self) -> Recipe:
        """Return the recipe with all defaults filled in. Raises Refused if fields do not fit together."""
        try:
            base = base_of(self.task, self.table)
        except ValueError as error:
            raise Refused(422, "table", str(error), "table") from error
        schedule = {key: getattr(self, key) for key in ("rate", "reach", "after", "most", "T")}
        own = {key: value for key, value in schedule.items() if value is not None}
        if self.task in experiments.BASES and self.T is not None:
            own["aside"] = self.T
        biases: Mapping[str, float] = self.biases or {}
        if self.biases is None and self.first == "plain":
            biases = {gate: value for gate, value in base.biases.items() if gate in CELLS[self.cell].gates}
        try:
            return Recipe(
                self.task,
                self.units or base.units,
                base.seed if self.seed is None else self.seed,
                replace(base.schedule, **own, changes=tuple((change.step, change.rate) for change in self.changes)),
                self.cell,
                self.first,
                self.T_max,
                biases,
                self._penalties(base.penalties),
                self.table,
                base.layers,
                base.both,
            )
        except ValueError as error:
            raise Refused(422, "recipe", str(error), "recipe") from error

    def _penalties(self, usual: Penalties) -> Penalties:
        """Return the penalties of the request, or `usual` if it has none, for the gates that this cell penalizes."""
        named = usual if self.penalties is None else Penalties(**self.penalties.model_dump())
        return Penalties(**{gate: getattr(named, gate) for gate in CELLS[self.cell].penalized})


def base_of(task: str, table: str = "") -> Recipe:
    """Return the default recipe of a task, which is the recipe of its preset or experiment.

    For the task "own", return a default recipe for the data in `table`. Raises ValueError if
    `table` is not a valid table of sequences or a valid series.
    """
    if task == OWN:
        is_series = bool(table) and isinstance(read(table), Column)
        return Recipe(OWN, 8 if is_series else 4, 0, SERIES if is_series else ANSWERS, table=table)
    return usual(task)


def read_recipes(keys: Mapping[str, str]) -> list[Recipe]:
    """Return the recipes in a link to the Train page, one for each cell. Raises Refused if a value is not valid."""
    cells = (keys.get("cells") or "gru").split(",")
    if len(set(cells)) < len(cells) or not set(cells) <= set(CELLS):
        raise Refused(422, "link", f"cells must be some of {','.join(CELLS)}, each only once", "cells")
    return [_body(keys, cell).recipe() for cell in cells]


def _body(keys: Mapping[str, str], cell: str) -> RecipeBody:
    fields: dict[str, Any] = {"task": keys.get("task") or presets.TASKS[0], "cell": cell}
    for key in ("units", "seed", "T_max", "after", "most", "T"):
        if keys.get(key):
            fields[key] = _read(whole, key, keys[key])
    for key in ("rate", "reach"):
        if keys.get(key):
            fields[key] = _read(decimal, key, keys[key])
    chrono = bool(CELLS[cell].chrono)
    if not chrono:
        fields.pop("T_max", None)
    first = keys.get("first") or "plain"
    fields["first"] = "plain" if first == "chrono" and not chrono else first
    biases = {gate: _read(decimal, f"b_{gate}", keys[f"b_{gate}"]) for gate in GATES if keys.get(f"b_{gate}")}
    if biases:
        fields["biases"] = {gate: value for gate, value in biases.items() if gate in CELLS[cell].gates}
    penalties = {
        gate: _read(decimal, f"penalty_{gate}", keys[f"penalty_{gate}"]) for gate in "zr" if keys.get(f"penalty_{gate}")
    }
    if penalties:
        fields["penalties"] = penalties
    if keys.get("changes"):
        pairs = [change.partition(":") for change in keys["changes"].split(",", MOST_CHANGES + 1)]
        changes = [{"step": whole(step), "rate": decimal(rate)} for step, _, rate in pairs]
        if any(None in change.values() for change in changes):
            form = "changes must look like 400:0.06,600:0.01 (training step:learning rate)"
            raise Refused(422, "link", f"{form}, with at most {MOST_CHANGES} changes", "changes")
        fields["changes"] = changes
    try:
        return RecipeBody.model_validate(fields)
    except ValidationError as error:
        first_error = error.errors()[0]
        place = [str(part + 1 if isinstance(part, int) else part) for part in first_error["loc"]]
        where = ".".join(place) or "recipe"
        message = first_error["msg"][:1].lower() + first_error["msg"][1:]
        raise Refused(422, "link", f"{where}: {message}", where) from error


def _read(kind: Callable[[str], float | None], key: str, text: str) -> float:
    number = kind(text)
    if number is None:
        form = "a whole number, at least 0" if kind is whole else "a number"
        raise Refused(422, "link", f"{key} must be {form}", key)
    return number
