"""Writing: the seed fixes the text, temperature 0 picks the likeliest symbol, and a run over the text is the same."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import gru_core as gru
from gru_core.presets.recipes import PRESETS, fresh
from gru_core.runs.writing import heated
from gru_core.training.tasks import NEXT_LETTERS, SURNAMES

WRITER = gru.load("name-writer")


def written(prompt: str, seed: int, temperature: float = 1.0, steps: int = 16) -> gru.Writing:
    return gru.write(WRITER, prompt, steps, temperature, np.random.default_rng(seed))


def test_a_seed_decides_the_text_and_the_trace_is_the_run_over_it() -> None:
    first, again = written("irish", 3), written("Irish", 3)
    assert first.text == again.text
    assert len({written("irish", seed).text for seed in range(6)}) > 1
    assert (first.given, first.text) == (1, "irish " + "".join(first.written))
    np.testing.assert_array_equal(first.trace.y, gru.trace(WRITER, first.text).y)
    assert first.ended == (len(first.written) < 16)


def test_temperature_0_takes_the_likeliest_symbol_at_each_timestep_and_needs_no_generator() -> None:
    writing = gru.write(WRITER, "finnish vi", 12, 0)
    likeliest = [WRITER.readout.labels[k] for k in writing.trace.y.argmax(-1)]
    assert writing.written == likeliest[writing.given - 1 : -1]
    assert writing.ended == (likeliest[-1] == ".")
    assert written("finnish vi", 9, 0).text == writing.text


def test_temperature_sharpens_and_flattens_without_changing_the_order() -> None:
    p = np.array([0.5, 0.3, 0.2, 0.0])
    np.testing.assert_allclose(heated(p, 1), p, atol=1e-12)
    np.testing.assert_allclose(heated(p, 0.5), p**2 / (p**2).sum(), atol=1e-12)
    np.testing.assert_array_equal(heated(p, 0), [1, 0, 0, 0])
    assert heated(p, 0.01)[0] == pytest.approx(1)
    assert heated(p, 10)[2] > 0.2


def test_first_letters_are_drawn_as_often_as_the_output_says() -> None:
    rng, n = np.random.default_rng(5), 3000
    drawn = Counter(gru.write(WRITER, "dutch", 1, 1.0, rng).trace.tokens[-1] for _ in range(n))
    y = gru.trace(WRITER, "dutch").y[0]
    for k, p in enumerate(y):
        letter = WRITER.readout.labels[k]
        assert abs(drawn[letter] - n * p) < 5 * np.sqrt(n * p * (1 - p)) + 1 or letter == "."


def test_the_writer_answers_with_the_next_letter_or_the_end_and_beats_letter_pairs() -> None:
    batch = fresh(PRESETS["name-writer"].recipe)
    for b, (name, k) in enumerate(SURNAMES.held_out_names[:200]):
        T = len(name) + 1
        assert batch.x[0, b, 26 + k] == 1
        assert "".join(WRITER.readout.labels[i] for i in batch.target[:T, b]) == f"{name}."
        assert batch.scored[:, b].sum() == T
    assert WRITER.card.measured["accuracy"] > NEXT_LETTERS.baselines["letter bigrams"]


def test_the_names_of_a_language_end_as_its_names_do() -> None:
    ends = [written("icelandic", seed, 0.7, 20).text for seed in range(20)]
    assert sum(text.endswith(("son", "dottir")) for text in ends) >= 15


def test_a_network_that_does_not_read_its_own_outputs_cannot_write() -> None:
    for name in ("names", "sunspots", "sentiment"):
        with pytest.raises(ValueError, match="cannot write"):
            gru.write(gru.load(name), gru.load(name).examples[0], 3, 0)
    assert gru.write(gru.load("flip-flop"), "m A m", 3, 0).written == ["A", "A", "A"]


@pytest.mark.parametrize(
    ("prompt", "steps", "temperature", "error"),
    [
        ("", 3, 0.0, gru.SequenceError),
        ("irish q1", 3, 0.0, gru.SequenceError),
        ("irish", -1, 0.0, ValueError),
        ("irish", 3, -0.5, ValueError),
        ("irish", 3, 11.0, ValueError),
        ("irish", 3, 0.5, ValueError),
    ],
)
def test_wrong_arguments_are_refused(prompt: str, steps: int, temperature: float, error: type[ValueError]) -> None:
    with pytest.raises(error):
        gru.write(WRITER, prompt, steps, temperature)


@pytest.mark.parametrize("seed", range(20))
def test_each_token_is_drawn_from_the_output_before_it_also_with_clamps(seed: int) -> None:
    rng = np.random.default_rng(seed)
    H, temperature = int(rng.integers(1, 6)), float(rng.uniform(0.2, 3))
    alphabet = ("a", "b", "c", "d")
    weights = {name: rng.normal(0, 1.5, shape) for name, shape in (("W", (3 * H, 4)), ("U", (3 * H, H)), ("b", 3 * H))}
    readout = gru.Readout("softmax", rng.normal(0, 1.5, (5, H)), rng.normal(0, 1, 5), (*alphabet, "."))
    model = gru.Model(gru.Symbols(alphabet), (gru.GRU(**weights),), readout, WRITER.card)
    clamps = [gru.Clamp("z", 0.3, steps=slice(1, 8))]
    writing = gru.write(model, "a b", 10, temperature, np.random.default_rng(seed), clamps=clamps)
    y, drawn = writing.trace.y, np.random.default_rng(seed)
    labels = [*(writing.trace.tokens or [])[2:], *["."] * writing.ended]
    assert len(labels) == 10 or writing.ended
    for p, label in zip(y[1:], labels, strict=False):
        ends = np.cumsum(p ** (1 / temperature) / (p ** (1 / temperature)).sum())
        number = drawn.random()
        k = readout.labels.index(label)
        assert (ends[k - 1] if k else 0) <= number <= ends[k] + 1e-12
    plain = gru.trace(model, writing.text, clamps=clamps)
    np.testing.assert_allclose(writing.trace.h, plain.h, atol=1e-12)
