"""The schemas of request bodies, and of response bodies without arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired, TypedDict, cast

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator
from pydantic_core import PydanticCustomError

from gru_core import Clamp, Edit
from gru_core.cells.registry import CELLS, GATES, HOLDABLE
from gru_core.experiments import EQUAL, RACES, sequence
from gru_core.experiments.race import COUNTING, FURTHEST
from gru_core.formats.limits import Limits
from gru_core.runs.edit import Part
from gru_core.runs.writing import HOTTEST
from gru_core.training.recipe import FIRST, First

SIGNALS = tuple(dict.fromkeys(name for cell in CELLS.values() for name in cell.signals))

if TYPE_CHECKING:
    Gate = str
    Holdable = str
    FirstName = First
    RaceTask = str
    RaceCell = str
else:  # so that the OpenAPI document and the errors list the allowed values
    Gate, Holdable = Literal[GATES], Literal[tuple(HOLDABLE)]
    FirstName = Literal[FIRST]
    RaceTask, RaceCell = Literal[RACES], Literal[tuple(EQUAL)]


MOST_CHANGES = 64
"""The maximum number of clamps in a scenario, and of edited weights."""


MOST_FIELDS = 64
"""The maximum number of fields in a JSON object."""


class Body(BaseModel):
    # No conversion: true is not 1, "3" is not 3, and an unknown field is an error.
    model_config = ConfigDict(strict=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _few_fields(cls, data: Any) -> Any:
        # Each unknown field is an error of its own: tens of thousands of errors would block the event loop.
        parts = (data, *data.values()) if isinstance(data, dict) else ()
        if any(isinstance(part, dict) and len(part) > MOST_FIELDS for part in parts):
            raise PydanticCustomError("fields", "there are too many fields: at most {most}", {"most": MOST_FIELDS})
        return data


FirstError = Field(fail_fast=True)
"""For list fields: validation stops at the first wrong item, because only the first error is reported."""


Place = Annotated[int, Field(ge=1)]
Rows = Annotated[list[Annotated[list[FiniteFloat], FirstError]], FirstError]


class ClampBody(Body):
    """A clamp, which sets a gate, the candidate, a state, or the previous state h_prev to a value at some timesteps.

    Units, timesteps and layers count from 1. If `units` is null, the clamp applies to all units. `to` is the last
    timestep of the clamp; null means the end of the sequence.
    """

    gate: Holdable
    units: Annotated[list[Place], Field(min_length=1, max_length=256), FirstError] | None = None
    from_: Annotated[Place, Field(alias="from")]
    to: Place | None
    value: float
    layer: Place = 1

    def clamp(self) -> Clamp:
        """Return the clamp as a `Clamp`, which counts from 0. Raises ValueError if the value is not allowed."""
        units = None if self.units is None else [unit - 1 for unit in self.units]
        return Clamp(self.gate, self.value, units, slice(self.from_ - 1, self.to), self.layer - 1)


class WeightBody(Body):
    """A changed weight of one unit: an element of W or U, or a bias b or c.

    `index` is the number of the input for W, and the number of the unit in the old state for U. A bias has no `index`.
    Layers, units and indices count from 1.
    """

    layer: Place = 1
    gate: Gate
    unit: Place
    part: Part
    index: Place | None = None
    value: float

    def edit(self) -> Edit:
        """Return the change as an `Edit`, which counts from 0. Raises ValueError if the fields do not fit together."""
        index = None if self.index is None else self.index - 1
        return Edit(self.layer - 1, self.gate, self.unit - 1, self.part, index, self.value)


MOST_WRITTEN = 100
"""The maximum number of timesteps that a network writes in a run."""

MOST_SEEDS = 2**32


class WriteBody(Body):
    """The number of timesteps that a network writes after the sequence, and how it draws symbols from its outputs.

    At temperature 0 the network takes the most likely symbol. At temperature 1 it draws with the probabilities of its
    output. The same seed gives the same text. A network that forecasts numbers ignores `temperature` and `seed`.
    """

    steps: Annotated[int, Field(ge=1, le=MOST_WRITTEN)]
    temperature: Annotated[float, Field(ge=0, le=HOTTEST)] = 1.0
    seed: Annotated[int, Field(ge=0, lt=MOST_SEEDS)] = 0


class ScenarioFields(TypedDict):
    """The fields of a `Scenario` in JSON types, for pages."""

    model: str
    sequence: str | Rows
    clamps: Sequence[Mapping[str, Any]]
    weights: Sequence[Mapping[str, Any]]
    h0: NotRequired[Rows | None]
    against: NotRequired[str | None]
    write: NotRequired[Mapping[str, float] | None]


class Scenario(Body):
    """A run: a model, a sequence, and your changes.

    `sequence` is text in the model's alphabet, or a list of T timesteps with I numbers each. `h0` has the initial state
    of each layer, for an LSTM h and then c; null means zero. `against` is a second sequence with the same number of
    timesteps. The model runs over it with the same changes, and the response contains that run instead of the original
    run. With `write`, the network reads its own outputs after the sequence. The original run, or the run of `against`,
    then writes its own text with the same seed.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"model": "flip-flop", "sequence": "A m m B m", "clamps": [], "weights": []}]}
    )

    model: str
    sequence: str | Rows
    h0: Rows | None = None
    clamps: Annotated[list[ClampBody], Field(max_length=MOST_CHANGES), FirstError] = []
    weights: Annotated[list[WeightBody], Field(max_length=MOST_CHANGES), FirstError] = []
    against: str | None = None
    write: WriteBody | None = None

    def fields(self) -> ScenarioFields:
        """Return the scenario as a dictionary in JSON types."""
        return cast(ScenarioFields, self.model_dump(by_alias=True))

    def until(self, t: int) -> Scenario:
        """Return a scenario with only the first `t` timesteps. The sequences must be text."""
        write = self.write and first_written(self.write, t - len(str(self.sequence).split()))
        texts = {"sequence": self.sequence, "against": self.against}
        cut = {key: " ".join(text.split()[:t]) for key, text in texts.items() if isinstance(text, str)}
        clamps = [
            clamp.model_copy(update={"to": clamp.to and min(clamp.to, t)}) for clamp in self.clamps if clamp.from_ <= t
        ]
        return self.model_copy(update={**cut, "clamps": clamps, "write": write})


