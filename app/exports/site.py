"""Folders of exported pages that share one copy of Plotly, for static web servers or to open from disk."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
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
from ..models import served_file
from ..pages.page import templates
from ..runs.gate import MODEL
from ..runs.linked import LinkedRun, run_link
from ..settings import Settings
from ..sitemap import START
from . import page as export
from .models import described

KEYS = ("model", "sequence", *CHANGES, *FOCUS)
"""The keys in the table of a Lab page, which are the keys of a link to the Lab."""

ENTRY = ("page", "title", "text")
"""The keys in the table of any page: the kind of page, and its title and text in the index.

The default page is the Lab, and "start" is “Be the gate”.
"""


@dataclass(frozen=True)
class Entry:
    """A page's entry in the index of its folder."""

    file: str
    title: str
    text: str


def build(folder: Path, scenarios: Path, settings: Settings, live: str = "") -> Iterator[tuple[Path, str]]:
    """Write a page for each scenario, an index, and the shared scripts.

    Yield the path of each written file and a description of its content. In the TOML file `scenarios`, each table is a
    scenario, and the table's name is the name of the page. A table has a `title` and a `text` for the index, and either
    the keys of a link to the Lab or `page = "start"` for “Be the gate”. If a scenario is not valid, raises ValueError,
    which names the scenario, before any file is written.
    """
    try:
        tables = tomllib.loads(scenarios.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{scenarios} is not TOML: {error}") from error
    if not tables:
        raise ValueError(f"{scenarios} has no scenarios: write a table for each, such as [flip-flop]")
    with ExitStack() as stack:
        models = _models(tables, scenarios.parent, settings, stack)
        pages = [(_entry(name, table), _run_of(name, table, models, settings)) for name, table in tables.items()]
        yield from _write(pages, folder, settings, live)


def _write(
    pages: list[tuple[Entry, LinkedRun | None]], folder: Path, settings: Settings, live: str
) -> Iterator[tuple[Path, str]]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in export.shared_files().items():
        output.write(folder / name, content)
        yield folder / name, "a script that all pages load"
    output.write(folder / SCRIPT, component.script().encode())
    yield folder / SCRIPT, "the script that shows a page inside another page"
    for entry, run in pages:
        page = folder / entry.file
        if run is None:
            output.write(page, export.start_page(settings, live, entry.title).encode())
            yield page, f"a page {described(MODEL, settings)}"
        else:
            output.write(page, export.page(run, settings, live, shared=True, title=entry.title).encode())
            yield page, f"a page {described(run.scenario.model, settings)}"
    index = folder / "index.html"
    sheet = assets()["css/page.css"].content.decode()
    context = {"entries": [entry for entry, _ in pages], "sheet": sheet}
    output.write(index, templates.get_template("site.html").render(context).encode())
    yield index, "the list of pages"


def _entry(name: str, table: Any) -> Entry:
    if not re.fullmatch(r"[\w-]+", name) or name == "index":
        raise ValueError(f"[{name}] cannot be a page: use a name of letters, digits, - and _, but not index")
    if not isinstance(table, dict):
        raise ValueError(f"{name} is not a table: start each scenario with a line such as [{name}]")
    return Entry(f"{name}.html", str(table.get("title", name)), str(table.get("text", "")))


def _models(tables: dict[str, Any], folder: Path, settings: Settings, stack: ExitStack) -> dict[str, str]:
    """Make the models in the tables available to runs, and return for each model the name under which it is served.

    A model can be a file in `folder`. Raises ValueError if a file is not valid, or if two files would have the same
    name.
    """
    models: dict[str, str] = {}
    for table in tables.values():
        model = table.get("model") if isinstance(table, dict) else None
        if not isinstance(model, str) or model in models:
            continue
        try:
            name = stack.enter_context(served_file(model, settings, folder))
        except ValueError as error:
            raise ValueError(f"{model}: {error}") from error
        if name in models.values():
            raise ValueError(f"{model}: another file of these scenarios has the name {name}: rename one of them")
        models[model] = name
    return models


def _run_of(name: str, table: dict[str, Any], models: dict[str, str], settings: Settings) -> LinkedRun | None:
    """Return the run of the scenario `table`, or None for “Be the gate”, which has no recorded run.

    Raises ValueError if the table is not valid.
    """
    if table.get("page", START.name) != START.name:
        raise ValueError(f'[{name}] has another page: use page = "{START.name}", or leave it out for the Lab')
    known = ENTRY if "page" in table else (*ENTRY, *KEYS)
    unknown = [key for key in table if key not in known]
    if unknown:
        raise ValueError(f"[{name}] has the unknown key {unknown[0]}: use {', '.join(known)}")
    if "page" in table:
        return None
    try:
        keys = {key: str(table[key]) for key in KEYS if key in table}
        return run_link(keys | {"model": models.get(keys.get("model", ""), keys.get("model", ""))}, settings)
    except (Refused, SequenceError) as error:
        raise ValueError(f"[{name}]: {error}") from error
