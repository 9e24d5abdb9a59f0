"""Like moments, held to a search by hand, and to what was taught."""

from __future__ import annotations

import numpy as np
import pytest

import gru_core as gru
from gru_core.presets.recipes import PRESETS, fresh
from gru_core.runs.moments import places_alike, units_alike


@pytest.mark.parametrize(
    ("name", "sequence", "signal", "unit", "steps"),
    [
        ("flip-flop", "A x x B x", "z", 0, slice(3, 5)),
        ("sentiment", "the film was not good .", "h", 4, slice(3, 5)),
        ("pocket-calculator", "=0.3 +0.2 0.1 =-0.2", "r", 0, slice(0, 2)),
        ("store-and-recall-lstm", "A b c ? B d ?", "c", 1, slice(0, 3)),
    ],
)
def test_the_places_are_those_that_a_search_by_hand_finds(
    name: str, sequence: str, signal: str, unit: int, steps: slice
) -> None:
    model = gru.load(name)
    wanted = getattr(gru.trace(model, sequence), signal)[steps, unit]
    batch = fresh(PRESETS[model.card.task].recipe).first(40)
    style = model.layers[0].signals[signal]
    scale = style.highest - style.lowest
    by_hand = []
    for b in range(40):
        h = getattr(gru.trace(model, batch.x[:, b]), signal)[:, unit]
        for t in range(len(h) - len(wanted) + 1):
            gap = np.abs(h[t : t + len(wanted)] - wanted).max() / scale
            if gap <= 0.1:
                by_hand.append((b, t, gap))
    found = places_alike(model, wanted, signal, unit, batch, most=10**6)
    assert found.count == len(by_hand)
    assert found.total == 40 * (20 - len(wanted) + 1)
    assert {(one.sequence, one.t) for one in found.places} == {(b, t) for b, t, _ in by_hand}
    gaps = [one.gap for one in found.places]
    assert gaps == sorted(gaps)
    np.testing.assert_allclose(gaps, sorted(gap for _, _, gap in by_hand), atol=1e-9)


def test_what_they_have_in_common_is_what_the_unit_was_taught() -> None:
    model = gru.load("sentiment")
    at_not = gru.trace(model, "the film was not good .").z[3:4, 0]
    found = places_alike(model, at_not, "z", 0, fresh(PRESETS["sentiment"].recipe))
    best = found.common[0]
    assert (best.step, best.what) == (0, "“not”")
    assert best.share > 0.99
    batch = fresh(PRESETS["sentiment"].recipe)
    place = model.encoder.alphabet.index("not")
    assert best.elsewhere == pytest.approx(batch.x[..., place].mean())


def test_units_that_do_the_same_or_the_opposite_are_found() -> None:
    """A copy of a unit is alike, and one that is negated is its mirror image."""
    model = gru.load("store-and-recall")
    run = gru.trace(model, "A b c ? B d ?").layers[0]
    found = units_alike(run, "h", 0, slice(0, 3))
    h = run.h[:3]
    by_hand = {
        (unit, sign < 0)
        for unit in range(1, 4)
        for sign in (1, -1)
        if np.abs(h[:, unit] - sign * h[:, 0]).max() / 2 <= 0.1
    }
    assert {(one.unit, one.mirrored) for one in found} == by_hand
    assert by_hand
    flipped = gru.trace(model.negate_unit(0, found[0].unit), "A b c ? B d ?").layers[0]
    turned = {one.unit: one.mirrored for one in units_alike(flipped, "h", 0, slice(0, 3))}
    assert turned[found[0].unit] is not found[0].mirrored
    assert all(not one.mirrored for one in units_alike(run, "z", 0, slice(0, 3), near=1.0))


def test_what_cannot_be_looked_for_is_refused() -> None:
    model = gru.load("flip-flop")
    batch = fresh(PRESETS["flip-flop"].recipe).first(2)
    with pytest.raises(ValueError, match="no c; its signals are r, z, h_tilde, h"):
        places_alike(model, np.zeros(1), "c", 0, batch)
    with pytest.raises(ValueError, match="is too long: the held-out sequences have 20 steps"):
        places_alike(model, np.zeros(21), "z", 0, batch)
