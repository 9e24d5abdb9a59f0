"""Fixtures with a real server and Chromium. A test also fails on a console error or a request to another host."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, BrowserType, Page, expect

from tests.support import server
from tests.support.chromium import installed
from tests.support.classroom import NewVisitor, visitors
from tests.support.lab import Visit
from tests.support.watched import NewProfile, watched

PATIENCE = 120_000  # milliseconds; on a busy machine a training is slow, because it has the lowest priority
expect.set_options(timeout=PATIENCE)

folder, served_models, uploads = server.folder, server.served_models, server.uploads
base_url, exported = server.base_url, server.exported


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    # All pages of a visitor share one process, which keeps Plotly's compiled code after the first page.
    flags = ["--no-sandbox", "--disable-background-networking", "--renderer-process-limit=1"]
    return {"executable_path": installed(), "args": flags}


@pytest.fixture(scope="session")
def new_profile(
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    base_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> NewProfile:
    """Return a function that starts a browser for a new visitor, with the compiled code of the Lab in its cache.

    Without Plotly's compiled code, a visit takes 2.7 seconds more CPU time.
    """
    profile = tmp_path_factory.mktemp("profile") / "compiled"

    def start(folder: Path, **options: Any) -> BrowserContext:
        # Transitions take a tenth of the processor time of the tests.
        context = browser_type.launch_persistent_context(
            folder, base_url=base_url, reduced_motion="reduce", **browser_type_launch_args, **options
        )
        context.set_default_timeout(PATIENCE)
        return context

    context = start(profile)
    for _ in range(2):  # Chromium stores compiled code at the second visit
        page = context.new_page()
        page.goto("/?model=flip-flop")
        page.wait_for_selector(".heatmaps .heatmaplayer image")
        page.close()
    context.close()

    def new(**options: Any) -> BrowserContext:
        folder = tmp_path_factory.mktemp("visitor")
        for cache in ("Cache", "Code Cache"):
            shutil.copytree(profile / "Default" / cache, folder / "Default" / cache)
        return start(folder, **options)

    return new


@pytest.fixture(scope="session")
def visitor(new_profile: NewProfile) -> Iterator[BrowserContext]:
    """Yield one browser profile that all tests with a single visitor share."""
    context = new_profile()
    yield context
    context.close()


@pytest.fixture
def console_errors() -> list[str]:
    """Return a list that collects console errors. A test that causes an error on purpose clears the list."""
    return []


@pytest.fixture
def page(visitor: BrowserContext, base_url: str, console_errors: list[str]) -> Iterator[Page]:
    """Yield a new page. Clear its local storage after the test."""
    page = visitor.new_page()
    with watched(page, base_url, console_errors):
        yield page
        page.evaluate("localStorage.clear()")
        page.close()


@pytest.fixture(scope="session")
def loaded(visitor: BrowserContext) -> Iterator[Page]:
    """Yield a page of the full Lab, without the parts for newcomers, after Plotly has drawn the run."""
    page = visitor.new_page()
    page.goto("/?model=flip-flop")
    page.wait_for_selector(".heatmaps .heatmaplayer image")
    yield page
    page.close()


@pytest.fixture
def same_page(loaded: Page, base_url: str, console_errors: list[str]) -> Iterator[Page]:
    """Yield a page that is loaded once for all tests. A test changes its link as the Back and Forward buttons do.

    A new load would take seconds, mostly for Plotly.
    """
    with watched(loaded, base_url, console_errors):
        loaded.evaluate("document.activeElement?.blur()")
        yield loaded
        loaded.unroute_all()


@pytest.fixture(scope="session")
def offline(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """Yield a browser that is offline."""
    profile = tmp_path_factory.mktemp("offline")
    context = browser_type.launch_persistent_context(profile, offline=True, **browser_type_launch_args)
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture(scope="session")
def opened(offline: BrowserContext) -> Iterator[Page]:
    """Yield a page of the offline browser."""
    page = offline.new_page()
    yield page
    page.close()


@pytest.fixture
def exported_page(opened: Page, console_errors: list[str]) -> Iterator[Page]:
    """Yield the offline page for exported files. Clear its local storage after the test."""
    with watched(opened, "file:", console_errors):
        yield opened
        opened.evaluate("localStorage.clear()")


@pytest.fixture(params=["page", "exported_page"])
def visit(request: pytest.FixtureRequest) -> Visit:
    """Return a function that opens a page of the server in one run of a test, and an exported page in the other."""
    return _visit(request)


@pytest.fixture(params=["same_page", "exported_page"])
def same_visit(request: pytest.FixtureRequest) -> Visit:
    """Return a function like `visit`, but for the server's page in `same_page`, which is loaded once."""
    return _visit(request)


def _visit(request: pytest.FixtureRequest) -> Visit:
    page = request.getfixturevalue(request.param)
    exported = request.getfixturevalue("exported") if request.param == "exported_page" else None
    return lambda kind: kind(page, exported)


@pytest.fixture
def new_visitor(new_profile: NewProfile, base_url: str) -> Iterator[NewVisitor]:
    """Yield the function from `visitors` that opens a page for a new visitor."""
    with visitors(new_profile, base_url) as open_page:
        yield open_page
