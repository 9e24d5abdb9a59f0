"""The appearance of the Lab, measured in pixels, and accessibility."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from tests.support import contract
from tests.support.accessible import expect_no_barriers
from tests.support.lab import GROUPS, Lab

SIZES = [(1440, 900), (1024, 768), (390, 844)]


def resize(page: Page, size: tuple[int, int]) -> None:
    """Resize the window and wait for the new layout."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    # The pictures are resized in the same frame as the layout.
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.mark.parametrize("name", ["flip-flop", "pocket-calculator", "sentiment"])
def test_tokens_outputs_cells_and_cursor_are_aligned_to_the_pixel(same_page: Page, name: str) -> None:
    lab = Lab(same_page).follow(model=name)
    lab.step.fill("3")
    expect(lab.heading).to_contain_text("t = 3")
    for size in SIZES:
        resize(same_page, size)
        boxes = same_page.evaluate(
            """() => {
                const box = (element) => element.getBoundingClientRect().toJSON();
                const edges = (element) => [box(element).left, box(element).right];
                const nth = (selector) => edges(document.querySelectorAll(selector)[2]);
                const columns = [...document.querySelectorAll(".plot")].map(edges);
                const images = [...document.querySelectorAll(".heatmaplayer image")].map(edges);
                const cursor = edges(document.querySelector(".cursor"));
                const count = Number(document.querySelector(".tape").style.getPropertyValue("--cols"));
                return { token: nth("#tokens li"), output: nth("#outputs li"), cursor, columns, images, count };
            }"""
        )
        left, right = boxes["columns"][0]
        column = (right - left) / boxes["count"]
        assert column == int(column)
        third = [left + 2 * column, left + 3 * column]
        assert boxes["token"] == boxes["output"] == third
        assert [boxes["cursor"][0], boxes["cursor"][1] - 1] == third
        assert all(image == [left, right] for image in boxes["columns"] + boxes["images"])


def test_each_heatmap_fills_its_row(same_page: Page) -> None:
    lab = Lab(same_page).follow(model="sentiment")
    for size in SIZES:
        resize(same_page, size)
        drawn = same_page.evaluate(
            """() => [...document.querySelectorAll(".heatmaplayer image")]
                .map((image) => image.getBoundingClientRect()).map(({ top, bottom }) => [top, bottom])"""
        )
        for signal in GROUPS:
            box = lab.group(signal).locator(".plot").bounding_box()
            assert box is not None
            top, bottom = box["y"], box["y"] + box["height"]
            assert any(abs(a - top) <= 0.5 and abs(b - bottom) <= 0.5 for a, b in drawn)


def test_long_sequences_never_scroll_the_page_sideways(same_page: Page) -> None:
    lab = Lab(same_page).follow(model="flip-flop")
    for text in ("A m B", "." * 60, "." * 200):
        lab.sequence.fill(text)
        expect(same_page.get_by_text(f"of {len(text.replace(' ', ''))}", exact=False).first).to_be_visible()
        for size in SIZES:
            resize(same_page, size)
            assert same_page.evaluate("document.documentElement.scrollWidth") <= size[0]


Check = Callable[..., None]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.fixture
def check(page: Page) -> Check:
    """Return a function that runs axe on the page, or on a part of it, in light and in dark colors."""

    def check(state: str, within: str = "") -> None:
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            # During a transition, an element has colors between the two states.
            page.evaluate("() => Promise.all(document.getAnimations().map((animation) => animation.finished))")
            expect_no_barriers(page, f"{scheme}, {state}", within, colors_alone=scheme == "dark")

    return check


def test_views_errors_and_dialogs_are_accessible(page: Page, check: Check, console_errors: list[str]) -> None:
    lab = Lab(page).open(model="store-and-recall", views="tape,words,cell,equations,memory,influence,table")
    check("all views")
    for zoom in ("Whole layer", "One gate"):
        lab.cell.get_by_role("radio", name=zoom).check()
        lab.settled()
        check(zoom, "[data-part=cell]")
    page.get_by_role("radio", name="keeps").check()
    lab.equations.locator("mrow[data-term='z.Wx']").first.hover()
    check("the other convention, a term lit up", "#inspector")
    lab.sequence.fill("A Q")
    expect(lab.error).not_to_be_empty()
    console_errors.clear()
    check("error")
    for opener in ("Share", "Export", "Help ?"):
        lab.button(opener).click()
        check(opener, "dialog[open]")
        page.keyboard.press("Escape")
    page.locator("#summary").click()
    check("card")


def test_clamps_changed_weights_and_checks_are_accessible(page: Page, check: Check) -> None:
    lab = Lab(page).open(model="flip-flop", clamps="z.1@5=0,r@1-=1", t="5", views="tape,words,whatif,cell,equations")
    expect(lab.narration).to_contain_text("z is clamped at 0.00")
    check("two clamps")
    page.locator(".effect [name=difference]").check()
    check("differences")
    lab.open(
        model="sentiment",
        t="4",
        zoom="gate",
        weights="z.1.b=1",
        views="tape,whatif,cell,memory,influence",
        scale="normalized",
    )
    lab.cell.locator("tbody button").first.click()
    lab.button(contract.SCORE).click()
    expect(page.get_by_role("button", name=contract.CHECK_IT)).to_have_count(2)
    for button in page.get_by_role("button", name=contract.CHECK_IT).all():
        button.click()
    page.get_by_text("As a table", exact=True).click()
    expect(page.locator(".check [role=status]", has_text="h of unit 1")).to_have_count(2)
    expect(page.get_by_role("status", name="Score")).to_contain_text("%")
    check("a changed weight, its score, and both checks")


