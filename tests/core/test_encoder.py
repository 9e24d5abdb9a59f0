"""Encoders: the text that they read, the inputs that they make from it, and the errors for any other text."""

from __future__ import annotations

import sys
import tracemalloc
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gru_core as gru
from gru_core import Numbers, Operator, SequenceError, Symbols, Vectors, presets
from gru_core.encoder import encoder_from_dict
from gru_core.training.toys import CALCULATOR, FLIP_FLOP, SENTIMENT, TASKS, TOTAL


def test_symbols_are_read_with_or_without_spaces() -> None:
    assert FLIP_FLOP.tokens("A m m B") == FLIP_FLOP.tokens("AmmB") == FLIP_FLOP.tokens("  Am\tmB\n") == list("AmmB")
    np.testing.assert_array_equal(FLIP_FLOP.encode(["B", "A"]), [[0, 1, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]])


def test_words_may_be_capitalized_and_followed_by_a_period() -> None:
    assert SENTIMENT.tokens("The film was Good.") == ["the", "film", "was", "good", "."]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A m m Q", "step 4: 'Q' is not in this model's alphabet (A B m p s .)"),
        ("Ammq", "step 4: 'q' is not in this model's alphabet (A B m p s .)"),
        ("A \N{GRINNING FACE}", "step 2: '\N{GRINNING FACE}' is not in this model's alphabet (A B m p s .)"),
        ("A\0B", "step 2: '⟨U+0000⟩' is not in this model's alphabet (A B m p s .)"),
    ],
)
def test_the_error_for_a_bad_symbol_has_its_step_and_the_alphabet(text: str, message: str) -> None:
    with pytest.raises(SequenceError) as error:
        FLIP_FLOP.tokens(text)
    assert str(error.value) == message


def test_an_error_quotes_only_a_short_part_of_the_input() -> None:
    with pytest.raises(SequenceError) as error:
        SENTIMENT.tokens("good " + "w" * 5000)
    assert len(str(error.value)) < 200


def test_the_calculator_reads_load_add_and_hold() -> None:
    tokens = CALCULATOR.tokens("=0.3 +0.2 0.35 +-.4 -1e-1 =\N{MINUS SIGN}.5")
    assert tokens == ["=0.3", "+0.2", "0.35", "+-.4", "-1e-1", "=-.5"]
    expected = [[0.3, 1, 0], [0.2, 0, 1], [0.35, 0, 0], [-0.4, 0, 1], [-0.1, 0, 0], [-0.5, 1, 0]]
    np.testing.assert_array_equal(CALCULATOR.encode(tokens), expected)


def test_the_running_total_adds_a_number_with_a_sign() -> None:
    np.testing.assert_array_equal(TOTAL.encode(TOTAL.tokens("=0.2 +0.1 -0.3")), [[0.2, 1], [0.1, 0], [-0.3, 0]])


def test_every_component_of_the_input_has_a_name() -> None:
    assert FLIP_FLOP.labels == ("A", "B", "m", "p", "s", ".")
    assert CALCULATOR.labels == ("number", "load it", "add it")
    assert TOTAL.labels == ("number", "start again from it")
    odd = Numbers((Operator("=", "set", (1, 1, 0)), Operator("*", "scale", (0, -1, 0))))
    assert odd.labels == ("number", "set", "set or scale", "unused")
    for task in TASKS.values():
        assert len(task.encoder.labels) == task.encoder.inputs


@pytest.mark.parametrize("encoder", [*(task.encoder for task in TASKS.values()), Symbols(("only",))])
def test_an_encoder_can_read_its_own_example(encoder: Symbols | Numbers) -> None:
    tokens = encoder.tokens(encoder.example)
    assert " ".join(tokens) == encoder.example
    assert encoder.encode(tokens).shape == (len(tokens), encoder.inputs)


@pytest.mark.parametrize(
    "bad", ["=", "+", "x", "=nan", "inf", "1e999", "=1e7", "0x10", "1_0", "\N{ARABIC-INDIC DIGIT ONE}", "--1"]
)
def test_text_that_is_no_number_in_range_is_refused(bad: str) -> None:
    with pytest.raises(SequenceError, match=r"^step 2: .*(is not one of =v, \+v, v \(v is a number\)|is out of range)"):
        CALCULATOR.tokens(f"=0.1 {bad}")


