"""The training of presets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gru_core.cells.gru import GRU
from gru_core.cells.registry import CELLS
from gru_core.model import Model
from gru_core.presets.cards import with_card
from gru_core.presets.recipes import Preset
from gru_core.training.fit import Snapshot, fit
from gru_core.training.recipe import begin, masks, negated, task_for


def train(preset: Preset) -> Iterator[Snapshot]:
    """Train a preset, and yield snapshots. The last snapshot has the finished model with its card."""
    recipe = preset.recipe
    model, rng = begin(recipe, preset.card)
    snapshot = None
    for snapshot in fit(model, task_for(recipe), rng, recipe.schedule, recipe.penalties, trained=masks(recipe, model)):
        yield snapshot
    if snapshot is not None:
        trained = _moved(snapshot.model) if preset.moved else snapshot.model
        yield replace(snapshot, model=finished(preset, trained, snapshot.step))


def finished(preset: Preset, model: Model, step: int) -> Model:
    """Return a trained model with the card of its preset."""
    recipe = preset.recipe
    gates = [gate for gate in ("r", "z", "i", "f", "o") if gate in CELLS[recipe.cell].gates]
    values = {gate: float(gate == "f") for gate in gates} | {**recipe.biases}
    biases = ", ".join(f"b_{gate} {value:g}" for gate, value in values.items()) or "0"
    return with_card(replace(model, card=preset.card), recipe, step, biases, negated(recipe))


def _moved(model: Model) -> Model:
    """Return the model with the reset gate after the product, and with the same weights."""
    return replace(model, layers=tuple(GRU(cell.W, cell.U, cell.b, np.zeros(cell.units)) for cell in model.layers))
