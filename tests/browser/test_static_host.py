"""An exported folder on a static host: the pages run their networks in the reader's browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect

import gru_core as gru
from app.exports import page as export
from app.exports.site import build
from app.settings import Settings
from gru_core import Clamp, Edit
from tests.support import contract
from tests.support.lab import Lab, WhatIf
from tests.support.networks import deep
from tests.support.start import LETTERS, Start
from tests.support.static_host import static_host
from tests.support.watched import watched

SITE = """
[clamped]
model = "flip-flop"
sequence = "A m m B m"
clamps = "z@4=0"
t = 5
views = "tape,words,whatif,cell,memory,equations"

[gate]
page = "start"

[strong]
model = "strong"
sequence = "{}"
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Export a folder of pages, serve it as a static host does, and yield its address."""
    folder = tmp_path_factory.mktemp("static")
    strong = deep(layers=1, units=32)
    strong = strong.with_parameters({name: 8 * array for name, array in strong.parameters.items()})
    (folder / "models").mkdir()
    strong.save(folder / "models" / "strong.safetensors")
    (folder / "site.toml").write_text(SITE.format("a b c d " * 25))
    list(build(folder / "site", folder / "site.toml", Settings(models=str(folder / "models"))))
    with static_host(folder / "site") as address:
        yield address


@pytest.fixture
def hosted(visitor: BrowserContext, host: str, console_errors: list[str]) -> Iterator[Callable[[str], Page]]:
    """Yield a function that opens a page of the folder. Pages may load only themselves and shared scripts."""
    page = visitor.new_page()
    loaded, opened = set[str](), set[str]()
    shared = {f"{host}/{name}" for name in export.shared_files()}
    page.on("request", lambda request: loaded.add(request.url.partition("?")[0]))

    def open(path: str) -> Page:
        opened.add(f"{host}/{path.partition('?')[0]}")
        page.goto(f"{host}/{path}")
        return page

    with watched(page, host, console_errors):
        yield open
        own = {url for url in loaded if url.startswith("http")}
        assert opened <= own <= opened | shared
        page.evaluate("localStorage.clear()")
    page.close()


def test_a_page_on_a_static_host_runs_its_network(hosted: Callable[[str], Page], host: str) -> None:
    page = hosted("clamped.html")
    lab = WhatIf(page)
    lab.expect_clamped("flip-flop", "A m m B m", [Clamp("z", 0.0, None, slice(3, 4))])
    # The page runs a typed sequence, a new clamp, and a changed weight.
    lab.sequence.fill("A B p p B A . m")
    lab.expect_clamped("flip-flop", "A B p p B A . m", [Clamp("z", 0.0, None, slice(3, 4))])
    lab.button(contract.CLEAR_CLAMPS).click()
    lab.sequence.fill("A m B m")
    lab.expect_trace("flip-flop", "A m B m")
    lab.clamp(value=0.25)
    lab.expect_clamped("flip-flop", "A m B m", [Clamp("z", 0.25, [0], slice(3, 4))])
    lab.button(contract.CLEAR_CLAMPS).click()
    lab.cell.get_by_role("radio", name="One gate").check()
    lab.cell.locator("tbody button").first.click()
    lab.cell.get_by_role("form", name="Weight").get_by_role("spinbutton").fill("3")
    expect(lab.chips).to_have_count(1)
    lab.expect_trace(gru.load("flip-flop").edited([Edit(0, "z", 0, "W", 2, 3.0)]), "A m B m")
    expect(page.locator(".chaotic")).to_be_empty()
    shared = {f"{host}/{name}" for name in export.shared_files()}
    loaded = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert {url.partition("?")[0] for url in loaded if url.startswith("http")} == shared
    # The page refuses an initial state that is out of range, as a server does.
    hosted("clamped.html?model=flip-flop&sequence=A+m&h0=2")
    expect(lab.error).to_contain_text("from -1 to 1")


def test_a_page_on_a_static_host_says_that_a_chaotic_run_differs_elsewhere(hosted: Callable[[str], Page]) -> None:
    page = hosted("strong.html")
    expect(page.locator(".chaotic")).to_contain_text(contract.CHAOTIC)
    expect(page.locator(".chaotic")).to_be_visible()
    Lab(page).sequence.fill("a b")
    expect(page.locator(".chaotic")).to_be_empty()


def test_a_page_without_its_scripts_names_the_file_that_it_needs(visitor: BrowserContext, host: str) -> None:
    page = visitor.new_page()
    page.route("**/lab.js?*", lambda route: route.abort())
    page.goto(f"{host}/clamped.html")
    expect(page.get_by_text("lab.js")).to_be_visible()
    page.close()


def test_be_the_gate_is_played_on_a_static_host(hosted: Callable[[str], Page]) -> None:
    page = hosted("gate.html")
    start = Start(page)
    start.play((0.9, 0, 0, 0.8, 0, 0))
    own = gru.trace(gru.load("flip-flop"), " ".join(LETTERS))
    shown = [float(text) for text in start.cells("own-z").all_inner_texts()]
    np.testing.assert_allclose(shown, own.z[:, 0], atol=0.00501)
    expect(start.end.get_by_role("link")).to_have_count(0)
