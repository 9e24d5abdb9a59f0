"""The layout: parts that belong together are visible together, and explanations open by mouse, keyboard and touch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.lab import GROUPS, Lab
from tests.support.watched import NewProfile

PARTS = {
    "Cell": "#inspector [data-part=cell] .figure",
    "Equations": "[data-part=equations] .equation",
    "What if": "#inspector .hold",
    "Memory": "#inspector .memory :is(.says, .ledger .below, .check > .what)",
    "Influence": "#inspector .influence :is(.says, figure svg, .check > .what)",
    "Table": "#inspector section.table .pages",
}
"""CSS selectors of the parts that must be visible in each view: its figure or numbers, and its sentence."""


def not_visible(page: Page, selectors: list[str]) -> list[str]:
    """Return the selectors that match an element outside the window, or no element at all."""
    selected: list[str] = page.evaluate(
        """selectors => selectors.filter((selector) => {
            const boxes = [...document.querySelectorAll(selector)].map((element) => element.getBoundingClientRect());
            const visible = ({ top, bottom, left, right, width, height }) =>
                width && height && top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth;
            return scrollY !== 0 || boxes.length === 0 || !boxes.every(visible);
        })""",
        selectors,
    )
    return selected


@pytest.mark.parametrize("name", ["flip-flop", "store-and-recall", "sentiment"])
def test_tape_sentence_and_opened_view_are_visible_without_scrolling(page: Page, name: str) -> None:
    for width, height in ((1440, 900), (1024, 768)):
        page.set_viewport_size({"width": width, "height": height})
        lab = Lab(page).open(model=name, t="5")
        assert page.evaluate("(e => e.scrollWidth - e.clientWidth)(document.querySelector('.scroller'))") == 0
        always = ["#question", "#tape", "#inspector header", ".words"]
        assert not_visible(page, [*always, PARTS["Cell"]]) == [], (width, "as it opens")
        lab.button("Cell").click()
        lab.button("Equations").click()
        for view, part in PARTS.items():
            lab.button(view).click()
            expect(lab.button(view)).to_have_attribute("aria-pressed", "true")
            expect(page.locator("#inspector .late")).to_have_count(0)
            page.wait_for_function(
                "s => document.querySelector(s)?.getBoundingClientRect().height > 0", arg=part.split(":is")[0]
            )
            assert not_visible(page, [*always, part]) == [], (width, view)
            lab.button(view).click()


def test_the_tape_fills_its_width(same_page: Page) -> None:
    lab = Lab(same_page)
    for name in ("flip-flop", "store-and-recall", "sentiment"):
        lab.follow(model=name)
        used, room, column = same_page.evaluate(
            """() => {
                const right = (selector) => document.querySelector(selector).getBoundingClientRect().right;
                const tokens = document.querySelectorAll("#tokens li");
                const last = tokens[tokens.length - 1].getBoundingClientRect();
                return [last.right, right("#tape"), last.width];
            }"""
        )
        assert room - used <= column + 1


def test_the_model_picker_shows_whole_names(same_page: Page) -> None:
    Lab(same_page).follow(model="store-and-recall-plain")
    for width in (1440, 1024, 390):
        same_page.set_viewport_size({"width": width, "height": 800})
        assert same_page.evaluate(
            """() => {
                const picker = document.querySelector("#model");
                const style = getComputedStyle(picker);
                const pen = document.createElement("canvas").getContext("2d");
                pen.font = style.font;
                const names = [...picker.options].map(({ text }) => pen.measureText(text).width);
                const arrow = 24;
                return Math.max(...names) + 2 * parseFloat(style.paddingLeft) + arrow <= picker.clientWidth;
            }"""
        ), width


def test_the_memory_picture_has_step_numbers_at_its_cells(same_page: Page) -> None:
    lab = Lab(same_page).follow(model="sentiment", views="tape,words,memory")
    memory = same_page.get_by_role("region", name="Memory")
    expect(memory.locator(".down li")).to_have_text([str(t) for t in range(1, 11)])
    expect(memory.locator(".along li")).to_have_text(["h₀", "2", "4", "6", "8", "10"])
    for edge, axis, cells in (("down", "y", 10), ("along", "x", 11)):
        offsets: list[float] = same_page.evaluate(
            """([edge, axis, cells]) => {
                const size = axis === "x" ? "width" : "height";
                const box = document.querySelector(".ledger canvas").getBoundingClientRect();
                return [...document.querySelectorAll(`.${edge} li`)].map((tick) => {
                    const at = tick.getBoundingClientRect();
                    const step = tick.textContent === "h₀" ? 0 : Number(tick.textContent);
                    const cell = edge === "down" ? step - 1 : step;
                    return at[axis] + at[size] / 2 - (box[axis] + ((cell + 0.5) / cells) * box[size]);
                });
            }""",
            [edge, axis, cells],
        )
        assert max(map(abs, offsets)) < 2, (edge, offsets)
    lab.sequence.fill("the film was good . " * 10)
    expect(memory.locator(".down li").last).to_have_text("50")
    expect(memory.locator(".along li").nth(1)).to_have_text("6")


def test_a_signal_has_an_explanation_on_hover_and_focus(page: Page) -> None:
    lab = Lab(page).open(model="flip-flop")
    for signal in GROUPS:
        label = lab.group(signal).locator(".explains button")
        sentence = lab.group(signal).get_by_role("tooltip", include_hidden=True)
        expect(sentence).to_be_hidden()
        label.hover()
        expect(sentence).to_be_visible()
        sentence.hover()
        expect(sentence).to_be_visible()
        page.keyboard.press("Escape")
        expect(sentence).to_be_hidden()
        label.focus()
        expect(sentence).to_be_visible()
        expect(label).to_have_accessible_description(sentence.inner_text())
        label.blur()
        expect(sentence).to_be_hidden()
    z = lab.group("z").get_by_role("tooltip", include_hidden=True)
    lab.group("z").locator(".explains button").focus()
    expect(z).to_contain_text("of the candidate is taken")
    page.get_by_role("radio", name="keeps").check()
    lab.group("z").locator(".explains button").focus()
    expect(z).to_contain_text("of the old state is kept")


def test_a_first_visit_shows_a_hint_until_the_first_action(page: Page, new_profile: NewProfile) -> None:
    def visit(page: Page, act: Callable[[Lab], Any]) -> None:
        line = page.locator("#next")
        lab = Lab(page).open(model="flip-flop", t="3")
        expect(line).to_be_visible()
        act(lab)
        expect(line).to_be_hidden()
        lab.open(model="sentiment")
        expect(line).to_be_hidden()

    for button in ("Next timestep", "Play", "Dismiss"):
        visit(page, lambda lab, button=button: lab.button(button).click())
        page.evaluate("localStorage.clear()")  # as on a first visit
    page.goto("/embed?model=flip-flop")
    expect(page.get_by_role("slider", name="Timestep")).to_be_visible()
    expect(page.locator("#next")).to_have_count(0)
    touch = new_profile(has_touch=True, viewport={"width": 390, "height": 844})
    visit(touch.new_page(), lambda lab: (tapped(lab), lab.button("Next timestep").tap()))
    touch.close()


def tapped(lab: Lab) -> None:
    """Tap to open the explanation of the reset gate, and tap elsewhere to close it."""
    sentence = lab.group("r").get_by_role("tooltip", include_hidden=True)
    lab.group("r").locator(".explains button").tap()
    expect(sentence).to_be_visible()
    lab.page.locator("#question").tap()
    expect(sentence).to_be_hidden()


def test_the_hint_disappears_without_local_storage_too(new_profile: NewProfile) -> None:
    context = new_profile()
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('forbidden'); } })"
    )
    lab = Lab(context.new_page()).open(model="flip-flop")
    expect(lab.page.locator("#next")).to_be_visible()
    lab.button("Next timestep").click()
    expect(lab.page.locator("#next")).to_be_hidden()
    context.close()


def test_the_cell_stays_in_its_place_while_the_cursor_moves(page: Page) -> None:
    """A longer description, or a timestep with two digits, does not move the parts below."""
    for width, height in ((1920, 1080), (1024, 768)):
        page.set_viewport_size({"width": width, "height": height})
        lab = Lab(page).open(model="flip-flop", sequence="A m m p B s . A p m m B . s", clamps="r@4=0")
        tops = set()
        for t in range(1, 15):
            expect(lab.narration).to_contain_text(f"At t = {t} ")
            tops.add(page.locator("section.cell").evaluate("cell => cell.getBoundingClientRect().top + scrollY"))
            page.keyboard.press("ArrowRight")
        assert len(tops) == 1


def test_the_help_opens_at_its_beginning(page: Page) -> None:
    page.set_viewport_size({"width": 1366, "height": 768})
    Lab(page).open()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog").get_by_role("heading", level=2)).to_be_in_viewport()


def test_a_mark_of_a_wrong_output_covers_no_output(page: Page) -> None:
    """The mark is in the upper right corner of the table cell, above the output, on a phone too."""
    page.set_viewport_size({"width": 1024, "height": 768})
    page.goto("/compare")
    for width in (1024, 390):
        page.set_viewport_size({"width": width, "height": 844})
        wrong = page.locator(".tape .outputs:not(.twin) li.wrong")
        expect(wrong).not_to_have_count(0)
        mark = wrong.first.evaluate(
            """cell => {
                const { content, position, top, right } = getComputedStyle(cell, "::after");
                const output = cell.firstElementChild.innerText;
                return [content, position, top, parseFloat(right) >= 0, output.includes("×")];
            }"""
        )
        assert mark == ['"×"', "absolute", "0px", True, False], width


def test_on_a_phone_the_clock_of_a_long_run_covers_no_control(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for link in ("?model=flip-flop", "compare?task=flip-flop"):
        page.goto(f"/{link}&sequence={'A+m+m+B+m+' * 30}m&t=100")
        expect(page.locator("#now")).to_have_text("100")
        gaps = page.evaluate(
            """() => {
                const text = document.createRange();
                text.selectNodeContents(document.querySelector("#clock"));
                const [{ left, right }, last, speed] = [text, ...document.querySelectorAll("#last-step, #speed")].map(
                    (part) => part.getBoundingClientRect());
                return [left - last.right, speed.left - right];
            }"""
        )
        assert min(gaps) > 0, link
