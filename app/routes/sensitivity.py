"""POST /api/sensitivity: what an output and a state would move with."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.errors import within
from app.routes.trace import prepare_unit
from app.schemas import SensitivityQuestion, sensitivities

router = APIRouter(prefix="/api")

MOST = 2**24
"""H² t of one question: of the order of a second's work."""


@router.post(
    "/sensitivity",
    summary="What an output and a unit's state would move with",
    response_class=Response,
    responses={
        200: {
            "description": "Takes besides a `layer`, a `unit` of it, a step `t` and an `output` (null is the one "
            "answered at t; of softmax it is the probability): all count from 1. Derivatives as they are, for every "
            "step s up to t: `x` of the output by the inputs, `x_norm` its norm, `z` and `r` of the output by the "
            "unit's gates, `gate` where in the layer a gate would matter most, `h_norm` the Frobenius norm of the "
            "layer's state at t by its state at s, `h_unit` the norm of the unit's row of it. What is held moves with "
            "nothing, but a held gate itself can be nudged.",
            "content": {"application/json": {}},
        }
    },
)
def ask(request: Request, question: SensitivityQuestion) -> Response:
    about, blocks = prepare_unit(question, request.app.state.settings)
    T, H, K = about["T"], about["layers"][question.layer - 1]["H"], len(about["y"]["labels"])
    most = MOST // H**2
    why = "the steps of this sequence" if most >= T else f"a later one takes too long at {H} units"
    within("t", question.t, 1, min(T, most), why)
    if question.output is not None:
        within("output", question.output, 1, K, "the outputs of this model")
    return Response(sensitivities(question, next(blocks)), media_type="application/json")
