"""The lab page as a person finds it: by accessible names."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import numpy as np
from playwright.sync_api import Locator, Page, expect

import gru_core as gru

GROUPS = {"r": "Reset gate r", "z": "Update gate z", "h_tilde": "Candidate h̃", "h": "Hidden state h"}


def number(text: str | None) -> float:
    return float((text or "").replace("−", "-"))


class Lab:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.sequence = page.get_by_role("textbox", name="Sequence")
        self.model = page.get_by_role("combobox", name="Model")
        self.step = page.get_by_role("slider", name="Step")
        self.readout = page.get_by_role("region", name="Read-out")
        self.narration = page.get_by_role("status", name="Narration")
        self.error = page.get_by_role("alert")

    def open(self, **scenario: str) -> Lab:
        self.page.goto("/?" + urlencode(scenario))
        self.page.wait_for_selector(".heatmaps .heatmaplayer image")
        return self

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def group(self, signal: str) -> Locator:
        return self.page.get_by_role("group", name=GROUPS[signal], exact=True)

    def tokens(self) -> list[str]:
        return self.page.get_by_role("list", name="Input").get_by_role("listitem").all_inner_texts()

    def expect_tokens(self, tokens: list[str]) -> None:
        expect(self.page.get_by_role("list", name="Input").get_by_role("listitem")).to_have_text(tokens)

    def drawn(self, signal: str) -> np.ndarray:
        """What Plotly was given to draw, `(T, H)`; columns that are still empty are left out."""
        rows: Any = self.page.evaluate(
            "name => document.querySelector('.heatmaps').data.find(p => p.name === name && !p.meta)"
            ".z.map(row => Array.from(row, value => Number.isNaN(value) ? null : value))",
            signal,
        )
        array = np.array(rows, float).T
        return array[~np.isnan(array).any(1)]

    def printed(self, signal: str) -> list[float]:
        return [number(text) for text in self.group(signal).locator(".values span").all_inner_texts()]

    def expect_trace(self, model: str, text: str) -> gru.Trace:
        """The page shows the core's run of `text`."""
        trace = gru.trace(gru.load(model), text)
        self.expect_tokens(trace.tokens or [])
        self.page.wait_for_function(
            "T => document.querySelector('.heatmaps').data[0].z[0].filter(v => !Number.isNaN(v)).length === T",
            arg=len(trace.h),
        )
        for signal in GROUPS:
            np.testing.assert_allclose(self.drawn(signal), getattr(trace, signal), atol=1e-12)
        return trace

    def value(self, row: str, column: int = -1) -> float:
        """A number of the read-out's table: the row of a signal, by its symbol; the last column is the value."""
        return number(self.readout.get_by_role("row", name=row).get_by_role("cell").nth(column).inner_text())
