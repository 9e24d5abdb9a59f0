"""The signals of a cell: their names, meanings and colors.

Each signal has one color. The colors are based on the set of Okabe and Ito, which people with color blindness can
tell apart. Gates have a sequential scale in their own hue. Signed values share one diverging scale, and its middle is
close to the color of the page. The scales are explicit arrays, because named scales such as "RdBu" run in opposite
directions in Python and JavaScript.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Theme = Literal["light", "dark"]
Colour = Mapping[Theme, str]
Scale = Mapping[Theme, tuple[str, ...]]


@dataclass(frozen=True)
class Signal:
    """A value that every unit has at every timestep.

    `symbol` is the signal's symbol in equations, and `name` its name. `lowest` and `highest` are the ends of its scale,
    and `low` and `high` are their meanings in words. `colour` is the color of the symbol in text, and `scale` has the
    colors of the values. `explanation` has one or two sentences. `explanation_pytorch` is the explanation for
    PyTorch's convention, in which z near 1 keeps the old state; it is "" if both conventions have the same explanation.
    `matters_with` is the name of another signal. If that signal is near 0, this signal has no effect and is dimmed.
    """

    symbol: str
    name: str
    low: str
    high: str
    lowest: float
    colour: Colour
    scale: Scale
    explanation: str = ""
    explanation_pytorch: str = ""
    matters_with: str | None = None
    highest: float = 1.0


GREEN: Colour = {"light": "#00704f", "dark": "#3ecba0"}
VERMILION: Colour = {"light": "#b04a00", "dark": "#ff9457"}
PURPLE: Colour = {"light": "#9c3f74", "dark": "#e79cc4"}
GOLD: Colour = {"light": "#7a6200", "dark": "#e3c34a"}
GREY: Colour = {"light": "#5a6068", "dark": "#b3b9c2"}
INDIGO: Colour = {"light": "#5a44b8", "dark": "#a99cf8"}
BLUE: Colour = {"light": "#005f9e", "dark": "#6bbcf0"}

GREENS: Scale = {
    "light": ("#eef6f2", "#b5dccb", "#5fbb98", "#009e73", "#00563f"),
    "dark": ("#22302c", "#15513f", "#0c7a5b", "#22b38a", "#9df0d6"),
}
VERMILIONS: Scale = {
    "light": ("#fbf1ea", "#f6cbaa", "#ea9455", "#d55e00", "#7d3400"),
    "dark": ("#33271f", "#66330f", "#a34a06", "#ee7a24", "#ffcda8"),
}
GOLDS: Scale = {
    "light": ("#f8f3df", "#ead79a", "#d1b24a", "#a98a12", "#5c4a00"),
    "dark": ("#302b1c", "#54460f", "#7f6a10", "#bd9f2a", "#f3dd8c"),
}
GREYS: Scale = {
    "light": ("#f2f2f1", "#d0d2d4", "#a5a9ae", "#757b82", "#3a3f45"),
    "dark": ("#2a2c2f", "#474b50", "#6c7178", "#9aa0a8", "#dcdfe3"),
}
DIVERGING: Scale = {
    "light": ("#7f3b08", "#b35c12", "#e3a35c", "#f7f4ee", "#8dbbe0", "#2f78b7", "#083f7a"),
    "dark": ("#ffd29a", "#e08e36", "#75491b", "#22262c", "#1e4f80", "#4a9be0", "#b5ddff"),
}