def first_written(write: WriteBody, steps: int) -> WriteBody | None:
    """Return `write` limited to `steps` timesteps, or None if `steps` is 0 or less."""
    return write.model_copy(update={"steps": min(write.steps, steps)}) if steps > 0 else None


Content = Literal["all", "signals"]
"""The content of an exported run: all values in full precision, or only inputs, outputs and signals as float32."""


class ExportBody(Body):
    """A link, and the content of the exported file: by default "all", or "signals" for the numbers of a large run."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"link": "?model=flip-flop&sequence=A+m+m"}]})

    link: str
    content: Content | None = None


class UnitPlace(Body):
    """A layer, and a unit in it, both counted from 1."""

    layer: Place
    unit: Place


class TraceBody(Scenario):
    """A scenario, and the unit for which the response has the equations at each timestep.

    If `equations` is null, the response has no equations. With `brief`, the stream of a large run has exact values only
    for this unit, and float32 values for all others. In this case, null means the first unit of the top layer.
    """

    equations: UnitPlace | None = None
    brief: bool = False


class TracesBody(Body):
    """Scenarios that are run one after another, at most as many as there are kinds of cells."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"scenarios": [{"model": name, "sequence": "A m m B m"} for name in ("flip-flop", "flip-flop-lstm")]}
            ]
        }
    )

    scenarios: Annotated[list[TraceBody], Field(min_length=1, max_length=len(CELLS)), FirstError]


def _example(**fields: int | str | None) -> ConfigDict:
    flip_flop: dict[str, Any] = {"model": "flip-flop", "sequence": "A m m B m", "layer": 1, "unit": 1}
    return ConfigDict(json_schema_extra={"examples": [flip_flop | fields]})


class UnitBody(Scenario):
    """A scenario, and a unit of a layer. Units and layers count from 1."""

    layer: Place
    unit: Place


class SumsBody(UnitBody):
    """A scenario, and the layer, unit and timesteps for the sums, all counted from 1; `to` is included."""

    model_config = _example(**{"from": 4, "to": 5})

    from_: Annotated[Place, Field(alias="from")]
    to: Place


class EquationsBody(SumsBody):
    """A scenario, and the layer, unit and timesteps for the equations, all counted from 1; `to` is included."""


class LedgerBody(SumsBody):
    """A scenario, and the layer, unit and timesteps for the contributions, all counted from 1; `to` is included."""


