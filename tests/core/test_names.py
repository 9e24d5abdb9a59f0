"""Surnames: the held-out names, the letters with a score, the baselines, and the parsing of names."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gru_core as gru
from gru_core.encoders.symbols import Letters
from gru_core.encoders.tokens import SequenceError
from gru_core.presets.recipes import PRESETS, fresh
from gru_core.runs.moments import places_alike
from gru_core.training.names import Surnames
from gru_core.training.tasks import ALL, NAME_TASKS, SURNAMES

CELLS = ("names", "names-plain", "names-lstm", "names-rnn")


def names_in(x: np.ndarray) -> list[str]:
    return [NAME_TASKS["names"].encoder.write(name) for name in x.swapaxes(0, 1)]


def test_no_training_name_is_held_out_and_no_name_is_in_two_lists() -> None:
    counts = Counter(name for names in SURNAMES.lists.values() for name in names)
    assert max(counts.values()) == 1
    assert all(3 <= len(name) <= 16 and name.isascii() and name.isalpha() for name in counts)
    held_out = {name for name, _ in SURNAMES.held_out_names}
    drawn = names_in(NAME_TASKS["names"].draw(np.random.default_rng(0), 5, 2000).x)
    assert held_out.isdisjoint(drawn)
    assert sorted(held_out.union(*SURNAMES.training)) == sorted(counts)


def test_each_drawn_name_has_the_language_of_its_list_and_its_last_letter_counts() -> None:
    batch = NAME_TASKS["names"].draw(np.random.default_rng(1), 5, 3000)
    for b, name in enumerate(names_in(batch.x)):
        assert name in SURNAMES.lists[SURNAMES.languages[batch.target[0, b]]]
        assert batch.scored[len(name) - 1, b]
        assert not batch.scored[len(name) :, b].any()
    assert np.bincount(batch.target[0]).min() > 3000 / 12 * 0.7
    letters = batch.x.any(-1).sum()
    assert (batch.scored.sum() - 3000) / (letters - 3000) == pytest.approx(0.1, abs=0.01)
    assert (sum(map(np.ndarray.astype, batch.events.values(), [int] * 2)) == batch.x.any(-1)).all()


def test_held_out_names_are_scored_at_their_last_letters() -> None:
    batch = fresh(PRESETS["names"].recipe)
    assert (batch.scored.sum(0) == 1).all()
    wanted = dict(SURNAMES.held_out_names)
    for b, name in enumerate(names_in(batch.x)):
        assert batch.target[len(name) - 1, b] == wanted[name]


def test_the_baselines_on_lists_that_can_be_counted_by_hand() -> None:
    lists = {"one": ("aaa", "aaaa", "aaaaa", "aab", "aba"), "other": ("bbb", "bbbb", "bbbbb", "bba", "bab")}
    assert Surnames(lists).baselines == {"majority": 0.5, "letter bigrams": 1.0}
    log = Surnames(lists).bigrams
    np.testing.assert_allclose(np.exp(log).sum(-1), 1)
    a_after_a = sum(name.count("a") for name in Surnames(lists).training[0])
    assert a_after_a > 0
    assert math.exp(log[0, 0, 0]) > math.exp(log[1, 0, 0])


def test_the_lessons_example_is_a_name_that_only_the_pairs_of_letters_get_right() -> None:
    places = [26, *(ord(letter) - ord("a") for letter in "reynolds"), 26]
    pairs = sum(SURNAMES.bigrams[:, a, b] for a, b in itertools.pairwise(places))
    network = gru.load("names").readout.labels[gru.trace(gru.load("names"), "reynolds").y[-1].argmax()]
    english = SURNAMES.languages.index("English")
    assert ("reynolds", english) in SURNAMES.held_out_names
    assert (int(np.argmax(pairs)), network != "English") == (english, True)


@pytest.mark.parametrize("name", CELLS)
def test_a_card_has_the_accuracy_at_the_end_of_each_held_out_name(name: str) -> None:
    model = gru.load(name)
    pairs = SURNAMES.held_out_names[:300]
    right = [gru.trace(model, text).y[-1].argmax() == k for text, k in pairs]
    assert model.card.measured["accuracy"] == pytest.approx(np.mean(right), abs=0.08)
    for baseline, value in SURNAMES.baselines.items():
        assert model.card.measured[f"accuracy of {baseline}"] == pytest.approx(value, rel=1e-3)
        assert (baseline in model.card.summary.rpartition(". ")[2]) == (value >= model.card.measured["accuracy"])
    by_language = [model.card.measured[f"accuracy, {language}"] for language in SURNAMES.languages]
    shares = np.bincount([k for _, k in SURNAMES.held_out_names]) / len(SURNAMES.held_out_names)
    assert np.dot(by_language, shares) == pytest.approx(model.card.measured["accuracy"], abs=1e-3)


def test_the_penalty_on_z_costs_at_most_two_points() -> None:
    penalized, plain = (gru.load(name).card.measured["accuracy"] for name in ("names", "names-plain"))
    assert penalized >= plain - 0.02


@pytest.mark.parametrize("text", ["Mu\u0308ller-O’Neil", "MÜLLER O'NEIL", "m u l l e r o n e i l", "Müller. o‐neil"])
def test_accents_and_signs_are_left_out(text: str) -> None:
    assert "".join(Letters(tuple("eilmnoru")).tokens(text)) == "mulleroneil"


def test_other_scripts_and_digits_are_refused_where_they_stand(tmp_path: Path) -> None:
    model = gru.load("names")
    for text, step in (("abć1", 4), ("Ивано", 1), ("Weiß?", 6)):
        with pytest.raises(SequenceError) as refused:
            model.encoder.tokens(text)
        assert refused.value.step == step
    model.save(tmp_path / "copy.safetensors")
    assert gru.load(tmp_path / "copy.safetensors").encoder == model.encoder


def test_similar_moments_lie_inside_the_names() -> None:
    model, batch = gru.load("names"), fresh(PRESETS["names"].recipe)
    z = gru.trace(model, "rossi").layers[0].z[1:4, 0]
    moments = places_alike(model, z, "z", 0, batch)
    lengths = batch.x.any(-1).sum(0)
    assert moments.total == np.maximum(lengths - 2, 0).sum()
    assert all(place.t + 3 <= lengths[place.sequence] for place in moments.places)


def test_a_drawn_text_is_a_held_out_name() -> None:
    drawn = {ALL["names"].text(np.random.default_rng(seed), 4) for seed in range(20)}
    assert len(drawn) > 10
    assert drawn <= {name for name, _ in SURNAMES.held_out_names}


@pytest.mark.parametrize("name", CELLS)
def test_a_card_counts_which_list_the_network_takes_for_which(name: str) -> None:
    model, batch = gru.load(name), fresh(PRESETS["names"].recipe)
    outputs = model(batch.x)[batch.scored.T.argmax(1), np.arange(batch.x.shape[1])].argmax(-1)
    pairs = Counter(zip(batch.target[0].tolist(), outputs.tolist(), strict=True))
    counted = [[pairs[k, guess] for guess in range(12)] for k in range(12)]
    assert [list(row) for row in model.card.confusion] == counted
    for language, row, k in zip(SURNAMES.languages, counted, range(12), strict=True):
        assert model.card.measured[f"accuracy, {language}"] == pytest.approx(row[k] / sum(row), rel=1e-3)


def test_other_cards_and_older_files_have_no_confusion_matrix(tmp_path: Path) -> None:
    names = gru.load("names")
    names.save(tmp_path / "copy.safetensors")
    assert gru.load(tmp_path / "copy.safetensors").card == names.card
    assert gru.load("flip-flop").card.confusion == ()
    assert b"confusion" not in gru.load("flip-flop").to_bytes()


@pytest.mark.parametrize("rows", [((1,) * 11,) * 12, ((1,) * 12,) * 11, ((0.5,) * 12,) * 12, ((-1,) * 12,) * 12])
def test_an_uploaded_confusion_matrix_has_counts_for_each_label(rows: tuple[tuple[int, ...], ...]) -> None:
    model = gru.load("names")
    with pytest.raises(gru.formats.FormatError, match="confusion"):
        gru.formats.read(replace(model, card=replace(model.card, confusion=rows)).to_bytes(), "m.safetensors")


def test_the_card_says_how_many_slovak_names_have_a_related_training_name() -> None:
    held_out = [name for name, k in SURNAMES.held_out_names if SURNAMES.languages[k] == "Slovak"]
    training = SURNAMES.training[SURNAMES.languages.index("Slovak")]
    endings = re.compile("(e?[kc]|[aeiouy])?(ova)?$|[ya]$")  # removes the endings of a name's two forms; the stem stays
    stems = {endings.sub("", name) for name in training}
    known, total = map(int, re.findall(r"\d+", gru.load("names").card.training["related names"]))
    assert total == len(held_out)
    assert known == pytest.approx(sum(endings.sub("", name) in stems for name in held_out), rel=0.1)
