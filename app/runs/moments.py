"""Units and moments with a similar signal, in the run and in held-out sequences."""

from __future__ import annotations

from typing import TypedDict

from gru_core.arrays import Array
from gru_core.presets.recipes import held_out
from gru_core.runs.moments import Common, places_alike, units_alike

from ..errors import Refused, within
from ..schemas import MomentsBody
from ..server.budget import spend
from ..settings import Settings
from .limits import MOST_MOMENT, MOST_PLACES
from .run import prepare_unit
from .scenario import set_up


class SimilarUnit(TypedDict):
    """A unit with similar values at the timesteps of the moment. If `mirrored` is true, the signs are opposite."""

    unit: int
    gap: float
    mirrored: bool


class SimilarPlace(TypedDict):
    """A similar moment in a held-out sequence: the sequence's tokens, and the moment's first timestep, from 1."""

    tokens: list[str]
    t: int
    gap: float


class HeldOut(TypedDict):
    """The similar moments in held-out sequences.

    `count` of `total` moments are similar. Both are None if the model has no held-out sequences.
    """

    count: int | None
    total: int | None
    places: list[SimilarPlace]
    common: list[Common]


Moment = TypedDict("Moment", {"from": int, "to": int})


class Moments(Moment, HeldOut):
    """The similar moments for a range of timesteps, and the other units with a similar signal in this range."""

    units: list[SimilarUnit]


def moments(body: MomentsBody, settings: Settings) -> Moments:
    """Return the moments at which a unit's signal is similar. Raises Refused or SequenceError."""
    start, blocks = prepare_unit(body, settings)
    first = body.from_
    within("from", first, 1, start["T"], "the timesteps of this sequence")
    last = min(start["T"], first + MOST_MOMENT - 1)
    within("to", body.to, first, last, f"the timesteps of this sequence from timestep {first}, at most {MOST_MOMENT}")
    run, unit, steps = next(blocks).layers[body.layer - 1], body.unit - 1, slice(first - 1, body.to)
    if body.signal not in run.cell.signals:
        raise Refused(422, "request", f"signal must be one of {', '.join(run.cell.signals)}", "signal")
    similar = units_alike(run, body.signal, unit, steps, body.near)
    values = getattr(run, body.signal)[steps, unit]
    return {
        "from": first,
        "to": body.to,
        "units": [{"unit": other.unit + 1, "gap": other.gap, "mirrored": other.mirrored} for other in similar],
        **_places_in_held_out(body, values, settings),
    }


def _places_in_held_out(body: MomentsBody, values: Array, settings: Settings) -> HeldOut:
    """Return the similar moments in held-out sequences, from runs with the edited weights but without clamps."""
    model = set_up(body, settings).changed
    batch = held_out(model)
    if batch is None:
        return {"count": None, "total": None, "places": [], "common": []}
    T, B = batch.scored.shape
    if len(values) > T:
        message = f"the held-out sequences have {T} timesteps: choose a moment of at most that many"
        raise Refused(422, "request", message, "to")
    spend(T * B * sum(cell.units for cell in model.layers))
    moments = places_alike(
        model, values, body.signal, body.unit - 1, batch, body.layer - 1, body.near, MOST_PLACES
    )  # fmt: skip
    places: list[SimilarPlace] = [
        {"tokens": model.encoder.write(batch.x[:, place.sequence]).split(), "t": place.t + 1, "gap": place.gap}
        for place in moments.places
    ]
    return {"count": moments.count, "total": moments.total, "places": places, "common": moments.common}
