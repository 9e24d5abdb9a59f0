"""Page objects of the Lab for browser tests. They find controls by accessible names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Self
from urllib.parse import urlencode

import numpy as np
from playwright.sync_api import Locator, Page, expect

import gru_core as gru
from gru_core import Clamp
from tests.support import contract

Visit = Callable[[Any], Any]
"""A function that creates a page object, such as a Lab, for a test."""

GROUPS = {"r": "Reset gate r", "z": "Update gate z", "h_tilde": "Candidate h̃", "h": "Hidden state h"}


def number(text: str | None) -> float:
    """Parse a number that may have a true minus sign (U+2212)."""
    return float((text or "").replace("−", "-"))


class Lab:
    """The Lab on a server, or in a file that the function `exported` writes."""

    def __init__(self, page: Page, exported: Callable[..., str] | None = None) -> None:
        self.page = page
        self.exported = exported
        self.sequence = page.get_by_role("textbox", name="Sequence", exact=True)
        self.model = page.get_by_role("combobox", name="Model")
        self.step = page.get_by_role("slider", name="Timestep")
        self.inspector = page.get_by_role("region", name="Inspector")
        self.heading = self.inspector.get_by_role("heading", level=2)
        self.cell = page.get_by_role("region", name="Cell")
        self.equations = page.get_by_role("region", name="Equations")
        self.table = page.get_by_role("region", name="Table")
        self.narration = page.get_by_role("status", name="Narration")
        self.error = page.get_by_role("region", name="Sequence and examples").get_by_role("alert")

    def open(self, **scenario: str) -> Self:
        """Open a scenario by its link keys, and wait for the heatmaps."""
        file = self.exported(**scenario) if self.exported else "/"
        self.page.goto(f"{file}?{urlencode(scenario)}")
        self.page.wait_for_selector(".heatmaps .heatmaplayer image")
        return self

    def follow(self, **scenario: str) -> Self:
        """Open a scenario on the loaded page, in the same way as the browser's Back button."""
        if self.exported and not self.page.url.startswith(self.exported(**scenario)):
            return self.open(**scenario)
        self.page.evaluate(
            "query => { history.pushState(null, '', query); dispatchEvent(new PopStateEvent('popstate')); }",
            "?" + urlencode(scenario),
        )
        # If the cell changes, the page reloads.
        self.page.wait_for_function(
            "() => { const tape = document.querySelector('#tape'); return tape && tape.ariaBusy !== 'true'; }"
        )
        # The narration changes one frame after the run.
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return self

    def settled(self) -> Self:
        """Wait until no view, such as Memory or Influence, waits for a response."""
        # A view starts to wait one frame after a change.
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        expect(self.page.locator(".late")).to_have_count(0)
        return self

    def button(self, name: str) -> Locator:
        """Return the button with this name."""
        return self.page.get_by_role("button", name=name, exact=True)

    def group(self, signal: str) -> Locator:
        """Return the row of a signal on the tape."""
        return self.page.get_by_role("group", name=GROUPS[signal], exact=True)

    def tokens(self) -> list[str]:
        """Return the tokens on the tape."""
        return self.page.get_by_role("list", name="Input").get_by_role("listitem").all_inner_texts()

    def expect_tokens(self, tokens: list[str]) -> None:
        """Wait until the tape shows these tokens."""
        expect(self.page.get_by_role("list", name="Input").get_by_role("listitem")).to_have_text(tokens)

    def drawn(self, signal: str) -> np.ndarray:
        """Return the values in the Plotly heatmap of a signal, `(T, H)`, without timesteps that are still empty."""
        rows: Any = self.page.evaluate(
            "name => document.querySelector('.heatmaps').data.find(p => p.name === name)"
            ".z.map(row => Array.from(row, value => Number.isNaN(value) ? null : value))",
            signal,
        )
        array = np.array(rows, float).T
        return array[~np.isnan(array).any(1)]

    def printed(self, signal: str) -> list[float]:
        """Return the numbers that the tape shows in the row of a signal."""
        return [number(text) for text in self.group(signal).locator(".values span").all_inner_texts()]

    def expect_trace(
        self, model: str | gru.Model, text: str, *, flipped: bool = False, h0: Sequence[np.ndarray] | None = None
    ) -> gru.Trace:
        """Wait until the page shows the run of `text`, compare its values with the core, and return the core's run.

        If `flipped`, the page shows 1 − z in place of z.
        """
        trace = gru.trace(gru.load(model) if isinstance(model, str) else model, text, h0)
        self.expect_tokens(trace.tokens or [])
        shown = {name: getattr(trace, name) for name in GROUPS}
        if flipped:
            shown["z"] = 1 - shown["z"]
        tolerance = 1e-12 if trace.h.dtype == np.float64 else 1e-6
        # The heatmaps change one frame after the narration. While Plotly loads, the element has no data.
        self.page.wait_for_function(
            """([ends, close]) => Object.entries(ends).every(([signal, [first, last, T]]) => {
                const { data } = document.querySelector(".heatmaps");
                if (!data) return false;
                const { z } = data.find(({ name }) => name === signal);
                const near = (value, expected) => Math.abs(value - expected) < close;
                return near(z[0][0], first) && near(z[0][T - 1], last) && !(T in z[0] && !Number.isNaN(z[0][T]));
            })""",
            arg=[
                {name: [float(rows[0, 0]), float(rows[-1, 0]), len(rows)] for name, rows in shown.items()},
                10 * tolerance,
            ],
        )
        for signal, values in shown.items():
            np.testing.assert_allclose(self.drawn(signal), values, atol=tolerance)
        return trace

    def look_at(self, t: int, unit: int) -> dict[str, Any]:
        """Move the cursor to a timestep and unit, both from 1, and return everything that the inspector then shows.

        The result has `heading` and `narration` as text, `numbers` by region and slot, the names of the results after a
        ≈ sign as `rounded`, the rows of the `table`, and the `current` cell of the table. One call does all this,
        because tests inspect hundreds of cases.
        """
        shown: dict[str, Any] = self.page.evaluate(
            """async ([t, unit]) => {
                const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
                const find = (selector) => document.querySelector(selector);
                const slider = find("#step");
                slider.value = t;
                slider.dispatchEvent(new Event("input", { bubbles: true }));
                await frames();
                const plot = find(".signal .plot");
                const { y, height } = plot.getBoundingClientRect();
                const { x, width } = find(".cursor").getBoundingClientRect();
                const clientY = y + ((unit - 0.5) / find("#tape").style.getPropertyValue("--units")) * height;
                plot.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true, clientX: x + width / 2, clientY }));
                await frames();
                // The equations of another unit need a request.
                for (let i = 0; i < 300 && find("#inspector .cell svg.late, .equations.late"); i++) await frames();
                const numbers = {};
                for (const part of ["cell", "equations"]) {
                    for (const slot of document.querySelectorAll(`[data-part=${part}] [data-slot]`)) {
                        const { slot: name } = slot.dataset;
                        const sign = find(`[data-part=${part}] [data-plus="${name}"]`)?.textContent.replace("+", "");
                        numbers[`${part} ${name}`] = (sign ?? "") + slot.textContent;
                    }
                }
                const relations = [...document.querySelectorAll("[data-relation]")];
                const rows = [...find("section.table tbody").rows];
                return {
                    heading: find("#inspector h2").textContent,
                    narration: find("[aria-label=Narration]").textContent,
                    numbers,
                    rounded: relations.filter((sign) => sign.textContent === "≈").map((sign) => sign.dataset.relation),
                    table: rows.map((row) => [...row.cells].map((cell) => cell.textContent)),
                    current: find("section.table [aria-current=true]")?.textContent,
                };
            }""",
            [t, unit],
        )
        assert re.match(rf"t = {t}(, layer .*)?, unit {unit}( [→←])? of", shown["heading"]), shown["heading"]
        return shown


