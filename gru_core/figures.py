"""The Plotly figures and their colours, defined once for page, notebook and export.

One colour per signal, from the set of Okabe and Ito that colour-blind eyes tell apart. Gates are
drawn on a sequential scale in their own hue, signed values on one diverging scale whose middle is
the page itself: where nothing is, nothing shows. The scales are explicit arrays because names such
as "RdBu" run opposite ways in Python and JavaScript.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from gru_core.trace import Trace

Theme = Literal["light", "dark"]


@dataclass(frozen=True)
class SignalStyle:
    """How a signal is named, what its ends mean, and how it is coloured in each theme."""

    symbol: str
    name: str
    low: str
    high: str
    lowest: float
    colour: dict[Theme, str]
    scale: dict[Theme, tuple[str, ...]]


_DIVERGING: dict[Theme, tuple[str, ...]] = {
    "light": ("#7f3b08", "#b35c12", "#e3a35c", "#f7f4ee", "#8dbbe0", "#2f78b7", "#083f7a"),
    "dark": ("#ffd29a", "#e08e36", "#75491b", "#22262c", "#1e4f80", "#4a9be0", "#b5ddff"),
}

_PAPER: dict[Theme, str] = {"light": "253, 252, 249", "dark": "22, 25, 30"}

SIGNALS: dict[str, SignalStyle] = {
    "r": SignalStyle(
        "r", "Reset gate", "ignore past", "use past", 0.0,
        {"light": "#00704f", "dark": "#3ecba0"},
        {
            "light": ("#eef6f2", "#b5dccb", "#5fbb98", "#009e73", "#00563f"),
            "dark": ("#22302c", "#15513f", "#0c7a5b", "#22b38a", "#9df0d6"),
        },
    ),
    "z": SignalStyle(
        "z", "Update gate", "keep old", "take candidate", 0.0,
        {"light": "#b04a00", "dark": "#ff9457"},
        {
            "light": ("#fbf1ea", "#f6cbaa", "#ea9455", "#d55e00", "#7d3400"),
            "dark": ("#33271f", "#66330f", "#a34a06", "#ee7a24", "#ffcda8"),
        },
    ),
    "h_tilde": SignalStyle(
        "h̃", "Candidate", "−1", "+1", -1.0, {"light": "#9c3f74", "dark": "#e79cc4"}, _DIVERGING
    ),
    "h": SignalStyle(
        "h", "Hidden state", "−1", "+1", -1.0, {"light": "#005f9e", "dark": "#6bbcf0"}, _DIVERGING
    ),
}  # fmt: skip


def colorscale(signal: str, theme: Theme) -> list[list[float | str]]:
    """The signal's scale as Plotly takes it: places from 0 to 1, each with its colour."""
    colours = SIGNALS[signal].scale[theme]
    return [[i / (len(colours) - 1), colour] for i, colour in enumerate(colours)]


def heatmap(signal: str, theme: Theme) -> go.Figure:
    """One signal's heatmap without its data: units down, steps right, no axes, nothing around it.

    Each trace is filled with the signal that its name says. Over r lies a veil of z: where z is
    small the candidate is not taken, and what r did to it does not matter.
    """
    import plotly.graph_objects as go

    style = SIGNALS[signal]
    plain = {"showscale": False, "hoverinfo": "skip", "zsmooth": False, "zmax": 1}
    figure = go.Figure(go.Heatmap(name=signal, zmin=style.lowest, colorscale=colorscale(signal, theme), **plain))
    if signal == "r":
        paper = _PAPER[theme]
        veil = [[0, f"rgba({paper}, 0.72)"], [0.3, f"rgba({paper}, 0)"], [1, f"rgba({paper}, 0)"]]
        figure.add_trace(go.Heatmap(name="z", zmin=0, colorscale=veil, **plain))
    axis = {"visible": False, "fixedrange": True}
    figure.update_layout(
        template="none", margin={"l": 0, "r": 0, "t": 0, "b": 0}, xaxis=axis,
        yaxis=axis | {"autorange": "reversed"}, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
    )  # fmt: skip
    return figure


def trace_figure(trace: Trace, theme: Theme = "light") -> go.Figure:
    """The top layer's r, z, h̃ and h as four heatmaps over one time axis, with their scales."""
    from plotly.subplots import make_subplots

    T, H = trace.h.shape
    titles = [f"{style.name} {style.symbol}" for style in SIGNALS.values()]
    figure = make_subplots(rows=len(SIGNALS), cols=1, shared_xaxes=True, vertical_spacing=0.08, subplot_titles=titles)
    tokens = trace.tokens or [""] * T
    for row, signal in enumerate(SIGNALS, 1):
        for picture in heatmap(signal, theme).data:
            picture.update(x=list(range(1, T + 1)), y=list(range(1, H + 1)), z=getattr(trace, picture.name).T)
            if picture.name == signal:
                hover = f"t = %{{x}} '%{{text}}', unit %{{y}}: {signal} = %{{z:.3f}}<extra></extra>"
                picture.update(text=[tokens] * H, hoverinfo=None, hovertemplate=hover)
            figure.add_trace(picture, row=row, col=1)
        figure.update_yaxes(autorange="reversed", title="unit", dtick=max(1, H // 4), row=row, col=1)
    figure.update_xaxes(
        tickvals=list(range(1, T + 1)), ticktext=[f"{token}<br>{t}" for t, token in enumerate(tokens, 1)],
        row=len(SIGNALS), col=1,
    )  # fmt: skip
    figure.update_layout(template="none", height=140 * len(SIGNALS) + 60, margin={"l": 60, "r": 20, "t": 40, "b": 50})
    return figure


def page_figures() -> dict[str, Any]:
    """Every heatmap's skeleton by signal and theme, as JSON can carry it."""
    themes: tuple[Theme, ...] = ("light", "dark")
    return {s: {theme: heatmap(s, theme).to_plotly_json() for theme in themes} for s in SIGNALS}
