"""A measurement of how far the parts of the Lab move while the cursor moves over 30 timesteps.

`python -m benchmarks.shift [model …]` measures the named models, or all models, on four screens, with and without the
projector mode.
"""

from __future__ import annotations

import sys
from urllib.parse import urlencode

from playwright.sync_api import Page, sync_playwright

from benchmarks.server import gruscope, serving
from benchmarks.timing import verdict
from gru_core import load, presets
from tests.support.chromium import installed
from tests.support.measured import SIZES, shift

STEPS = 30
MODELS = [*presets.NAMES, *presets.COMPARED, *presets.EXTRA]


def sequence_of(model: str) -> str:
    """Return the model's first example, repeated until it has enough timesteps."""
    example = load(model).card.examples[0].split()
    return " ".join((example * STEPS)[: STEPS + 1])


def moved_parts(page: Page, url: str, model: str) -> list[list[tuple[str, float]]]:
    """Return two lists of the parts that moved, the farthest first: without and with the projector mode."""
    page.goto(url + "?" + urlencode({"model": model, "sequence": sequence_of(model)}))
    page.wait_for_selector(".heatmaps .heatmaplayer image", state="attached")
    on_page = shift(page, STEPS)
    page.keyboard.press("p")
    page.keyboard.press("Home")
    on_projector = shift(page, STEPS)
    page.keyboard.press("p")
    return [on_page, on_projector]


def main(models: list[str]) -> None:
    print(f"The farthest move of any part of the Lab over {STEPS} timesteps, in pixels: on the page / on a projector")
    print(f"  {'':34}" + "".join(f"{size:>16}" for size in SIZES))
    worst = 0.0
    with serving(gruscope()) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=["--no-sandbox"])
        pages = [browser.new_page(viewport={"width": width, "height": height}) for width, height in SIZES.values()]
        for model in models:
            results = [moved_parts(page, url, model) for page in pages]
            moves = [[parts[0][1] if parts else 0 for parts in result] for result in results]
            row = "".join(f"{f'{on_page:.0f} / {on_projector:.0f}':>16}" for on_page, on_projector in moves)
            print(f"  {model:34}{row}", flush=True)
            worst = max(worst, *(pixels for pair in moves for pixels in pair))
            for size, result in zip(SIZES, results, strict=True):
                for part, pixels in [parts[0] for parts in result if parts]:
                    print(f"      {size}: {part} moved by {pixels:.1f}", flush=True)
    verdict("the farthest move, in pixels", worst, 0)


if __name__ == "__main__":
    main(sys.argv[1:] or MODELS)
