"""Scores on held-out sequences, for the original model and with the changes of a scenario."""

from __future__ import annotations

import math

from gru_core.presets.recipes import held_out
from gru_core.training.fit import loss_and_gradients
from gru_core.training.scoring import SCORE, carried, score

from .. import models
from ..errors import Refused
from ..schemas import HeldAt, Scenario, Scores
from ..server.budget import spend
from ..settings import Settings
from .limits import MOST_SCORED
from .scenario import set_up


def scores(scenario: Scenario, settings: Settings) -> Scores:
    """Return the scores without and with the scenario's changes.

    Raises Refused or SequenceError if the scores cannot be measured.
    """
    setup = set_up(scenario, settings)
    model, task, batch = setup.model, models.task(setup.model), held_out(setup.model)
    assert batch is not None  # because the model has a task
    steps = len(batch.x)
    batch = batch.first(max(1, MOST_SCORED // (steps * sum(gru.units for gru in model.layers))))
    spend(batch.scored.size * sum(cell.units for cell in model.layers))
    clamps, held = [], []
    for n, clamp in enumerate(setup.clamps, 1):
        try:
            elsewhere, at = carried(clamp, task.events(setup.x), batch.events)
        except ValueError as error:
            raise Refused(422, "scenario", str(error), f"clamps.{n}") from error
        clamps.append(elsewhere)
        held.append(HeldAt(at=at))
    return Scores(
        name=SCORE[model.readout.kind],
        untouched=score(model, batch, h0=setup.h0),
        changed=score(setup.changed, batch, clamps, setup.h0),
        sequences=batch.scored.shape[1],
        steps=steps,
        held=held,
    )


def gradient_norm(scenario: Scenario, settings: Settings) -> float:
    """Return the norm of the gradient of the loss on held-out sequences, with the changed weights and without clamps.

    The gradient is with respect to all weights of the layers and the readout. Training clips the same norm. Raises
    Refused, SequenceError or ValueError if the gradient cannot be computed.
    """
    model = set_up(scenario, settings).changed
    batch = held_out(model)
    if batch is None:
        raise ValueError("this model has no built-in task, so there is no loss")
    units = sum(cell.units for cell in model.layers)
    batch = batch.first(max(1, MOST_SCORED // (len(batch.x) * units)))
    spend(batch.scored.size * units)
    _, gradients = loss_and_gradients(model, batch)
    return math.sqrt(sum(float((array**2).sum()) for array in gradients.values()))
