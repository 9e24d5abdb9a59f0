"""An exported folder on a static host: the pages run their networks in the reader's browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from playwright.sync_api import BrowserContext, expect

import gru_core as gru
from app.exports.site import build
from app.settings import Settings
from gru_core import Clamp, Edit
from tests.browser.conftest import watched
from tests.support import contract
from tests.support.lab import WhatIf
from tests.support.networks import deep
from tests.support.start import LETTERS, Start
from tests.support.static_host import static_host

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


def test_a_folder_on_a_static_host_runs_its_networks_and_shares_one_plotly(
    visitor: BrowserContext, tmp_path: Path, console_errors: list[str]
) -> None:
    strong = deep(layers=1, units=32)
    strong = strong.with_parameters({name: 8 * array for name, array in strong.parameters.items()})
    (tmp_path / "models").mkdir()
    strong.save(tmp_path / "models" / "strong.safetensors")
    (tmp_path / "site.toml").write_text(SITE.format("a b c d " * 25))
    list(build(tmp_path / "site", tmp_path / "site.toml", Settings(models=str(tmp_path / "models"))))
    page = visitor.new_page()
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url.partition("?")[0]))
    with static_host(tmp_path / "site") as host, watched(page, host, console_errors):
        page.goto(f"{host}/clamped.html")
        lab = WhatIf(page)
        lab.expect_clamped("flip-flop", "A m m B m", [Clamp("z", 0.0, None, slice(3, 4))])
        # A typed sequence, a new clamp, and a changed weight.
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
        expect(page.locator("#changed")).not_to_contain_text(contract.CHAOTIC)
        # An initial state outside of its range is refused as by a server.
        page.goto(f"{host}/clamped.html?model=flip-flop&sequence=A+m&h0=2")
        expect(lab.error).to_contain_text("from -1 to 1")

        page.goto(f"{host}/strong.html")
        expect(page.locator("#changed")).to_contain_text(contract.CHAOTIC)
        lab.sequence.fill("a b")
        expect(page.locator("#changed")).not_to_contain_text(contract.CHAOTIC)

        start = Start(page).open(f"{host}/gate.html")
        gates: list[tuple[float, float]] = []
        for z in (0.9, 0, 0, 0.8, 0, 0):
            start.z.fill(str(z))
            gates.append((z, 0))
            start.settled(gates)
            start.next.click()
        own = gru.trace(gru.load("flip-flop"), " ".join(LETTERS))
        shown = [float(text) for text in start.cells("own-z").all_inner_texts()]
        np.testing.assert_allclose(shown, own.z[:, 0], atol=0.00501)
        expect(start.end.get_by_role("link")).to_have_count(0)
        pages = {f"{host}/{name}.html" for name in ("clamped", "strong", "gate")}
        assert {url for url in requested if url.startswith("http")} == pages | {f"{host}/plotly.min.js"}
        page.evaluate("localStorage.clear()")
    page.close()
