"""The Plotly figures and their colours, defined once for page, notebook and export.

One colour per signal, from the set of Okabe and Ito that colour-blind eyes tell apart. Gates are
drawn on a sequential scale in their own hue, signed values on one diverging scale whose middle is
the page itself: where nothing is, nothing shows. The scales are explicit arrays because names such
as "RdBu" run opposite ways in Python and JavaScript.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from gru_core.trace import Trace

Theme = Literal["light", "dark"]


@dataclass(frozen=True)
class SignalStyle:
    """How a signal is named and explained, what its ends mean, and how it is coloured in each theme.

    `about_pytorch` says the same as `about` where z is named the other way; it is empty where nothing changes.
    """

    symbol: str
    name: str
    low: str
    high: str
    lowest: float
    colour: dict[Theme, str]
    scale: dict[Theme, tuple[str, ...]]
    about: str
    about_pytorch: str = ""


_DIVERGING: dict[Theme, tuple[str, ...]] = {
    "light": ("#7f3b08", "#b35c12", "#e3a35c", "#f7f4ee", "#8dbbe0", "#2f78b7", "#083f7a"),
    "dark": ("#ffd29a", "#e08e36", "#75491b", "#22262c", "#1e4f80", "#4a9be0", "#b5ddff"),
}

VEIL: dict[str, Any] = {"paper": {"light": (253, 252, 249), "dark": (22, 25, 30)}, "alpha": 0.72, "until": 0.3}
"""What dims r: the page's own colour, `alpha` of it at z = 0, falling to none at z = `until`."""

INK: dict[Theme, tuple[str, str]] = {"light": ("#1d2126", "#5b5f66"), "dark": ("#e6e4df", "#a3a6ab")}
"""Of what is written on the paper: the text, and what is beside it."""

PANEL = 0.78
"""Of a signal's share of a standalone figure, the picture; above the next one stands its name."""

SIGNALS: dict[str, SignalStyle] = {
    "r": SignalStyle(
        "r", "Reset gate", "ignore past", "use past", 0.0,
        {"light": "#00704f", "dark": "#3ecba0"},
        {
            "light": ("#eef6f2", "#b5dccb", "#5fbb98", "#009e73", "#00563f"),
            "dark": ("#22302c", "#15513f", "#0c7a5b", "#22b38a", "#9df0d6"),
        },
        "How much of the old state the candidate sees; dimmed where it does not matter, since no candidate is taken.",
    ),
    "z": SignalStyle(
        "z", "Update gate", "keep old", "take candidate", 0.0,
        {"light": "#b04a00", "dark": "#ff9457"},
        {
            "light": ("#fbf1ea", "#f6cbaa", "#ea9455", "#d55e00", "#7d3400"),
            "dark": ("#33271f", "#66330f", "#a34a06", "#ee7a24", "#ffcda8"),
        },
        "How much of the candidate is taken: near 0 the old state is kept, near 1 it is replaced.",
        "How much of the old state is kept: near 1 it is kept, near 0 the candidate replaces it.",
    ),
    "h_tilde": SignalStyle(
        "h̃", "Candidate", "−1", "+1", -1.0, {"light": "#9c3f74", "dark": "#e79cc4"}, _DIVERGING,
        "What the new state would be if nothing of the old one were kept.",
    ),
    "h": SignalStyle(
        "h", "Hidden state", "−1", "+1", -1.0, {"light": "#005f9e", "dark": "#6bbcf0"}, _DIVERGING,
        "What the network remembers: (1 − z) of the old state plus z of the candidate.",
        "What the network remembers: z of the old state plus (1 − z) of the candidate.",
    ),
}  # fmt: skip


def colorscale(signal: str, theme: Theme) -> list[list[float | str]]:
    """The signal's scale as Plotly takes it: places from 0 to 1, each with its colour."""
    colours = SIGNALS[signal].scale[theme]
    return [[i / (len(colours) - 1), colour] for i, colour in enumerate(colours)]


