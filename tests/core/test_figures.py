"""The colors of figures, as people with color vision deficiencies see them.

The simulation is by Machado, Oliveira and Fernandes ("A Physiologically-based Model for Simulation of Color Vision
Deficiency", IEEE TVCG 15, 2009), with their matrices of severity 1.0 on linear RGB. The difference of two colors is
CIEDE2000 as in Sharma, Wu and Dalal ("The CIEDE2000 Color-Difference Formula", Color Research & Application 30, 2005).
"""

from __future__ import annotations

from itertools import combinations
from math import atan2, copysign, cos, degrees, exp, hypot, radians, sin, sqrt

import numpy as np
import pytest
from plotly.colors import sample_colorscale, unlabel_rgb

import gru_core as gru
from gru_core.arrays import Array
from gru_core.cells.gru import SIGNALS
from gru_core.cells.signals import DIVERGING, Theme
from gru_core.runs.figures import colorscale, fill, standalone

Lab = tuple[float, float, float]

MACHADO = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
SRGB_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])  # IEC 61966-2-1


def simulated(color: str, deficiency: str) -> Lab:
    """Return the CIELAB of a color, #rrggbb or rgb(…), as people with this deficiency see it."""
    rgb = bytes.fromhex(color[1:]) if color[0] == "#" else unlabel_rgb(color)
    share = np.array([*rgb]) / 255
    linear: Array = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    xyz = SRGB_TO_XYZ @ np.clip(MACHADO[deficiency] @ linear, 0, 1) / SRGB_TO_XYZ.sum(1)
    x, y, z = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def ciede2000(first: Lab, second: Lab) -> float:
    """Return the CIEDE2000 difference of two colors."""
    (L1, a1, b1), (L2, a2, b2) = first, second

    def saturation(C: float) -> float:
        return sqrt(C**7 / (C**7 + 25**7))

    stretch = 1.5 - 0.5 * saturation((hypot(a1, b1) + hypot(a2, b2)) / 2)
    C1, C2 = hypot(stretch * a1, b1), hypot(stretch * a2, b2)
    h1, h2 = (degrees(atan2(b, stretch * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    dh, h = h2 - h1, (h1 + h2) / 2
    if C1 * C2 == 0:
        dh, h = 0, h1 + h2
    elif abs(dh) > 180:
        dh, h = dh - copysign(360, dh), h + copysign(180, 180 - h)
    L, C = (L1 + L2) / 2, (C1 + C2) / 2
    T = 1 + sum(
        weight * cos(radians(times * h + turn))
        for weight, times, turn in ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.20, 4, -63))
    )
    dL = (L2 - L1) / (1 + 0.015 * (L - 50) ** 2 / sqrt(20 + (L - 50) ** 2))
    dC = (C2 - C1) / (1 + 0.045 * C)
    dH = 2 * sqrt(C1 * C2) * sin(radians(dh / 2)) / (1 + 0.015 * C * T)
    rotation = -2 * saturation(C) * sin(radians(60 * exp(-(((h - 275) / 25) ** 2))))
    return sqrt(dL**2 + dC**2 + dH**2 + rotation * dC * dH)


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
    for grey, lightness in (("#000000", 0), ("#777777", 50.03), ("#ffffff", 100)):
        np.testing.assert_allclose(simulated(grey, deficiency), (lightness, 0, 0), atol=0.01)


def test_the_simulation_confuses_the_colors_of_the_missing_cone() -> None:
    # Only people with protanopia see this red darker than its L* of 53.
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
    """The limit is lower than on a scale, since each color stands next to the symbol of its signal."""
    for first, second in combinations((style.colour[theme] for style in SIGNALS.values()), 2):
        assert ciede2000(simulated(first, deficiency), simulated(second, deficiency)) >= 5


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
