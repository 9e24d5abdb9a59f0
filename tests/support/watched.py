"""A context that fails a test if a page reports errors or sends requests to other hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlparse

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page, Request

NewProfile = Callable[..., BrowserContext]


@contextmanager
def watched(page: Page, base_url: str, console_errors: list[str]) -> Iterator[None]:
    """Collect the errors and warnings of a page in `console_errors`. At the end, fail if there are any.

    Also fail if the page sent a request to another host than `base_url`.
    """
    page.set_viewport_size({"width": 1280, "height": 800})
    requests: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            console_errors.append(message.text)

    def on_error(error: Error) -> None:
        console_errors.append(str(error))

    def on_request(request: Request) -> None:
        requests.append(request.url)

    page.on("console", on_console)
    page.on("pageerror", on_error)
    page.on("request", on_request)
    yield
    page.remove_listener("console", on_console)
    page.remove_listener("pageerror", on_error)
    page.remove_listener("request", on_request)
    foreign = [
        url for url in requests if urlparse(url).scheme in ("http", "https", "ws") and not url.startswith(base_url)
    ]
    assert not foreign
    assert not console_errors