class WhatIf(Lab):
    """The Lab, with the What if view."""

    def __init__(self, page: Page, exported: Callable[..., str] | None = None) -> None:
        super().__init__(page, exported)
        self.panel = page.get_by_role("region", name="What if")
        self.chips = self.panel.get_by_role("list", name="Changes").get_by_role("listitem")
        self.effect = self.panel.get_by_role("status", name="Effect")
        self.original = page.get_by_role("list", name="Output of the original run").get_by_role("listitem")

    def clamp(self, gate: str = "update gate z", units: str = "one", value: float = 0.0) -> None:
        """Clamp a gate to `value` at the selected timesteps."""
        self.panel.get_by_label("Signal", exact=True).select_option(gate)
        self.panel.get_by_label("Units", exact=True).select_option(units)
        self.panel.get_by_role("slider", name="Value").fill(str(value))
        self.panel.get_by_role("button", name=contract.CLAMP, exact=True).click()

    def select_all_steps(self) -> None:
        """Select all timesteps in the What if view."""
        start, end = self.panel.get_by_label("from t", exact=True), self.panel.get_by_label("to t", exact=True)
        start.fill("1")
        end.fill(str(len(self.tokens())))

    def in_cell(self, slot: str) -> Locator:
        """Return the element of the cell figure that shows the number `slot`."""
        return self.page.locator(f"[data-part=cell] [data-slot={slot}]")

    def expect_clamped(self, name: str, text: str, clamps: list[Clamp]) -> tuple[gru.Trace, gru.Trace]:
        """Wait until the page shows the clamped run, and compare it with the core. Return the clamped and original run.

        For a softmax readout, compare the outputs of the original run, too.
        """
        model = gru.load(name)
        clamped, original = gru.trace(model, text, clamps=clamps), gru.trace(model, text)
        self.page.wait_for_function(
            """([last, value]) => {
                const { data } = document.querySelector(".heatmaps");
                if (!data) return false;
                const { z } = data.find(({ name }) => name === "h");
                return Math.abs(z[0][last] - value) < 1e-9;
            }""",
            arg=[len(clamped.h) - 1, float(clamped.h[-1, 0])],
        )
        for signal in ("r", "z", "h_tilde", "h"):
            np.testing.assert_allclose(self.drawn(signal), getattr(clamped, signal), atol=1e-12)
        if model.readout.kind == "softmax":
            expect(self.original).to_have_text([model.readout.labels[k] for k in original.y.argmax(1)])
        return clamped, original