def heatmaps(theme: Theme) -> go.Figure:
    """r, z, h̃ and h above one another over one time axis, units down and steps right, without data.

    Each trace is to be filled with the signal that its name says. Over r lies a veil of z: where z
    is small the candidate is not taken, and what r did to it does not matter. No axes, no labels,
    nothing around the pictures: the page lays its own over them.
    """
    import plotly.graph_objects as go

    plain = {"showscale": False, "hoverinfo": "skip", "zsmooth": False, "zmax": 1}
    hidden = {"visible": False, "fixedrange": True}
    figure = go.Figure(layout={"meta": theme, "template": "none", "margin": dict.fromkeys("lrtb", 0), "xaxis": hidden})
    figure.update_layout(paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)")
    for i, (signal, style) in enumerate(SIGNALS.items()):
        number = "" if i == 0 else i + 1
        scale = colorscale(signal, theme)
        figure.add_trace(go.Heatmap(name=signal, yaxis=f"y{number}", zmin=style.lowest, colorscale=scale, **plain))
        domain = [1 - (i + 0.8) / len(SIGNALS), 1 - i / len(SIGNALS)]
        figure.update_layout({f"yaxis{number}": hidden | {"autorange": "reversed", "domain": domain}})
    paper = "rgba({}, {}, {}, ".format(*VEIL["paper"][theme])
    veil = [[0, f"{paper}{VEIL['alpha']})"], [VEIL["until"], f"{paper}0)"], [1, f"{paper}0)"]]
    meta = {"over": "r"} | VEIL | {"paper": VEIL["paper"][theme]}
    figure.add_trace(go.Heatmap(name="z", meta=meta, yaxis="y", zmin=0, colorscale=veil, **plain))
    return figure


