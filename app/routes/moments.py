"""POST /api/moments: where else a unit does what it does over some steps."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gru_core.arrays import Array
from gru_core.moments import places_alike, units_alike
from gru_core.presets.recipes import held_out

from ..answers import to_json
from ..budget import spend
from ..errors import Refused, within
from ..scenario import set_up
from ..schemas import MomentsQuestion
from ..settings import Settings
from .unit import prepare_unit

router = APIRouter(prefix="/api")

MOST_STEPS = 20
"""Of a moment: the sequences that it is looked for in have as many."""

MOST_PLACES = 12


@router.post(
    "/moments",
    summary="Find similar moments in other units and in held-out sequences",
    description=f"A moment has at most {MOST_STEPS} steps. `units` lists the other units of this layer with similar "
    "values at these steps; if `mirrored` is true, the values have the opposite sign. The model "
    "also runs over 1,000 held-out sequences of its task, "
    "with the edited weights but without clamps. There `count` of `of` moments are similar; `count` is null if the "
    f"model has no built-in task. `places` lists the closest ones, at most {MOST_PLACES}: the `tokens` of the "
    "sequence, and the first step `t` of the moment. `common` lists what is typical of the similar moments: the "
    "input at `step` is `what` in the share `share` of them, and in the share `elsewhere` of all steps. `share` is at "
    "least 0.5, and at least 1.5 times `elsewhere`. Step 0 is the first step of the moment, and -1 the step before.",
    response_class=Response,
)
def ask(request: Request, question: MomentsQuestion) -> Response:
    settings = request.app.state.settings
    about, blocks = prepare_unit(request, question)
    first = question.from_
    within("from", first, 1, about["T"], "the steps of this sequence")
    last = min(about["T"], first + MOST_STEPS - 1)
    within("to", question.to, first, last, f"the steps of this sequence from step {first}, at most {MOST_STEPS}")
    run, unit, steps = next(blocks).layers[question.layer - 1], question.unit - 1, slice(first - 1, question.to)
    if question.signal not in run.cell.signals:
        raise Refused(422, "request", f"signal must be one of {', '.join(run.cell.signals)}", "signal")
    alike = units_alike(run, question.signal, unit, steps, question.near)
    wanted = getattr(run, question.signal)[steps, unit]
    units = [{"unit": one.unit + 1, "gap": one.gap, "mirrored": one.mirrored} for one in alike]
    found = {"from": first, "to": question.to, "units": units}
    return Response(to_json(found | _elsewhere(question, wanted, settings)), media_type="application/json")


def _elsewhere(question: MomentsQuestion, wanted: Array, settings: Settings) -> dict[str, Any]:
    """The places in data that training never saw, read with the weights as they are, and nothing held."""
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
