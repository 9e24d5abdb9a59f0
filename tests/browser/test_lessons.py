"""Lessons in a browser: every step, the core's numbers, and predictions by mouse and keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import BrowserContext, Page, Route, expect

import gru_core as gru
from app.lessons import shelf
from app.lessons.shown import ShownQuestion, shown_steps
from app.main import create_app
from app.settings import Settings
from tests.support import contract
from tests.support.accessible import expect_no_barriers
from tests.support.labels import press
from tests.support.lessons import assert_number
from tests.support.unspoiled import answer_all, settled, spoilers


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app()) as client:
        yield client


NUMBERS = """
(step) => [...document.querySelectorAll(`.step[data-step="${step}"] data.number`)].map(
    ({ dataset, textContent }) => [textContent, dataset.what, dataset.of])
"""


@pytest.mark.parametrize("name", shelf.ORDER)
def test_every_part_of_a_lesson_works_and_gives_no_answer_away(page: Page, name: str) -> None:
    """Before an answer is shown, no number on the page gives it away. Afterwards every number equals the core's."""
    page.goto(f"/lessons/{name}")
    lesson, spoiled = shelf.get(name, Settings()), []
    for n, (step, shown) in enumerate(zip(lesson.steps, shown_steps(lesson, Settings()), strict=True), 1):
        if n > 1:
            page.locator(".steps a").nth(n - 1).click()
            page.wait_for_url(re.compile(f"step={n}$"))
        expect(page.locator(f"#step-{n}")).to_be_visible()
        settled(page)
        shown_questions = [part for part in shown.parts if isinstance(part, ShownQuestion)]
        spoiled += [f"part {n}, {reason}" for reason in spoilers(page, n, step, shown_questions)]
        answer_all(page, n)
        assert len(page.locator(f".step[data-step='{n}'] .revealed:visible").all()) == len(step.questions)
        for text, expression, link in page.evaluate(NUMBERS, n):
            assert_number(text, expression, link)
        if page.locator("#error").count():
            expect(page.locator("#error")).to_be_empty()
    assert spoiled == []


ON_AN_EXPERIMENT = """---
title: On an experiment
model: flip-flop
minutes: 1
---
## [Part](/compare/gap)
:::{predict}
Which?
- (x) This.
- ( ) That.
:::
"""