def test_deep_models_embeds_and_the_api_page_are_accessible(page: Page, check: Check) -> None:
    Lab(page).open(model="deep", zoom="layer")
    check("many layers and units")
    page.goto("/embed?model=flip-flop&hide=question,model,transport&t=99")
    page.wait_for_selector(".heatmaplayer image")
    check("embed, with a notice")
    page.goto("/docs")
    check("docs")


def test_no_view_scrolls_the_page_sideways(page: Page) -> None:
    for name in ("deep", "pocket-calculator"):
        resize(page, SIZES[0])
        lab = Lab(page).open(
            model=name, views="tape,words,whatif,cell,equations,memory,influence,table", clamps="z@2=1"
        )
        for zoom in ("Whole layer", "One unit", "One gate"):
            lab.cell.get_by_text(zoom, exact=True).click()
            # 640 × 400 equals a window of 1280 × 800 zoomed to 200%.
            for size in (*SIZES, (640, 400), (320, 568)):
                resize(page, size)
                assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    resize(page, (390, 844))
    page.goto("/lessons/gates/print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    resize(page, (320, 568))
    for address in ("/compare?task=flip-flop", "/embed?model=flip-flop", "/docs", "/lessons/gates/print"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, address
        cut = "[...document.querySelectorAll('#clock')].filter((clock) => clock.scrollWidth > clock.clientWidth).length"
        assert page.evaluate(cut) == 0, address


def test_every_control_is_reached_by_keys_and_shows_its_focus(page: Page) -> None:
    """The Tab key reaches every control outside bars, and one in each bar. The arrow keys reach the rest of a bar."""
    Lab(page).open(model="deep", zoom="gate", views="tape,words,whatif,cell,equations,memory,influence,table")
    reached: list[str] = []
    page.evaluate("() => document.activeElement.blur()")

    def press(key: str) -> dict[str, Any]:
        page.keyboard.press(key)
        focused: dict[str, Any] = page.evaluate(
            """() => {
                const on = document.activeElement;
                // Some controls draw the focus on another part: a radio button on its label, a node on its box.
                const drawn = on.matches("[type=radio]") ? on.nextElementSibling : on.querySelector(".box") ?? on;
                const { outlineStyle } = getComputedStyle(drawn);
                const name = on.getAttribute("aria-label") ?? on.id ?? on.name;
                const { width, height } = drawn.getBoundingClientRect();
                const bar = on.closest("[role=toolbar], nav, .sequence, .scroller");
                return {
                    end: on === document.body,
                    name: `${on.localName} ${name || on.name || on.dataset.term || on.textContent.trim()}`,
                    visible: (outlineStyle !== "none" || drawn.matches(".box")) && width > 0 && height > 0,
                    inBar: bar !== null && !on.matches("input"),
                };
            }"""
        )
        return focused

    while True:
        focused = press("Tab")
        if focused["end"] or focused["name"] in reached[:1]:
            break
        while focused["name"] not in reached:
            assert focused["visible"], focused["name"]
            reached.append(focused["name"])
            if focused["inBar"]:
                focused = press("ArrowRight")
    names = "\n".join(reached)
    for control in (
        "share-open", "export-open", "model", "bring-open", "sequence", "Examples", "Play", "speed", "convention",
        "layer", "rows", "Timestep", "Table of reset gate", "First unit shown", "zoom", "gate", "z.Wx", contract.CLAMP,
        contract.CHECK_IT, "scale", "As a table", "table-of", "copy-csv", "Table, scrolls",
    ):  # fmt: skip
        assert re.search(rf"\b{control}", names), (control, names)
    # The Random button exists only for models of a built-in task.
    lab = Lab(page).open(model="flip-flop")
    lab.sequence.focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("combobox", name="Examples")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(lab.button("Random")).to_be_focused()


def test_reduced_motion_and_forced_colors_are_respected(page: Page) -> None:
    page.emulate_media(reduced_motion="no-preference")
    lab = Lab(page).open(model="flip-flop")
    flow = lab.cell.locator(".flow").first
    expect(flow).to_have_css("transition-duration", "0.25s, 0.25s")
    page.emulate_media(reduced_motion="reduce")
    expect(flow).to_have_css("transition-duration", "0s")
    page.emulate_media(forced_colors="active")
    # Parts with meaningful colors keep their colors. Other fills and strokes have the system's colors.
    assert page.evaluate(
        """() => [".heatmaps", ".flow", "#step", "#outputs li"]
            .map((part) => getComputedStyle(document.querySelector(part)).forcedColorAdjust)"""
    ) == ["none", "none", "none", "none"]
    text = lab.cell.locator(".number").first.evaluate("text => getComputedStyle(text).fill")
    assert text == page.evaluate("getComputedStyle(document.body).color")
