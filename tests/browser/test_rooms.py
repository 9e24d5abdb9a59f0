"""A teacher and students, each in a separate browser, and one of them on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx2
import numpy as np
import pytest
from playwright.sync_api import expect

from tests.support import contract
from tests.support.accessible import expect_no_barriers
from tests.support.classroom import OPENED, PHONE, NewVisitor, ask_question, only_late, room, visitors
from tests.support.lab import Lab
from tests.support.labels import press
from tests.support.networks import network_of
from tests.support.watched import NewProfile
from tests.support.wire import Wire


@pytest.fixture
def wire(base_url: str) -> Iterator[Wire]:
    wire = Wire(base_url)
    yield wire
    wire.end()


class Class:
    """A teacher and two students. The second student is on a phone with a bad connection."""

    def __init__(self, new_visitor: NewVisitor, base_url: str) -> None:
        self.wire, self.console_errors, self.lost = Wire(base_url), list[str](), list[str]()
        self.teacher = new_visitor(OPENED, self.console_errors)
        self.code = room(self.teacher)
        self.laptop = new_visitor("/rooms", self.console_errors)
        self.laptop.get_by_role("textbox").fill(self.code.replace("-", " "))
        self.laptop.get_by_role("button", name="Join").click()
        self.phone = new_visitor(f"{self.wire.url}/rooms/{self.code.lower()}", self.lost, at=self.wire.url, **PHONE)
        self.followers = [self.laptop, self.phone]
        self.panel = self.teacher.get_by_role("region", name="The class")

    def step(self, *keys: str) -> None:
        """Press keys on the teacher's timestep slider."""
        for key in keys:
            self.teacher.get_by_role("slider", name="Timestep").press(key)


@pytest.fixture(scope="module")
def shared_class(new_profile: NewProfile, base_url: str) -> Iterator[Class]:
    """Yield a class in a room that is opened once for all tests that share it."""
    with visitors(new_profile, base_url) as new_visitor:
        shared_class = Class(new_visitor, base_url)
        yield shared_class
        shared_class.wire.end()
        shared_class.lost.clear()


@pytest.fixture
def classroom(shared_class: Class) -> Iterator[Class]:
    """Yield the class with every page reset to t = 2 of the first sequence."""
    press(shared_class.teacher.get_by_role("radio", name="Follow"))
    shared_class.teacher.get_by_role("textbox", name="Sequence", exact=True).fill("A m m B m")
    shared_class.step("Home", "ArrowRight")
    for page in shared_class.followers:
        expect(page.locator("#inspector h2")).to_contain_text("t = 2, unit 1")
        expect(page.get_by_role("list", name="Input").get_by_role("listitem")).to_have_count(5)
    yield shared_class
    assert not shared_class.console_errors


def test_students_see_the_cursor_clamps_and_sequence_of_the_teacher(classroom: Class) -> None:
    teacher, what_if = classroom.teacher, classroom.teacher.get_by_role("region", name="What if")
    expect(teacher.get_by_role("region", name="Room").locator(".count")).to_have_text(re.compile("^2 "))
    classroom.step("ArrowRight")
    for page in classroom.followers:
        expect(page.locator("#inspector h2")).to_contain_text("t = 3, unit 1")
    teacher.get_by_role("textbox", name="Sequence", exact=True).fill("A m B")
    for page in classroom.followers:
        expect(page.locator("#sequence")).to_have_value("A m B")
    teacher.get_by_role("button", name="What if").click()
    what_if.get_by_role("button", name=contract.CLAMP, exact=True).click()
    for page in classroom.followers:
        expect(page.get_by_role("region", name="What if").get_by_text(contract.CLEAR_CLAMPS)).to_be_visible()
    rows = [page.get_by_role("group", name="Hidden state h", exact=True) for page in (teacher, classroom.laptop)]
    expect(rows[1]).to_have_text(rows[0].inner_text(), use_inner_text=True)
    what_if.get_by_role("button", name=re.compile(f"^{contract.RELEASE}")).first.click()
    teacher.get_by_role("button", name="What if").click()


