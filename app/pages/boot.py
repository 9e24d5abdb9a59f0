"""The data that a page's script starts from: the JSON in the element #boot. static/boot.js declares the same fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NotRequired, TypedDict

import orjson
from markupsafe import Markup

from gru_core.cells import CELLS, ORDER
from gru_core.figures import page_figures

from ..models import ModelEntry
from ..runs.answers import to_json

STAGES = (*range(4, 21, 2), 24, 28, 32, 36, 40, 48, 56, 64, 80, 96, 112, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
"""The numbers of columns that a tape can have. A longer sequence gets the next of these, so that few columns stay
empty and a letter more seldom moves the others."""


class SignalEntry(TypedDict):
    """A signal's name in the code and in equations (`symbol`), its name in words, and its scale: the `lowest` and the
    `highest` value, and what `low` and `high` values mean."""

    name: str
    symbol: str
    words: str
    low: str
    high: str
    lowest: float
    highest: float


class CellEntry(TypedDict):
    """A cell's signals in order, the gates among them, the gates that read the old state, and the values that can be
    clamped, each with its range. `key_gate` is the gate to look at first; `chrono` says whether the cell can be
    initialized with "chrono"."""

    title: str
    signals: list[SignalEntry]
    gates: Sequence[str]
    recurrent: Sequence[str]
    key_gate: str
    chrono: bool
    holds: Mapping[str, tuple[float, float]]


class Compared(TypedDict):
    """The task of a comparison, the size by which its models are matched, and the cells that it has by default."""

    task: str
    by: str
    usual: Sequence[str]


class TrainingBoot(TypedDict):
    """The trainings of a page: their ids and recipes by cell, and the recipe of the task's preset."""

    task: str
    ids: Mapping[str, str]
    recipes: Mapping[str, Any]
    preset: Mapping[str, Any]


class Boot(TypedDict):
    """What the script of a page with figures starts from.

    `figures` are the Plotly figures of the tape by cell, `pictures` those of the larger views by theme. A tape has as
    many columns as one of the `stages`, and a response has at most so many `shares` of contributions. `uploads` says
    whether visitors can upload models here. `scenario` is that of the first run, `scenarios` those of a comparison by
    cell. `lab` has the data of an experiment.
    """

    models: list[Any]
    cells: Mapping[str, CellEntry]
    scenario: Mapping[str, Any]
    stages: Sequence[int]
    shares: int
    uploads: bool
    figures: orjson.Fragment | Mapping[str, Any]
    pictures: orjson.Fragment | Mapping[str, Any]
    scenarios: NotRequired[Mapping[str, Any]]
    compared: NotRequired[Compared]
    training: NotRequired[TrainingBoot]
    lab: NotRequired[Mapping[str, Any]]


def boot(models: Sequence[ModelEntry], scenario: Mapping[str, Any]) -> Boot:
    """Return what every page's script starts from, with no figures and nothing that only some pages have."""
    return {
        "models": list(models),
        "cells": cells(),
        "scenario": scenario,
        "stages": STAGES,
        "shares": 0,
        "uploads": False,
        "figures": {},
        "pictures": {},
    }


def cells() -> dict[str, CellEntry]:
    """Return what each cell says of itself, in the order in which cells stand side by side."""
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
            "key_gate": cell.key_gate,
            "chrono": bool(cell.chrono),
            "holds": cell.holdable,
        }
        for name, cell in ((name, CELLS[name]) for name in ORDER)
    }


@cache
def cell_figures() -> orjson.Fragment:
    """Return the figures of every cell's tape."""
    return orjson.Fragment(to_json({name: page_figures(cell.signals) for name, cell in CELLS.items()}))


def columns(T: int) -> int:
    """Return the number of columns of a tape of T timesteps."""
    return next((stage for stage in STAGES if stage >= T), T)


def inert(text: bytes) -> Markup:
    """Return JSON, or events of JSON, so that nothing in it can end the script element that contains it."""
    return Markup(text.decode().replace("<", "\\u003c"))
