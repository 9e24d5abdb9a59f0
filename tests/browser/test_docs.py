"""The built docs in a browser: opened from disk, searchable, and accessible."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from app.exports.site import build
from app.settings import Settings
from tests.support import sites
from tests.support.accessible import expect_no_barriers
from tests.support.static_host import static_host
from tests.support.watched import watched

FEWER = """
() => {
    for (const object of document.querySelectorAll(".doc-object ~ .doc-object ~ .doc-object")) object.remove();
    const seen = new Set();
    for (const token of document.querySelectorAll("pre span[class]:not(:has(*))"))
        if (seen.has(token.className)) token.replaceWith(token.textContent);
        else seen.add(token.className);
}
"""
"""A script that keeps two objects per part of the reference, and one token of each color in the code of a page.

On the whole page axe would take half a minute, because it checks every object and every token.
"""


@pytest.fixture
def demos(docs_site: Path) -> Iterator[None]:
    """Write a placeholder page for each demo, because `make docs` exports the demos after the pages."""
    (docs_site / "demos").mkdir(exist_ok=True)
    for name in tomllib.loads((sites.ROOT / "docs" / "demos.toml").read_text()):
        demo = '<!doctype html><html lang="en"><title>A demo</title><main><h1>A demo</h1></main>'
        (docs_site / "demos" / f"{name}.html").write_text(demo)
    yield
    shutil.rmtree(docs_site / "demos")


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
def test_no_page_of_the_docs_has_barriers_in_either_theme(
    exported_page: Page, docs_site: Path, console_errors: list[str]
) -> None:
    pages = sorted({*docs_site.rglob("*.html")} - {*docs_site.glob("demos/*")} - {docs_site / "404.html"})
    assert len(pages) > 20
    exported_page.emulate_media(reduced_motion="reduce")  # a color in transition has a different contrast
    for file in pages:
        exported_page.goto(file.as_uri())
        exported_page.evaluate(FEWER)
        for theme in ("light", "dark"):
            exported_page.emulate_media(color_scheme=theme)
            expect(exported_page.locator("html")).to_have_attribute("data-bs-theme", theme)
            name = f"{file.relative_to(docs_site)}, {theme}"
            expect_no_barriers(exported_page, name, colors_alone=theme == "dark")
    exported_page.emulate_media(color_scheme=None, reduced_motion="no-preference")
    # axe posts messages to the frames. On a page from disk the frames have no origin, so the browser logs errors.
    assert [error for error in console_errors if "postMessage" not in error] == []
    console_errors.clear()


def test_the_page_for_a_missing_address_has_no_barriers_and_loads_its_files(
    visitor: BrowserContext, docs_site: Path, console_errors: list[str]
) -> None:
    """A host sends 404.html at any address, so the page loads its files from the host's root."""
    page = visitor.new_page()
    with static_host(docs_site) as host, watched(page, host, console_errors):
        page.goto(f"{host}/404.html")
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
            expect_no_barriers(page, theme, colors_alone=theme == "dark")
        page.close()


HEIGHTS = """
globalThis.heights = {};
addEventListener("message", ({ data, source }) => {
    for (const { contentWindow, src } of document.querySelectorAll("iframe"))
        if (contentWindow === source && data.height) (heights[src] ??= []).push(data.height);
});
"""
"""A script that records the heights that each demo reports."""


@pytest.fixture
def exported_demos(docs_site: Path) -> Iterator[None]:
    """Export the demos, as `make docs` does after the pages."""
    for _ in build(docs_site / "demos", sites.ROOT / "docs" / "demos.toml", Settings()):
        pass
    yield
    shutil.rmtree(docs_site / "demos")


@pytest.mark.usefixtures("exported_demos")
def test_a_demo_has_the_theme_of_the_menu(exported_page: Page, docs_site: Path) -> None:
    page = exported_page
    page.goto((docs_site / "index.html").as_uri())
    demo = page.locator("iframe").content_frame.locator("html")

    def choose(theme: str) -> None:
        page.locator("#theme-menu").click()
        page.locator(f"[data-bs-theme-value={theme}]").click()

    choose("dark")
    expect(demo).to_have_attribute("data-theme", "dark")
    page.reload()  # the menu remembers the choice
    expect(demo).to_have_attribute("data-theme", "dark")
    choose("auto")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        expect(demo).to_have_attribute("data-theme", theme)
    page.emulate_media(color_scheme=None)


@pytest.mark.usefixtures("exported_demos")
def test_a_demo_has_its_height_in_the_docs_from_the_start(exported_page: Page, docs_site: Path) -> None:
    page, demos = exported_page, set[str]()
    page.set_viewport_size({"width": 1440, "height": 900})
    page.add_init_script(HEIGHTS)
    for file in sorted(docs_site.rglob("*.html")):
        written = re.findall(r'<iframe src="(?:\.\./)?demos/.* height="(\d+)"', file.read_text())
        if "demos" in file.parts or not written:
            continue
        page.goto(file.as_uri())
        for frame, declared in zip(page.locator("iframe").all(), map(int, written), strict=True):
            name = frame.evaluate("frame => frame.src")
            demos.add(Path(name).stem)
            frame.scroll_into_view_if_needed()
            page.wait_for_function(
                "([name, height]) => Math.abs((heights[name] ?? [0]).at(-1) - height) <= 60", arg=[name, declared]
            )
            assert max(page.evaluate("name => heights[name]", name)) <= declared + 60
    assert demos == set(tomllib.loads((sites.ROOT / "docs" / "demos.toml").read_text()))
