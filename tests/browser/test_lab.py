"""A visitor's main task in Chromium: type a sequence and see its gates."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Error, Page, Route, expect

import gru_core as gru
from app.plotly_bundle import BUNDLE, full_script
from gru_core.cells.gru import SIGNALS
from gru_core.training.toys import TASKS
from tests.support import contract
from tests.support.lab import GROUPS, Lab, Visit


def test_a_typed_sequence_shows_the_run_of_the_core(page: Page) -> None:
    lab = Lab(page).open()
    lab.sequence.fill("B m A p . s B")
    trace = lab.expect_trace("flip-flop", "B m A p . s B")
    for signal in GROUPS:
        assert lab.printed(signal) == pytest.approx(getattr(trace, signal).T.ravel(), abs=0.00501)
    lab.sequence.press("End")
    lab.sequence.press_sequentially("mmA")
    lab.expect_trace("flip-flop", "B m A p . s BmmA")


def test_the_first_page_shows_the_run_without_javascript(browser: Browser, base_url: str) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=base_url)
    page = context.new_page()
    page.goto("/")
    lab, trace = Lab(page), gru.trace(gru.load("flip-flop"), "A m m p B s . A p m m B . s")
    assert lab.tokens() == trace.tokens
    for signal in GROUPS:
        assert lab.printed(signal) == pytest.approx(getattr(trace, signal).T.ravel(), abs=0.00501)
    context.close()


PIXELS = """
    () => Promise.all([...document.querySelectorAll(".heatmaps .heatmaplayer image")].map(async ({ href }) => {
        const image = Object.assign(new Image(), { src: href.baseVal });
        await image.decode();
        const { width, height } = image;
        const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
        context.drawImage(image, 0, 0);
        return [...context.getImageData(0, 0, width, height).data];
    }))
"""

CANVASES = """
    () => [...document.querySelectorAll(".plot > canvas")].map((canvas) =>
        [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data])
