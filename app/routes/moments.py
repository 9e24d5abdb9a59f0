"""POST /api/moments: find moments at which units behave in a similar way."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ..runs.limits import MOST_MOMENT, MOST_PLACES
from ..runs.moments import moments
from ..schemas import MomentsBody
from ..server.json_response import JSON

router = APIRouter(prefix="/api")


@router.post(
    "/moments",
    summary="Find similar moments in other units and in held-out sequences",
    description=f"A moment has at most {MOST_MOMENT} timesteps. `units` lists the other units of this layer with "
    "similar values at these timesteps, each with its largest difference, `gap`. If `mirrored` is true, the values "
    "have the opposite sign. The model also runs over 1,000 held-out sequences of its task, with the changed weights "
    "but without clamps. There, `count` of `total` possible moments are similar; `count` is null if the model has no "
    f"built-in task. `places` lists the closest ones, at most {MOST_PLACES}: the `tokens` of the sequence, the first "
    "timestep `t` of the moment, and its `gap`. `common` lists properties that are typical of the similar moments: a "
    "`share` of these moments has the property `what` at the timestep `step`, and `elsewhere` is the share of all "
    "timesteps that have it. Step 0 is the first timestep of the moment, −1 the timestep before. `share` is at least "
    "0.5, and at least 1.5 times `elsewhere`.",
    response_class=Response,
)
def ask(request: Request, body: MomentsBody) -> Response:
    return JSON(moments(body, request.app.state.settings))
