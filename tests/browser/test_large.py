"""A network with two layers of 512 units in the Lab: first rows, exact numbers, search, overview and exported file."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

import gru_core as gru
from gru_core import Model
from tests.support.lab import Lab, number
from tests.support.networks import deep

TEXT = " ".join(np.random.default_rng(0).choice(list("abcdefgh"), 200))


@pytest.fixture(scope="module")
def wide() -> Model:
    model = deep(layers=2, units=512)
    return model.with_parameters({name: 2 * array for name, array in model.parameters.items()}).astype(np.float32)


@pytest.fixture(scope="module")
def trace(wide: Model) -> gru.Trace:
    return gru.trace(wide, TEXT)


@pytest.fixture(scope="module")
def uploaded(base_url: str, wide: Model) -> str:
    """Upload `wide` and return its id."""
    response = httpx2.post(f"{base_url}/api/models", content=wide.to_bytes(), timeout=60)
    return str(response.json()["model"]["id"])


def assert_rows(lab: Lab, layer: gru.Forward, units: np.ndarray) -> None:
    lab.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    for signal in ("r", "z", "h_tilde", "h"):
        shown = lab.drawn(signal)[: len(layer.h)]
        np.testing.assert_allclose(shown, getattr(layer, signal)[:, units], atol=1e-6)


def assert_in_cell(lab: Lab, t: int, value: float) -> None:
    """Assert that the cell shows h = `value` with two decimals. `t` is only for the error message."""
    lab.settled()
    assert number(lab.cell.locator("[data-slot=h]").text_content()) == pytest.approx(value, abs=0.00501), t


def test_512_units_open_with_those_that_changed_most_and_every_unit_has_its_numbers(
    page: Page, uploaded: str, trace: gru.Trace
) -> None:
    top = trace.layers[-1]
    most = np.argsort(-top.moved, kind="stable")
    lab = Lab(page).open(model=uploaded, sequence=TEXT)
    expect(lab.heading).to_have_text(re.compile(f"unit {most[0] + 1} of 512"))
    assert_rows(lab, top, most[:16])
    page.keyboard.press("ArrowRight")
    expect(lab.heading).to_have_text(re.compile("^t = *2,"))
    assert_in_cell(lab, 2, top.h[1, most[0]])
    search = page.get_by_role("spinbutton", name="Go to unit")
    search.fill("300")
    search.press("Enter")
    expect(lab.heading).to_contain_text("unit 300 of 512")
    assert_in_cell(lab, 2, top.h[1, 299])
    page.get_by_role("combobox", name="Units").select_option("mean.z")
    assert_rows(lab, top, np.argsort(-top.z.mean(0), kind="stable")[:16])
    overview = page.get_by_role("img", name="Hidden state of all 512 units")
    area = overview.bounding_box()
    assert area is not None
    overview.click(position={"x": 5, "y": area["height"] - 2})
    expect(page.get_by_role("slider", name="First unit shown")).to_have_value(re.compile(r"^4[5-9]\d$"))
    page.get_by_role("button", name="Export").click()
    expect(page.locator("[data-size='page.html']")).to_have_text(re.compile(r"about \d\.\d MB"))
    page.get_by_label("Picture of").select_option(label="Hidden state of all 512 units")
    with page.expect_download() as download:
        page.get_by_role("button", name="SVG", exact=True).click()
    assert b"data:image/png" in Path(download.value.path()).read_bytes()
    page.keyboard.press("Escape")

    # The next run starts from the last state of all units, which is too long for a query.
    page.get_by_role("button", name="Initial state").click()
    page.get_by_role("button", name="Take the last state").click()
    page.wait_for_function("() => location.hash.startsWith('#more=')")
    page.reload()
    box = page.get_by_role("textbox", name="Initial state")
    expect(box).not_to_have_value("")
    states = [list(map(float, layer.split(","))) for layer in box.input_value().split(";")]
    np.testing.assert_allclose(states, trace.last, rtol=0, atol=1e-6)


def test_the_file_of_a_large_run_shows_its_rows_and_the_units_that_changed_most(
    exported_page: Page, base_url: str, uploaded: str, trace: gru.Trace, tmp_path: Path
) -> None:
    response = httpx2.get(f"{base_url}/api/export/page.html", params={"model": uploaded, "sequence": TEXT}, timeout=60)
    assert len(response.content) <= 10e6
    file = tmp_path / "large.html"
    file.write_bytes(response.content)
    exported_page.goto(file.as_uri())
    lab, top = Lab(exported_page), trace.layers[-1]
    most = np.argsort(-top.moved, kind="stable")
    expect(lab.heading).to_have_text(re.compile(f"unit {most[0] + 1} of 512"))
    exported_page.wait_for_selector(".heatmaplayer image")
    assert_rows(lab, top, most[:16])
    assert_in_cell(lab, 1, top.h[0, most[0]])
