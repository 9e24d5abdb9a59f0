"""A Dash app that does the same as the Lab, for comparison: a text box, a GRU of 8 units, and four heatmaps."""

from __future__ import annotations

import socket

import dash
import plotly.graph_objects as go
from dash import Input, Output, dcc, html

import gru_core

MODEL = gru_core.load("sentiment")
EXAMPLE = MODEL.card.examples[0]
SIGNALS = {"r": (0, "Greens"), "z": (0, "Oranges"), "h_tilde": (-1, "RdBu"), "h": (-1, "RdBu")}

app = dash.Dash("benchmarks.dash_app")
app.layout = html.Div(
    [dcc.Input(id="sequence", value=EXAMPLE, type="text", style={"width": "80%"})]
    + [dcc.Graph(id=name, style={"height": "180px"}, config={"displayModeBar": False}) for name in SIGNALS]
)


@app.callback([Output(name, "figure") for name in SIGNALS], Input("sequence", "value"))
def update(text: str) -> list[go.Figure]:
    trace = gru_core.trace(MODEL, text)
    return [
        go.Figure(go.Heatmap(z=getattr(trace, name).T, zmin=low, zmax=1, colorscale=scale, showscale=False))
        for name, (low, scale) in SIGNALS.items()
    ]


if __name__ == "__main__":
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    print(f"http://127.0.0.1:{port}/", flush=True)
    app.run(port=port, debug=False)
