"""Runs of scenarios in blocks of timesteps. The model, the sequence and the limits are checked once, at the start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from gru_core import Model, Trace, stream
from gru_core.arrays import Array
from gru_core.cells.registry import CELLS
from gru_core.encoders.vectors import Scaled
from gru_core.training.series import baseline_forecasts
from gru_core.training.tasks import regressions_of, task_of

from .. import models
from ..errors import Refused, within
from ..schemas import Scenario, SumsBody, UnitBody, UnitPlace
from ..server.budget import NUMBERS, spend
from ..settings import Settings
from .answers import Start, numbers_of, start
from .limits import MOST_EXACT, MOST_IN_TEXT, PIECE, WORK
from .scenario import Setup, set_up


def prepare(
    scenario: Scenario, settings: Settings, block: int | None, brief: bool = False, place: UnitPlace | None = None
) -> tuple[Start, Iterator[Trace]]:
    """Return the `Start` of a scenario's run, and an iterator over the blocks of the run.

    A block has at most `block` timesteps, and fewer if they would take too long or have too many numbers to send. If
    `block` is None, one block is the whole run. With clamps or changed weights, each block has the original run as its
    twin. If the scenario has `against`, the twin is the run of this second sequence. If `brief` is true and the run is
    large, the `Start` has `exact`, which names the unit at `place` or the first unit of the top layer. Raises Refused
    or SequenceError before anything is computed.
    """
    setup = set_up(scenario, settings)
    twin = setup.against is not None or setup.is_changed
    layers, T, K = setup.changed.layers, len(setup.x), len(setup.changed.readout.labels)
    numbers = sum(numbers_of(cell, twin) * cell.units for cell in layers)
    brief = brief and numbers * T > MOST_EXACT
    if block is not None:
        sent = sum(len(cell.signals) * cell.units for cell in layers) if brief else numbers
        work = sum(cell.multiply_adds for cell in layers) + setup.changed.readout.V.size
        block = max(1, min(block, PIECE // sent, WORK // work))
        spend((sum(cell.units for cell in layers) + K // NUMBERS) * min(T, block) * (2 if twin else 1))
    else:
        spend(sum(cell.units for cell in layers) * T * (2 if twin else 1))
    beginning = start(
        scenario.model, setup.changed, setup.tokens, len(setup.x), setup.h0, setup.holds, twin,
        targets(setup.model, setup.x), setup.others, setup.mask, baselines(setup.model, setup.x, setup.given),
        setup.given,
    )  # fmt: skip
    if place is not None:
        check_place(beginning, place, "equations.")
    if brief:
        beginning["exact"] = (place or UnitPlace(layer=len(layers), unit=1)).model_dump()
    return beginning, _blocks(setup, block)


def _blocks(setup: Setup, block: int | None) -> Iterator[Trace]:
    """Return an iterator over the blocks of a run. Each block includes its twin if the run has a twin."""
    second = setup.second
    if setup.beside is None and second:
        return stream(setup.changed, setup.x, setup.h0, setup.clamps, block, against=setup.against)
    if setup.beside is None:
        original = setup.model if setup.is_changed else None
        return stream(setup.changed, setup.x, setup.h0, setup.clamps, block, original, mask=setup.mask)
    other, clamps = (setup.changed, setup.clamps) if second else (setup.model, [])
    run = stream(setup.changed, setup.x, setup.h0, setup.clamps, block, mask=setup.mask)
    twin = stream(other, setup.beside.x, setup.h0, clamps, block, mask=setup.beside.mask)
    return (replace(part, twin=beside, second=second) for part, beside in zip(run, twin, strict=True))


def run_whole(scenario: Scenario, settings: Settings) -> tuple[Start, Trace]:
    """Return the `Start` of a scenario's run, and the whole run. Raises the errors of `prepare`."""
    beginning, blocks = prepare(scenario, settings, None)
    return beginning, next(blocks)


def opening(scenario: Scenario, settings: Settings) -> tuple[Start, Trace]:
    """Return the `Start` of a scenario's run, and the run. Of a large run, return only the first timestep.

    Raises the errors of `prepare`.
    """
    beginning, blocks = prepare(scenario, settings, None)
    if is_large(beginning):
        _, blocks = prepare(scenario, settings, 1)
    return beginning, next(blocks)


