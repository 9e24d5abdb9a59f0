"""The Lab in Chromium, compared with a Dash app: the time from an edit until gates are painted, and a first visit."""

from __future__ import annotations

import importlib.util
import math
import statistics
import sys
import time
import urllib.request
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, sync_playwright

from app.plotly_bundle import BUNDLE, plotly_script
from benchmarks.server import gruscope, serving
from benchmarks.timing import verdict
from tests.support.chromium import installed

EDITS = 30

# Element Timing reports when a marked image is on the screen. This marks each heatmap's image when it is added.
WATCH = """
    window.painted = [];
    new PerformanceObserver((list) => painted.push(...list.getEntries().map((entry) => entry.renderTime)))
        .observe({ type: "element" });
    const images = (node) => [...(node.querySelectorAll?.("image") ?? []), node];
    const mark = (records) => records.flatMap(({ addedNodes }) => [...addedNodes].flatMap(images))
        .filter((node) => node.matches?.(".heatmaplayer image"))
        .forEach((image) => image.setAttribute("elementtiming", "heatmap"));
    new MutationObserver(mark).observe(document, { subtree: true, childList: true });
"""

# Change one symbol, and measure the time until the last changed image is painted.
EDIT = """
    async ([selector, text]) => {
        const box = document.querySelector(selector);
        painted.length = 0;
        const start = performance.now();
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(box, text);
        box.dispatchEvent(new Event("input", { bubbles: true }));
        const wait = () => new Promise((done) => setTimeout(done, 500));
        await wait();
        for (let more = 0; more < 10 && painted.length === 0; more++) await wait(); // on a busy machine
        if (painted.length === 0) throw new Error("nothing was painted");
        return Math.max(...painted) - start;
    }
"""


def open_page(browser: Browser, url: str) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.add_init_script(WATCH)
    page.goto(url)
    page.wait_for_function("() => document.querySelectorAll('.heatmaplayer image').length >= 4")
    page.wait_for_timeout(1000)
    return page


def edits(pages: dict[str, tuple[Page, list[str]]]) -> dict[str, float]:
    """Return the median time of an edit on each page, in ms. Edits alternate between the two texts of the page."""
    times: dict[str, list[float]] = {name: [] for name in pages}
    for i in range(EDITS + 2):
        for name, (page, texts) in pages.items():
            page.bring_to_front()
            took = page.evaluate(EDIT, ["#sequence", texts[(i + 1) % 2]])
            if i >= 2:
                times[name].append(took)
    return {name: statistics.median(took) for name, took in times.items()}


def first_visit(browser: Browser, url: str) -> dict[str, float]:
    """Visit a page with an empty cache. Return the time to the first `cells` and to the `heatmaps`, and the traffic.

    The times are in ms. The time to `cells` is NaN on a page without them. The traffic is in `bytes` and `requests`.
    """
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    traffic = {"bytes": 0.0, "requests": 0.0}

    def arrived(event: dict[str, Any]) -> None:
        traffic["bytes"] += event["encodedDataLength"]
        traffic["requests"] += 1

    session.on("Network.loadingFinished", arrived)
    page.add_init_script(WATCH)
    page.add_init_script(
        """
        const look = () => {
            const canvas = document.querySelector(".plot canvas");
            if (canvas?.getContext("2d").getImageData(0, 0, 1, 1).data[3]) window.cells = performance.now();
            else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
        """
    )
    page.goto(url)
    page.wait_for_function("() => painted.length >= 4")
    page.wait_for_timeout(500)
    heatmaps, cells = page.evaluate("() => [painted.slice(0, 4).at(-1), window.cells ?? NaN]")
    context.close()
    return {"heatmaps": heatmaps, "cells": cells, **traffic}


WORDS = "the film was good . not very bad . dull "
"""The Dash app repeats these words, up to the length of our text."""

