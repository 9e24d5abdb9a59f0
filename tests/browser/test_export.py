"""Exports in the browser: a page that works without a server, pictures, and numbers."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import gru_core as gru
from app.cli import main
from app.exports import page as export
from app.exports.files import as_csv
from app.runs.linked import run_link
from app.settings import Settings
from gru_core import Clamp, Edit
from tests.support import contract
from tests.support.accessible import expect_no_barriers
from tests.support.lab import Lab, Visit, WhatIf

CLAMPED = {
    "model": "flip-flop",
    "sequence": "A m m B m",
    "clamps": "z@4=0",
    "t": "5",
    "views": "tape,words,whatif,cell,memory,influence",
}


def file_of(folder: Path, live_url: str = "", **keys: str) -> str:
    """Write an exported page that contains Plotly, and return its address."""
    file = folder / "page.html"
    file.write_text(export.page(run_link(keys, Settings()), Settings(), live_url), "utf-8")
    return file.as_uri()


def test_the_exported_page_is_one_file_that_shows_the_view_of_its_link(exported_page: Page, tmp_path: Path) -> None:
    requested: list[str] = []
    exported_page.on("request", lambda request: requested.append(request.url))
    text = "not very bad . the film"
    address = file_of(
        tmp_path, model="sentiment", sequence=text, t="3", unit="5", convention="pytorch",
        views="tape,words,cell,table", table="z", zoom="gate", gate="r",
    )  # fmt: skip
    exported_page.goto(address)
    lab = Lab(exported_page)
    lab.expect_trace("sentiment", text, flipped=True)
    expect(lab.heading).to_have_text("t = 3, unit 5 of 8")
    expect(lab.cell.get_by_text("r of unit 5 at t = 3,")).to_be_visible()
    expect(lab.table.get_by_text("Update gate z, timesteps 1 to 6 of 6")).to_be_visible()
    expect(lab.equations).to_be_hidden()
    expect(exported_page).to_have_title("Sentiment · GRU Scope")
    # The address contains the cursor's position and restores it.
    exported_page.keyboard.press("End")
    exported_page.wait_for_url("**t=6**")
    exported_page.reload()
    expect(lab.heading).to_have_text("t = 6, unit 5 of 8")
    lab.expect_trace("sentiment", text, flipped=True)
    assert {url.partition("?")[0] for url in requested if not url.startswith("data:")} == {address}
    # A page without the address of a server has no link to share.
    expect(lab.button("Share")).to_be_hidden()
    lab.button("Random").click()
    expect(lab.error).to_have_text(contract.EXPORTED_MODEL_ALONE)


def test_code_added_to_an_exported_file_cannot_run_or_send_data(
    exported_page: Page, tmp_path: Path, console_errors: list[str]
) -> None:
    """The page refuses scripts, event handlers, javascript: links, frames and requests that are added to its file."""
    requested: list[str] = []
    exported_page.on("request", lambda request: requested.append(request.url))
    file_of(tmp_path, model="flip-flop", sequence="A m B", t="2")
    file = tmp_path / "page.html"
    attack = (
        '<script>document.title = "owned"</script><img src="no" onerror="document.title = \'owned\'">'
        '<iframe src="https://elsewhere.example/"></iframe>'
        "<a href=\"javascript:document.title = 'owned'\">go</a></main>"
    )
    file.write_text(file.read_text("utf-8").replace("</main>", attack, 1), "utf-8")
    exported_page.goto(file.as_uri())
    Lab(exported_page).expect_trace("flip-flop", "A m B")
    exported_page.get_by_role("link", name="go").click()
    fetched = exported_page.evaluate("fetch('https://elsewhere.example/').then(() => 'sent', () => 'refused')")
    assert fetched == "refused"
    assert "owned" not in exported_page.title()
    assert not [url for url in requested if "elsewhere" in url]
    assert console_errors
    console_errors.clear()


@pytest.mark.parametrize(
    "link",
    [
        CLAMPED,
        CLAMPED | {"clamps": "", "weights": "z.1.b=1,h_tilde.1.W2=0.5", "views": "tape,words,whatif,equations,memory"},
        {"model": "after", "sequence": "a b l c d", "t": "4", "unit": "3", "views": "tape,words,cell,influence,table"},
        {"model": "deep", "sequence": "a b c d", "t": "3", "layer": "2", "zoom": "layer", "views": "tape,cell,memory"},
    ],
)  # fmt: skip
def test_the_exported_page_has_the_same_text_and_numbers_as_the_live_page(
    same_page: Page, exported_page: Page, exported: Callable[..., str], link: dict[str, str]
) -> None:
    contents = []
    for lab in (Lab(same_page).follow(**link), Lab(exported_page, exported).open(**link)):
        lab.settled()
        if "whatif" in link["views"]:
            expect(lab.page.get_by_role("status", name="Effect")).not_to_be_empty()
        lab.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        parts = lab.page.locator("#inspector header, [data-part]").filter(visible=True).all_inner_texts()
        contents.append([*sorted(parts), *(lab.drawn(signal).tolist() for signal in ("r", "z", "h_tilde", "h"))])
    assert contents[0] == contents[1]


def test_the_exported_page_runs_its_network_with_new_sequences_clamps_and_weights(
    exported_page: Page, exported: Callable[..., str]
) -> None:
    lab = WhatIf(exported_page, exported).open(**CLAMPED)
    clamp = Clamp("z", 0.0, None, slice(3, 4))
    lab.expect_clamped("flip-flop", "A m m B m", [clamp])
    lab.sequence.fill("A B p p B A . m")
    lab.expect_clamped("flip-flop", "A B p p B A . m", [clamp])
    live = exported_page.get_by_role("link", name="Open in GRU Scope")
    expect(live).to_have_attribute(
        "href", re.compile(r"^http://scope\.example/\?model=flip-flop&sequence=A\+B\+p.*&clamps=z@4=0")
    )
    # The views of the unit also show the new run: its contributions and its equations.
    exported_page.keyboard.press("Escape")
    memory = exported_page.get_by_role("region", name="Memory")
    expect(memory.locator(".says")).not_to_be_empty()
    expect(memory.get_by_role("alert")).to_be_empty()
    lab.button(contract.CLEAR_CLAMPS).click()
    lab.expect_trace("flip-flop", "A B p p B A . m")
    # A changed weight.
    lab.cell.get_by_role("radio", name="One gate").check()
    lab.cell.locator("tbody button").first.click()
    lab.cell.get_by_role("form", name="Weight").get_by_role("spinbutton").fill("3")
    expect(lab.chips).to_have_count(1)
    edited = gru.load("flip-flop").edited([Edit(0, "z", 0, "W", 2, 3.0)])
    lab.expect_trace(edited, "A B p p B A . m")
    # The page refuses a text that the network cannot read, as a server does.
    lab.sequence.fill("A Q")
    expect(lab.error).to_contain_text("Step 2: 'Q' is not in this model's alphabet (A B m p s .)")


def test_a_seed_writes_the_same_text_on_both_pages_on_the_command_line_and_in_python(
    same_page: Page, exported_page: Page, exported: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    model, prompt = gru.load("name-writer"), "finnish vi"
    writings = {seed: gru.write(model, prompt, 12, 0.8, np.random.default_rng(seed)) for seed in (3, 4, 5)}
    for seed, writing in writings.items():
        options = ["--steps", "12", "--temperature", "0.8", "--seed", str(seed)]
        assert main(["write", "name-writer", prompt, *options]) == 0
        assert capsys.readouterr().out == f"{writing.text}\n"
    keys = {"model": "name-writer", "sequence": prompt, "write": "12", "temperature": "0.8", "seed": "3"}
    for lab in (Lab(same_page).follow(**keys), Lab(exported_page, exported).open(**keys)):
        seed_field = lab.page.get_by_role("form", name="What the network writes").get_by_label("Seed")
        for seed, writing in writings.items():
            seed_field.fill(str(seed))
            letters = [*writing.written, *"." * writing.ended]
            expect(lab.page.locator(".tokens:not(.others) li.written")).to_have_text(letters)
            # The bars of the first written letter show the probabilities from Python, and the drawn letter is marked.
            y = writing.trace.y[writing.given - 1]
            drawn = lab.page.locator(".outputs:not(.twin) li").nth(writing.given - 1).locator(".drawn")
            expect(drawn).to_have_text(letters[0])
            share = y[model.readout.labels.index(letters[0])]
            expect(drawn).to_have_attribute("style", f"--value: {share:.3f};")
    assert len({writing.text for writing in writings.values()}) == 3


def test_gradients_scores_and_other_models_need_a_server(exported_page: Page, exported: Callable[..., str]) -> None:
    lab = WhatIf(exported_page, exported).open(**CLAMPED)
    clamp = Clamp("z", 0.0, None, slice(3, 4))
    lab.expect_clamped("flip-flop", "A m m B m", [clamp])
    lab.panel.get_by_role("button", name=contract.SCORE).click()
    expect(lab.panel.get_by_role("status", name="Score")).to_have_text(contract.EXPORTED_MODEL_LIVE)
    lab.sequence.fill("A m m B m p")
    influence = exported_page.get_by_role("region", name="Influence")
    expect(influence.get_by_role("alert")).to_have_text(contract.EXPORTED_MODEL_LIVE)
    lab.model.select_option("sentiment")
    expect(lab.error).to_have_text(contract.EXPORTED_MODEL_LIVE)
    expect(lab.model).to_have_value("flip-flop")


def test_the_theme_and_the_convention_change_without_a_server(
    exported_page: Page, exported: Callable[..., str]
) -> None:
    exported_page.emulate_media(color_scheme="light")
    lab = Lab(exported_page, exported).open(model="flip-flop", sequence="A m B")
    body = exported_page.locator("body")
    expect(body).to_have_css("background-color", "rgb(253, 252, 249)")
    lab.button("Theme").click()
    expect(body).to_have_css("background-color", "rgb(22, 25, 30)")
    exported_page.get_by_role("radio", name="keeps").check()
    lab.expect_trace("flip-flop", "A m B", flipped=True)
    exported_page.wait_for_url("**convention=pytorch**")
    exported_page.go_back()
    lab.expect_trace("flip-flop", "A m B")
    exported_page.emulate_media(color_scheme=None)


def test_an_exported_page_is_accessible(exported_page: Page, exported: Callable[..., str]) -> None:
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")

    def check(state: str) -> None:
        for scheme in schemes:
            exported_page.emulate_media(color_scheme=scheme)
            exported_page.evaluate("() => Promise.all(document.getAnimations().map((animation) => animation.finished))")
            expect_no_barriers(exported_page, f"{scheme}, {state}", colors_alone=scheme == "dark")

    lab = WhatIf(exported_page, exported).open(**CLAMPED)
    lab.clamp("reset gate r")
    lab.sequence.fill("A Q")
    expect(lab.error).to_contain_text("'Q' is not in this model's alphabet")
    check("all that it says")
    lab.button("Export").click()
    check("Export")
    exported_page.keyboard.press("Escape")
    exported_page.emulate_media(color_scheme=None)


EXPORTED = CLAMPED | {"model": "store-and-recall", "sequence": "A b c ? d", "clamps": "z.2@3=0", "unit": "2"}


class Export:
    """The Export dialog of a Lab page."""

    def __init__(self, lab: Lab) -> None:
        lab.settled()  # the dialog lists only pictures that are drawn
        lab.button("Export").click()
        self.dialog = lab.page.get_by_role("dialog", name="Export")
        self.page = lab.page

    def download(self, name: str) -> tuple[str, bytes]:
        """Press the button `name` and return the name and the content of the file that the page creates."""
        with self.page.expect_download() as download:
            self.dialog.get_by_role("button", name=name, exact=True).click()
            # This check is inside the block, so a failure reports its reason.
            expect(self.dialog.get_by_role("status")).not_to_be_empty()
        expect(self.dialog.get_by_role("status")).to_contain_text(download.value.suggested_filename)
        return download.value.suggested_filename, Path(download.value.path()).read_bytes()

    def printed(self) -> bytes:
        """Press “PDF” and return the PDF file that a visitor would save from the print dialog."""
        title = self.page.title()
        self.page.evaluate("() => { globalThis.asked = new Promise((done) => (globalThis.print = done)); }")
        self.dialog.get_by_role("button", name="PDF").click()
        self.page.evaluate("asked")
        assert self.page.title().startswith("gruscope-")
        pdf = self.page.pdf(prefer_css_page_size=True)
        assert self.page.title() == title
        return pdf


def test_the_chart_of_a_forecast_and_a_confusion_matrix_are_pictures_too(same_page: Page) -> None:
    lab = Lab(same_page).follow(model="sunspots", sequence="9.6 33 92.6 151.6 136.3 134.7")
    expect(same_page.locator(".plotted .scatterlayer .trace")).to_have_count(5)
    for name, opened, words in (
        ("line chart", False, ["linear autoregression of order 9", "timestep", "Sunspots"]),
        ("confusion matrix", True, ["Swedish", "88", "Names"]),
    ):
        if opened:
            lab.follow(model="names", sequence="j o n e s")
            same_page.locator("#summary").click()
            expect(same_page.locator(".matrix .heatmaplayer")).to_have_count(1)
        export = Export(lab)
        export.dialog.get_by_label("Picture of").select_option(label=name)
        expect(export.dialog.get_by_text("Caption:")).to_contain_text(name, ignore_case=True)
        svg = export.download("SVG")[1].decode()
        assert all(word in svg for word in words)
        same_page.keyboard.press("Escape")
    same_page.locator("#summary").click()


def test_the_curve_on_the_card_of_a_model_is_a_picture_too(same_page: Page) -> None:
    lab = Lab(same_page).follow(model="reversed-words", sequence="b a c > C A B")
    same_page.locator("#summary").click()
    expect(same_page.get_by_role("heading", name="Words without an error")).to_be_visible()
    export = Export(lab)
    export.dialog.get_by_label("Picture of").select_option(label="Share of words without an error")
    expect(export.dialog.get_by_text("Caption:")).to_contain_text("9 letters")
    svg = export.download("SVG")[1].decode()
    assert all(f">{letters}</text>" in svg for letters in range(2, 10))
    same_page.keyboard.press("Escape")
    same_page.locator("#summary").click()


def test_pictures_are_downloaded_as_svg_and_png(visit: Visit) -> None:
    export = Export(visit(Lab).open(**EXPORTED))
    dialog, page = export.dialog, export.page
    options = dialog.get_by_label("Picture of").locator("option")
    expect(options).to_have_count(8)
    for name, words in (
        ("signals", ["Store and recall: A b c ? d", "reset gate", "take candidate", "step t and input"]),
        ("z", ["update gate", "1 take candidate", "0.00"]),
        ("ledger", ["Memory of Store and recall, unit 2", "state at timestep"]),
        ("cell", ["Store and recall, unit 2 at t = 5 (d)", "tanh", "Wx"]),
        ("influence", ["Influence: Store and recall, unit 2 at t = 5 (d)", "∂y/∂x"]),
    ):
        dialog.get_by_label("Picture of").select_option(name)
        place = "unit 2 at t = 5 (d)" if name in ("cell", "influence") else "A b c ? d"
        expect(dialog.get_by_text("Caption:")).to_contain_text(place)
        file, svg = export.download("SVG")
        assert file == f"gruscope-store-and-recall-{name}.svg"
        drawn = page.evaluate(
            """async (text) => {
                const svg = new DOMParser().parseFromString(text, "image/svg+xml");
                const image = new Image();
                image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
                await image.decode();
                return { words: svg.documentElement.textContent, width: image.naturalWidth };
            }""",
            svg.decode(),
        )
        assert all(word in drawn["words"] for word in words), drawn["words"]
        assert b"var(" not in svg
        file, png = export.download("PNG")
        assert png.startswith(b"\x89PNG")
        width = int.from_bytes(png[16:20], "big")
        assert width == pytest.approx(2 * drawn["width"], abs=2)
        if name in ("signals", "cell"):
            pdf = export.printed()
            assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
            box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ", pdf)
            assert box
            assert float(box[1]) == pytest.approx(0.75 * drawn["width"], abs=1)  # a point is 4/3 pixels
            assert b"/Type /Font" in pdf  # the text is text, not a picture of text


def test_numbers_are_downloaded_as_csv_and_in_other_formats(visit: Visit) -> None:
    lab = visit(Lab).open(**EXPORTED)
    export = Export(lab)
    dialog, page = export.dialog, export.page
    name, numbers = export.download("CSV")
    assert name == "gruscope-store-and-recall.csv"
    head, *lines = csv.reader(io.StringIO(numbers.decode()))
    model = gru.load("store-and-recall")
    clamped, original = gru.twin(model, "A b c ? d", clamps=[Clamp("z", 0.0, [1], slice(2, 3))])
    assert [line[1] for line in lines] == clamped.tokens
    columns = dict(zip(head[2:], np.array([line[2:] for line in lines], float).T, strict=True))
    for unit in range(4):
        for signal in ("r", "z", "h_tilde", "h"):
            np.testing.assert_array_equal(columns[f"{signal}.{unit + 1}"], getattr(clamped, signal)[:, unit])
            np.testing.assert_array_equal(columns[f"twin.{signal}.{unit + 1}"], getattr(original, signal)[:, unit])
    for k, label in enumerate(model.readout.labels):
        np.testing.assert_array_equal(columns[f"y.{label}"], clamped.y[:, k])
    # The columns equal the columns of the server's file.
    first_line = next(as_csv(run_link(EXPORTED, Settings()).trace))
    assert numbers.partition(b"\n")[0] == first_line.partition(b"\n")[0]
    if lab.exported:
        expect(dialog.get_by_role("link")).to_have_count(0)
        expect(dialog).to_contain_text("already exported")
        expect(dialog).to_contain_text("need a server")
        return
    for name, ending in (("HTML", "html"), ("JSON", "json"), ("NumPy npz", "npz")):
        with page.expect_download() as download:
            dialog.get_by_role("link", name=name).click()
        assert download.value.suggested_filename == f"gruscope-store-and-recall.{ending}"
        assert Path(download.value.path()).stat().st_size > 1000
