"""What can be measured of how the page looks and who can use it."""

from __future__ import annotations

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.lab import GROUPS, Lab

SIZES = [(1440, 900), (1024, 768), (390, 844)]


def resize(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    # The picture follows the grid in the same frame in which the grid is laid out anew.
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.mark.parametrize("name", ["flip-flop", "pocket-calculator", "sentiment"])
def test_tokens_outputs_cells_and_cursor_line_up_to_the_pixel(page: Page, name: str) -> None:
    lab = Lab(page).open(model=name)
    lab.step.fill("3")
    expect(lab.heading).to_contain_text("t = 3")
    for size in SIZES:
        resize(page, size)
        boxes = page.evaluate(
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


def test_each_heatmap_stands_in_its_row(page: Page) -> None:
    lab = Lab(page).open(model="sentiment")
    for size in SIZES:
        resize(page, size)
        drawn = page.evaluate(
            """() => [...document.querySelectorAll(".heatmaplayer image")]
                .map((image) => image.getBoundingClientRect()).map(({ top, bottom }) => [top, bottom])"""
        )
        for signal in GROUPS:
            box = lab.group(signal).locator(".plot").bounding_box()
            assert box is not None
            top, bottom = box["y"], box["y"] + box["height"]
            assert any(abs(a - top) <= 0.5 and abs(b - bottom) <= 0.5 for a, b in drawn)


def test_the_page_never_scrolls_sideways(page: Page) -> None:
    lab = Lab(page).open(model="flip-flop")
    for text in ("A x B", "." * 60, "." * 200):
        lab.sequence.fill(text)
        expect(page.get_by_text(f"of {len(text.replace(' ', ''))}", exact=False).first).to_be_visible()
        for size in SIZES:
            resize(page, size)
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", ["lab", "error", "help", "card", "docs"])
def test_axe_finds_nothing(page: Page, scheme: Literal["light", "dark"], state: str, complaints: list[str]) -> None:
    page.emulate_media(color_scheme=scheme)
    if state == "docs":
        page.goto("/docs")
    else:
        lab = Lab(page).open(model="store-and-recall")
        if state == "error":
            lab.sequence.fill("A Q")
            expect(lab.error).not_to_be_empty()
            complaints.clear()
        if state == "help":
            page.keyboard.press("?")
        if state == "card":
            page.locator("summary").click()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
