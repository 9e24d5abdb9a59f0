"""Colors that must differ for every type of color vision, in both themes, and the contrast of text."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from gru_core.arrays import Array
from gru_core.cells.registry import CELLS
from gru_core.cells.signals import Signal, Theme
from gru_core.runs.figures import PAPER
from tests.support.vision import MACHADO, contrast, least_difference, on_scale, simulated

THEMES: tuple[Theme, ...] = ("light", "dark")

STATE = CELLS["gru"].signals["h"]

GATES = {
    name: signal
    for cell in CELLS.values()
    for name, signal in cell.signals.items()
    if signal.scale is not STATE.scale and signal.lowest == 0
}
"""The gates of all cells by name. Their color scales differ from the scale of states."""


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("vision", MACHADO)
@pytest.mark.parametrize("gate", GATES)
def test_an_open_gate_and_a_negative_state_have_different_colors(gate: str, vision: str, theme: Theme) -> None:
    """The test compares the colors of gates from 0.8 to 1 with the colors of states from −1 to −0.7."""
    is_open = on_scale(GATES[gate], np.linspace(0.8, 1, 5), theme)
    assert least_difference(is_open, on_scale(STATE, np.linspace(-1, -0.7, 7), theme), vision) >= 9


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("vision", MACHADO)
def test_every_two_cells_have_different_colors_and_dashes(vision: str, theme: Theme) -> None:
    for first, second in combinations(CELLS.values(), 2):
        assert least_difference([first.color[theme]], [second.color[theme]], vision) >= 12
        assert first.dash != second.dash


@pytest.mark.parametrize("theme", THEMES)
def test_names_of_signals_and_cells_can_be_read(theme: Theme) -> None:
    colors = [cell.color for cell in CELLS.values()]
    colors += [signal.color for cell in CELLS.values() for signal in cell.signals.values()]
    for color in colors:
        assert contrast(color[theme], PAPER[theme]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_a_scale_grows_steadily_in_lightness(theme: Theme) -> None:
    """On a gate's scale, lightness only rises or only falls. On the state's scale, this holds from 0 to each end."""

    def lightness(signal: Signal, values: Array) -> Array:
        return np.array([simulated(color, "none")[0] for color in on_scale(signal, values, theme)])

    up = 1 if theme == "dark" else -1
    for gate in GATES.values():
        assert (np.diff(lightness(gate, np.linspace(0, 1, 11))) * up > 0).all()
    for sign in (-1, 1):
        assert (np.diff(lightness(STATE, sign * np.linspace(0, 1, 11))) * up > 0).all()
