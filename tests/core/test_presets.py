"""The shipped models reach the measured scores on held-out data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gru_core as gru
from gru_core import Clamp, presets
from gru_core.cells.holds import Holds
from gru_core.presets.recipes import FRESH_SEED, PRESETS
from gru_core.presets.training import train
from gru_core.training.cards import first_card
from gru_core.training.checkpoints import shipped
from gru_core.training.recipe import begin
from gru_core.training.scoring import SCORE, gate_means, score
from gru_core.training.toys import TASKS

SEED = 77_000_000  # used by no recipe and no card


def measure(name: str, T: int = 20, B: int = 1000) -> dict[str, float]:
    """Return a model's mean gates, and the model's scores with and without clamps, in one dict by name."""
    model, batch = gru.load(name), TASKS[name.removesuffix("-plain")].draw(np.random.default_rng(SEED), T, B)
    clamped = {f"{gate}={value}": score(model, batch, [Clamp(gate, value)]) for gate in ("z", "r") for value in (0, 1)}
    return gate_means(model.forward(batch.x), batch.events) | clamped | {"score": score(model, batch)}


def test_held_out_data_has_other_seeds_than_training() -> None:
    seeds = {preset.recipe.seed for preset in PRESETS.values()}
    assert not seeds & {SEED, *(seed + FRESH_SEED for seed in seeds)}


FIGURES = {
    "flip-flop": {
        "score": (1, 0), "z at write": (0.876, 0.03), "z at other": (0.032, 0.01), "r at write": (0.133, 0.04),
        "r at other": (0.902, 0.02), "z=1": (1, 0), "z=0": (0.5, 0.03), "r=1": (0.96, 0.02),
    },
    "pocket-calculator": {
        "score": (0, 0.0012), "z at hold": (0.02, 0.005), "z at load": (0.96, 0.01), "r at load": (0.005, 0.005),
        "z at add": (0.91, 0.02), "r at add": (0.996, 0.004), "z=1": (0.107, 0.01), "z=0": (0.135, 0.02),
        "r=1": (0.107, 0.02), "r=0": (0.077, 0.01),
    },
    "running-total": {
        "score": (0, 0.001), "r at restart": (0.007, 0.005), "r at add": (0.577, 0.03), "r=1": (6.3, 1.0),
        "r=0": (0.116, 0.01), "z=0": (0.145, 0.02),
    },
    "store-and-recall": {
        "score": (1, 0), "z at write": (0.65, 0.03), "z at other": (0.042, 0.01), "z=0": (0.246, 0.02),
        "z=1": (0.94, 0.04), "r=1": (0.77, 0.05),
    },
    # With z = 0 the output is always the most common class: its share is 0.345 here, and 0.415 in the docs' table.
    "sentiment": {
        "score": (1, 0.003), "z at filler": (0.042, 0.01), "z at other": (0.354, 0.03), "z=0": (0.345, 0.02),
        "z=1": (0.69, 0.05), "r=1": (0.835, 0.03),
    },
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_a_preset_reaches_the_measured_figures(name: str) -> None:
    figures = measure(name)
    wrong = {k: (figures[k], v) for k, (v, tolerance) in FIGURES[name].items() if abs(figures[k] - v) > tolerance}
    assert not wrong


@pytest.mark.parametrize("name", presets.PENALIZED)
def test_the_model_without_a_penalty_solves_the_task_with_less_distinct_gates(name: str) -> None:
    plain, readable = measure(f"{name}-plain"), measure(name)
    if name == "pocket-calculator":
        assert plain["score"] <= 0.0012
    else:
        assert plain["score"] >= 0.997
    between = {"flip-flop": "other", "store-and-recall": "other", "sentiment": "filler"}
    if name in between:
        assert plain[f"z at {between[name]}"] > 5 * readable[f"z at {between[name]}"]


def test_on_a_hold_of_the_calculator_only_the_update_gate_matters() -> None:
    model, batch = gru.load("pocket-calculator"), TASKS["pocket-calculator"].draw(np.random.default_rng(SEED), 20, 1000)
    hold = batch.events["hold"][..., None]

    def error(gate: str, value: float) -> float:
        y = model.readout(model.forward(batch.x, holds=[Holds({gate: hold}, {gate: np.full(hold.shape, value)})])[-1].h)
        return float(((y[..., 0] - batch.target) ** 2).mean())

    assert error("r", 0) <= 0.002
    assert error("z", 1) > 0.02


def test_the_flip_flop_remembers_its_bit_over_500_steps_and_2000_distractors() -> None:
    assert measure("flip-flop", 500, 100)["score"] == 1
    model = gru.load("flip-flop")
    rng = np.random.default_rng(SEED)
    for bit in "AB":
        trace = gru.trace(model, bit + "".join(rng.choice(list("mps."), 2000)))
        assert model.readout.labels[trace.y[-1].argmax()] == bit


def test_update_gates_of_store_and_recall_follow_the_writes() -> None:
    model, batch = gru.load("store-and-recall"), TASKS["store-and-recall"].draw(np.random.default_rng(SEED), 20, 500)
    z, write = model.forward(batch.x)[0].z, batch.events["write"].ravel()
    follow = [abs(np.corrcoef(z[..., unit].ravel(), write)[0, 1]) > 0.8 for unit in range(4)]
    assert np.mean(follow) >= 0.75


def test_sentiment_units_keep_and_take_at_the_same_step() -> None:
    model, batch = gru.load("sentiment"), TASKS["sentiment"].draw(np.random.default_rng(SEED), 20, 500)
    z = model.forward(batch.x)[0].z
    mixed = (z < 0.2).any(-1) & (z > 0.8).any(-1)
    assert 0.3 < mixed.mean() < 0.6


@pytest.mark.parametrize("name", presets.NAMES)
def test_the_last_checkpoint_of_a_training_is_the_preset(name: str) -> None:
    training, model = shipped(name), gru.load(name)
    for parameter, array in training.model(training.steps[-1]).parameters.items():
        np.testing.assert_array_equal(array, model.parameters[parameter].astype(np.float32))


@pytest.mark.parametrize("name", presets.NAMES)
def test_the_reports_of_a_training_name_inputs_of_the_preset(name: str) -> None:
    model = gru.load(name)
    labels = {"", *model.encoder.labels, *(f"h {unit + 1}" for unit in range(model.layers[0].units))}
    assert {label for point in shipped(name).checkpoints for _, _, label, *_ in point.report["moved"]} <= labels


@pytest.mark.parametrize("name", presets.NAMES)
def test_a_branch_of_a_training_starts_from_the_same_weights(name: str) -> None:
    recipe = PRESETS[name].recipe
    branch = replace(recipe, schedule=replace(recipe.schedule, changes=((10, 0.1),)))
    for parameter, array in begin(branch, first_card(branch))[0].parameters.items():
        np.testing.assert_array_equal(array.astype(np.float32), shipped(name).model(0).parameters[parameter])


@pytest.mark.parametrize("name", [*presets.NAMES, *presets.COMPARED])
def test_h_is_larger_for_a_larger_stored_value(name: str) -> None:
    model = gru.load(name)
    batch = TASKS[model.card.task].draw(np.random.default_rng(SEED), 20, 500)
    h = model.forward(batch.x)[0].h
    for unit in range(h.shape[-1]):
        assert np.corrcoef(h[..., unit].ravel(), batch.target.ravel())[0, 1] > -0.02


@pytest.mark.parametrize("name", presets.NAMES)
def test_a_card_has_the_seed_penalties_and_measured_score(name: str) -> None:
    model, recipe = gru.load(name), PRESETS[name].recipe
    assert model.card.weights == "trained"
    assert model.card.training["seed"] == recipe.seed
    assert ("none" in model.card.training["penalties"]) == (name.endswith("-plain") or name == "running-total")
    fresh = TASKS[recipe.task].draw(np.random.default_rng(FRESH_SEED + recipe.seed), 20, 1000)
    assert model.card.measured[SCORE[model.readout.kind]] == pytest.approx(score(model, fresh), rel=1e-3)
    for example in model.card.examples:
        gru.trace(model, example)


def test_a_recipe_gives_the_same_bytes_each_time_and_the_shipped_model(tmp_path: Path) -> None:
    for attempt in ("one", "two"):
        *_, last = train(PRESETS["flip-flop"])
        last.model.save(tmp_path / attempt)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    # Another processor may round differently. On the processor that trained the model, the difference is 0.
    shipped = gru.load("flip-flop").parameters
    for parameter, array in last.model.parameters.items():
        np.testing.assert_allclose(array, shipped[parameter], atol=1e-6)
