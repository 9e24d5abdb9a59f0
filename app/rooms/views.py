"""The views that a room shows: a page, the query of its link, and the timestep at which its run ends."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import urlencode

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from gru_core import SequenceError

from .. import models
from ..errors import Refused
from ..lessons import shelf
from ..lessons.reading import Figure, figure_of
from ..lessons.shown import ShownStep, reload_keys, shown_steps
from ..link import LONGEST_LINK, MOST_KEYS, read_address, read_link
from ..schemas import Body, first_written
from ..settings import Settings
from ..sitemap import IN_ROOMS


def _plain_query(link: str) -> str:
    """Return the link of a view. Raise an error if it has a compressed part or too many keys.

    Each teacher's stream parses the link, so parsing must be fast.
    """
    if "#" in link or link.count("&") >= MOST_KEYS:
        raise PydanticCustomError("link", "must be a query of at most {most} keys, without #", {"most": MOST_KEYS})
    return link


class View(Body):
    """A view that a room shows: a page, the query of its link, and the last timestep of its run.

    `page` is a path such as compare or lessons/reset, and "" for the Lab. `link` starts with "?", or is "". For a
    lesson, `link` is the query of the figure, and `step` is the lesson's step. The run ends after timestep `upto`, or
    at the end of the sequence if `upto` is null. `by` names the window that sent the view. `behind` is true if the
    teacher now looks at a figure that is too large for a room; this view is then an earlier one. `question` is the id
    of the question in that window, until its answer is shown.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    page: Annotated[str, Field(max_length=100)]
    link: Annotated[str, Field(max_length=LONGEST_LINK), AfterValidator(_plain_query)]
    step: Annotated[int, Field(ge=1, le=100)] | None = None
    upto: Annotated[int, Field(ge=1, le=10_000)] | None = None
    by: Annotated[str, Field(max_length=20)] = ""
    behind: bool = False
    question: int | None = None


@dataclass(frozen=True)
class ShownView:
    """A view that the server has validated, as a room stores it and sends it to the class.

    `shape` is the same for all views that one page can show without a reload. While `covered` is true, the page hides
    an experiment until the answer is revealed. `View` describes the other fields.
    """

    page: str
    link: str
    step: int | None
    upto: int | None
    by: str
    shape: str
    covered: bool = False
    behind: bool = False


CURSOR = ("t", "unit", "layer")
"""The keys of a link that move the cursor and change nothing else."""


def validate_view(view: View, settings: Settings, last_input: int | None = None) -> ShownView:
    """Validate a view, and return it for the class. Raise Refused if there is no such page, lesson, step or model.

    A step of a lesson is covered if it has an experiment and a question. If a run in the Lab ends at the timestep
    `upto`, students still see the later inputs: up to the timestep `last_input`, or all inputs if it is None.
    """
    step = _lesson_step(view, settings)
    figure = figure_of_view(view, settings)
    ends = view.upto is not None and figure.page == ""
    link = link_until(figure, view.upto or 0, last_input, settings) if ends else view.link
    shape = f"{view.page}|{_shape(figure, settings)}"
    covered = step is not None and step.covered
    return ShownView(view.page, link, view.step, view.upto, view.by, shape, covered, view.behind)


def link_until(figure: Figure, upto: int, last: int | None, settings: Settings) -> str:
    """Return the query of a link to the Lab that shows this figure with the inputs up to timestep `last`.

    In the link, spaces separate the inputs. If `last` is None, the link keeps all inputs of the figure, but the text
    that the network writes after them ends at timestep `upto`. Raise Refused for an unknown model.
    """
    link = read_link(figure.keys)
    model = models.get(link.model or models.names(settings)[0], settings)
    keys = dict(figure.keys)
    for key, text in (("sequence", link.sequence or model.examples[0]), ("against", link.against)):
        if text:
            try:
                keys[key] = " ".join(model.encoder.tokens(text)[:last])
            except SequenceError:  # The page shows an example instead of a sequence that it cannot read.
                del keys[key]
    if link.write is not None:  # The network's outputs are its next inputs, and so they are not sent.
        given = len(model.encoder.tokens(link.sequence or model.examples[0]))
        write = first_written(link.write, (last or upto) - given)
        if write is None:
            del keys["write"]
        else:
            keys["write"] = str(write.steps)
    if link.clamps and last is not None:
        written = zip(keys["clamps"].split(","), link.clamps, strict=True)
        keys["clamps"] = ",".join(
            re.sub("-[0-9]*=", f"-{last}=", text) if clamp.to is not None and clamp.to > last else text
            for text, clamp in written
            if clamp.from_ <= last
        )
    return "?" + urlencode({key: value for key, value in keys.items() if value}, safe=",@=")


def with_cursor(cover: ShownView, view: ShownView) -> ShownView | None:
    """Return `cover` with the cursor of `view`.

    Return None if `view` shows another page, step, model or sequence, or another part of the run.
    """
    if (view.page, view.step, view.upto) != (cover.page, cover.step, cover.upto):
        return None
    covered, shown = read_address(cover.link), read_address(view.link)
    if any(shown.get(key, covered.get(key)) != covered.get(key) for key in ("model", "task")):
        return None
    inputs = shown.get("sequence", "").split()
    if covered.get("sequence", "").split()[: len(inputs)] != inputs:
        return None
    cursor = {key: shown[key] for key in CURSOR if key in shown}
    others = {key: value for key, value in covered.items() if key not in CURSOR}
    link = "?" + urlencode(others | cursor, safe=",@=") if others or cursor else ""
    return replace(cover, link=link, by=view.by)


def figure_of_view(view: View | ShownView, settings: Settings) -> Figure:
    """Return the figure that a view shows. Raise Refused if there is no such page, lesson or step."""
    step = _lesson_step(view, settings)
    page = view.page if step is None else step.figure.page
    if page not in IN_ROOMS:
        pages = ", ".join(f"/{name}" for name in IN_ROOMS)
        raise Refused(422, "view", f"a room can show a lesson or one of these pages: {pages}", "page")
    query = view.link.partition("?")[2]
    return Figure(page, dict(figure_of(f"?{query}", Figure(page, {})).keys))


def _lesson_step(view: View | ShownView, settings: Settings) -> ShownStep | None:
    """Return the step that a view shows, or None if it shows no lesson. Raise Refused if there is no such step."""
    if not view.page.startswith("lessons/"):
        return None
    steps = shown_steps(shelf.get(view.page.removeprefix("lessons/"), settings), settings)
    step = view.step or 1
    if not 1 <= step <= len(steps):
        raise Refused(422, "view", f"step must be from 1 to {len(steps)}, the parts of this lesson", "step")
    return steps[step - 1]


def _shape(figure: Figure, settings: Settings) -> str:
    if figure.page == "":
        name = figure.keys.get("model") or models.names(settings)[0]
        return models.get(name, settings).layers[0].name
    keys = {key: value for key, value in reload_keys(figure).items() if key not in ("unit", "v")}
    return urlencode(sorted(keys.items()))


def address(view: View) -> str:
    """Return the address of a view outside of the room, relative to the server's own address."""
    if view.page.startswith("lessons/"):
        return f"{view.page}?step={view.step or 1}"
    return f"{view.page}{view.link}"