class SensitivityBody(UnitBody):
    """A scenario, a layer, a unit, a timestep `t` and an `output`, all counted from 1.

    If `output` is null, the largest output at `t` is used: with a softmax, the model's answer.
    """

    model_config = _example(t=5, output=None)

    t: Place
    output: Place | None = None


class MomentsBody(SumsBody):
    """A scenario, and the moment to search for: a `signal` of a unit at the timesteps `from` to `to` (included).

    `near` is the largest difference that counts as similar, as a share of the signal's scale.
    """

    model_config = _example(signal="z", **{"from": 4, "to": 4})

    signal: str
    near: Annotated[float, Field(gt=0, le=1)] = 0.1


class CensusBody(Body):
    """A model, and the sequences for its census.

    `text` has one sequence in each line; with `table`, it is CSV. If `text` is null, the census uses held-out sequences
    of the model's task. `between` has the two labels to separate.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"model": "flip-flop", "text": "A m m B\tB\nB m A\tA"}]})

    model: str
    text: str | None = None
    table: bool = False
    between: Annotated[list[str], Field(min_length=2, max_length=2)] | None = None


RaceStep = Annotated[int, Field(ge=1, le=10_000)]
SeedList = Field(min_length=1, max_length=64, fail_fast=True)
LengthList = Field(min_length=FURTHEST, max_length=FURTHEST, fail_fast=True)


class GapBody(Body):
    """Settings of untrained cells, to measure how far their gradient reaches over a gap of `gap` timesteps.

    `first` is the initialization. With "plain", z of the GRU has the initial bias `b`, and f of the LSTM has −`b`.
    """

    gap: Annotated[int, Field(ge=5, le=200)]
    units: Annotated[int, Field(ge=2, le=32)]
    first: FirstName = "plain"
    b: Annotated[float, Field(ge=-10, le=10)] = 0.0
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0


class RaceBody(Body):
    """The results of trainings on a task of the experiment Cell comparison, by cell and seed.

    For the task counting, the results are in `counted`: for n = 1, 2, …, a 1 if the network counts n correctly, else 0.
    For all other tasks, they are in `steps`: the training step at which the network reached the target, or null if it
    never did.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"task": "parity", "steps": {"gru": [130, 125, None]}}]})

    task: RaceTask
    steps: dict[RaceCell, Annotated[list[RaceStep | None], SeedList]] = {}
    counted: dict[RaceCell, Annotated[list[Annotated[list[Literal[0, 1]], LengthList]], SeedList]] = {}

    @model_validator(mode="after")
    def _results(self) -> RaceBody:
        field = "counted" if self.task == COUNTING else "steps"
        if not getattr(self, field) or len(self.steps and self.counted):
            raise PydanticCustomError(
                "results", "needs the results of this task in {field}, and no others", {"field": field}
            )
        return self


class Counted(BaseModel):
    """The result of a counting test: for n = 1, 2, …, a 1 if the network counts n correctly, else 0."""

    counted: list[int]


class SequenceTimes(BaseModel):
    """The seconds that each network takes for the same sequences, and whether attention is faster than the GRU."""

    seconds: dict[str, float]
    comparison: sequence.Comparison


class TapesBody(Body):
    """A sequence, and the number of the `first` checkpoint that runs it, counted from 0."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"sequence": "A m m B m", "first": 0}]})

    sequence: Annotated[str, Field(max_length=4000)]
    first: Annotated[int, Field(ge=0)] = 0


class HeldAt(BaseModel):
    """The timesteps of the held-out sequences at which a clamp applies, in words."""

    at: str


class Scores(BaseModel):
    """A model's score on held-out sequences, without and with the changes of a scenario.

    `held` has an entry for each clamp.
    """

    name: str
    untouched: float
    changed: float
    sequences: int
    steps: int
    held: list[HeldAt]


class Answers(Body):
    """Answers to the questions about an uploaded file, by the key of the question.

    `alphabet` names the symbols, and `labels` the outputs. Earlier answers and names stay valid unless this request
    replaces them.
    """

    answers: Annotated[dict[str, str], Field(max_length=16)] = {}
    alphabet: Annotated[list[str], Field(max_length=Limits.symbols), FirstError] | None = None
    labels: Annotated[list[str], Field(max_length=Limits.outputs), FirstError] | None = None
