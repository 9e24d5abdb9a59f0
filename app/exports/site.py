"""A folder of exported pages with one Plotly beside them, for docs that are served, or opened, as plain files."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gru_core import SequenceError

from .. import output
from ..assets import assets
from ..errors import Refused
from ..link import FOCUS
from ..pages.page import templates
from ..runs.followed import Followed, follow
from ..settings import Settings
from . import page as export

KEYS = ("model", "sequence", "clamps", "weights", "against", *FOCUS)


@dataclass(frozen=True)
class Entry:
    """A page of the site, as its index lists it."""

    file: str
    title: str
    text: str


def build(folder: Path, scenarios: Path, settings: Settings, live: str = "") -> Iterator[Path]:
    """Write a page for each scenario, an index, and the plotly.min.js that they share; yields each file once written.

    In the TOML file each table is a scenario, named as its page: `title` and `text` for the index, else the keys of
    a link. Raises ValueError, Refused or SequenceError, which say in which scenario, before anything is written.
    """
    try:
        tables = tomllib.loads(scenarios.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{scenarios} is not TOML: {error}") from error
    pages = [(_entry(name, table), _followed(name, table, settings)) for name, table in tables.items()]
    if not pages:
        raise ValueError(f"{scenarios} has no scenarios: write a table for each, such as [flip-flop]")
    folder.mkdir(parents=True, exist_ok=True)
    plotly = folder / "plotly.min.js"
    output.write(plotly, assets()[plotly.name].content)
    yield plotly
    for entry, of in pages:
        page = folder / entry.file
        output.write(page, export.page(of, settings, live, plotly.name, entry.title).encode())
        yield page
    index = folder / "index.html"
    sheet = assets()["css/page.css"].content.decode()
    filled = {"entries": [entry for entry, _ in pages], "sheet": sheet}
    output.write(index, templates.get_template("site.html").render(filled).encode())
    yield index


def _entry(name: str, table: Any) -> Entry:
    if not re.fullmatch(r"[\w-]+", name) or name == "index":
        raise ValueError(f"[{name}] cannot be a page: use a name of letters, digits, - and _, but not index")
    if not isinstance(table, dict):
        raise ValueError(f"{name} is not a table: start each scenario with a line such as [{name}]")
    return Entry(f"{name}.html", str(table.get("title", name)), str(table.get("text", "")))


def _followed(name: str, table: dict[str, Any], settings: Settings) -> Followed:
    unknown = [key for key in table if key not in (*KEYS, "title", "text")]
    if unknown:
        raise ValueError(f"[{name}] has the unknown key {unknown[0]}: use title, text, {', '.join(KEYS)}")
    try:
        return follow({key: str(table[key]) for key in KEYS if key in table}, settings)
    except (Refused, SequenceError) as error:
        raise ValueError(f"[{name}]: {error}") from error
