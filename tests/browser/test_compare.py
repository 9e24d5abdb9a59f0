"""The compare page: several networks read one sequence, every number is the core's, and one cursor goes through all."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import gru_core as gru
from app.link import compared_cells
from gru_core import presets
from gru_core.cells.registry import ORDER, USUAL
from gru_core.training.tasks import TASKS
from tests.support import contract
from tests.support.accessible import expect_no_barriers
from tests.support.numbers import adds_up, assert_shown, expected, number_of, plain

CASES = 8  # of each task, in each naming of z: 80 in all

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
    // The equations of other units are asked for.
    for (let i = 0; i < 300 && document.querySelector(".cell svg.late, .equations.late"); i++) await frames();
    const seen = {};
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
        seen[cell] = {
            numbers,
            rounded: relations.filter((sign) => sign.textContent === "≈").map((sign) => sign.dataset.relation),
            drawn: Object.fromEntries(tape.querySelector(".heatmaps").data.filter(({ meta }) => !meta)
                .map(({ name, z }) => [name, z.map((row) => [...row].filter((value) => !Number.isNaN(value)))])),
            outputs: [...tape.querySelectorAll(".outputs:not(.twin) li")].map((li) => li.textContent),
            wrong: [...tape.querySelectorAll(".outputs:not(.twin) li")].map((li) => li.className === "wrong"),
            said: document.querySelector(`.words[data-cell=${cell}] [role=status]`).textContent,
        };
    }
    return seen;
}
"""


def opened(page: Page, **link: str) -> Page:
    page.goto(f"/compare?{urlencode(link)}")
    for cell in compared_cells(link):
        page.wait_for_selector(f"#tape-{cell} .heatmaps .heatmaplayer image")
    return page


@pytest.mark.parametrize("by", ["units", "parameters"])
def test_every_number_is_the_cores_in_both_namings_of_z(page: Page, by: str) -> None:
    for task in presets.TASKS if by == "units" else ("store-and-recall",):
        rng = np.random.default_rng(len(task))
        text = TASKS[task].text(rng, 14)
        opened(page, task=task, by=by, sequence=text, cells=",".join(ORDER))
        models = {cell: gru.load(name) for cell, name in presets.contenders(task, by, ORDER).items()}
        traces = {cell: gru.trace(model, text) for cell, model in models.items()}
        right, asked = TASKS[task].answers(traces["gru"].layers[0].x)
        for flipped in (False, True):
            page.get_by_role("radio", name="keeps" if flipped else "takes").check()
            for _ in range(CASES):
                t = int(rng.integers(14))
                units = {cell: 1 + int(rng.integers(min(16, model.layers[0].units))) for cell, model in models.items()}
                for cell, seen in page.evaluate(READ, [t + 1, units]).items():
                    trace, unit = traces[cell], units[cell] - 1
                    check(cell, trace, seen, t, unit, flipped)
                    labels = trace.model.readout.labels
                    if trace.model.readout.kind == "softmax":
                        assert seen["outputs"] == [labels[k] for k in trace.y.argmax(1)]
                        missed = (trace.y.argmax(1) != right) & asked
                    else:
                        for said, value in zip(seen["outputs"], trace.y[:, 0], strict=True):
                            assert_shown(said, float(value))
                        missed = np.abs(trace.y[:, 0] - right) > 0.1
                    assert seen["wrong"] == missed.tolist()


def check(cell: str, trace: gru.Trace, seen: dict[str, Any], t: int, unit: int, flipped: bool) -> None:
    run = trace.layers[0]
    for name, rows in seen["drawn"].items():
        values = getattr(run, name).T[: len(rows)]
        np.testing.assert_allclose(rows, 1 - values if flipped and name == "z" else values, atol=1e-12)
    slots, figure = expected(run, t, unit, flipped)
    texts = {name.removeprefix("equations "): text for name, text in seen["numbers"].items() if "equations" in name}
    assert {name for name, text in texts.items() if text} == set(slots)
    for name, value in slots.items():
        assert_shown(texts[name], value)
    shown = {name: plain(texts[name]) for name in slots}
    for name, value in adds_up(cell, shown).items():
        digits = len(texts[name].strip("()").partition(".")[2])
        assert (abs(value - shown[name]) > 0.5 * 10**-digits + 1e-9) == (name in seen["rounded"]), name
    for name, text in seen["numbers"].items():
        if name.startswith("cell ") and name != "cell x":
            assert_shown(text, figure[name.removeprefix("cell ")])
    assert f"At t = {t + 1} (input {(trace.tokens or [])[t]})" in seen["said"]
    # At the first timestep there is no cell state to keep.
    gates = {"rnn": (), "lstm": ("f", "i", "o") if t else ("i", "o"), "gru": ("z",), "mingru": ("z",)}[cell]
    for gate in gates:
        assert_shown(seen["said"].split(f"({gate} = ")[1].split(",")[0].split(")")[0], slots[f"{gate}.value"])