"""


def test_gates_are_shown_before_plotly_has_loaded(page: Page) -> None:
    blocked: list[Route] = []
    page.route("**/plotly.min.js", lambda route: blocked.append(route))
    page.goto("/")
    lab = Lab(page)
    lab.sequence.fill("A m B")
    lab.expect_tokens(["A", "m", "B"])
    trace = gru.trace(gru.load("flip-flop"), "A m B")
    assert lab.printed("z") == pytest.approx(trace.z.ravel(), abs=0.00501)
    ours = page.evaluate(CANVASES)
    page.unroute("**/plotly.min.js")  # both blocked requests, the prefetch and the script, continue
    for route in blocked:
        with suppress(Error):
            route.continue_()
    page.wait_for_selector(".heatmaplayer image")
    lab.expect_trace("flip-flop", "A m B")
    for own, other in zip(ours, page.evaluate(PIXELS), strict=True):
        np.testing.assert_allclose(own, other, atol=1)
    expect(page.locator(".plot canvas")).to_have_count(0)


FETCHED = pytest.mark.skipif(not BUNDLE.is_file(), reason="npm did not fetch the cartesian bundle here")


@pytest.mark.parametrize(
    "script", [pytest.param(BUNDLE, id="cartesian", marks=FETCHED), pytest.param(full_script(), id="full")]
)
def test_both_scripts_of_plotly_draw_the_run_and_its_changes(page: Page, script: Path) -> None:
    page.route("**/plotly.min.js", lambda route: route.fulfill(path=script, content_type="text/javascript"))
    lab = Lab(page).open()
    # After an edit that keeps the length, the page replaces the images itself. Plotly would draw the same images.
    page.evaluate("() => ['react', 'restyle'].forEach((name) => (Plotly[name] = () => { throw new Error(name); }))")
    lab.sequence.fill("B m A p . s B . A p m m B .")
    lab.expect_trace("flip-flop", "B m A p . s B . A p m m B .")
    ours = page.evaluate(PIXELS)
    page.evaluate("() => Plotly.redraw(document.querySelector('.heatmaps'))")
    theirs = page.evaluate(PIXELS)
    for own, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(own, other, atol=1)
    assert len({str(pixels) for pixels in ours}) == len(GROUPS)


def test_bad_input_shows_an_error_and_keeps_the_last_run(same_page: Page, console_errors: list[str]) -> None:
    lab = Lab(same_page).follow(model="flip-flop")
    lab.sequence.fill("A m B")
    lab.expect_trace("flip-flop", "A m B")
    for text, parts in (
        ("A m Q", ["3", "'Q'", "A B m p s ."]),
        ("", ["A B m p s ."]),
        ("m" * 2001, ["2,001", "2,000"]),
    ):
        response = same_page.request.post("/api/trace", data={"model": "flip-flop", "sequence": text})
        message = response.json()["error"]["message"]
        assert all(part in message for part in parts), message
        lab.sequence.fill(text)
        sentence = message[0].upper() + message[1:]
        expect(lab.error).to_have_text(sentence if sentence.endswith(".") else f"{sentence}.")
        expect(lab.sequence).to_have_attribute("aria-invalid", "true")
        lab.expect_trace("flip-flop", "A m B")
    lab.sequence.fill("A m B B")
    expect(lab.error).to_be_empty()
    expect(lab.sequence).not_to_have_attribute("aria-invalid", "true")
    lab.expect_trace("flip-flop", "A m B B")
    assert all("422" in error for error in console_errors)  # Chromium logs every response with status 422
    console_errors.clear()


def test_a_failed_request_shows_an_error_and_can_be_repeated(same_page: Page, console_errors: list[str]) -> None:
    lab = Lab(same_page).follow(model="flip-flop")
    same_page.route("**/api/trace", lambda route: route.abort())
    lab.sequence.fill("A B")
    expect(lab.error).to_contain_text(contract.NO_SERVER)
    lab.expect_trace("flip-flop", "A m m p B s . A p m m B . s")
    same_page.unroute("**/api/trace")
    lab.sequence.press("Enter")
    lab.expect_trace("flip-flop", "A B")
    console_errors.clear()


def test_a_failed_change_of_the_model_keeps_the_page_consistent(same_page: Page, console_errors: list[str]) -> None:
    lab = Lab(same_page).follow(model="flip-flop")
    same_page.route("**/api/trace", lambda route: route.abort())
    lab.model.select_option("sentiment")
    expect(lab.error).to_contain_text(contract.NO_SERVER)
    expect(same_page.get_by_role("heading", level=1)).to_have_text(gru.load("flip-flop").card.question)
    lab.expect_trace("flip-flop", "A m m p B s . A p m m B . s")
    same_page.unroute("**/api/trace")
    lab.sequence.press("Enter")
    lab.expect_trace("sentiment", gru.load("sentiment").card.examples[0])
    console_errors.clear()


def test_a_late_random_sequence_does_not_overwrite_typed_text(same_page: Page) -> None:
    lab = Lab(same_page).follow(model="flip-flop")
    delayed: list[Route] = []
    same_page.route("**/draw?*", lambda route: delayed.append(route))
    lab.button("Random").click()
    lab.sequence.fill("A B")
    lab.expect_trace("flip-flop", "A B")
    with same_page.expect_response("**/draw?*") as response:
        delayed[0].continue_()
    response.value.finished()
    expect(lab.sequence).to_have_value("A B")


def test_without_plotly_the_page_still_shows_numbers_and_steps(page: Page, console_errors: list[str]) -> None:
    page.route("**/plotly.min.js", lambda route: route.abort())
    page.goto("/?model=flip-flop&sequence=A+m+B")
    lab = Lab(page)
    expect(lab.error).to_contain_text("pictures")
    page.keyboard.press("End")
    expect(lab.narration).to_contain_text("At t = 3 (input B)")
    lab.sequence.fill("A A")
    lab.expect_tokens(["A", "A"])
    console_errors.clear()


def test_a_link_to_a_long_run_shows_all_its_steps(page: Page) -> None:
    text = TASKS["sentiment"].text(np.random.default_rng(4), 400)
    lab = Lab(page).open(model="sentiment", sequence=text)
    np.testing.assert_allclose(lab.drawn("h"), gru.trace(gru.load("sentiment"), text).h, atol=1e-12)


def test_an_interrupted_stream_keeps_the_last_run(same_page: Page) -> None:
    lab = Lab(same_page).follow(model="flip-flop")
    whole = same_page.request.post(
        "/api/trace", data={"model": "flip-flop", "sequence": "A B A B"}, headers={"accept": "text/event-stream"}
    ).text()
    half = whole[: whole.index('"t":3')]
    same_page.route("**/api/trace", lambda route: route.fulfill(body=half, content_type="text/event-stream"))
    lab.sequence.fill("A B A B")
    expect(lab.error).to_contain_text("before its last timestep")
    lab.expect_trace("flip-flop", "A m m p B s . A p m m B . s")


def test_a_late_response_does_not_overwrite_a_newer_one(same_page: Page) -> None:
    lab = Lab(same_page).follow(model="flip-flop")
    delayed: list[Route] = []

    def delay_the_first(route: Route) -> None:
        delayed.append(route) if not delayed else route.continue_()

    same_page.route("**/api/trace", delay_the_first)
    with same_page.expect_request("**/api/trace"):
        lab.sequence.fill("A A A")
    lab.sequence.fill("B B")
    lab.expect_trace("flip-flop", "B B")  # the second response arrives first
    stream = same_page.request.post(
        "/api/trace", data={"model": "flip-flop", "sequence": "A A A"}, headers={"accept": "text/event-stream"}
    ).text()
    delayed[0].fulfill(body=stream, content_type="text/event-stream")
    same_page.wait_for_timeout(200)
    lab.expect_trace("flip-flop", "B B")


def test_a_link_keeps_its_timestep_while_an_older_response_arrives(same_page: Page) -> None:
    lab = Lab(same_page).follow(model="flip-flop", sequence="A m m")
    same_page.evaluate(
        """(link) => {
            const { fetch } = window;
            window.fetch = async (...request) => {
                window.fetch = fetch;
                const response = await fetch(...request);
                history.pushState(null, "", link);
                dispatchEvent(new PopStateEvent("popstate"));
                return response;
            };
        }""",
        "?model=flip-flop&sequence=A+m+m+B+m&t=4",
    )
    lab.sequence.fill("B m")
    lab.expect_tokens(["A", "m", "m", "B", "m"])
    expect(lab.step).to_have_value("4")


def test_fast_typing_sends_one_request_at_a_time_and_shows_the_last_text(page: Page) -> None:
    # A request lasts from the call of fetch to its last piece, so the count does not depend on the machine's speed.
    page.add_init_script(
        """const real = window.fetch;
        window.flights = { started: 0, now: 0, most: 0 };
        window.fetch = async (url, init) => {
            if (!String(url).endsWith("api/trace")) return real(url, init);
            flights.started += 1;
            flights.now += 1;
            flights.most = Math.max(flights.most, flights.now);
            const response = await real(url, init);
            const reader = response.body.getReader();
            const read = async () => {
                const piece = await reader.read();
                if (piece.done) flights.now -= 1;
                return piece;
            };
            Object.defineProperty(response, "body", { value: { getReader: () => ({ read }) } });
            return response;
        };"""
    )
    lab = Lab(page).open()
    text = TASKS["flip-flop"].text(np.random.default_rng(2), 60)
    page.evaluate(
        """text => {
            const box = document.querySelector("#sequence");
            for (let i = 1; i <= text.length; i++)
                setTimeout(() => { box.value = text.slice(0, i); box.dispatchEvent(new Event("input")); }, 3 * i);
        }""",
        text,
    )
    lab.expect_trace("flip-flop", text)
    page.wait_for_timeout(100)
    flights = page.evaluate("flights")
    assert (flights["now"], flights["most"]) == (0, 1)
    assert 2 < flights["started"] < len(text)


def test_the_step_buttons_and_the_slider_move_one_cursor(same_visit: Visit) -> None:
    lab = same_visit(Lab).follow(model="flip-flop", sequence="A m B p")
    page = lab.page
    heading = lab.heading
    expect(lab.button("First timestep")).to_have_attribute("aria-disabled", "true")
    lab.button("Next timestep").click()
    expect(heading).to_contain_text("t = 2")
    expect(page.get_by_role("listitem").and_(page.locator("[aria-current=step]"))).to_have_text("m")
    lab.button("Last timestep").click()
    expect(heading).to_contain_text("t = 4")
    expect(lab.button("Next timestep")).to_have_attribute("aria-disabled", "true")
    lab.button("Previous timestep").click()
    expect(lab.step).to_have_value("3")
    lab.button("First timestep").click()
    expect(heading).to_contain_text("t = 1")
    lab.step.fill("3")
    expect(heading).to_contain_text("t = 3")
    expect(page.get_by_text("t = 3 of 4")).to_be_visible()


def test_play_goes_to_the_end_and_can_be_paused_and_restarted(same_visit: Visit) -> None:
    lab = same_visit(Lab).follow(model="flip-flop", sequence="A m B p A m")
    page = lab.page
    speed = page.get_by_role("combobox", name="Speed")
    speed.select_option("1")  # slow enough that it still plays at the next check
    lab.button("Play").click()
    expect(lab.button("Pause")).to_be_visible()
    speed.select_option("20")
    expect(lab.step).to_have_value("6")
    expect(lab.button("Play")).to_be_visible()
    speed.select_option("1")
    lab.button("Play").click()
    expect(lab.step).to_have_value("1")
    lab.button("Pause").click()
    at = lab.step.input_value()
    page.wait_for_timeout(1200)
    assert lab.step.input_value() == at


def test_the_keyboard_moves_the_cursor_plays_and_opens_help(same_visit: Visit) -> None:
    lab = same_visit(Lab).follow(model="store-and-recall", sequence="A b c ?")
    page = lab.page
    heading = lab.heading
    for key, expected in (
        ("ArrowRight", "t = 2, unit 1"),
        ("ArrowDown", "t = 2, unit 2"),
        ("End", "t = 4, unit 2"),
        ("ArrowRight", "t = 4, unit 2"),
        ("ArrowLeft", "t = 3, unit 2"),
        ("Home", "t = 1, unit 2"),
        ("ArrowUp", "t = 1, unit 1"),
        ("ArrowUp", "t = 1, unit 1"),
    ):
        page.keyboard.press(key)
        expect(heading).to_contain_text(expected)
    page.keyboard.press("Space")
    expect(lab.button("Pause")).to_be_visible()
    page.keyboard.press("Space")
    expect(lab.button("Play")).to_be_visible()
    page.keyboard.press("?")
    expect(page.locator("#help[open]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    # In the text box, the same keys edit the text instead.
    page.keyboard.press("Home")
    lab.sequence.focus()
    for key in ("End", "Space", "?", "ArrowLeft"):
        page.keyboard.press(key)
    expect(lab.sequence).to_have_value("A b c ? ?")
    expect(heading).to_contain_text("t = 1")


def test_a_click_on_a_cell_moves_the_cursor_to_it(same_visit: Visit) -> None:
    lab = same_visit(Lab).follow(model="store-and-recall", sequence="A b c ? d d d B a")
    page = lab.page
    plot = lab.group("h").locator(".plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    width, height = box["width"] / 10, box["height"] / 4
    page.mouse.click(box["x"] + 2.5 * width, box["y"] + 3.5 * height)
    heading = lab.heading
    expect(heading).to_contain_text("t = 3, unit 4")
    page.mouse.down()
    page.mouse.move(box["x"] + 5.5 * width, box["y"] + 1.5 * height)
    page.mouse.up()
    expect(heading).to_contain_text("t = 6, unit 2")
    page.mouse.click(box["x"] + 9.5 * width, box["y"] + 1)  # right of the last step
    expect(heading).to_contain_text("t = 9, unit 1")


def test_examples_and_random_sequences_run(same_page: Page) -> None:
    lab = Lab(same_page).follow(model="sentiment")
    examples = gru.load("sentiment").card.examples
    same_page.get_by_role("combobox", name="Examples").select_option(examples[2])
    lab.expect_trace("sentiment", examples[2])
    expect(lab.sequence).to_have_value(examples[2])
    lab.button("Random").click()
    expect(lab.sequence).not_to_have_value(examples[2])
    lab.expect_trace("sentiment", lab.sequence.input_value())
    assert len(lab.tokens()) == 16


def test_another_model_shows_its_question_card_and_example(page: Page) -> None:
    lab = Lab(page).open()
    lab.model.select_option("Pocket calculator")
    model = gru.load("pocket-calculator")
    expect(page.get_by_role("heading", level=1)).to_have_text(model.card.question)
    lab.expect_trace("pocket-calculator", model.card.examples[0])
    page.locator("#summary").click()
    for figures in (model.card.training, model.card.measured):
        for name in figures:
            label = re.sub(r"^([a-z]) at (\w+)$", r"mean \1 at \2s", name).replace("squared", "mean squared")
            expect(page.locator("#card").get_by_text(label, exact=True)).to_be_visible()


def test_the_card_of_names_has_the_confusion_matrix_as_a_picture_and_as_a_table(page: Page) -> None:
    Lab(page).open(model="names", sequence="rossi")
    page.locator("#summary").click()
    figure, card = page.locator("#card .confusion"), gru.load("names").card
    expect(figure.locator(".matrix image")).to_be_visible()
    labels = gru.load("names").readout.labels
    for axis in ("xtick", "ytick"):
        assert sorted(figure.locator(f".{axis} text").all_text_contents()) == sorted(labels)
    rows = [cells.split("\t") for cells in figure.locator("tbody tr").evaluate_all(
        "rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent).join('\\t'))"
    )]  # fmt: skip
    for label, row, counts in zip(labels, rows, card.confusion, strict=True):
        shares = [f"{100 * count / sum(counts):.0f}%" for count in counts]
        assert row == [label, *shares, str(sum(counts))]
    page.locator("#model").select_option("flip-flop")
    expect(page.get_by_role("heading", level=1)).to_have_text(gru.load("flip-flop").card.question)
    expect(figure).to_be_hidden()


def test_a_reload_shows_the_same_scenario(page: Page) -> None:
    lab = Lab(page).open()
    lab.model.select_option("sentiment")
    lab.sequence.fill("not good . great")
    page.wait_for_url("**/?model=sentiment&sequence=not+good+.+great&v=1")
    page.reload()
    page.wait_for_selector(".heatmaplayer image")
    lab.expect_trace("sentiment", "not good . great")
    expect(lab.model).to_have_value("sentiment")


def test_a_sequence_of_2000_steps_is_streamed(same_page: Page) -> None:
    lab = Lab(same_page).follow(model="sentiment")
    text = TASKS["sentiment"].text(np.random.default_rng(3), 2000)
    lab.sequence.fill(text)
    trace = gru.trace(gru.load("sentiment"), text)
    same_page.wait_for_function(
        "() => document.querySelector('.heatmaps').data[0].z[0].filter(v => !Number.isNaN(v)).length === 2000"
    )
    np.testing.assert_allclose(lab.drawn("h"), trace.h, atol=1e-12)
    lab.sequence.blur()
    same_page.keyboard.press("End")
    expect(lab.narration).to_contain_text(f"At t = 2000 (input {(trace.tokens or [])[-1]})")


def test_the_theme_follows_the_system_until_the_user_changes_it(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    lab = Lab(page).open()
    body = page.locator("body")
    expect(body).to_have_css("background-color", "rgb(22, 25, 30)")
    top = "document.querySelector('.heatmaps').data[0].colorscale.at(-1)[1]"
    assert page.evaluate(top) == SIGNALS["r"].scale["dark"][-1]
    lab.button("Theme").click()
    expect(body).to_have_css("background-color", "rgb(253, 252, 249)")
    page.wait_for_function(f"() => {top} === '{SIGNALS['r'].scale['light'][-1]}'")
    page.reload()
    expect(body).to_have_css("background-color", "rgb(253, 252, 249)")


def test_the_forecasts_are_lines_over_the_columns_that_they_forecast(page: Page) -> None:
    page.goto("/?model=sunspots&sequence=9.6+33+92.6+151.6+136.3+134.7")
    expect(page.locator(".plotted .scatterlayer .trace")).to_have_count(5)
    drawn = page.locator(".plotted").evaluate("(div) => div.data.map(({ name, y }) => [name, [...y]])")
    lines = dict(drawn)
    y = gru.trace(gru.load("sunspots"), "9.6 33 92.6 151.6 136.3 134.7").y
    np.testing.assert_allclose(lines["forecast"][1:7], 100 * y[: len(lines["forecast"][1:7]), 0])
    assert lines["last value"][1:6] == pytest.approx(lines["series"][:5])
    errors = page.get_by_role("list", name="mean squared error").get_by_role("listitem")
    expect(errors).to_have_count(5)
    page.get_by_role("button", name="Forecast on").click()
    forecasts = gru.forecast(gru.load("sunspots"), "9.6 33 92.6 151.6 136.3 134.7", 11).trace.tokens
    expect(page.locator(".tokens:not(.others) li")).to_have_text(forecasts or [])
    expect(page.locator(".tokens:not(.others) li.written")).to_have_count(11)
    page.wait_for_function("() => document.querySelector('.plotted').layout.shapes.length === 1")
    mark, series = page.locator(".plotted").evaluate("(div) => [div.layout.shapes[0].x0, div.data[0].y.length]")
    assert (mark, series) == (5.5, 6)
    page.get_by_label("Model", exact=True).select_option("flip-flop")
    expect(page.get_by_role("group", name="Forecast")).to_be_hidden()