def test_an_experiment_is_hidden_until_the_answer(page: Page, tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text(ON_AN_EXPERIMENT, "utf-8")
    with TestClient(create_app(Settings(lessons=str(tmp_path)))) as client:
        for part in ("**/lessons/mine", "**/api/lessons/mine/*"):
            page.route(part, lambda route: route.fulfill(body=client.get(route.request.url).text))
        page.goto("/lessons/mine")
        experiment = page.locator(".stage > main")
        expect(page.locator(".stage .cover")).to_be_visible()
        expect(experiment).to_be_hidden()
        page.get_by_role("radio").first.check()
        page.get_by_role("button", name=contract.CHECK_ANSWER).click()
        expect(experiment).to_be_visible()
        expect(page.locator(".stage .cover")).to_be_hidden()
        page.get_by_role("button", name="Answer again").click()
        expect(experiment).to_be_hidden()


@pytest.mark.parametrize(
    ("n", "spoil"),
    [
        (1, """document.querySelectorAll("#tape [data-signal=z] .values span")[3].textContent = "0.89" """),
        (2, """document.querySelector("aside .step:not([hidden]) h2").title = "It is −0.43" """),
        (2, """document.querySelector("#tape text, #tape span").ariaLabel = "-0.4312" """),
        (3, """document.querySelector(".options li:last-child input").checked = true"""),
    ],
)
def test_the_search_for_spoiled_answers_finds_them(page: Page, n: int, spoil: str) -> None:
    page.goto(f"/lessons/gates?step={n}")
    settled(page)
    lesson = shelf.get("gates", Settings())
    parts = shown_steps(lesson, Settings())[n - 1].parts
    shown_questions = [part for part in parts if isinstance(part, ShownQuestion)]
    assert [*spoilers(page, n, lesson.steps[n - 1], shown_questions)] == []
    page.evaluate(spoil)
    assert len([*spoilers(page, n, lesson.steps[n - 1], shown_questions)]) == 1


def test_newcomers_get_three_invitations_and_the_step_where_the_output_changes(page: Page) -> None:
    welcome = page.locator("#newcomer")
    page.goto("/?model=flip-flop")
    expect(welcome).to_have_count(0)
    page.goto("/")
    expect(welcome).to_be_visible()
    trace = gru.trace(gru.load("flip-flop"), page.locator("#sequence").input_value())
    labels = trace.y.argmax(axis=1)
    turn = 1 + int(np.argmax(labels != labels[0]))
    expect(page.locator("#step")).to_have_value(str(turn))
    assert page.locator("h1:visible").count() == 1
    expect_no_barriers(page)
    links = [link.get_attribute("href") for link in welcome.get_by_role("link").all()]
    assert links == ["/start", f"/lessons/{shelf.ORDER[0]}"]
    welcome.locator("[data-do=type]").click()
    expect(page.locator("#sequence")).to_be_focused()
    for visited in (lambda: welcome.locator("[data-do=dismiss]").click(), lambda: page.keyboard.press("ArrowRight")):
        visited()
        page.goto("/")
        page.wait_for_selector(".heatmaps .heatmaplayer image")
        expect(welcome).to_be_hidden()
        expect(page.locator("#question")).to_be_visible()
        expect(page.locator("#step")).to_have_value("1")
        page.get_by_role("link", name="GRU Scope").click()
        page.wait_for_selector(".heatmaps .heatmaplayer image")
        expect(welcome).to_be_visible()


def test_the_direction_of_z_is_chosen_on_the_first_screen_and_goes_along_to_other_pages(page: Page) -> None:
    page.goto("/")
    page.wait_for_selector(".heatmaps .heatmaplayer image")
    core = gru.trace(gru.load("flip-flop"), page.locator("#sequence").input_value()).z[0, 0]
    page.locator("#newcomer [data-do=turn]").click()
    expect(page.locator(".tape [data-signal=z] .values span").first).to_have_text(f"{1 - core:.2f}")
    chosen = page.locator("[name=convention][value=pytorch]")
    page.get_by_role("link", name="Lessons", exact=True).click()
    page.get_by_role("link", name="Compare", exact=True).click()
    expect(chosen).to_be_checked()
    # Lessons and Train describe only the core's direction of z, and say this. Later pages use the visitor's choice.
    for path in ("/train", "/lessons/gates"):
        page.goto(path)
        page.wait_for_selector(".heatmaps .heatmaplayer image", state="attached")
        expect(page.locator(".direction")).to_be_visible()
    page.get_by_role("link", name="GRU Scope").click()
    expect(page.locator("#newcomer")).to_be_visible()
    page.locator("[data-do=dismiss]").click()
    expect(chosen).to_be_checked()
    press(page.locator("[name=convention][value=source]"))
    page.get_by_role("link", name="Train", exact=True).click()
    expect(page.locator(".direction")).to_be_hidden()


def z(page: Page) -> list[str]:
    """Return the texts of the numbers in the row of the update gate."""
    return page.locator(".tape [data-signal=z] .values span").all_inner_texts()


def test_a_curve_is_predicted_by_mouse_or_keyboard_and_then_compared(page: Page) -> None:
    page.goto("/lessons/gates")
    expect(page.locator(".drawn .guess")).to_have_attribute("d", "")
    assert z(page)[3:] in ([], ["", ""])
    run = gru.trace(gru.load("flip-flop"), "A m m B m")
    box = page.locator(".drawn").bounding_box()
    assert box is not None
    column = box["width"] / 5
    page.mouse.move(box["x"] + 3.5 * column, box["y"] + 0.25 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 4.5 * column, box["y"] + 0.75 * box["height"], steps=4)
    page.mouse.up()
    first, second = (float(slider.input_value()) for slider in page.locator(".draws input").all())
    assert 0.5 < first <= 0.8
    assert second == pytest.approx(0.25, abs=0.03)
    # The keyboard works as well.
    page.get_by_role("slider", name="at t = 5, m").press("End")
    assert page.get_by_role("slider", name="at t = 5, m").input_value() == "1"
    page.get_by_role("button", name=contract.CHECK_ANSWER).click()
    answer = page.get_by_role("group", name="Answer")
    expect(answer).to_contain_text(f"t = 5 (m). There you drew 1.00, and the value is {run.z[4, 0]:.2f}")
    expect(answer).to_be_focused()
    expect(page.locator(".tape [data-signal=z] .values span").nth(3)).to_have_text(f"{run.z[3, 0]:.2f}")
    expect(page.locator(".drawn .real")).to_have_attribute("d", re.compile("M3"))


def test_an_untouched_slider_is_no_answer(page: Page) -> None:
    page.goto("/lessons/gates?step=2")
    check, answer = page.get_by_role("button", name=contract.CHECK_ANSWER), page.get_by_role("group", name="Answer")
    slider, shown = page.locator(".slide input:visible"), page.locator(".slide output:visible")
    for _ in range(2):  # the second time, the answer has been cleared
        expect(shown).to_have_text("–")
        assert slider.get_attribute("aria-valuetext")
        check.click()
        expect(page.locator(".step:not([hidden]) [role=alert]")).not_to_be_empty()
        expect(answer).to_be_hidden()
        slider.press("ArrowRight")
        expect(shown).to_have_text("0.02")
        assert slider.get_attribute("aria-valuetext") is None
        check.click()
        expect(answer).to_be_visible()
        page.get_by_role("button", name="Clear my answers").click()
    slider.click()  # a click in the middle does not move the slider, but counts as an answer
    expect(shown).to_have_text("0.00")
    check.click()
    expect(answer).to_be_visible()


def test_a_curve_needs_a_value_at_every_timestep(page: Page) -> None:
    page.goto("/lessons/gates")
    first, second = page.get_by_role("slider", name=re.compile("^at t = ")).all()
    check, alert = page.get_by_role("button", name=contract.CHECK_ANSWER), page.get_by_role("alert")
    guess = page.locator(".drawn .guess")
    expect(guess).to_have_attribute("d", "")
    for missing in ("t = 4, 5", "t = 5"):
        check.click()
        expect(alert.filter(visible=True, has_text=missing)).to_be_visible()
        first.press("End")
        expect(guess).to_have_attribute("d", "M3 0H4")
    second.press("Home")
    expect(guess).to_have_attribute("d", "M3 0H4L4 1H5")
    check.click()
    expect(page.get_by_role("group", name="Answer")).to_be_visible()


def test_answers_are_stored_in_the_browser_and_can_be_changed_and_cleared(page: Page) -> None:
    page.goto("/lessons/sequences?step=2")
    page.get_by_role("button", name=contract.CHECK_ANSWER).click()
    expect(page.get_by_role("alert").filter(has_text="first")).to_be_visible()
    page.get_by_role("radio", name="B, because the letters are the same.").check()
    page.get_by_role("button", name=contract.CHECK_ANSWER).click()
    expect(page.get_by_role("group", name="Answer")).to_contain_text("only counted letters")
    expect(page.get_by_role("textbox", name="Sequence", exact=True)).to_have_value("B m A m")
    page.reload()
    expect(page.get_by_role("group", name="Answer")).to_contain_text("only counted letters")
    expect(page.get_by_role("textbox", name="Sequence", exact=True)).to_have_value("B m A m")
    page.get_by_role("button", name="Answer again").click()
    expect(page.get_by_role("group", name="Answer")).to_be_hidden()
    expect(page.get_by_role("textbox", name="Sequence", exact=True)).to_have_value("A m B m")
    page.goto("/lessons")
    expect(page.get_by_text("1 of 4 answered")).to_be_visible()
    page.get_by_role("button", name="Clear my answers").click()
    expect(page.get_by_text("1 of 4 answered")).to_be_hidden()
    page.go_back()
    page.reload()
    expect(page.get_by_role("group", name="Answer")).to_be_hidden()


def test_an_answer_chosen_before_the_scripts_load_stays_in_the_form(page: Page) -> None:
    page.route("**/lab.js*", lambda _: None)
    page.goto("/lessons/sequences?step=2", wait_until="commit")
    choice, check = page.get_by_role("radio").first, page.get_by_role("button", name=contract.CHECK_ANSWER)
    choice.check()
    choice.press("Enter")
    expect(check).to_be_disabled()
    page.unroute("**/lab.js*")  # and the blocked request continues
    check.click()
    expect(page.get_by_role("group", name="Answer")).not_to_be_empty()
    expect(page).to_have_url(re.compile("step=2$"))
    expect(choice).to_be_checked()


def test_a_stored_answer_that_no_longer_fits_is_ignored(page: Page) -> None:
    page.goto("/lessons")
    page.evaluate("localStorage.setItem('gruscope-lessons', JSON.stringify({ gates: { '3.1': 7, '1.1': [1] } }))")
    page.goto("/lessons/gates?step=3")
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name=contract.CHECK_ANSWER).click()
    expect(page.get_by_role("group", name="Answer")).to_contain_text(contract.NOT_QUITE)
    page.get_by_role("link", name="Part 1:").click()
    expect(page.get_by_role("button", name=contract.CHECK_ANSWER)).to_be_visible()