def test_typing_reaches_all_three_tapes_and_one_cursor_goes_through_them(page: Page, complaints: list[str]) -> None:
    opened(page, task="flip-flop")
    page.get_by_role("textbox", name="Sequence").fill("B x A y")
    for cell in USUAL:
        outputs = page.locator(f"#tape-{cell} .outputs:not(.twin) li")
        expect(outputs).to_have_text(["B", "B", "A", "A"])
    page.get_by_role("button", name="Last step").click()
    for cell in ("RNN", "LSTM", "GRU"):
        expect(page.get_by_role("status", name=f"Narration of the {cell}")).to_contain_text("At t = 4 (input y)")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("slider", name="Step")).to_have_value("3")
    page.get_by_role("textbox", name="Sequence").fill("B q")
    expect(page.get_by_role("region", name="Sequence and examples").get_by_role("alert")).to_contain_text("Step 2: 'q'")
    for cell in USUAL:  # what was there stays
        expect(page.locator(f"#tape-{cell} .outputs:not(.twin) li")).to_have_count(4)
    while not complaints:  # the console's word for the refusal may come after the page's
        page.wait_for_timeout(20)
    complaints.clear()


def test_a_slide_of_z_moves_both_of_the_grus_parts_and_none_of_the_lstms(page: Page) -> None:
    opened(page, task="flip-flop", sequence="A x x B x", t="4")
    ties = page.get_by_role("region", name="Keep and take")
    before = ties.get_by_role("group", name="LSTM").inner_text()
    ties.get_by_role("slider").fill("0.25")
    expect(ties.get_by_role("group", name="GRU")).to_contain_text("0.75")
    expect(ties.get_by_role("group", name="GRU")).to_contain_text("0.25")
    assert ties.get_by_role("group", name="LSTM").inner_text() == before
    held = gru.trace(gru.load("flip-flop-plain"), "A x x B x", clamps=[gru.Clamp("z", 0.25, [0], slice(3, 4))])
    labels = [held.model.readout.labels[k] for k in held.y.argmax(1)]
    expect(page.locator("#tape-gru .outputs:not(.twin) li")).to_have_text(labels)
    expect(page).to_have_url(re.compile("clamps=z.1@4=0.25"))
    opened(page, **{"task": "flip-flop", "sequence": "A x x B x", "t": "4", "clamps": "z.1@4=0.25"})
    expect(ties.locator(".held")).to_have_text(re.compile(r"\bz\b.* 0\.25 \(t = 4\)$"))
    ties.get_by_role("button", name=contract.CLEAR_CLAMPS).click()
    expect(ties.locator(".held")).to_have_text("")
    free = gru.trace(gru.load("flip-flop-plain"), "A x x B x").z[3, 0]
    expect(ties.get_by_role("group", name="GRU")).to_contain_text(f"{free:.2f}")


@pytest.mark.parametrize("when", ["after", "before"])
def test_the_gradient_flow_is_the_cores(page: Page, when: str) -> None:
    opened(page, task="store-and-recall", t="6", when=when)
    region = page.get_by_role("region", name=contract.GRADIENT_FLOW)
    expect(region).to_have_js_property("className", "cause gradient")
    region.get_by_text("As a table").click()
    rows = region.locator("tbody tr")
    expect(rows).to_have_count(6)
    shown = [[cell.inner_text() for cell in row.locator("td").all()[1:]] for row in rows.all()]
    text = gru.load("store-and-recall-plain").examples[0]
    wanted = []
    for name in presets.contenders("store-and-recall", "units").values():
        trace = gru.trace(gru.load(name + "@0" * (when == "before")), text)
        states = trace.sensitivity(5).states
        wanted += [np.sqrt((states[one] ** 2).sum(1)) for one in trace.layers[0].cell.carried]
    for row, values in zip(shown, np.transpose(wanted), strict=True):
        for said, value in zip(row, values, strict=True):
            assert number_of(said) == pytest.approx(value, rel=0.06, abs=0.0051)


def test_which_cells_are_shown_is_in_the_link_and_comes_back(page: Page) -> None:
    opened(page, task="flip-flop", t="3")
    page.get_by_role("checkbox", name="LSTM").uncheck(force=True)
    expect(page.get_by_role("region", name="Tape of the LSTM")).to_be_hidden()
    expect(page.get_by_role("region", name="Cell of the LSTM")).to_be_hidden()
    expect(page).to_have_url(re.compile("cells=rnn,gru.*t=3"))
    page.reload()
    expect(page.get_by_role("region", name="Tape of the GRU")).to_be_visible()
    expect(page.get_by_role("region", name="Tape of the LSTM")).to_be_hidden()
    page.get_by_role("radio", name="parameters").check(force=True)
    page.wait_for_url(lambda url: "by=parameters" in url)
    expect(page.get_by_role("region", name=contract.COSTS).get_by_role("row", name="RNN")).to_contain_text("2")


