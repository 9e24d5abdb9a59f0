"""A sequence that is too long for an address: its link, a reload, Back, a second window, and its files."""

from __future__ import annotations

import io
import re
from urllib.parse import urlsplit

import httpx2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

import gru_core as gru
from app.link import read_address
from tests.support.lab import Lab
from tests.support.networks import network_of

LONG = " ".join(",".join(f"{value:.5f}" for value in row) for row in np.sin(np.arange(4000).reshape(200, 20)))


def expect_run(lab: Lab) -> None:
    """Wait until the tape shows the last state of the run, and assert that all states equal the core's."""
    h = gru.trace(MODEL, LONG).h
    lab.page.wait_for_function(
        """last => document.querySelector(".heatmaps").data?.find(({ name }) => name === "h")
            ?.z.every((row, unit) => Math.abs(row[199] - last[unit]) < 1e-9)""",
        arg=h[-1].tolist(),
    )
    np.testing.assert_allclose(lab.drawn("h")[:200], h, atol=1e-12)


MODEL = network_of("gru", inputs=20, units=3)


@pytest.fixture(scope="module")
def uploaded(base_url: str) -> str:
    """Upload MODEL, and return its id."""
    response = httpx2.post(f"{base_url}/api/models", content=MODEL.to_bytes(), timeout=60).json()
    return str(response["model"]["id"])


def open_file(page: Page, name: str, content: bytes) -> None:
    """Open `content` as a file named `name` in the page's field for sequences of vectors."""
    file = page.get_by_label("File with a sequence of vectors")
    file.set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": content})


def open_long(lab: Lab) -> str:
    """Open a file with LONG, move the cursor to timestep 120, and return the page's new address."""
    open_file(lab.page, "x.csv", LONG.replace(" ", "\n").encode())
    expect_run(lab)
    lab.page.wait_for_function("() => location.hash.startsWith('#more=')")
    lab.step.fill("120")
    lab.page.wait_for_function("() => location.search.includes('t=120')")
    return lab.page.url


def test_files_of_vectors_are_read_and_each_has_its_place_in_the_history(
    page: Page, uploaded: str, console_errors: list[str]
) -> None:
    lab = Lab(page).open(model=uploaded)
    example = page.url
    open_file(page, "x.csv", b"1,2\n")
    expect(lab.error).to_contain_text("x.csv")
    console_errors.clear()  # the refused file
    padded = io.BytesIO()
    np.savez(padded, x=np.ones((6, 20)), lengths=4)
    open_file(page, "x.npz", padded.getvalue())
    excluded = page.get_by_role("region", name="Sequence and examples").get_by_role("status").filter(has_text="2 of 6")
    lab.expect_tokens(["20 numbers"] * 4)
    expect(excluded).to_contain_text("x.npz")
    # The page updates the address and the history shortly after the view.
    page.wait_for_function("() => new URLSearchParams(location.search).get('sequence')?.split(' ').length === 4")
    open_long(lab)
    expect(excluded).to_have_count(0)
    for length in ("4", "8"):
        page.go_back()
        expect(lab.step).to_have_attribute("max", length)
    expect(page).to_have_url(re.compile(re.escape(example.partition("?")[2].partition("&v")[0])))
    page.go_forward()
    expect(lab.step).to_have_attribute("max", "4")
    page.go_forward()
    expect_run(lab)


def test_a_view_that_is_too_long_for_an_address_is_never_dropped(page: Page, uploaded: str) -> None:
    lab = Lab(page).open(model=uploaded)
    address = open_long(lab)
    assert len(urlsplit(address).query) < 500
    assert read_address(address)["sequence"] == LONG

    page.get_by_role("button", name="Inputs as a table").click()
    cells = page.get_by_role("dialog").get_by_role("cell")
    assert cells.all_inner_texts() == LONG.split()[119].split(",")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    lab.sequence.fill(" ".join(LONG.split()[:30]))
    lab.expect_tokens(["20 numbers"] * 30)
    assert page.locator("#tokens li svg path").count() == 30
    page.wait_for_function("() => !location.hash")
    page.go_back()
    expect_run(lab)

    page.reload()
    expect_run(lab)
    expect(lab.step).to_have_value("120")
    assert page.url == address

    second = page.context.new_page()
    second.goto(address)
    expect_run(Lab(second))
    second.get_by_role("button", name="Share").click()
    expect(second.get_by_label("Link", exact=True)).to_have_value(address)
    second.close()

    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="NumPy npz").click()
    arrays = np.load(io.BytesIO(download.value.path().read_bytes()))
    np.testing.assert_array_equal(arrays["layers.0.h"], gru.trace(MODEL, LONG).layers[0].h)

    damaged = address[:-30]
    page.goto("about:blank")
    page.goto(damaged)
    expect(lab.error).to_contain_text("#more=")
