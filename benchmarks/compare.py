"""The Compare page in Chromium: the time of an edit, the time of a cursor move, and the size of a visit.

The time of an edit ends when three tapes are painted.
"""

from __future__ import annotations

import statistics
from urllib.parse import urlencode

from playwright.sync_api import Page, sync_playwright

from benchmarks.cursor import MOVE, spent
from benchmarks.page import edits, first_visit, open_page
from benchmarks.server import gruscope, serving
from benchmarks.timing import verdict
from tests.support.chromium import installed

CASES = {
    "flip-flop, T = 16": ("flip-flop", "AmmpBs.AmmBspm", "mA", "mB"),
    "pocket-calculator, T = 20": ("pocket-calculator", "=0.3 +0.2 0.35 -0.1 " * 4 + "0 0 0 ", "=0.3", "=-0.3"),
    "running-total, T = 20": ("running-total", "=0.2 0.1 0.25 -0.1 " * 4 + "0 0 0 ", "0.1", "=0.1"),
    "store-and-recall, T = 20": ("store-and-recall", "AbcdabcD?" * 2 + "A", "A", "?"),
    "sentiment, T = 20": ("sentiment", "the film was good . not very bad . " * 2 + "a film was ", "good", "bad"),
}
MOVES, ROUNDS = 8, 9


def moves(page: Page) -> float:
    """Return the time of JavaScript in a move to the next timestep, in ms: the median over rounds of the mean."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    rounds = []
    for _ in range(ROUNDS):
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("Home")
        page.wait_for_timeout(500)  # until the gradients of the first timesteps have arrived
        before = spent(session)
        page.evaluate(MOVE, MOVES)
        rounds.append((spent(session)["ScriptDuration"] - before["ScriptDuration"]) / MOVES)
    return statistics.median(rounds[2:])


def main() -> None:
    with sync_playwright() as playwright, serving(gruscope()) as ours:
        browser = playwright.chromium.launch(executable_path=installed(), args=["--no-sandbox"])
        print("The page Compare: from an edit of one character to three painted tapes, and a move of the cursor")
        for name, (task, text, *words) in CASES.items():
            texts = [text + word for word in words]
            page = open_page(browser, f"{ours}compare?" + urlencode({"task": task, "sequence": texts[0]}))
            lab = open_page(browser, f"{ours}?" + urlencode({"model": task, "sequence": texts[0]}))
            took = edits({"compare": (page, texts), "lab": (lab, texts)})
            lab.close()
            verdict(f"{name}, in ms", took["compare"], 110)
            verdict(f"{name}, over the same edit in the Lab", took["compare"] / took["lab"], 1.3)
            verdict(f"{name}, ms of JavaScript in a move", moves(page), 8)
            page.close()
        for name, path in (("the Lab", ""), ("the page Compare", "compare")):
            visit = first_visit(browser, ours + path)
            print(f"  a first visit to {name}: {visit['bytes'] / 1e6:.2f} MB in {visit['requests']:.0f} requests")
