"""Convert scenarios to objects of `gru_core` that are validated and ready to run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gru_core import Clamp, Model, SequenceError
from gru_core.arrays import Array, Mask
from gru_core.cells.holds import Holds
from gru_core.runs.trace import read
from gru_core.runs.writing import Written, check_writes, written

from .. import models
from ..errors import Refused
from ..schemas import Scenario, WriteBody
from ..server.budget import spend
from ..settings import Settings


@dataclass(frozen=True)
class Setup:
    """A validated scenario that is ready to run.

    `model` is the original model, and `changed` is the model with the edited weights. `x` `(T, I)` has the inputs of
    the sequence, and `tokens` has its tokens. `h0` has the initial state of each layer. `holds` has the values that
    `clamps` set in each layer. `second` says whether there is a second sequence, with the inputs `against` `(T, I)` and
    the tokens `others`. `mask` is false at the timesteps that the network skips.

    If the network writes, the first `given` timesteps are the scenario's sequence, the network writes the others, and
    `mask` is also false after the end of what it writes. Then `beside` has the tokens and inputs of the twin, which is
    the run of the second sequence or the original run. In all other cases `beside` is None.
    """

    model: Model
    changed: Model
    tokens: list[str] | None
    x: Array
    h0: list[Array]
    clamps: list[Clamp]
    holds: list[Holds | None]
    given: int
    mask: Mask | None
    second: bool = False
    others: list[str] | None = None
    against: Array | None = None
    beside: Written | None = None

    @property
    def is_changed(self) -> bool:
        """Whether the scenario has clamps or changed weights."""
        return bool(self.clamps) or self.changed is not self.model


def set_up(scenario: Scenario, settings: Settings) -> Setup:
    """Validate a scenario and return its `Setup`. Raises Refused or SequenceError if the scenario is not valid."""
    model = models.get(scenario.model, settings)
    sequence: Any = scenario.sequence
    if not isinstance(sequence, str):
        rows = {len(row) for row in sequence}
        if len(rows) > 1:
            raise SequenceError("the rows of numbers must have the same length")
        sequence = np.array(sequence, float)
    tokens, x = read(model, sequence, settings.max_steps)
    given = len(x)
    T = given if scenario.write is None else given + scenario.write.steps
    if settings.max_steps < T:
        message = f"the sequence and what is written have {T:,} timesteps; at most {settings.max_steps:,} can be run"
        raise Refused(422, "scenario", message, "write.steps")
    where = "weights"
    try:
        changed = model.edited([weight.edit() for weight in scenario.weights]) if scenario.weights else model
        where = "clamps"
        clamps = [clamp.clamp() for clamp in scenario.clamps]
        holds = model.holds(clamps, (T,))
        where = "h0"
        _has_sizes(model, scenario.h0)
        h0 = model.state(scenario.h0)
        _within_holds(model, h0)
        if scenario.write is not None:
            where = "write"
            check_writes(model)
    except ValueError as error:
        raise Refused(422, "scenario", str(error), where) from error
    others, against = _second_sequence(model, scenario.against, given, settings) if scenario.against else (None, None)
    second = bool(scenario.against)
    setup = Setup(model, changed, tokens, x, h0, clamps, holds, given, changed.mask(x), second, others, against)
    return setup if scenario.write is None else _with_writing(setup, scenario.write)


def _with_writing(setup: Setup, write: WriteBody) -> Setup:
    """Let the network write after the sequence, and return the setup with the written timesteps.

    Raises Refused if the network cannot write after this sequence.
    """
    if setup.tokens is None:
        raise Refused(422, "scenario", "a network can only write on after a text", "write")

    def written_by(model: Model, tokens: list[str], holds: list[Holds | None] | None) -> Written:
        spend((len(tokens) + write.steps) * sum(cell.units for cell in model.layers))
        rng = np.random.default_rng(write.seed)
        return written(model, tokens, write.steps, write.temperature, rng, setup.h0, holds)

    try:
        run, beside = written_by(setup.changed, setup.tokens, setup.holds), None
        if setup.others is not None:
            beside = written_by(setup.changed, setup.others, setup.holds)
        elif setup.is_changed:
            beside = written_by(setup.model, setup.tokens, None)
    except SequenceError as error:
        raise Refused(422, "scenario", f"the network wrote a number that it cannot read: {error}", "write") from error
    return replace(
        setup,
        tokens=run.tokens,
        x=run.x,
        mask=run.mask,
        others=None if beside is None else beside.tokens,
        against=None if beside is None else beside.x,
        beside=beside,
    )


def _second_sequence(model: Model, sequence: str, T: int, settings: Settings) -> tuple[list[str] | None, Array]:
    """Return the second sequence's tokens and inputs. Raises Refused if it is not valid or not T timesteps long."""
    try:
        others, against = read(model, sequence, settings.max_steps)
    except SequenceError as error:
        raise Refused(422, "sequence", f"in the second sequence, {error}", "against") from error
    if len(against) != T:
        message = f"the second sequence must have as many timesteps as the first: {T}, not {len(against)}"
        raise Refused(422, "sequence", message, "against")
    return others, against


def _has_sizes(model: Model, h0: Sequence[Sequence[float]] | None) -> None:
    """Raise ValueError, with a message for the page, if an initial state has too few or too many layers or numbers."""
    if h0 is None:
        return
    needed = [len(state) for state in model.state(None)]
    if len(h0) != len(needed):
        raise ValueError(
            f"the initial state has {len(h0)} layers, but this model has {len(needed)}: separate layers by semicolons"
        )
    for number, (state, H) in enumerate(zip(h0, needed, strict=True), 1):
        if len(state) != H:
            layer = f"layer {number} of " if len(needed) > 1 else ""
            raise ValueError(f"{layer}the initial state has {len(state)} numbers, but this model needs {H}")


def _within_holds(model: Model, h0: list[Array]) -> None:
    """Raise ValueError if an initial state is outside the range of values that clamps can set."""
    for cell, state in zip(model.layers, h0, strict=True):
        for name, part in zip(cell.carried, np.split(state, len(cell.carried)), strict=True):
            low, high = cell.ends(name)
            if not ((low <= part) & (part <= high)).all():
                raise ValueError(f"{name} of an initial state must be from {low:g} to {high:g}")
