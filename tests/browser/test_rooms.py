"""A teacher and students, each in a browser of their own, some of them on a phone."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE, watched
from tests.support import contract
from tests.support.accessible import expect_no_barriers

Join = Callable[..., Page]


@contextmanager
def visitors(browser: Browser, base_url: str) -> Iterator[Join]:
    """Open pages of new visitors, whose consoles must stay silent."""
    with ExitStack() as stack:

        def open_page(path: str, complaints: list[str] | None = None, at: str = base_url, **about: object) -> Page:
            context = browser.new_context(base_url=base_url, **about)  # type: ignore[arg-type]
            stack.callback(context.close)
            context.set_default_timeout(PATIENCE)
            page = context.new_page()
            stack.enter_context(watched(page, at, [] if complaints is None else complaints))
            if "viewport" in about:
                page.set_viewport_size(about["viewport"])  # type: ignore[arg-type]
            page.goto(path)
            return page

        yield open_page


@pytest.fixture
def somebody(browser: Browser, base_url: str) -> Iterator[Join]:
    with visitors(browser, base_url) as open_page:
        yield open_page


DRAWN = "/lessons/gates?step=1"
"""A step that asks for a curve."""

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


def room(page: Page) -> str:
    """Open a room from a page: its code."""
    page.get_by_role("button", name="Room", exact=True).click()
    page.get_by_role("dialog", name="Room").get_by_role("button", name="Open a room").click()
    big = page.locator("#room .big")
    expect(big).to_have_text(re.compile("^[2-9A-Z]{3}-[2-9A-Z]{3}$"))
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    page.get_by_role("dialog", name="Room").get_by_role("button", name="Close").click()
    return big.inner_text() or str(big.text_content())


def only_late(complaints: list[str]) -> bool:
    """Return whether a room that has ended explains all complaints: status 410, to a page that asks every 2 seconds.

    On a busy machine a page takes its stream for one that is held back, and asks instead.
    """
    return all("410" in complaint for complaint in complaints)


def ask(teacher: Page, words: str) -> None:
    teacher.get_by_role("button", name="Ask…").click()
    teacher.get_by_role("dialog", name="Ask the class").get_by_role("button", name=words).click()


class Wire:
    """A way to the server that can be cut: what goes over it is lost then, and nobody gets through."""

    def __init__(self, base_url: str) -> None:
        self.to = ("127.0.0.1", int(base_url.rsplit(":", 1)[1]))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.whole, self.ends, self.deaf = True, list[socket.socket](), set[socket.socket]()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self.listener.accept()
                if not self.whole:
                    here.close()
                    continue
                there = socket.create_connection(self.to)
                self.ends += [here, there]
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=self.carry, args=(one, other), daemon=True).start()

    def carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                if one not in self.deaf:
                    other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def fall_silent(self) -> None:
        """What is under way is carried no further, and nobody hears of it; new connections are."""
        self.deaf |= set(self.ends)

    def cut(self) -> None:
        self.whole = False
        ends, self.ends = self.ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def end(self) -> None:
        self.cut()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def wire(base_url: str) -> Iterator[Wire]:
    wire = Wire(base_url)
    yield wire
    wire.end()


OPENED = "/?model=flip-flop&sequence=A+x+x+B+x&t=2"


class Class:
    """A teacher and two students, of whom the second is on a phone, and far away."""

    def __init__(self, somebody: Join, base_url: str) -> None:
        self.wire, self.complaints, self.lost = Wire(base_url), list[str](), list[str]()
        self.teacher = somebody(OPENED, self.complaints)
        self.code = room(self.teacher)
        self.near = somebody("/rooms", self.complaints)
        self.near.get_by_role("textbox").fill(self.code.replace("-", " "))
        self.near.get_by_role("button", name="Join").click()
        self.afar = somebody(f"{self.wire.url}/rooms/{self.code.lower()}", self.lost, at=self.wire.url, **PHONE)
        self.followers = [self.near, self.afar]
        self.panel = self.teacher.get_by_role("region", name="The class")

    def step(self, *keys: str) -> None:
        for key in keys:
            self.teacher.get_by_role("slider", name="Step").press(key)


@pytest.fixture(scope="module")
def shared(browser: Browser, base_url: str) -> Iterator[Class]:
    with visitors(browser, base_url) as somebody:
        shared = Class(somebody, base_url)
        yield shared
        shared.wire.end()
        shared.lost.clear()


@pytest.fixture
def school(shared: Class) -> Iterator[Class]:
    """The class, which follows: all see the second timestep of the first sequence."""
    shared.teacher.get_by_role("radio", name="Follow").check(force=True)
    shared.teacher.get_by_role("textbox", name="Sequence", exact=True).fill("A x x B x")
    shared.step("Home", "ArrowRight")
    for page in shared.followers:
        expect(page.locator("#inspector h2")).to_contain_text("t = 2, unit 1")
        expect(page.get_by_role("list", name="Input").get_by_role("listitem")).to_have_count(5)
    yield shared
    assert not shared.complaints


def test_students_see_the_teacher_s_cursor_clamps_and_sequence(school: Class) -> None:
    teacher, what_if = school.teacher, school.teacher.get_by_role("region", name="What if")
    expect(teacher.get_by_role("region", name="Room").locator(".count")).to_have_text(re.compile("^2 "))
    school.step("ArrowRight")
    for page in school.followers:
        expect(page.locator("#inspector h2")).to_contain_text("t = 3, unit 1")
    teacher.get_by_role("textbox", name="Sequence", exact=True).fill("A x B")
    for page in school.followers:
        expect(page.locator("#sequence")).to_have_value("A x B")
    teacher.get_by_role("button", name="What if").click()
    what_if.get_by_role("button", name=contract.CLAMP, exact=True).click()
    for page in school.followers:
        expect(page.get_by_role("region", name="What if").get_by_text(contract.CLEAR_CLAMPS)).to_be_visible()
    rows = [page.get_by_role("group", name="Hidden state h", exact=True) for page in (teacher, school.near)]
    assert rows[0].inner_text() == rows[1].inner_text()
    what_if.get_by_role("button", name=re.compile(f"^{contract.RELEASE}")).first.click()
    teacher.get_by_role("button", name="What if").click()


def test_a_question_hides_what_is_to_come_counts_answers_and_shows_both(school: Class) -> None:
    school.step("ArrowRight")
    ask(school.teacher, "What will z be at the next step?")
    values = ("0.9", "0.2")
    for page, value in zip(school.followers, values, strict=True):
        question = page.get_by_role("region", name="Question")
        expect(question).to_contain_text("What will z of unit 1 be at the next step, t = 4 (“B”)?")
        expect(page.get_by_role("list", name="Input").get_by_role("listitem")).to_have_count(3)
        question.get_by_role("slider").fill(value)
        question.get_by_role("button", name="Send answer").click()
        expect(question.locator(".counted-in")).to_be_visible()
    expect(school.panel.locator(".asked [role=status]")).to_contain_text("2 of 2")
    expect(school.panel.locator(".peek")).to_be_hidden()
    school.panel.locator("[data-room=reveal]").click()
    for page, value in zip(school.followers, values, strict=True):
        question = page.get_by_role("region", name="Question")
        expect(question.locator(".outcome")).to_contain_text(f"{value}0")
        expect(question.locator(".outcome")).to_contain_text("0.89")
        expect(page.locator("#inspector h2")).to_contain_text("t = 4, unit 1")
        expect(question).to_contain_text("2 answers")
    for page in (school.teacher, *school.followers):
        expect_no_barriers(page)
    school.panel.locator("[data-room=dismiss]").click()
    expect(school.near.get_by_role("region", name="Question")).to_be_hidden()


def test_a_student_explores_offers_a_view_and_comes_back_with_nothing_lost(school: Class) -> None:
    school.teacher.get_by_role("radio", name="Explore").check(force=True)
    own = school.near
    expect(own.locator("[data-do=follow]")).to_be_visible()
    own.get_by_role("slider", name="Step").press("End")
    school.step("Home")
    expect(own.locator("#inspector h2")).to_contain_text("t = 5")
    own.locator("[data-do=offer]").click()
    expect(school.panel.locator(".offers")).to_contain_text("flip-flop: A x x B x")
    school.panel.locator(".offers button").click()
    for page in (school.teacher, *school.followers):
        expect(page.locator("#inspector h2")).to_contain_text("t = 5")
    school.step("Home")
    expect(own.locator("#inspector h2")).to_contain_text("t = 1")
    own.locator("[data-do=mine]").click()
    expect(own.locator("#inspector h2")).to_contain_text("t = 5")
    own.locator("[data-do=follow]").click()
    expect(own.locator("#inspector h2")).to_contain_text("t = 1")


def test_a_lost_connection_comes_back_to_the_newest_state(school: Class) -> None:
    bar = school.afar.get_by_role("region", name="Room")
    school.wire.cut()
    expect(bar).to_have_attribute("data-state", "lost")
    school.step("ArrowRight", "ArrowRight")
    expect(school.near.locator("#inspector h2")).to_contain_text("t = 4")
    school.wire.whole = True
    expect(school.afar.locator("#inspector h2")).to_contain_text("t = 4")
    expect(bar).to_have_attribute("data-state", "with")
    assert school.lost
    assert all("Failed to load resource" in complaint for complaint in school.lost)
    school.lost.clear()


def test_the_end_of_a_room_leaves_everybody_where_they_were(somebody: Join) -> None:
    late: list[str] = []
    teacher = somebody(OPENED, late)
    follower = somebody(f"/rooms/{room(teacher)}", late)
    teacher.get_by_role("slider", name="Step").press("ArrowRight")
    expect(follower.locator("#inspector h2")).to_contain_text("t = 3, unit 1")
    teacher.get_by_role("button", name="End…").click()
    teacher.get_by_role("dialog", name="End the room").get_by_role("button", name="End room").click()
    expect(follower.get_by_role("region", name="Room")).to_have_attribute("data-state", "ended")
    expect(follower.get_by_role("navigation", name="Pages").get_by_role("link")).not_to_have_count(0)
    expect(follower).to_have_url(re.compile(r"/\?model=flip-flop.*sequence=A\+x\+x\+B\+x"))
    follower.reload()
    expect(follower.locator("#inspector h2")).to_contain_text("t = 3, unit 1")
    assert only_late(late)
    late.clear()


def test_a_lesson_is_led_from_the_presenter_s_window(somebody: Join) -> None:
    teacher = somebody("/lessons/reset?step=1")
    code = room(teacher)
    follower = somebody(f"/rooms/{code}")
    with teacher.expect_popup() as opened:
        teacher.get_by_role("link", name="Presenter window").click()
    presenter = opened.value
    expect(presenter).to_have_url(re.compile("/presenter$"))  # the secret does not stay in the address
    expect(presenter.get_by_role("region", name="Now")).to_contain_text("Lesson, step 1 of 5")
    presenter.keyboard.press("PageDown")
    for page in (teacher, follower):
        expect(page.locator("aside.lesson .steps [aria-current]")).to_have_text("2")
    expect(follower.locator("aside.lesson form.predict:visible")).to_have_count(0)
    presenter.get_by_role("list", name="Questions").get_by_role("button").click()
    follower.get_by_role("region", name="Question").get_by_role("slider").fill("0.1")
    follower.get_by_role("region", name="Question").get_by_role("button", name="Send answer").click()
    seen = presenter.get_by_role("region", name="The class")
    expect(seen.locator(".asked [role=status]")).to_contain_text("1 of 1")
    expect(seen.locator(".peek .histogram")).to_be_visible()
    seen.locator("[data-room=reveal]").click()
    expect(follower.get_by_role("region", name="Question")).to_contain_text("0.30")
    # Another page of the house is followed to.
    teacher.goto("/compare?task=flip-flop")
    expect(follower.get_by_role("heading", name="Compare", exact=True)).to_be_visible()
    expect(follower).to_have_url(re.compile(f"/rooms/{code}$"))


def test_a_question_of_one_s_own_in_two_rounds_and_its_record(somebody: Join) -> None:
    teacher = somebody("/?model=flip-flop&sequence=A+x+x+B+x&t=2")
    follower = somebody(f"/rooms/{room(teacher)}")
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


def test_a_reload_and_a_second_window_of_the_teacher_uncover_nothing(somebody: Join) -> None:
    teacher = somebody("/?model=flip-flop&sequence=A+x+x+B+x&t=2")
    follower = somebody(f"/rooms/{room(teacher)}")
    inputs = follower.get_by_role("list", name="Input").get_by_role("listitem")
    ask(teacher, "What will z be at the next step?")
    expect(follower.get_by_role("region", name="Question").get_by_role("slider")).to_be_visible()
    expect(inputs).to_have_count(2)
    teacher.reload()
    panel = teacher.get_by_role("region", name="The class")
    expect(panel.locator("[data-room=reveal]")).to_be_visible()
    expect(teacher.get_by_role("list", name="Input").get_by_role("listitem")).to_have_count(2)
    href = str(teacher.get_by_role("link", name="Presenter window").get_attribute("href"))
    second = somebody("/?model=running-total" + href[href.index("#") :])
    expect(second.get_by_role("list", name="Input").get_by_role("listitem")).to_have_count(2)
    expect(second.get_by_role("combobox", name="Model")).to_have_value("flip-flop")
    # What either does both show, and the class does not see more.
    second.get_by_role("slider", name="Step").press("Home")
    for page in (teacher, follower):
        expect(page.locator("#inspector h2")).to_contain_text("t = 1")
    expect(inputs).to_have_count(2)
    panel.locator("[data-room=reveal]").click()
    for page in (teacher, second, follower):
        expect(page.get_by_role("list", name="Input").get_by_role("listitem")).to_have_count(5)
        expect(page.locator("#inspector h2")).to_contain_text("t = 3")


def test_the_presenter_s_window_asks_from_the_lab_too(somebody: Join) -> None:
    teacher = somebody("/?model=flip-flop&sequence=A+x+x+B+x&t=2")
    follower = somebody(f"/rooms/{room(teacher)}")
    with teacher.expect_popup() as opened:
        teacher.get_by_role("link", name="Presenter window").click()
    ask(opened.value, "What will z be at the next step?")
    expect(follower.get_by_role("region", name="Question")).to_contain_text("t = 3")
    opened.value.locator("[data-room=reveal]").click()
    expect(follower.locator("#inspector h2")).to_contain_text("t = 3")


def test_ten_tabs_of_one_browser_follow_with_one_stream(somebody: Join, base_url: str) -> None:
    teacher = somebody("/?model=flip-flop&sequence=A+x+x+B+x&t=1")
    code = room(teacher)
    first = somebody(f"/rooms/{code}")
    tabs = [first]
    for _ in range(9):
        tabs.append(first.context.new_page())
        tabs[-1].goto(f"{base_url}/rooms/{code}")
    count = teacher.get_by_role("region", name="Room").locator(".count")
    for tab in tabs:
        expect(tab.get_by_role("region", name="Room")).to_have_attribute("data-state", "with")
    expect(count).to_have_text(re.compile("^1 "))
    teacher.get_by_role("slider", name="Step").press("ArrowRight")
    for tab in tabs:
        expect(tab.locator("#inspector h2")).to_contain_text("t = 2")
    # The tab that has the stream goes: another takes over.
    first.close()
    teacher.get_by_role("slider", name="Step").press("ArrowRight")
    for tab in tabs[1:]:
        expect(tab.locator("#inspector h2")).to_contain_text("t = 3")
    expect(count).to_have_text(re.compile("^1 "))


def test_a_class_s_sketches_are_shown_over_one_another_and_one_by_one(somebody: Join) -> None:
    late: list[str] = []
    teacher = somebody(DRAWN, late)
    code = room(teacher)
    followers = [somebody(f"/rooms/{code}", late) for _ in range(2)]
    teacher.get_by_role("button", name="Ask…").click()
    teacher.get_by_role("dialog", name="Ask the class").get_by_role(
        "button", name=re.compile("^From this lesson step")
    ).first.click()
    for page, key in zip(followers, ("Home", "End"), strict=True):
        question = page.get_by_role("region", name="Question")
        question.get_by_role("slider").first.press(key)
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
    # As long as it is open, this address gets no answers of this lesson: other tests walk through it.
    bar = teacher.get_by_role("region", name="Room")
    bar.get_by_role("button", name="End…").click()
    teacher.get_by_role("button", name="End room").click()
    expect(bar.get_by_role("status")).not_to_be_empty()
    for page in followers:  # Playwright never closes a page that is about to go to another
        page.wait_for_url(re.compile("/lessons/"))
    assert only_late(late)
    late.clear()


SLEEPS = """(() => { const date = Date.now.bind(Date); let slept = 0; Date.now = () => date() + slept;
    window.wakes = () => { slept = 600_000; document.dispatchEvent(new Event("visibilitychange")); }; })()"""
"""Ten minutes pass by the wall clock while performance.now() stands still, as on a phone that sleeps."""


def test_a_phone_that_slept_asks_for_the_newest_state_at_once(somebody: Join, wire: Wire, browser: Browser) -> None:
    teacher = somebody("/?model=flip-flop&sequence=A+x+x+B+x&t=1")
    phone = browser.new_context().new_page()
    phone.add_init_script(SLEEPS)
    phone.goto(f"{wire.url}/rooms/{room(teacher)}")
    expect(phone.get_by_role("region", name="Room")).to_have_attribute("data-state", "with")
    wire.fall_silent()
    teacher.get_by_role("slider", name="Step").press("ArrowRight")
    expect(teacher.locator("#inspector h2")).to_contain_text("t = 2")
    expect(phone.locator("#inspector h2")).to_contain_text("t = 1")
    phone.evaluate("wakes()")
    expect(phone.locator("#inspector h2")).to_contain_text("t = 2")
    phone.context.close()


def test_a_page_whose_stream_is_held_back_follows_and_says_so(somebody: Join) -> None:
    teacher = somebody("/?model=flip-flop&sequence=A+x+x+B+x&t=1")
    code = room(teacher)
    follower = somebody("/rooms")
    follower.route(re.compile("/events$"), lambda _: None)  # it is asked, and nothing comes
    follower.goto(f"/rooms/{code}")
    bar = follower.get_by_role("region", name="Room")
    expect(bar).to_have_attribute("data-state", "with")
    expect(bar.get_by_role("status")).to_contain_text("every 2 seconds")
    teacher.get_by_role("slider", name="Step").press("ArrowRight")
    expect(follower.locator("#inspector h2")).to_contain_text("t = 2")
    expect(teacher.get_by_role("region", name="Room").locator(".count")).to_have_text(re.compile("^1 "))
