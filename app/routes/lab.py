"""GET /: the lab page, which arrives with its first scenario already run."""

from __future__ import annotations

from functools import cache

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from fastapi.templating import Jinja2Templates
from markupsafe import Markup

from app import models
from app.assets import TEMPLATES, assets, version
from app.errors import Refused
from app.routes.trace import prepare
from app.schemas import STATES, Scenario, events, model_entry, to_json
from app.settings import Settings
from gru_core import Model, SequenceError, Trace
from gru_core.figures import SIGNALS, page_figures

router = APIRouter()
templates = Jinja2Templates(TEMPLATES)

DEFAULT = "flip-flop"


@cache
def _figures() -> orjson.Fragment:
    return orjson.Fragment(to_json(page_figures()))


def warm(settings: Settings) -> None:
    """Do before the first visitor what is done once: compress the files, build the figures, load the models."""
    version()
    _figures()
    for name in models.names():
        models.get(name, settings)


@router.get("/", include_in_schema=False)
def lab(request: Request, model: str = DEFAULT, sequence: str | None = None) -> Response:
    settings: Settings = request.app.state.settings
    notice = None
    try:
        scenario = _scenario(model, sequence, settings)
        about, blocks = prepare(scenario, settings, None)
    except (Refused, SequenceError) as error:
        notice = f"This link could not be followed: {error}. Here is an example instead."
        scenario = _scenario(DEFAULT, None, settings)
        about, blocks = prepare(scenario, settings, None)
    run = next(blocks)
    entries = [model_entry(name, models.get(name, settings)) for name in models.names()]
    boot = {"models": entries, "figures": _figures(), "scenario": scenario.model_dump()}
    page = {
        "scenario": scenario,
        "notice": notice,
        "entries": entries,
        "entry": next(entry for entry in entries if entry["id"] == scenario.model),
        "tokens": about["tokens"],
        "outputs": _outputs(run.model, run),
        "values": {signal: getattr(run, signal).T for signal in STATES},
        "signals": SIGNALS,
        "static": f"/static/{version()}",
        "modules": [name for name in assets() if name.endswith(".js") and name not in ("plotly.min.js", "first.js")],
        "boot": _inert(to_json(boot)),
        "first": _inert(b"".join(events(about, [run]))),
    }
    return templates.TemplateResponse(request, "lab.html", page, headers={"Cache-Control": "no-cache"})


def _scenario(model: str, sequence: str | None, settings: Settings) -> Scenario:
    return Scenario(model=model, sequence=sequence or models.get(model, settings).card.examples[0])


def _outputs(model: Model, run: Trace) -> list[str]:
    """What the model answers at every step, as the tape's output row says it."""
    if model.readout.kind == "linear":
        return [f"{row[0]:.2f}" for row in run.y]
    return [model.readout.labels[row.argmax()] for row in run.y]


def _inert(text: bytes) -> Markup:
    """JSON, or events of JSON, that nothing in it can end the script element it stands in."""
    return Markup(text.decode().replace("<", "\\u003c"))
