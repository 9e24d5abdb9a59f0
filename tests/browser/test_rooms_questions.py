"""Questions to a class: the teacher asks, students answer in browsers of their own, and all see the result."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route, expect

import gru_core as gru
from app.lessons import shelf
from app.lessons.shown import ShownQuestion, shown_steps
from app.settings import Settings
from tests.support import contract
from tests.support.accessible import expect_no_barriers
from tests.support.classroom import PHONE, NewVisitor, ask_question, only_late, room
from tests.support.unspoiled import answer_all, settled, spoilers

CURVE_STEP = "/lessons/gates?step=1"
"""The address of a lesson step that asks for a curve."""


def assert_result_and_figure_in_view(page: Page, name: str, sizes: list[tuple[int, int]]) -> None:
    """Assert that the tape and the element `name`, which shows the result of a question, are in view together."""
    for width, height in sizes:
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("scrollTo(0, 0)")
        rows = ["#tokens", "#outputs"] + ["#tape [data-signal=h]"] * (width > 390)
        boxes = [page.locator(row).bounding_box() for row in rows]
        result = page.locator(name).bounding_box()
        assert result
        for box in boxes:
            assert box
            assert box["y"] + box["height"] <= height, f"{name} at {width} × {height}"
            beside = box["x"] >= result["x"] + result["width"] - 1
            assert beside or box["y"] >= result["y"] + result["height"] - 1
        assert result["y"] + result["height"] <= height


def test_a_lesson_is_led_from_the_presenter_window(new_visitor: NewVisitor) -> None:
    teacher = new_visitor("/lessons/reset?step=1")
    held: list[Route] = []  # held back, so the presenter leads before events reach the teacher's window
    teacher.route("**/class", lambda route: held.append(route))
    code = room(teacher)
    follower = new_visitor(f"/rooms/{code}")
    with teacher.expect_popup() as opened:
        teacher.get_by_role("link", name="Presenter window").click()
    presenter = opened.value
    expect(presenter).to_have_url(re.compile("/presenter$"))  # the secret is removed from the address
    # The teacher's first window is now in projector mode, for the class, and its status reports this.
    expect(teacher.locator("html")).to_have_attribute("data-display", "projector")
    expect(teacher.get_by_role("region", name="Room").get_by_role("status")).not_to_be_empty()
    expect(presenter.get_by_role("region", name="Now")).to_contain_text("Lesson, part 1 of 5")
    presenter.keyboard.press("PageDown")
    expect(follower.locator("aside.lesson .steps [aria-current]")).to_have_text("2")
    teacher.unroute("**/class")  # and the blocked requests continue
    for page in (teacher, follower):
        expect(page.locator("aside.lesson .steps [aria-current]")).to_have_text("2")
    expect(follower.locator("aside.lesson form.predict:visible")).to_have_count(0)
    presenter.get_by_role("list", name="Questions").get_by_role("button").click()
    follower.get_by_role("region", name="Question").get_by_role("slider").fill("0.1")
    follower.get_by_role("region", name="Question").get_by_role("button", name="Send answer").click()
    panel = presenter.get_by_role("region", name="The class")
    expect(panel.locator(".asked [role=status]")).to_contain_text("1 of 1")
    expect(panel.locator(".peek .histogram")).to_be_visible()
    panel.locator("[data-room=reveal]").click()
    expect(follower.get_by_role("region", name="Question")).to_contain_text("0.30")
    expect(teacher.locator(".room-class .result")).to_contain_text("0.30")
    assert_result_and_figure_in_view(teacher, ".room-class", [(1920, 1080), (1024, 768)])
    teacher.locator("body").press("p")
    expect(teacher.get_by_role("region", name="Room").get_by_role("status")).to_be_empty()
    for page, name in ((teacher, ".room-class"), (follower, ".room-question")):
        assert_result_and_figure_in_view(page, name, [(1920, 1080), (1440, 900), (1024, 768), (390, 844)])
    color = presenter.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--z')")
    assert presenter.evaluate("color => CSS.supports('color', color)", color)
    # Students follow to another page.
    teacher.goto("/compare?task=flip-flop")
    expect(follower.get_by_role("heading", name="Compare", exact=True)).to_be_visible()
    expect(follower).to_have_url(re.compile(f"/rooms/{code}$"))


def test_the_teachers_own_question_has_two_rounds_and_a_record(new_visitor: NewVisitor) -> None:
    teacher = new_visitor("/?model=flip-flop&sequence=A+m+m+B+m&t=2")
    follower = new_visitor(f"/rooms/{room(teacher)}")
    teacher.get_by_role("button", name="Ask…").click()
    dialog = teacher.get_by_role("dialog", name="Ask the class")
    dialog.get_by_role("checkbox").check()
    dialog.get_by_text("A question of your own").click()
    dialog.get_by_role("textbox", name="Question").fill("Is <b>this</b> kept?")
    dialog.get_by_role("textbox", name=re.compile("Options")).fill("yes\n* no")
    dialog.locator("form.own button.main").click()
    question = follower.get_by_role("region", name="Question")
    expect(question).to_contain_text("Is <b>this</b> kept?")
    question.get_by_role("radio", name="yes").check()
    question.get_by_role("button", name="Send answer").click()
    panel = teacher.get_by_role("region", name="The class")
    expect(panel.locator(".asked [role=status]")).to_contain_text("1 of 1 answered; taking answers, round 1 of 2")
    panel.locator("[data-room=close]").click()
    expect(question.locator("form")).to_have_class(re.compile("committed"))
    panel.locator("[data-room=again]").click()
    expect(question.locator("form")).not_to_have_class(re.compile("committed"))
    question.get_by_role("radio", name="no").check()
    question.get_by_role("button", name="Send answer").click()
    expect(panel.locator(".asked [role=status]")).to_contain_text("1 of 1 answered; taking answers, round 2 of 2")
    follower.reload()
    expect(follower.locator(".counted-in")).to_be_visible()
    panel.locator("[data-room=reveal]").click()
    expect(question.locator(".options .is.yours")).to_have_count(1)
    expect(question).to_contain_text(contract.CORRECT)
    teacher.get_by_role("button", name="End…").click()
    with teacher.expect_download() as download:
        teacher.get_by_role("button", name="Record as a page").click()
    record = download.value.path().read_text()
    assert "Is &lt;b&gt;this&lt;/b&gt; kept?" in record
    assert "Round 2, 1 answer" in record


def test_a_reload_or_a_second_window_of_the_teacher_keeps_the_cover(new_visitor: NewVisitor) -> None:
    teacher = new_visitor("/?model=flip-flop&sequence=A+m+m+B+m&t=2")
    follower = new_visitor(f"/rooms/{room(teacher)}")
    covered = re.compile("^ *A *A *$")
    ask_question(teacher, "What will z be at the next timestep?")
    expect(follower.get_by_role("region", name="Question").get_by_role("slider")).to_be_visible()
    expect(follower.locator("#outputs")).to_have_text(covered)
    teacher.reload()
    panel = teacher.get_by_role("region", name="The class")
    expect(panel.locator("[data-room=reveal]")).to_be_visible()
    expect(teacher.locator("#outputs")).to_have_text(covered)
    href = str(teacher.get_by_role("link", name="Presenter window").get_attribute("href"))
    refused: list[str] = []
    second = new_visitor("/?model=running-total" + href[href.index("#") :], refused)
    expect(second.locator("#outputs")).to_have_text(covered)
    expect(second.get_by_role("combobox", name="Model")).to_have_value("flip-flop")
    # Both windows show the same timestep, and the class sees no more than before.
    second.get_by_role("slider", name="Timestep").press("Home")
    for page in (teacher, follower):
        expect(page.locator("#inspector h2")).to_contain_text("t = 1")
    expect(follower.locator("#outputs")).to_have_text(covered)
    # A longer sequence would reveal later outputs, so the page returns to the view of the class.
    second.get_by_role("textbox", name="Sequence", exact=True).fill("A m m B m m")
    expect(second.get_by_role("region", name="Room").locator(".word")).not_to_be_empty()
    assert refused
    assert all("409" in error for error in refused)
    refused.clear()
    expect(second.locator("#tokens .coming")).to_have_text(["m", "B", "m"])
    expect(second.locator("#outputs")).to_have_text(covered)
    panel.locator("[data-room=reveal]").click()
    for page in (teacher, second, follower):
        expect(page.locator("#outputs")).to_have_text(re.compile("^ *A *A *A *B *B *$"))
        expect(page.locator("#inspector h2")).to_contain_text("t = 3")


def test_a_room_shows_no_answer_that_the_teacher_gave_before(new_visitor: NewVisitor) -> None:
    lesson = shelf.get("one-by-one", Settings())
    parts = [*enumerate(zip(lesson.steps, shown_steps(lesson, Settings()), strict=True), 1)][:3]
    teacher = new_visitor("/lessons/one-by-one?step=1")

    def go_to(n: int) -> None:
        teacher.locator(".steps a").nth(n - 1).click()
        expect(teacher.locator(f"#step-{n}")).to_be_visible()

    for n, _ in parts:
        go_to(n)
        answer_all(teacher, n)
    go_to(1)
    expect(teacher.locator(".revealed:visible")).to_have_count(1)
    student = new_visitor(f"/rooms/{room(teacher)}")
    spoiled = []
    for n, (step, shown) in parts:
        go_to(n)
        for who, page in (("teacher", teacher), ("student", student)):
            expect(page.locator(f"#step-{n}")).to_be_visible()
            expect(page.locator(".revealed:visible, .stage .cover:visible")).to_have_count(int(n == 3))
            settled(page)
            questions = [part for part in shown.parts if isinstance(part, ShownQuestion)]
            spoiled += [f"{who}, part {n}, {reason}" for reason in spoilers(page, n, step, questions)]
    assert spoiled == []
    ask_question(teacher, "From this part of the lesson")
    for page in (teacher, student):
        expect(page.locator(".stage .cover")).to_be_visible()
    teacher.locator("[data-room=reveal]").click()
    for page in (teacher, student):
        expect(page.locator(".stage > main")).to_be_visible()


def test_the_presenter_window_can_ask_about_the_lab(new_visitor: NewVisitor) -> None:
    teacher = new_visitor("/?model=flip-flop&sequence=A+m+m+B+m&t=2")
    follower = new_visitor(f"/rooms/{room(teacher)}")
    with teacher.expect_popup() as opened:
        teacher.get_by_role("link", name="Presenter window").click()
    ask_question(opened.value, "What will z be at the next timestep?")
    expect(follower.get_by_role("region", name="Question")).to_contain_text("t = 3")
    opened.value.locator("[data-room=reveal]").click()
    expect(follower.locator("#inspector h2")).to_contain_text("t = 3")


def test_sketches_of_the_class_are_shown_together_and_one_at_a_time(new_visitor: NewVisitor) -> None:
    late: list[str] = []
    teacher = new_visitor(CURVE_STEP, late)
    code = room(teacher)
    followers = [new_visitor(f"/rooms/{code}", late) for _ in range(2)]
    teacher.get_by_role("button", name="Ask…").click()
    teacher.get_by_role("dialog", name="Ask the class").get_by_role(
        "button", name=re.compile("^From this part of the lesson")
    ).first.click()
    for page, key in zip(followers, ("Home", "End"), strict=True):
        question = page.get_by_role("region", name="Question")
        expect(question.get_by_role("slider")).to_have_count(2)
        for slider in question.get_by_role("slider").all():  # an incomplete curve is not sent
            expect(question.locator(".counted-in")).to_be_hidden()
            slider.press(key)
            question.get_by_role("button", name="Send answer").click()
        expect(question.locator(".counted-in")).to_be_visible()
    panel = teacher.get_by_role("region", name="The class")
    panel.locator("[data-room=reveal]").click()
    for page in (*followers, teacher):
        expect(page.locator(".sketches path.sketch:not(.picked)")).to_have_count(2)
        expect(page.locator(".sketches path.real")).to_have_count(1)
    panel.get_by_role("button", name="Next sketch").click()
    panel.get_by_role("button", name="Add to the list").click()
    panel.get_by_role("button", name="Show the first to the class").click()
    for page in followers:
        expect(page.locator(".sketches path.picked")).to_have_count(1)
    panel.get_by_role("button", name="Show all equally").click()
    for page in followers:
        expect(page.locator(".sketches path.picked")).to_have_count(0)
    expect_no_barriers(teacher)
    # While the room is open, this address cannot get the lesson's answers, which other tests need. So end the room.
    bar = teacher.get_by_role("region", name="Room")
    bar.get_by_role("button", name="End…").click()
    teacher.get_by_role("button", name="End room").click()
    expect(bar.get_by_role("status")).not_to_be_empty()
    for page in followers:  # Playwright cannot close a page during a navigation
        page.wait_for_url(re.compile("/lessons/"))
    assert only_late(late)
    late.clear()


def play_gates(page: Page, z: str, start: int = 1) -> None:
    """Play “Be the gate” by keyboard from letter `start`. Each character of `z` sets z to 0 or 1."""
    slider = page.locator("input[name=z]")
    for letter, value in enumerate(z, start):
        expect(page.locator("#letter")).to_contain_text(f"Letter {letter} of 6")
        slider.press({"0": "Home", "1": "End"}[value])
        expect(page.locator(".equation")).to_contain_text(re.compile(rf"\(1 − {value}\.0+\)"))
        slider.press("Enter")
    if start + len(z) > 6:
        expect(page.locator(".play")).to_be_hidden()


def test_a_class_plays_the_gates_and_sees_itself_beside_the_network(new_visitor: NewVisitor) -> None:
    teacher = new_visitor("/start")
    code = room(teacher, "Play with a class")
    panel = teacher.get_by_role("region", name="The class")
    expect(panel.locator(".asked .count")).to_contain_text("0 of 0")
    first, phone = new_visitor(f"/rooms/{code}"), new_visitor(f"/rooms/{code}", **PHONE)
    expect(panel.locator(".asked .count")).to_contain_text("0 of 2")
    play_gates(first, "100100")
    expect(first.locator(".room-question .counted-in")).to_be_visible()
    expect(first.get_by_role("heading", name="You have played all letters")).to_be_focused()
    expect(panel.locator(".asked .count")).to_contain_text("1 of 2")
    button = phone.locator("[data-do=next]").bounding_box()
    assert button is not None
    assert button["y"] + button["height"] <= PHONE["viewport"]["height"]
    play_gates(phone, "00")
    expect(phone.locator("#letter")).to_contain_text("Letter 3 of 6")
    for page in (first, phone):
        page.reload()
    expect(first.get_by_role("heading", name="You have played all letters")).to_be_visible()
    play_gates(phone, "0000", start=3)
    expect(panel.locator(".asked .count")).to_contain_text("2 of 2")
    expect(panel.locator(".band")).to_be_hidden()
    for page in (first, phone):
        expect(page.locator(".end")).to_be_hidden()
        expect_no_barriers(page)
    panel.locator("[data-room=close]").click()
    expect(panel.get_by_role("table")).to_be_visible()
    expect(panel.locator(".band .network")).to_have_count(0)
    panel.locator("[data-room=reveal]").click()
    z = gru.trace(gru.load("flip-flop"), "A m p B s m").z[:, 0]
    for page, own in ((teacher, None), (first, [1, 0, 0, 1, 0, 0]), (phone, [0] * 6)):
        expect(page.locator(".band .network")).to_have_count(6)
        rows = {
            row.get_by_role("rowheader").inner_text(): row.get_by_role("cell").all_inner_texts()
            for row in page.locator(".band tbody tr:not([aria-hidden])").all()
        }
        assert rows["median z"] == ["0.50", "0.00", "0.00", "0.50", "0.00", "0.00"]
        assert rows["upper quartile"][0] == "0.75"
        assert rows["network’s z"] == [f"{value:.2f}" for value in z]
        assert rows.get("your z") == (own and [f"{value:.2f}" for value in own])
        assert set(rows["correct, of 2"]) == {"1", "2"}
        expect_no_barriers(page)
    for page in (first, phone):
        expect(page.locator(".end")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
