"""The experiment “Gradient reach”: how far the gradient of untrained cells reaches, measured on request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypedDict

from pydantic import ValidationError

from gru_core import experiments
from gru_core.arrays import Array
from gru_core.cells.registry import CELLS
from gru_core.numerals import decimal, whole
from gru_core.presets.recipes import fresh
from gru_core.training.cards import first_card
from gru_core.training.checkpoints import gradient_by_lag
from gru_core.training.recipe import Recipe, RecipeFields, begin

from ..schemas import GapBody
from ..server.budget import spend

SEQUENCES = experiments.BASES["gap"].schedule.B
"""The number of sequences over which the norms are averaged, as in the reports of a training run."""


def linked_body(keys: Mapping[str, str]) -> GapBody:
    """Return the request that a link's `keys` describe. A missing or invalid value is replaced with its default."""
    fields: dict[str, Any] = {"gap": 50, "units": 16, "first": "plain", "b": -2.0, "seed": 0}
    read: dict[str, Callable[[str], Any]] = {"gap": whole, "units": whole, "first": str, "b": decimal, "seed": whole}
    for key in fields.keys() & keys.keys():
        with suppress(ValidationError):
            changed = fields | {key: read[key](keys[key])}
            GapBody.model_validate(changed)
            fields = changed
    return GapBody.model_validate(fields | ({} if fields["first"] == "plain" else {"b": 0.0}))


class Reach(TypedDict):
    """The norms of a cell's gradient by lag, and the recipe that trains the cell on a task with this gap."""

    lags: Array
    recipe: RecipeFields


def gradient_reach(body: GapBody) -> dict[str, Reach]:
    """Return the `Reach` of each cell, by the cell's name."""
    cells: dict[str, Reach] = {}
    spend(3 * SEQUENCES * body.gap * body.units)
    for cell in experiments.EQUAL:
        recipe = over_gap(body, cell)
        model, _ = begin(recipe, first_card(recipe))
        batch = fresh(recipe, recipe.schedule.T, SEQUENCES)
        cells[cell] = {"lags": gradient_by_lag(model, model.forward(batch.x)[-1]), "recipe": recipe.to_dict()}
    return cells


def over_gap(body: GapBody, cell: str) -> Recipe:
    """Return the recipe that trains a cell on a task with the body's gap."""
    keeping = CELLS[cell].chrono  # the signs of the biases that keep the state
    chrono = body.first == "chrono" and bool(keeping)
    gate = CELLS[cell].key_gate
    biases = {gate: -keeping[gate] * body.b + 0.0} if keeping else {}
    base = replace(experiments.BASES["gap"], units=body.units, seed=body.seed, cell=cell)
    return experiments.over(
        replace(
            base,
            first="plain" if body.first == "chrono" and not chrono else body.first,
            T_max=max(3, body.gap) if chrono else None,
            biases=biases if body.first == "plain" else {},
        ),
        body.gap + 1,
    )
