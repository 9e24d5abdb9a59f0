"""A sweep: a grid of recipes trained one after another, a row of a table for each, and a page that shows them."""

from __future__ import annotations

import csv
import io
import itertools
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from gru_core.recipe import Recipe

from .. import output
from ..errors import Refused
from ..recipes import read_recipes
from ..version import VERSIONS
from . import work
from .engine import Engine
from .trainings import id_of

KEYS = (
    "task", "cell", "units", "seed", "rate", "first", "T_max", "b_z", "b_r", "b_f", "penalty_z", "penalty_r",
    "T", "reach", "after", "most",
)  # fmt: skip
"""Of a recipe, as the table has it; in the file any of them is one value or a list of them."""

RESULTS = ("steps", "good_at", "score", "loss", "way_back_before", "way_back", "ended")
"""`good_at` is the step at which it was good enough, empty where it never was; `way_back` that of the gradient over the
longest lag."""

COLUMNS = ("id", *KEYS, *RESULTS, *VERSIONS)

MOST = 100_000
"""Trainings of one sweep."""

IN_FLIGHT = 64
"""Jobs that are with the engine at one time."""


def read(path: Path) -> list[Recipe]:
    """The recipes of a sweep's file, each once. Raises ValueError for what cannot be read."""
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{path.name} is not TOML: {error}") from error
    known = {*KEYS, "seeds", "gap"}
    for key in said:
        if key not in known:
            raise ValueError(f"{path.name}: the key {key!r} is unknown: use {', '.join(sorted(known))}")
    if "seeds" in said:
        said["seed"] = list(range(_whole(path, "seeds", said.pop("seeds"))))
    if "gap" in said:
        gaps = said.pop("gap")
        said["T"] = [_whole(path, "gap", gap) + 1 for gap in (gaps if isinstance(gaps, list) else [gaps])]
    lists = {key: value if isinstance(value, list) else [value] for key, value in said.items()}
    size = 1
    for values in lists.values():
        size *= len(values)
    if size > MOST:
        raise ValueError(
            f"{path.name}: the grid has {size:,} trainings, but at most {MOST:,} are possible: use fewer values"
        )
    found: dict[str, Recipe] = {}
    for chosen in itertools.product(*lists.values()):
        keys = {key: str(value) for key, value in zip(lists, chosen, strict=True)}
        try:
            recipe = read_recipes(keys | {"cells": keys.get("cell", "gru")})[0]
        except Refused as error:
            raise ValueError(f"{path.name}: {error}") from error
        found.setdefault(id_of(recipe), recipe)  # a key that a cell has no use for makes no other training
    return list(found.values())


def _whole(path: Path, key: str, value: Any) -> int:
    if type(value) is not int or not 1 <= value <= MOST:
        raise ValueError(f"{path.name}: {key} must be a whole number from 1 to {MOST:,}")
    return value


def done(table: Path) -> dict[str, dict[str, str]]:
    """The rows of a table by id, none where there is no file. Raises ValueError for another file."""
    if not table.exists() or table.stat().st_size == 0:
        return {}
    with table.open(newline="") as file:
        rows = csv.DictReader(file)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise ValueError(
                f"{table} is not a sweep table of this version: move it, or choose another file with --out"
            )
        return {row["id"]: row for row in rows if row["id"] and None not in row.values()}


def run(recipes: Sequence[Recipe], engine: Engine, table: Path) -> Iterator[int]:
    """Train what the table does not have yet, and add each to it as it ends; how many it has, again and again.

    At the end the rows stand in the order of the recipes, before those of other grids. Raises what a training fails
    with.
    """
    ids = {id_of(recipe): recipe for recipe in recipes}
    rows = done(table)
    others = [row for id, row in rows.items() if id not in ids]
    rows = {id: row for id, row in rows.items() if id in ids}
    left = iter([(id, recipe) for id, recipe in ids.items() if id not in rows])
    if table.exists():
        _write(table, [*rows.values(), *others])  # without a line that was cut off
    yield len(rows)
    going: dict[Future[Any], str] = {}
    while True:
        for id, recipe in itertools.islice(left, IN_FLIGHT - len(going)):
            going[engine.submit(work.outcome, recipe.to_dict(), _unheard).future] = id
        if not going:
            break
        for future in wait(going, return_when=FIRST_COMPLETED).done:
            id = going.pop(future)
            rows[id] = row(ids[id], id, future.result())
            _add(table, rows[id])
        yield len(rows)
    _write(table, [*(rows[id] for id in ids), *others])


