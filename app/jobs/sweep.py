"""A sweep: the trainings for a grid of recipes, a table with one row for each training, and a page with charts."""

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

from gru_core.training.recipe import Recipe

from .. import output
from ..errors import Refused
from ..recipes import read_recipes
from ..version import VERSIONS
from . import work
from .cache import id_of
from .engine import Engine

KEYS = (
    "task", "cell", "units", "seed", "rate", "first", "T_max", "b_z", "b_r", "b_f", "penalty_z", "penalty_r",
    "T", "reach", "after", "most",
)  # fmt: skip
"""The keys of a recipe, which are columns of the table. In a sweep file, each key has a value or a list of values."""

COLUMNS = ("id", *KEYS, *work.Outcome.__annotations__, *VERSIONS)
"""The columns of the table. A cell without a value is empty."""

MOST = 100_000
"""The maximum number of trainings in one sweep."""

IN_FLIGHT = 64
"""The maximum number of jobs in the engine at the same time."""


def read(path: Path) -> list[Recipe]:
    """Read the recipes in a sweep file, without duplicates. Raises ValueError if the file or a recipe is not valid."""
    try:
        grid = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{path.name} is not TOML: {error}") from error
    known = {*KEYS, "seeds", "gap"}
    for key in grid:
        if key not in known:
            raise ValueError(f"{path.name}: the key {key!r} is unknown: use {', '.join(sorted(known))}")
    if "seeds" in grid:
        grid["seed"] = list(range(_whole(path, "seeds", grid.pop("seeds"))))
    if "gap" in grid:
        gaps = grid.pop("gap")
        grid["T"] = [_whole(path, "gap", gap) + 1 for gap in (gaps if isinstance(gaps, list) else [gaps])]
    lists = {key: value if isinstance(value, list) else [value] for key, value in grid.items()}
    size = 1
    for values in lists.values():
        size *= len(values)
    if size > MOST:
        raise ValueError(
            f"{path.name}: the grid has {size:,} trainings, but at most {MOST:,} are possible: use fewer values"
        )
    recipes: dict[str, Recipe] = {}
    for combination in itertools.product(*lists.values()):
        keys = {key: str(value) for key, value in zip(lists, combination, strict=True)}
        try:
            recipe = read_recipes(keys | {"cells": keys.get("cell", "gru")})[0]
        except Refused as error:
            raise ValueError(f"{path.name}: {error}") from error
        recipes.setdefault(id_of(recipe), recipe)  # a key that this cell ignores adds no new training
    return list(recipes.values())


def _whole(path: Path, key: str, value: Any) -> int:
    if type(value) is not int or not 1 <= value <= MOST:
        raise ValueError(f"{path.name}: {key} must be a whole number from 1 to {MOST:,}")
    return value


def read_rows(table: Path) -> dict[str, dict[str, str]]:
    """Return the rows of a table by id, or no rows if the file is missing. Raises ValueError for any other table."""
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
    """Train the recipes that have no row yet, and add a row after each training. Yield the number of rows so far.

    When all trainings are done, the rows are sorted into the order of the recipes, and rows of other grids follow.
    Raises the exception of a training that fails.
    """
    ids = {id_of(recipe): recipe for recipe in recipes}
    rows = read_rows(table)
    others = [row for id, row in rows.items() if id not in ids]
    rows = {id: row for id, row in rows.items() if id in ids}
    left = iter([(id, recipe) for id, recipe in ids.items() if id not in rows])
    if table.exists():
        _write(table, [*rows.values(), *others])  # drops an incomplete last line
    yield len(rows)
    pending: dict[Future[work.Outcome], str] = {}
    while True:
        for id, recipe in itertools.islice(left, IN_FLIGHT - len(pending)):
            pending[engine.submit(work.outcome, recipe.to_dict(), _ignore_report).future] = id
        if not pending:
            break
        for future in wait(pending, return_when=FIRST_COMPLETED).done:
            id = pending.pop(future)
            rows[id] = row(ids[id], id, future.result())
            _add(table, rows[id])
        yield len(rows)
    _write(table, [*(rows[id] for id in ids), *others])


def _ignore_report(message: Any) -> None:
    """Ignore a report, because a sweep needs only the results."""


def row(recipe: Recipe, id: str, outcome: work.Outcome) -> dict[str, str]:
    """Return the table row of a training. All values are strings."""
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
    """Return an HTML page with charts of the medians and quartiles over the seeds. The page works offline."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    varied = [key for key in KEYS if key != "seed" and len({row[key] for row in rows}) > 1]
    across = max(varied, key=lambda key: len({row[key] for row in rows if _is_number(row[key])}), default="cell")
    others = [key for key in varied if key != across]
    groups: dict[tuple[str, ...], dict[str, list[Mapping[str, str]]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in others), {}).setdefault(row[across], []).append(row)
    figure = make_subplots(rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.06)
    for number, (values, by_place) in enumerate(groups.items()):
        name = ", ".join(f"{key} {value or '–'}" for key, value in zip(others, values, strict=True)) or "all"
        style = {"legendgroup": name, "mode": "lines+markers", "line": {"color": COLORS[number % len(COLORS)]}}
        for place, (title, measure) in enumerate(MEASURES.items(), 1):
            xs, low, middle, high = _spread(by_place, measure)
            spread = {"type": "data", "symmetric": False, "array": high, "arrayminus": low}
            figure.add_trace(
                go.Scatter(x=xs, y=middle, error_y=spread, name=name, showlegend=place == 1, **style), row=place, col=1
            )
            figure.update_yaxes(title=title, row=place, col=1)
    figure.update_xaxes(title=across, row=3, col=1)
    n = len({row["seed"] for row in rows})
    title = f"{len(rows):,} trainings: medians over {n} seed{'s' if n > 1 else ''}; the bars show the quartiles"
    figure.update_layout(title=title, template="plotly_white", height=900, margin={"t": 60})
    return str(figure.to_html(include_plotlyjs=True, full_html=True, config={"showSendToCloud": False}))


COLORS = ("#005f9e", "#b04a00", "#00704f", "#9c3f74", "#7a6200", "#5a44b8", "#5a6068")

MEASURES = {
    "training steps to the target<br>(seeds that reach it)": lambda row: (
        float(row["good_at"]) if row["good_at"] else None
    ),
    "share of seeds that reach the target": lambda row: float(row["good_at"] != ""),
    "held-out score": lambda row: float(row["score"]),
}
"""The measures that the page shows: functions of a table row, by the title of their axis."""


def _spread(
    by_place: Mapping[str, list[Mapping[str, str]]], measure: Any
) -> tuple[list[Any], list[float], list[float], list[float]]:
    """Return four lists for the places on the x-axis: place, lower error, middle and upper error.

    The middle is the median over the seeds, and the errors are its distances from the quartiles. If all values are 0 or
    1, the middle is their mean, a share, and the errors are 0.
    """
    points = []
    for place, rows in by_place.items():
        values = [value for value in map(measure, rows) if value is not None]
        if not values:
            continue
        middle = sum(values) / len(values) if set(values) <= {0.0, 1.0} else median(values)
        quarter = quantiles(values, n=4, method="inclusive") if len(values) > 1 else [middle] * 3
        share = set(values) <= {0.0, 1.0}
        low, high = (0.0, 0.0) if share else (middle - quarter[0], quarter[2] - middle)
        points.append((float(place) if _is_number(place) else place, low, middle, high))
    points.sort(key=lambda point: (isinstance(point[0], str), point[0]))
    xs, low_, middle_, high_ = map(list, zip(*points, strict=True)) if points else ([], [], [], [])
    return xs, low_, middle_, high_


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
