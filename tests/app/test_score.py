"""POST /api/score: scores with clamps equal the measured scores and the scores computed one sequence at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

import gru_core as gru
from app import models
from app.runs import scores as runs_scores
from gru_core import Clamp, Edit, Model
from gru_core.card import Card
from gru_core.experiments import BASES
from gru_core.presets.recipes import PRESETS, fresh
from gru_core.training.abilities import EXPERIMENT_TASKS
from gru_core.training.recipe import begin
from gru_core.training.scoring import score as scored
from tests.support.clients import client_of
from tests.support.networks import deep

SEQUENCES = {
    "flip-flop": "A m m",
    "pocket-calculator": "=0.3 +0.2 0.1",
    "running-total": "=0.2 0.1 0.1",
    "store-and-recall": "A b ?",
    "sentiment": "not good the",
}
WHOLE, FIRST, SECOND, THIRD = (1, None), (1, 1), (2, 2), (3, 3)


def post_score(client: TestClient, name: str, **changes: Any) -> Any:
    """Request the score of a model and return the body of the response."""
    scenario = {"model": name, "sequence": SEQUENCES.get(name)} | changes
    return client.post("/api/score", json=scenario).json()


def clamp(gate: str, value: float, steps: tuple[int, int | None], **changes: Any) -> dict[str, Any]:
    """Return a clamp as JSON data for a request."""
    return {"gate": gate, "value": value, "from": steps[0], "to": steps[1]} | changes


FIGURES: list[tuple[str, str, float, tuple[int, int | None], str, float, float]] = [
    ("flip-flop", "z", 1, WHOLE, "every timestep", 1.0, 0),
    ("flip-flop", "z", 0, WHOLE, "every timestep", 0.5, 0.03),
    ("flip-flop", "z", 0, FIRST, "every write (capital letter)", 0.5, 0.03),
    ("flip-flop", "z", 0, THIRD, "every timestep without a write (capital letter)", 1.0, 0),
    ("flip-flop", "r", 1, WHOLE, "every timestep", 0.96, 0.02),
    ("pocket-calculator", "z", 1, WHOLE, "every timestep", 0.107, 0.01),
    ("pocket-calculator", "z", 0, WHOLE, "every timestep", 0.135, 0.02),
    ("pocket-calculator", "r", 1, WHOLE, "every timestep", 0.107, 0.02),
    ("pocket-calculator", "r", 0, WHOLE, "every timestep", 0.077, 0.01),
    ("pocket-calculator", "r", 0, THIRD, "every hold (number to ignore)", 0.001, 0.0005),
    ("pocket-calculator", "z", 1, THIRD, "every hold (number to ignore)", 0.11, 0.01),
    ("pocket-calculator", "r", 1, FIRST, "every load", 0.116, 0.01),
    ("pocket-calculator", "r", 0, SECOND, "every add", 0.081, 0.015),
    ("running-total", "r", 1, WHOLE, "every timestep", 6.3, 1.0),
    ("running-total", "r", 0, WHOLE, "every timestep", 0.116, 0.01),
    ("running-total", "z", 0, WHOLE, "every timestep", 0.145, 0.02),
    ("running-total", "r", 0, FIRST, "every restart", 0.0006, 0.0003),
    ("store-and-recall", "z", 0, WHOLE, "every timestep", 0.246, 0.02),
    ("store-and-recall", "z", 1, WHOLE, "every timestep", 0.94, 0.04),
    ("store-and-recall", "r", 1, WHOLE, "every timestep", 0.77, 0.05),
    ("sentiment", "z", 1, WHOLE, "every timestep", 0.69, 0.05),
    ("sentiment", "z", 0, WHOLE, "every timestep", 0.345, 0.02),  # the largest class: see tests/core/test_presets.py
    ("sentiment", "r", 1, WHOLE, "every timestep", 0.835, 0.03),
    ("sentiment", "z", 0, THIRD, "every filler (word that does not change the opinion)", 1.0, 0.003),
]


@pytest.mark.parametrize(("name", "gate", "value", "steps", "label", "figure", "tolerance"), FIGURES)
def test_the_score_of_a_clamped_preset_equals_the_measured_one(
    client: TestClient, name: str, gate: str, value: float, steps: Any, label: str, figure: float, tolerance: float
) -> None:
    body = post_score(client, name, clamps=[clamp(gate, value, steps)])
    assert body["held"] == [{"at": label}]
    assert (body["sequences"], body["steps"]) == (1000, 20)
    assert body["untouched"] == pytest.approx(gru.load(name).card.measured[body["name"]], rel=1e-3)
    assert body["changed"] == pytest.approx(figure, abs=tolerance + 1e-12)


@pytest.mark.parametrize("name", PRESETS)
def test_the_score_without_changes_equals_the_score_on_the_card(client: TestClient, name: str) -> None:
    measured = gru.load(name).card.measured
    body = post_score(client, name, sequence=gru.load(name).examples[0])
    assert body["untouched"] == body["changed"] == pytest.approx(measured[body["name"]], rel=1e-3)
    assert body["name"] in ("accuracy", "squared error")
    assert body["held"] == []


KINDS: dict[str, Callable[[str], str]] = {
    "flip-flop": lambda token: "write" if token in "AB" else "other",
    "pocket-calculator": lambda token: {"=": "load", "+": "add"}.get(token[0], "hold"),
    "running-total": lambda token: "restart" if token[0] == "=" else "add",
    "store-and-recall": lambda token: "write" if token in "ABCD" else "other",
    "sentiment": lambda token: "filler" if token in ["the", "film", "was", "a", "very"] else "other",
}
ClampAtKind = tuple[Clamp, str]


def score_by_traces(model: Model, clamp_kinds: list[ClampAtKind], h0: list[Any] | None = None) -> float:
    """Return the score, computed with one trace per sequence. Each clamp applies at every timestep of its kind."""
    batch, kind = fresh(PRESETS[model.card.task].recipe), KINDS[model.card.task]
    losses: list[float] = []
    for b in range(1000):
        kinds = [kind(token) for token in model.encoder.write(batch.x[:, b]).split()]
        clamps = [
            Clamp(clamp.gate, clamp.value, clamp.units, slice(t, t + 1), clamp.layer)
            for clamp, clamped_kind in clamp_kinds
            for t in range(20)
            if clamped_kind in ("any", kinds[t])
        ]
        y = gru.trace(model, batch.x[:, b], h0, clamps).y
        for t in np.flatnonzero(batch.scored[:, b]):
            target = batch.target[t, b]
            losses.append(y[t].argmax() == target if model.readout.kind == "softmax" else (y[t, 0] - target) ** 2)
    return float(np.mean(losses))


@pytest.mark.parametrize(
    ("name", "clamps", "clamp_kinds"),
    [
        ("flip-flop", [clamp("h_prev", -0.9, SECOND)], [(Clamp("h_prev", -0.9), "other")]),
        ("pocket-calculator", [clamp("z", 1, THIRD)], [(Clamp("z", 1), "hold")]),
        (
            "pocket-calculator",
            [clamp("r", 0.3, (1, 3)), clamp("r", 1, FIRST), clamp("z", 0.5, SECOND)],
            [(Clamp("r", 0.3), "any"), (Clamp("r", 1), "load"), (Clamp("z", 0.5), "add")],
        ),
        ("running-total", [clamp("h_tilde", 0.1, FIRST)], [(Clamp("h_tilde", 0.1), "restart")]),
        ("store-and-recall", [clamp("z", 0.2, FIRST, units=[2, 4])], [(Clamp("z", 0.2, [1, 3]), "write")]),
        ("sentiment", [clamp("h_prev", 0, THIRD, units=[1, 5])], [(Clamp("h_prev", 0, [0, 4]), "filler")]),
        ("sentiment", [clamp("z", 1, (1, 2))], [(Clamp("z", 1), "other")]),
    ],
)
def test_the_score_with_clamps_equals_the_score_of_single_traces(
    client: TestClient, name: str, clamps: Any, clamp_kinds: list[ClampAtKind]
) -> None:
    body = post_score(client, name, clamps=clamps)
    assert body["changed"] == pytest.approx(score_by_traces(gru.load(name), clamp_kinds), rel=1e-9)
    assert body["changed"] != body["untouched"]


def test_the_score_depends_on_layers_weights_and_initial_state(stacked_client: TestClient) -> None:
    app: Any = stacked_client.app
    model = models.get("stacked", app.state.settings)
    clamps = [clamp("z", 0.9, SECOND, layer=2, units=[6]), clamp("r", 0, WHOLE)]
    weights = [{"layer": 2, "gate": "h_tilde", "unit": 3, "part": "U", "index": 1, "value": 4}]
    h0 = [[0.5, -1, 0, 1], [1, 1, 1, -1, -1, -1]]
    changes = {"sequence": "A b ?", "clamps": clamps, "weights": weights, "h0": h0}
    body = post_score(stacked_client, "stacked", **changes)
    edited = model.edited([Edit(1, "h_tilde", 2, "U", 0, 4.0)])
    clamp_kinds = [(Clamp("z", 0.9, [5], layer=1), "other"), (Clamp("r", 0), "any")]
    arrays = [np.array(h, float) for h in h0]
    assert body["untouched"] == pytest.approx(score_by_traces(model, [], arrays), rel=1e-12)
    assert body["changed"] == pytest.approx(score_by_traces(edited, clamp_kinds, arrays), rel=1e-12)
    assert body["untouched"] != body["changed"]


def test_with_a_closed_update_gate_the_initial_state_decides_every_output(client: TestClient) -> None:
    closed = [clamp("z", 0, WHOLE)]
    low, high = (post_score(client, "flip-flop", clamps=closed, h0=[[h]])["changed"] for h in (-0.9, 0.9))
    batch = fresh(PRESETS["flip-flop"].recipe)
    assert (low, high) == (pytest.approx((batch.target == 0).mean()), pytest.approx((batch.target == 1).mean()))


@pytest.mark.parametrize(
    ("sequence", "steps", "label"),
    [
        ("A", (1, None), "every timestep"),
        ("A", (1, 1), "every write (capital letter)"),
        ("m", (1, 5), "every timestep without a write (capital letter)"),
        ("m p s", (1, 3), "every timestep"),
        ("m p s", (1, 9), "every timestep"),
        ("m p s", (2, None), "every timestep without a write (capital letter)"),
        ("A m", (1, 2), "every timestep"),
        ("A m A A", (3, 4), "every write (capital letter)"),
        ([[0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1]], (1, 1), "every write (capital letter)"),
    ],
)
def test_a_clamp_is_applied_to_steps_of_the_same_kind(
    client: TestClient, sequence: Any, steps: Any, label: str
) -> None:
    assert post_score(client, "flip-flop", sequence=sequence, clamps=[clamp("z", 0, steps)])["held"] == [{"at": label}]


@pytest.mark.parametrize(
    ("changes", "place", "message"),
    [
        (
            {"clamps": [clamp("z", 0, FIRST), clamp("z", 0, (1, 2))]},
            "clamps.2",
            "timesteps 1 to 2 are of several kinds (load, add)",
        ),
        ({"clamps": [clamp("z", 2, WHOLE)]}, "clamps", "z cannot be clamped at 2.0: choose from 0 to 1"),
        ({"clamps": [clamp("z", 0, (4, 4))]}, "clamps", "the clamp on z covers none of the timesteps 1 to 3"),
        (
            {"weights": [{"gate": "z", "unit": 2, "part": "b", "value": 0}]},
            "weights",
            "unit 2 is not in this layer: choose from 1 to 1",
        ),
        ({"h0": [[0, 0]]}, "h0", "the initial state has 2 numbers, but this model needs 1"),
        ({"sequence": ""}, "sequence", "the sequence is empty. Numbers v: "),
        ({"t": 1}, None, "this request has an unknown field"),
    ],
)
def test_a_request_that_cannot_be_scored_is_refused_with_a_message(
    client: TestClient, changes: dict[str, Any], place: str, message: str
) -> None:
    error = post_score(client, "pocket-calculator", **changes)["error"]
    assert error["where"] == place
    assert error["message"].startswith(message)


def test_a_model_without_a_built_in_task_has_no_score(tmp_path: Path) -> None:
    deep().save(tmp_path / "deep.safetensors")
    flip_flop = gru.load("flip-flop")
    readout = type(flip_flop.readout)("softmax", flip_flop.readout.V, flip_flop.readout.c, ("B", "A"))
    Model(flip_flop.encoder, flip_flop.layers, readout, flip_flop.card).save(tmp_path / "other.safetensors")
    client = client_of(tmp_path)
    for name, sequence in (("deep", "a b"), ("other", "A m")):
        error = post_score(client, name, sequence=sequence)["error"]
        assert (error["code"], error["where"]) == ("task", "model")
        assert error["code"] == "task"


@pytest.mark.parametrize("task", EXPERIMENT_TASKS)
def test_a_model_of_an_experiments_task_has_scores_and_similar_moments(task: str, tmp_path: Path) -> None:
    trained, _ = begin(BASES[task], Card(task, task, "", "", "random", "", examples=("",)))
    x = trained.encoder.write(EXPERIMENT_TASKS[task].draw(np.random.default_rng(0), 6, 1).x[:, 0])
    replace(trained, card=replace(trained.card, examples=(x,))).save(tmp_path / "trained.safetensors")
    client = client_of(tmp_path)
    body = post_score(client, "trained", sequence=x)
    assert body["untouched"] == scored(trained, fresh(BASES[task]).first(body["sequences"]))
    request = {"model": "trained", "sequence": x, "layer": 1, "unit": 1, "signal": "z", "from": 1, "to": 2}
    assert client.post("/api/moments", json=request).json()["total"] > 0


def test_a_model_with_other_inputs_than_its_task_has_no_similar_moments(tmp_path: Path) -> None:
    model = replace(deep(), card=replace(deep().card, task="flip-flop"))
    model.save(tmp_path / "other.safetensors")
    request = {"model": "other", "sequence": "a b", "layer": 1, "unit": 1, "signal": "z", "from": 1, "to": 2}
    assert client_of(tmp_path).post("/api/moments", json=request).json()["total"] is None


def test_a_large_model_is_scored_on_fewer_sequences(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_scores, "MOST_SCORED", 20 * 8 * 50)
    body = post_score(client, "sentiment", clamps=[clamp("z", 1, WHOLE)])
    assert (body["sequences"], body["steps"]) == (50, 20)
    batch, model = fresh(PRESETS["sentiment"].recipe), gru.load("sentiment")
    correct = [
        gru.trace(model, batch.x[:, b], clamps=[Clamp("z", 1)]).y.argmax(1) == batch.target[:, b] for b in range(50)
    ]
    assert body["changed"] == pytest.approx(np.mean(correct))
    monkeypatch.setattr(runs_scores, "MOST_SCORED", 1)
    assert post_score(client, "sentiment")["sequences"] == 1
