"""The page's main jobs in Firefox and in WebKitGTK: what is right is tested in Chromium, here that others do it too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import axe_playwright_python
import pytest

import gru_core as gru
from tests.browser.conftest import base_url, exported, folder, served, uploads  # noqa: F401
from tests.browsers import webdriver
from tests.browsers.install import FIREFOX, WEBKIT, installed
from tests.support import contract

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
FIND = """
    const [role, name] = arguments;
    const tags = { textbox: "input, textarea", slider: "[type=range]", combobox: "select", button: "button" };
    return [...document.querySelectorAll(tags[role])].find((one) => one.checkVisibility() && name ===
        (one.ariaLabel ?? one.labels?.[0]?.textContent ?? one.textContent).trim());
"""
SEQUENCE = "A x x B x"
END = "\ue010"  # the key: where the caret stands at first is each driver's own


class Page:
    """Finds controls by role and name."""

    def __init__(self, driver: webdriver.Driver) -> None:
        self.driver = driver

    def open(self, address: str, **keys: str) -> None:
        self.driver.navigate(f"{address}?{urlencode(keys)}")
        self.wait("document.querySelector('.heatmaplayer image')")

    def wait(self, condition: str) -> None:
        """Until the JavaScript `condition` holds."""
        try:
            webdriver.until(lambda: self.driver.script(f"return Boolean({condition})"))
        except TimeoutError:
            seen = self.driver.script("return document.body.innerText")
            raise AssertionError(f"{condition} never held; the page: {seen}") from None

    def text(self, text: str) -> None:
        self.wait(f"document.body.innerText.includes({text!r})")

    def find(self, role: str, name: str) -> dict[str, str]:
        found: dict[str, str] = webdriver.until(lambda: self.driver.script(FIND, role, name))
        return found

    def press(self, name: str) -> None:
        self.driver.click(self.find("button", name))

    def expect_states(self, sequence: str, model: str = "flip-flop") -> None:
        """Until the picture of h is drawn with the core's states of the first unit."""
        states = gru.trace(gru.load(model), sequence).h[:, 0].tolist()

        def drawn() -> bool:
            rows = self.driver.script(
                "return [...document.querySelector('.heatmaps').data.find((p) => p.name === 'h' && !p.meta).z[0]]"
            )
            return bool([value for value in rows if value is not None] == pytest.approx(states, abs=1e-12))

        webdriver.until(drawn)


@pytest.fixture(scope="module", params=["firefox", "webkit"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    start, names = {"firefox": (webdriver.firefox, FIREFOX), "webkit": (webdriver.webkit, WEBKIT)}[request.param]
    program = installed(names)
    if program is None or (request.param == "webkit" and not installed(("Xvfb",))):
        pytest.skip(f"{request.param} is not installed here")
    with start(program, tmp_path_factory.mktemp(request.param)) as driver:
        yield Page(driver)


@pytest.fixture(params=["server", "file"])
def address(request: pytest.FixtureRequest, base_url: str, exported: Callable[..., str]) -> str:  # noqa: F811
    """Of the page, and of one that was exported with what these tests look at."""
    return f"{base_url}/" if request.param == "server" else exported(model="flip-flop", sequence=SEQUENCE)


def test_step_and_play(page: Page, address: str) -> None:
    page.open(address, model="flip-flop", sequence=SEQUENCE)
    page.expect_states(SEQUENCE)
    page.press("Next step")
    page.text("t = 2, unit 1")
    page.press("Play")
    page.text("t = 5, unit 1")
    page.find("button", "Play")


def test_the_table(page: Page, address: str) -> None:
    page.open(address, model="flip-flop", sequence=SEQUENCE)
    page.press("Table")
    page.wait("document.querySelectorAll('section.table tbody tr').length > 0")
    page.text(f"{gru.trace(gru.load('flip-flop'), SEQUENCE).h[0, 0]:.4f}".replace("-", "−")[:5])


def test_typing(page: Page, base_url: str) -> None:  # noqa: F811
    page.open(f"{base_url}/", model="flip-flop", sequence=SEQUENCE)
    page.driver.type(page.find("textbox", "Sequence"), END + "A")
    page.expect_states(SEQUENCE + "A")


def test_a_clamp(page: Page, base_url: str) -> None:  # noqa: F811
    page.open(f"{base_url}/", model="flip-flop", sequence=SEQUENCE, t="4", clamps="z@4=0")
    page.press("What if")
    page.text("first differs at t = 4: A instead of B.")
    page.press(contract.CLEAR_CLAMPS)
    page.expect_states(SEQUENCE)
    page.press(contract.CLAMP)
    page.text("first differs at t = 4")


def test_a_picture_is_kept(page: Page, base_url: str) -> None:  # noqa: F811
    page.open(f"{base_url}/", model="flip-flop", sequence=SEQUENCE)
    # What is given to the visitor is taken before the browser asks where to put it.
    page.driver.script(
        "HTMLAnchorElement.prototype.click = function () { document.body.dataset.kept = this.download; }"
    )
    page.press("Export")
    for ending in ("PNG", "SVG", "CSV"):
        page.press(ending)
        page.wait(f"document.body.dataset.kept?.endsWith('.{ending.lower()}')")


def test_an_embed(page: Page, base_url: str) -> None:  # noqa: F811
    page.open(f"{base_url}/embed", model="flip-flop", sequence=SEQUENCE, hide="question,model")
    page.press("Next step")
    page.wait("document.querySelector('#step').value === '2'")


def test_axe_finds_nothing(page: Page, address: str) -> None:
    page.open(address, model="flip-flop", sequence=SEQUENCE, views="tape,words,cell,equations,memory,influence,table")
    page.wait("!document.querySelector('.late')")
    page.wait("document.getAnimations().every(({ playState }) => playState === 'finished')")
    page.driver.script(f"{AXE}; window.axe.run().then((found) => {{ document.axeFound = found; }});")
    page.wait("document.axeFound")
    assert (
        page.driver.script("return document.axeFound.violations.map(({ help, nodes }) => [help, nodes[0].html])") == []
    )
