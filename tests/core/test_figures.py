"""The colors of figures, as seen with color vision deficiencies, and figures outside the page."""

from __future__ import annotations

import json
from functools import partial
from itertools import combinations, product
from math import atan2

import numpy as np
import plotly.graph_objects as go
import pytest
from plotly.colors import sample_colorscale

import gru_core as gru
from gru_core.cells.gru import SIGNALS
from gru_core.cells.registry import CELLS
from gru_core.cells.signals import DIVERGING, Theme
from gru_core.runs.figures import (
    by_theme,
    colorscale,
    confusion_heatmap,
    fill,
    forecast_lines,
    heatmaps,
    standalone,
    tape_pictures,
)
from tests.support.vision import MACHADO, Lab, ciede2000, simulated


@pytest.mark.parametrize(
    ("first", "second", "difference"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, -0.001, 2.49), (50, 0.0011, -2.49), 4.7461),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, 2.5, 0), (56, -27, -3), 31.9030),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_ciede2000_gives_the_published_differences(first: Lab, second: Lab, difference: float) -> None:
    assert ciede2000(first, second) == pytest.approx(difference, abs=5e-5)
    assert ciede2000(second, first) == pytest.approx(difference, abs=5e-5)


@pytest.mark.parametrize("deficiency", MACHADO)
def test_the_simulation_does_not_change_grays(deficiency: str) -> None:
    for gray, lightness in (("#000000", 0), ("#777777", 50.03), ("#ffffff", 100)):
        np.testing.assert_allclose(simulated(gray, deficiency), (lightness, 0, 0), atol=0.01)


def test_the_simulation_confuses_the_colors_of_the_missing_cone() -> None:
    # This red has the lightness L* = 53. Only protanopia makes it look darker.
    assert simulated("#ff0000", "protanopia")[0] < 42
    assert simulated("#ff0000", "deuteranopia")[0] > 53
    hue = {
        deficiency: [atan2(b, a) for _, a, b in (simulated("#ff0000", deficiency), simulated("#00ff00", deficiency))]
        for deficiency in MACHADO
    }
    assert {deficiency for deficiency, (red, green) in hue.items() if abs(red - green) < 0.05} == {
        "protanopia",
        "deuteranopia",
    }
    green_and_blue = {
        deficiency: ciede2000(simulated("#009e73", deficiency), simulated("#0072b2", deficiency))
        for deficiency in MACHADO
    }
    assert {deficiency for deficiency, difference in green_and_blue.items() if difference < 20} == {"tritanopia"}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("deficiency", MACHADO)
def test_a_value_and_its_negative_have_distinct_colors(deficiency: str, theme: Theme) -> None:
    for x in (0.5, 1.0):
        colors = sample_colorscale(colorscale(DIVERGING, theme), [(1 - x) / 2, (1 + x) / 2])
        minus, plus = (simulated(color, deficiency) for color in colors)
        assert ciede2000(minus, plus) >= 15


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("deficiency", MACHADO)
def test_the_signals_have_distinct_colors(deficiency: str, theme: Theme) -> None:
    """Signals may differ less than color scales do, because each color appears next to the signal's symbol."""
    for first, second in combinations((style.color[theme] for style in SIGNALS.values()), 2):
        assert ciede2000(simulated(first, deficiency), simulated(second, deficiency)) >= 5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("deficiency", MACHADO)
def test_an_open_update_gate_and_a_positive_state_have_distinct_colors(deficiency: str, theme: Theme) -> None:
    scales = [colorscale(SIGNALS["z"].scale, theme), colorscale(DIVERGING, theme)]
    for z, h in product((0.75, 1.0), repeat=2):
        (gate,), (state,) = sample_colorscale(scales[0], [z]), sample_colorscale(scales[1], [(1 + h) / 2])
        assert ciede2000(simulated(gate, deficiency), simulated(state, deficiency)) >= 15


def test_plotly_accepts_every_figure_of_the_page_and_adds_nothing() -> None:
    themes: tuple[Theme, ...] = ("light", "dark")
    pictures = [tape_pictures(cell.signals, theme) for cell in CELLS.values() for theme in themes]
    figures = [by_theme(partial(heatmaps, cell.signals)) for cell in CELLS.values()]
    for group in (by_theme(forecast_lines), by_theme(confusion_heatmap), *figures, *pictures):
        for figure in group.values():
            assert json.loads(go.Figure(figure).to_json()) == json.loads(json.dumps(figure))


def test_a_standalone_figure_has_axes_a_color_bar_and_numbers() -> None:
    trace = gru.trace(gru.load("sentiment"), "not very bad . good")
    themes: tuple[Theme, ...] = ("light", "dark")
    for theme in themes:
        figure = fill(standalone(SIGNALS, theme), trace.layers[-1], trace.tokens, "a <b> & c")
        assert figure.layout.title.text == "a &lt;b&gt; &amp; c"
        assert list(figure.layout.xaxis.ticktext) == ["not<br>1", "very<br>2", "bad<br>3", ".<br>4", "good<br>5"]
        for picture in figure.data:
            values = getattr(trace, picture.name)
            np.testing.assert_array_equal(picture.z, values.T)
            numbers = [[float(text.replace("−", "-")) for text in row] for row in picture.text]
            np.testing.assert_allclose(numbers, values.T, atol=0.00501)
            assert len(picture.colorbar.ticktext) == 2
    trace = gru.trace(gru.load("sentiment"), "good " * 200)
    (alone,) = fill(standalone({"z": SIGNALS["z"]}, "light"), trace.layers[-1], trace.tokens, "long").data
    assert alone.text is None
    np.testing.assert_array_equal(alone.y, range(1, 9))
