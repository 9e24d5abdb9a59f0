"""A visitor's main tasks in Firefox and WebKitGTK. The tests in tests/browser check the numbers in Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import axe_playwright_python
import pytest

import gru_core as gru
from tests.browsers import webdriver
from tests.browsers.install import FIREFOX, WEBKIT, installed
from tests.support import contract, server

folder, served_models, uploads = server.folder, server.served_models, server.uploads
base_url, exported = server.base_url, server.exported

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
FIND = """
    const [role, name] = arguments;
    const tags = { textbox: "input, textarea", slider: "[type=range]", combobox: "select", button: "button" };
    return [...document.querySelectorAll(tags[role])].find((control) => control.checkVisibility() && name ===
        (control.ariaLabel ?? control.labels?.[0]?.textContent ?? control.textContent).trim());
"""
SEQUENCE = "A m m B m"
END = "\ue010"  # the End key; drivers differ in where the caret is at first


class Page:
    """A page in a browser, with methods that find its controls by role and name."""

    def __init__(self, driver: webdriver.Driver) -> None:
        self.driver = driver

    def open(self, address: str, **keys: str) -> None:
        self.driver.navigate(f"{address}?{urlencode(keys)}")
        self.wait("document.querySelector('.heatmaplayer image')")

    def wait(self, condition: str) -> None:
        """Wait until the JavaScript `condition` is true."""
        try:
            webdriver.until(lambda: self.driver.script(f"return Boolean({condition})"))
        except TimeoutError:
            text = self.driver.script("return document.body.innerText")
            raise AssertionError(f"{condition} was never true; the page: {text}") from None

    def text(self, text: str) -> None:
        """Wait until the page contains `text`."""
        self.wait(f"document.body.innerText.includes({text!r})")

    def find(self, role: str, name: str) -> dict[str, str]:
        """Wait for the control with this role and name, and return its WebDriver element."""
        element: dict[str, str] = webdriver.until(lambda: self.driver.script(FIND, role, name))
        return element

    def press(self, name: str) -> None:
        self.driver.click(self.find("button", name))

    def expect_states(self, sequence: str, model: str = "flip-flop") -> None:
        """Wait until the heatmap of h has the core's states of the first unit."""
        states = gru.trace(gru.load(model), sequence).h[:, 0].tolist()

        def drawn() -> bool:
            rows = self.driver.script(
                "return [...document.querySelector('.heatmaps').data.find((p) => p.name === 'h').z[0]]"
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
def address(request: pytest.FixtureRequest, base_url: str, exported: Callable[..., str]) -> str:
    """Return the address of the server's page, or of an exported page with the run of these tests."""
    return f"{base_url}/" if request.param == "server" else exported(model="flip-flop", sequence=SEQUENCE)


def test_the_step_buttons_and_play_move_the_cursor(page: Page, address: str) -> None:
    page.open(address, model="flip-flop", sequence=SEQUENCE)
    page.expect_states(SEQUENCE)
    page.press("Next timestep")
    page.text("t = 2, unit 1")
    page.press("Play")
    page.text("t = 5, unit 1")
    page.find("button", "Play")


def test_the_table_shows_the_states(page: Page, address: str) -> None:
    page.open(address, model="flip-flop", sequence=SEQUENCE)
    page.press("Table")
    page.wait("document.querySelectorAll('section.table tbody tr').length > 0")
    page.text(f"{gru.trace(gru.load('flip-flop'), SEQUENCE).h[0, 0]:.4f}".replace("-", "−")[:5])


def test_a_typed_sequence_runs(page: Page, base_url: str) -> None:
    page.open(f"{base_url}/", model="flip-flop", sequence=SEQUENCE)
    page.driver.type(page.find("textbox", "Sequence"), END + "A")
    page.expect_states(SEQUENCE + "A")


def test_a_clamp_shows_its_effect_and_can_be_cleared(page: Page, base_url: str) -> None:
    page.open(f"{base_url}/", model="flip-flop", sequence=SEQUENCE, t="4", clamps="z@4=0")
    page.press("What if")
    page.text("first differs at t = 4: A instead of B.")
    page.press(contract.CLEAR_CLAMPS)
    page.expect_states(SEQUENCE)
    page.press(contract.CLAMP)
    page.text("first differs at t = 4")


def test_pictures_and_numbers_can_be_downloaded(page: Page, base_url: str) -> None:
    page.open(f"{base_url}/", model="flip-flop", sequence=SEQUENCE)
    # Record the name of the downloaded file, and open no file dialog.
    page.driver.script(
        "HTMLAnchorElement.prototype.click = function () { document.body.dataset.download = this.download; }"
    )
    page.press("Export")
    for ending in ("PNG", "SVG", "CSV"):
        page.press(ending)
        page.wait(f"document.body.dataset.download?.endsWith('.{ending.lower()}')")


def test_an_embed_runs_its_link(page: Page, base_url: str) -> None:
    page.open(f"{base_url}/embed", model="flip-flop", sequence=SEQUENCE, hide="question,model")
    page.press("Next timestep")
    page.wait("document.querySelector('#step').value === '2'")


def test_the_page_is_accessible(page: Page, address: str) -> None:
    page.open(address, model="flip-flop", sequence=SEQUENCE, views="tape,words,cell,equations,memory,influence,table")
    page.wait("!document.querySelector('.late')")
    page.wait("document.getAnimations().every(({ playState }) => playState === 'finished')")
    page.driver.script(f"{AXE}; window.axe.run().then((result) => {{ document.axeResult = result; }});")
    page.wait("document.axeResult")
    assert (
        page.driver.script("return document.axeResult.violations.map(({ help, nodes }) => [help, nodes[0].html])") == []
    )