@given(st.sampled_from(sorted(TASKS)), st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_a_random_sequence_written_as_text_is_read_back(name: str, seed: int, T: int) -> None:
    task = TASKS[name]
    text = task.text(np.random.default_rng(seed), T)
    drawn = task.draw(np.random.default_rng(seed), T, 1).x[:, 0]
    np.testing.assert_allclose(task.encoder.encode(task.encoder.tokens(text)), drawn, atol=0.005)


@given(st.sampled_from(presets.NAMES), st.text(max_size=40))
def test_any_text_is_a_sequence_or_a_sequence_error(name: str, text: str) -> None:
    model = gru.load(name)
    try:
        tokens = model.encoder.tokens(text)
    except SequenceError:
        tokens = []
    if not tokens:
        with pytest.raises(SequenceError, match=r"^step \d+: .|^the sequence is empty"):
            gru.trace(model, text)
    else:
        assert np.isfinite(gru.trace(model, text).y).all()


def test_vectors_are_numbers_separated_by_commas() -> None:
    encoder = Vectors(3)
    assert encoder.tokens("0.1,-0.2,3  1,0,\N{MINUS SIGN}.5\n") == ["0.1,-0.2,3", "1,0,-.5"]
    np.testing.assert_array_equal(encoder.encode(["0.1,-0.2,3", "1,0,-.5"]), [[0.1, -0.2, 3], [1, 0, -0.5]])
    assert encoder.labels == ("x 1", "x 2", "x 3")
    assert encoder.alphabet == ("v1,v2,v3",)
    assert encoder.hint == "Write 3 numbers for each step, as v1,v2,v3 without spaces"


def test_a_vector_of_length_1_is_a_number_without_commas() -> None:
    np.testing.assert_array_equal(Vectors(1).encode(Vectors(1).tokens("0.5 -1")), [[0.5], [-1]])
    assert Vectors(1).hint == "Write one number for each step"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,3 1,2", "step 2: '1,2' has 2 numbers, but each step needs 3"),
        ("1,2,3,4,5", "step 1: '1,2,3,4,5' has more than 3 numbers, but each step needs 3"),
        ("1,2,x", "step 1: 'x' is not a number"),
        ("1,2,", "step 1: '' is not a number"),
        ("1,nan,3", "step 1: 'nan' is not a number"),
        ("1,1e999,3", "step 1: '1e999' is out of range: -1,000,000 to 1,000,000"),
        ("1,2,\u0663", "step 1: '\u0663' is not a number"),
    ],
)
def test_the_error_for_a_bad_vector_has_its_step(text: str, message: str) -> None:
    with pytest.raises(SequenceError) as error:
        Vectors(3).tokens(text)
    assert str(error.value) == message


@pytest.mark.parametrize("inputs", [1, 2, 5, 256])
def test_a_vector_encoder_has_an_example_and_can_be_stored(inputs: int) -> None:
    encoder = Vectors(inputs)
    x = encoder.encode(encoder.tokens(encoder.example))
    assert x.shape == (2 * min(inputs, 4), inputs)
    assert encoder.write(x) == encoder.example
    assert encoder_from_dict(encoder.to_dict()) == encoder


def test_an_accent_may_be_a_part_of_its_letter_or_not() -> None:
    for form in ("NFC", "NFD"):
        written = tuple(unicodedata.normalize(form, symbol) for symbol in ("é", "a", "naïve"))
        for other in ("NFC", "NFD"):
            assert Symbols(written).tokens(unicodedata.normalize(other, "naïve é a")) == [written[2], *written[:2]]
    letters = Symbols(("e", "\u0301"))  # a network that reads each code point
    assert letters.tokens("é") == ["e", "\u0301"]


def test_joined_emoji_and_words_with_a_half_space_are_single_symbols() -> None:
    scientist, persian = "\U0001f469\u200d\U0001f52c", "می\u200cخواهم"
    symbols = Symbols((scientist, "\U0001f642", persian))
    assert symbols.tokens(f"{scientist}\U0001f642 {persian}") == [scientist, "\U0001f642", persian]


def test_a_byte_order_mark_is_left_out_and_other_invisible_characters_are_named() -> None:
    assert FLIP_FLOP.tokens("\ufeffA B") == ["A", "B"]
    with pytest.raises(SequenceError, match=r"step 2: '⟨U\+00AD⟩'"):
        FLIP_FLOP.tokens("A\xad B")


def test_symbols_of_a_large_alphabet_need_memory_for_their_sequence_only() -> None:
    symbols = Symbols(tuple(map(str, range(100_000))))
    tracemalloc.start()
    x = symbols.encode(symbols.tokens("5 99999"))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert x.shape == (2, 100_000)
    assert (x.argmax(1).tolist(), x.sum()) == ([5, 99_999], 2)
    assert most < 100e6


@pytest.mark.parametrize("encoder", [Symbols(("a", "é")), gru.load("names").encoder])
def test_a_letter_has_at_most_30_accents(encoder: Symbols) -> None:
    """Sorting accents for a Unicode normal form takes quadratic time: 48,000 accents would take seconds."""
    with pytest.raises(SequenceError, match="30 accents"):
        encoder.tokens("e" + "\u0301\u0316" * 16)
    assert gru.load("names").encoder.tokens("e" + "\u0301\u0316" * 15) == ["e"]


def test_every_accent_of_unicode_is_counted() -> None:
    characters = [chr(i) for i in range(sys.maxunicode + 1) if not 0xD800 <= i < 0xE000]
    accents = {c for c in characters if unicodedata.combining(unicodedata.normalize("NFD", c)[0])}
    assert len(accents) > 900
    for accent in accents:
        with pytest.raises(SequenceError, match="30 accents"):
            Symbols(("a", "é")).tokens("e" + accent * 31)
