"""What a teacher shows: a page, its link, and how far its run goes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import ConfigDict, Field

from gru_core import SequenceError

from .. import models
from ..errors import Refused
from ..lessons import shelf
from ..lessons.reading import PAGES, Figure, figure_of
from ..lessons.shown import VIEW, shown_steps
from ..link import read_address, read_link
from ..schemas import Body
from ..settings import Settings


class View(Body):
    """What a room shows: a page, the query of its link, and how far its run goes.

    `page` is a path such as compare or lessons/reset, and "" for the Lab. `link` starts with "?", or is "". On a lesson
    it is the query of the figure, and `step` is the lesson's step. The run ends after timestep `upto`, or at the end of
    the sequence if `upto` is null. `by` names the window that sent the view.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    page: Annotated[str, Field(max_length=100)]
    link: Annotated[str, Field(max_length=8000)]
    step: Annotated[int, Field(ge=1, le=100)] | None = None
    upto: Annotated[int, Field(ge=1, le=10_000)] | None = None
    by: Annotated[str, Field(max_length=20)] = ""


CURSOR = ("t", "unit", "layer")
"""The keys of a link that move the cursor and change nothing else."""


def placed(view: View, settings: Settings, whole: bool = False) -> dict[str, Any]:
    """Return the view with its `shape`, which is the same for all views that one page can show without a reload.

    When the run ends at the step `upto`, the link of a lab figure is cut there, so that followers receive nothing of
    what comes next. With `whole` the inputs stay: a curve is drawn over all of them.

    Raises Refused when there is no such page, lesson or model.
    """
    figure, upto = figure_at(view.model_dump(), settings)
    cut = upto is not None and figure.page == "" and not whole
    link = cut_at(figure, upto or 0, settings) if cut else view.link
    return view.model_dump() | {"shape": f"{view.page}|{_shape(figure, settings)}", "link": link, "upto": upto}


def cut_at(figure: Figure, upto: int, settings: Settings) -> str:
    """Return the query of a lab figure without the timesteps after `upto`. Raises Refused when there is none."""
    link = read_link(figure.keys)
    model = models.get(link.model or models.names(settings)[0], settings)
    keys = dict(figure.keys)
    for key, text in (("sequence", link.sequence or model.examples[0]), ("against", link.against)):
        if text:
            try:
                keys[key] = " ".join(model.encoder.tokens(text)[:upto])
            except SequenceError:  # the page shows an example instead of a sequence that it cannot read
                del keys[key]
    if link.clamps:
        written = zip(keys["clamps"].split(","), link.clamps, strict=True)
        keys["clamps"] = ",".join(
            re.sub("-[0-9]*=", f"-{upto}=", text) if clamp.to is not None and clamp.to > upto else text
            for text, clamp in written
            if clamp.from_ <= upto
        )
    return "?" + urlencode({key: value for key, value in keys.items() if value}, safe=",@=")


def with_cursor(cover: Mapping[str, Any], view: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the covered view with the cursor of `view`; None when `view` shows something else."""
    if (view["page"], view["step"]) != (cover["page"], cover["step"]):
        return None
    covered, shown = read_address(cover["link"]), read_address(view["link"])
    if any(shown.get(key, covered.get(key)) != covered.get(key) for key in ("model", "task")):
        return None
    inputs = shown.get("sequence", "").split()
    if covered.get("sequence", "").split()[: len(inputs)] != inputs:
        return None
    cursor = {key: shown[key] for key in CURSOR if key in shown}
    kept = {key: value for key, value in covered.items() if key not in CURSOR}
    link = "?" + urlencode(kept | cursor, safe=",@=") if kept or cursor else ""
    return {**cover, "link": link, "by": view["by"]}


def figure_at(view: Mapping[str, Any], settings: Settings) -> tuple[Figure, int | None]:
    """The figure of a view, and how far its run goes. Raises Refused."""
    page = view["page"]
    if page.startswith("lessons/"):
        steps = shown_steps(shelf.get(page.removeprefix("lessons/"), settings), settings)
        if not 1 <= (view["step"] or 1) <= len(steps):
            raise Refused(422, "view", f"step must be from 1 to {len(steps)}, the steps of this lesson", "step")
        page = steps[(view["step"] or 1) - 1].figure.page
    if page not in PAGES:
        pages = ", ".join(f"/{one}" for one in PAGES)
        raise Refused(422, "view", f"a room can show a lesson or one of these pages: {pages}", "page")
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
