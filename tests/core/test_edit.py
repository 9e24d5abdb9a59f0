"""Edits of single weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import gru_core as gru
from gru_core import Edit
from gru_core.cells.gru import GATES
from tests.support.networks import stacked


def test_an_edit_changes_only_its_weight() -> None:
    model = stacked()
    before = {name: array.copy() for name, array in model.parameters.items()}
    places = [
        (Edit(0, "r", 1, "W", 8, 2.5), "layers.0.W", (1, 8)),
        (Edit(0, "z", 3, "U", 0, -2.5), "layers.0.U", (7, 0)),
        (Edit(1, "h_tilde", 5, "b", None, 0.5), "layers.1.b", (17,)),
        (Edit(1, "h_tilde", 4, "c", None, 1e3), "layers.1.c_h", (4,)),
    ]
    after = model.edited([edit for edit, _, _ in places]).parameters
    for edit, name, place in places:
        assert after[name][place] == edit.value
    changed = {name: int((after[name] != before[name]).sum()) for name in before}
    assert {name: n for name, n in changed.items() if n} == {name: 1 for _, name, _ in places}
    assert all((model.parameters[name] == before[name]).all() for name in before)


@pytest.mark.parametrize("gate", GATES)
def test_an_edit_changes_the_sum_of_the_gate_by_its_product(gate: str) -> None:
    model = gru.load("sentiment")
    W = np.split(model.layers[0].W, 3)[GATES.index(gate)][2, 3]
    edited, original = gru.twin(model, "bad film", edits=[Edit(0, gate, 2, "W", 3, W + 0.5)])
    for step, change in ((0, 0.5), (1, 0.0)):
        Wx = [trace.layers[0].Wx[gate][step, 2] for trace in (edited, original)]
        assert Wx[0] - Wx[1] == pytest.approx(change)
    assert edited.model.encoder is model.encoder
    assert original.model is model


def test_the_last_edit_of_a_weight_is_used() -> None:
    edits = [Edit(0, "z", 0, "b", None, value) for value in (1.0, -1.0)]
    assert gru.load("flip-flop").edited(edits).layers[0].b[1] == -1


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda: Edit(0, "q", 0, "b", None, 0.0), "there is no gate 'q' with weights: choose one of r, z, h_tilde"),
        (lambda: Edit(0, "h_prev", 0, "b", None, 0.0), "there is no gate 'h_prev' with weights"),
        (lambda: Edit(0, "z", 0, "V", None, 0.0), "there is no part 'V' of a sum: choose one of W, U, b, c"),
        (lambda: Edit(0, "z", 0, "c", None, 0.0), "z has no bias c: only h_tilde has one"),
        (lambda: Edit(0, "z", 0, "b", 0, 0.0), "b has no index"),
        (lambda: Edit(0, "z", 0, "W", None, 0.0), "W needs an index"),
        (lambda: Edit(0, "z", 0, "b", None, float("nan")), "a weight cannot be nan: choose from -1,000 to 1,000"),
        (lambda: Edit(0, "z", 0, "b", None, -1000.5), "a weight cannot be -1000.5: choose from -1,000 to 1,000"),
        (lambda: Edit(2, "z", 0, "b", None, 0.0), "layer 3 is not in this model: choose from 1 to 2"),
        (lambda: Edit(0, "z", 4, "b", None, 0.0), "unit 5 is not in this layer: choose from 1 to 4"),
        (lambda: Edit(0, "z", -1, "b", None, 0.0), "unit 0 is not in this layer: choose from 1 to 4"),
        (lambda: Edit(0, "z", 0, "W", 9, 0.0), "index 10 is not in W: choose from 1 to 9"),
        (lambda: Edit(1, "z", 0, "U", -1, 0.0), "index 0 is not in U: choose from 1 to 6"),
        (lambda: Edit(0, "h_tilde", 0, "c", None, 0.0), "this layer has no bias c: its reset gate acts before"),
    ],
)
def test_the_error_for_a_bad_edit_has_the_allowed_values(edit: Callable[[], Edit], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stacked().edited([edit()])
