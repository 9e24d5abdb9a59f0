"""Docs with figures: sites built by Sphinx, MkDocs, Zensical and MyST. They need no server and no network."""

from __future__ import annotations

import base64
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import markdown
import numpy as np
import pytest
from playwright.sync_api import FrameLocator, Page, expect

import gru_core as gru
from app.embed import sphinx
from app.exports.page import shared_files
from tests.support import sites
from tests.support.lab import GROUPS, number
from tests.support.myst import myst_book
from tests.support.networks import deep

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""A PNG image of one pixel."""


SHIFTS = """
globalThis.moved = 0;
new PerformanceObserver((list) => {
    for (const { sources } of list.getEntries())
        for (const { previousRect, currentRect } of sources)
            moved = Math.max(moved, Math.abs(currentRect.y - previousRect.y));
}).observe({ type: "layout-shift", buffered: true });
"""
"""A script that measures the largest vertical layout shift of any part of the page, in pixels."""


@pytest.fixture
def reader(page: Page) -> Callable[[Path, str], None]:
    """Return a function that opens a page of a site under the server's address. A request to another host fails."""

    def open_page(folder: Path, path: str) -> None:
        def respond(route: Any) -> None:
            file = folder / route.request.url.partition("/site/")[2].partition("?")[0].partition("#")[0]
            file = file / "index.html" if file.is_dir() else file
            route.fulfill(path=file) if file.is_file() else route.fulfill(status=404)

        page.route("**/site/**", respond)
        page.add_init_script(SHIFTS)
        page.goto(f"/site/{path}")

    return open_page


def expect_living_figure(page: Page, t: str) -> None:
    """Assert that the first figure has pictures, reserves its height from the start, and runs a typed sequence."""
    figure = page.locator("gru-scope").first
    frame = figure.locator("iframe").content_frame
    expect(frame.get_by_role("heading", level=2).first).to_contain_text(f"t = {t}")
    expect(frame.locator(".heatmaplayer image").first).to_be_attached()
    needed = int(frame.locator("html").evaluate("root => root.offsetHeight"))
    assert needed <= figure.evaluate("figure => figure.offsetHeight") < needed + 60
    frame.get_by_role("textbox", name="Sequence", exact=True).fill("B m m A B")
    expect(frame.get_by_role("list", name="Answers")).to_be_attached()
    page.wait_for_function("() => document.querySelector('gru-scope').link.includes('B+m+m+A+B')")
    assert "did not load" not in figure.inner_text()
    # The figure has reserved enough space from the start: the text below has moved by at most a few lines.
    assert page.evaluate("moved") <= 60
    assert page.locator("script[src*='gruscope.js']").count() == 1


def expect_numbers(frame: FrameLocator, trace: gru.Trace) -> None:
    """Assert that the tape shows the states of a run: a row of numbers for each unit."""
    shown = frame.get_by_role("group", name=GROUPS["h"], exact=True).locator(".values span")
    expect(shown).to_have_count(trace.h.size)
    printed = [number(text) for text in shown.all_inner_texts()]
    np.testing.assert_allclose(printed, trace.h.T.ravel(), atol=0.0051)


def test_a_site_of_sphinx_has_living_figures(page: Page, reader: Callable[[Path, str], None], tmp_path: Path) -> None:
    site = sites.sphinx_site(tmp_path)
    reader(site, "index.html")
    expect_living_figure(page, "4")
    expect(page.locator("gru-scope")).to_have_count(2)
    assert "gruscope" not in (site / "part" / "plain.html").read_text()
    files = {file.name for file in (site / "_static" / "gruscope").iterdir()}
    assert {name for name in files if not name.endswith(".html")} == {"gruscope.js", *shared_files()}
    assert len([name for name in files if name.endswith(".html")]) == 2


