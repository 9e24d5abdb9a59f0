"""The training of the models that are compared with the plain GRU of each task.

Each model sees the same sequences as the plain GRU, in the same order, for as many training steps, at the same learning
rates and without penalties. Weights start uniform in ±1/√H, and biases at 0, except b_f = 1 in an LSTM.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from gru_core.cells.cell import Cell
from gru_core.cells.initial import initial
from gru_core.cells.registry import CELLS
from gru_core.model import Model, load_file
from gru_core.presets import COMPARED, path, plain
from gru_core.presets.cards import with_card
from gru_core.presets.recipes import PRESETS
from gru_core.training.fit import Snapshot, fit
from gru_core.training.recipe import Recipe, begin
from gru_core.training.scoring import SCORE
from gru_core.training.toys import TASKS

QUESTIONS = {
    "rnn": "How long can a network without gates remember?",
    "lstm": "What do the three gates do with the cell state?",
    "mingru": "What can the gate decide without the old state?",
}


NEGATED: Mapping[str, tuple[int, ...]] = {
    "flip-flop-rnn": (0,),
    "flip-flop-rnn-parameters": (0,),
    "flip-flop-mingru-parameters": (1,),
    "pocket-calculator-rnn-parameters": (0, 1),
    "pocket-calculator-mingru-parameters": (0, 1),
    "running-total-rnn-parameters": (1,),
    "store-and-recall-rnn": (0, 2, 3),
    "store-and-recall-rnn-parameters": (2, 5, 8),
    "store-and-recall-lstm": (0, 1),
    "store-and-recall-lstm-parameters": (1,),
    "store-and-recall-mingru": (0, 1, 3),
    "store-and-recall-mingru-parameters": (1, 2, 3, 4, 6, 7),
    "sentiment-rnn": (0, 5, 6, 7),
    "sentiment-rnn-parameters": (1, 2, 4, 6, 7, 8, 9, 10, 12, 13, 14, 15),
    "sentiment-lstm": (3, 5, 6, 7),
    "sentiment-lstm-parameters": (1, 3, 5),
    "sentiment-mingru": (0, 1, 4, 6),
    "sentiment-mingru-parameters": (1, 3, 4, 5, 8, 10, 11, 12, 14, 15, 17, 18),
}
"""Units that start negated, by model, for the same reason as in `recipe.NEGATED`."""


def sized(cell: str, gru: Cell, by_parameters: bool) -> int:
    """Return the number of units of `gru` or, if `by_parameters`, the number that gives about as many parameters."""
    if not by_parameters:
        return gru.units
    wanted = sum(array.size for array in gru.parameters.values())
    gates, recurrent = len(CELLS[cell].gates), len(CELLS[cell].recurrent)
    return min(range(1, 10 * gru.units), key=lambda H: abs(gates * H * (gru.inputs + 1) + recurrent * H * H - wanted))


def train(name: str) -> Iterator[Snapshot]:
    """Train one of `presets.COMPARED`, and yield snapshots. The last one has the finished model with its card."""
    task, _, _ = name.removesuffix("-parameters").rpartition("-")
    preset, gru = PRESETS[plain(task)], load_file(path(plain(task)))
    recipe = preset.recipe
    _, rng = begin(recipe, preset.card)  # draws the same sequences as for the plain GRU
    steps = gru.card.training["training steps"]
    schedule = replace(recipe.schedule, reach=None, most=steps - recipe.schedule.after)
    snapshot = None
    for snapshot in fit(_initial_model(name), TASKS[recipe.task], rng, schedule):
        yield snapshot
    if snapshot is not None:
        yield replace(snapshot, model=finished(name, snapshot.model, steps))


def finished(name: str, model: Model, step: int) -> Model:
    """Return a trained model with its card."""
    task, _, cell = name.removesuffix("-parameters").rpartition("-")
    recipe = PRESETS[plain(task)].recipe
    biases = "b_f 1, the others 0" if "f" in CELLS[cell].gates else "0"
    model = with_card(replace(model, card=_initial_model(name).card), recipe, step, biases, NEGATED.get(name, ()))
    card = model.card
    training = {**card.training, "learning rate": f"as for {plain(task)}, at every training step"}
    summary = card.summary if _learned(model, recipe) else f"{card.summary}; it did not reach the target"
    return replace(model, card=replace(card, training=training, summary=summary))


def before_training(name: str) -> Model:
    """Return a shipped model with its weights before training."""
    model = _initial_model(name) if name in COMPARED else begin(PRESETS[name].recipe, PRESETS[name].card)[0]
    title = f"{model.card.title}, before training"
    return replace(model, card=replace(model.card, title=title, reading="These are the initial weights."))


def _initial_model(name: str) -> Model:
    """Return the model before training. Its card does not describe the training yet."""
    task, _, cell = name.removesuffix("-parameters").rpartition("-")
    preset = PRESETS[plain(task)]
    model, _ = begin(preset.recipe, preset.card)
    units = sized(cell, model.layers[0], name.endswith("-parameters"))
    model = _with_cell(cell, units, model, np.random.default_rng([preset.recipe.seed, units, len(CELLS[cell].gates)]))
    for unit in NEGATED.get(name, ()):
        model = model.negate_unit(0, unit)
    return model


def _learned(model: Model, recipe: Recipe) -> bool:
    """Return whether the score on held-out sequences is at least as good as the target of the recipe."""
    measured, reach = model.card.measured[SCORE[model.readout.kind]], recipe.schedule.reach
    assert reach is not None
    return measured >= reach if model.readout.kind == "softmax" else measured <= reach


def _with_cell(cell: str, units: int, model: Model, rng: np.random.Generator) -> Model:
    """Return the model with another cell and a readout of matching size, both with initial weights."""
    layer = initial(cell, model.encoder.inputs, units, rng)
    biases = {gate: np.full(units, float(gate == "f")) for gate in layer.biases}
    layer = layer.with_parameters({"b": np.concatenate([*biases.values()])})
    K = len(model.readout.labels)
    readout = replace(model.readout, V=rng.uniform(-1, 1, (K, units)) / np.sqrt(units))
    title = f"{PRESETS[model.card.task].title}, {layer.title}"
    if units != model.layers[0].units:
        title += f" of {units} units"
    card = replace(model.card, title=title, question=QUESTIONS[cell], reading="")
    return replace(model, layers=(layer,), readout=readout, card=card)
