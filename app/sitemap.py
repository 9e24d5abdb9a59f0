"""The pages with figures, declared once. Assets, navigation, lessons, rooms, exports and embeds use this list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal


@dataclass(frozen=True)
class Page:
    """A page with figures.

    `name` is the name of the page and its script, and `path` is its path without the first slash. `root` is the entry
    module of the script. `sheets` are style sheets in addition to the common ones of all pages with figures.
    """

    name: str
    path: str
    title: str
    root: str
    template: str
    sheets: tuple[str, ...] = ()


def _experiment(name: str, title: str) -> Page:
    sheets = ("compare", "train", "experiments")
    script, template = f"experiments/{name}.js", f"experiments/{name}.html"
    return Page(name, f"compare/{name}", title, script, template, sheets)


LAB = Page("lab", "", "Lab", "main.js", "lab.html")
COMPARE = Page("compare", "compare", "Compare", "compare/main.js", "compare.html", ("compare",))
START = Page("start", "start", "Be the gate", "start/main.js", "start.html", ("start",))
TRAIN = Page("train", "train", "Train", "train/main.js", "train.html", ("compare", "train"))

EXPERIMENTS = (
    _experiment("gap", "Gradient reach"),
    _experiment("sequence", "Sequential cost"),
    _experiment("bottleneck", "Memory capacity"),
    _experiment("race", "Cell comparison"),
    _experiment("attention", "Attention weights"),
)
"""The experiments, in the order of the navigation."""

if TYPE_CHECKING:
    ExperimentName = str
else:  # so that FastAPI accepts only these names
    ExperimentName = Literal[tuple(page.name for page in EXPERIMENTS)]

PAGES = {page.path: page for page in (LAB, COMPARE, TRAIN, *EXPERIMENTS)}
"""All pages with figures, by path."""

IN_ROOMS = {**PAGES, START.path: START}
"""The pages that a room can show, besides lessons, by path."""
