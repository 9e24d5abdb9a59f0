"""The Compare page: several networks read one sequence, with the core's numbers and a shared cursor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

import gru_core as gru
from app.link import compared_cells
from gru_core import presets
from gru_core.cells.registry import ORDER, USUAL
from gru_core.training.toys import TASKS
from tests.support import contract
from tests.support.accessible import expect_accessible_at_every_width
from tests.support.labels import press
from tests.support.numbers import adds_up, assert_shown, expected, number_of, plain

CASES = 8  # per task and convention of z; 80 in total

READ = """
async ([t, units]) => {
    const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const slider = document.querySelector("#step");
    slider.value = t;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await frames();
    for (const [cell, unit] of Object.entries(units)) {
        const tape = document.querySelector(`#tape-${cell}`);
        const plot = tape.querySelector(".signal .plot");
        const { y, height } = plot.getBoundingClientRect();
        const { x, width } = tape.querySelector(".cursor").getBoundingClientRect();
        const clientY = y + ((unit - 0.5) / tape.style.getPropertyValue("--units")) * height;
        plot.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true, clientX: x + width / 2, clientY }));
    }
    await frames();
    await frames(); // figures out of sight are drawn after the next paint
    // The equations of other units need a request.
    for (let i = 0; i < 300 && document.querySelector(".cell svg.late, .equations.late"); i++) await frames();
    const shown = {};
    for (const cell of Object.keys(units)) {
        const tape = document.querySelector(`#tape-${cell}`);
        const part = document.querySelector(`.contender[data-cell=${cell}]`);
        const numbers = {};
        for (const place of ["cell", "equations"])
            for (const slot of part.querySelectorAll(`.${place} [data-slot]`)) {
                const sign = part.querySelector(`.${place} [data-plus="${slot.dataset.slot}"]`)?.textContent;
                numbers[`${place} ${slot.dataset.slot}`] = (sign ?? "").replace("+", "") + slot.textContent;
            }
        const relations = [...part.querySelectorAll("[data-relation]")];
        shown[cell] = {
            numbers,
            rounded: relations.filter((sign) => sign.textContent === "≈").map((sign) => sign.dataset.relation),
            drawn: Object.fromEntries(tape.querySelector(".heatmaps").data
                .map(({ name, z }) => [name, z.map((row) => [...row].filter((value) => !Number.isNaN(value)))])),
            outputs: [...tape.querySelectorAll(".outputs:not(.twin) li")].map((li) => li.textContent),
            wrong: [...tape.querySelectorAll(".outputs:not(.twin) li")].map((li) => li.className === "wrong"),
            narration: document.querySelector(`.words[data-cell=${cell}] [role=status]`).textContent,
        };
    }
    return shown;
}
"""


def opened(page: Page, **link: str) -> Page:
    """Open the Compare page with the keys in `link` and wait for its heatmaps."""
    page.goto(f"/compare?{urlencode(link)}")
    for cell in compared_cells(link):
        page.wait_for_selector(f"#tape-{cell} .heatmaps .heatmaplayer image")
    return page


@pytest.mark.parametrize("by", ["units", "parameters"])
def test_every_number_equals_the_core_in_both_conventions_of_z(page: Page, by: str) -> None:
    for task in presets.TASKS if by == "units" else ("store-and-recall",):
        rng = np.random.default_rng(len(task))
        sequence = TASKS[task].text(rng, 14)
        opened(page, task=task, by=by, sequence=sequence, cells=",".join(ORDER))
        models = {cell: gru.load(name) for cell, name in presets.contenders(task, by, ORDER).items()}
        traces = {cell: gru.trace(model, sequence) for cell, model in models.items()}
        targets, scored = TASKS[task].answers(traces["gru"].layers[0].x)
        for flipped in (False, True):
            page.get_by_role("radio", name="keeps" if flipped else "takes").check()
            for _ in range(CASES):
                t = int(rng.integers(14))
                units = {cell: 1 + int(rng.integers(min(16, model.layers[0].units))) for cell, model in models.items()}
                for cell, shown in page.evaluate(READ, [t + 1, units]).items():
                    trace, unit = traces[cell], units[cell] - 1
                    check(cell, trace, shown, t, unit, flipped)
                    labels = trace.model.readout.labels
                    if trace.model.readout.kind == "softmax":
                        assert shown["outputs"] == [labels[k] for k in trace.y.argmax(1)]
                        missed = (trace.y.argmax(1) != targets) & scored
                    else:
                        for text, value in zip(shown["outputs"], trace.y[:, 0], strict=True):
                            assert_shown(text, float(value))
                        missed = np.abs(trace.y[:, 0] - targets) > 0.1
                    assert shown["wrong"] == missed.tolist()


def check(cell: str, trace: gru.Trace, shown: dict[str, Any], t: int, unit: int, flipped: bool) -> None:
    """Assert that the page's numbers of a cell, at one timestep and unit, equal the core's."""
    run = trace.layers[0]
    for name, rows in shown["drawn"].items():
        values = getattr(run, name).T[: len(rows)]
        np.testing.assert_allclose(rows, 1 - values if flipped and name == "z" else values, atol=1e-12)
    slots, figure = expected(run, t, unit, flipped)
    texts = {name.removeprefix("equations "): text for name, text in shown["numbers"].items() if "equations" in name}
    assert {name for name, text in texts.items() if text} == set(slots)
    for name, value in slots.items():
        assert_shown(texts[name], value)
    printed = {name: plain(texts[name]) for name in slots}
    for name, value in adds_up(cell, printed).items():
        digits = len(texts[name].strip("()").partition(".")[2])
        assert (abs(value - printed[name]) > 0.5 * 10**-digits + 1e-9) == (name in shown["rounded"]), name
    for name, text in shown["numbers"].items():
        if name.startswith("cell ") and name != "cell x":
            assert_shown(text, figure[name.removeprefix("cell ")])
    assert f"At t = {t + 1} (input {(trace.tokens or [])[t]})" in shown["narration"]
    # At the first timestep there is no cell state to keep.
    gates = {"rnn": (), "lstm": ("f", "i", "o") if t else ("i", "o"), "gru": ("z",), "mingru": ("z",)}[cell]
    for gate in gates:
        number = re.search(rf"\b{gate} = (−?[\d.]*\d)", shown["narration"])
        assert number
        assert_shown(number[1], slots[f"{gate}.value"])


def test_a_typed_sequence_runs_in_all_three_cells_with_one_cursor(page: Page, console_errors: list[str]) -> None:
    opened(page, task="flip-flop", t="1")
    runs: list[str] = []
    page.on("request", lambda request: runs.append(request.url) if "/api/trace" in request.url else None)
    page.get_by_role("textbox", name="Sequence").fill("B m A p")
    for cell in USUAL:
        outputs = page.locator(f"#tape-{cell} .outputs:not(.twin) li")
        expect(outputs).to_have_text(["B", "B", "A", "A"])
    assert [url.rpartition("/")[2] for url in runs] == ["traces"]  # all runs in one request
    page.get_by_role("button", name="Last timestep").click()
    for cell in ("RNN", "LSTM", "GRU"):
        expect(page.get_by_role("status", name=f"Narration of the {cell}")).to_contain_text("At t = 4 (input p)")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("slider", name="Timestep")).to_have_value("3")
    page.get_by_role("textbox", name="Sequence").fill("B q")
    expect(page.get_by_role("region", name="Sequence and examples").get_by_role("alert")).to_contain_text("Step 2: 'q'")
    for cell in USUAL:  # the last valid run stays
        expect(page.locator(f"#tape-{cell} .outputs:not(.twin) li")).to_have_count(4)
    while len(console_errors) < 1 + len(USUAL):  # Chromium may log the status 422 after the page shows it
        page.wait_for_timeout(20)
    console_errors.clear()


def test_the_slider_of_z_changes_both_parts_of_the_gru_but_not_the_lstm(page: Page) -> None:
    opened(page, task="flip-flop", sequence="A m m B m", t="4")
    ties = page.get_by_role("region", name="Keep and take")
    before = ties.get_by_role("group", name="LSTM").inner_text()
    ties.get_by_role("slider").fill("0.25")
    expect(ties.get_by_role("group", name="GRU")).to_contain_text("0.75")
    expect(ties.get_by_role("group", name="GRU")).to_contain_text("0.25")
    assert ties.get_by_role("group", name="LSTM").inner_text() == before
    clamped = gru.trace(gru.load("flip-flop-plain"), "A m m B m", clamps=[gru.Clamp("z", 0.25, [0], slice(3, 4))])
    labels = [clamped.model.readout.labels[k] for k in clamped.y.argmax(1)]
    expect(page.locator("#tape-gru .outputs:not(.twin) li")).to_have_text(labels)
    expect(page).to_have_url(re.compile("clamps=z.1@4=0.25"))
    opened(page, **{"task": "flip-flop", "sequence": "A m m B m", "t": "4", "clamps": "z.1@4=0.25"})
    expect(ties.locator(".held")).to_have_text(re.compile(r"\bz\b.* 0\.25 \(t = 4\)$"))
    ties.get_by_role("button", name=contract.CLEAR_CLAMPS).click()
    expect(ties.locator(".held")).to_have_text("")
    original = gru.trace(gru.load("flip-flop-plain"), "A m m B m").z[3, 0]
    expect(ties.get_by_role("group", name="GRU")).to_contain_text(f"{original:.2f}")


def test_the_page_opens_on_a_finding(page: Page) -> None:
    """Without keys in its address, the page shows a run in which only the LSTM and the GRU still remember a number."""
    opened(page)
    sequence = page.get_by_role("textbox", name="Sequence").input_value()
    correct, states = {}, {}
    for cell, name in presets.contenders("pocket-calculator", "units").items():
        trace = gru.trace(gru.load(name), sequence)
        correct[cell] = abs(trace.y[-1, 0] - 0.4) <= 0.1
        states[cell] = list(trace.sensitivity(-1).states.values())[-1][0, 0]
    assert correct == {"rnn": False, "lstm": True, "gru": True}
    assert min(states["lstm"], states["gru"]) > 3 * states["rnn"]
    finding = page.get_by_role("status", name="Finding")
    expect(finding).to_have_text(re.compile(r"0\.40.* LSTM \(.*GRU \(.* correct\..* RNN \(.* wrong\.$"))
    factors = [states[cell] for cell in correct]
    says = page.get_by_role("region", name=contract.STATE_GRADIENT).locator(".says")
    expect(says).to_have_text(re.compile(r".* {:.2f} .*RNN, {:.2f} .*LSTM .*{:.2f} .*GRU\.".format(*factors)))
    for cell, name in presets.contenders("pocket-calculator", "units").items():
        expect(page.locator(f".contender[data-cell={cell}] > h2")).to_contain_text(gru.load(name).card.title)


@pytest.mark.parametrize("when", ["after", "before"])
def test_the_gradient_from_state_to_state_equals_the_core(page: Page, when: str) -> None:
    opened(page, task="store-and-recall", t="6", when=when)
    region = page.get_by_role("region", name=contract.STATE_GRADIENT)
    expect(region).to_have_js_property("className", "cause gradient")
    region.get_by_text("As a table").click()
    rows = region.locator("tbody tr")
    expect(rows).to_have_count(6)
    texts = [[cell.inner_text() for cell in row.locator("td").all()[1:]] for row in rows.all()]
    text = gru.load("store-and-recall-plain").examples[0]
    expected = []
    for name in presets.contenders("store-and-recall", "units").values():
        trace = gru.trace(gru.load(name + "@0" * (when == "before")), text)
        states = trace.sensitivity(5).states
        expected += [np.sqrt((states[state] ** 2).mean(1)) for state in reversed(trace.layers[0].cell.carried)]
    for row, values in zip(texts, np.transpose(expected), strict=True):
        for printed, value in zip(row, values, strict=True):
            assert number_of(printed) == pytest.approx(value, rel=0.06, abs=0.0051)


def test_the_link_contains_the_shown_cells(page: Page) -> None:
    opened(page, task="flip-flop", t="3")
    press(page.get_by_role("checkbox", name="LSTM"))
    expect(page.get_by_role("region", name="Tape of the LSTM")).to_be_hidden()
    expect(page.get_by_role("region", name="Cell of the LSTM")).to_be_hidden()
    expect(page).to_have_url(re.compile("cells=rnn,gru.*t=3"))
    page.reload()
    expect(page.get_by_role("region", name="Tape of the GRU")).to_be_visible()
    expect(page.get_by_role("region", name="Tape of the LSTM")).to_be_hidden()
    press(page.get_by_role("radio", name="parameters"))
    page.wait_for_url(lambda url: "by=parameters" in url)
    expect(page.get_by_role("region", name=contract.COSTS).get_by_role("row", name="RNN")).to_contain_text("2")


def test_a_minimal_gru_can_be_added_and_removed(page: Page) -> None:
    opened(page, task="flip-flop", t="3", when="before")
    expect(page.locator("#tape-mingru")).to_have_count(0)
    press(page.get_by_role("checkbox", name="minGRU"))
    page.wait_for_url(re.compile("cells=rnn,lstm,gru,mingru.*t=3"))
    page.wait_for_selector("#tape-mingru .heatmaps .heatmaplayer image")
    expect(page.get_by_role("status", name="Narration of the minGRU")).to_contain_text("At t = 3 ")
    expect(page.get_by_role("radio", name="before training")).to_be_checked()
    press(page.get_by_role("checkbox", name="RNN"))
    expect(page).to_have_url(re.compile("cells=lstm,gru,mingru&"))
    press(page.get_by_role("checkbox", name="minGRU"))
    expect(page.get_by_role("region", name="Tape of the minGRU")).to_be_hidden()
    press(page.get_by_role("checkbox", name="RNN"))
    expect(page).not_to_have_url(re.compile("cells="))


def test_costs_are_counted_from_shapes_and_times_are_measured_on_the_server(page: Page) -> None:
    opened(page, task="sentiment")
    costs = page.get_by_role("region", name=contract.COSTS)
    for cell, name in presets.contenders("sentiment", "units").items():
        layer = gru.load(name).layers[0]
        G, H, I = len(layer.gates), layer.units, layer.inputs
        row = costs.locator(f"tr[data-model={name}] td")
        carried = H * (2 if cell == "lstm" else 1)
        counts = [H, G * H * (I + H + 1), layer.multiply_adds, carried]
        assert row.all_inner_texts()[:4] == [f"{count:,}" for count in counts]
    costs.get_by_role("button", name="Measure the times").click()
    for name in presets.contenders("sentiment", "units").values():
        expect(costs.locator(f"tr[data-model={name}] .step")).to_contain_text("µs")
        expect(costs.locator(f"tr[data-model={name}] .training")).to_contain_text("ms")
    expect(costs.get_by_role("status")).to_contain_text("32 sequences of 100 timesteps")


def test_a_table_opens_from_the_tape_and_the_lab_from_the_cell(page: Page) -> None:
    opened(page, task="flip-flop", sequence="A m B", t="2")
    tape = page.get_by_role("region", name="Tape of the LSTM")
    tape.get_by_role("button", name="Table of cell state").click()
    table = page.get_by_role("region", name="Table of the LSTM", exact=True)
    values = gru.trace(gru.load("flip-flop-lstm"), "A m B").layers[0].c[:, 0]
    texts = [row.locator("td").nth(1).inner_text() for row in table.locator("tbody tr").all()]
    for text, value in zip(texts, values, strict=True):
        assert_shown(text, float(value))
    page.get_by_role("region", name="LSTM", exact=True).get_by_role("link", name="Open in the Lab").click()
    expect(page.get_by_role("status", name="Narration")).to_contain_text("At t = 2 (input m)")
    expect(page.get_by_role("group", name="Forget gate f")).to_be_visible()


def test_pictures_of_the_comparison_and_the_page_itself_can_be_exported(page: Page) -> None:
    opened(page, task="running-total", t="4", clamps="z.1@4=0.5")
    page.get_by_role("button", name="Export").click()
    dialog = page.get_by_role("dialog", name="Export")
    pictures = dialog.get_by_label("Picture of")
    expect(pictures.locator("option")).to_have_text(
        [
            *(f"all signals of the {cell}" for cell in ("RNN", "LSTM", "GRU")),
            re.compile("^Gradient of the state at the cursor"),
            *(f"Cell of the {cell}" for cell in ("RNN", "LSTM", "GRU")),
        ]
    )
    pictures.select_option("Cell of the GRU")
    expect(dialog.get_by_text("Caption:")).to_contain_text(re.compile("Running total: .*, t = 4. Cell of the GRU."))
    with page.expect_download() as downloading:
        dialog.get_by_role("button", name="SVG").click()
    assert downloading.value.suggested_filename == "gruscope-compare-cell-of-the-gru.svg"
    assert ">0.50<" in downloading.value.path().read_text()
    with page.expect_download() as downloading:
        dialog.get_by_role("link", name="HTML").click()
    assert 'id="record"' in downloading.value.path().read_text()


@pytest.fixture(scope="module")
def exported_file(base_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Export the comparison for the running total, with the GRU's z clamped at t = 4. Return the file's address."""
    file = tmp_path_factory.mktemp("exported") / "compare.html"
    response = httpx2.get(f"{base_url}/api/export/compare.html?task=running-total&t=4&clamps=z.1@4=0.5", timeout=120)
    file.write_bytes(response.raise_for_status().content)
    return file.as_uri()


