"""Two sequences on one tape: the tokens, outputs and states of the second are the core's, in a saved page too."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from playwright.sync_api import Page, expect

import gru_core as gru
from tests.support import contract
from tests.support.lab import Lab

DRAWN = """
() => Object.fromEntries(document.querySelector(".heatmaps").data.filter(({ meta }) => !meta)
    .map(({ name, z }) => [name, [...z[0]].filter((value) => !Number.isNaN(value))]))
"""


def test_another_input_is_read_on_the_same_tape(page: Page, complaints: list[str]) -> None:
    lab = Lab(page).open(model="flip-flop", sequence="A x x B x", t="2")
    page.get_by_role("button", name=contract.SECOND_SEQUENCE).click()
    box = page.get_by_role("textbox", name=contract.SECOND_SEQUENCE)
    expect(box).to_have_value("A x x B x")
    expect(box).to_be_focused()
    box.fill("B x x B x")
    both = gru.trace(gru.load("flip-flop"), "A x x B x", against="B x x B x")
    assert both.twin is not None
    other = page.get_by_role("list", name=contract.SECOND_SEQUENCE, exact=True)
    expect(other.locator("li")).to_have_text(["B", "x", "x", "B", "x"])
    expect(other.locator(".differs")).to_have_text(["B"])
    labels = both.model.readout.labels
    expect(page.locator("#untouched li")).to_have_text([labels[k] for k in both.twin.y.argmax(1)])
    gap = both.largest_gap
    assert gap is not None
    said = page.get_by_role("status", name="Difference")
    expect(said).to_contain_text("first differs at t = 1: A (second sequence: B).")
    expect(said).to_contain_text(f"most at t = {gap.t + 1}, unit 1: by {gap.size:.3f}.")
    expect(lab.narration).to_contain_text("the output is A (second sequence: B)")
    page.get_by_role("checkbox", name="difference").check()
    page.wait_for_function("() => document.querySelector('.heatmaps').layout.meta?.endsWith('difference')")
    for name, values in page.evaluate(DRAWN).items():
        np.testing.assert_allclose(values, (getattr(both, name) - getattr(both.twin, name))[:, 0], atol=1e-12)
    # What cannot be compared is said, and what was there stays.
    complaints.clear()
    box.fill("B x")
    expect(lab.error).to_have_text(re.compile(r"\b5\b.*\b2\b"))
    complaints.clear()  # the refusal is in the console as well
    expect(other.locator("li")).to_have_text(["B", "x", "x", "B", "x"])
    box.fill("A x B B x")
    expect(lab.error).to_be_empty()
    page.wait_for_url(re.compile(r"against=A\+x\+B\+B\+x"))
    page.reload()
    expect(page.get_by_role("textbox", name=contract.SECOND_SEQUENCE)).to_have_value("A x B B x")
    expect(other.locator(".differs")).to_have_text(["B"])
    page.get_by_role("button", name="Remove the second sequence").click()
    expect(other).to_be_hidden()
    expect(page.get_by_role("button", name=contract.SECOND_SEQUENCE)).to_be_focused()


def test_a_saved_page_has_both_inputs(exported_page: Page, exported: Callable[..., str]) -> None:
    lab = Lab(exported_page, exported).open(model="flip-flop", sequence="A x x B x", against="B x x B x", t="2")
    expect(lab.page.get_by_role("list", name=contract.SECOND_SEQUENCE, exact=True).locator("li")).to_have_text(
        ["B", "x", "x", "B", "x"]
    )
    expect(lab.narration).to_contain_text("the output is A (second sequence: B)")
