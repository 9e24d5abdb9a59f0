"""GET /compare/gap and other experiments, the same below /embed, and the measurements that their pages request."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from gru_core.experiments import sequence

from ..errors import Refused
from ..jobs import work
from ..jobs.engine import WorkerDied
from ..pages.experiments import page_context
from ..pages.page import respond_with_figures
from ..runs.answers import to_json
from ..runs.reach import SEQUENCES, gradient_reach
from ..schemas import GapQuestion, Whole
from ..server.budget import spend
from ..sitemap import PAGES, ExperimentName

router = APIRouter()


@router.api_route("/compare/{name}", methods=["GET", "HEAD"], include_in_schema=False)
@router.api_route("/embed/compare/{name}", methods=["GET", "HEAD"], include_in_schema=False)
def experiment(request: Request, name: ExperimentName) -> Response:
    return respond_with_figures(
        request, PAGES[f"compare/{name}"].template, page_context(name, request.app.state.settings)
    )


@router.get(
    "/api/experiments/sequence",
    summary="Measure the time for a sequence of T timesteps on this server",
    description="All times are in seconds and measured now; each is the median of 3 repeats. `gru` is a GRU, "
    "`attention` is a head of attention. `loop` and `scan` are a minimal GRU, computed one timestep after another and "
    "by a parallel scan.",
)
def timing(T: Annotated[Whole, Query()]) -> dict[str, float]:
    if T not in sequence.LENGTHS:
        raise Refused(422, "request", f"T must be one of {', '.join(map(str, sequence.LENGTHS))}", "T")
    spend(T * sequence.WIDTH * 10)
    return sequence.timed(T, 3)


@router.get(
    "/api/experiments/parity",
    summary="Train a minimal GRU on parity",
    description="The task is parity: is the number of ones so far even or odd? The response is a list of training "
    "steps, each with the held-out accuracy.",
)
async def parity(request: Request, seed: Annotated[Whole, Query(ge=0, lt=2**32)]) -> list[tuple[int, float]]:
    try:
        result: list[tuple[int, float]] = await request.app.state.trainings.compute(work.parity_by_scan, seed)
    except WorkerDied as error:
        raise Refused(503, "lost", str(error), retry_after=5) from error
    return result


@router.post(
    "/api/experiments/gap",
    summary="Measure the gradient flow in untrained cells",
    description="For each cell, `lags` tells how far the gradient reaches: the norm of the gradient of the largest "
    "output at the last timestep, before the softmax, with respect to the input 0, 1, 2, … timesteps earlier. The "
    f"norms are means over {SEQUENCES} sequences, divided by the norm for the last input. `recipe` trains the cell "
    "over this gap.",
    response_class=Response,
)
def untrained(question: GapQuestion) -> Response:
    return Response(to_json(gradient_reach(question)), media_type="application/json")
