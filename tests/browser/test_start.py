"""The Be the gate page: played by keyboard on a projector, and by touch on a phone."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import CDPSession, Locator, Page, expect

import gru_core as gru
from tests.support.accessible import expect_no_barriers
from tests.support.lab import Lab
from tests.support.start import LETTERS, MODEL, Gates, Start, answers


def test_be_the_gate_is_played_by_keys_and_compares_the_gates_with_the_networks(page: Page) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    start = Start(page).open()
    page.evaluate(
        "() => { window.shift = 0; new PerformanceObserver((list) => list.getEntries().forEach((entry) => {"
        " window.shift += entry.value; })).observe({ type: 'layout-shift' }); }"
    )
    gates: list[Gates] = []
    # The player takes the A, loses it at m, and takes the B. At s an open r makes an open z harmless.
    for presses, reset in ((19, 0), (20, 0), (0, 0), (18, 0), (20, 20), (1, 0)):
        # The focus starts on z. Enter keeps the focus on the current slider.
        if len(gates) == 5:
            expect(start.r).to_be_focused()
            page.keyboard.press("Shift+Tab")
        expect(start.z).to_be_focused()
        for _ in range(presses):
            page.keyboard.press("ArrowRight")
        if reset:
            page.keyboard.press("Tab")
            page.keyboard.press("End")
        gates.append((presses / 20, reset / 20))
        run = start.settled(gates)
        if len(gates) == 2:
            expect_no_barriers(page, "playing")
        if len(gates) == 5:
            expect(start.says).to_contain_text(re.compile(r"r = 1\.00 .*0\.05.*0\.9\d.* B"))
        if len(gates) < 6:
            assert page.evaluate("() => window.shift") == 0
        page.keyboard.press("Enter")
        if len(gates) == 2:
            expect(start.says).to_contain_text(
                f"at m, z = 1.00 moved the memory to {run.h[1, 0]:.2f}, which reads as B"
            )
    own, right = gru.trace(gru.load(MODEL), " ".join(LETTERS)), list("AAABBB")
    correct = [given == correct_answer for given, correct_answer in zip(answers(run), right, strict=True)]
    assert correct == [True, False, False, True, True, True]
    heading = start.end.get_by_role("heading")
    expect(heading).to_be_focused()
    expect(heading).to_have_text(re.compile(rf"{sum(correct)} of 6.* 6 of 6"))
    expect(start.cells("answer")).to_have_text(
        [re.compile(rf"^{a}.*{'correct' if ok else 'wrong'}") for a, ok in zip(answers(run), correct, strict=True)]
    )
    shown = {row: [float(text) for text in start.cells(row).all_inner_texts()] for row in ("z", "own-z", "r", "own-r")}
    assert [*shown["z"], *shown["r"]] == pytest.approx([z for z, _ in gates] + [r for _, r in gates], abs=0.00501)
    assert [*shown["own-z"], *shown["own-r"]] == pytest.approx([*own.z[:, 0], *own.r[:, 0]], abs=0.00501)
    drawn = start.cells("z").evaluate_all("cells => cells.map(({ style }) => Number(style.getPropertyValue('--own')))")
    np.testing.assert_allclose(drawn, own.z[:, 0], atol=1e-9)
    expect_no_barriers(page, "the end")
    page.emulate_media(color_scheme="dark")
    expect_no_barriers(page, "the end, dark", colors_alone=True)


def test_be_the_gate_leads_to_a_task_in_the_lab_and_back(page: Page) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    start = Start(page).open()
    start.play((0.9, 0, 0, 0.8, 0, 0))
    start.end.get_by_role("link").click()
    lab = Lab(page)
    expect(lab.sequence).to_have_value(" ".join(LETTERS))
    expect(lab.step).to_have_value(str(LETTERS.index("B") + 1))
    task = page.get_by_role("button", name="at this B")
    expect(page.locator("#next")).to_have_count(0)
    status = page.locator("#after-gate").get_by_role("status")
    before = status.inner_text()
    heading = page.get_by_role("heading", level=1)
    places = [heading.bounding_box(), lab.sequence.bounding_box()]
    button = task.bounding_box()
    task.click()
    expect(lab.narration).to_contain_text("z is clamped at 0.00 instead of 0.89")
    expect(status).to_contain_text(re.compile(r"\bA\b.*\bB\b.*z = 0\.00.*−0\.90"))
    assert [heading.bounding_box(), lab.sequence.bounding_box()] == places
    page.wait_for_url("**clamps=z.1@**task=gate**")
    page.reload()
    expect(status).to_contain_text(re.compile(r"\bA\b.*\bB\b.*z = 0\.00.*−0\.90"))
    undo = page.get_by_role("button", name="Undo the clamp")
    assert undo.bounding_box() == button
    undo.click()
    expect(status).to_have_text(before)
    while not page.url.endswith("/start"):
        page.go_back()
    expect(start.end.get_by_role("heading").or_(page.get_by_role("heading", name="Letter 1"))).to_be_visible()


SMALLEST_TEXT = """() => Math.min(...[...document.querySelectorAll("body *")]
    .filter((e) => e.checkVisibility() && !e.closest(".unseen"))
    .filter((e) => [...e.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()))
    .map((e) => parseFloat(getComputedStyle(e).fontSize)))"""


def test_be_the_gate_fits_on_every_screen_and_its_controls_fit_a_finger(page: Page) -> None:
    for size, text in (((1920, 1080), 20), ((1024, 768), 16), ((390, 844), 0)):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        start = Start(page).open()
        assert page.evaluate("document.documentElement.scrollHeight") <= size[1]
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert page.evaluate(SMALLEST_TEXT) >= text
    for control in (
        start.z,
        start.r,
        start.next,
        page.locator("figure svg"),
        page.get_by_role("link", name="Skip to the Lab"),
    ):
        box = control.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert box["y"] + box["height"] <= 844
    expect_no_barriers(page, "phone")


def drag(finger: CDPSession, target: Locator, source: Locator, share: float) -> None:
    """Drag with a finger from the circle `source` toward the circle `target`, by `share` of the distance."""
    boxes = [source.bounding_box(), target.bounding_box()]
    assert boxes[0] is not None
    assert boxes[1] is not None
    x0, x1 = (box["x"] + box["width"] / 2 for box in boxes if box)
    y = boxes[0]["y"] + boxes[0]["height"] / 2
    for kind, x in (("touchStart", x0), ("touchMove", (x0 + x1) / 2), ("touchMove", x0 + share * (x1 - x0))):
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_be_the_gate_is_played_by_touch_on_a_phone_without_scrolling(page: Page, console_errors: list[str]) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    start = Start(page).open()
    finger = page.context.new_cdp_session(page)
    gates: list[Gates] = []
    for share in (0.9, 0, 0, 0.8, 0, 0):
        start.settled([*gates, (0, 0)])
        if share:
            drag(finger, page.locator(".ghost circle"), page.locator(".memory circle"), share)
            page.wait_for_function("z => Math.abs(document.querySelector('[name=z]').value - z) <= 0.02", arg=share)
        gates.append((float(start.z.input_value()), 0))
        run = start.settled(gates)
        if len(gates) == 2:
            # If the server is unreachable for a moment, the page shows an error and keeps the game.
            page.route("**/api/trace", lambda route: route.abort())
            start.z.fill("0.1")
            expect(page.get_by_role("alert")).not_to_be_empty()
            page.unroute("**/api/trace")
            console_errors.clear()
            page.get_by_role("button", name="Try again").click()
            gates[1] = (0.1, 0)
            start.settled(gates)
            expect(page.get_by_role("alert")).to_be_hidden()
        start.next.click()
    assert answers(run) == list("AAABBB")
    expect(start.end.get_by_role("heading")).to_have_text(re.compile("6 of 6.* 6 of 6"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.documentElement.scrollHeight") <= 844
    start.end.get_by_role("button").click()
    expect(start.z).to_be_focused()
    start.settled([(0, 0)])
    expect(start.cells("answer")).to_have_text([""] * 6)
