"""A page object that uses the “Be the gate” page like a visitor, and compares its numbers with the core."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from playwright.sync_api import Locator, Page, expect

import gru_core as gru
from gru_core import Clamp, Trace
from tests.support.lab import number

MODEL, LETTERS = "flip-flop", ["A", "m", "p", "B", "s", "m"]

Gates = tuple[float, float]


def expected(gates: Sequence[Gates]) -> Trace:
    """Return the run in which z and r are clamped at the first letters to the visitor's values."""
    clamps = [
        Clamp(gate, value, steps=slice(t, t + 1))
        for t, pair in enumerate(gates)
        for gate, value in zip("zr", pair, strict=True)
    ]
    return gru.trace(gru.load(MODEL), " ".join(LETTERS), clamps=clamps)


def answers(run: Trace) -> list[str]:
    """Return the output label at each timestep."""
    return [run.model.readout.labels[row.argmax()] for row in run.y]


class Start:
    """The “Be the gate” page and its controls."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.z = page.get_by_role("slider", name="update gate")
        self.r = page.get_by_role("slider", name="reset gate")
        self.next = page.locator("[data-do=next]")
        self.says = page.get_by_role("status")
        self.end = page.locator("section.end")

    def open(self, path: str = "/start") -> Start:
        self.page.goto(path)
        expect(self.says).to_contain_text("−0.99")
        return self

    def cells(self, row: str) -> Locator:
        return self.page.locator(f"[data-row={row}] td")

    def settled(self, gates: Sequence[Gates]) -> Trace:
        """Wait until the page shows the last of these gates, compare the page with the core, and return the run."""
        run, at = expected(gates), len(gates) - 1
        h = run.h[at, 0]
        memory = re.compile(rf"^{gates[at][0]:.2f}, .*{f'{h:.2f}'.replace('-', '−').replace('−0.00', '0.00')}$")
        expect(self.z).to_have_attribute("aria-valuetext", memory)
        expect(self.page.locator(".equation sub").first).to_have_text(str(len(gates)))
        terms = [number(text) for text in re.findall(r"−?\d+\.\d+", self.page.locator(".equation").inner_text())]
        z, old, _, candidate, result = terms
        before = run.h[at - 1, 0] if at else 0
        assert [z, old, candidate, result] == pytest.approx([gates[at][0], before, run.h_tilde[at, 0], h], abs=0.00501)
        assert (1 - z) * old + z * candidate == pytest.approx(result, abs=0.00501)
        ends = [self.page.locator(".ghost circle"), self.page.locator(".memory circle")]
        middle, unit = self.page.evaluate(
            "() => { const { left, width } = document.querySelector('figure svg').getBoundingClientRect();"
            " const { width: line } = document.querySelector('.axis').getBBox(); return [left + width / 2, line / 2]; }"
        )
        for circle, value in zip(ends, (run.h_tilde[at, 0], h), strict=True):
            box = circle.bounding_box()
            assert box is not None
            assert (box["x"] + box["width"] / 2 - middle) / unit == pytest.approx(value, abs=0.01)
        return run

    def play(self, values: Sequence[float]) -> Trace:
        """Set z at each letter, with r at 0. Compare the page with the core at each letter. Return the last run."""
        for n, z in enumerate(values, 1):
            self.z.fill(str(z))
            run = self.settled([(z, 0) for z in values[:n]])
            self.next.click()
        return run
