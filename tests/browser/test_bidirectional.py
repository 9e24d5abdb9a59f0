"""A bidirectional network in an exported page: the browser computes both directions."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

import gru_core as gru
from tests.support.lab import Lab


def test_a_new_sequence_shows_both_directions_and_the_old_state_of_the_cursor(
    exported_page: Page, exported: Callable[..., str]
) -> None:
    lab = Lab(exported_page, exported).open(
        model="tagger", sequence="A m B", t="2", unit="2", views="tape,words,cell,equations,memory,whatif"
    )
    lab.sequence.fill("B m p s A m B")
    trace = lab.expect_trace("tagger", "B m p s A m B")
    exported_page.keyboard.press("Escape")
    shown = lab.look_at(3, 2)
    expect(lab.heading).to_contain_text("2 ←")
    forward, backward = (exported_page.locator(f".directions .{name}") for name in ("forward", "backward"))
    expect(forward).to_contain_text("Unit 1 reads from t = 1 to 7")
    expect(backward).to_contain_text("Unit 2 reads from t = 7 to 1")
    expect(lab.narration).to_contain_text("t = 4")
    assert shown["numbers"]["cell h_prev"] == f"{trace.h[3, 1]:.2f}".replace("-", "−")
    signs = lab.equations.locator(".past-sign")
    assert {*signs.all_text_contents()} == {"+"}
    old = lab.group("h").locator(".old")
    expect(old).to_have_css("--at", "3")
    expect(exported_page.locator(".signal .split:visible")).to_have_count(4)
    lab.look_at(3, 1)
    assert {*signs.all_text_contents()} == {"−"}
    expect(old).to_have_css("--at", "1")
    lab.look_at(7, 2)
    expect(old).to_be_hidden()
    names = lab.group("h").locator(".unitnames li")
    expect(names).to_have_text(["1 →", "2 ←"])

    lab.look_at(4, 2)
    exported_page.get_by_role("combobox", name="Signal").select_option("h_prev")
    exported_page.get_by_role("button", name="Clamp", exact=True).click()
    clamped = gru.trace(gru.load("tagger"), "B m p s A m B", clamps=[gru.Clamp("h_prev", 0.0, [1], slice(3, 4))])
    expect(lab.group("h").locator(".holdmarks .held")).to_have_css("--at", "4")  # counted from 0: h at t = 5
    contribution = exported_page.get_by_role("list", name="Contribution of each timestep").get_by_role("listitem")
    shares = clamped.ledger(1)[3]
    expect(contribution).to_have_text([f"{100 * share:.0f}%" if share >= 0.005 else "" for share in shares[1:]])
