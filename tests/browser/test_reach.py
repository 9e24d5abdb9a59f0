"""All pages: the sizes of touch targets and text on a phone, and the order in which the Tab key visits controls."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.fingers import cut_off, small_targets, small_texts
from tests.support.lab import Lab
from tests.support.labels import press

PHONE = {"width": 390, "height": 844}
PAGES = (
    "/",
    "/?model=store-and-recall-lstm&views=tape,words,cell",
    "/compare",
    "/compare/gap",
    "/compare/race",
    "/compare/sequence",
    "/compare/bottleneck",
    "/compare/attention",
    "/train?task=flip-flop",
    "/lessons",
    "/lessons/gates",
    "/teach",
    "/rooms",
    "/start",
)
EVERYTHING = "tape,words,whatif,cell,equations,memory,influence,alike,table"


def problems(page: Page, where: str) -> list[str]:
    """Return a message for each touch target or text that is too small, and for each part that is cut off."""
    return [f"{where}: {problem}" for problem in (*small_targets(page), *small_texts(page), *cut_off(page))]


def test_targets_and_texts_are_large_enough_on_a_phone(page: Page) -> None:
    page.set_viewport_size(PHONE)
    lab = Lab(page).open(model="flip-flop", t="4", clamps="z@4=0", views=EVERYTHING).settled()
    hidden = problems(page, "the Lab with all views")
    press(lab.cell.get_by_role("radio", name="One gate"))
    expect(lab.cell.locator(".sum tbody tr")).not_to_have_count(0)
    hidden += problems(page, "the sum of a gate")
    for name in ("Help", "Share", "Export", "Room"):
        page.get_by_role("toolbar", name="Tools").get_by_role("button", name=name).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        hidden += problems(page, f"the dialog {name}")
        page.get_by_role("dialog").get_by_role("button", name="Close").click()
    for path in PAGES:
        page.goto(path)
        page.wait_for_load_state("networkidle")
        page.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")
        hidden += problems(page, path)
    assert hidden == []


def test_the_tape_of_a_phone_shows_numbers_and_keeps_the_cursor_in_view(page: Page) -> None:
    page.set_viewport_size(PHONE)
    lab = Lab(page).open(model="flip-flop", sequence="A m m B m . m A m m p B s . A p m m B . s m")
    expect(lab.group("z").locator(".values span")).to_have_count(22)
    for key, step, arrow in (("End", 22, "none"), ("Home", 1, '"›"')):
        page.keyboard.press(key)
        expect(lab.heading).to_contain_text(f"t = {step},")
        expect(page.locator("#tokens [aria-current]")).to_be_in_viewport(ratio=1)
        # An arrow appears if the tape continues to the right.
        page.wait_for_function(
            "arrow => getComputedStyle(document.querySelector('#tape .clockrow'), '::after').content === arrow",
            arg=arrow,
        )


@pytest.mark.parametrize("part", ["gates?step=1", "reset?step=1"])
def test_the_answer_and_the_row_that_it_is_about_are_in_view_together_on_a_phone(page: Page, part: str) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"/lessons/{part}")
    for slider in page.locator(".step:not([hidden]) .draws input").all():
        slider.fill("0.5")
    page.get_by_role("button", name="Check answer").click()
    bar = page.get_by_role("toolbar", name="Playback controls").bounding_box()
    page.wait_for_function(
        """(bottom) => [".revealed:not([hidden])", ".drawn.committed"].every((selector) => {
            const box = document.querySelector(selector)?.getBoundingClientRect();
            return box && box.height > 0 && box.top >= 0 && box.bottom <= bottom;
        })""",
        arg=bar and bar["y"],
    )


def test_what_if_is_within_12_presses_of_the_tab_key(page: Page) -> None:
    """Each bar of the Lab has one Tab stop. The arrow keys move within a bar. After a click, they move the cursor."""
    lab = Lab(page).open()
    what_if = lab.button("What if")
    presses = 0
    while not what_if.evaluate("button => button === document.activeElement"):
        page.keyboard.press("Tab")
        presses += 1
        assert presses <= 12
    page.keyboard.press("ArrowRight")
    expect(lab.button("Cell")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(lab.button("Cell")).to_be_focused()
    lab.button("Memory").click()
    before = int(lab.step.input_value())
    page.keyboard.press("ArrowRight")
    expect(lab.heading).to_contain_text(f"t = {before + 1},")
    expect(lab.button("Memory")).to_be_focused()


def test_every_page_starts_with_a_link_that_skips_to_its_main_part(page: Page) -> None:
    for path, words, target in (
        ("/?model=flip-flop", "Skip to the tape", "tape"),
        ("/compare", "Skip to the tape", "clock-tape"),
        ("/train?task=flip-flop", "Skip to the tape", "clock-tape"),
        ("/compare/gap", "Skip to main content", "main"),
        ("/lessons/gates", "Skip to the lesson", "lesson"),
        ("/teach", "Skip to main content", "main"),
    ):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        page.keyboard.press("Tab")
        skip = page.get_by_role("link", name=words)
        expect(skip).to_be_focused()
        expect(skip).to_be_in_viewport(ratio=1)
        page.keyboard.press("Enter")
        assert page.evaluate(
            "id => document.activeElement?.closest(`#${id}`) !== null || location.hash === `#${id}`", target
        )