def test_a_question_covers_later_steps_and_counts_answers_until_the_reveal(classroom: Class) -> None:
    classroom.step("ArrowRight")
    ask_question(classroom.teacher, "What will z be at the next timestep?")
    values = ("0.9", "0.2")
    for page, value in zip(classroom.followers, values, strict=True):
        question = page.get_by_role("region", name="Question")
        expect(question).to_contain_text("What will z of unit 1 be at the next timestep, t = 4 (“B”)?")
        expect(page.get_by_role("list", name="Output", exact=True).get_by_role("listitem")).to_have_text(
            ["A", "A", "A", "", ""]
        )
        question.get_by_role("slider").fill(value)
        question.get_by_role("button", name="Send answer").click()
        expect(question.locator(".counted-in")).to_be_visible()
    expect(classroom.panel.locator(".asked [role=status]")).to_contain_text("2 of 2")
    expect(classroom.panel.locator(".peek")).to_be_hidden()
    classroom.panel.locator("[data-room=reveal]").click()
    for page, value in zip(classroom.followers, values, strict=True):
        question = page.get_by_role("region", name="Question")
        expect(question.locator(".outcome")).to_contain_text(f"{value}0")
        expect(question.locator(".outcome")).to_contain_text("0.89")
        expect(page.locator("#inspector h2")).to_contain_text("t = 4, unit 1")
        expect(question).to_contain_text("2 answers")
    for page in (classroom.teacher, *classroom.followers):
        expect_no_barriers(page)
    classroom.panel.locator("[data-room=dismiss]").click()
    expect(classroom.laptop.get_by_role("region", name="Question")).to_be_hidden()


def test_a_student_explores_offers_a_view_and_returns_to_the_teacher(classroom: Class) -> None:
    press(classroom.teacher.get_by_role("radio", name="Explore"))
    student = classroom.laptop
    expect(student.locator("[data-do=follow]")).to_be_visible()
    student.get_by_role("slider", name="Timestep").press("End")
    classroom.step("Home")
    expect(student.locator("#inspector h2")).to_contain_text("t = 5")
    student.locator("[data-do=offer]").click()
    expect(classroom.panel.locator(".offers")).to_contain_text("flip-flop: A m m B m")
    classroom.panel.locator(".offers button").click()
    for page in (classroom.teacher, *classroom.followers):
        expect(page.locator("#inspector h2")).to_contain_text("t = 5")
    classroom.step("Home")
    expect(student.locator("#inspector h2")).to_contain_text("t = 1")
    student.locator("[data-do=mine]").click()
    expect(student.locator("#inspector h2")).to_contain_text("t = 5")
    student.locator("[data-do=follow]").click()
    expect(student.locator("#inspector h2")).to_contain_text("t = 1")


def test_a_student_reconnects_to_the_newest_state(classroom: Class) -> None:
    bar = classroom.phone.get_by_role("region", name="Room")
    classroom.wire.cut()
    expect(bar).to_have_attribute("data-state", "lost")
    classroom.step("ArrowRight", "ArrowRight")
    expect(classroom.laptop.locator("#inspector h2")).to_contain_text("t = 4")
    classroom.wire.whole = True
    expect(classroom.phone.locator("#inspector h2")).to_contain_text("t = 4")
    expect(bar).to_have_attribute("data-state", "with")
    assert classroom.lost
    assert all("Failed to load resource" in error for error in classroom.lost)
    classroom.lost.clear()


def test_after_the_end_of_a_room_students_keep_their_view(new_visitor: NewVisitor) -> None:
    late: list[str] = []
    teacher = new_visitor(OPENED, late)
    follower = new_visitor(f"/rooms/{room(teacher)}", late)
    teacher.get_by_role("slider", name="Timestep").press("ArrowRight")
    expect(follower.locator("#inspector h2")).to_contain_text("t = 3, unit 1")
    teacher.get_by_role("button", name="End…").click()
    teacher.get_by_role("dialog", name="End the room").get_by_role("button", name="End room").click()
    expect(follower.get_by_role("region", name="Room")).to_have_attribute("data-state", "ended")
    expect(follower.get_by_role("navigation", name="Pages").get_by_role("link")).not_to_have_count(0)
    expect(follower).to_have_url(re.compile(r"/\?model=flip-flop.*sequence=A\+m\+m\+B\+m"))
    follower.reload()
    expect(follower.locator("#inspector h2")).to_contain_text("t = 3, unit 1")
    assert only_late(late)
    late.clear()


def test_students_follow_the_settings_of_an_experiment(new_visitor: NewVisitor) -> None:
    teacher = new_visitor("/compare/gap?units=8")
    student = new_visitor(f"/rooms/{room(teacher)}")
    gap, units = (student.get_by_role("slider", name=name) for name in ("Gap", "Units"))
    expect(units).to_have_value("8")
    teacher.get_by_role("slider", name="Gap").fill("70")
    expect(gap).to_have_value("70")
    expect(student.get_by_role("status", name="Gradient over the gap")).to_contain_text("70 timesteps")


