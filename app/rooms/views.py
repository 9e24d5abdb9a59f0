"""What a teacher shows: a page, its link, and how far its run goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field

from .. import models
from ..errors import Refused
from ..lessons import shelf
from ..lessons.reading import PAGES, Figure, figure_of
from ..lessons.shown import VIEW, shown
from ..settings import Settings


class View(BaseModel):
    """`page` is a path such as compare or lessons/reset, "" for the lab; `link` is its query, or a lesson's figure's.

    `step` is a lesson's. The run ends after the step `upto`. `by` is the window that says so.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    page: Annotated[str, Field(max_length=100)]
    link: Annotated[str, Field(max_length=8000)]
    step: Annotated[int, Field(ge=1, le=100)] | None = None
    upto: Annotated[int, Field(ge=1, le=10_000)] | None = None
    by: Annotated[str, Field(max_length=20)] = ""


def placed(view: View, settings: Settings) -> dict[str, Any]:
    """The view, with its `shape`, which is the same for all that one page can show without being loaded anew.

    Raises Refused where there is no such page, lesson or model.
    """
    figure, upto = figure_at(view.model_dump(), settings)
    return view.model_dump() | {"shape": f"{view.page}|{_shape(figure, settings)}", "upto": upto}


def figure_at(view: Mapping[str, Any], settings: Settings) -> tuple[Figure, int | None]:
    """The figure of a view, and how far its run goes. Raises Refused."""
    page = view["page"]
    if page.startswith("lessons/"):
        steps = shown(shelf.get(page.removeprefix("lessons/"), settings), settings)
        if not 1 <= (view["step"] or 1) <= len(steps):
            raise Refused(422, "view", f"this lesson's steps are 1 to {len(steps)}", "step")
        page = steps[(view["step"] or 1) - 1].figure.page
    if page not in PAGES:
        raise Refused(422, "view", f"a room shows a lesson or one of: {', '.join(f'/{one}' for one in PAGES)}", "page")
    query = view["link"].partition("?")[2]
    return Figure(page, dict(figure_of(f"?{query}", Figure(page, {})).keys)), view["upto"]


def _shape(figure: Figure, settings: Settings) -> str:
    if figure.page == "":
        name = figure.keys.get("model") or models.names(settings)[0]
        return models.get(name, settings).layers[0].name
    kept = {key: value for key, value in figure.keys.items() if key not in (*VIEW, "unit", "v")}
    return urlencode(sorted(kept.items()))


def address(view: Mapping[str, Any]) -> str:
    """Where a view is outside of the room, below the server's own address."""
    if view["page"].startswith("lessons/"):
        return f"{view['page']}?step={view['step'] or 1}"
    return f"{view['page']}{view['link']}"
