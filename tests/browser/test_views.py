"""The state of the Lab: links, history, embeds, the table, layers and rows, and highlighting."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect

import gru_core as gru
from tests.support import contract
from tests.support.lab import Lab, Visit, number

EMBED = Path(__file__).parents[2] / "docs" / "how-to" / "embed.md"


def test_the_address_contains_the_position_and_restores_it(page: Page) -> None:
    lab = Lab(page).open(model="store-and-recall", sequence="A b c ? d B")
    page.keyboard.press("End")
    page.keyboard.press("ArrowDown")
    page.get_by_role("radio", name="keeps").check()
    page.get_by_role("button", name="Open the sum of the reset gate").click()
    lab.button("Equations").click()
    lab.button("Table of candidate").click()
    expected = {
        "model": ["store-and-recall"], "sequence": ["A b c ? d B"], "t": ["6"], "unit": ["2"],
        "views": ["tape,words,cell,table"], "zoom": ["gate"], "gate": ["r"], "table": ["h_tilde"],
        "convention": ["pytorch"], "v": ["1"],
    }  # fmt: skip
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query) == expected)
    page.goto(page.url + "&utm_source=a+letter")  # unknown keys are ignored
    expect(lab.heading).to_have_text("t = 6, unit 2 of 4")
    expect(page.get_by_role("radio", name="keeps")).to_be_checked()
    expect(lab.cell.get_by_role("radio", name="reset gate")).to_be_checked()
    expect(lab.cell.get_by_text("r of unit 2 at t = 6,")).to_be_visible()
    expect(lab.equations).to_be_hidden()
    expect(lab.table.get_by_text("Candidate h̃, timesteps 1 to 6 of 6")).to_be_visible()
    expect(lab.error).to_be_empty()


def test_back_and_forward_restore_earlier_positions(page: Page) -> None:
    lab = Lab(page).open(model="flip-flop", sequence="A m B")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**t=2**")  # moving the cursor adds no entry to the history
    lab.sequence.press("End")
    lab.sequence.press_sequentially(" A B", delay=120)
    page.wait_for_url("**sequence=A+m+B+A+B**")
    lab.model.select_option("pocket-calculator")
    page.wait_for_url("**model=pocket-calculator**")
    page.get_by_role("radio", name="keeps").check()
    page.wait_for_url("**convention=pytorch**")
    page.go_back()
    expect(page.get_by_role("radio", name="takes")).to_be_checked()
    lab.expect_trace("pocket-calculator", gru.load("pocket-calculator").card.examples[0])
    page.go_back()
    lab.expect_trace("flip-flop", "A m B A B")
    page.go_back()  # text typed without a pause is one entry
    lab.expect_trace("flip-flop", "A m B")
    expect(lab.heading).to_contain_text("t = 2")
    page.go_forward()
    lab.expect_trace("flip-flop", "A m B A B")
    expect(lab.sequence).to_have_value("A m B A B")


def test_bad_keys_of_a_link_are_reported_and_the_rest_is_used(page: Page) -> None:
    lab = Lab(page).open(
        model="flip-flop", sequence="A m B", t="99", unit="0", zoom="huge", views="tape,nonsense", convention="pytorch"
    )
    expect(lab.error).to_contain_text(contract.LINK_IN_PARTS)
    for part in (
        "“t” must be from 1 to 3.",
        "“unit” must be a whole number",
        "“zoom” must be one of layer, unit, gate.",
        "tape,words,whatif,cell,equations,memory,influence,alike,table",
    ):
        expect(lab.error).to_contain_text(part)
    lab.expect_trace("flip-flop", "A m B", flipped=True)
    expect(lab.heading).to_contain_text("t = 3, unit 1")
    expect(lab.equations).to_be_visible()


def test_a_shared_link_opens_the_same_page_in_a_second_window(page: Page, visitor: BrowserContext) -> None:
    visitor.grant_permissions(["clipboard-read", "clipboard-write"])
    lab = Lab(page).open(model="sentiment", sequence="not good", t="2", unit="5", convention="pytorch")
    lab.button("Share").click()
    dialog = page.get_by_role("dialog", name="Share")
    expect(dialog.get_by_role("status")).to_contain_text("copied")
    link = page.evaluate("navigator.clipboard.readText()")
    expect(dialog.get_by_label("Link")).to_have_value(link)
    second_page = visitor.new_page()
    second_page.goto(link)
    second = Lab(second_page)
    expect(second.heading).to_have_text("t = 2, unit 5 of 8")
    second_page.wait_for_selector(".heatmaplayer image")
    second.expect_trace("sentiment", "not good", flipped=True)
    assert second_page.evaluate("document.querySelector('#inspector').innerText") == page.evaluate(
        "document.querySelector('#inspector').innerText"
    )
    second_page.close()


def test_the_embed_code_shows_the_chosen_parts_and_reports_its_height(page: Page, base_url: str) -> None:
    lab = Lab(page).open(model="flip-flop", sequence="A m B", t="3", views="tape,equations")
    lab.button("Share").click()
    for part in ("the model picker", "the sequence"):
        page.get_by_role("checkbox", name=part).check()
    code = page.locator("#share-embed").input_value()
    page.goto("/docs")  # a page of the same host, which may always embed
    follow = re.findall(r"<script>\n(.*?)</script>", EMBED.read_text(), re.S)
    page.evaluate("([code, follow]) => { document.body.innerHTML = code; new Function(follow)(); }", [code, follow[0]])
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("region", name="Equations")).to_be_visible()
    expect(frame.get_by_role("region", name="Tape")).to_be_visible()
    expect(frame.get_by_role("region", name="Cell")).to_be_hidden()
    expect(frame.get_by_role("combobox", name="Model")).to_be_hidden()
    expect(frame.get_by_role("textbox", name="Sequence", exact=True)).to_be_hidden()
    expect(frame.get_by_role("button", name="Play")).to_be_visible()
    expect(frame.get_by_role("heading", level=2)).to_contain_text("t = 3")
    below = page.get_by_role("link", name="Open this figure in GRU Scope")  # the fallback if the frame does not load
    expect(below).to_have_js_property(
        "href", f"{base_url}/?model=flip-flop&sequence=A+m+B&t=3&views=tape,equations&v=1"
    )
    inner = page.frames[-1].evaluate("document.documentElement.offsetHeight")
    assert inner > 300
    expect(page.locator("iframe")).to_have_attribute("height", str(inner))
    link = frame.get_by_role("link", name="Open in GRU Scope")
    origin = page.frames[-1].evaluate("location.origin")
    expect(link).to_have_js_property("href", f"{origin}/?model=flip-flop&sequence=A+m+B&t=3&views=tape,equations&v=1")


def test_a_table_is_copied_as_csv_without_rounding(page: Page, visitor: BrowserContext) -> None:
    visitor.grant_permissions(["clipboard-read", "clipboard-write"])
    lab = Lab(page).open(model="sentiment", sequence="not very good . bad")
    lab.button("Table of update gate").click()
    lab.table.get_by_role("button", name="Copy as CSV").click()
    expect(lab.table.get_by_text("Copied")).to_be_visible()
    copied = list(csv.reader(io.StringIO(page.evaluate("navigator.clipboard.readText()"))))
    trace = gru.trace(gru.load("sentiment"), "not very good . bad")
    assert copied[0] == ["t", "input", *[f"z, unit {unit}" for unit in range(1, 9)]]
    assert [line[1] for line in copied[1:]] == trace.tokens
    np.testing.assert_array_equal(np.array([line[2:] for line in copied[1:]], float), trace.z)


def test_the_table_of_a_long_run_shows_the_steps_near_the_cursor(visit: Visit) -> None:
    lab = visit(Lab).open(model="sentiment", sequence="good " * 300, views="tape,words,cell,equations,table", t="290")
    page = lab.page
    expect(lab.table.get_by_text("Hidden state h, timesteps 226 to 300 of 300")).to_be_visible()
    expect(lab.table.locator("[aria-current=true]")).to_have_count(1)
    page.keyboard.press("Home")
    expect(lab.table.get_by_text("Hidden state h, timesteps 1 to 75 of 300")).to_be_visible()
    heads = lab.table.get_by_role("columnheader").all_inner_texts()
    assert heads == ["t", "input", *[f"unit {unit}" for unit in range(1, 9)]]


def test_every_layer_of_a_deep_model_can_be_shown(visit: Visit, served_models: dict[str, gru.Model]) -> None:
    text = "a b c d e f g h i j k l"
    lab = visit(Lab).open(model="deep", sequence=text, t="3", unit="40")
    page = lab.page
    trace = gru.trace(served_models["deep"], text)
    assert_rows(lab, trace.layers[3], range(24, 40))  # the top layer, scrolled to the unit
    for layer in (1, 2, 4):
        page.get_by_role("combobox", name="Layer").select_option(str(layer - 1))
        expect(lab.heading).to_have_text(f"t = 3, layer {layer} of 4, unit 40 of 64")
        assert_rows(lab, trace.layers[layer - 1], range(24, 40))
        lab.settled()
        shown = number(lab.cell.locator("[data-slot=h]").text_content())
        assert shown == pytest.approx(trace.layers[layer - 1].h[2, 39], abs=0.00501)
        expected = [str(layer)] if layer < 4 else None
        page.wait_for_url(lambda url, expected=expected: parse_qs(urlsplit(url).query).get("layer") == expected)


def assert_rows(lab: Lab, layer: gru.Forward, units: Any) -> None:
    """Assert that the heatmaps show exactly the units `units` of a layer, in this order."""
    lab.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    for signal in ("r", "z", "h_tilde", "h"):
        np.testing.assert_allclose(lab.drawn(signal), getattr(layer, signal)[:, list(units)], atol=1e-12)


def test_many_rows_scroll_and_can_be_sorted_and_searched(visit: Visit, served_models: dict[str, gru.Model]) -> None:
    text = "a b c d e f g h i j k l"
    lab = visit(Lab).open(model="deep", sequence=text)
    page = lab.page
    top = gru.trace(served_models["deep"], text).layers[-1]
    assert_rows(lab, top, range(16))
    rows = page.get_by_role("slider", name="First unit shown")
    rows.fill("31")
    assert_rows(lab, top, range(30, 46))
    lab.group("z").locator(".plot").hover()
    page.mouse.wheel(0, -120)
    expect(rows).to_have_value("28")
    assert_rows(lab, top, range(27, 43))
    lab.heading.click()  # while the slider has the focus, it uses the arrow keys
    for _ in range(20):
        page.keyboard.press("ArrowDown")
    expect(lab.heading).to_contain_text("unit 21 of 64")
    page.get_by_role("combobox", name="Units").select_option("moved")
    moved = np.abs(np.diff(top.h, axis=0, prepend=0)).sum(0)
    most = np.argsort(-moved, kind="stable")[:16]
    assert_rows(lab, top, most)
    expect(rows).to_have_value("1")
    for row in (0, 5):
        assert_unit_at_row(lab, row, int(most[row]) + 1)
    page.keyboard.press("ArrowDown")
    expect(lab.heading).to_contain_text(f"unit {most[6] + 1} of 64")
    page.get_by_role("combobox", name="Units").select_option("mean.z")
    by_mean = np.argsort(-top.z.mean(0), kind="stable")
    assert_rows(lab, top, by_mean[:16])
    search = page.get_by_role("spinbutton", name="Go to unit")
    search.fill(str(by_mean[-1] + 1))
    search.press("Enter")
    expect(lab.heading).to_contain_text(f"unit {by_mean[-1] + 1} of 64")
    assert_rows(lab, top, by_mean[-16:])


def assert_unit_at_row(lab: Lab, row: int, unit: int) -> None:
    """Click on a row and assert that the heading names `unit`."""
    box = lab.group("r").locator(".plot").bounding_box()
    assert box is not None
    lab.page.mouse.click(box["x"] + 5, box["y"] + (row + 0.5) * box["height"] / 16)
    expect(lab.heading).to_contain_text(f"unit {unit} of 64")


def lit(page: Page) -> set[str]:
    """Return the `data-term` names of all highlighted parts."""
    names = page.locator(".lit").evaluate_all("elements => elements.map(({ dataset }) => dataset.term)")
    return set(names)


def test_a_signal_is_highlighted_in_all_views_at_once(visit: Visit) -> None:
    lab = visit(Lab).open(model="flip-flop", sequence="A m B", t="3")
    page = lab.page
    for hovered, names in (
        (lab.equations.locator("mrow[data-term='r.Wx']"), {"r", "r.Wx"}),
        (lab.cell.locator("[data-node=z]"), {"z"}),
        (lab.narration.get_by_text("its candidate"), {"h_tilde"}),
        (lab.group("h").get_by_text("hidden state"), {"h"}),
    ):
        hovered.hover()
        assert lit(page) == names
        whole = min(names)
        for part in (
            lab.group(whole),
            lab.cell.locator(f"[data-node={whole}]"),
            lab.equations.locator(f"mrow[data-term='{whole}']").first,
            lab.narration.locator(f"[data-term='{whole}']").first,
        ):
            expect(part).to_have_class(re.compile(r"\blit\b"))
    lab.heading.hover()
    assert lit(page) == set()
    lab.equations.locator("mrow[data-term='z.Uh']").focus()  # the keyboard highlights too
    assert lit(page) == {"z", "z.Uh"}
    expect(lab.cell.locator("[data-wire][data-term='z.Uh']")).to_have_class(re.compile(r"\blit\b"))


def test_a_positive_product_is_blue_and_a_negative_one_brown_in_the_cell_and_in_the_sum(same_page: Page) -> None:
    """The caption names both colors. A gate's sum uses the same two colors, although the gate has its own colors."""
    lab = Lab(same_page)
    blue = "(color) => { const [r, , b] = color.match(/[\\d.]+/g).map(Number); return b > r; }"
    for t in ("1", "4"):
        lab.follow(model="flip-flop", t=t, zoom="unit", views="tape,words,cell").settled()
        for gate in ("r", "z"):
            text = lab.cell.locator(f"[data-slot='Wx.{gate}']").text_content() or ""
            wire = lab.cell.locator(f"[data-wire='Wx.{gate}'] .flow")
            assert wire.evaluate(f"path => ({blue})(path.style.stroke)") is not text.startswith("−"), (t, gate, text)
        lab.follow(model="flip-flop", t=t, zoom="gate", gate="z", views="tape,words,cell").settled()
        for row in lab.cell.locator(".sum tbody tr").all():
            text = row.locator("td").last.inner_text()
            bar = row.locator(".bar")
            is_blue = bar.evaluate(f"bar => ({blue})(getComputedStyle(bar, '::before').backgroundColor)")
            assert is_blue is not text.removeprefix("≈ ").startswith("−"), (t, text)