def test_a_lesson_works_without_local_storage(page: Page) -> None:
    forbid = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no'); } })"
    page.add_init_script(f"if (location.search !== '?allowed') {forbid}")
    page.goto("/lessons/sequences?step=2")
    page.get_by_role("radio", name="A, because the order is different.").check()
    page.get_by_role("button", name=contract.CHECK_ANSWER).click()
    expect(page.get_by_role("group", name="Answer")).to_contain_text(contract.CORRECT)
    page.get_by_role("link", name="Part 1:").click()
    page.get_by_role("link", name="Part 2:").click()
    expect(page.get_by_role("group", name="Answer")).to_contain_text(contract.CORRECT)
    page.goto("/lessons?allowed")  # allow storage, which the fixture clears after the test


def test_steps_are_links_and_a_button_returns_to_the_lesson(page: Page) -> None:
    page.goto("/lessons/gates?step=2")
    sequence = page.get_by_role("textbox", name="Sequence", exact=True)
    back = page.get_by_role("button", name="Back to the lesson")
    expect(back).to_be_hidden()
    sequence.fill("B m m")
    expect(page.locator(".tape [data-signal=z] .values span")).to_have_count(3)
    back.click()
    expect(sequence).to_have_value("A m m B m")
    expect(page.locator("#now")).to_have_text("4")
    expect(back).to_be_hidden()
    page.get_by_role("link", name="Next: Eight units").click()
    expect(sequence).to_have_value("the film was very good .")
    page.go_back()
    expect(page.get_by_role("heading", name="Open by a quarter")).to_be_visible()
    expect(sequence).to_have_value("A m m B m")
    page.go_forward()
    expect(page.get_by_role("heading", name="Eight units")).to_be_visible()
    page.get_by_role("button", name="Share").click()
    assert page.locator("#share-link").input_value().endswith("/lessons/gates?step=3")
    assert "/embed/lessons/gates?step=3" in page.locator("#share-embed").input_value()


