"""Responses with pages: the templates, and the context values that pages share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import Response
from fastapi.templating import Jinja2Templates
from markupsafe import Markup

from gru_core import Model, Trace
from gru_core.cells.registry import CELLS
from gru_core.encoders.vectors import Scaled

from ..assets import TEMPLATES, version
from ..link import VERSION
from ..server.middleware import route_path
from ..sitemap import EXPERIMENTS, PAGES

FRAME_LINK = Markup(
    '<p><a href="{}">Open this figure in GRU Scope</a>. If no figure is shown here, the server is offline, or it does '
    "not allow this site to embed it.</p>"
)
"""The line below an embedded frame. A frame that fails to load is empty and cannot explain the failure."""

MOST_WIDE, MOST_LABELLED = 64, 128
"""The most columns of a tape that are as wide as a number, and the most with letters."""


def _crowding(columns: int) -> str:
    """Return the classes of a tape with many columns; the text starts with a space, or is empty."""
    return " many" * (columns > MOST_WIDE) + " unlabelled" * (columns > MOST_LABELLED)


templates = Jinja2Templates(TEMPLATES)
templates.env.globals |= {
    "CELLS": CELLS,
    "PAGES": PAGES,
    "EXPERIMENTS": EXPERIMENTS,
    "FRAME_LINK": FRAME_LINK,
    "crowding": _crowding,
}

PARTS = ("question", "model", "sequence", "transport", "convention", "share")
"""The parts of a page that a link can hide."""

MOST_PRINTED, MOST_SENT = 400, 1600
"""The largest number of values of a signal that are printed in a page's HTML, and the largest number of values of h in
a run that a page contains."""

Context = dict[str, Any]
"""The context of a template: its values by name."""


def respond(request: Request, template: str, context: Context, status: int = 200) -> Response:
    """Return a rendered page. Its context also gets the server's root path and the path of the static files."""
    root = root_of(request)
    shared = {"root": root, "static": f"{root}/static/{version()}"}
    headers = {"Cache-Control": "no-cache"}
    return templates.TemplateResponse(request, template, shared | context, status, headers=headers)


def respond_with_figures(request: Request, template: str, context: Context) -> Response:
    """Return a rendered page with figures. Such a page can be embedded, and a link can hide some of its parts."""
    hidden = request.query_params.get("hide", "").split(",")
    shared = {
        "embed": route_path(request.scope).startswith("/embed"),
        "hide": [part for part in PARTS if part in hidden],
        "oembed": _oembed_of(request),
    }
    return respond(request, template, shared | context)


def root_of(request: Request) -> str:
    """Return the path under which a proxy serves this server, or "" without a proxy path."""
    root: str = request.scope.get("root_path", "")
    return root


def _oembed_of(request: Request) -> str:
    """Return the URL of this page's oEmbed description, for sites that embed the page."""
    query = urlencode(request.query_params.multi_items())
    page = f"{request.base_url}{route_path(request.scope)[1:]}?{query}".rstrip("?")
    return f"{request.base_url}oembed?" + urlencode({"url": page, "format": "json"})


def version_notices(keys: Mapping[str, str]) -> list[str]:
    """Return a list with one notice if another version of GRU Scope made the link, otherwise an empty list."""
    known = keys.get("v", VERSION) == VERSION
    return [] if known else ["This link was made by another version of GRU Scope, so the page may not show all of it."]


def link_error_notice(error: Exception) -> str:
    """Return the notice for a link that is not valid."""
    return f"This link could not be followed: {str(error).rstrip('.')}. Here is an example instead."


def outputs(model: Model, run: Trace) -> list[str]:
    """Return the model's output at every timestep as the tape shows it: the likeliest label, or a formatted number."""
    if model.readout.kind == "linear":
        encoder = model.encoder
        y, n = (encoder.numbers(run.y), encoder.decimals) if isinstance(encoder, Scaled) else (run.y, 2)
        return [f"{round(float(row[0]), n) + 0.0:.{n}f}".replace("-", "−") for row in y]
    return [model.readout.labels[row.argmax()] for row in run.y]