def test_ten_tabs_of_one_browser_share_one_stream(new_visitor: NewVisitor, base_url: str) -> None:
    teacher = new_visitor("/?model=flip-flop&sequence=A+m+m+B+m&t=1")
    code = room(teacher)
    first = new_visitor(f"/rooms/{code}")
    tabs = [first]
    for _ in range(9):
        tabs.append(first.context.new_page())
        tabs[-1].goto(f"{base_url}/rooms/{code}")
    count = teacher.get_by_role("region", name="Room").locator(".count")
    for tab in tabs:
        expect(tab.get_by_role("region", name="Room")).to_have_attribute("data-state", "with")
    expect(count).to_have_text(re.compile("^1 "))
    teacher.get_by_role("slider", name="Timestep").press("ArrowRight")
    for tab in tabs:
        expect(tab.locator("#inspector h2")).to_contain_text("t = 2")
    # When the tab with the event stream is closed, another tab takes over.
    first.close()
    teacher.get_by_role("slider", name="Timestep").press("ArrowRight")
    for tab in tabs[1:]:
        expect(tab.locator("#inspector h2")).to_contain_text("t = 3")
    expect(count).to_have_text(re.compile("^1 "))


SLEEPS = """(() => { const date = Date.now.bind(Date); let slept = 0; Date.now = () => date() + slept;
    window.wakes = () => { slept = 600_000; document.dispatchEvent(new Event("visibilitychange")); }; })()"""
"""A script that simulates a sleeping phone: `wakes()` advances Date.now() by ten minutes, but not performance.now()."""


def test_a_phone_requests_the_newest_state_after_sleep(
    new_visitor: NewVisitor, wire: Wire, new_profile: NewProfile
) -> None:
    teacher = new_visitor("/?model=flip-flop&sequence=A+m+m+B+m&t=1")
    phone = new_profile().new_page()
    phone.add_init_script(SLEEPS)
    phone.goto(f"{wire.url}/rooms/{room(teacher)}")
    expect(phone.get_by_role("region", name="Room")).to_have_attribute("data-state", "with")
    wire.fall_silent()
    teacher.get_by_role("slider", name="Timestep").press("ArrowRight")
    expect(teacher.locator("#inspector h2")).to_contain_text("t = 2")
    expect(phone.locator("#inspector h2")).to_contain_text("t = 1")
    phone.evaluate("wakes()")
    expect(phone.locator("#inspector h2")).to_contain_text("t = 2")
    phone.context.close()


def test_a_page_with_a_blocked_stream_polls_every_2_seconds(new_visitor: NewVisitor) -> None:
    teacher = new_visitor("/?model=flip-flop&sequence=A+m+m+B+m&t=1")
    code = room(teacher)
    follower = new_visitor("/rooms")
    follower.route(re.compile("/events$"), lambda _: None)  # the request gets no response
    follower.goto(f"/rooms/{code}")
    bar = follower.get_by_role("region", name="Room")
    expect(bar).to_have_attribute("data-state", "with")
    expect(bar.get_by_role("status")).to_contain_text("every 2 seconds")
    teacher.get_by_role("slider", name="Timestep").press("ArrowRight")
    expect(follower.locator("#inspector h2")).to_contain_text("t = 2")
    expect(teacher.get_by_role("region", name="Room").locator(".count")).to_have_text(re.compile("^1 "))


def test_students_are_told_if_the_teachers_figure_is_too_large_for_a_room(
    new_visitor: NewVisitor, base_url: str
) -> None:
    model = network_of("gru", inputs=20, units=3)
    name = httpx2.post(f"{base_url}/api/models", content=model.to_bytes(), timeout=60).json()["model"]["id"]
    long = " ".join(",".join(f"{value:.5f}" for value in row) for row in np.sin(np.arange(1200).reshape(60, 20)))
    teacher = new_visitor(f"/?model={name}")
    lab = Lab(teacher)
    lab.sequence.fill(long)
    lab.expect_tokens(["20 numbers"] * 60)
    code = room(teacher)
    student = new_visitor(f"/rooms/{code}")
    bars = [page.get_by_role("region", name="Room").get_by_role("status") for page in (teacher, student)]
    expect(bars[0]).to_contain_text("too large")
    expect(bars[1]).to_contain_text("too large")
    expect(student.locator("#tokens li")).not_to_have_count(60)

    # The class now sees a figure again, and keeps it while the teacher looks at a figure that is too large.
    lab.sequence.fill(" ".join(long.split()[:5]))
    expect(student.locator("#tokens li")).to_have_count(5)
    expect(bars[1]).not_to_contain_text("too large")
    expect(bars[0]).not_to_contain_text("too large")
    lab.sequence.fill(long)
    expect(bars[1]).to_contain_text("too large")
    expect(bars[0]).to_contain_text("too large")
    expect(student.locator("#tokens li")).to_have_count(5)
