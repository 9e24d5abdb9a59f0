"""Reversed words: an encoder and a decoder in one layer, compared with two separate networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import gru_core as gru
from app.errors import Refused
from app.models import model_entry
from app.recipes import RecipeBody
from gru_core.arrays import Array
from gru_core.presets.recipes import PRESETS
from gru_core.training.checkpoints import Training, train
from gru_core.training.fit import fit
from gru_core.training.recipe import Recipe, begin, masks, task_for
from gru_core.training.reversal import ALPHABET, LABELS, LENGTHS, ReversedWords, reversed_letters
from gru_core.training.scoring import whole
from gru_core.training.task import Batch
from gru_core.training.tasks import WORD_TASKS
from tests.support.networks import sigmoid

NAME = "reversed-words"
TASK, RECIPE = WORD_TASKS[NAME], PRESETS[NAME].recipe
WORDS = ReversedWords()


def step(cell: dict[str, Array], x: Array, h: Array) -> Array:
    """Return the next state of a GRU. Each array in `cell` has one block for each of r, z and h̃: `(3, …)`."""
    W, U, b = cell["W"], cell["U"], cell["b"]
    r, z = sigmoid(W[0] @ x + U[0] @ h + b[0]), sigmoid(W[1] @ x + U[1] @ h + b[1])
    return np.asarray((1 - z) * h + z * np.tanh(W[2] @ x + U[2] @ (r * h) + b[2]))


def by_two_networks(model: gru.Model, word: str, written: str) -> tuple[Array, list[Array]]:
    """Return the encoder's last state, and the outputs at the sign ">" and at each written letter."""
    (layer,), half = model.layers, model.layers[0].units // 2
    W, U, b = (array.reshape(3, 2, half, -1) for array in (layer.W, layer.U, layer.b))
    encoder = {"W": W[:, 0, :, :3], "U": U[:, 0, :, :half], "b": b[:, 0, :, 0]}
    decoder = {"W": W[:, 1, :, 4:], "U": U[:, 1, :, half:], "b": b[:, 1, :, 0]}
    h: Array = np.zeros(half)
    for letter in word:
        h = step(encoder, np.eye(3)["abc".index(letter)], h)
    context = h
    states = [np.tanh(W[2, 1, :, 3] + U[2, 1, :, :half] @ context + b[2, 1, :, 0])]
    for letter in written:
        states.append(step(decoder, np.eye(3)["ABC".index(letter)], states[-1]))
    sums = [model.readout.V[:, half:] @ state + model.readout.c for state in states]
    return context, [np.exp(a) / np.exp(a).sum() for a in sums]


@pytest.mark.parametrize(("word", "written"), [("bac", "CAB"), ("a", ""), ("ccabbaca", "ACBBAC")])
@pytest.mark.parametrize("trained", [True, False])
def test_the_layer_computes_what_two_networks_compute(word: str, written: str, trained: bool) -> None:
    model = gru.load(NAME if trained else f"{NAME}@0")
    run = gru.trace(model, " ".join([*word, ">", *written]))
    context, outputs = by_two_networks(model, word, written)
    half, n = len(context), len(word)
    for t in range(n - 1, len(run.h)):
        np.testing.assert_allclose(run.h[t, :half], context, atol=1e-13)
    np.testing.assert_allclose(run.h[:n, half:], 0, atol=1e-20)
    np.testing.assert_allclose(run.y[n:], outputs, atol=1e-12)


def test_training_changes_no_weight_that_connects_or_closes() -> None:
    recipe = replace(RECIPE, schedule=replace(RECIPE.schedule, most=5, after=0, every=5))
    model, rng = begin(recipe, PRESETS[NAME].card)
    *_, last = fit(model, task_for(recipe), rng, recipe.schedule, trained=masks(recipe, model))
    before, after = model.parameters, last.model.parameters
    for name, mask in (masks(recipe, model) or {}).items():
        changed = before[name] != after[name]
        assert not changed[mask == 0].any()
        assert changed[mask == 1].mean() > 0.9


def test_no_held_out_word_is_drawn_for_training() -> None:
    x, _, _ = WORDS.draw(np.random.default_rng(0), 4000)
    drawn = {TASK.encoder.write(x[x[:, b].any(-1), b]) for b in range(x.shape[1])}
    assert not drawn & set(WORDS.held_out_texts)
    assert {text.index(">") // 2 for text in drawn} == set(LENGTHS)
    assert len(WORDS.held_out_texts) == sum(3**n for n in LENGTHS) // 5


def test_at_least_95_percent_of_held_out_words_are_written_without_an_error() -> None:
    model = gru.load(NAME)
    measured = model.card.measured
    written = [gru.write(model, text.partition(">")[0] + ">", 9, 0) for text in WORDS.held_out_texts]
    right = [
        writing.ended and writing.text == text for writing, text in zip(written, WORDS.held_out_texts, strict=True)
    ]
    assert np.mean(right) == pytest.approx(measured["accuracy on whole held-out words"], abs=1e-3)
    assert np.mean(right) >= 0.95
    for n in (5, 6, 9):
        share = whole(model, Batch(*WORDS.of_length(n), {}))
        assert share == pytest.approx(measured[f"accuracy on whole words of {n} letters"], abs=0.01)
    assert measured["accuracy on whole words of 9 letters"] < 0.5


def test_an_output_of_the_decoder_listens_to_letters_that_the_encoder_read() -> None:
    model = gru.load(NAME)
    sensitivity = gru.trace(model, "a b c > C B A").sensitivity(4)
    assert (np.linalg.norm(sensitivity.x, axis=-1)[:3] > 1e-3).all()


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("a b > B A", "--BA."),
        ("a b > A A", "--BA."),
        ("a b > B A C C", "--BA.--"),
        ("a b > B a A", "--BA--"),
        ("> A", ".-"),
        ("a A > B", "----"),
        ("a b", "--"),
        ("a > A > A", "-A.--"),
    ],
)
def test_answers_are_the_letters_before_the_sign_in_reverse(text: str, answers: str) -> None:
    x = TASK.encoder.encode(TASK.encoder.tokens(text))
    target, scored = reversed_letters(x)
    assert "".join(LABELS[k] if on else "-" for k, on in zip(target, scored, strict=True)) == answers
    both, on = reversed_letters(np.stack([x, x], 1))
    np.testing.assert_array_equal(both, np.stack([target, target], 1))
    np.testing.assert_array_equal(on, np.stack([scored, scored], 1))
    assert len(ALPHABET) == x.shape[1]


@pytest.mark.parametrize("change", [{"units": 15}, {"cell": "lstm"}, {"layers": 2}, {"both": True}])
def test_other_networks_than_one_gru_layer_of_two_halves_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="encoder and a decoder"):
        Recipe(**{**{f: getattr(RECIPE, f) for f in RECIPE.__dataclass_fields__}, **change})


def test_a_checkpoint_of_a_training_keeps_the_halves_apart() -> None:
    recipe = RecipeBody.model_validate({"task": NAME, "units": 6, "after": 0, "most": 3}).recipe()
    training = Training(recipe, list(train(recipe)))
    model = training.model(3)
    (layer,) = model.layers
    U = layer.U.reshape(3, 2, 3, 6)
    assert not U[:2, 1, :, :3].any()
    assert not U[:, 0, :, 3:].any()
    assert model_entry(NAME, model)["handover"] == ">"
    assert len(training.checkpoints[-1].report["lags"]) == 2 * LENGTHS[-1] + 1
    with pytest.raises(Refused):
        RecipeBody.model_validate({"task": NAME, "cell": "lstm"}).recipe()