def test_the_sum_of_a_gate_opens_by_keyboard(visit: Visit) -> None:
    lab = visit(Lab).open(model="flip-flop", sequence="A m B")
    page = lab.page
    lab.cell.get_by_role("button", name="Open the sum of the candidate").focus()
    page.keyboard.press("Enter")
    expect(lab.cell.get_by_text("h̃ of unit 1 at t = 1,")).to_be_visible()
    lab.cell.get_by_role("radio", name="One gate").focus()
    page.keyboard.press("ArrowLeft")
    expect(lab.cell.get_by_role("radio", name="One unit")).to_be_checked()
    expect(lab.heading).to_contain_text("t = 1")  # the arrow key moved the radio button


def test_a_failed_request_for_sums_is_reported_in_the_cell(same_page: Page, console_errors: list[str]) -> None:
    lab = Lab(same_page).follow(model="flip-flop", sequence="A m B")
    requests: list[str] = []
    same_page.on("request", lambda request: requests.append(request.url) if request.url.endswith("/api/sums") else None)
    same_page.route("**/api/sums", lambda route: route.abort())
    lab.cell.get_by_role("radio", name="One gate").check()
    expect(lab.cell.get_by_role("alert")).to_contain_text(contract.NO_SERVER)
    same_page.wait_for_timeout(300)
    assert len(requests) == 1  # no automatic retry
    same_page.unroute("**/api/sums")
    same_page.keyboard.press("ArrowLeft")  # back to one unit, because the focus is on the zoom control
    lab.cell.get_by_role("radio", name="One gate").check()
    lab.heading.click()
    same_page.keyboard.press("ArrowRight")
    expect(lab.cell.get_by_text("at t = 2,")).to_be_visible()
    expect(lab.cell.get_by_role("alert")).to_be_empty()
    console_errors.clear()