def _unheard(message: Any) -> None:
    """A sweep waits for results alone."""


def row(recipe: Recipe, id: str, outcome: Mapping[str, Any]) -> dict[str, str]:
    """A row of the table."""
    schedule = recipe.schedule
    values = {
        "id": id,
        **{key: getattr(recipe, key) for key in ("task", "cell", "units", "seed", "first", "T_max")},
        **{key: getattr(schedule, key) for key in ("rate", "T", "reach", "after", "most")},
        **{f"b_{gate}": recipe.biases.get(gate) for gate in "zrf"},
        "penalty_z": recipe.penalties.z,
        "penalty_r": recipe.penalties.r,
        **outcome,
        **VERSIONS,
    }
    return {column: "" if values[column] is None else str(values[column]) for column in COLUMNS}


def _add(table: Path, row: Mapping[str, str]) -> None:
    with table.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if file.tell() == 0:
            writer.writeheader()
        writer.writerow(row)


def _write(table: Path, rows: Iterable[Mapping[str, str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    output.write(table, text.getvalue().encode())


def page(rows: Sequence[Mapping[str, str]]) -> str:
    """The medians over the seeds, with quartiles, as one HTML file that needs no network."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    varied = [key for key in KEYS if key != "seed" and len({row[key] for row in rows}) > 1]
    across = max(varied, key=lambda key: len({row[key] for row in rows if _is_number(row[key])}), default="cell")
    others = [key for key in varied if key != across]
    groups: dict[tuple[str, ...], dict[str, list[Mapping[str, str]]]] = {}
    for one in rows:
        groups.setdefault(tuple(one[key] for key in others), {}).setdefault(one[across], []).append(one)
    figure = make_subplots(rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.06)
    for number, (values, by_place) in enumerate(groups.items()):
        name = ", ".join(f"{key} {value or '–'}" for key, value in zip(others, values, strict=True)) or "all"
        style = {"legendgroup": name, "mode": "lines+markers", "line": {"color": COLOURS[number % len(COLOURS)]}}
        for place, (title, measure) in enumerate(MEASURES.items(), 1):
            xs, low, middle, high = _spread(by_place, measure)
            spread = {"type": "data", "symmetric": False, "array": high, "arrayminus": low}
            figure.add_trace(
                go.Scatter(x=xs, y=middle, error_y=spread, name=name, showlegend=place == 1, **style), row=place, col=1
            )
            figure.update_yaxes(title=title, row=place, col=1)
    figure.update_xaxes(title=across, row=3, col=1)
    n = len({one["seed"] for one in rows})
    title = f"{len(rows):,} trainings: medians over {n} seed{'s' if n > 1 else ''}; the bars show the quartiles"
    figure.update_layout(title=title, template="plotly_white", height=900, margin={"t": 60})
    return str(figure.to_html(include_plotlyjs=True, full_html=True, config={"showSendToCloud": False}))


COLOURS = ("#005f9e", "#b04a00", "#00704f", "#9c3f74", "#7a6200", "#5a44b8", "#5a6068")

MEASURES = {
    "training steps to the target<br>(seeds that reach it)": lambda one: (
        float(one["good_at"]) if one["good_at"] else None
    ),
    "share of seeds that reach the target": lambda one: float(one["good_at"] != ""),
    "held-out score": lambda one: float(one["score"]),
}
"""What the page shows, by its axis."""


def _spread(
    by_place: Mapping[str, list[Mapping[str, str]]], measure: Any
) -> tuple[list[Any], list[float], list[float], list[float]]:
    """Places, and at each how far the lower quartile is below the median, the median, and the upper one above it."""
    found = []
    for place, rows in by_place.items():
        values = [value for value in map(measure, rows) if value is not None]
        if not values:
            continue
        middle = sum(values) / len(values) if set(values) <= {0.0, 1.0} else median(values)
        quarter = quantiles(values, n=4, method="inclusive") if len(values) > 1 else [middle] * 3
        share = set(values) <= {0.0, 1.0}
        low, high = (0.0, 0.0) if share else (middle - quarter[0], quarter[2] - middle)
        found.append((float(place) if _is_number(place) else place, low, middle, high))
    found.sort(key=lambda one: (isinstance(one[0], str), one[0]))
    xs, low_, middle_, high_ = map(list, zip(*found, strict=True)) if found else ([], [], [], [])
    return xs, low_, middle_, high_


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
