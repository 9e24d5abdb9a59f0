"""The time from an edit until the gates are painted: an exported page on a static host, and the server's page."""

from __future__ import annotations

import tempfile
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import sync_playwright

from app.exports import page as export
from app.runs.linked import run_link
from app.settings import Settings
from benchmarks.page import EDITS, edits, open_page
from benchmarks.server import gruscope, serving
from benchmarks.timing import verdict
from tests.support.chromium import installed
from tests.support.static_host import static_host

CASES = {
    "flip-flop, T = 16": ("flip-flop", "AmmpBs.AmmBspm", "mA", "mB"),
    "store-and-recall, T = 60": ("store-and-recall", "AbcdabcD?" * 6 + "Abcda", "A", "?"),
    "sentiment, T = 60": ("sentiment", "the film was good . not very bad . dull " * 6, "good", "bad"),
    "names, T = 20": ("names", "abcdefghij" * 2, "a", "b"),
}


def main() -> None:
    with sync_playwright() as playwright, serving(gruscope()) as ours, tempfile.TemporaryDirectory() as name:
        folder, settings = Path(name), Settings()
        browser = playwright.chromium.launch(executable_path=installed(), args=["--no-sandbox"])
        print(f"From an edit to painted gates on a static host, median of {EDITS}, in turns with the server's page")
        with static_host(folder) as host:
            for case, (model, text, *ends) in CASES.items():
                texts = [text + end for end in ends]
                keys = {"model": model, "sequence": texts[0]}
                (folder / "page.html").write_text(export.page(run_link(keys, settings), settings), "utf-8")
                addresses = {"static": f"{host}/page.html", "server": f"{ours}?{urlencode(keys)}"}
                pages = {kind: (open_page(browser, address), texts) for kind, address in addresses.items()}
                took = edits(pages)
                print(f"  {case}: static {took['static']:.0f} ms, server {took['server']:.0f} ms")
                verdict(f"{case}, static over the server's", took["static"] / took["server"], 1.0)
                for page, _ in pages.values():
                    page.close()
