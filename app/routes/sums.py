"""POST /api/sums: what the sums of one unit's gates are made of, weight by weight."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.errors import within
from app.routes.trace import BLOCK, prepare_unit
from app.schemas import SumsQuestion, sums

router = APIRouter(prefix="/api")


@router.post(
    "/sums",
    summary="What a unit's gates are summed from, weight by weight",
    response_class=Response,
    responses={
        200: {
            "description": "Takes besides a `layer`, a `unit` of it, and the steps `from` and `to`: all count from 1, "
            f"`to` is included, at most {BLOCK} steps at once. `inputs` name what W meets. `gates` has for r, z and "
            "h_tilde the unit's weights W and U, its bias b and, for each step, the products Wx and Uh, whose sum "
            "with b is what σ or tanh is taken of; c and rc are null but for h_tilde where the reset gate acts after "
            "the product: there rc, r times c, is in the sum too. Where weights are changed `trained` has W, U, b and "
            "c as they were, else it is null.",
            "content": {"application/json": {}},
        }
    },
)
def ask(request: Request, question: SumsQuestion) -> Response:
    about, blocks = prepare_unit(question, request.app.state.settings)
    layers, T, first = about["layers"], about["T"], question.from_
    within("from", first, 1, T, "the steps of this sequence")
    within("to", question.to, first, min(T, first + BLOCK - 1), f"at most {BLOCK} steps at once")
    if question.layer == 1:
        inputs = about["x"]["labels"]
    else:
        inputs = [f"h{unit}" for unit in range(1, layers[question.layer - 2]["H"] + 1)]
    run = next(blocks)
    layer = run.layers[question.layer - 1][first - 1 : question.to]
    trained = run.twin.layers[question.layer - 1].gru if run.twin and question.weights else None
    return Response(sums(question, inputs, layer, trained), media_type="application/json")
