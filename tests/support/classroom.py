"""Functions for tests with a teacher and students in browsers: open pages, open a room, ask a question."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from playwright.sync_api import Page, expect

from tests.support.watched import NewProfile, watched

NewVisitor = Callable[..., Page]

OPENED = "/?model=flip-flop&sequence=A+m+m+B+m&t=2"

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@contextmanager
def visitors(new_profile: NewProfile, base_url: str) -> Iterator[NewVisitor]:
    """Yield a function that opens a page for a new visitor. Errors in the page's console fail the test."""
    with ExitStack() as stack:

        def open_page(path: str, console_errors: list[str] | None = None, at: str = base_url, **options: Any) -> Page:
            context = new_profile(**options)
            stack.callback(context.close)
            page = context.new_page()
            stack.enter_context(watched(page, at, [] if console_errors is None else console_errors))
            if "viewport" in options:
                page.set_viewport_size(options["viewport"])
            page.goto(path)
            return page

        yield open_page


def room(page: Page, opener: str = "Room") -> str:
    """Open a room with the button `opener` of a page, and return the room's code."""
    page.get_by_role("button", name=opener, exact=True).click()
    page.get_by_role("dialog", name="Room").get_by_role("button", name="Open a room").click()
    code = page.locator("#room .big")
    expect(code).to_have_text(re.compile("^[2-9A-Z]{3}-[2-9A-Z]{3}$"))
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    page.get_by_role("dialog", name="Room").get_by_role("button", name="Close").click()
    return code.inner_text() or str(code.text_content())


def only_late(console_errors: list[str]) -> bool:
    """Return whether all errors are about status 410, which a page receives if it polls a room that has ended.

    On a busy machine, a page may conclude that its event stream is blocked, and poll every 2 seconds instead.
    """
    return all("410" in error for error in console_errors)


def ask_question(teacher: Page, label: str) -> None:
    """Click the question `label` in the dialog “Ask the class” of the teacher's page."""
    teacher.get_by_role("button", name="Ask…").click()
    teacher.get_by_role("dialog", name="Ask the class").get_by_role("button", name=label).click()
