"""The <gru-scope> element on other sites' pages, with exported pages and with pages of a server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, expect

from app.embed import component
from app.exports import page as export
from app.runs.linked import run_link
from app.settings import Settings

FIGURES = {
    "flip-flop": {"model": "flip-flop", "sequence": "A m m B m", "t": "4", "views": "tape,words"},
    "sentiment": {"model": "sentiment", "sequence": "not good", "views": "tape,words"},
    "total": {"model": "running-total", "sequence": "=0.2 0.1 0.1", "views": "tape,words,memory"},
}
ELEMENTS = "".join(
    f'<p>Text.</p><gru-scope src="{src}" label="Figure {n}" height="700"></gru-scope>'
    for n, src in enumerate(("flip-flop.html", "sentiment.html?t=2", "total.html", "flip-flop.html?t=2", "none.html"))
)
POLICY = "default-src 'none'; script-src 'self'; frame-src 'self'; style-src 'self'"
HOST = f"""<!doctype html><meta charset="utf-8"><title>A page of somebody else</title>
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<link rel="stylesheet" href="host.css"><script defer src="gruscope.js"></script><body>{ELEMENTS}"""
SHEET = """body { background: #fff } body.night { background: #123 }
* { box-sizing: content-box; padding: 3px } iframe { border: 9px solid red }"""

NO_PLOTLY = "globalThis.Plotly = { react: async () => {}, restyle: async () => {} };"
"""A stub for Plotly, which would take seconds for each figure. Other tests check the pictures."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a site with the script, the exported pages, and a page with five figures. Return the site's folder."""
    folder = tmp_path_factory.mktemp("site")
    for name, keys in FIGURES.items():
        page = export.page(run_link(keys, Settings()), Settings(), shared=True, hide=["question", "model"])
        (folder / f"{name}.html").write_text(page, "utf-8")
    for name, content in (export.shared_files() | {"plotly.min.js": NO_PLOTLY.encode()}).items():
        (folder / name).write_bytes(content)
    (folder / "gruscope.js").write_text(component.script(), "utf-8")
    (folder / "host.css").write_text(SHEET)
    (folder / "index.html").write_text(HOST, "utf-8")
    return folder


@pytest.fixture
def host(page: Page, base_url: str, site: Path) -> Page:
    """Open and return the page with five figures, at the server's address. A request to another host fails the test."""

    def respond(route: Any) -> None:
        file = site / (re.sub(r"[?#].*", "", route.request.url).rpartition("/")[2] or "index.html")
        route.fulfill(path=file) if file.is_file() else route.abort()

    page.route("**/site/**", respond)
    page.goto("/site/index.html")
    return page


def figure(page: Page, n: int) -> Locator:
    """Return figure `n` of the page, counted from 0."""
    return page.locator("gru-scope").nth(n)


def inside(page: Page, n: int) -> FrameLocator:
    """Return the page inside figure `n`."""
    return figure(page, n).locator("iframe").content_frame


def heading(page: Page, n: int) -> Locator:
    """Return the heading of figure `n`, which shows the cursor's timestep."""
    return inside(page, n).get_by_role("heading", level=2).first


def background(page: Page, n: int) -> str:
    """Return the background color of figure `n`."""
    color: str = inside(page, n).locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    return color


def test_five_figures_on_a_page_with_a_strict_policy(host: Page, console_errors: list[str]) -> None:
    expect(heading(host, 0)).to_contain_text("t = 4")
    assert figure(host, 4).locator("iframe").get_attribute("src") is None  # it loads when the reader scrolls near it
    for n, words in enumerate(("t = 4", "t = 2", "t = 1", "t = 2")):
        figure(host, n).scroll_into_view_if_needed()
        expect(heading(host, n)).to_contain_text(words)
    # A figure that does not load shows an error and a link to its page.
    figure(host, 4).scroll_into_view_if_needed()
    expect(figure(host, 4).get_by_role("alert")).to_contain_text("did not load")
    expect(figure(host, 4).get_by_role("link")).to_have_attribute("href", re.compile("/site/none.html$"))
    assert [error for error in console_errors if "none.html" not in error and "ERR_FAILED" not in error] == []
    console_errors.clear()
    # The host's style sheet does not affect the frame, and the frame has no origin, so it has no storage.
    assert figure(host, 0).locator("iframe").evaluate("frame => getComputedStyle(frame).borderTopWidth") == "0px"
    assert inside(host, 0).locator("body").evaluate("() => self.origin") == "null"
    assert host.evaluate("localStorage.length") == 0
    assert host.evaluate("history.length") <= 2

    # Each figure has the height of its page, and keeps it while the cursor moves.
    def height(n: int) -> int:
        return int(figure(host, n).evaluate("figure => figure.offsetHeight"))

    for n in range(4):
        needed = int(inside(host, n).locator("html").evaluate("root => root.offsetHeight"))
        assert needed <= height(n) < needed + 60
    before = height(0)
    inside(host, 0).get_by_role("slider", name="Timestep").press("ArrowLeft")
    expect(heading(host, 0)).to_contain_text("t = 3")
    assert height(0) == before

    # The theme follows the host's switch, regardless of the attribute or class that the switch changes.
    light = background(host, 0)
    host.evaluate("document.body.className = 'night'")
    for n in (0, 1):
        expect(inside(host, n).locator("html")).to_have_attribute("data-theme", "dark")
        assert background(host, n) != light
    host.evaluate("document.body.className = ''")
    expect(inside(host, 0).locator("html")).to_have_attribute("data-theme", "light")


def test_a_page_whose_own_policy_allows_no_frames_gets_the_cause(
    page: Page, site: Path, console_errors: list[str]
) -> None:
    text = HOST.replace("frame-src 'self'", "frame-src 'none'")
    page.route("**/strict/", lambda route: route.fulfill(content_type="text/html", body=text))
    page.route("**/strict/gruscope.js", lambda route: route.fulfill(path=site / "gruscope.js"))
    page.route("**/strict/host.css", lambda route: route.fulfill(path=site / "host.css"))
    page.goto("/strict/")
    expect(figure(page, 0).get_by_role("alert")).to_contain_text("own Content-Security-Policy")
    expect(figure(page, 0).get_by_role("link")).to_have_attribute("href", re.compile("/strict/flip-flop.html"))
    page.goto("/readyz")  # figures further down log errors later; on another page, no more errors arrive
    assert console_errors
    assert all("frame-src" in error for error in console_errors)
    console_errors.clear()


def test_the_host_and_the_figure_exchange_links(host: Page) -> None:
    expect(heading(host, 0)).to_contain_text("t = 4")
    host.evaluate("""() => {
        globalThis.links = [];
        const figure = document.querySelector("gru-scope");
        figure.addEventListener("change", ({ detail }) => links.push(detail.link));
        figure.set({ sequence: "B m A", t: "2", clamps: "z@3=0" });
    }""")
    expect(heading(host, 0)).to_contain_text("t = 2")
    box = inside(host, 0).get_by_role("textbox", name="Sequence", exact=True)
    expect(box).to_have_value("B m A")
    host.wait_for_function("() => links.at(-1)?.includes('clamps=z@3=0')")
    # The reader's own sequence runs in the frame, and the host receives its link.
    box.fill("A m B B m")
    host.wait_for_function("() => new URLSearchParams(links.at(-1)).get('sequence') === 'A m B B m'")
    # A figure that moves to another place on the page loads again and shows the same view.
    host.evaluate("document.body.append(document.querySelector('gru-scope'))")
    expect(heading(host, -1)).to_contain_text("t = 2")
    expect(inside(host, -1).get_by_role("textbox", name="Sequence", exact=True)).to_have_value("A m B B m")


def test_a_figure_of_a_server_has_the_theme_of_the_page_around_it(page: Page) -> None:
    page.goto("/docs")
    page.evaluate("""() => {
        document.body.innerHTML = '<gru-scope src="embed?model=flip-flop&sequence=A+m+B&t=2&hide=model"></gru-scope>';
        document.documentElement.style.background = document.body.style.background = "#111";
        const script = { type: "module", src: "embed/gruscope.js" };
        document.head.append(Object.assign(document.createElement("script"), script));
    }""")
    expect(heading(page, 0)).to_contain_text("t = 2")
    expect(inside(page, 0).locator("html")).to_have_attribute("data-theme", "dark")
    expect(inside(page, 0).get_by_role("combobox", name="Model")).to_be_hidden()
    box = inside(page, 0).get_by_role("textbox", name="Sequence", exact=True)
    box.fill("B m A m")
    page.wait_for_function("() => document.querySelector('gru-scope').link.includes('B+m+A+m')")


def test_in_a_figure_on_a_phone_the_timestep_is_legible(page: Page) -> None:
    page.set_viewport_size({"width": 330, "height": 800})
    page.goto("/embed?model=flip-flop&hide=model&views=tape")
    clock = page.locator("#clock")
    expect(clock).to_be_visible()
    assert clock.evaluate("clock => clock.scrollWidth <= clock.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= 330
