"""The names on the page: all twelve probabilities as a picture over the letters, with the numbers at the cursor."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import Page, expect

import gru_core as gru
from tests.support.lab import Lab

SHADES = """
(list) => [...list.children].map((item) => {
    const picture = item.querySelector("i").style.getPropertyValue("--picture");
    return [...picture.matchAll(/var\\(--ink\\) (\\d+)%/g)].map((match) => Number(match[1]));
})
"""


def test_all_lists_are_a_picture_over_the_letters(page: Page, console_errors: list[str]) -> None:
    Lab(page).open(model="names", sequence="Bošnjaković", t="11")
    model = gru.load("names")
    y = gru.trace(model, "bosnjakovic").y
    answers = page.get_by_role("list", name="Answers", exact=True)
    expect(answers.locator("span")).to_have_text(list(model.readout.labels))
    expect(answers.locator(".best span")).to_have_text(model.readout.labels[y[-1].argmax()])
    expect(answers.locator("b")).to_have_text([f"{p:.2f}" for p in y[-1]])
    np.testing.assert_allclose(np.array(answers.evaluate(SHADES)), 100 * y.T, atol=0.51)
    page.get_by_role("button", name="Random").click()
    expect(page.get_by_role("textbox", name="Sequence")).not_to_have_value("Bošnjaković")


def test_the_name_writer_writes_on_after_the_cursor(page: Page, console_errors: list[str]) -> None:
    lab = Lab(page).open(model="name-writer", sequence="finnish v", t="2")
    box = page.get_by_role("textbox", name="Sequence")
    with page.expect_response("**/api/models/name-writer/write?*") as answered:
        page.get_by_role("button", name="Write on").click()
    text = answered.value.json()["sequence"]
    assert text.startswith("finnish v")
    expect(box).to_have_value(text)
    trace = gru.trace(gru.load("name-writer"), text)
    expect(page.locator(".tokens li")).to_have_text(trace.tokens or [])
    lab.open(model="names")
    expect(page.get_by_role("button", name="Write on")).to_be_hidden()