def test_a_part_without_a_question_keeps_the_visitors_own_sequence(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto("/lessons/belief?step=5")
    sequence = page.get_by_role("textbox", name="Sequence", exact=True)
    sequence.fill("tatarova")
    expect(page.locator("#tokens li")).to_have_count(8)
    expect(page.get_by_role("button", name="Back to the lesson")).to_be_hidden()
    # Even at the last timestep, a tape that fits does not scroll, and nothing covers the numbers of the units.
    sequence.press("Tab")
    page.get_by_role("slider", name="Timestep").press("End")
    expect(page.locator("#now")).to_have_text("8")
    scroller = page.locator("#tape .scroller")
    assert scroller.evaluate("frame => frame.scrollWidth === frame.clientWidth")
    assert number_on_top(page)
    # On a tape that scrolls, nothing covers the numbers of the units either.
    sequence.fill("tatarova" * 5)
    expect(page.locator("#tape")).to_have_class(re.compile("wide"))
    scroller.evaluate("frame => { frame.scrollLeft = 200; }")
    assert number_on_top(page)


def number_on_top(page: Page) -> bool:
    """Return whether the first unit's number is on top, not covered by another element."""
    return bool(
        page.locator("#tape [data-signal=r] .unitnames li").first.evaluate(
            """(name) => {
                const range = document.createRange();
                range.selectNodeContents(name);
                const { x, y, width, height } = range.getBoundingClientRect();
                name.style.pointerEvents = "auto";
                return document.elementFromPoint(x + width / 2, y + height / 2) === name;
            }"""
        )
    )


def test_numbers_in_the_text_follow_the_cursor(page: Page) -> None:
    page.goto("/lessons/update?step=5")
    yours = page.locator("output.yours").first
    run = gru.trace(gru.load("pocket-calculator"), "=0.3 +0.2 0.1 0.1 0.1")
    expect(yours).to_have_text(f"{100 * (1 - run.z[4, 0]):.0f}%")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    expect(yours).to_have_text(f"{100 * (1 - run.z[1, 0]):.0f}%")


def test_an_answer_can_be_a_click_on_the_tape(page: Page) -> None:
    page.goto("/lessons/half-life?step=2")
    page.locator("#tokens li").nth(3).click()
    expect(page.get_by_role("checkbox", name="t = 4, B")).to_be_checked()
    page.get_by_role("button", name=contract.CHECK_ANSWER).click()
    expect(page.get_by_role("group", name="Answer")).to_contain_text(contract.CORRECT)
    expect(page.locator("#tokens .correct")).to_have_text("B")


def test_an_experiment_shows_its_result_after_the_last_answer(page: Page) -> None:
    page.goto("/lessons/vanishing?step=4")
    finding = page.locator("main .finding")
    first, second = page.locator(".step:not([hidden]) form.predict").all()
    for form in (first, second):
        expect(finding).to_be_hidden()
        form.get_by_role("slider").press("End")
        form.get_by_role("button", name=contract.CHECK_ANSWER).click()
    expect(finding).to_be_visible()


def test_an_answer_that_arrives_late_does_not_take_the_keys_from_the_next_question(page: Page) -> None:
    delayed: list[Route] = []
    page.route("**/reveal?*", lambda route: delayed.append(route))
    page.goto("/lessons/vanishing?step=4")
    first, second = page.locator(".step:not([hidden]) form.predict").all()
    first.get_by_role("slider").press("End")
    with page.expect_request("**/reveal?*"):
        first.get_by_role("button", name=contract.CHECK_ANSWER).click()
    slider = second.get_by_role("slider")
    slider.press("End")
    delayed.pop().continue_()
    expect(page.get_by_role("group", name="Answer")).to_be_visible()
    expect(slider).to_be_focused()


def test_a_lesson_shows_the_part_of_a_table_that_its_link_chooses_until_the_answer(page: Page) -> None:
    page.goto("/lessons/bottleneck?step=2")
    entries = page.locator("[data-units='8']:visible")
    expect(entries).to_have_count(4)
    expect(page.locator("main .finding")).to_be_hidden()
    page.locator(".step:not([hidden]) form.predict").get_by_role("slider").press("End")
    page.get_by_role("button", name=contract.CHECK_ANSWER).click()
    expect(entries).to_have_count(6)
    expect(page.locator("main .finding")).to_be_hidden()  # the finding answers a question of the next part
    page.get_by_role("link", name="Next").click()
    page.locator(".step:not([hidden]) form.predict").get_by_role("radio").first.check()
    page.get_by_role("button", name=contract.CHECK_ANSWER).click()
    expect(page.locator("main .finding")).to_be_visible()


def test_hovering_a_word_highlights_its_part_of_the_figure(page: Page) -> None:
    page.goto("/lessons/gates?step=2")
    row = page.get_by_role("group", name="Hidden state h")
    expect(row).to_have_class(re.compile("spoken"))
    page.get_by_role("button", name="old state").hover()
    expect(row).to_have_class(re.compile("lit"))
    page.mouse.move(5, 5)
    expect(row).not_to_have_class(re.compile("lit"))


@pytest.mark.parametrize(
    "path", ["/lessons", "/lessons/gates", "/lessons/vanishing?step=4", "/embed/lessons/gates?step=2"]
)
def test_lessons_are_accessible(page: Page, path: str) -> None:
    page.goto(path)
    if path == "/lessons/gates":
        answer_all(page, 1)
    expect_no_barriers(page)


@pytest.mark.parametrize("size", [(1440, 900), (1024, 768), (390, 844)])
def test_text_and_figure_are_visible_together(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for path in ("/lessons/gates?step=2", "/lessons/vanishing", "/lessons/gates?step=5", "/lessons/bottleneck?step=3"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], path
        if size[0] < 1000:
            continue
        for part in (".step:not([hidden]) h2", ".stage .tape, .stage .grid"):
            box = page.locator(part).first.bounding_box()
            assert box is not None
            assert box["y"] + 40 < size[1], path


@pytest.mark.parametrize("name", ["sequences", "vanishing"])
def test_an_exported_lesson_works_without_a_network(
    name: str, client: TestClient, offline: BrowserContext, tmp_path: Path
) -> None:
    """The figures of the first lesson are all from one page, the figures of the second from two pages."""
    file = tmp_path / f"{name}.html"
    file.write_bytes(client.get("/api/export/lesson.html", params={"name": name}).content)
    page = offline.new_page()
    console_errors: list[str] = []
    page.on("pageerror", lambda error: console_errors.append(str(error)))
    page.on("console", lambda message: console_errors.append(message.text) if message.type == "error" else None)
    page.goto(file.as_uri())
    content = page.frame_locator("iframe") if name == "vanishing" else page
    expect(content.locator(".js-plotly-plot").first).to_be_attached()
    for n, step in enumerate(shelf.get(name, Settings()).steps, 1):
        if n > 1:
            content.locator(".steps a").nth(n - 1).click()
        expect(content.locator(f"#step-{n}")).to_be_visible()
        for k in range(1, len(step.questions) + 1):
            form = content.locator(f"form[data-question='{n}.{k}']")
            if form.locator("[type=radio]").count():
                form.locator("[type=radio]").first.check()
            for slider in form.get_by_role("slider").all():
                slider.press("End")
            form.get_by_role("button", name=contract.CHECK_ANSWER).click()
            expect(content.locator(f".revealed[data-question='{n}.{k}'] .outcome")).not_to_be_empty()
    page.go_back()
    expect(content.locator(f"#step-{n - 1}")).to_be_visible()
    assert console_errors == []
    page.close()


def test_the_lab_sheet_prints_its_tasks_on_one_page_and_its_answers_on_another(page: Page) -> None:
    for path in ("/teach", "/teach/lab-sheet"):
        page.goto(path)
        expect_no_barriers(page)
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 2