def test_a_site_of_sphinx_shows_the_model_in_a_file_next_to_the_page(
    page: Page, reader: Callable[[Path, str], None], tmp_path: Path
) -> None:
    model = deep(layers=1, units=3)
    (tmp_path / "source" / "part").mkdir(parents=True)
    model.save(tmp_path / "source" / "part" / "mine.safetensors")
    site = sites.sphinx_site(tmp_path, plain=".. gruscope:: mine.safetensors\n   :sequence: a b c d\n   :t: 3")
    reader(site, "part/plain.html")
    expect_numbers(page.locator("gru-scope iframe").content_frame, gru.trace(model, "a b c d"))


def test_a_figure_without_its_script_says_where_it_is(
    page: Page, reader: Callable[[Path, str], None], tmp_path: Path, console_errors: list[str]
) -> None:
    block = ".. gruscope:: flip-flop\n   :views: tape"
    site = sites.sphinx_site(tmp_path, plain=block)
    (site / "_static" / "gruscope" / "gruscope.js").unlink()
    for path in ("index.html", "part/plain.html"):
        reader(site, path)
        figure = page.locator("gru-scope").first
        expect(figure).to_contain_text("script gruscope.js did not load")
        height = int(figure.get_attribute("height") or 0)
        assert figure.evaluate("figure => figure.offsetHeight") == height
        figure.get_by_role("link").click()
        expect(page.get_by_role("textbox", name="Sequence", exact=True)).to_be_visible()
    console_errors.clear()
    html = markdown.markdown(sites.BLOCK, extensions=["app.embed.markdown"], extension_configs=config(tmp_path))
    file = html.partition('file="')[2].partition('"')[0]
    assert f"The figure is the page {file} in the folder of this script." in html


