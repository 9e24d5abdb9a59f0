"""GET / and GET /embed: the lab page, which arrives with its first scenario already run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import urlencode

import numpy as np
import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from fastapi.templating import Jinja2Templates
from markupsafe import Markup

from gru_core import Model, SequenceError, Trace, presets
from gru_core.arrays import Array
from gru_core.cells import CELLS
from gru_core.figures import page_figures, page_pictures

from .. import models
from ..answers import cells, events, to_json
from ..assets import TEMPLATES, compress, version
from ..errors import Refused
from ..link import VERSION, unit_in
from ..middleware import route_path
from ..questions import QUESTIONS
from ..routes.trace import prepare
from ..routes.unit import MOST_SHARES
from ..schemas import Scenario
from ..settings import Settings

router = APIRouter()
templates = Jinja2Templates(TEMPLATES)

STAGES = (*range(4, 21, 2), 24, 28, 32, 36, 40, 48, 56, 64, 80, 96, 112, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
"""How many columns a tape has: the next of these. Little stays empty, and not every letter more moves the others."""

MOST_PRINTED, MOST_SENT = 400, 1600
"""Cells of a signal up to which the page comes with their numbers, and, of all layers, with the run itself."""

PARTS = ("question", "model", "sequence", "transport", "convention", "share")
"""What a link can hide of the page."""


@cache
def _figures(cell: str) -> dict[str, orjson.Fragment]:
    signals = CELLS[cell].signals
    made = {"figures": {cell: page_figures(signals)}, "pictures": page_pictures(signals)}
    return {name: orjson.Fragment(to_json(figures)) for name, figures in made.items()}


def warm(settings: Settings) -> None:
    """Do before the first visitor what is done once: compress the files, build the figures, load the models.

    Raises ValueError when the settings' limits leave no model to show.
    """
    version()
    compress()
    for cell in CELLS:
        _figures(cell)
    if not models.names(settings):
        raise ValueError("the limits in the settings exclude every model: raise them")


@router.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
@router.api_route("/embed", methods=["GET", "HEAD"], include_in_schema=False)
def lab(request: Request) -> Response:
    """What the query says besides a model and a sequence is for the page to read."""
    settings: Settings = request.app.state.settings
    uploads = settings.no_uploads is None and route_path(request.scope) != "/embed"
    return answered(request, "lab.html", filled(request.query_params, settings, uploads=uploads))


def filled(
    keys: Mapping[str, str], settings: Settings, upto: int | None = None, uploads: bool = False
) -> dict[str, Any]:
    """What the page is filled with where a link says these keys; or, where it cannot be followed, with an example.

    The run ends after the step `upto`, if that is given, though the whole sequence stands there.
    """
    names = models.names(settings)
    notices = version_notices(keys)
    model, sequence = keys.get("model"), keys.get("sequence")
    scenario = Scenario(model=model or names[0], sequence=sequence or "")
    try:
        if not sequence:
            scenario = example(scenario.model, settings)
        about, blocks = prepare(scenario, settings, None)
    except (Refused, SequenceError) as error:
        notices.append(unfollowed(error))
        scenario = example(model if model is not None and _can_be_shown(model, settings) else names[0], settings)
        about, blocks = prepare(scenario, settings, None)
    run = next(blocks)
    if upto is not None:
        run = replace(run, layers=tuple(layer[:upto] for layer in run.layers), y=run.y[:upto])
        about = about | {"right": None}
    cells = sum(layer.h.size for layer in run.layers)
    place = unit_in(keys, [layer.cell.units for layer in run.layers])
    return view(scenario, settings, about, run, uploads) | {
        "max_upload": settings.max_upload // 2**20,
        "notice": " ".join(notices),
        # A long run is streamed to the page instead of coming with it.
        "first": inert(b"".join(events(about, [run], place))) if cells <= MOST_SENT else "",
    }


def version_notices(keys: Mapping[str, str]) -> list[str]:
    """What is to be said of a link for the version that made it."""
    known = keys.get("v", VERSION) == VERSION
    return [] if known else ["This link was made by another version of GRU Scope, so the page may not show all of it."]


def unfollowed(error: Exception) -> str:
    return f"This link could not be followed: {str(error).rstrip('.')}. Here is an example instead."


def answered(request: Request, template: str, page: dict[str, Any]) -> Response:
    """A page, with what each has of its request: where it is, and what a link hides of it."""
    root = root_of(request)
    about = {
        "embed": route_path(request.scope).startswith("/embed"),
        "hide": [part for part in PARTS if part in request.query_params.get("hide", "").split(",")],
        "oembed": oembed_of(request),
        "root": root,
        "static": f"{root}/static/{version()}",
    }
    return templates.TemplateResponse(request, template, about | page, headers={"Cache-Control": "no-cache"})


def view(
    scenario: Scenario, settings: Settings, about: dict[str, Any], run: Trace, uploads: bool = False
) -> dict[str, Any]:
    """What the page is filled with where one looks at the run of a scenario, of which `about` is the `start`.

    `uploads`: whether one can bring a model there.
    """
    # Those with about as many parameters are on the compare page, and wherever a link leads to one.
    names = [name for name in models.names(settings) if not name.endswith("-parameters")]
    shown = names if scenario.model in names else [*names, scenario.model]
    entries = [models.entry(name, settings) | {"questions": QUESTIONS.get(name, ())} for name in shown]
    cell = run.layers[-1].cell
    signals = cell.signals
    entry = next(entry for entry in entries if entry["id"] == scenario.model)
    boot = {
        "models": entries,
        "cells": cells(),
        "scenario": scenario.model_dump(by_alias=True),
        "stages": STAGES,
        "shares": MOST_SHARES,
        "uploads": uploads,
        "max_upload": settings.max_upload,
        **_figures(cell.name),
    }
    return {
        "page": "lab",
        "title": entry["card"]["title"],
        "scenario": scenario,
        "uploads": uploads,
        "groups": _groups(entries),
        "entry": entry,
        "columns": next((columns for columns in STAGES if columns >= about["T"]), about["T"]),
        "tokens": about["tokens"],
        "outputs": outputs(run.model, run),
        "signed": run.model.readout.kind == "linear",
        "values": {signal: _as_long_as(about["T"], getattr(run, signal)).T for signal in signals},
        "printed": run.h.size <= MOST_PRINTED,
        "cell": cell,
        "signals": signals,
        "boot": inert(to_json(boot)),
    }


def _as_long_as(T: int, values: Array) -> Array:
    """`(T, H)`, with nan for the steps that a run has not come to."""
    return np.pad(values, ((0, T - len(values)), (0, 0)), constant_values=np.nan)


def root_of(request: Request) -> str:
    """The path that a proxy has put this server under, "" when none."""
    root: str = request.scope.get("root_path", "")
    return root


def _can_be_shown(model: str, settings: Settings) -> bool:
    try:
        models.get(model, settings)
    except Refused:
        return False
    return True


def _groups(entries: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The models as the picker lists them, under what sets them apart."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        if entry["said"]:
            group = "Uploaded models"
        elif entry["id"] in presets.COMPARED:
            group = f"The same tasks, {CELLS[entry['layers'][0]['cell']].title}"
        elif entry["id"] not in presets.NAMES:
            group = "From this server"
        else:
            group = "Trained without penalties" if entry["id"].endswith("-plain") else "Readable gates"
        groups.setdefault(group, []).append(entry)
    return groups


def oembed_of(request: Request) -> str:
    """Where this very page is described for those who would embed it."""
    query = urlencode(request.query_params.multi_items())
    page = f"{request.base_url}{route_path(request.scope)[1:]}?{query}".rstrip("?")
    return f"{root_of(request)}/oembed?" + urlencode({"url": page, "format": "json"})


def example(name: str, settings: Settings) -> Scenario:
    """A model's first example, as much of it as may be run."""
    model = models.get(name, settings)
    tokens = model.encoder.tokens(model.examples[0])
    return Scenario(model=name, sequence=" ".join(tokens[: settings.max_steps]))


def outputs(model: Model, run: Trace) -> list[str]:
    """What the model answers at every step, as the tape's output row says it."""
    if model.readout.kind == "linear":
        return [f"{round(float(row[0]), 2) + 0.0:.2f}".replace("-", "−") for row in run.y]
    return [model.readout.labels[row.argmax()] for row in run.y]


def inert(text: bytes) -> Markup:
    """JSON, or events of JSON, that nothing in it can end the script element it stands in."""
    return Markup(text.decode().replace("<", "\\u003c"))
