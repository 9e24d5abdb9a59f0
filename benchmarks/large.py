"""Large networks: the time of the whole stream, compared with torch's forward pass, and the Lab in a browser."""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from benchmarks.server import gruscope, serving
from benchmarks.timing import verdict
from gru_core import GRU, Model, Readout
from gru_core.encoders.symbols import Embedded
from gru_core.model import Card
from tests.support.chromium import installed

WORDS = 100_000
SIZES = {"wide": (2, 512), "huge": (3, 1024), "words": (1, 256)}
"""The numbers of layers and of units in each network. The last network reads and writes 100,000 words."""

TORCH = """
import statistics, sys, time, torch
layers, units, T = map(int, sys.argv[1:])
net, x, times = torch.nn.GRU(64, units, layers), torch.randn(T, 64), []
with torch.no_grad():
    for _ in range(7):
        start = time.perf_counter()
        net(x)
        times.append(time.perf_counter() - start)
print(statistics.median(times[2:]))
"""

# The first picture is a canvas with a colored pixel, or a heatmap with a number.
PICTURE = """
    () => document.querySelector("#tape .plot canvas")?.getContext("2d").getImageData(0, 0, 1, 1).data[3]
        || document.querySelector(".heatmaps")?.data?.some(({ z }) => !Number.isNaN(z[0][0]))
"""

MOVE = """
    async (key) => {
        const start = performance.now();
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        return performance.now() - start;
    }
"""


def network(layers: int, units: int, words: int) -> Model:
    """Return a random network with a vocabulary of `words` words, each with an embedding of 64 numbers."""
    rng = np.random.default_rng(0)
    names = tuple(f"w{i}" for i in range(words))
    cells = tuple(GRU.random(64 if k == 0 else units, units, rng, reset="after") for k in range(layers))
    readout = Readout("softmax", rng.normal(size=(words, units)), np.zeros(words), names)
    card = Card(f"{layers} × {units}", "", "", "", "random", "", examples=("w1 w2",))
    return Model(Embedded(names, rng.normal(size=(words, 64)).astype(np.float32)), cells, readout, card).astype(
        np.float32
    )


def text(T: int, words: int) -> str:
    return " ".join(f"w{i}" for i in np.random.default_rng(0).integers(0, words, T))


def torch_seconds(layers: int, units: int, T: int) -> float | None:
    """Return the seconds of torch's forward pass in a process of its own, or None if torch is not installed."""
    python = os.environ.get("TORCH_PYTHON", sys.executable)
    command = [python, "-c", TORCH, *map(str, (layers, units, T))]
    process = subprocess.run(command, capture_output=True, text=True)
    return float(process.stdout) if process.returncode == 0 else None


def stream(url: str, model: str, sequence: str) -> tuple[float, float]:
    """Return the seconds until a client has the whole stream that the page requests, and the stream's size in MB."""
    times, size = [], 0
    for _ in range(5):
        connection = http.client.HTTPConnection(urlsplit(url).netloc)
        body = json.dumps({"model": model, "sequence": sequence, "brief": True})
        start = time.perf_counter()
        connection.request(
            "POST", "/api/trace", body, {"content-type": "application/json", "accept": "text/event-stream"}
        )
        size = len(connection.getresponse().read())
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:]), size / 1e6


def visit(browser: Browser, url: str, model: str, sequence: str) -> tuple[float, float, float, float]:
    """Return the seconds to the first picture and to the whole run, the ms of a move, and the page's memory in MB."""
    page = browser.new_page(viewport={"width": 1440, "height": 900}, bypass_csp=True)
    start = time.perf_counter()
    page.goto(f"{url}?{urlencode({'model': model, 'sequence': sequence})}", wait_until="commit")
    page.wait_for_function(PICTURE, timeout=120_000, polling="raf")
    first = time.perf_counter() - start
    page.wait_for_function("() => document.querySelector('#tape').ariaBusy !== 'true'", timeout=120_000)
    whole = time.perf_counter() - start
    page.wait_for_function("() => document.querySelector('[role=status][aria-label=Narration]').textContent")
    page.wait_for_load_state("networkidle")
    moves = [page.evaluate(MOVE, key) for key in ("ArrowRight", "ArrowDown") for _ in range(20)]
    page.wait_for_load_state("networkidle")
    page.evaluate("() => gc()")
    memory = page.evaluate("() => performance.memory.usedJSHeapSize") / 1e6
    page.close()
    return first, whole, statistics.median(moves), memory


def main() -> None:
    print("Large networks: the stream of the page, and the Lab in Chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        for name, (layers, units) in SIZES.items():
            model = network(layers, units, WORDS if name == "words" else 50)
            model.save(Path(folder) / f"{name}.safetensors")
        arguments = ["--js-flags=--expose-gc", "--enable-precise-memory-info"]
        browser = playwright.chromium.launch(executable_path=installed(), args=arguments)
        with serving(gruscope(), GRUSCOPE_MODELS=folder) as url:
            for name, T in (("wide", 200), ("wide", 1000), ("huge", 1000), ("words", 200)):
                layers, units = SIZES[name]
                sequence = text(T, WORDS if name == "words" else 50)
                outputs = f", {WORDS:,} words" if name == "words" else ""
                seconds, size = stream(url, name, sequence)
                print(
                    f"  {layers} × {units}, T = {T:,}{outputs}: the stream takes {seconds:.2f} s and has {size:.1f} MB"
                )
                theirs = torch_seconds(layers, units, T)
                if theirs is None:
                    print("    torch is not installed (TORCH_PYTHON names a Python that has it): no comparison")
                else:
                    print(f"    torch's forward pass takes {theirs:.2f} s")
                    verdict("  seconds, with 5 × torch + 3 s allowed", seconds, round(5 * theirs + 3, 2))
                visit(browser, url, name, sequence)  # the browser stores Plotly's code
                first, whole, move, memory = visit(browser, url, name, sequence)
                print(f"    the whole run is on the page after {whole:.2f} s")
                if (name, T) == ("wide", 200):
                    verdict("  seconds to the first picture", first, 1)
                    verdict("  seconds to the whole run", whole, 2)
                verdict("  milliseconds of a move, median", move, 50)
                verdict("  MB of the page", memory, 300)
        browser.close()