def test_back_to_a_link_with_missing_keys_shows_its_first_run(page: Page) -> None:
    lab = Lab(page).open(model="pocket-calculator")
    page.wait_for_url("**sequence=**")  # the page adds the missing keys
    lab.button("Table").click()
    page.wait_for_url("**views=**")
    page.go_back()
    lab.expect_trace("pocket-calculator", gru.load("pocket-calculator").card.examples[0])
    expect(lab.error).to_be_empty()
    page.goto("/?model=bogus")
    page.wait_for_selector(".heatmaplayer image")
    expect(lab.error).to_contain_text("link could not be followed")
    lab.button("Table").click()
    page.wait_for_url("**views=**")
    page.go_back()
    lab.expect_trace("flip-flop", gru.load("flip-flop").card.examples[0])


def test_the_units_that_moved_most_follow_the_shown_run(page: Page, served_models: dict[str, gru.Model]) -> None:
    text = "a b c d e f g h i j k l"
    lab = Lab(page).open(model="deep", sequence=text, rows="moved", unit="58")
    for sequence in ("l k l k", text, "a a a a a a"):
        lab.sequence.fill(sequence)
        lab.expect_tokens(sequence.split())
        # The order is known only at the end of a run.
        expect(page.locator("#tape")).not_to_have_attribute("aria-busy", "true")
        lab.settled()
        top = gru.trace(served_models["deep"], sequence).layers[-1]
        first = int(page.get_by_role("slider", name="First unit shown").input_value()) - 1
        in_sight = np.argsort(-top.moved, kind="stable")[first : first + 16]
        assert_rows(lab, top, in_sight)
        assert 57 in in_sight
    page.wait_for_url("**sequence=a+a+a+a+a+a**")
    lab.model.select_option("sentiment")  # has too few units to select or scroll
    lab.expect_trace("sentiment", gru.load("sentiment").card.examples[0])
    page.wait_for_url("**model=sentiment**")
    page.go_back()
    lab.expect_tokens(["a"] * 6)
    expect(lab.error).to_be_empty()