CASES = {
    "flip-flop, T = 16": ("flip-flop", "AmmpBs.AmmBspm", "mA", "mB"),
    "calculator, T = 20": ("pocket-calculator", "=0.3 +0.2 0.35 -0.1 " * 4 + "0 0 0 ", "=0.3", "=-0.3"),
    "flip-flop, T = 60": ("flip-flop", "AmmpBs.Amm" * 5 + "AmmpBs.Am", "A", "B"),
    "store-and-recall, T = 60": ("store-and-recall", "AbcdabcD?" * 6 + "Abcda", "A", "?"),
    "sentiment, T = 20": ("sentiment", WORDS * 2, "good", "bad"),
    "sentiment, T = 60": ("sentiment", WORDS * 6, "good", "bad"),
}
"""The cases by name: a model, the start of a text, and the two endings between which an edit switches."""


def main() -> None:
    with sync_playwright() as playwright, serving(gruscope()) as ours:
        browser = playwright.chromium.launch(executable_path=installed(), args=["--no-sandbox"])
        print(f"From an edit of one character to painted gates, median of {EDITS}, pauses included")
        if importlib.util.find_spec("dash") is None:
            print("  dash is not installed, so there is no comparison")
            for name, case in CASES.items():
                page, texts = open_case(browser, ours, *case)
                verdict(f"{name}, in ms", edits({"ours": (page, texts)})["ours"], 70)
                page.close()
            return
        with serving([sys.executable, "-m", "benchmarks.dash_app"]) as dash:
            wait_for(dash)
            theirs = open_page(browser, dash)
            for name, case in CASES.items():
                page, texts = open_case(browser, ours, *case)
                before = WORDS.split() * 6
                same = " ".join(before[: int(name.rpartition(" ")[2]) - 1])
                took = edits({"ours": (page, texts), "dash": (theirs, [f"{same} good", f"{same} bad"])})
                verdict(f"{name}, in ms", took["ours"], 70)
                print(f"    in turns with a Dash app of the same length: {took['dash']:.0f} ms")
                verdict(f"{name}, ours over Dash's", took["ours"] / took["dash"], 0.5)
                page.close()
            theirs.close()

            print("A first visit with an empty cache, median of 7, in turns")
            visits: dict[str, list[dict[str, float]]] = {"ours": [], "dash": []}
            for _ in range(7):
                visits["ours"].append(first_visit(browser, ours + "?model=sentiment"))
                visits["dash"].append(first_visit(browser, dash))
        median = {
            name: {key: statistics.median(visit[key] for visit in all_) for key in all_[0]}
            for name, all_ in visits.items()
        }
        for name, visit in median.items():
            cells = "" if math.isnan(visit["cells"]) else f"cells {visit['cells']:.0f} ms, "
            size = f"{visit['bytes'] / 1e6:.2f} MB in {visit['requests']:.0f} requests"
            print(f"  {name}: {cells}heatmaps {visit['heatmaps']:.0f} ms, {size}")
        verdict("our gates, as cells, over Dash's heatmaps", median["ours"]["cells"] / median["dash"]["heatmaps"], 0.35)
        small = plotly_script() == BUNDLE
        print(f"  Plotly's {'cartesian bundle' if small else 'full script'}")
        over = median["ours"]["heatmaps"] / median["dash"]["heatmaps"]
        verdict("our Plotly heatmaps over Dash's", over, 0.5 if small else 1.0)
        verdict("megabytes transferred", median["ours"]["bytes"] / 1e6, 0.6 if small else 1.3)


def open_case(browser: Browser, url: str, model: str, text: str, *words: str) -> tuple[Page, list[str]]:
    """Open the Lab for a case, and return the page and the two texts."""
    texts = [text + word for word in words]
    return open_page(browser, url + "?" + urlencode({"model": model, "sequence": texts[0]})), texts


def wait_for(url: str) -> None:
    """Wait until a Dash app answers, since Dash prints its address before it listens there."""
    for _ in range(100):
        try:
            urllib.request.urlopen(url)
        except OSError:
            time.sleep(0.2)
        else:
            return
