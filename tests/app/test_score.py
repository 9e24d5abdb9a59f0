"""POST /api/score: the measured table through this face, and the same scores computed one sequence at a time."""

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
from gru_core.training.recipe import begin
from gru_core.training.scoring import score as scored
from gru_core.training.tasks import EXPERIMENT_TASKS
from tests.support.clients import client_of
from tests.support.networks import deep

SEQUENCES = {
    "flip-flop": "A x x",
    "pocket-calculator": "=0.3 +0.2 0.1",
    "running-total": "=0.2 0.1 0.1",
    "store-and-recall": "A b ?",
    "sentiment": "not good the",
}
WHOLE, FIRST, SECOND, THIRD = (1, None), (1, 1), (2, 2), (3, 3)


def ask(client: TestClient, name: str, **changes: Any) -> Any:
    scenario = {"model": name, "sequence": SEQUENCES.get(name)} | changes
    return client.post("/api/score", json=scenario).json()


def clamp(gate: str, value: float, steps: tuple[int, int | None], **more: Any) -> dict[str, Any]:
    return {"gate": gate, "value": value, "from": steps[0], "to": steps[1]} | more


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
    ("sentiment", "z", 0, WHOLE, "every timestep", 0.345, 0.02),  # the commonest class, see tests/core/test_presets.py
    ("sentiment", "r", 1, WHOLE, "every timestep", 0.835, 0.03),
    ("sentiment", "z", 0, THIRD, "every filler (word that does not change the opinion)", 1.0, 0.003),
]


@pytest.mark.parametrize(("name", "gate", "value", "steps", "at", "figure", "within"), FIGURES)
def test_what_a_clamp_does_to_a_preset_is_what_was_measured(
    client: TestClient, name: str, gate: str, value: float, steps: Any, at: str, figure: float, within: float
) -> None:
    body = ask(client, name, clamps=[clamp(gate, value, steps)])
    assert body["held"] == [{"at": at}]
    assert (body["sequences"], body["steps"]) == (1000, 20)
    assert body["untouched"] == pytest.approx(gru.load(name).card.measured[body["name"]], rel=1e-3)
    assert body["changed"] == pytest.approx(figure, abs=within + 1e-12)


@pytest.mark.parametrize("name", PRESETS)
def test_without_a_change_the_score_is_the_cards(client: TestClient, name: str) -> None:
    measured = gru.load(name).card.measured
    body = ask(client, name, sequence=gru.load(name).examples[0])
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
Held = tuple[Clamp, str]


def one_by_one(model: Model, held: list[Held], h0: list[Any] | None = None) -> float:
    """The score of a trace of each sequence: kinds of steps are told from its text, each step has its own clamp."""
    batch, kind = fresh(PRESETS[model.card.task].recipe), KINDS[model.card.task]
    losses: list[float] = []
    for b in range(1000):
        kinds = [kind(token) for token in model.encoder.write(batch.x[:, b]).split()]
        pokes = [
            Clamp(one.gate, one.value, one.units, slice(t, t + 1), one.layer)
            for one, at in held
            for t in range(20)
            if at in ("any", kinds[t])
        ]
        y = gru.trace(model, batch.x[:, b], h0, pokes).y
        for t in np.flatnonzero(batch.scored[:, b]):
            target = batch.target[t, b]
            losses.append(y[t].argmax() == target if model.readout.kind == "softmax" else (y[t, 0] - target) ** 2)
    return float(np.mean(losses))