def test_the_address_stays_correct_after_a_failed_return(same_page: Page, console_errors: list[str]) -> None:
    lab = Lab(same_page).follow(model="flip-flop", sequence="A m m")
    lab.sequence.fill("A B")
    same_page.wait_for_url("**sequence=A+B**")
    same_page.route("**/api/trace", lambda route: route.abort())
    same_page.go_back()
    expect(lab.error).to_contain_text(contract.NO_SERVER)
    same_page.unroute("**/api/trace")
    lab.sequence.fill("B B B")
    same_page.wait_for_url("**sequence=B+B+B**")
    lab.expect_trace("flip-flop", "B B B")
    console_errors.clear()


def test_a_failed_first_run_is_reported(page: Page, console_errors: list[str]) -> None:
    page.route("**/api/trace", lambda route: route.abort())
    page.goto("/?model=deep")
    expect(Lab(page).error).to_contain_text(contract.NO_SERVER)
    console_errors.clear()


def test_a_focused_control_uses_its_own_keys(visit: Visit) -> None:
    lab = visit(Lab).open(model="deep", views="tape,words,cell,equations,table")
    page = lab.page
    page.get_by_role("slider", name="First unit shown").focus()
    before = page.get_by_role("slider", name="First unit shown").input_value()
    page.keyboard.press("End")
    assert page.get_by_role("slider", name="First unit shown").input_value() != before
    expect(lab.heading).to_contain_text("t = 1")
    page.get_by_text("Whole layer").click()  # after a click the arrow keys still move the cursor
    page.keyboard.press("ArrowRight")
    expect(lab.heading).to_contain_text("t = 2")
    expect(lab.cell.get_by_role("radio", name="Whole layer")).to_be_checked()
    lab.cell.get_by_role("button", name="Open the sum of the reset gate").focus()
    page.keyboard.press("Space")
    expect(lab.cell.get_by_role("radio", name="reset gate")).to_be_focused()
    expect(lab.button("Play")).to_be_visible()


