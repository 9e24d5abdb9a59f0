"""A second sequence on the same tape: its tokens, outputs and states equal the core, in an exported page too."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from playwright.sync_api import Page, expect

import gru_core as gru
from tests.support import contract
from tests.support.lab import Lab

DRAWN = """
() => Object.fromEntries(document.querySelector(".heatmaps").data
    .map(({ name, z }) => [name, [...z[0]].filter((value) => !Number.isNaN(value))]))
"""


def test_a_second_sequence_is_shown_on_the_same_tape(page: Page, console_errors: list[str]) -> None:
    lab = Lab(page).open(model="flip-flop", sequence="A m m B m", t="2")
    page.get_by_role("button", name=contract.SECOND_SEQUENCE).click()
    box = page.get_by_role("textbox", name=contract.SECOND_SEQUENCE)
    expect(box).to_have_value("A m m B m")
    expect(box).to_be_focused()
    box.fill("B m m B m")
    trace = gru.trace(gru.load("flip-flop"), "A m m B m", against="B m m B m")
    assert trace.twin is not None
    second = page.get_by_role("list", name=contract.SECOND_SEQUENCE, exact=True)
    expect(second.locator("li")).to_have_text(["B", "m", "m", "B", "m"])
    expect(second.locator(".differs")).to_have_text(["B"])
    labels = trace.model.readout.labels
    expect(page.locator("#untouched li")).to_have_text([labels[k] for k in trace.twin.y.argmax(1)])
    gap = trace.largest_gap
    assert gap is not None
    effect = page.get_by_role("status", name="Difference")
    expect(effect).to_contain_text("first differs at t = 1: A (second sequence: B).")
    expect(effect).to_contain_text(f"most at t = {gap.t + 1}, unit 1: by {gap.size:.3f}.")
    expect(lab.narration).to_contain_text("the output is A (second sequence: B)")
    page.get_by_role("checkbox", name="difference").check()
    page.wait_for_function("() => document.querySelector('.heatmaps').layout.meta?.endsWith('difference')")
    for name, values in page.evaluate(DRAWN).items():
        np.testing.assert_allclose(values, (getattr(trace, name) - getattr(trace.twin, name))[:, 0], atol=1e-12)
    # A second sequence with a different length is an error, and the page keeps the last valid one.
    console_errors.clear()
    box.fill("B m")
    expect(lab.error).to_have_text(re.compile(r"\b5\b.*\b2\b"))
    console_errors.clear()  # Chromium logs the status 422 in the console
    expect(second.locator("li")).to_have_text(["B", "m", "m", "B", "m"])
    box.fill("A m B B m")
    expect(lab.error).to_be_empty()
    page.wait_for_url(re.compile(r"against=A\+m\+B\+B\+m"))
    page.reload()
    expect(page.get_by_role("textbox", name=contract.SECOND_SEQUENCE)).to_have_value("A m B B m")
    expect(second.locator(".differs")).to_have_text(["B"])
    page.get_by_role("button", name="Remove the second sequence").click()
    expect(second).to_be_hidden()
    expect(page.get_by_role("button", name=contract.SECOND_SEQUENCE)).to_be_focused()


def test_a_run_starts_from_a_typed_state_and_from_the_last_state(page: Page, console_errors: list[str]) -> None:
    name, model = "store-and-recall", gru.load("store-and-recall")
    first = gru.trace(model, "A b c")
    lab = Lab(page).open(model=name, sequence="A b c")
    page.get_by_role("button", name="Initial state").click()
    page.get_by_role("button", name="Take the last state").click()
    box = page.get_by_role("textbox", name="Initial state")
    expect(box).not_to_have_value("")
    lab.sequence.fill("d ? a")
    lab.expect_trace(name, "d ? a", h0=[first.layers[0].last])
    expect(page).to_have_url(re.compile("sequence=d"))
    page.reload()
    lab.expect_trace(name, "d ? a", h0=[first.layers[0].last])
    box.fill("1, x")
    expect(page.locator("#h0-hint")).to_contain_text("semicolons")
    box.fill("1, 2")
    expect(lab.error).to_contain_text(re.compile(r"initial state.* 2 .* 4\b"))
    console_errors.clear()
    page.get_by_role("button", name="Start from zero again").click()
    lab.expect_trace(name, "d ? a")
    expect(page).not_to_have_url(re.compile("h0="))


def test_an_exported_page_has_both_sequences(exported_page: Page, exported: Callable[..., str]) -> None:
    lab = Lab(exported_page, exported).open(model="flip-flop", sequence="A m m B m", against="B m m B m", t="2")
    expect(lab.page.get_by_role("list", name=contract.SECOND_SEQUENCE, exact=True).locator("li")).to_have_text(
        ["B", "m", "m", "B", "m"]
    )
    expect(lab.narration).to_contain_text("the output is A (second sequence: B)")
