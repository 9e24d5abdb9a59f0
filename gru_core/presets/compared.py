"""The recipes of the models that are compared with the GRUs. They are trained like the plain GRU of each task.

They see the same sequences in the same order, for as many training steps, at the same learning rates and without
penalties. Weights start uniform in ±1/√H, and biases at 0, except b_f = 1 in an LSTM.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gru_core.cells.cell import Cell
from gru_core.cells.initial import initial
from gru_core.cells.registry import CELLS
from gru_core.model import Model, load_file
from gru_core.presets import COMPARED, path
from gru_core.presets.recipes import PRESETS, upright, with_card
from gru_core.training.fit import Snapshot, fit
from gru_core.training.recipe import Recipe, begin
from gru_core.training.scoring import SCORE
from gru_core.training.tasks import TASKS

QUESTIONS = {
    "rnn": "How long can a network without gates remember?",
    "lstm": "What do the three gates do with the cell state?",
    "mingru": "What can the gate decide without the old state?",
}


def sized(cell: str, gru: Cell, by_parameters: bool) -> int:
    """Return the number of units of a cell: that of `gru`, or the number for which it has about as many parameters."""
    if not by_parameters:
        return gru.units
    wanted = sum(array.size for array in gru.parameters.values())
    gates, recurrent = len(CELLS[cell].gates), len(CELLS[cell].recurrent)
    return min(range(1, 10 * gru.units), key=lambda H: abs(gates * H * (gru.inputs + 1) + recurrent * H * H - wanted))


def train(name: str) -> Iterator[Snapshot]:
    """Yield snapshots of the training of one of `presets.COMPARED`. The last has the finished model with its card."""
    task, _, cell = name.removesuffix("-parameters").rpartition("-")
    preset, plain = PRESETS[f"{task}-plain"], load_file(path(f"{task}-plain"))
    recipe = preset.recipe
    _, rng = begin(recipe, preset.card)  # the same sequences follow that the plain one saw
    steps = plain.card.training["training steps"]
    schedule = replace(recipe.schedule, reach=None, most=steps - recipe.schedule.after)
    snapshot = None
    for snapshot in fit(_initial_model(name), TASKS[recipe.task], rng, schedule):
        yield snapshot
    if snapshot is not None:
        biases = "b_f 1, the others 0" if "f" in CELLS[cell].gates else "0"
        model = with_card(upright(snapshot.model, recipe), recipe, snapshot, biases)
        card = model.card
        training = {**card.training, "learning rate": f"as for {task}-plain, at every training step"}
        summary = card.summary if _learned(model, recipe) else f"{card.summary}; it did not reach the target"
        yield replace(snapshot, model=replace(model, card=replace(card, training=training, summary=summary)))


def before_training(name: str) -> Model:
    """Return a shipped model with its weights before training."""
    model = _initial_model(name) if name in COMPARED else begin(PRESETS[name].recipe, PRESETS[name].card)[0]
    title = f"{model.card.title}, before training"
    return replace(model, card=replace(model.card, title=title, reading="These are the initial weights."))


def _initial_model(name: str) -> Model:
    """Return the model before training. Its card does not describe the training yet."""
    task, _, cell = name.removesuffix("-parameters").rpartition("-")
    preset = PRESETS[f"{task}-plain"]
    model, _ = begin(preset.recipe, preset.card)
    units = sized(cell, model.layers[0], name.endswith("-parameters"))
    return _with_cell(cell, units, model, np.random.default_rng([preset.recipe.seed, units, len(CELLS[cell].gates)]))


def _learned(model: Model, recipe: Recipe) -> bool:
    """Return whether the score on held-out sequences is at least as good as the target of the recipe."""
    measured, reach = model.card.measured[SCORE[model.readout.kind]], recipe.schedule.reach
    assert reach is not None
    return measured >= reach if model.readout.kind == "softmax" else measured <= reach


def _with_cell(cell: str, units: int, model: Model, rng: np.random.Generator) -> Model:
    """Return the model with another cell and a readout of its size, with initial weights."""
    layer = initial(cell, model.encoder.inputs, units, rng)
    biases = {gate: np.full(units, float(gate == "f")) for gate in layer.biases}
    layer = layer.with_parameters({"b": np.concatenate([*biases.values()])})
    K = len(model.readout.labels)
    readout = replace(model.readout, V=rng.uniform(-1, 1, (K, units)) / np.sqrt(units))
    title = f"{model.card.title.removesuffix(', plain')}, {layer.title}"
    if units != model.layers[0].units:
        title += f" of {units} units"
    card = replace(model.card, title=title, question=QUESTIONS[cell], reading="")
    return replace(model, layers=(layer,), readout=readout, card=card)
