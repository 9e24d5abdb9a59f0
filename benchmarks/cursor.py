"""The browser's time for a cursor move, and its longest tasks during playback, for 64 units and 500 timesteps."""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import plotly
import plotly.graph_objects as go
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

import gru_core
from benchmarks.server import gruscope, serving
from benchmarks.timing import ratio, verdict
from gru_core import GRU, Model, Readout, Symbols, Trace
from gru_core.cells.gru import SIGNALS
from gru_core.model import Card
from gru_core.runs.figures import heatmaps
from tests.support.chromium import installed

H, T = 64, 500
STATES = {
    "tape, words, cell and equations": {},
    "the cell zoomed on the whole layer": {"zoom": "layer"},
    "the cell zoomed on one gate": {"zoom": "gate"},
    "the table as well": {"views": "tape,words,cell,equations,table"},
    "memory and influence as well": {"views": "tape,words,cell,equations,memory,influence"},
}
MOVES, ROUNDS, WARM_UP, TURNS = 60, 3, 20, 9
SPEED, SECONDS, PLAYS = 20, 5, 3

# Each move takes two frames. The page changes in the first frame, and the second frame begins after the change is
# painted. The time of a move is the time of the key's handlers plus the time of the frame between our two callbacks.
MOVE = """
    async (moves) => {
        const times = [];
        for (let i = 0; i < moves; i++) {
            let start, end;
            requestAnimationFrame(() => (start = performance.now()));
            const pressed = performance.now();
            document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
            const handled = performance.now();
            requestAnimationFrame(() => (end = performance.now()));
            await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            times.push(handled - pressed + end - start);
        }
        return times;
    }
"""

WATCH = """
    () => {
        window.long = [];
        window.watching?.disconnect();
        window.watching = new PerformanceObserver((list) =>
            long.push(...list.getEntries().map((entry) => entry.duration)));
        watching.observe({ type: "longtask" });
    }
"""

# The same with Plotly alone: the cursor is a shape over the heatmaps.
PLOT = """
    async ({ data, layout }) => {
        window.step = 0;
        document.body.innerHTML = '<div id="plot" style="width: 1000px; height: 620px"></div>';
        const shapes = [{ type: "rect", yref: "paper", x0: -0.5, x1: 0.5, y0: 0, y1: 1 }];
        await Plotly.newPlot("plot", data, { ...layout, shapes }, { staticPlot: true });
    }
"""
RELAYOUT = """
    async (moves) => {
        const times = [];
        for (let i = 0; i < moves; i++) {
            step += 1;
            const start = performance.now();
            await Plotly.relayout("plot", { "shapes[0].x0": step - 0.5, "shapes[0].x1": step + 0.5 });
            times.push(performance.now() - start);
            await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        }
        return times;
    }
"""


def wide() -> Model:
    rng = np.random.default_rng(0)
    encoder = Symbols(tuple("abcdefgh"))
    readout = Readout("softmax", rng.normal(size=(3, H)), np.zeros(3), ("left", "on", "right"))
    card = Card("Wide", "none", "", "", "random", "")
    return Model(encoder, (GRU.random(encoder.inputs, H, rng, reset="after"),), readout, card)


def new_page(browser: Browser) -> Page:
    return browser.new_page(viewport={"width": 1440, "height": 900})


def open_lab(browser: Browser, url: str) -> Page:
    page = new_page(browser)
    page.goto(url)
    page.wait_for_function("() => document.querySelectorAll('.heatmaplayer image').length >= 4")
    page.wait_for_timeout(1000)
    assert page.inner_text("#of") == str(T)
    return page