def test_a_minimal_gru_is_added_and_left_out_again(page: Page) -> None:
    opened(page, task="flip-flop", t="3", when="before")
    expect(page.locator("#tape-mingru")).to_have_count(0)
    page.get_by_role("checkbox", name="minGRU").check(force=True)
    page.wait_for_url(re.compile("cells=rnn,lstm,gru,mingru.*t=3"))
    page.wait_for_selector("#tape-mingru .heatmaps .heatmaplayer image")
    expect(page.get_by_role("status", name="Narration of the minGRU")).to_contain_text("At t = 3 ")
    expect(page.get_by_role("radio", name="before training")).to_be_checked()
    page.get_by_role("checkbox", name="RNN").uncheck(force=True)
    expect(page).to_have_url(re.compile("cells=lstm,gru,mingru&"))
    page.get_by_role("checkbox", name="minGRU").uncheck(force=True)
    expect(page.get_by_role("region", name="Tape of the minGRU")).to_be_hidden()
    page.get_by_role("checkbox", name="RNN").check(force=True)
    expect(page).not_to_have_url(re.compile("cells="))


def test_costs_are_counted_from_the_shapes_and_times_measured_on_the_server(page: Page) -> None:
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


def test_a_table_opens_from_its_tape_and_the_lab_from_its_cell(page: Page) -> None:
    opened(page, task="flip-flop", sequence="A x B", t="2")
    tape = page.get_by_role("region", name="Tape of the LSTM")
    tape.get_by_role("button", name="Table of cell state").click()
    table = page.get_by_role("region", name="Table of the LSTM", exact=True)
    values = gru.trace(gru.load("flip-flop-lstm"), "A x B").layers[0].c[:, 0]
    texts = [row.locator("td").nth(1).inner_text() for row in table.locator("tbody tr").all()]
    for text, value in zip(texts, values, strict=True):
        assert_shown(text, float(value))
    page.get_by_role("region", name="LSTM", exact=True).get_by_role("link", name="Open in the Lab").click()
    expect(page.get_by_role("status", name="Narration")).to_contain_text("At t = 2 (input x)")
    expect(page.get_by_role("group", name="Forget gate f")).to_be_visible()


def test_it_works_from_disk_without_a_network(page: Page, base_url: str, tmp_path: Any) -> None:
    opened(page, task="running-total", t="4", clamps="z.1@4=0.5")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Export").click()
    file = tmp_path / "compare.html"
    downloading.value.save_as(file)
    page.context.set_offline(True)
    try:
        page.goto(file.as_uri())
        page.wait_for_selector("#tape-gru .heatmaps .heatmaplayer image")
        region = page.get_by_role("region", name=contract.GRADIENT_FLOW)
        for key, t in (("Home", 1), ("End", 10)):
            page.keyboard.press(key)
            expect(page.get_by_role("status", name="Narration of the LSTM")).to_contain_text(f"At t = {t} ")
        expect(region.locator(".says")).to_contain_text(re.compile("t = 10 .*t = 1 .*RNN"))
        page.get_by_role("radio", name="before training").check(force=True)
        expect(region.locator(".says")).to_contain_text(re.compile("before training", re.I))
        expect(page.locator(".ties .held")).to_have_text(re.compile(r"\bz\b.* 0\.50 \(t = 4\)$"))
        page.get_by_role("textbox", name="Sequence").fill("=0.1 0.2")
        alert = page.get_by_role("region", name="Sequence and examples").get_by_role("alert")
        expect(alert).to_contain_text("GRU Scope")  # there is no server here
    finally:
        page.context.set_offline(False)


@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_a_screen_reader_finds_everything_and_nothing_scrolls_sideways(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.goto("/compare?task=sentiment&t=4")
    page.wait_for_selector("#tape-gru .heatmaps .heatmaplayer image")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        expect_no_barriers(page, scheme, colors_alone=scheme == "dark")
    for narrower in (width, width - 70):
        page.set_viewport_size({"width": narrower, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= narrower
    page.set_viewport_size({"width": width, "height": 844})
    if width < 768:  # one tape at a time
        expect(page.get_by_role("region", name="Tape of the RNN")).to_be_hidden()
        page.get_by_role("radio", name="RNN").check(force=True)
        expect(page.get_by_role("region", name="Tape of the RNN")).to_be_visible()
        expect(page.get_by_role("region", name="Tape of the GRU")).to_be_hidden()
    page.emulate_media(color_scheme=None)


def test_a_frame_shows_it_without_what_was_left_out(page: Page) -> None:
    page.goto("/embed/compare?task=flip-flop&sequence=A+x&hide=question,model&theme=dark")
    page.wait_for_selector("#tape-gru .heatmaps .heatmaplayer image")
    expect(page.locator(".intro > :first-child")).to_have_css("position", "absolute")
    expect(page.get_by_role("combobox", name="Task")).to_be_hidden()
    page.get_by_role("textbox", name="Sequence").fill("A x B")
    expect(page.locator("#tape-rnn .outputs:not(.twin) li")).to_have_text(["A", "A", "B"])
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_what_a_link_says_wrongly_is_named(page: Page) -> None:
    page.goto("/compare?task=none&cells=rnn,bird&when=never")
    page.wait_for_selector("#tape-rnn .heatmaps .heatmaplayer image")
    alert = page.get_by_role("region", name="Sequence and examples").get_by_role("alert")
    expect(alert).to_contain_text("task")
    expect(alert).to_contain_text("rnn,lstm,gru,mingru, with commas between them. “when” must be one of after, before.")
