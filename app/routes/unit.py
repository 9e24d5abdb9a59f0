"""POST /api/sums, /api/ledger and /api/sensitivity: what can be asked of one unit of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gru_core import Trace

from .. import models
from ..answers import sensitivities, shares, sums
from ..errors import Refused, within
from ..routes.trace import BLOCK, prepare
from ..schemas import LedgerQuestion, SensitivityQuestion, SumsQuestion, UnitQuestion

router = APIRouter(prefix="/api")

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
    layers = about["layers"]
    within("layer", question.layer, 1, len(layers), "the layers of this model")
    within("unit", question.unit, 1, layers[question.layer - 1]["H"], "the units of this layer")
    return about, blocks


def read_by(about: dict[str, Any], layer: int) -> list[str]:
    """The names of what a layer, from 0, reads."""
    labels: list[str] = about["x"]["labels"]
    return labels if layer == 0 else [f"h{unit}" for unit in range(1, about["layers"][layer - 1]["H"] + 1)]


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")


@_answers(
    "/sums",
    "Get the sums of a unit's gates, weight by weight",
    "The request also has a `layer`, a `unit`, and the steps `from` and `to` (included), all counted from 1, at "
    f"most {BLOCK} steps at once. `inputs` names the inputs of W. `gates` has, for r, z and h_tilde, the unit's "
    "weights W and U, its bias b and, for each step, the products Wx and Uh: σ or tanh is applied to their sum with "
    "b. c and rc are null, except for h_tilde when the reset gate is applied after the product: then rc, r times c, "
    "is in the sum too. If weights are edited, `trained` has W, U, b and c before the edit; otherwise it is null.",
)
def ask_sums(request: Request, question: SumsQuestion) -> Response:
    about, blocks = prepare_unit(request, question)
    T, first = about["T"], question.from_
    within("from", first, 1, T, "the steps of this sequence")
    within("to", question.to, first, min(T, first + BLOCK - 1), f"at most {BLOCK} steps at once")
    run = next(blocks)
    layer = run.layers[question.layer - 1][first - 1 : question.to]
    trained = models.get(question.model, request.app.state.settings) if question.weights else None
    cell = trained.layers[question.layer - 1] if trained else None
    return _json(sums(question, read_by(about, question.layer - 1), layer, cell))


@_answers(
    "/ledger",
    "Get the contribution of each step to a unit's state",
    "The request also has a `layer`, a `unit`, and the steps `from` and `to` (included), all counted from 1, at "
    f"most {MOST_SHARES:,} contributions at once. `shares` has a row for each step: first the contribution of h_0, or "
    "of the value that a clamp on h_prev put there instead, then of each step's candidate. `largest` has, for each "
    "step, the places of the three largest contributions in that row: 0 is the first, k the candidate of step k. "
    "`origins` has the value that the first contribution belongs to, and `since` the step, from 1, at which it was "
    "put in, or 0 for h_0. If anything is changed, `twin` and `twin_largest` are those of the original run; otherwise "
    "they are null. The contributions are exact parts of a sum. They are not causes.",
)
def ask_ledger(request: Request, question: LedgerQuestion) -> Response:
    about, blocks = prepare_unit(request, question)
    T, first = about["T"], question.from_
    most = max(1, MOST_SHARES // (T + 1))
    within("from", first, 1, T, "the steps of this sequence")
    last = min(T, first + most - 1)
    why = "the steps of this sequence" if last == T else f"at most {most} rows of {T + 1} shares at once"
    within("to", question.to, first, last, why)
    try:
        return _json(shares(question, next(blocks)))
    except ValueError as error:  # a plain RNN has none
        raise Refused(422, "ledger", str(error), "layer") from error


@_answers(
    "/sensitivity",
    "Get the sensitivity of an output and of a unit's state",
    "The request also has a `layer`, a `unit`, a step `t` and an `output`, all counted from 1. If `output` is null, "
    "the output is the model's answer at t; with a softmax it is a probability. There is a derivative for every step s "
    "up to t. `x` is the gradient of the output with respect to the inputs and `x_norm` its norm. `input` has the step "
    "`t` where this norm is largest, and its `value`. `z` and `r` are the derivatives of the output with respect to "
    "the unit's gates. `gate` has the gate of the layer with the largest derivative, its unit, step and value. "
    "`h_norm` is the Frobenius norm of the Jacobian of the layer's state at t with respect to its state at s, `h_unit` "
    "the norm of the unit's row. A clamped value does not depend on anything, but the output has a derivative with "
    "respect to a clamped gate.",
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
