"""The models that each demonstrate one idea: what their units store, and gradients that equal PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gru_core as gru
from gru_core import Clamp, Model, presets
from gru_core.arrays import Array
from gru_core.presets.recipes import PRESETS, fresh
from gru_core.training.fit import loss_and_gradients
from gru_core.training.scoring import SCORE, score
from gru_core.training.task import Batch
from gru_core.training.tasks import ALL

SEED = 78_000_000  # used by no recipe and no card


def sequences(model: Model, B: int = 1000) -> Batch:
    return ALL[model.card.task].draw(np.random.default_rng(SEED), 20, B)


def linear_probe(h: Array, answer: Array) -> float:
    """Fit a least-squares linear readout of `h` `(…, H)` to `answer` (0 or 1). Return the accuracy of the readout."""
    inputs = np.c_[h.reshape(-1, h.shape[-1]), np.ones(answer.size)]
    weights = np.linalg.lstsq(inputs, answer.ravel(), rcond=None)[0]
    return float(((inputs @ weights > 0.5) == answer.ravel()).mean())


@pytest.mark.parametrize("name", presets.EXTRA)
def test_a_card_has_the_recipe_and_the_measured_score(name: str) -> None:
    model, recipe = gru.load(name), PRESETS[name].recipe
    assert model.card.training["seed"] == recipe.seed
    backward = recipe.units if recipe.both else 0
    sizes = [(cell.name, cell.units - backward, cell.backward_units) for cell in model.layers]
    assert sizes == [(recipe.cell, recipe.units, backward)] * recipe.layers
    kind = SCORE[model.readout.kind]
    batch = fresh(recipe) if ALL[recipe.task].recorded else sequences(model)
    # The forward-only tagger must guess one letter for many timesteps at once, so its score varies more.
    spread = 0.04 if name == "tagger-forward" else 0.01
    assert model.card.measured[kind] == pytest.approx(score(model, batch), abs=spread)
    assert gru.load(f"{name}@0").card.weights == "random"
    for example in model.card.examples:
        gru.trace(model, example)


def test_the_hidden_lstm_shows_its_letter_only_at_a_question_mark() -> None:
    model = gru.load("store-and-recall-lstm-hidden")
    batch = sequences(model)
    run, asked = model.forward(batch.x)[0], batch.x[..., 8] > 0
    assert score(model, batch) >= 0.999
    assert np.quantile(run.o[~asked], 0.99) <= 0.1
    assert run.o[asked].min() >= 0.7
    assert np.abs(run.h[~asked]).mean() < 0.02
    assert np.abs(run.c[~asked]).mean() > 0.7


def test_the_same_weights_give_another_candidate_and_answer_with_the_reset_gate_after_the_product() -> None:
    before, after = gru.load("brackets-two-units"), gru.load("brackets-two-units-after")
    for name in "WUb":
        np.testing.assert_array_equal(getattr(before.layers[0], name), getattr(after.layers[0], name))
    assert [model.layers[0].variant["reset"] for model in (before, after)] == ["before", "after"]
    here, there = (gru.trace(model, "( (") for model in (before, after))
    np.testing.assert_array_equal(here.r, there.r)
    np.testing.assert_array_equal(here.h[0], there.h[0])
    W_h, U_h, b_h = (np.split(array, 3)[2] for array in (before.layers[0].W, before.layers[0].U, before.layers[0].b))
    inputs, r, h = W_h[:, 0] + b_h, here.r[1], here.h[0]
    np.testing.assert_allclose(here.h_tilde[1], np.tanh(inputs + U_h @ (r * h)), atol=1e-12)
    np.testing.assert_allclose(there.h_tilde[1], np.tanh(inputs + r * (U_h @ h)), atol=1e-12)
    assert abs(here.h_tilde[1] - there.h_tilde[1]).max() > 0.3
    assert [int(trace.y[1].argmax()) for trace in (here, there)] == [2, 1]
    assert score(before, sequences(before)) > 0.995
    assert score(after, sequences(after)) < 0.5


def test_the_tagger_needs_later_inputs_and_no_forward_network_can_know_them() -> None:
    both, forward = gru.load("tagger"), gru.load("tagger-forward")
    batch = sequences(both)
    assert score(both, batch) >= 0.999
    answers = batch.target // 2, batch.target % 2  # the capital before, and the capital after
    guesses = forward(batch.x).argmax(-1)
    right = [((guess == answer) & batch.scored).sum() / batch.scored.sum()
             for guess, answer in zip((guesses // 2, guesses % 2), answers, strict=True)]  # fmt: skip
    assert right[0] >= 0.999
    assert right[1] == pytest.approx(0.5, abs=0.04)
    h = both.forward(batch.x)[0].h
    for unit, answer in enumerate(answers):  # each unit holds one of the two capitals
        assert linear_probe(h[batch.scored][:, unit : unit + 1], answer[batch.scored]) >= 0.999
    later = np.roll(batch.x, 1, 1)
    later[:10] = batch.x[:10]
    np.testing.assert_allclose(forward(later)[:10], forward(batch.x)[:10], rtol=0, atol=1e-12)


def test_layer_1_holds_a_not_and_layer_2_the_opinion() -> None:
    model = gru.load("sentiment-two-layers")
    batch = sequences(model)
    opinion, stop, word_not = batch.x[..., :6].any(-1), batch.x[..., 7] > 0, batch.x[..., 6] > 0
    pending = np.zeros(opinion.shape)
    for t in range(len(pending)):
        before = pending[t - 1] if t else 0 * pending[0]
        pending[t] = np.where(opinion[t] | stop[t], 0, np.where(word_not[t], 1 - before, before))
    first, second = (run.h for run in model.forward(batch.x))
    assert score(model, batch) >= 0.999
    assert linear_probe(first, pending) > 0.9
    assert linear_probe(second, pending) < max(pending.mean(), 1 - pending.mean()) + 0.02
    positive = (batch.target == 2).astype(float)
    assert linear_probe(second, positive) > 0.99
    assert linear_probe(first, positive) < 0.9


def test_only_a_not_that_layer_1_forgets_changes_the_answer() -> None:
    model, text = gru.load("sentiment-two-layers"), "good not the film very bad"
    last = [
        model.readout.labels[gru.trace(model, text, clamps=clamps).y[-1].argmax()]
        for clamps in ([], *([Clamp("h_prev", 0, steps=slice(5, 6), layer=layer)] for layer in (0, 1)))
    ]
    assert last == ["positive", "negative", "positive"]


@pytest.mark.parametrize("name", ["sentiment-two-layers", "store-and-recall-lstm-hidden"])
def test_the_loss_with_its_penalties_and_the_gradients_equal_those_of_torch(name: str) -> None:
    torch: Any = pytest.importorskip("torch")
    model, recipe, batch = gru.load(name), PRESETS[name].recipe, sequences(gru.load(name), 6)
    loss, gradients = loss_and_gradients(model, batch, recipe.penalties)
    parameters = {key: torch.tensor(array, requires_grad=True) for key, array in model.parameters.items()}
    states, total = torch.tensor(batch.x), torch.zeros((), dtype=torch.float64)
    for i in range(len(model.layers)):
        weights = (parameters[f"layers.{i}.{part}"] for part in "WUb")
        states, penalized = {"gru": gru_in_torch, "lstm": lstm_in_torch}[recipe.cell](torch, states, *weights)
        total = total + (recipe.penalties.z or recipe.penalties.o) * penalized.mean()
    scores = states @ parameters["readout.V"].T + parameters["readout.c"]
    scored = torch.tensor(batch.scored)
    total = total + torch.nn.functional.cross_entropy(scores[scored], torch.tensor(batch.target)[scored])
    total.backward()
    assert loss == pytest.approx(total.item(), rel=1e-12)
    for key, parameter in parameters.items():
        np.testing.assert_allclose(gradients[key], parameter.grad.numpy(), atol=1e-12)


def gru_in_torch(torch: Any, x: Any, W: Any, U: Any, b: Any) -> tuple[Any, Any]:
    """Return the states and the update gates of a GRU layer that resets before the product."""
    (U_r, U_z, U_h), h, states, gates = U.chunk(3), torch.zeros(x.shape[1], U.shape[1], dtype=x.dtype), [], []
    for sums in x @ W.T + b:
        a_r, a_z, a_h = sums.chunk(3, -1)
        r, z = torch.sigmoid(a_r + h @ U_r.T), torch.sigmoid(a_z + h @ U_z.T)
        h = (1 - z) * h + z * torch.tanh(a_h + (r * h) @ U_h.T)
        states, gates = [*states, h], [*gates, z]
    return torch.stack(states), torch.stack(gates)


def lstm_in_torch(torch: Any, x: Any, W: Any, U: Any, b: Any) -> tuple[Any, Any]:
    """Return the states and the output gates of an LSTM layer."""
    h = c = torch.zeros(x.shape[1], U.shape[1], dtype=x.dtype)
    states, gates = [], []
    for sums in x @ W.T + b:
        a_i, a_f, a_c, a_o = (sums + h @ U.T).chunk(4, -1)
        c = torch.sigmoid(a_f) * c + torch.sigmoid(a_i) * torch.tanh(a_c)
        h = torch.sigmoid(a_o) * torch.tanh(c)
        states, gates = [*states, h], [*gates, torch.sigmoid(a_o)]
    return torch.stack(states), torch.stack(gates)