@pytest.fixture
def offline_page(page: Page, exported_file: str) -> Iterator[Page]:
    """Yield the exported comparison in a browser without a network."""
    page.context.set_offline(True)
    page.goto(exported_file)
    page.wait_for_selector("#tape-gru .heatmaps .heatmaplayer image")
    yield page
    page.context.set_offline(False)


def test_the_exported_comparison_shows_its_recorded_runs_without_a_network(offline_page: Page) -> None:
    region = offline_page.get_by_role("region", name=contract.STATE_GRADIENT)
    for key, t in (("Home", 1), ("End", 10)):
        offline_page.keyboard.press(key)
        expect(offline_page.get_by_role("status", name="Narration of the LSTM")).to_contain_text(f"At t = {t} ")
    expect(region.locator(".says")).to_contain_text(re.compile("t = 1 .*t = 10 .*RNN"))
    press(offline_page.get_by_role("radio", name="before training"))
    expect(region.locator(".says")).to_contain_text(re.compile("before training", re.I))
    expect(offline_page.locator(".ties .held")).to_have_text(re.compile(r"\bz\b.* 0\.50 \(t = 4\)$"))


def test_the_exported_comparison_runs_its_networks_and_says_which_are_chaotic(offline_page: Page) -> None:
    text = "=0.1 0.2 0.3 0.1 0.2"
    offline_page.get_by_role("textbox", name="Sequence").fill(text)
    clamp = gru.Clamp("z", 0.5, 0, slice(3, 4))
    for name, clamps in (("running-total-rnn", []), ("running-total-lstm", []), ("running-total", [clamp])):
        model = gru.load(name)
        y = gru.trace(model, text, clamps=clamps).y
        outputs = offline_page.locator(f"#tape-{model.layers[0].name} .outputs:not(.twin) li")
        expect(outputs).to_have_text([f"{value:.2f}" for value in y.ravel()])
    region = offline_page.get_by_role("region", name=contract.STATE_GRADIENT)  # gradients need a server
    expect(region.get_by_role("alert")).to_contain_text("GRU Scope")
    expect(region.locator(".says")).to_be_hidden()
    # The panel of a chaotic cell says that it is chaotic. No cell is chaotic here, so the test lowers the limit.
    expect(offline_page.get_by_text(contract.CHAOTIC)).to_have_count(0)
    offline_page.evaluate("document.querySelector('#record').engine.CHAOTIC = 0")
    offline_page.get_by_role("textbox", name="Sequence").fill("=0.1 0.2 0.3 0.4")
    expect(offline_page.get_by_text(contract.CHAOTIC)).to_have_count(3)
    narration = offline_page.get_by_role("status", name="Narration of the GRU").bounding_box()
    note = offline_page.locator(".of-gru .chaotic").bounding_box()
    assert narration is not None
    assert note is not None
    assert note["y"] >= narration["y"] + narration["height"]


