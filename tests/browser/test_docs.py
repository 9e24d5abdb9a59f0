"""The built docs in a browser: opened from disk, with their search, and without barriers."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import watched
from tests.support import sites
from tests.support.accessible import expect_no_barriers
from tests.support.static_host import static_host


@pytest.fixture
def demos(docs_site: Path) -> None:
    """Write an empty page for each frame, since `make docs` exports the demos after the pages."""
    (docs_site / "demos").mkdir(exist_ok=True)
    for name in tomllib.loads((sites.ROOT / "docs" / "demos.toml").read_text()):
        demo = '<!doctype html><html lang="en"><title>A demo</title><main><h1>A demo</h1></main>'
        (docs_site / "demos" / f"{name}.html").write_text(demo)


@pytest.mark.usefixtures("demos")
def test_the_search_works_in_pages_that_are_opened_from_disk(exported_page: Page, docs_site: Path) -> None:
    exported_page.goto((docs_site / "how-to" / "embed.html").as_uri())
    exported_page.get_by_role("link", name="Search").click()
    search = exported_page.locator("#mkdocs-search-query")
    for word, page in (("h0", "reference/"), ("CSP", "faq.html")):
        search.fill(word)
        search.press("Shift")
        expect(exported_page.locator(f"#mkdocs-search-results article a[href*='{page}']").first).to_be_visible()


@pytest.mark.usefixtures("demos")
def test_pages_of_the_docs_have_no_barriers_in_both_themes(
    exported_page: Page, docs_site: Path, console_errors: list[str]
) -> None:
    for name in ("index", "explanation/compared", "reference/settings"):
        exported_page.goto((docs_site / f"{name}.html").as_uri())
        for theme in ("light", "dark"):
            exported_page.emulate_media(color_scheme=theme)
            expect(exported_page.locator("html")).to_have_attribute("data-bs-theme", theme)
            expect_no_barriers(exported_page, f"{name}, {theme}", colors_alone=theme == "dark")
    exported_page.emulate_media(color_scheme=None)
    # axe sends messages to the frames, which have no origin in a page from disk.
    assert [error for error in console_errors if "postMessage" not in error] == []
    console_errors.clear()


def test_the_page_for_a_missing_address_has_no_barriers_and_loads_its_files(
    visitor: BrowserContext, docs_site: Path, console_errors: list[str]
) -> None:
    """A host shows it at any address, so it loads its files from the root of the host."""
    page = visitor.new_page()
    with static_host(docs_site) as host, watched(page, host, console_errors):
        page.goto(f"{host}/404.html")
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
            expect_no_barriers(page, theme, colors_alone=theme == "dark")
        page.close()
