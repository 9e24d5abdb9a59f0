"""POST /api/equations, /api/sums, /api/ledger and /api/sensitivity: questions about one unit of a run."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import Response

from .. import models
from ..errors import Refused, within
from ..runs.limits import BLOCK, MOST_EQUATIONS, MOST_PRODUCTS, MOST_SHARES
from ..runs.run import input_names, prepare_unit, steps_of
from ..runs.unit import equations_of, sensitivities, shares, sums, unit_rows
from ..schemas import EquationsBody, LedgerBody, SensitivityBody, SumsBody, UnitBody

router = APIRouter(prefix="/api")

Endpoint = Callable[..., Response]


def _answers(path: str, summary: str, description: str) -> Callable[[Endpoint], Endpoint]:
    ok = {"description": description, "content": {"application/json": {}}}
    return router.post(path, name="ask", summary=summary, response_class=Response, responses={200: ok})


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")


@_answers(
    "/equations",
    "Get the products in a unit's equations",
    f"At most {MOST_EQUATIONS} timesteps in one request. `steps` has, for each timestep, the `equations` that a step "
    "of `/api/trace` has: `parts`, `sizes` and `decimals`.",
)
def ask_equations(request: Request, body: EquationsBody) -> Response:
    start, blocks = prepare_unit(body, request.app.state.settings)
    steps = steps_of(body, start["T"], MOST_EQUATIONS)
    return _json(equations_of(body, next(blocks).layers[body.layer - 1][steps]))


@_answers(
    "/rows",
    "Get every value of a unit at all timesteps",
    "`rows` has the values by the names that a step of `/api/trace` has, each as little-endian float64 in base64, with "
    "a number for each timestep.",
)
def ask_rows(request: Request, body: UnitBody) -> Response:
    _, blocks = prepare_unit(body, request.app.state.settings)
    return _json(unit_rows(body, next(blocks)))


@_answers(
    "/sums",
    "Get the sums of a unit's gates, weight by weight",
    f"At most {BLOCK} timesteps in one request. `inputs` names the inputs of W. `gates` has, for each gate and for the "
    "candidate, the unit's weights W and U, its bias b and, for each timestep, the products Wx and Uh. σ or tanh is "
    "applied to the sum of b and these products. c and rc are null, except for the h_tilde of a GRU with the reset "
    "gate after the product: there the sum also has rc, which is r times c. `past` is null, except where a gate scales "
    "the old state in the sum: there it has, for each timestep, the numbers that U multiplies. If weights are changed, "
    "`trained` has the original W, U, b and c; otherwise it is null.",
)
def ask_sums(request: Request, body: SumsBody) -> Response:
    start, blocks = prepare_unit(body, request.app.state.settings)
    layer = next(blocks).layers[body.layer - 1][steps_of(body, start["T"], BLOCK)]
    trained = models.get(body.model, request.app.state.settings) if body.weights else None
    cell = trained.layers[body.layer - 1] if trained else None
    return _json(sums(body, input_names(start, body.layer - 1), layer, cell))


@_answers(
    "/ledger",
    "Get the contribution of each timestep to a unit's state",
    f"At most {MOST_SHARES:,} contributions in one request. `shares` has a row for each timestep. A row starts with "
    "the contribution of the initial state, or, after a clamp on the state, of the value that the clamp set. Then "
    "follow the contributions of the candidates, one for each timestep. `largest` has the places of the three largest "
    "contributions in each row: 0 is the first, k the candidate of timestep k. `origins` has the value that the first "
    "contribution belongs to, and `since` the timestep, from 1, that started from this value, or 0 for the initial "
    "state. With clamps or changed weights, `twin` and `twin_largest` belong to the original run, with `against` to "
    "the run of the second sequence; otherwise they are null. The state is exactly the sum of the values, each times "
    "its contribution. A contribution is not a cause.",
)
def ask_ledger(request: Request, body: LedgerBody) -> Response:
    start, blocks = prepare_unit(body, request.app.state.settings)
    T, first = start["T"], body.from_
    most = max(1, MOST_SHARES // (T + 1))
    within("from", first, 1, T, "the timesteps of this sequence")
    last = min(T, first + most - 1)
    why = f"at most {most} timesteps at once, each with {T + 1:,} contributions"
    why = f"the timesteps of this sequence from timestep {first}" if last == T else why
    within("to", body.to, first, last, why)
    try:
        return _json(shares(body, next(blocks)))
    except ValueError as error:  # a plain RNN has no contributions
        raise Refused(422, "ledger", str(error), "layer") from error


@_answers(
    "/sensitivity",
    "Get the sensitivity of an output and of a unit's state",
    "Every array has an entry for each timestep s up to `t`. `x` is the gradient of the output with respect to the "
    "input at s, and `x_norm` its norm. `input` has the timestep `t` with the largest norm, and this norm as `value`. "
    "`z` and `r` (in an LSTM `i`, `f` and `o`) are the derivatives of the output with respect to the unit's gates. "
    "`gate` names the gate of this layer that has the derivative with the largest absolute value, its unit, its "
    "timestep and the value; for an RNN it is null. `h_norm` is the Frobenius norm of the Jacobian of the layer's h "
    "at `t` with respect to h at s, `h_gain` is this norm over √H, and `h_unit` is the norm of the unit's row; an "
    f"LSTM also has `c_norm`, `c_gain` and `c_unit`, for h at `t` with respect to c at s. "
    f"If H² t is above {MOST_PRODUCTS:,}, the norms and gains of the whole layer are null. With a softmax, the output "
    "is a probability. A clamped value does not depend on other values, but the output still has a derivative with "
    "respect to a clamped gate.",
)
def ask_sensitivity(request: Request, body: SensitivityBody) -> Response:
    start, blocks = prepare_unit(body, request.app.state.settings)
    within("t", body.t, 1, start["T"], "the timesteps of this sequence")
    if body.output is not None:
        within("output", body.output, 1, start["y"]["total"], "the outputs of this model")
    return _json(sensitivities(body, next(blocks)))
