"""The bodies that come in, and those of answers without arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, model_validator
from pydantic_core import PydanticCustomError

from gru_core import Clamp, Edit
from gru_core.cell import CELLS, GATES, HOLDABLE
from gru_core.numerals import whole

SIGNALS = tuple(dict.fromkeys(name for cell in CELLS.values() for name in cell.signals))

if TYPE_CHECKING:
    Gate = str
    Holdable = str
else:  # so that the interface's description and its refusals list them
    Gate, Holdable = Literal[GATES], Literal[tuple(HOLDABLE)]


MOST_CHANGES = 64
"""Clamps, and again edited weights, of a scenario."""


def _whole(text: object) -> int:
    digits = text.removeprefix("-") if isinstance(text, str) else ""
    number = whole(digits)
    if number is None:
        raise PydanticCustomError("whole", "must be a whole number in the digits 0 to 9")
    return number if digits == text else -number


Whole = Annotated[int, BeforeValidator(_whole)]
"""A whole number in a path or a query."""


MOST_FIELDS = 64
"""Fields of a JSON object."""


class Body(BaseModel):
    # No guessing: true is not 1, "3" is not 3, and what is not known is not ignored.
    model_config = ConfigDict(strict=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _few_fields(cls, data: Any) -> Any:
        # Each unknown field is an error of its own: tens of thousands of errors would hold up the event loop.
        parts = (data, *data.values()) if isinstance(data, dict) else ()
        if any(isinstance(part, dict) and len(part) > MOST_FIELDS for part in parts):
            raise PydanticCustomError("fields", "there are too many fields")
        return data


FirstError = Field(fail_fast=True)
"""Of a list: one wrong item is enough, since only the first error is reported."""


Place = Annotated[int, Field(ge=1)]
Rows = Annotated[list[Annotated[list[FiniteFloat], FirstError]], FirstError]


class ClampBody(Body):
    """A gate, or h_{t-1} as a step sees it, held at a value.

    Units and steps count from 1, as on screen; `to` is included, null is the last step.
    """

    gate: Holdable
    units: Annotated[list[Place], Field(min_length=1, max_length=256), FirstError] | None = None
    from_: Annotated[Place, Field(alias="from")]
    to: Place | None
    value: float
    layer: Place = 1

    def clamp(self) -> Clamp:
        """The core's clamp, which counts from 0. Raises ValueError when the value does not fit."""
        units = None if self.units is None else [unit - 1 for unit in self.units]
        return Clamp(self.gate, self.value, units, slice(self.from_ - 1, self.to), self.layer - 1)


class WeightBody(Body):
    """A weight at another value: of W by the input it meets, of U by the unit, or a bias b or c.

    All places count from 1; a bias has no `index`.
    """

    layer: Place = 1
    gate: Gate
    unit: Place
    part: Literal["W", "U", "b", "c"]
    index: Place | None = None
    value: float

    def edit(self) -> Edit:
        """The core's edit, which counts from 0. Raises ValueError when it does not fit together."""
        index = None if self.index is None else self.index - 1
        return Edit(self.layer - 1, self.gate, self.unit - 1, self.part, index, self.value)


class Scenario(Body):
    """The whole question: a model, a sequence, and what is changed. Nothing else is remembered.

    `sequence` is text in the model's alphabet, or rows of numbers (T, I). `h0` is a state for each
    layer, zero when null; of an LSTM h, then c. `against` is another text of as many steps, whose run, changed in
    the same way, goes along in place of the untouched one.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"model": "flip-flop", "sequence": "A x x B x", "clamps": [], "weights": []}]}
    )

    model: str
    sequence: str | Rows
    h0: Rows | None = None
    clamps: Annotated[list[ClampBody], Field(max_length=MOST_CHANGES), FirstError] = []
    weights: Annotated[list[WeightBody], Field(max_length=MOST_CHANGES), FirstError] = []
    against: str | None = None


def _example(**asked: int | str | None) -> ConfigDict:
    flip_flop: dict[str, Any] = {"model": "flip-flop", "sequence": "A x x B x", "layer": 1, "unit": 1}
    return ConfigDict(json_schema_extra={"examples": [flip_flop | asked]})


class UnitQuestion(Scenario):
    """A scenario, and a unit of a layer. Both count from 1."""

    layer: Place
    unit: Place


class SumsQuestion(UnitQuestion):
    """A scenario, and a unit and steps of it whose sums are asked for. All count from 1; `to` is included."""

    model_config = _example(**{"from": 4, "to": 5})

    from_: Annotated[Place, Field(alias="from")]
    to: Place


class LedgerQuestion(SumsQuestion):
    """A scenario, and a unit and steps of it whose ledger is asked for. All count from 1; `to` is included."""


class SensitivityQuestion(UnitQuestion):
    """A scenario, a unit, a step `t` and an `output`: null is the one answered there. All count from 1."""

    model_config = _example(t=5, output=None)

    t: Place
    output: Place | None = None


class MomentsQuestion(SumsQuestion):
    """A scenario, and the steps of a unit's `signal` that are to be found again. `from` and `to` as in SumsQuestion."""

    model_config = _example(signal="z", **{"from": 4, "to": 4})

    signal: str
    near: Annotated[float, Field(gt=0, le=1)] = 0.1


class TapesQuestion(Body):
    """A sequence, and the place of the first checkpoint that is to read it, from 0."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"sequence": "A x x B x", "first": 0}]})

    sequence: Annotated[str, Field(max_length=4000)]
    first: Annotated[int, Field(ge=0)] = 0


class HeldAt(BaseModel):
    """At which steps of other sequences a clamp is held."""

    at: str


class Scores(BaseModel):
    """A model's score on fresh data, left alone and with what a scenario changes; `held` has each clamp in turn."""

    name: str
    untouched: float
    changed: float
    sequences: int
    steps: int
    held: list[HeldAt]


class Timing(BaseModel):
    """Microseconds a `step` and milliseconds a `training` step, medians of so many `repeats`; see GET /api/timing."""

    step: float
    training: float
    repeats: int
    steps: int
    sequences: int


class ErrorDetail(BaseModel):
    """`where` is the part of the request at fault; places in lists count from 1."""

    code: str
    message: str
    where: str | None


class ErrorBody(BaseModel):
    error: ErrorDetail


class Answers(Body):
    """What is said of a file besides itself: answers by the key of their question, names for its symbols and outputs.

    What was said before holds where this says nothing.
    """

    answers: Annotated[dict[str, str], Field(max_length=16)] = {}
    alphabet: Annotated[list[str], Field(max_length=1024), FirstError] | None = None
    labels: Annotated[list[str], Field(max_length=1024), FirstError] | None = None
