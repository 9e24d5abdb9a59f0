"""The lab page as a person finds it: by accessible names."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import urlencode

import numpy as np
from playwright.sync_api import Locator, Page, expect

import gru_core as gru
from gru_core import Clamp
from tests.support import contract

Visit = Callable[[Any], Any]
"""Makes a lab, or what is built on one."""

GROUPS = {"r": "Reset gate r", "z": "Update gate z", "h_tilde": "Candidate h̃", "h": "Hidden state h"}


def number(text: str | None) -> float:
    return float((text or "").replace("−", "-"))


class Lab:
    """`exported` makes a file of a scenario, where it is not the server's page that is opened."""

    def __init__(self, page: Page, exported: Callable[..., str] | None = None) -> None:
        self.page = page
        self.exported = exported
        self.sequence = page.get_by_role("textbox", name="Sequence", exact=True)
        self.model = page.get_by_role("combobox", name="Model")
        self.step = page.get_by_role("slider", name="Step")
        self.inspector = page.get_by_role("region", name="Inspector")
        self.heading = self.inspector.get_by_role("heading", level=2)
        self.cell = page.get_by_role("region", name="Cell")
        self.equations = page.get_by_role("region", name="Equations")
        self.table = page.get_by_role("region", name="Table")
        self.narration = page.get_by_role("status", name="Narration")
        self.error = page.get_by_role("region", name="Sequence and examples").get_by_role("alert")

    def open(self, **scenario: str) -> Self:
        file = self.exported(**scenario) if self.exported else "/"
        self.page.goto(f"{file}?{urlencode(scenario)}")
        self.page.wait_for_selector(".heatmaps .heatmaplayer image")
        return self

    def follow(self, **scenario: str) -> Self:
        """As `open`, on a page that is there: what back and forward do."""
        if self.exported and not self.page.url.startswith(self.exported(**scenario)):
            return self.open(**scenario)
        self.page.evaluate(
            "query => { history.pushState(null, '', query); dispatchEvent(new PopStateEvent('popstate')); }",
            "?" + urlencode(scenario),
        )
        self.page.wait_for_function("() => document.querySelector('#tape').ariaBusy !== 'true'")
        # The words follow the run in the next frame: until then they are of what was looked at before.
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return self

    def settled(self) -> Self:
        """Once nothing on the page waits for an answer of its own, as Memory, Influence and an opened sum do."""
        # A view hears in the next frame that something is to be waited for.
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        expect(self.page.locator(".late")).to_have_count(0)
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

    def expect_trace(self, model: str | gru.Model, text: str, *, flipped: bool = False) -> gru.Trace:
        """The page shows the core's run of `text`, z named the other way when `flipped`."""
        trace = gru.trace(gru.load(model) if isinstance(model, str) else model, text)
        self.expect_tokens(trace.tokens or [])
        shown = {name: getattr(trace, name) for name in GROUPS}
        if flipped:
            shown["z"] = 1 - shown["z"]
        near = 1e-12 if trace.h.dtype == np.float64 else 1e-6
        # The pictures follow the words in the next frame.
        self.page.wait_for_function(
            """([ends, close]) => Object.entries(ends).every(([signal, [first, last, T]]) => {
                const { data } = document.querySelector(".heatmaps");
                const { z } = data.find(({ name, meta }) => name === signal && !meta);
                const near = (value, wanted) => Math.abs(value - wanted) < close;
                return near(z[0][0], first) && near(z[0][T - 1], last) && !(T in z[0] && !Number.isNaN(z[0][T]));
            })""",
            arg=[{name: [float(rows[0, 0]), float(rows[-1, 0]), len(rows)] for name, rows in shown.items()}, 10 * near],
        )
        for signal, values in shown.items():
            np.testing.assert_allclose(self.drawn(signal), values, atol=near)
        return trace

    def look_at(self, t: int, unit: int) -> dict[str, Any]:
        """Puts the cursor on a step and a unit, both from 1, and reads all that the inspector then shows.

        One call into the page, since hundreds of cases are looked at: `heading` and `narration` as text, `numbers` by
        region and slot, the results that are `rounded`, the `table`'s rows and its `current` cell.
        """
        seen: dict[str, Any] = self.page.evaluate(
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
                // The equations of another unit are asked for.
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
        assert re.match(rf"t = {t}(, layer .*)?, unit {unit} of", seen["heading"]), seen["heading"]
        return seen


class WhatIf(Lab):
    """The lab with its panel for clamps."""

    def __init__(self, page: Page, exported: Callable[..., str] | None = None) -> None:
        super().__init__(page, exported)
        self.panel = page.get_by_role("region", name="What if")
        self.chips = self.panel.get_by_role("list", name="Changes").get_by_role("listitem")
        self.effect = self.panel.get_by_role("status", name="Effect")
        self.original = page.get_by_role("list", name="Output of the original run").get_by_role("listitem")

    def hold(self, gate: str = "update gate z", units: str = "one", value: float = 0.0) -> None:
        self.panel.get_by_label("Signal", exact=True).select_option(gate)
        self.panel.get_by_label("Units", exact=True).select_option(units)
        self.panel.get_by_role("slider", name="Value").fill(str(value))
        self.panel.get_by_role("button", name=contract.CLAMP, exact=True).click()

    def always(self) -> None:
        """From the first step to the last."""
        start, end = self.panel.get_by_label("from t", exact=True), self.panel.get_by_label("to t", exact=True)
        start.fill("1")
        end.fill(str(len(self.tokens())))

    def in_cell(self, slot: str) -> Locator:
        return self.page.locator(f"[data-part=cell] [data-slot={slot}]")

    def expect_clamped(self, name: str, text: str, clamps: list[Clamp]) -> tuple[gru.Trace, gru.Trace]:
        """The pictures show the clamped run and the tape both outputs; the clamped and the original trace."""
        model = gru.load(name)
        held, free = gru.trace(model, text, clamps=clamps), gru.trace(model, text)
        self.page.wait_for_function(
            """([last, value]) => {
                const { z } = document.querySelector(".heatmaps").data.find(({ name }) => name === "h");
                return Math.abs(z[0][last] - value) < 1e-9;
            }""",
            arg=[len(held.h) - 1, float(held.h[-1, 0])],
        )
        for signal in ("r", "z", "h_tilde", "h"):
            np.testing.assert_allclose(self.drawn(signal), getattr(held, signal), atol=1e-12)
        if model.readout.kind == "softmax":
            expect(self.original).to_have_text([model.readout.labels[k] for k in free.y.argmax(1)])
        return held, free
