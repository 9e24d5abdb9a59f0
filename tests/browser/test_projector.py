"""Projector mode: large text, a single view, and its button, key and link. In all modes, no part of the page jumps."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from playwright.sync_api import Page, expect

from tests.support.lab import Lab
from tests.support.measured import SIZES, shift, text_sizes

LEAST = {"1920x1080": 20, "1024x768": 16}
"""The smallest allowed text size in pixels on a projector, by the projector's resolution."""

VIEWS = ("What if", "Cell", "Equations", "Memory", "Influence", "Similar moments", "Table")


def resize(page: Page, size: str) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})


def small(page: Page, least: float) -> list[tuple[float, str, str]]:
    """Return the texts on a page that are smaller than `least` pixels, each as a tuple (size, text, element)."""
    return [text for text in text_sizes(page) if text[0] < least - 0.01]


def test_on_a_projector_the_text_of_every_view_is_large_and_the_tape_has_numbers(page: Page) -> None:
    lab = Lab(page).open(model="flip-flop", display="projector")
    for size, least in LEAST.items():
        resize(page, size)
        expect(lab.group("z").locator(".values span").first).to_have_text("0.91")
        for view in VIEWS:
            page.locator("[data-view]", has_text=view.split()[0]).click()
            lab.settled()
            assert small(page, least) == [], (size, view)
    lab.open(model="running-total-lstm", display="projector")
    for size, least in LEAST.items():
        resize(page, size)
        assert small(page, least) == [], size
        figure = lab.cell.locator("svg").bounding_box()
        assert figure is not None
        assert figure["y"] + figure["height"] <= SIZES[size][1] + 1, size


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("compare", ("#finding", ".tape[data-cell]", ".words.at p[role=status]")),
        ("compare?task=names", (".tape[data-cell]",)),
        ("train?task=flip-flop", (".course .controls", ".curves svg", "#clock-tape", ".tape[data-cell]")),
    ],
)
def test_on_compare_and_train_text_is_legible_and_nothing_moves(page: Page, path: str, parts: Sequence[str]) -> None:
    page.goto(f"/{path}")
    page.wait_for_selector(".heatmaps .heatmaplayer image", state="attached")
    page.wait_for_load_state("networkidle")
    for size in SIZES:
        resize(page, size)
        assert small(page, 11) == [], size
        page.keyboard.press("Home")
        assert shift(page, 4) == [], size
    page.keyboard.press("p")
    for size, least in LEAST.items():
        resize(page, size)
        assert small(page, least) == [], (size, "projector")
        page.wait_for_function("() => scrollY === 0")
        for part in parts:
            bottoms = (
                page.locator(part)
                .filter(visible=True)
                .evaluate_all("all => all.map((part) => part.getBoundingClientRect().bottom)")
            )
            assert bottoms, (size, part)
            assert max(bottoms) <= SIZES[size][1], (size, part)
        cut = "all => all.filter((part) => part.scrollWidth > part.clientWidth).map((part) => part.innerText)"
        assert page.locator(".tape .outputs :is(.name, li span)").filter(visible=True).evaluate_all(cut) == [], size


def test_the_projector_mode_has_a_button_a_key_and_a_link(page: Page) -> None:
    lab = Lab(page).open(model="flip-flop", t="3")
    root, button = page.locator("html"), lab.button("Projector")
    expect(button).to_have_attribute("aria-pressed", "false")
    lab.sequence.press("p")
    expect(root).not_to_have_attribute("data-display", "projector")
    lab.sequence.blur()

    page.keyboard.press("p")
    expect(root).to_have_attribute("data-display", "projector")
    expect(button).to_have_attribute("aria-pressed", "true")
    assert "display=projector" in page.url
    # Besides the tape and the sentence, one view is open. Pressing the button of another view replaces it.
    for part in (lab.sequence, lab.model, lab.button("Share"), lab.equations):
        expect(part).to_be_hidden()
    for part in (lab.cell, lab.narration, lab.button("Next timestep"), page.locator("#tape")):
        expect(part).to_be_visible()
    lab.button("Memory").click()
    expect(page.get_by_role("region", name="Memory")).to_be_visible()
    expect(lab.cell).to_be_hidden()

    # The mode lasts as long as the browser tab, also on other pages.
    page.get_by_role("link", name="Compare", exact=True).click()
    expect(page).to_have_url(re.compile("/compare"))
    expect(root).to_have_attribute("data-display", "projector")
    page.go_back()
    expect(root).to_have_attribute("data-display", "projector")

    button.click()
    expect(root).not_to_have_attribute("data-display", "projector")
    expect(lab.sequence).to_be_visible()
    assert "display=" not in page.url
    page.reload()
    expect(root).not_to_have_attribute("data-display", "projector")

    lab.open(model="flip-flop", views="tape,words,cell,equations", display="projector")
    expect(lab.equations).to_be_hidden()
    page.keyboard.press("p")
    expect(lab.equations).to_be_visible()
    expect(lab.cell).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
def test_nothing_moves_while_the_cursor_does(same_page: Page, size: str) -> None:
    # This test measures two models. `python -m benchmarks.shift` measures every model over 30 timesteps.
    resize(same_page, size)
    lab = Lab(same_page)
    for model in ("sentiment", "store-and-recall-lstm"):
        lab.follow(model=model).settled()
        assert small(same_page, 11) == [], model
        assert shift(same_page, 9) == [], model
        same_page.keyboard.press("p")
        same_page.keyboard.press("Home")
        assert shift(same_page, 9) == [], (model, "projector")
        same_page.keyboard.press("p")
