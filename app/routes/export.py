"""GET /api/export/…: views, runs, lessons and models as files to download."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse

from gru_core import experiments

from .. import models
from ..errors import Refused
from ..exports import page as export
from ..exports.files import as_csv, as_npz, content_of, rows_as_csv
from ..exports.lesson import lesson_page
from ..exports.sizes import sizes
from ..lessons import shelf
from ..link import read_address
from ..rooms.withheld import open_to
from ..runs.answers import to_json, whole
from ..runs.linked import run_link
from ..runs.run import is_large, within_text
from ..schemas import Content, ExportBody
from ..server.json_response import JSON
from ..sitemap import ExperimentName

router = APIRouter(prefix="/api/export")

QUERY = "The query has the keys of a link, as Share copies it."
CONTENT = (
    f"{QUERY} With `content=signals` the file has only the inputs, the outputs and the signals, as float32. This is "
    "the default for the numbers of a large run; `content=all` has everything in full precision."
)


RunFile = Literal["page.html", "trace.csv", "trace.json", "trace.npz"]


def _file(name: str, content: str | bytes | Iterator[bytes], media_type: str) -> Response:
    """Return a response with a file to download. An iterator's pieces are sent as they are produced.

    A header can contain only ASCII, so a name with other letters is also sent encoded.
    """
    plain = re.sub(r"[^\w@.-]", "", name, flags=re.ASCII)
    encoded = "" if plain == name else f"; filename*=UTF-8''{quote(name)}"
    headers = {"Content-Disposition": f'attachment; filename="{plain}"{encoded}', "Cache-Control": "no-cache"}
    if isinstance(content, str | bytes):
        return Response(content, headers=headers, media_type=media_type)
    return StreamingResponse(content, headers=headers, media_type=media_type)


def _run_file(request: Request, keys: Mapping[str, str], file: RunFile, content: Content | None) -> Response:
    """Return a file with the run that a link describes. If the run is large, CSV and JSON are sent in pieces."""
    settings = request.app.state.settings
    run = run_link(keys, settings)
    if file == "page.html":
        within_text(run.start, "one HTML file")
        page = export.page(run, settings, str(request.base_url), content=content or "all")
        return _file(f"{run.name}.html", page, "text/html")
    numbers = content_of(run, content)
    if file == "trace.npz":
        return _file(f"{run.name}.npz", as_npz(run.trace, numbers), "application/octet-stream")
    if file == "trace.csv":
        pieces, media_type = as_csv(run.trace, content=numbers), "text/csv"
    else:
        pieces, media_type = whole(run.start, run.trace, content=numbers), "application/json"
    name = f"{run.name}{Path(file).suffix}"
    return _file(name, pieces if is_large(run.start) else b"".join(pieces), media_type)


@router.get("/page.html", summary="Export a view as one HTML file that needs no server", description=CONTENT)
def page_html(request: Request, content: Content | None = None) -> Response:
    return _run_file(request, request.query_params, "page.html", content)


@router.get(
    "/sizes",
    summary="Estimate how large the exported files of a view will be",
    description=f"{QUERY} The answer has the bytes of each file, by its name and by its content.",
)
def file_sizes(request: Request) -> dict[str, dict[Content, int]]:
    return sizes(run_link(request.query_params, request.app.state.settings), request.app.state.settings)


@router.get("/compare.html", summary="Export a comparison as one HTML file that needs no server", description=QUERY)
def compare_html(request: Request) -> Response:
    return _compare(request, request.query_params)


def _compare(request: Request, keys: Mapping[str, str]) -> Response:
    content = export.compare_page(keys, request.app.state.settings, str(request.base_url))
    return _file("gruscope-compare.html", content, "text/html")


@router.get("/train.html", summary="Export a training as one HTML file that needs no server", description=QUERY)
def train_html(request: Request) -> Response:
    content = export.train_page(request.query_params, request.app.state.settings, str(request.base_url))
    return _file("gruscope-train.html", content, "text/html")


@router.get(
    "/lesson.html",
    summary="Export a lesson as one HTML file that needs no server",
    description="The file contains the lesson's answers. While a room shows this lesson to students at your network "
    "address, the status is 403, except in the room's mode `explore`.",
    dependencies=[Depends(open_to)],
)
def lesson_html(request: Request, name: str) -> Response:
    settings = request.app.state.settings
    lesson = shelf.get(name, settings)
    try:
        content = lesson_page(lesson, settings, str(request.base_url))
    except ValueError as error:
        raise Refused(422, "lesson", f"the lesson “{name}” cannot be shown: {error}", "name") from error
    return _file(f"gruscope-{name}.html", content, "text/html")


@router.get(
    "/experiment.csv",
    summary="Export the stored result of an experiment as CSV",
    description="A line for each training. `good_at` is the training step at which it reached its target, empty if it "
    "never did. The sequential cost has a line for each sequence length, with times in seconds.",
)
def experiment_csv(name: ExperimentName) -> Response:
    return _file(f"gruscope-{name}.csv", rows_as_csv(experiments.table(name)), "text/csv")


@router.get("/experiment.json", summary="Export the stored result of an experiment as JSON")
def experiment_json(name: ExperimentName) -> Response:
    return _file(f"gruscope-{name}.json", to_json(experiments.result(name)), "application/json")


@router.get(
    "/model.safetensors",
    summary="Export a model as a file",
    description="`model` is a name or an id; NAME@STEP or ID@STEP is a checkpoint.",
)
def model_file(request: Request, model: str) -> Response:
    content = models.get(model, request.app.state.settings).to_bytes()
    name = re.sub(r"[^\w@.-]", "", model)
    return _file(f"{name}.safetensors", content, "application/octet-stream")


@router.get("/trace.csv", summary="Export a run as CSV, one line per timestep", description=CONTENT)
def trace_csv(request: Request, content: Content | None = None) -> Response:
    return _run_file(request, request.query_params, "trace.csv", content)


@router.get("/trace.json", summary="Export a run as JSON, in the form of /api/trace", description=CONTENT)
def trace_json(request: Request, content: Content | None = None) -> Response:
    return _run_file(request, request.query_params, "trace.json", content)


@router.get("/trace.npz", summary="Export every array of a run, for NumPy", description=CONTENT)
def trace_npz(request: Request, content: Content | None = None) -> Response:
    return _run_file(request, request.query_params, "trace.npz", content)


@router.post(
    "/{file}",
    summary="Export a view with a link that is too long for the address of a request",
    description="`link` is the whole link, also with a part after #. The response is the one of GET with this link.",
    response_class=Response,
    responses={200: {"description": "The file", "content": {"application/octet-stream": {}}}},
)
def file_of_long_link(request: Request, file: RunFile | Literal["compare.html", "sizes"], body: ExportBody) -> Response:
    keys, settings = read_address(body.link), request.app.state.settings
    if file == "compare.html":
        return _compare(request, keys)
    if file == "sizes":
        return JSON(sizes(run_link(keys, settings), settings))
    return _run_file(request, keys, file, body.content)
