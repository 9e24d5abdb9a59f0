"""Plotly figures of a cell's signals, for the page, for notebooks and for exported files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from gru_core.cells.run import Run
from gru_core.cells.signals import BLUE, DIVERGING, THEMES, Scale, Signal, Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from gru_core.model import Model
    from gru_core.runs.census import Unit

Signals = Mapping[str, Signal]

Figure = dict[str, Any]
"""A figure as a dictionary in Plotly's JSON format.

Plotly's own figure class validates each property, which would take seconds for all figures.
"""

NO_TEMPLATE = {"data": {"scatter": [{"type": "scatter"}]}}
"""Plotly's template “none”. Without a template, Plotly's Python package adds its default one."""

CLEAR = "rgba(0,0,0,0)"

BARE: dict[str, Any] = {
    "template": NO_TEMPLATE,
    "margin": dict.fromkeys("lrtb", 0),
    "paper_bgcolor": CLEAR,
    "plot_bgcolor": CLEAR,
}
"""The layout of a figure on the page: no margins, and a transparent background."""

PAPER: dict[Theme, str] = {"light": "rgb(253, 252, 249)", "dark": "rgb(22, 25, 30)"}
"""The background color of the page."""

INK: dict[Theme, tuple[str, str]] = {"light": ("#1d2126", "#5b5f66"), "dark": ("#e6e4df", "#a3a6ab")}
"""The colors of titles and of all other text."""

PANEL = 0.78
"""The share of a panel's height that the heatmap fills in a standalone figure. The next panel's name uses the rest."""


def colorscale(scale: Scale, theme: Theme) -> list[list[float | str]]:
    """Return the scale in Plotly's format: positions from 0 to 1, each with its color."""
    colors = scale[theme]
    return [[i / (len(colors) - 1), color] for i, color in enumerate(colors)]


def heatmaps(signals: Signals, theme: Theme) -> Figure:
    """Return a figure without data that has a heatmap for each signal, one above the other.

    Rows are units, and columns are timesteps. The name of each Plotly trace is the name of its signal. The figure has
    no axes and no labels, because the page adds its own.
    """
    plain = {"type": "heatmap", "showscale": False, "hoverinfo": "skip", "zsmooth": False}
    hidden = {"visible": False, "fixedrange": True}
    traces, layout = [], BARE | {"meta": theme, "xaxis": hidden}
    for i, (signal, style) in enumerate(signals.items()):
        number = "" if i == 0 else i + 1
        scale = colorscale(style.scale, theme)
        ends = {"zmin": style.lowest, "zmax": style.highest}
        traces.append(plain | ends | {"name": signal, "yaxis": f"y{number}", "colorscale": scale})
        domain = [1 - (i + 0.8) / len(signals), 1 - i / len(signals)]
        layout[f"yaxis{number}"] = hidden | {"autorange": "reversed", "domain": domain}
    return {"data": traces, "layout": layout}


FORECAST: dict[Theme, dict[str, dict[str, Any]]] = {
    theme: {
        "series": {"color": ink, "width": 1.5},
        "forecast": {"color": BLUE[theme], "width": 2.5},
        "last value": {"color": soft, "width": 1, "dash": "dot"},
        "linear autoregression": {"color": soft, "width": 1, "dash": "dash"},
    }
    for theme, (ink, soft) in INK.items()
}
"""The style of each line in a forecast.

The key is the start of the line's full name: “linear autoregression” is for “linear autoregression of order 9”.
"""


def forecast_lines(theme: Theme) -> Figure:
    """Return a figure without data that has a line for each entry of FORECAST, to be shown over the columns of a tape.

    The figure has no axes and no labels, because the page adds its own. A vertical line and an annotation mark the
    timestep from which the network reads its own forecasts. The page moves both to this timestep.
    """
    ink, soft = INK[theme]
    hidden = {"visible": False, "fixedrange": True}
    line = {"type": "scatter", "mode": "lines", "hoverinfo": "skip"}
    place = {"xref": "x", "yref": "paper"}
    edge = place | {"type": "line", "x0": 0, "x1": 0, "y0": 0, "y1": 1, "line": {"color": soft, "width": 1}}
    words = place | {
        "text": "own forecasts →", "x": 0, "y": 1, "xanchor": "left", "yanchor": "top", "xshift": 4, "showarrow": False,
        "font": {"color": ink, "size": 12},
    }  # fmt: skip
    marks = {"shapes": [edge], "annotations": [words]}
    return {
        "data": [line | {"name": name, "line": style} for name, style in FORECAST[theme].items()],
        "layout": BARE | {"showlegend": False, "xaxis": hidden, "yaxis": hidden} | marks,
    }


