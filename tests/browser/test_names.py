"""Surnames on the page: a picture of all twelve probabilities at every letter, and the numbers at the cursor."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from playwright.sync_api import Page, expect

import gru_core as gru
from tests.support.lab import Lab

SHADES = """
(list) => [...list.children].map((item) => {
    const picture = item.querySelector("i").style.getPropertyValue("--picture");
    return [...picture.matchAll(/var\\(--ink\\) (\\d+)%/g)].map((match) => Number(match[1]));
})
"""


def test_all_lists_are_a_picture_over_the_letters(page: Page, console_errors: list[str]) -> None:
    Lab(page).open(model="names", sequence="Bošnjaković", t="11")
    model = gru.load("names")
    y = gru.trace(model, "bosnjakovic").y
    answers = page.get_by_role("list", name="Answers", exact=True)
    expect(answers.locator("span")).to_have_text(list(model.readout.labels))
    expect(answers.locator(".best span")).to_have_text(model.readout.labels[y[-1].argmax()])
    expect(answers.locator("b")).to_have_text([f"{p:.2f}" for p in y[-1]])
    np.testing.assert_allclose(np.array(answers.evaluate(SHADES)), 100 * y.T, atol=0.51)
    page.get_by_role("button", name="Random").click()
    expect(page.get_by_role("textbox", name="Sequence")).not_to_have_value("Bošnjaković")


def written(page: Page) -> str:
    """Return the symbols that the network wrote on the tape, joined into a string."""
    return "".join(page.locator(".tokens:not(.others) li.written").all_text_contents())


def test_the_name_writer_writes_on_and_a_clamp_writes_beside_it(page: Page, console_errors: list[str]) -> None:
    model = gru.load("name-writer")

    def by_python(seed: int, **options: Any) -> str:
        writing = gru.write(model, "finnish vi", 12, 0.8, np.random.default_rng(seed), **options)
        return "".join(writing.written) + "." * writing.ended

    lab = Lab(page).open(model="name-writer", sequence="finnish vi", t="2")
    page.get_by_role("button", name="Write on").click()
    form = page.get_by_role("form", name="What the network writes")
    expect(form.get_by_label("Timesteps")).to_be_focused()
    expect(page.get_by_label("Sequence", exact=True)).to_have_value("finnish vi")
    for seed in (0, 1):
        expect(page).to_have_url(re.compile(r"&write=12&temperature=0.8" + ("&seed=1" if seed else "&")))
        assert written(page) == by_python(seed)
        drawn = page.locator(".outputs .drawn").all_text_contents()
        assert "".join(drawn) == by_python(seed)
        form.get_by_role("button", name="Again").click()
    form.get_by_label("Seed").fill("3")
    expect(page).to_have_url(re.compile("&seed=3"))

    lab.open(
        model="name-writer", sequence="finnish vi", write="12", temperature="0.8", seed="3", clamps="z@3-5=0.2", t="6"
    )
    expect(page.get_by_role("list", name="Input of the original run")).to_be_visible()
    clamp = gru.Clamp("z", 0.2, steps=slice(2, 5))
    assert written(page) == by_python(3, clamps=[clamp])
    assert "".join(page.locator(".others li.written").all_text_contents()) == by_python(3)
    status = form.get_by_role("status")
    for text in (by_python(3, clamps=[clamp]), by_python(3)):
        expect(status).to_contain_text(text.removesuffix("."))
    form.get_by_role("button", name="Remove what the network wrote").click()
    expect(page.locator(".tokens:not(.others) li")).to_have_text(["finnish", "v", "i"])
    expect(page.get_by_role("button", name="Write on")).to_be_focused()
    lab.open(model="names")
    expect(page.get_by_role("button", name="Write on")).to_be_hidden()
    top = page.locator(".outputs:not(.twin) li").first.locator("span")
    y = gru.trace(gru.load("names"), gru.load("names").examples[0]).y[0]
    expect(top).to_have_text([gru.load("names").readout.labels[k] for k in np.argsort(-y)[:3]])