@pytest.mark.parametrize(
    ("name", "clamps", "held"),
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
def test_the_score_is_that_of_its_sequences_run_one_by_one(
    client: TestClient, name: str, clamps: Any, held: list[Held]
) -> None:
    body = ask(client, name, clamps=clamps)
    assert body["changed"] == pytest.approx(one_by_one(gru.load(name), held), rel=1e-9)
    assert body["changed"] != body["untouched"]


def test_layers_weights_and_a_first_state_count(stacked_client: TestClient) -> None:
    app: Any = stacked_client.app
    model = models.get("stacked", app.state.settings)
    clamps = [clamp("z", 0.9, SECOND, layer=2, units=[6]), clamp("r", 0, WHOLE)]
    weights = [{"layer": 2, "gate": "h_tilde", "unit": 3, "part": "U", "index": 1, "value": 4}]
    h0 = [[0.5, -1, 0, 1], [1, 1, 1, -1, -1, -1]]
    changes = {"sequence": "A b ?", "clamps": clamps, "weights": weights, "h0": h0}
    body = ask(stacked_client, "stacked", **changes)
    edited = model.edited([Edit(1, "h_tilde", 2, "U", 0, 4.0)])
    held = [(Clamp("z", 0.9, [5], layer=1), "other"), (Clamp("r", 0), "any")]
    arrays = [np.array(h, float) for h in h0]
    assert body["untouched"] == pytest.approx(one_by_one(model, [], arrays), rel=1e-12)
    assert body["changed"] == pytest.approx(one_by_one(edited, held, arrays), rel=1e-12)
    assert body["untouched"] != body["changed"]


def test_a_first_state_that_is_never_left_answers_for_all(client: TestClient) -> None:
    shut = [clamp("z", 0, WHOLE)]
    low, high = (ask(client, "flip-flop", clamps=shut, h0=[[h]])["changed"] for h in (-0.9, 0.9))
    batch = fresh(PRESETS["flip-flop"].recipe)
    assert (low, high) == (pytest.approx((batch.target == 0).mean()), pytest.approx((batch.target == 1).mean()))


@pytest.mark.parametrize(
    ("sequence", "steps", "at"),
    [
        ("A", (1, None), "every timestep"),
        ("A", (1, 1), "every write (capital letter)"),
        ("x", (1, 5), "every timestep without a write (capital letter)"),
        ("x y z", (1, 3), "every timestep"),
        ("x y z", (1, 9), "every timestep"),
        ("x y z", (2, None), "every timestep without a write (capital letter)"),
        ("A x", (1, 2), "every timestep"),
        ("A x A A", (3, 4), "every write (capital letter)"),
        ([[0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1]], (1, 1), "every write (capital letter)"),
    ],
)
def test_a_clamp_is_carried_over_by_what_its_steps_are(client: TestClient, sequence: Any, steps: Any, at: str) -> None:
    assert ask(client, "flip-flop", sequence=sequence, clamps=[clamp("z", 0, steps)])["held"] == [{"at": at}]


@pytest.mark.parametrize(
    ("changes", "where", "message"),
    [
        (
            {"clamps": [clamp("z", 0, FIRST), clamp("z", 0, (1, 2))]},
            "clamps.2",
            "timesteps 1 to 2 are of several kinds (load, add)",
        ),
        ({"clamps": [clamp("z", 2, WHOLE)]}, "clamps", "z cannot be clamped at 2.0: choose from 0 to 1"),
        ({"clamps": [clamp("z", 0, (4, 4))]}, "clamps", "the clamp on z covers none of the steps 1 to 3"),
        (
            {"weights": [{"gate": "z", "unit": 2, "part": "b", "value": 0}]},
            "weights",
            "unit 2 is not in this layer: choose from 1 to 1",
        ),
        ({"h0": [[0, 0]]}, "h0", "h0 has shapes [(2,)], but this model needs [(1,)]"),
        ({"sequence": ""}, "sequence", "the sequence is empty. Numbers v: "),
        ({"t": 1}, None, "this request has an unknown field"),
    ],
)
def test_what_cannot_be_scored_is_refused_in_words(
    client: TestClient, changes: dict[str, Any], where: str, message: str
) -> None:
    error = ask(client, "pocket-calculator", **changes)["error"]
    assert error["where"] == where
    assert error["message"].startswith(message)


def test_a_model_of_no_known_task_has_no_fresh_data(tmp_path: Path) -> None:
    deep().save(tmp_path / "deep.safetensors")
    flip_flop = gru.load("flip-flop")
    readout = type(flip_flop.readout)("softmax", flip_flop.readout.V, flip_flop.readout.c, ("B", "A"))
    Model(flip_flop.encoder, flip_flop.layers, readout, flip_flop.card).save(tmp_path / "other.safetensors")
    client = client_of(tmp_path)
    for name, sequence in (("deep", "a b"), ("other", "A x")):
        error = ask(client, name, sequence=sequence)["error"]
        assert (error["code"], error["where"]) == ("task", "model")
        assert error["code"] == "task"


@pytest.mark.parametrize("task", EXPERIMENT_TASKS)
def test_a_checkpoint_of_an_experiments_task_is_scored_and_searched(task: str, tmp_path: Path) -> None:
    trained, _ = begin(BASES[task], Card(task, task, "", "", "random", "", examples=("",)))
    x = trained.encoder.write(EXPERIMENT_TASKS[task].draw(np.random.default_rng(0), 6, 1).x[:, 0])
    replace(trained, card=replace(trained.card, examples=(x,))).save(tmp_path / "trained.safetensors")
    client = client_of(tmp_path)
    body = ask(client, "trained", sequence=x)
    assert body["untouched"] == scored(trained, fresh(BASES[task]).first(body["sequences"]))
    question = {"model": "trained", "sequence": x, "layer": 1, "unit": 1, "signal": "z", "from": 1, "to": 2}
    assert client.post("/api/moments", json=question).json()["of"] > 0


def test_a_model_that_names_a_task_with_other_inputs_is_not_searched(tmp_path: Path) -> None:
    other = replace(deep(), card=replace(deep().card, task="flip-flop"))
    other.save(tmp_path / "other.safetensors")
    question = {"model": "other", "sequence": "a b", "layer": 1, "unit": 1, "signal": "z", "from": 1, "to": 2}
    assert client_of(tmp_path).post("/api/moments", json=question).json()["of"] is None


def test_a_large_model_is_scored_on_the_first_of_the_sequences(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs_scores, "MOST_SCORED", 20 * 8 * 50)
    body = ask(client, "sentiment", clamps=[clamp("z", 1, WHOLE)])
    assert (body["sequences"], body["steps"]) == (50, 20)
    batch, model = fresh(PRESETS["sentiment"].recipe), gru.load("sentiment")
    right = [
        gru.trace(model, batch.x[:, b], clamps=[Clamp("z", 1)]).y.argmax(1) == batch.target[:, b] for b in range(50)
    ]
    assert body["changed"] == pytest.approx(np.mean(right))
    monkeypatch.setattr(runs_scores, "MOST_SCORED", 1)
    assert ask(client, "sentiment")["sequences"] == 1