def prepare_unit(body: UnitBody, settings: Settings) -> tuple[Start, Iterator[Trace]]:
    """Return the results of `prepare` with the whole run as one block.

    Raises the errors of `prepare`, and Refused if the model does not have the unit in the body.
    """
    beginning, blocks = prepare(body, settings, None)
    check_place(beginning, body)
    return beginning, blocks


def check_place(beginning: Start, place: UnitPlace | UnitBody, where: str = "") -> None:
    """Raise Refused if the run does not have the layer and unit `place`.

    `where` is the path to `place` in the request and ends with a period. It is "" at the top level.
    """
    layers = beginning["layers"]
    within(f"{where}layer", place.layer, 1, len(layers), "the layers of this model")
    within(f"{where}unit", place.unit, 1, layers[place.layer - 1]["H"], "the units of this layer")


def steps_of(body: SumsBody, T: int, most: int) -> slice:
    """Return the timesteps of a request as a slice.

    Raises Refused if they are not in the run of `T` timesteps, or if there are more than `most`.
    """
    first = body.from_
    within("from", first, 1, T, "the timesteps of this sequence")
    why = f"the timesteps of this sequence from timestep {first}, at most {most}"
    within("to", body.to, first, min(T, first + most - 1), why)
    return slice(first - 1, body.to)


def input_names(beginning: Start, layer: int) -> list[str]:
    """Return the names of a layer's inputs. `layer` counts from 0."""
    if layer == 0:
        return list(beginning["x"]["labels"])
    return [f"h{unit}" for unit in range(1, beginning["layers"][layer - 1]["H"] + 1)]


def targets(model: Model, x: Array) -> list[float | None] | None:
    """Return the correct answer at each timestep of inputs `x` `(T, I)`, as in `Start.right`.

    Return None if the model has no built-in task, or if the task has recorded data, which has no correct answers.
    """
    task = task_of(model)
    if task is None or task.recorded:
        return None
    target, scored = task.answers(x)
    first = 1 if task.kind == "softmax" else 0
    pairs = zip(target.tolist(), scored.tolist(), strict=True)
    return [value + first if has_answer else None for value, has_answer in pairs]


def baselines(model: Model, x: Array, given: int | None = None) -> Mapping[str, list[float | None]] | None:
    """Return each baseline's forecasts after every timestep of inputs `x` `(T, I)`, as in `Start.baselines`.

    After the first `given` timesteps each baseline reads its own forecasts. Return None if the model does not forecast
    a series.
    """
    if not isinstance(model.encoder, Scaled):
        return None
    in_network = baseline_forecasts(x[:, 0], regressions_of(model), given)
    forecasts = {name: model.encoder.numbers(y) for name, y in in_network.items()}
    return {name: [None if np.isnan(value) else float(value) for value in y] for name, y in forecasts.items()}


def numbers_in(beginning: Start) -> int:
    """Return the number of values in one timestep of a run."""
    return sum(numbers_of(CELLS[layer["cell"]], beginning["twin"]) * layer["H"] for layer in beginning["layers"])


def is_large(beginning: Start) -> bool:
    """Return whether a run has too many values for a page to get all of them exactly."""
    return numbers_in(beginning) * beginning["T"] > MOST_EXACT


def _sent_in_file(beginning: Start) -> int:
    """Return the number of values per timestep in an exported file. Of a large run, the file has only the signals."""
    if not is_large(beginning):
        return numbers_in(beginning)
    each = 2 if beginning["twin"] else 1
    return sum(each * len(CELLS[layer["cell"]].signals) * layer["H"] for layer in beginning["layers"])


def within_text(beginning: Start, form: str) -> None:
    """Raise Refused if the run is too large for `form`, which names a format such as "one HTML file"."""
    most = MOST_IN_TEXT // _sent_in_file(beginning)
    if beginning["T"] > most:
        message = (
            f"the run is too large for {form}: at most {most:,} of its {beginning['T']:,} timesteps fit. The stream "
            "(Accept: text/event-stream) and /api/export/trace.npz return the whole run"
        )
        raise Refused(413, "too-large", message, "sequence")


def example(name: str, settings: Settings) -> Scenario:
    """Return a scenario with the model's first example, cut to the most timesteps that the settings allow."""
    model = models.get(name, settings)
    tokens = model.encoder.tokens(model.examples[0])
    return Scenario(model=name, sequence=" ".join(tokens[: settings.max_steps]))