def test_the_exported_comparison_keeps_its_sequence_if_another_task_or_size_is_chosen(
    offline_page: Page,
) -> None:
    for choose in (
        lambda: offline_page.get_by_role("combobox", name="Task").select_option("names"),
        lambda: press(offline_page.get_by_role("radio", name="parameters")),
    ):
        offline_page.get_by_role("textbox", name="Sequence").fill("=0.1 0.2 0.3 0.5")
        expect(offline_page.locator("#error")).to_be_empty()
        choose()
        expect(offline_page.locator("#error")).to_contain_text(contract.EXPORTED_MODEL)
        expect(offline_page.get_by_role("combobox", name="Task")).to_have_value("running-total")
        expect(offline_page.get_by_role("radio", name="units")).to_be_checked()
        expect(offline_page.get_by_role("textbox", name="Sequence")).to_have_value("=0.1 0.2 0.3 0.5")


def test_compare_is_accessible_and_never_scrolls_sideways(page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 844})
    page.goto("/compare?task=sentiment&t=4")
    page.wait_for_selector("#tape-gru .heatmaps .heatmaplayer image")
    expect_accessible_at_every_width(page)
    # A phone shows only one tape at a time.
    expect(page.get_by_role("region", name="Tape of the RNN")).to_be_hidden()
    press(page.get_by_role("radio", name="RNN"))
    expect(page.get_by_role("region", name="Tape of the RNN")).to_be_visible()
    expect(page.get_by_role("region", name="Tape of the GRU")).to_be_hidden()


def test_an_embedded_comparison_hides_the_parts_of_its_link(page: Page) -> None:
    page.goto("/embed/compare?task=flip-flop&sequence=A+m&hide=question,model&theme=dark")
    page.wait_for_selector("#tape-gru .heatmaps .heatmaplayer image")
    expect(page.locator(".intro > :first-child")).to_have_css("position", "absolute")
    expect(page.get_by_role("combobox", name="Task")).to_be_hidden()
    page.get_by_role("textbox", name="Sequence").fill("A m B")
    expect(page.locator("#tape-rnn .outputs:not(.twin) li")).to_have_text(["A", "A", "B"])
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_bad_key_of_a_compare_link_is_reported(page: Page) -> None:
    page.goto("/compare?task=none&cells=rnn,bird&when=never")
    page.wait_for_selector("#tape-rnn .heatmaps .heatmaplayer image")
    alert = page.get_by_role("region", name="Sequence and examples").get_by_role("alert")
    expect(alert).to_contain_text("task")
    expect(alert).to_contain_text("rnn,lstm,gru,mingru, with commas between them. “when” must be one of after, before.")
