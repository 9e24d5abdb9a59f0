"""POST /api/equations, /api/sums, /api/ledger and /api/sensitivity: what can be asked of one unit of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gru_core import Trace

from .. import models
from ..answers import equations_of, sensitivities, shares, sums
from ..errors import Refused, within
from ..routes.trace import BLOCK, check_place, prepare
from ..schemas import EquationsQuestion, LedgerQuestion, SensitivityQuestion, SumsQuestion, UnitQuestion

router = APIRouter(prefix="/api")

MOST_EQUATIONS = 512
"""Steps in one answer."""

MOST_SHARES = 65_536
"""Shares in one answer."""

MOST_PRODUCTS = 2**24
"""H² t of one question of sensitivities: of the order of a second's work."""


Endpoint = Callable[..., Response]


def _answers(path: str, summary: str, description: str) -> Callable[[Endpoint], Endpoint]:
    ok = {"description": description, "content": {"application/json": {}}}
    return router.post(path, name="ask", summary=summary, response_class=Response, responses={200: ok})


def prepare_unit(request: Request, question: UnitQuestion) -> tuple[dict[str, Any], Iterator[Trace]]:
    """A run's `start` and the whole run in one. Raises as `prepare`, and Refused when the unit is not there."""
    about, blocks = prepare(question, request.app.state.settings, None)
    check_place(about, question)
    return about, blocks


def steps_of(question: SumsQuestion, T: int, most: int) -> slice:
    """The steps that are asked for. Raises Refused if they are not there, or are more than `most`."""
    first = question.from_
    within("from", first, 1, T, "the steps of this sequence")
    why = f"the steps of this sequence from step {first}, at most {most}"
    within("to", question.to, first, min(T, first + most - 1), why)
    return slice(first - 1, question.to)


def read_by(about: dict[str, Any], layer: int) -> list[str]:
    """The names of what a layer, from 0, reads."""
    labels: list[str] = about["x"]["labels"]
    return labels if layer == 0 else [f"h{unit}" for unit in range(1, about["layers"][layer - 1]["H"] + 1)]


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")


@_answers(
    "/equations",
    "Get the products in a unit's equations",
    f"At most {MOST_EQUATIONS} steps at once. `steps` has, for each step, the `equations` that a step of `/api/trace` "
    "has: `parts`, `sizes` and `decimals`.",
)
def ask_equations(request: Request, question: EquationsQuestion) -> Response:
    about, blocks = prepare_unit(request, question)
    steps = steps_of(question, about["T"], MOST_EQUATIONS)
    return _json(equations_of(question, next(blocks).layers[question.layer - 1][steps]))


@_answers(
    "/sums",
    "Get the sums of a unit's gates, weight by weight",
    f"At most {BLOCK} steps at once. `inputs` names the inputs of W. `gates` has, for each gate and for the candidate, "
    "the unit's weights W and U, its bias b and, for each step, the products Wx and Uh. σ or tanh is applied to their "
    "sum with b. c and rc are null, except for the h_tilde of a GRU with the reset gate after the product: there the "
    "sum also has rc, which is r times c. `past` is null, except where a gate scales the old state in the sum: there "
    "it has, for each step, the numbers that U multiplies. If weights are edited, `trained` has W, U, b and c before "
    "the edit; otherwise it is null.",
)
def ask_sums(request: Request, question: SumsQuestion) -> Response:
    about, blocks = prepare_unit(request, question)
    layer = next(blocks).layers[question.layer - 1][steps_of(question, about["T"], BLOCK)]
    trained = models.get(question.model, request.app.state.settings) if question.weights else None
    cell = trained.layers[question.layer - 1] if trained else None
    return _json(sums(question, read_by(about, question.layer - 1), layer, cell))


@_answers(
    "/ledger",
    "Get the contribution of each step to a unit's state",
    f"At most {MOST_SHARES:,} contributions at once. `shares` has a row for each step: first the contribution of the "
    "initial state, or of the value to which a clamp set the state later, then of each step's candidate. `largest` "
    "has, for each step, the places of the three largest contributions in that row: 0 is the first, k the candidate "
    "of step k. `origins` has the value that the first contribution belongs to, and `since` the step, from 1, that "
    "started from this value, or 0 for the initial state. With clamps or changed weights, `twin` and `twin_largest` "
    "belong to the original run, with `against` to the run of the second sequence; otherwise they are null. The "
    "state is exactly the "
    "sum of the values, each times its contribution. A contribution is not a cause.",
)
def ask_ledger(request: Request, question: LedgerQuestion) -> Response:
    about, blocks = prepare_unit(request, question)
    T, first = about["T"], question.from_
    most = max(1, MOST_SHARES // (T + 1))
    within("from", first, 1, T, "the steps of this sequence")
    last = min(T, first + most - 1)
    why = f"at most {most} steps at once, each with {T + 1:,} contributions"
    why = f"the steps of this sequence from step {first}" if last == T else why
    within("to", question.to, first, last, why)
    try:
        return _json(shares(question, next(blocks)))
    except ValueError as error:  # a plain RNN has none
        raise Refused(422, "ledger", str(error), "layer") from error


@_answers(
    "/sensitivity",
    "Get the sensitivity of an output and of a unit's state",
    "Every array has an entry for each step s up to `t`. `x` is the gradient of the output with respect to the input "
    "at s, and `x_norm` its norm. `input` has the step `t` with the largest norm, and this norm as `value`. `z` and "
    "`r` (of an LSTM `i`, `f` and `o`) are the derivatives of the output with respect to the unit's gates. `gate` "
    "names the gate of this layer that has the derivative with the largest absolute value, its unit, its step and the "
    "value; for an RNN it is null. "
    "`h_norm` is the Frobenius norm of the Jacobian of the layer's h at `t` with respect to h at s, and `h_unit` the "
    "norm of the unit's row; for an LSTM there are also `c_norm` and `c_unit`, with respect to c at s. With a softmax, "
    "the output is a probability. A clamped value does not depend on other values, but the output has a derivative "
    "with respect to a clamped gate.",
)
def ask_sensitivity(request: Request, question: SensitivityQuestion) -> Response:
    about, blocks = prepare_unit(request, question)
    T, H, K = about["T"], about["layers"][question.layer - 1]["H"], len(about["y"]["labels"])
    most = MOST_PRODUCTS // H**2
    why = "the steps of this sequence" if most >= T else f"a later step takes too long with {H} units"
    within("t", question.t, 1, min(T, most), why)
    if question.output is not None:
        within("output", question.output, 1, K, "the outputs of this model")
    return _json(sensitivities(question, next(blocks)))
