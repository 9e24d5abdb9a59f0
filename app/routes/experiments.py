"""The routes of the experiments: GET /compare/gap and others, the same below /embed, and their measurements."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from gru_core.experiments import race, sequence
from gru_core.training.abilities import EXPERIMENT_TASKS

from .. import models
from ..errors import Refused
from ..jobs import work
from ..jobs.engine import WorkerDied
from ..numbers import Whole
from ..pages.experiments import page_context
from ..pages.page import respond_with_figures
from ..runs import race as race_outcome
from ..runs.reach import SEQUENCES, gradient_reach
from ..schemas import Counted, GapBody, RaceBody, SequenceTimes
from ..server.budget import spend
from ..server.json_response import JSON
from ..sitemap import PAGES, ExperimentName

router = APIRouter()

REPEATS = 3
"""The number of measurements of each time."""


@router.api_route("/compare/{name}", methods=["GET", "HEAD"], include_in_schema=False)
@router.api_route("/embed/compare/{name}", methods=["GET", "HEAD"], include_in_schema=False)
def experiment(request: Request, name: ExperimentName) -> Response:
    return respond_with_figures(
        request, PAGES[f"compare/{name}"].template, page_context(name, request.app.state.settings)
    )


@router.get(
    "/api/experiments/sequence",
    summary="Measure the time for B sequences of T timesteps on this server",
    description=f"All times are in seconds and measured now, with one thread for linear algebra; each is the fastest "
    f"of {REPEATS} repeats. `gru` is a GRU, `attention` is a head of attention. `loop` and `scan` are a minimal GRU, "
    "computed one timestep after another and by a parallel scan. `comparison` says whether attention is faster or "
    f"slower than the GRU; a difference of at most {sequence.TIE:.0%} is a tie.",
)
async def timing(request: Request, T: Annotated[Whole, Query()], B: Annotated[Whole, Query()] = 1) -> SequenceTimes:
    if B not in sequence.LENGTHS:
        raise Refused(422, "request", f"B must be one of {', '.join(map(str, sequence.LENGTHS))}", "B")
    if T not in sequence.LENGTHS[B]:
        raise Refused(422, "request", f"T must be one of {', '.join(map(str, sequence.LENGTHS[B]))}", "T")
    try:
        times = await request.app.state.trainings.compute(work.sequence_times, (T, B, REPEATS))
    except WorkerDied as error:
        raise Refused(503, "lost", str(error), retry_after=5) from error
    return SequenceTimes(seconds=times, comparison=sequence.attention_against_gru(times))


@router.get(
    "/api/experiments/counting",
    summary="Test how far a network counts",
    description="`model` is a model of the task counting, such as a checkpoint ID@STEP of a training. `counted` has 1 "
    f"for each n from 1 to {race.FURTHEST} that the network counts correctly: n times a, then n + 1 times b. Else 0.",
)
def counting(request: Request, model: str) -> Counted:
    network = models.get(model, request.app.state.settings)
    if models.task(network) is not EXPERIMENT_TASKS[race.COUNTING]:
        raise Refused(422, "model", "this model was not trained to count: choose a model of the task counting", "model")
    spend(race.FURTHEST**2 * len(race.STARTS) * sum(cell.units for cell in network.layers))
    return Counted(counted=race.counted(network))


@router.post(
    "/api/experiments/race",
    summary="Compare the cells after trainings with several seeds",
    description="Returns for each cell the median with its 95% interval, as text, and a verdict in a sentence. Cells "
    "tie if their intervals overlap or if their medians differ by less than the resolution.",
    response_class=Response,
)
def compare(body: RaceBody) -> Response:
    if body.task == race.COUNTING:
        outcome = race_outcome.counted(body.counted)
    else:
        outcome = race_outcome.reached(body.task, body.steps)
    return JSON(outcome)


@router.post(
    "/api/experiments/gap",
    summary="Measure the gradient flow in untrained cells",
    description="For each cell, `lags` tells how far the gradient reaches: the norm of the gradient of the largest "
    "output at the last timestep, before the softmax, with respect to the input 0, 1, 2, … timesteps earlier. The "
    f"norms are means over {SEQUENCES} sequences, divided by the norm for the last input. `recipe` trains the cell "
    "over this gap.",
    response_class=Response,
)
def untrained(body: GapBody) -> Response:
    return JSON(gradient_reach(body))
