"""A figure in a reveal.js deck, set up as the docs show."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from tests.support.reveal import reveal_deck
from tests.support.static_host import static_host
from tests.support.watched import watched


def test_a_figure_in_a_deck_has_its_own_keys_while_it_has_the_focus(
    visitor: BrowserContext, tmp_path: Path, console_errors: list[str]
) -> None:
    reveal_deck(tmp_path)
    page = visitor.new_page()
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    with static_host(tmp_path) as host, watched(page, host, console_errors):
        page.goto(f"{host}/deck.html")
        current = "() => Reveal.getIndices().h"
        expect(page.get_by_role("heading", name="Gates")).to_be_visible()
        page.keyboard.press("ArrowRight")
        frame = page.locator("gru-scope iframe").content_frame
        heading = frame.get_by_role("heading", level=2).first
        expect(heading).to_contain_text("t = 4")
        expect(frame.locator(".heatmaplayer image").first).to_be_attached()
        # With the focus in the figure, the keys move the cursor. Outside the figure, they change the slide.
        heading.click()
        page.keyboard.press("ArrowRight")
        expect(heading).to_contain_text("t = 5")
        assert page.evaluate(current) == 1
        page.mouse.click(4, 4)
        page.keyboard.press("ArrowLeft")
        page.wait_for_function("() => Reveal.getIndices().h === 0")
        assert all(url.startswith((host, "data:", "blob:")) for url in requested)
