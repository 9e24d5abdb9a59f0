"""The data that a page's script starts from: the JSON in the element #boot. static/boot.js declares the same fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any, NotRequired, TypedDict

import orjson
from markupsafe import Markup

from gru_core.cells.registry import CELLS, ORDER
from gru_core.runs.figures import by_theme, heatmaps, tape_picture
from gru_core.training.recipe import RecipeFields

from ..models import ModelEntry
from ..runs.answers import to_json
from ..schemas import ScenarioFields
from .experiment_data import ExperimentData

STAGES = (*range(4, 21, 2), 24, 28, 32, 36, 40, 48, 56, 64, 80, 96, 112, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
"""The numbers of columns that a tape can have.

A tape gets the smallest of these that fits. So few columns stay empty, and adding a token rarely moves the others.
"""


class SignalEntry(TypedDict):
    """A signal: its name in code, in equations (`symbol`) and in words, and its scale.

    The scale is the `lowest` and the `highest` value, and the meaning of `low` and `high` values.
    """

    name: str
    symbol: str
    words: str
    low: str
    high: str
    lowest: float
    highest: float


class CellEntry(TypedDict):
    """A cell: its signals in order, its gates, the gates that read the old state, and the values that can be clamped,
    with their ranges.

    `parts` has the names of the products in the equations, in the order in which they are sent. `functions` has for
    each gate the name of the function of its sum, or None for a gate with a value equal to its sum. `key_gate` is the
    gate that the page shows first. `chrono` says whether the cell has this initialization.
    """

    title: str
    signals: list[SignalEntry]
    gates: Sequence[str]
    recurrent: Sequence[str]
    parts: Sequence[str]
    functions: Mapping[str, str | None]
    key_gate: str
    chrono: bool
    holds: Mapping[str, tuple[float, float]]


class Compared(TypedDict):
    """The task of a comparison, the size by which its models are matched, and the cells that it has by default."""

    task: str
    by: str
    usual: Sequence[str]


class TrainingBoot(TypedDict):
    """The trainings of a page: their ids and recipes by cell, and the recipe of the task's preset.

    `baselines` has the held-out scores of the task's baselines, none if it has no baselines.
    """

    task: str
    ids: Mapping[str, str]
    recipes: Mapping[str, RecipeFields]
    preset: RecipeFields
    baselines: Mapping[str, float]


class Boot(TypedDict):
    """The data that the script of a page with figures starts from.

    `figures` has the Plotly figures of the tapes by cell, and `pictures` the figures for downloads by cell.
    `forecast` has the lines of a forecast by theme, and `confusion` the figure of a confusion matrix. `stages` has the
    possible numbers of columns of a tape. A response has at most `shares` contributions. `uploads` says whether
    visitors can upload models here. `scenario` belongs to the first run. A comparison also has `scenarios`, one for
    each cell. `experiment` has the data of an experiment.
    """

    models: Sequence[ModelEntry]
    cells: Mapping[str, CellEntry]
    scenario: ScenarioFields
    stages: Sequence[int]
    shares: int
    uploads: bool
    figures: orjson.Fragment | Mapping[str, Any]
    pictures: orjson.Fragment | Mapping[str, Any]
    forecast: NotRequired[orjson.Fragment]
    confusion: NotRequired[orjson.Fragment]
    scenarios: NotRequired[Mapping[str, ScenarioFields]]
    compared: NotRequired[Compared]
    training: NotRequired[TrainingBoot]
    experiment: NotRequired[ExperimentData]


def boot(models: Sequence[ModelEntry], scenario: ScenarioFields) -> Boot:
    """Return the data that the scripts of all pages start from, without figures and without data of single pages."""
    return {
        "models": models,
        "cells": cells(),
        "scenario": scenario,
        "stages": STAGES,
        "shares": 0,
        "uploads": False,
        "figures": {},
        "pictures": {},
    }


def cells() -> dict[str, CellEntry]:
    """Return the descriptions of all cells by name, in the order in which pages show them."""
    return {
        name: {
            "title": cell.title,
            "signals": [
                {
                    "name": signal,
                    "symbol": style.symbol,
                    "words": style.name,
                    "low": style.low,
                    "high": style.high,
                    "lowest": style.lowest,
                    "highest": style.highest,
                }
                for signal, style in cell.signals.items()
            ],
            "gates": cell.gates,
            "recurrent": cell.recurrent,
            "parts": cell.parts,
            "functions": {gate: cell.function(gate) for gate in cell.gates},
            "key_gate": cell.key_gate,
            "chrono": bool(cell.chrono),
            "holds": cell.holdable,
        }
        for name, cell in ((name, CELLS[name]) for name in ORDER)
    }


@cache
def cell_figures() -> orjson.Fragment:
    """Return the Plotly figures of the tapes of all cells."""
    return orjson.Fragment(to_json({name: by_theme(partial(heatmaps, cell.signals)) for name, cell in CELLS.items()}))


@cache
def cell_pictures() -> orjson.Fragment:
    """Return the pictures of the tapes of all cells, without data, which the page fills and saves."""
    return orjson.Fragment(
        to_json({name: by_theme(partial(tape_picture, cell.signals)) for name, cell in CELLS.items()})
    )


def columns(T: int) -> int:
    """Return the number of columns of a tape with T timesteps: the smallest of `STAGES` that fits."""
    return next((stage for stage in STAGES if stage >= T), T)


def escape_for_script(text: bytes) -> Markup:
    """Escape JSON, or events of JSON, so that it cannot end the script element that contains it."""
    return Markup(text.decode().replace("<", "\\u003c"))
