"""axe, which finds what people with a screen reader or weak sight cannot use."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

AXE = Axe()


def expect_no_barriers(page: Page, state: str = "", within: str = "", *, colors_alone: bool = False) -> None:
    """Fail with axe's report if it finds anything on the page, or `within` the part with this selector.

    The colour scheme changes nothing but colours: `colors_alone` leaves out the rules about anything else.
    """
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if colors_alone:
        options["runOnly"] = ["color-contrast", "link-in-text-block"]
    found = AXE.run(page, within or None, options)
    assert found.violations_count == 0, f"{state}: {found.generate_report()}"