def confusion_heatmap(theme: Theme) -> Figure:
    """Return the heatmap of a confusion matrix, without data: a row for each label, and a column for each output.

    A cell is darker for a larger share of its row, from 0 to 1. The column labels are at the top.
    """
    ink, soft = INK[theme]
    red, green, blue = bytes.fromhex(BLUE[theme].removeprefix("#"))
    shades = [[i, f"rgba({red}, {green}, {blue}, {0.55 * i})"] for i in (0, 1)]  # pale, to keep the numbers readable
    axis = {
        "type": "category", "dtick": 1, "fixedrange": True, "automargin": True, "showgrid": False, "zeroline": False,
        "ticks": "",
    }  # fmt: skip
    heatmap = {
        "type": "heatmap", "name": "confusion", "zmin": 0, "zmax": 1, "colorscale": shades, "showscale": False,
        "hoverinfo": "skip", "xgap": 1, "ygap": 1, "texttemplate": "%{text}", "textfont": {"color": ink},
    }  # fmt: skip
    axes = {"xaxis": axis | {"side": "top", "tickangle": -90}, "yaxis": axis | {"autorange": "reversed"}}
    return {"data": [heatmap], "layout": BARE | {"font": {"color": soft}, "showlegend": False} | axes}


def run_figure(run: Run, tokens: list[str] | None, title: str, twin: Run | None, theme: Theme) -> go.Figure:
    """Return a figure of the signals of a layer's run, with a title and labels, for a notebook.

    With a `twin` the figure shows the run minus the twin.
    """
    import plotly.graph_objects as go

    signals, prefix = run.cell.signals, "" if twin is None else "Δ"
    T, H = run.h.shape
    steps, units = list(range(1, T + 1)), list(range(1, H + 1))
    # Plotly interprets some HTML in its texts, so texts from a model or a sequence are escaped.
    tokens = [escape(token) for token in tokens or [""] * T]
    figure = go.Figure(heatmaps(signals, theme))
    for picture in figure.data:
        values = getattr(run, picture.name)
        if twin is not None:
            values = values - getattr(twin, picture.name)
            picture.update(zmin=-1, zmax=1, colorscale=colorscale(DIVERGING, theme))
        picture.update(x=steps, y=units, z=values.T)
        hover = f"t = %{{x}} '%{{text}}', unit %{{y}}: {prefix}{picture.name} = %{{z:.3f}}<extra></extra>"
        picture.update(text=[tokens] * H, hoverinfo=None, hovertemplate=hover)
    for i, style in enumerate(signals.values()):
        label = {"text": f"{style.name} {style.symbol}", "font": {"color": style.color[theme]}}
        axis = {"visible": True, "fixedrange": False, "title": label, "dtick": max(1, H // 4), "tickmode": "linear"}
        if run.cell.backward_units:
            ends = [1, H - run.cell.backward_units, H - run.cell.backward_units + 1, H]
            axis |= {"tickmode": "array", "tickvals": ends, "ticktext": [run.cell.unit_name(end - 1) for end in ends]}
        figure.update_layout({f"yaxis{'' if i == 0 else i + 1}": axis})
    every = max(1, T // 40)
    ticks = [f"{token[:12]}<br>{t}" for t, token in zip(steps, tokens, strict=True)]
    below = {"anchor": f"y{len(signals)}", "tickvals": steps[::every], "ticktext": ticks[::every]}
    figure.update_xaxes(below, visible=True, fixedrange=False)
    figure.update_layout(title=escape(title), height=660, margin={"l": 60, "r": 20, "t": 60, "b": 50})
    figure.update_layout(paper_bgcolor=PAPER[theme])
    figure.update_layout(font_color="#222" if theme == "light" else "#ddd")
    return figure


def census_figure(
    model: Model, units: Sequence[Unit], title: str, labels: tuple[str, str] | None, theme: Theme
) -> go.Figure:
    """Return a figure with a point for each unit. Each layer has its own point symbol.

    There is a panel for each gate: how often it is closed (x), and how often it is open (y). Further panels plot the
    half-life and, with labels, the AUC against the width of the range of h.
    """
    import plotly.graph_objects as go

    ink, soft = INK[theme]
    paper = PAPER[theme]
    signals = {name: signal for cell in model.layers for name, signal in cell.signals.items()}
    span = [unit.highest - unit.lowest for unit in units]
    panels: list[tuple[str, str, str, Sequence[float | None], Sequence[float | None], str]] = [
        (
            f"{signals[gate].name} {signals[gate].symbol}", "closed", "open",
            [unit.closed.get(gate) for unit in units], [unit.open.get(gate) for unit in units],
            signals[gate].color[theme],
        )
        for gate in dict.fromkeys(gate for unit in units for gate in unit.means)
    ]  # fmt: skip
    if any(unit.half_life is not None for unit in units):
        panels.append(("Half-life", "range of h", "timesteps", span, [u.half_life for u in units], ink))
    if labels is not None:
        words = f"AUC: {escape(labels[0])} → {escape(labels[1])}"
        panels.append((words, "range of h", "AUC", span, [u.auc for u in units], ink))
    if not panels:
        panels.append(("Range of h", "lowest", "highest", [u.lowest for u in units], [u.highest for u in units], ink))
    figure = go.Figure(layout={"template": "none", "paper_bgcolor": paper, "plot_bgcolor": paper, "font_color": soft})
    hover = [_hover(unit, model) for unit in units]
    marks = [SYMBOLS[unit.layer % len(SYMBOLS)] for unit in units]
    width = 1 / len(panels)
    for i, (name, across, up, x, y, color) in enumerate(panels):
        number = "" if i == 0 else i + 1
        figure.add_scatter(
            name=name, x=x, y=y, xaxis=f"x{number}", yaxis=f"y{number}", mode="markers", text=hover,
            hovertemplate="%{text}<extra></extra>", marker={"color": color, "symbol": marks, "size": 8, "opacity": 0.7},
        )  # fmt: skip
        left, right = i * width, (i + 1) * width - 0.06
        figure.update_layout({f"xaxis{number}": {"domain": [left, right], "anchor": f"y{number}", "title": across}})
        figure.update_layout({f"yaxis{number}": {"anchor": f"x{number}", "title": up}})
        scales: dict[str, dict[str, object]] = {
            "timesteps": {"type": "log", "dtick": 1},
            "AUC": {"range": [-0.03, 1.03]},
        }
        figure.update_layout({f"yaxis{number}": scales.get(up, {})})
        if across == "closed":
            shares = {"range": [-0.03, 1.03], "tickformat": ".0%"}
            figure.update_layout({f"xaxis{number}": shares, f"yaxis{number}": shares})
        figure.add_annotation(
            text=f"<b>{name}</b>", x=left, y=1.02, xref="paper", yref="paper", xanchor="left", yanchor="bottom",
            showarrow=False, font={"color": color, "size": 14},
        )  # fmt: skip
    heading = {"text": escape(title), "font": {"color": ink, "size": 17}, "x": 0, "xref": "paper", "xanchor": "left"}
    return figure.update_layout(
        title=heading, showlegend=False, width=max(460, 330 * len(panels)), height=420,
        margin={"l": 60, "r": 0, "t": 90, "b": 50},
    )  # fmt: skip


SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x", "star", "hexagon")
"""The point symbols, by layer."""


def _hover(unit: Unit, model: Model) -> str:
    """Return the hover text of a unit's point. Layers, units, sequences and timesteps count from 1, as on the page."""
    name = f"unit {model.layers[unit.layer].unit_name(unit.unit)}"
    name = f"layer {unit.layer + 1}, {name}" if len(model.layers) > 1 else name
    lines = [f"{name}{' (dead)' if unit.dead else ''}"]
    lines += [
        f"{gate}: mean {mean:.2f}, closed {unit.closed[gate]:.0%}, open {unit.open[gate]:.0%}"
        for gate, mean in unit.means.items()
    ]
    lines.append(f"h: {unit.lowest:.2f} to {unit.highest:.2f}")
    if unit.half_life is not None:
        lines.append(f"half-life {unit.half_life:.3g} timesteps, at most {unit.longest_half_life:.3g}")
    if unit.auc is not None:
        lines.append(f"AUC {unit.auc:.3f}")
    lines += [f"{what}: sequence {m.sequence + 1}, t = {m.t + 1}" for what, m in unit.moments.items()]
    return "<br>".join(lines)


def standalone(signals: Signals, theme: Theme) -> Figure:
    """Return a figure without data, for use outside the page: a heatmap for each signal, with axes and color bars.

    The name of each Plotly trace is the name of its signal. `fill` adds the data of a run.
    """
    ink, soft = INK[theme]
    paper = PAPER[theme]
    last = len(signals)
    traces, names, axes = [], [], {}
    for i, (signal, style) in enumerate(signals.items(), 1):
        number = "" if i == 1 else i
        top, bottom = 1 - (i - 1) / last, 1 - (i - 1 + PANEL) / last
        low, high = _end_label(style.low, style.lowest), _end_label(style.high, style.highest)
        bar = {
            "tickvals": [style.lowest, style.highest], "ticktext": [low, high], "thickness": 10, "x": 1.01,
            "outlinewidth": 0, "y": bottom, "yanchor": "bottom", "len": top - bottom, "lenmode": "fraction",
        }  # fmt: skip
        traces.append({
            "type": "heatmap", "name": signal, "yaxis": f"y{number}", "colorscale": colorscale(style.scale, theme),
            "xgap": 1, "ygap": 1, "zmin": style.lowest, "zmax": style.highest, "colorbar": bar,
        })  # fmt: skip
        names.append({
            "text": f"<b>{style.symbol}</b>  {style.name.lower()}", "font": {"color": style.color[theme], "size": 14},
            "x": 0, "xref": "paper", "xanchor": "left", "y": top, "yref": "paper", "yanchor": "bottom",
            "showarrow": False,
        })  # fmt: skip
        axes[f"yaxis{number}"] = {
            "title": {"text": "unit"}, "autorange": "reversed", "domain": [bottom, top], "zeroline": False,
            "showgrid": False,
        }  # fmt: skip
    across = {
        "anchor": "y" if last == 1 else f"y{last}", "title": {"text": "timestep t and input", "standoff": 10},
        "zeroline": False, "showgrid": False, "ticks": "",
    }  # fmt: skip
    layout = {
        "template": NO_TEMPLATE, "paper_bgcolor": paper, "plot_bgcolor": paper, "annotations": names, "xaxis": across,
        "font": {"color": soft, "family": "system-ui, sans-serif"}, "margin": {"l": 74, "r": 150, "t": 70, "b": 30},
        "title": {"font": {"color": ink, "size": 17}, "x": 0, "xref": "paper", "xanchor": "left"},
    }  # fmt: skip
    return {"data": traces, "layout": layout | axes}


def ledger_picture(theme: Theme) -> Figure:
    """Return a figure without data for the ledger, in the style of `standalone`.

    A row is the state at one timestep, and a column is a timestep that contributes to this state.
    """
    figure = standalone({"ledger": Signal("", "", "none", "all of it", 0.0, BLUE, DIVERGING)}, theme)
    shares = [[0, PAPER[theme]], [1, BLUE[theme]]]
    (trace,), layout = figure["data"], figure["layout"]
    trace |= {"zmin": 0, "colorscale": shares, "xgap": 0, "ygap": 0}
    trace["colorbar"] |= {"tickvals": [0, 1], "ticktext": ["0%", "100%"]}
    del layout["annotations"]
    layout["yaxis"]["title"]["text"] = "state at timestep"
    layout["xaxis"]["title"]["text"] = "contribution of each timestep, initial state first"
    return figure


def _end_label(words: str, value: float) -> str:
    """Return the label at one end of a color bar: the number, and `words` unless they only repeat the number."""
    number = f"{value:.0f}".replace("-", "−")
    if words in (number, f"+{number}"):
        return number
    return words if number in words else f"{number} {words}"


def fill(standalone: Figure, run: Run, tokens: list[str] | None, title: str) -> go.Figure:
    """Return the figure `standalone` filled with a layer's run. Cells show their numbers if there is enough room."""
    import plotly.graph_objects as go

    figure = go.Figure(standalone)
    T, H = run.h.shape
    cell = min(46, max(9, 1150 // T))
    row = min(30, max(6, 420 // H))
    has_room = cell >= 34 and row >= 16
    tokens = tokens or [""] * T
    every = -(-T // (1150 // 22))
    ticks = list(range(1, T + 1, every))
    for picture in figure.data:
        values = getattr(run, picture.name).T
        picture.update(x=list(range(1, T + 1)), y=list(range(1, H + 1)), z=values)
        if has_room:
            numbers = [[f"{value:.2f}".replace("-", "−") for value in row] for row in values.round(2) + 0.0]
            picture.update(text=numbers, texttemplate="%{text}")
    figure.update_xaxes(tickvals=ticks, ticktext=[f"{tokens[t - 1]}<br>{t}" for t in ticks])
    figure.update_yaxes(tickmode="linear", tick0=1, dtick=max(1, round(H / 8)))
    height = len(figure.data) * max(90, H * row) / PANEL + 100
    return figure.update_layout(title={"text": escape(title)}, width=max(460, T * cell + 224), height=round(height))


def by_theme(figure: Callable[[Theme], dict[str, Any]]) -> dict[Theme, dict[str, Any]]:
    """Return the results of the function `figure`, by theme."""
    return {theme: figure(theme) for theme in THEMES}


def tape_picture(signals: Signals, theme: Theme) -> dict[str, Figure]:
    """Return a dictionary with the figure "signals", without data, which a page can save as a picture."""
    return {"signals": standalone(signals, theme)}


def tape_pictures(signals: Signals, theme: Theme) -> dict[str, Figure]:
    """Return the result of `tape_picture`, with a figure for each signal and a figure for the ledger added."""
    single = {name: standalone({name: signal}, theme) for name, signal in signals.items()}
    return tape_picture(signals, theme) | single | {"ledger": ledger_picture(theme)}
