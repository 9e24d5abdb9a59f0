"""Accessibility checks with axe, for example for people who use a screen reader or have low vision."""

from __future__ import annotations

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Page


def expect_no_barriers(page: Page, state: str = "", within: str = "", *, colors_alone: bool = False) -> None:
    """Fail with axe's report if axe finds a violation on the page, or in the element with selector `within`.

    `state` is a prefix for the report. `colors_alone` runs only the rules about colors, for example after a change of
    the color scheme.
    """
    options: dict[str, object] = {"reporter": "no-passes", "preload": False}  # a page from disk cannot fetch styles
    if colors_alone:
        options["runOnly"] = ["color-contrast", "link-in-text-block"]
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    response = page.evaluate("([within, options]) => axe.run(within || document, options)", [within, options])
    report = AxeResults(response)
    assert report.violations_count == 0, f"{state}: {report.generate_report()}"


def expect_accessible_at_every_width(page: Page) -> None:
    """Run axe at three widths, the last that of a phone, and in dark mode. Fail if the page scrolls sideways."""
    for width in (1440, 1024, 390):
        for narrower in (width - 70, width):
            page.set_viewport_size({"width": narrower, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth") <= narrower
        expect_no_barriers(page, str(width))
    page.emulate_media(color_scheme="dark")
    expect_no_barriers(page, "dark", colors_alone=True)
    page.emulate_media(color_scheme=None)