def trace_figure(trace: Trace, layer: int = -1, difference: bool = False, theme: Theme = "light") -> go.Figure:
    """A layer's r, z, h̃ and h, filled, titled and labelled, for a notebook; or how far each is from the twin's.

    Raises ValueError for a difference where there is no twin.
    """
    run = trace.layers[layer]
    if difference and trace.twin is None:
        raise ValueError("this run has no twin to differ from")
    T, H = run.h.shape
    steps, units = list(range(1, T + 1)), list(range(1, H + 1))
    # Plotly takes a little HTML in its texts; what a model or a sequence says is to be read as it stands.
    tokens = [escape(token) for token in trace.tokens or [""] * T]
    figure = heatmaps(theme)
    if difference:
        figure.data = figure.data[:-1]  # no veil: of a difference, r's is as telling where z is small
    for picture in figure.data:
        values = getattr(run, picture.name)
        if difference and trace.twin is not None:
            values = values - getattr(trace.twin.layers[layer], picture.name)
            picture.update(zmin=-1, colorscale=colorscale("h", theme))
        picture.update(x=steps, y=units, z=values.T)
        if picture.meta is None:
            off = "Δ" if difference else ""
            hover = f"t = %{{x}} '%{{text}}', unit %{{y}}: {off}{picture.name} = %{{z:.3f}}<extra></extra>"
            picture.update(text=[tokens] * H, hoverinfo=None, hovertemplate=hover)
    for i, style in enumerate(SIGNALS.values()):
        title = {"text": f"{style.name} {style.symbol}", "font": {"color": style.colour[theme]}}
        axis = {"visible": True, "fixedrange": False, "title": title, "dtick": max(1, H // 4), "tickmode": "linear"}
        figure.update_layout({f"yaxis{'' if i == 0 else i + 1}": axis})
    every = max(1, T // 40)
    ticks = [f"{token[:12]}<br>{t}" for t, token in zip(steps, tokens, strict=True)]
    figure.update_xaxes(visible=True, fixedrange=False, anchor="y4", tickvals=steps[::every], ticktext=ticks[::every])
    number, layers = range(len(trace.layers))[layer] + 1, len(trace.layers)
    parts = [escape(trace.model.card.title), f"layer {number} of {layers}" if layers > 1 else ""]
    parts.append("held − left alone" if difference else "")
    figure.update_layout(title=" · ".join(filter(None, parts)), height=660, margin={"l": 60, "r": 20, "t": 60, "b": 50})
    figure.update_layout(paper_bgcolor="rgb({}, {}, {})".format(*VEIL["paper"][theme]))
    figure.update_layout(font_color="#222" if theme == "light" else "#ddd")
    return figure


def standalone(theme: Theme, signals: Sequence[str] = tuple(SIGNALS)) -> go.Figure:
    """Some of the signals above one another, to stand outside of the page: axes and labelled colours, without data.

    Each trace is to be filled with the signal that its name says; `fill` does it for a trace.
    """
    import plotly.graph_objects as go

    ink, soft = INK[theme]
    paper = "rgb({}, {}, {})".format(*VEIL["paper"][theme])
    figure = go.Figure(layout={"template": "none", "paper_bgcolor": paper, "plot_bgcolor": paper})
    figure.update_layout(
        font={"color": soft, "family": "system-ui, sans-serif"}, margin={"l": 74, "r": 150, "t": 70, "b": 30}
    )
    figure.update_layout(title={"font": {"color": ink, "size": 17}, "x": 0, "xref": "paper", "xanchor": "left"})
    last = len(signals)
    for i, signal in enumerate(signals, 1):
        style, number = SIGNALS[signal], "" if i == 1 else i
        top, bottom = 1 - (i - 1) / last, 1 - (i - 1 + PANEL) / last
        ends = {"tickvals": [style.lowest, 1], "ticktext": [_end(style.low, style.lowest), _end(style.high, 1)]}
        bar = ends | {
            "thickness": 10,
            "outlinewidth": 0,
            "x": 1.01,
            "y": bottom,
            "yanchor": "bottom",
            "len": top - bottom,
        }
        figure.add_heatmap(
            name=signal, yaxis=f"y{number}", colorscale=colorscale(signal, theme), zmin=style.lowest, zmax=1,
            colorbar=bar | {"lenmode": "fraction"}, xgap=1, ygap=1,
        )  # fmt: skip
        name = {
            "text": f"<b>{style.symbol}</b>  {style.name.lower()}",
            "font": {"color": style.colour[theme], "size": 14},
        }
        place = {"x": 0, "xref": "paper", "xanchor": "left", "y": top, "yref": "paper", "yanchor": "bottom"}
        figure.add_annotation(name | place, showarrow=False)
        axis = {"title": "unit", "autorange": "reversed", "domain": [bottom, top], "zeroline": False, "showgrid": False}
        figure.update_layout({f"yaxis{number}": axis})
    below = {"anchor": "y" if last == 1 else f"y{last}", "title": {"text": "step t and input", "standoff": 10}}
    figure.update_xaxes(below | {"zeroline": False, "showgrid": False, "ticks": ""})
    return figure


def ledger_picture(theme: Theme) -> go.Figure:
    """A ledger as `standalone` has the signals: the state at each step down, the step that wrote it along."""
    figure = standalone(theme, ("h",))
    paper = "rgb({}, {}, {})".format(*VEIL["paper"][theme])
    shares = [[0, paper], [1, SIGNALS["h"].colour[theme]]]
    bar = {"tickvals": [0, 1], "ticktext": ["none", "all of it"]}
    figure.update_traces(name="ledger", zmin=0, colorscale=shares, colorbar=bar, xgap=0, ygap=0)
    figure.layout.annotations = ()
    figure.update_layout(yaxis={"title": "state at step"}, xaxis={"title": {"text": "written at step, h₀ first"}})
    return figure


def _end(words: str, value: float) -> str:
    number = f"{value:.0f}".replace("-", "−")
    return number if words in (number, f"+{number}") else f"{number} {words}"


def fill(figure: go.Figure, trace: Trace, title: str, layer: int = -1) -> go.Figure:
    """Fill a `standalone` figure with a layer of a trace; with its numbers, where there is room for them."""
    run = trace.layers[layer]
    T, H = run.h.shape
    cell = min(46, max(9, 1150 // T))
    row = min(30, max(6, 420 // H))
    few = cell >= 34 and row >= 16
    tokens = trace.tokens or [""] * T
    every = -(-T // (1150 // 22))
    ticks = list(range(1, T + 1, every))
    for picture in figure.data:
        values = getattr(run, picture.name).T
        picture.update(x=list(range(1, T + 1)), y=list(range(1, H + 1)), z=values)
        if few:
            numbers = [[f"{value:.2f}".replace("-", "−") for value in row] for row in values.round(2) + 0.0]
            picture.update(text=numbers, texttemplate="%{text}")
    figure.update_xaxes(tickvals=ticks, ticktext=[f"{tokens[t - 1]}<br>{t}" for t in ticks])
    figure.update_yaxes(tickmode="linear", tick0=1, dtick=max(1, round(H / 8)))
    height = len(figure.data) * max(90, H * row) / PANEL + 100
    return figure.update_layout(title={"text": escape(title)}, width=max(460, T * cell + 224), height=round(height))


def page_figures() -> dict[str, Any]:
    """The skeleton for each theme, as JSON can carry it."""
    themes: tuple[Theme, ...] = ("light", "dark")
    return {theme: heatmaps(theme).to_plotly_json() for theme in themes}


def page_pictures() -> dict[str, Any]:
    """For each theme what pictures to keep are made of, as JSON can carry it: all signals, each, and a ledger."""
    themes: tuple[Theme, ...] = ("light", "dark")
    return {
        theme: {
            "signals": standalone(theme).to_plotly_json(),
            **{signal: standalone(theme, (signal,)).to_plotly_json() for signal in SIGNALS},
            "ledger": ledger_picture(theme).to_plotly_json(),
        }
        for theme in themes
    }