def test_the_narration_of_very_large_numbers_has_no_infinity_or_nan(same_page: Page) -> None:
    lab = Lab(same_page).follow(model="pocket-calculator", sequence="=100000 0.3 =-99999 1000 +300")
    for _ in range(5):
        expect(lab.narration).not_to_contain_text("Infinity")
        expect(lab.narration).not_to_contain_text("NaN")
        expect(lab.narration).not_to_contain_text("100.0%")
        same_page.keyboard.press("ArrowRight")


def test_similar_moments_are_selected_searched_and_opened(same_page: Page) -> None:
    lab = Lab(same_page).follow(
        model="sentiment", sequence="the film was not good .", t="1", unit="1", views="tape,words,alike"
    )
    row = same_page.locator(".tape [data-signal=z] .plot")
    box = row.bounding_box()
    assert box is not None
    column = box["width"] / 6
    same_page.mouse.move(box["x"] + 3.5 * column, box["y"] + 3)
    same_page.mouse.down()
    same_page.mouse.up()
    view = same_page.get_by_role("region", name=contract.SIMILAR_MOMENTS)
    expect(view.get_by_role("combobox", name="Signal")).to_have_value("z")
    expect(view.get_by_role("spinbutton", name="from t")).to_have_value("4")
    view.get_by_role("button", name="Find").click()
    expect(view.get_by_role("list", name="In common")).to_contain_text("“not” in all of these")
    place = view.get_by_role("list", name="Moments").get_by_role("button").first
    token = place.locator("b").inner_text()
    place.click()
    expect(same_page.locator("#tokens [aria-current]")).to_have_text(token)
    expect(lab.narration).to_contain_text(f"(input {token})")
