"""An encoder and a decoder on the page: both on one tape, the symbol at the handover, and the curve on the card."""

from __future__ import annotations

from playwright.sync_api import Page, expect

import gru_core as gru
from tests.support.lab import Lab

HANDED = """
(tape) => {
    const mark = getComputedStyle(tape.querySelector(".signal.h .holdmarks"), "::after");
    const column = parseFloat(getComputedStyle(tape.querySelector("#tokens li")).width);
    return [mark.display, parseFloat(mark.left) / column];
}
"""


def test_the_tape_shows_both_halves_and_the_card_a_curve(page: Page, console_errors: list[str]) -> None:
    lab = Lab(page).open(model="reversed-words", sequence="b a c > C A B", t="4")
    tape = page.locator(".tape.halved")
    names = tape.locator(".signal.h .unitnames li")
    expect(names).to_have_count(16)
    assert [text.split()[0] for text in (names.nth(0).inner_text(), names.nth(15).inner_text())] == [
        "encoder",
        "decoder",
    ]
    _, place = tape.evaluate(HANDED)
    assert round(place, 1) == 3.5
    page.locator(".card summary").click()
    curve = page.get_by_role("img", name="Share of words without an error")
    label = curve.get_attribute("aria-label") or ""
    measured = gru.load("reversed-words").card.measured
    for n in range(2, 10):
        assert f"{n} letters {100 * measured[f'accuracy on whole words of {n} letters']:.3g}%" in label
    lab.open(model="flip-flop")
    expect(page.locator(".tape.halved")).to_have_count(0)
    # The Train page also shows both halves. The axis of its score has percentages even before the first score.
    page.goto("/train?task=reversed-words")
    expect(page.locator(".halved .signal.h .unitnames li").first).to_have_text("encoder 1")
    expect(page.locator(".score .tick")).to_have_text(["0%", "100%"])
