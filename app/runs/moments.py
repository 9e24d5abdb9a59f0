"""Moments at which units behave in a similar way, in the run and in held-out sequences."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from gru_core.arrays import Array
from gru_core.moments import places_alike, units_alike
from gru_core.presets.recipes import held_out

from ..errors import Refused, within
from ..schemas import MomentsQuestion
from ..server.budget import spend
from ..settings import Settings
from .limits import MOST_MOMENT, MOST_PLACES
from .run import prepare_unit
from .scenario import set_up


def moments(question: MomentsQuestion, settings: Settings) -> dict[str, Any]:
    """Return the similar moments of a unit's signal. Raises Refused or SequenceError."""
    about, blocks = prepare_unit(question, settings)
    first = question.from_
    within("from", first, 1, about["T"], "the steps of this sequence")
    last = min(about["T"], first + MOST_MOMENT - 1)
    within("to", question.to, first, last, f"the steps of this sequence from step {first}, at most {MOST_MOMENT}")
    run, unit, steps = next(blocks).layers[question.layer - 1], question.unit - 1, slice(first - 1, question.to)
    if question.signal not in run.cell.signals:
        raise Refused(422, "request", f"signal must be one of {', '.join(run.cell.signals)}", "signal")
    alike = units_alike(run, question.signal, unit, steps, question.near)
    wanted = getattr(run, question.signal)[steps, unit]
    units = [{"unit": one.unit + 1, "gap": one.gap, "mirrored": one.mirrored} for one in alike]
    found = {"from": first, "to": question.to, "units": units}
    return found | _elsewhere(question, wanted, settings)


def _elsewhere(question: MomentsQuestion, wanted: Array, settings: Settings) -> dict[str, Any]:
    """Return the places in held-out sequences, run with the edited weights and without clamps."""
    model = set_up(question, settings).changed
    batch = held_out(model)
    if batch is None:
        return {"count": None, "of": None, "places": [], "common": []}
    T, B = batch.scored.shape
    spend(T * B * sum(cell.units for cell in model.layers))
    moments = places_alike(
        model, wanted, question.signal, question.unit - 1, batch, question.layer - 1, question.near, MOST_PLACES
    )  # fmt: skip
    places = [
        {"tokens": model.encoder.write(batch.x[:, place.sequence]).split(), "t": place.t + 1, "gap": place.gap}
        for place in moments.places
    ]
    return {
        "count": moments.count,
        "of": moments.of,
        "places": places,
        "common": [asdict(one) for one in moments.common],
    }
