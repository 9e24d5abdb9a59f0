"""Simulation of color vision deficiencies, color differences, and contrasts.

The simulation is by Machado, Oliveira and Fernandes ("A Physiologically-based Model for Simulation of Color Vision
Deficiency", IEEE TVCG 15, 2009), with their matrices of severity 1.0 on linear RGB. The difference of two colors is
CIEDE2000 as in Sharma, Wu and Dalal ("The CIEDE2000 Color-Difference Formula", Color Research & Application 30, 2005).
The contrast is that of WCAG 2.2.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from math import atan2, copysign, cos, degrees, exp, hypot, radians, sin, sqrt

import numpy as np
from plotly.colors import sample_colorscale, unlabel_rgb

from gru_core.arrays import Array
from gru_core.cells.signals import Signal, Theme
from gru_core.runs.figures import colorscale

Lab = tuple[float, float, float]

MACHADO = {
    "none": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
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


def _linear(color: str) -> Array:
    """Convert a color, #rrggbb or rgb(…), to linear RGB, with each channel from 0 to 1."""
    rgb = bytes.fromhex(color[1:]) if color[0] == "#" else unlabel_rgb(color)
    share = np.array([*rgb]) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colors, from 1 to 21."""
    low, high = sorted(float(_linear(color) @ (0.2126, 0.7152, 0.0722)) for color in (first, second))
    return (high + 0.05) / (low + 0.05)


def on_scale(signal: Signal, values: Iterable[float], theme: Theme) -> list[str]:
    """Return the color of each value on the color scale of a signal."""
    places = [(value - signal.lowest) / (signal.highest - signal.lowest) for value in values]
    return list(sample_colorscale(colorscale(signal.scale, theme), places))


def least_difference(some: Iterable[str], others: Iterable[str], deficiency: str) -> float:
    """Return the smallest CIEDE2000 difference between a color in `some` and a color in `others`, with a deficiency."""
    first, second = ([simulated(color, deficiency) for color in colors] for colors in (some, others))
    return min(ciede2000(*pair) for pair in product(first, second))


def simulated(color: str, deficiency: str) -> Lab:
    """Return the CIELAB values of a color, #rrggbb or rgb(…), as people with this deficiency see it."""
    xyz = SRGB_TO_XYZ @ np.clip(MACHADO[deficiency] @ _linear(color), 0, 1) / SRGB_TO_XYZ.sum(1)
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
