"""The signals of a cell: their names, meanings and colors.

Each signal has one color. The colors are based on the palette of Okabe and Ito, which people with color blindness can
tell apart. Each gate has a sequential scale in its own hue, which ends in a bright color. Signed values share one
diverging scale, from a dull brown to blue. The middle of that scale is close to the page's background color. An open
gate and a negative value have different colors for every kind of color vision. The scales are explicit arrays, because
named scales such as "RdBu" run in opposite directions in Python and JavaScript.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = get_args(Theme)
Color = Mapping[Theme, str]
Scale = Mapping[Theme, tuple[str, ...]]


@dataclass(frozen=True)
class Signal:
    """A value that every unit has at every timestep.

    `symbol` is the signal's symbol in equations, and `name` its name. `lowest` and `highest` are the ends of its scale,
    and `low` and `high` are their meanings in words. `color` is the color of the symbol in text, and `scale` has the
    colors of the values. `explanation` has one or two sentences. `explanation_pytorch` is the explanation for
    PyTorch's convention, in which z near 1 keeps the old state; it is "" if both conventions have the same explanation.
    """

    symbol: str
    name: str
    low: str
    high: str
    lowest: float
    color: Color
    scale: Scale
    explanation: str = ""
    explanation_pytorch: str = ""
    highest: float = 1.0


GREEN: Color = {"light": "#00704f", "dark": "#3ecba0"}
VERMILION: Color = {"light": "#b04a00", "dark": "#ff9457"}
PURPLE: Color = {"light": "#9c3f74", "dark": "#e79cc4"}
GOLD: Color = {"light": "#7a6200", "dark": "#e3c34a"}
GRAY: Color = {"light": "#5a6068", "dark": "#b3b9c2"}
INDIGO: Color = {"light": "#5a44b8", "dark": "#a99cf8"}
BLUE: Color = {"light": "#005f9e", "dark": "#6bbcf0"}

SLATE: Color = {"light": "#5a6068", "dark": "#d5d8de"}
COPPER: Color = {"light": "#b25900", "dark": "#ffb04d"}
PLUM: Color = {"light": "#661a40", "dark": "#e85ca6"}
"""SLATE, COPPER, PLUM and BLUE are the cells' colors in comparisons. Each pair differs for every color vision."""

GREENS: Scale = {
    "light": ("#eef6f2", "#b5dccb", "#5fbb98", "#009e73", "#007a5a"),
    "dark": ("#22302c", "#15513f", "#0c7a5b", "#13957a", "#3cd6ba"),
}
VERMILIONS: Scale = {
    "light": ("#fdf3ea", "#fbcda6", "#f2a061", "#e5771c", "#d95f00"),
    "dark": ("#33271f", "#66330f", "#a34a06", "#d64a08", "#ff6b10"),
}
GOLDS: Scale = {
    "light": ("#f8f3df", "#eedd9c", "#dcbd4c", "#c4a013", "#ae8a00"),
    "dark": ("#302b1c", "#54460f", "#867206", "#aa9b00", "#c4b700"),
}
GRAYS: Scale = {
    "light": ("#f2f2f1", "#d0d2d4", "#a5a9ae", "#757b82", "#3a3f45"),
    "dark": ("#2a2c2f", "#474b50", "#6c7178", "#9aa0a8", "#dcdfe3"),
}
DIVERGING: Scale = {
    "light": ("#4a2508", "#6f4219", "#b58a60", "#f7f4ee", "#8dbbe0", "#2f78b7", "#083f7a"),
    "dark": ("#ffc49c", "#d5a276", "#6f5230", "#22262c", "#1e4f80", "#4a9be0", "#b5ddff"),
}
