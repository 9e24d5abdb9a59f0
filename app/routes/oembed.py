"""GET /oembed: descriptions of pages for other sites that embed them, as https://oembed.com defines them."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import APIRouter, Query, Request
from markupsafe import Markup
from pydantic import BaseModel

from .. import models
from ..errors import Refused
from ..lessons import shelf
from ..numbers import Whole
from ..pages.page import FRAME_LINK
from ..settings import Settings
from ..sitemap import LAB, PAGES, START

router = APIRouter()

WIDTH, HEIGHT = 900, 640

EMBEDDABLE = (*PAGES.values(), START)

FRAMES = {
    path: f"embed/{page.path}".rstrip("/")
    for page in EMBEDDABLE
    for path in (page.path, f"embed/{page.path}".rstrip("/"))
}
"""The paths of the pages that can be embedded. Each maps to the path that the frame loads."""


class Description(BaseModel):
    """The description of a page that can be embedded (oembed.com).

    The type is "rich" with the HTML that embeds the page, or "link" without HTML if no other site may embed it.
    """

    version: str = "1.0"
    type: str = "link"
    title: str
    provider_name: str = "GRU Scope"
    provider_url: str
    html: str | None = None
    width: int | None = None
    height: int | None = None


@router.get("/oembed", summary="Get the oEmbed description of a page", response_model_exclude_none=True)
def oembed(
    request: Request,
    url: str,
    format: str = "json",
    maxwidth: Annotated[Whole, Query(ge=1)] = WIDTH,
    maxheight: Annotated[Whole, Query(ge=1)] = HEIGHT,
) -> Description:
    if format != "json":
        raise Refused(501, "format", "format must be json: this server has no XML", "format")
    try:
        page = urlsplit(url)
    except ValueError:
        page = urlsplit("")
    # Behind a proxy the scheme that visitors see is not the one that this server sees.
    is_own = page.scheme in ("http", "https") and page.netloc.lower() == request.base_url.netloc.lower()
    root = request.base_url.path
    path = page.path[len(root) :] if f"{page.path}/".startswith(root) else None
    lesson = re.fullmatch(r"(?:embed/)?lessons/([\w-]+)", path or "")
    if not is_own or (path not in FRAMES and not lesson):
        message = "only this server's Lab, /start, /compare, /train, experiments and lessons can be embedded"
        raise Refused(404, "not-found", message, "url")
    server_url = f"{page.scheme}://{page.netloc}{root}"
    query = parse_qsl(page.query, keep_blank_values=True)
    settings = request.app.state.settings
    if lesson:
        frame_path, title = f"embed/lessons/{lesson[1]}", shelf.get(lesson[1], settings).title
    else:
        frame_path = FRAMES[str(path)]
        titles = {f"embed/{page.path}": page.title for page in EMBEDDABLE if page is not LAB}
        title = titles.get(frame_path) or _title(dict(query), settings)
    title = f"{title} · GRU Scope"
    if set(settings.frame_ancestors.split()) <= {"'self'", "'none'"}:
        return Description(title=title, provider_url=server_url)
    height = min(HEIGHT, maxheight)
    query_text = urlencode(query)
    link = f"{server_url}{frame_path.removeprefix('embed').lstrip('/')}?{query_text}"
    frame = Markup('<iframe src="{}" title="{}" width="100%" height="{}" style="border: 0" loading="lazy"></iframe>')
    return Description(
        type="rich",
        title=title,
        provider_url=server_url,
        html=frame.format(f"{server_url}{frame_path}?{query_text}", title, height) + FRAME_LINK.format(link),
        width=min(WIDTH, maxwidth),
        height=height,
    )


def _title(query: dict[str, str], settings: Settings) -> str:
    """Return the title of the model in a link.

    If the model is unknown, return the title of the first model, which the page shows instead.
    """
    first = models.names(settings)[0]
    try:
        return models.get(query.get("model", first), settings).card.title
    except Refused:
        return models.get(first, settings).card.title