def spent(session: CDPSession) -> dict[str, float]:
    """Return the time of the page's thread so far, in ms, by DevTools category. The categories do not overlap."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return {metric["name"]: 1e3 * metric["value"] for metric in metrics if metric["name"].endswith("Duration")}


def moves(page: Page) -> dict[str, float]:
    """Return the time of a move by category, in ms: the median over rounds of the mean.

    "clock" is the median wall-clock time of all moves.
    """
    session = page.context.new_cdp_session(page)
    # Thread time leaves out other work on the machine.
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.evaluate(MOVE, WARM_UP)
    clock: list[float] = []
    rounds = []
    for _ in range(ROUNDS):
        before = spent(session)
        clock += page.evaluate(MOVE, MOVES)
        rounds.append({name: (value - before[name]) / MOVES for name, value in spent(session).items()})
    assert page.inner_text("#now") == str(1 + WARM_UP + ROUNDS * MOVES)
    return {name: statistics.median(means[name] for means in rounds) for name in rounds[0]} | {
        "clock": statistics.median(clock)
    }


def play(page: Page) -> tuple[float, int, int]:
    """Play for some seconds. Return the longest task in ms, the number of tasks, and the number of timesteps.

    Only tasks above 50 ms count. The longest task is 0 if there is none.
    """
    page.get_by_role("button", name="First timestep").click()
    page.select_option("#speed", str(SPEED))
    page.wait_for_timeout(500)
    page.evaluate(WATCH)
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_timeout(1000 * SECONDS)
    tasks: list[float] = page.evaluate("() => long")
    return max(tasks, default=0), len(tasks), int(page.inner_text("#now")) - 1


def beside_plotly(lab: Page, plot: Page, trace: Trace) -> dict[str, list[float]]:
    """Return the median time of a move in each turn, in ms, on our page and on a page with Plotly alone."""
    figure = go.Figure(heatmaps(SIGNALS, "light"))
    figure.update_xaxes(range=[-0.5, T - 0.5])
    for picture in figure.data:
        picture.z = getattr(trace, picture.name).T
    plot.add_script_tag(path=Path(plotly.__file__).parent / "package_data" / "plotly.min.js")
    plot.evaluate(PLOT, json.loads(figure.to_json()))
    turns: dict[str, list[float]] = {"ours": [], "Plotly's": []}
    for _ in range(TURNS):
        for name, page, script in (("ours", lab, MOVE), ("Plotly's", plot, RELAYOUT)):
            page.bring_to_front()
            turns[name].append(statistics.median(page.evaluate(script, 12)[2:]))
    return turns


def main() -> None:
    print(f"A move of the cursor over {H} units and {T} timesteps; {SECONDS} s of playing, the best of {PLAYS}")
    model = wide()
    text = " ".join(np.random.default_rng(1).choice(model.encoder.labels, T))
    scenario = {"model": "wide", "sequence": text}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        model.save(Path(folder) / "wide.safetensors")
        browser = playwright.chromium.launch(executable_path=installed(), args=["--no-sandbox"])
        with serving(gruscope(), GRUSCOPE_MODELS=folder) as ours:
            for name, keys in STATES.items():
                page = open_lab(browser, ours + "?" + urlencode(scenario | keys))
                took = moves(page)
                verdict(f"{name}, ms of JavaScript", took["ScriptDuration"], 8)
                style, layout = took["RecalcStyleDuration"], took["LayoutDuration"]
                print(f"    style {style:.2f}, layout {layout:.2f}; {took['clock']:.2f} ms by the clock")
                # Other work on the machine can only make a task longer.
                longest, count, steps = min(play(page) for _ in range(PLAYS))
                print(
                    f"    played at {SPEED} a second: {steps} timesteps of {SPEED * SECONDS}, {count} tasks above 50 ms"
                )
                verdict(f"{name}, ms of the longest task", longest, 50)
                page.close()
            lab, plot = open_lab(browser, ours + "?" + urlencode(scenario)), new_page(browser)
            turns = beside_plotly(lab, plot, gru_core.trace(model, text))
    ours_ms, theirs_ms = (statistics.median(turns[name]) for name in ("ours", "Plotly's"))
    print(f"  compared with a shape moved by Plotly.relayout: ours {ours_ms:.2f} ms, Plotly's {theirs_ms:.2f} ms")
    verdict("ours with the inspector over Plotly's", ratio(turns["ours"], turns["Plotly's"]), 0.1)
