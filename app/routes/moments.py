"""POST /api/moments: find moments at which units behave in a similar way."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ..runs.answers import to_json
from ..runs.limits import MOST_MOMENT, MOST_PLACES
from ..runs.moments import moments
from ..schemas import MomentsQuestion

router = APIRouter(prefix="/api")


@router.post(
    "/moments",
    summary="Find similar moments in other units and in held-out sequences",
    description=f"A moment has at most {MOST_MOMENT} steps. `units` lists the other units of this layer with similar "
    "values at these steps; if `mirrored` is true, the values have the opposite sign. The model "
    "also runs over 1,000 held-out sequences of its task, "
    "with the edited weights but without clamps. There `count` of `of` moments are similar; `count` is null if the "
    f"model has no built-in task. `places` lists the closest ones, at most {MOST_PLACES}: the `tokens` of the "
    "sequence, and the first step `t` of the moment. `common` lists what is typical of the similar moments: `what` is "
    "at this `step` in the part `share` of them, and in the part `elsewhere` of all steps. `share` is at least 0.5, "
    "and at least 1.5 times `elsewhere`. Step 0 is the first step of the moment.",
    response_class=Response,
)
def ask(request: Request, question: MomentsQuestion) -> Response:
    return Response(to_json(moments(question, request.app.state.settings)), media_type="application/json")
