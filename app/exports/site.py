"""Folders of exported pages that share one Plotly, for docs that a static server hosts or a browser opens as files."""

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
from ..embed import component
from ..embed.component import SCRIPT
from ..errors import Refused
from ..link import CHANGES, FOCUS
from ..pages.page import templates
from ..runs.linked import LinkedRun, run_link
from ..settings import Settings
from . import page as export

KEYS = ("model", "sequence", *CHANGES, *FOCUS)


@dataclass(frozen=True)
class Entry:
    """The entry of a page in the index of the folder."""

    file: str
    title: str
    text: str


def build(folder: Path, scenarios: Path, settings: Settings, live: str = "") -> Iterator[Path]:
    """Write a page for each scenario, an index, and the shared scripts. Yield each file after it is written.

    Each table of the TOML file is a scenario with the name of its page. It has a `title` and a `text` for the index,
    and the keys of a link. Before writing, raises ValueError, which names the scenario, if one is not valid.
    """
    try:
        tables = tomllib.loads(scenarios.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{scenarios} is not TOML: {error}") from error
    pages = [(_entry(name, table), _run_of_table(name, table, settings)) for name, table in tables.items()]
    if not pages:
        raise ValueError(f"{scenarios} has no scenarios: write a table for each, such as [flip-flop]")
    folder.mkdir(parents=True, exist_ok=True)
    plotly = folder / "plotly.min.js"
    for path, content in ((plotly, assets()[plotly.name].content), (folder / SCRIPT, component.script().encode())):
        output.write(path, content)
        yield path
    for entry, run in pages:
        page = folder / entry.file
        output.write(page, export.page(run, settings, live, plotly.name, entry.title).encode())
        yield page
    index = folder / "index.html"
    sheet = assets()["css/page.css"].content.decode()
    context = {"entries": [entry for entry, _ in pages], "sheet": sheet}
    output.write(index, templates.get_template("site.html").render(context).encode())
    yield index


def _entry(name: str, table: Any) -> Entry:
    if not re.fullmatch(r"[\w-]+", name) or name == "index":
        raise ValueError(f"[{name}] cannot be a page: use a name of letters, digits, - and _, but not index")
    if not isinstance(table, dict):
        raise ValueError(f"{name} is not a table: start each scenario with a line such as [{name}]")
    return Entry(f"{name}.html", str(table.get("title", name)), str(table.get("text", "")))


def _run_of_table(name: str, table: dict[str, Any], settings: Settings) -> LinkedRun:
    unknown = [key for key in table if key not in (*KEYS, "title", "text")]
    if unknown:
        raise ValueError(f"[{name}] has the unknown key {unknown[0]}: use title, text, {', '.join(KEYS)}")
    try:
        return run_link({key: str(table[key]) for key in KEYS if key in table}, settings)
    except (Refused, SequenceError) as error:
        raise ValueError(f"[{name}]: {error}") from error
