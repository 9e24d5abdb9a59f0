"""POST /api/census: what each unit of a model does over many sequences."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from ..runs.census import answer
from ..runs.limits import MOST_COUNTED
from ..schemas import CensusBody
from ..server.body import FileBody
from ..server.json_response import JSON

router = APIRouter(prefix="/api")


@router.post(
    "/census",
    summary="Count what each unit of a model does over many sequences",
    description="Without `text` the model runs over held-out sequences of its task. `text` has a sequence in each "
    "line, and if wanted a tab and its label; with `table` it is CSV with two columns. An error names the line. "
    "`between` are the two labels to separate; by default they are the two most frequent ones, and `others` lists the "
    f"rest. Units × timesteps are at most {MOST_COUNTED:,}; of more held-out sequences the first are used. `units` has "
    "for each unit the `mean` of each gate and the shares of timesteps at which it is `closed` (below 0.1) and `open` "
    "(above 0.9), the `lowest` and `highest` state, whether the unit is `dead`, its half-lives in timesteps (null if "
    "infinite, or for a cell that keeps nothing directly), and the `auc` of the two labels. If "
    "the labels are more than two numbers, it has the `correlation` of the state with them instead. `moments` has "
    "where the unit shows it: the key of the sequence in `texts`, and the timestep.",
    response_class=Response,
)
def ask(request: Request, body: CensusBody) -> Response:
    return _answer(request, body)


@router.post(
    "/census/arrays",
    summary="Count what each unit of a model does over sequences in an .npz file",
    description="The body is the file. `x` (T, B, I) has the inputs of B sequences. If wanted it has `lengths` (B,) or "
    "`mask` (T, B), and `labels` (B,) or (T, B). `between` is given twice, once for each label. The answer is that of "
    "`/api/census`.",
    response_class=Response,
)
def ask_of_arrays(
    request: Request,
    body: FileBody,
    model: str,
    between: Annotated[list[str] | None, Query(min_length=2, max_length=2)] = None,
) -> Response:
    return _answer(request, CensusBody(model=model, between=between), body)


def _answer(request: Request, body: CensusBody, file: bytes | None = None) -> Response:
    return JSON(answer(body, request.app.state.settings, file))