def test_other_formats_of_sphinx_have_the_picture_and_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawing the picture needs another browser, so the test uses a stub picture."""
    monkeypatch.setattr(sphinx, "as_picture", lambda *_: PNG)
    latex = (sites.sphinx_site(tmp_path, "latex") / "asite.tex").read_text()
    assert latex.count("\\sphinxincludegraphics") == 2
    assert "0.89" in latex
    assert "gru-scope" not in latex
    assert r"\(\tilde{h}\) of unit 1" in latex
    assert not any(unicodedata.combining(character) for character in latex)  # pdflatex supports no combining characters
    (book,) = sites.sphinx_site(tmp_path, "epub").glob("*.epub")
    with zipfile.ZipFile(book) as archive:
        pages = [archive.read(name).decode() for name in archive.namelist() if name.endswith(".xhtml")]
        assert len([name for name in archive.namelist() if name.startswith("_images/")]) == 2
    assert sum("0.89" in page for page in pages) == 1
    assert not any("gru-scope" in page for page in pages)
    (table,) = (page for page in pages if "0.89" in page)
    assert "h̃ of unit 1" in table
    assert "h̃ of unit 1" in (sites.sphinx_site(tmp_path, "text") / "index.txt").read_text()


@pytest.mark.parametrize("build", [sites.mkdocs_site, sites.zensical_site])
def test_a_site_of_markdown_has_a_living_figure_in_its_own_theme(
    page: Page,
    reader: Callable[[Path, str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    build: Callable[[Path], Path],
) -> None:
    monkeypatch.chdir(tmp_path)  # the folder of the figures is relative to the working directory
    reader(build(tmp_path), "index.html")
    # With instant navigation, the script must work on the figure's page without loading again.
    page.get_by_role("link", name="The figure").first.click()
    expect_living_figure(page, "4")
    expect(page.locator("gru-scope")).to_have_count(1)
    root = page.locator("gru-scope iframe").content_frame.locator("html")
    expect(root).to_have_attribute("data-theme", "light")
    page.locator("label[for=__palette_1]").click()
    expect(root).to_have_attribute("data-theme", "dark")


def test_a_site_of_myst_has_a_living_figure_that_follows_the_switch_of_its_theme(
    page: Page, reader: Callable[[Path, str], None], tmp_path: Path
) -> None:
    reader(sites.myst_site(tmp_path), "index.html")
    expect_living_figure(page, "4")
    root = page.locator("gru-scope iframe").content_frame.locator("html")
    for theme in ("dark", "light"):  # the theme starts as the system's: light
        page.locator(".theme-toggle:visible").first.click()
        expect(page.locator("body")).to_have_attribute("data-theme", theme)
        expect(root).to_have_attribute("data-theme", theme)


def test_a_book_of_mystmd_has_a_living_figure_that_follows_the_class_of_its_theme(
    page: Page, reader: Callable[[Path, str], None], tmp_path: Path
) -> None:
    reader(myst_book(tmp_path), "index.html")
    frame = page.locator("gru-scope iframe").content_frame
    heading = frame.get_by_role("heading", level=2).first
    expect(heading).to_contain_text("t = 4")
    expect(frame.locator("html")).to_have_attribute("data-theme", "light")
    page.get_by_role("button", name="Dark").click()
    expect(frame.locator("html")).to_have_attribute("data-theme", "dark")
    frame.get_by_role("textbox", name="Sequence", exact=True).fill("B m m A B")
    expect(frame.get_by_role("list", name="Answers")).to_be_attached()
    frame.get_by_role("slider", name="Timestep").press("ArrowRight")
    expect(heading).to_contain_text("t = 5")


def test_the_block_in_markdown_has_the_options_of_the_directive(tmp_path: Path) -> None:
    text = f"- item\n\n    {sites.BLOCK.replace(chr(10), chr(10) + '    ')}\n\n````\n{sites.BLOCK}\n````\n"
    html = markdown.markdown(text, extensions=["fenced_code", "app.embed.markdown"], extension_configs=config(tmp_path))
    assert html.count("<gru-scope file=") == 1
    assert "{gruscope} flip-flop" in html
    live = "```{gruscope} sentiment\n:live: https://scope.example\n:sequence: not good\n:height: 500\n```"
    html = markdown.markdown(live, extensions=["app.embed.markdown"], extension_configs=config(tmp_path))
    assert (
        'src="https://scope.example/embed?model=sentiment&amp;sequence=not+good&amp;hide=question,model,share"' in html
    )
    assert 'height="500"' in html


def test_a_block_in_markdown_shows_the_model_in_a_file_and_new_weights_have_a_new_page(tmp_path: Path) -> None:
    model, pages = deep(layers=1, units=3), []
    block = "```{gruscope} nets/mine.safetensors\n:sequence: a b c d\n```"
    (tmp_path / "docs" / "nets").mkdir(parents=True)
    for scale in (1, 1, 2):
        trained = model.with_parameters({name: scale * a for name, a in model.parameters.items()})
        trained.save(tmp_path / "docs" / "nets" / "mine.safetensors")
        html = markdown.markdown(block, extensions=["app.embed.markdown"], extension_configs=config(tmp_path))
        assert gru.trace(trained, "a b c d")._repr_html_() in html
        pages.append(html.partition('file="')[2].partition('"')[0])
        assert (tmp_path / "docs" / "gruscope" / pages[-1]).is_file()
    assert pages[0] == pages[1] != pages[2]


@pytest.mark.parametrize(
    "block",
    [
        "flip-flop\n:q: 1",
        "nobody",
        "flip-flop\n:t: 99",
        "flip-flop\nt: 4",
        "flip-flop\n:live: javascript:1",
        "mine.safetensors\n:live: https://scope.example",
        "missing.pt",
        "broken.pt",
    ],
)
def test_a_block_that_is_not_valid_raises_an_error(tmp_path: Path, block: str) -> None:
    (tmp_path / "docs").mkdir()
    gru.load("flip-flop").save(tmp_path / "docs" / "mine.safetensors")
    (tmp_path / "docs" / "broken.pt").write_bytes(b"no network")
    with pytest.raises(ValueError, match="gruscope: "):
        markdown.markdown(
            f"```{{gruscope}} {block}\n```", extensions=["app.embed.markdown"], extension_configs=config(tmp_path)
        )


def config(folder: Path) -> dict[str, dict[str, str]]:
    """Return the settings of the Markdown extension: the folder for the figures."""
    return {"app.embed.markdown": {"folder": str(folder / "docs" / "gruscope")}}
