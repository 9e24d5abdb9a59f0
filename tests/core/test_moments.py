"""Similar moments, compared with a brute-force search and with the model's task."""

from __future__ import annotations

import numpy as np
import pytest

import gru_core as gru
from gru_core.presets.recipes import PRESETS, fresh
from gru_core.runs.moments import places_alike, units_alike


@pytest.mark.parametrize(
    ("name", "sequence", "signal", "unit", "steps"),
    [
        ("flip-flop", "A m m B m", "z", 0, slice(3, 5)),
        ("sentiment", "the film was not good .", "h", 4, slice(3, 5)),
        ("pocket-calculator", "=0.3 +0.2 0.1 =-0.2", "r", 0, slice(0, 2)),
        ("store-and-recall-lstm", "A b c ? B d ?", "c", 1, slice(0, 3)),
    ],
)
def test_similar_moments_equal_a_search_by_hand(name: str, sequence: str, signal: str, unit: int, steps: slice) -> None:
    model = gru.load(name)
    pattern = getattr(gru.trace(model, sequence), signal)[steps, unit]
    batch = fresh(PRESETS[model.card.task].recipe).first(40)
    style = model.layers[0].signals[signal]
    scale = style.highest - style.lowest
    by_hand = []
    for b in range(40):
        h = getattr(gru.trace(model, batch.x[:, b]), signal)[:, unit]
        for t in range(len(h) - len(pattern) + 1):
            gap = np.abs(h[t : t + len(pattern)] - pattern).max() / scale
            if gap <= 0.1:
                by_hand.append((b, t, gap))
    moments = places_alike(model, pattern, signal, unit, batch, most=10**6)
    assert moments.count == len(by_hand)
    assert moments.total == 40 * (20 - len(pattern) + 1)
    assert {(place.sequence, place.t) for place in moments.places} == {(b, t) for b, t, _ in by_hand}
    gaps = [place.gap for place in moments.places]
    assert gaps == sorted(gaps)
    np.testing.assert_allclose(gaps, sorted(gap for _, _, gap in by_hand), atol=1e-9)


def test_similar_moments_of_a_sentiment_unit_share_the_word_not() -> None:
    model = gru.load("sentiment")
    at_not = gru.trace(model, "the film was not good .").z[3:4, 0]
    moments = places_alike(model, at_not, "z", 0, fresh(PRESETS["sentiment"].recipe))
    best = moments.common[0]
    assert (best.step, best.what) == (0, "“not”")
    assert best.share > 0.99
    batch = fresh(PRESETS["sentiment"].recipe)
    place = model.encoder.alphabet.index("not")
    assert best.elsewhere == pytest.approx(batch.x[..., place].mean())


def test_units_with_the_same_or_the_mirrored_pattern_are_listed() -> None:
    """A unit may have the same pattern as another unit, or the mirrored pattern, with the opposite sign."""
    model = gru.load("store-and-recall")
    run = gru.trace(model, "A b c ? B d ?").layers[0]
    units = units_alike(run, "h", 0, slice(0, 3))
    h = run.h[:3]
    by_hand = {
        (unit, sign < 0)
        for unit in range(1, 4)
        for sign in (1, -1)
        if np.abs(h[:, unit] - sign * h[:, 0]).max() / 2 <= 0.1
    }
    assert {(similar.unit, similar.mirrored) for similar in units} == by_hand
    assert by_hand
    flipped = gru.trace(model.negate_unit(0, units[0].unit), "A b c ? B d ?").layers[0]
    mirrored = {similar.unit: similar.mirrored for similar in units_alike(flipped, "h", 0, slice(0, 3))}
    assert mirrored[units[0].unit] is not units[0].mirrored
    assert all(not similar.mirrored for similar in units_alike(run, "z", 0, slice(0, 3), near=1.0))


def test_a_search_for_a_missing_signal_or_a_long_pattern_is_refused() -> None:
    model = gru.load("flip-flop")
    batch = fresh(PRESETS["flip-flop"].recipe).first(2)
    with pytest.raises(ValueError, match="no c; its signals are r, z, h_tilde, h"):
        places_alike(model, np.zeros(1), "c", 0, batch)
    with pytest.raises(ValueError, match="is too long: the held-out sequences have 20 steps"):
        places_alike(model, np.zeros(21), "z", 0, batch)
