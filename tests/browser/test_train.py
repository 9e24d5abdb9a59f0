"""The Train page: checkpoints with the core's numbers, and watching, branching, linking and exporting trainings."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

import gru_core as gru
from app.recipes import RecipeBody, read_recipes
from gru_core.training.checkpoints import Training, shipped, train
from gru_core.training.table import read
from tests.support import contract
from tests.support.accessible import expect_accessible_at_every_width
from tests.support.labels import press
from tests.support.numbers import assert_shown, number_of
from tests.support.tables import own_table

READ = """
async ([cell, place]) => {
    const slider = document.querySelector(".curves input");
    if (place !== null) {
        slider.value = place;
        slider.dispatchEvent(new Event("input", { bubbles: true }));
    }
    // The cells' pictures are drawn in turn, a frame each.
    for (let frame = 0; frame < 6; frame++) await new Promise((done) => requestAnimationFrame(done));
    const tape = document.querySelector(`#tape-${cell}`);
    return {
        step: tape.querySelector(".at-step").textContent,
        drawn: Object.fromEntries(tape.querySelector(".heatmaps").data
            .map(({ name, z }) => [name, z.map((row) => [...row].filter((value) => !Number.isNaN(value)))])),
        outputs: [...tape.querySelectorAll(".outputs:not(.twin) li")].map((li) => li.textContent),
        before: [...tape.querySelectorAll(".twin li")].map((li) => li.textContent),
        wrong: [...tape.querySelectorAll(".outputs:not(.twin) li")].map((li) => li.className === "wrong"),
    };
}
"""


def opened(page: Page, **link: str) -> Page:
    """Open the Train page with the keys in `link` and wait for its heatmaps."""
    page.goto(f"/train?{urlencode(link)}")
    page.wait_for_selector(".heatmaps .heatmaplayer image")
    return page


def arrived(page: Page, checkpoints: int) -> Page:
    """Wait until `checkpoints` checkpoints and their tapes have arrived, and return the page."""
    expect(page.get_by_role("slider", name="Checkpoint")).to_have_attribute("max", str(checkpoints - 1))
    expect(
        page.locator(".tape .twin").last
    ).to_be_visible()  # the second tape arrives together with the checkpoints' tapes
    return page


def button(page: Page, name: str) -> Any:
    """Return the button `name` in the training's controls."""
    return page.get_by_role("region", name="Training").get_by_role("button", name=name, exact=True)


def check(page: Page, cell: str, training: Training, place: int, text: str) -> None:
    """Assert that the page's numbers at a checkpoint equal the core's."""
    step = training.steps[place]
    trace, first = gru.trace(training.model(step), text), gru.trace(training.model(0), text)
    page.wait_for_function(
        "([cell, step]) => document.querySelector(`#tape-${cell} .at-step`).textContent.endsWith(` ${step}`)",
        arg=[cell, f"{step:,}"],
    )
    shown = page.evaluate(READ, [cell, None])
    for name, rows in shown["drawn"].items():
        np.testing.assert_allclose(rows, getattr(trace, name).T, atol=1e-6)
    if trace.model.readout.kind == "softmax":
        labels = trace.model.readout.labels
        assert shown["outputs"] == [labels[k] for k in trace.y.argmax(1)]
        if place:
            assert shown["before"] == [labels[k] for k in first.y.argmax(1)]
    else:
        for text_, value in zip(shown["outputs"], trace.y[:, 0], strict=True):
            assert_shown(text_, float(value))


@pytest.mark.parametrize("task", gru.presets.TASKS)
def test_every_checkpoint_shows_the_numbers_of_the_core(page: Page, task: str) -> None:
    training, rng = shipped(task), np.random.default_rng(len(task))
    text = gru.load(task).examples[1]
    arrived(opened(page, task=task, sequence=text), len(training.steps))
    check(page, "gru", training, len(training.steps) - 1, text)
    for place in (0, *rng.integers(1, len(training.steps), 6)):
        page.evaluate(READ, ["gru", int(place)])
        check(page, "gru", training, int(place), text)
        report = training.checkpoints[int(place)].report
        expect(
            page.get_by_role("region", name=contract.RESULTS).get_by_role("row").nth(1).locator("td").nth(1)
        ).to_have_text(f"{next(iter(report['gates'].values())):.2f}")
        sentence = page.get_by_role("region", name=contract.GRADIENT_FLOW).locator(".says").inner_text()
        shown = number_of(sentence.split(" is ")[1].split(". Before")[0])
        assert shown == pytest.approx(report["lags"][-1], rel=0.06, abs=0.0051)


def test_a_training_equals_the_core_and_its_link_shows_it_again(page: Page) -> None:
    arrived(opened(page, task="flip-flop"), len(shipped("flip-flop").steps))
    page.get_by_text("Recipe", exact=True).click()
    form = page.get_by_role("form", name="Recipe")
    for name, value in (("Units", "2"), ("Seed", "4"), ("Training steps after the target", "30")):
        form.get_by_role("spinbutton", name=name, exact=True).fill(value)
    form.get_by_role("button", name=contract.START_TRAINING).click()
    page.wait_for_url(re.compile("seed=4"))
    recipes = read_recipes({key: value[0] for key, value in parse_qs(urlsplit(page.url).query).items()})
    training = Training(recipes[0], list(train(recipes[0])))
    assert (recipes[0].units, recipes[0].seed, recipes[0].schedule.after) == (2, 4, 30)
    arrived(page, len(training.steps))
    page.keyboard.press("Shift+End")
    text = gru.load("flip-flop").examples[0]
    check(page, "gru", training, len(training.steps) - 1, text)
    link = page.url
    second = page.context.new_page()
    second.goto(link)
    second.wait_for_selector(".heatmaps .heatmaplayer image")
    arrived(second, len(training.steps))
    check(second, "gru", training, len(training.steps) - 1, text)
    second.close()
    lab = page.get_by_role("link", name="Open this checkpoint in the Lab")
    lab.click()
    expect(page.get_by_role("status", name="Narration")).to_contain_text("At t = 1 (input A)")
    expect(page.get_by_text(f"training step {training.steps[-1]}").first).to_be_attached()


def test_a_training_can_be_watched_paused_and_rewound(page: Page) -> None:
    arrived(opened(page, task="running-total"), len(shipped("running-total").steps))
    slider = page.get_by_role("slider", name="Checkpoint")
    page.get_by_role("combobox", name="Speed of training").select_option("fast")
    button(page, "Watch training").click()  # at the end, the button restarts from the beginning
    page.wait_for_function("() => Number(document.querySelector('.curves input').value) > 20")
    button(page, "Pause").click()
    expect(button(page, "Watch training")).to_be_visible()
    at = int(slider.input_value())
    page.keyboard.press("Shift+ArrowRight")
    expect(slider).to_have_value(str(at + 1))
    page.keyboard.press("Shift+ArrowLeft")
    expect(slider).to_have_value(str(at))
    page.keyboard.press("ArrowRight")  # moves the cursor in the sequence
    expect(page.get_by_role("slider", name="Timestep", exact=True)).to_have_value("2")
    page.keyboard.press("Shift+Home")
    expect(slider).to_have_value("0")
    check(page, "gru", shipped("running-total"), 0, gru.load("running-total").examples[0])
    page.keyboard.press("Shift+End")
    expect(slider).to_have_value(str(len(shipped("running-total").steps) - 1))
    page.keyboard.press("Shift+Space")
    expect(button(page, "Pause")).to_be_visible()
    page.keyboard.press("Shift+Space")
    expect(button(page, "Watch training")).to_be_visible()


def test_milestones_and_the_picture_lead_to_their_checkpoints(page: Page) -> None:
    training = shipped("store-and-recall")
    arrived(opened(page, task="store-and-recall"), len(training.steps))
    milestones = [(c.report["step"], sentence) for c in training.checkpoints for sentence in c.report["sentences"]]
    buttons = page.get_by_role("region", name=contract.MILESTONES).get_by_role("button")
    expect(buttons).to_have_text([sentence for _, sentence in milestones])
    step, sentence = next((step, sentence) for step, sentence in milestones if step == 78)
    buttons.get_by_text(sentence).click()
    clock = page.locator(".course .clock")
    expect(clock).to_have_text(f"training step {step} of 750")
    expect(page.get_by_role("status", name="Training")).to_contain_text(sentence)
    canvas = page.get_by_role("img", name="z update gate of unit 1")
    box = canvas.bounding_box()
    assert box is not None
    canvas.click(position={"x": box["width"] * 2.5 / 15, "y": box["height"] * 50.5 / len(training.steps)})
    expect(clock).to_have_text(f"training step {training.steps[50]} of 750")
    expect(page.get_by_role("slider", name="Timestep", exact=True)).to_have_value("3")


def test_a_branch_with_another_learning_rate_is_compared_with_its_run(page: Page) -> None:
    training = shipped("flip-flop")
    arrived(opened(page, task="flip-flop"), len(training.steps))
    page.get_by_role("spinbutton", name="Learning rate of the branch").fill("0.1")
    button(page, contract.COMPARE_RUN).click()
    expect(page.locator("#training-error")).to_have_text(re.compile("earlier checkpoint"))
    page.evaluate(READ, ["gru", 60])
    button(page, contract.COMPARE_RUN).click()
    page.wait_for_url(re.compile(f"changes={training.steps[60]}:0.1"))
    recipe = read_recipes({key: value[0] for key, value in parse_qs(urlsplit(page.url).query).items()})[0]
    branch = Training(recipe, list(train(recipe)))
    arrived(page, len(branch.steps))
    page.keyboard.press("Shift+End")
    check(page, "gru", branch, len(branch.steps) - 1, gru.load("flip-flop").examples[0])
    page.evaluate(READ, ["gru", 61])
    check(page, "gru", branch, 61, gru.load("flip-flop").examples[0])
    sentences = [sentence for checkpoint in branch.checkpoints for sentence in checkpoint.report["sentences"]]
    expect(page.get_by_role("region", name=contract.MILESTONES).get_by_role("button")).to_have_text(sentences)
    assert len(page.locator("svg.loss .twin").get_attribute("d") or "") > 1000


LONG = {"task": "sentiment", "units": "32", "T": "100", "most": "6000", "reach": "2"}
"""The settings of a training that takes longer than any test."""


def test_only_its_visitor_can_stop_a_training(page: Page) -> None:
    opened(page, **LONG, seed="4711")
    expect(button(page, "Stop")).to_be_visible()
    recipe = {"task": "sentiment", "units": 32, "T": 100, "most": 6000, "reach": 2, "seed": 4711}
    id = page.request.post("/api/trainings?token=stranger", data=recipe).json()["id"]
    assert page.request.delete(f"/api/trainings/{id}?token=stranger").json()["state"] in ("waiting", "running")
    opened(page, **LONG, seed="4711")  # the same visitor
    button(page, "Stop").click()
    expect(button(page, "Stop")).to_be_hidden()
    assert page.request.get(f"/api/trainings/{id}").json()["state"] == "stopped"


def test_stop_ends_a_training_whose_start_arrives_later(page: Page) -> None:
    starts: list[Route] = []
    page.route(re.compile(r"/api/trainings\?"), lambda route: starts.append(route))
    with page.expect_request(re.compile(r"/api/trainings\?")):
        opened(page, **LONG, seed="4712")
    button(page, "Stop").click()
    while not starts:
        page.wait_for_timeout(10)
    id = page.request.post("/api/trainings?token=stranger", data=starts[0].request.post_data_json).json()["id"]
    page.request.delete(f"/api/trainings/{id}?token=stranger")
    starts[0].continue_()
    expect(button(page, "Stop")).to_be_hidden()
    assert page.request.get(f"/api/trainings/{id}").json()["state"] == "stopped"


def test_all_checkpoints_run_a_typed_sequence_and_errors_are_shown(page: Page, console_errors: list[str]) -> None:
    training = shipped("flip-flop")
    arrived(opened(page, task="flip-flop", step="74"), len(training.steps))
    expect(page.locator(".course .clock")).to_have_text("training step 74 of 750")
    box = page.get_by_role("textbox", name="Sequence")
    box.fill("B m A")
    expect(page.locator("#tape-gru .outputs:not(.twin) li")).to_have_count(3)
    check(page, "gru", training, training.steps.index(74), "B m A")
    box.fill("B q")
    alert = page.get_by_role("region", name="Sequence and examples").get_by_role("alert")
    expect(alert).to_contain_text("Step 2: 'q'")
    expect(page.locator("#tape-gru .outputs:not(.twin) li")).to_have_count(3)
    box.fill("B B m")
    expect(alert).to_have_text("")
    expect(page.locator("#tape-gru .outputs:not(.twin) li")).to_have_count(3)
    console_errors.clear()  # Chromium logs the status 422


def test_three_cells_are_trained_together(page: Page) -> None:
    opened(page, task="flip-flop", cells="rnn,lstm,gru", most="150", after="20", units="2", reach="2")
    recipes = read_recipes({"cells": "rnn,lstm,gru", "most": "150", "after": "20", "units": "2", "reach": "2"})
    trainings = {recipe.cell: Training(recipe, list(train(recipe))) for recipe in recipes}
    arrived(page, len(trainings["gru"].steps))
    text = gru.load("flip-flop").examples[0]
    for place in (len(trainings["gru"].steps) - 1, 40):
        page.evaluate(READ, ["gru", place])
        for cell, training in trainings.items():
            check(page, cell, training, place, text)
    press(page.get_by_role("checkbox", name="LSTM"))
    page.wait_for_url(re.compile("cells=rnn,gru"))
    expect(page.get_by_role("region", name="Tape of the LSTM")).to_have_count(0)


def test_an_added_cell_is_trained_only_when_the_visitor_starts_it(page: Page) -> None:
    arrived(opened(page, task="flip-flop"), len(shipped("flip-flop").steps))
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url) if request.method == "POST" else None)
    press(page.get_by_role("checkbox", name="RNN"))
    page.wait_for_url(re.compile("cells=rnn,gru"))
    status = page.locator(".course .status")
    expect(status).to_contain_text(re.compile(f"RNN: .*{contract.START_TRAINING}"))
    expect(status).to_contain_text(re.compile("GRU: loss"))
    assert not [url for url in requests if url.endswith("/trainings")]
    page.get_by_role("button", name="Export").click()
    dialog = page.get_by_role("dialog", name="Export")
    for cell, step in (("RNN", 0), ("GRU", 750)):
        dialog.get_by_label("Picture of").select_option(f"all signals of the {cell}")
        expect(dialog.get_by_text("Caption:")).to_contain_text(f"training step {step}: ")


def test_a_table_of_the_visitor_is_trained_and_its_errors_are_shown(page: Page, console_errors: list[str]) -> None:
    opened(page, task="flip-flop")
    page.get_by_role("combobox", name="Task").select_option("own")
    dialog = page.get_by_role("dialog", name="Your own data")
    dialog.get_by_role("textbox", name="Series or table").fill("A B,A\nB,B")
    dialog.get_by_role("button", name=contract.START_TRAINING).click()
    expect(dialog.get_by_role("alert")).to_have_text("The table has 2 sequences: from 5 to 2,000 can be used.")
    console_errors.clear()  # Chromium logs the status 422
    text = own_table(60, np.random.default_rng(0))
    dialog.get_by_role("textbox", name="Series or table").fill(text)
    dialog.get_by_role("button", name=contract.START_TRAINING).click()
    page.wait_for_url(re.compile("training=t-"))
    recipe = RecipeBody(task="own", table=text).recipe()
    training = Training(recipe, list(train(recipe)))
    arrived(page, len(training.steps))
    page.keyboard.press("Shift+End")
    check(page, "gru", training, len(training.steps) - 1, read(text).text(0))
    expect(page.locator("#task")).to_contain_text(re.compile(r"\b48\b.*\b12\b"))
    press(page.get_by_role("checkbox", name="LSTM"))
    expect(page.get_by_role("region", name="Tape of the LSTM")).to_be_visible()
    page.get_by_role("combobox", name="Task").select_option("own")
    dialog.get_by_role("textbox", name="Series or table").fill("\n".join(str(n % 7) for n in range(120)))
    dialog.get_by_role("button", name=contract.START_TRAINING).click()
    expect(page.locator("#task")).to_contain_text(re.compile(r"\b96\b.*\b24\b"))
    expect(page.locator(".baselines")).to_contain_text(re.compile("last value"))
    page.goto(page.url.split("?")[0] + "?training=t-" + "0" * 32)
    alert = page.get_by_role("region", name="Sequence and examples").get_by_role("alert")
    expect(alert).to_contain_text(re.compile("training"))


def test_a_number_out_of_range_is_reported_and_focused(page: Page) -> None:
    opened(page, task="flip-flop")
    page.get_by_text("Recipe", exact=True).click()
    form = page.get_by_role("form", name="Recipe")
    form.get_by_role("spinbutton", name="Units", exact=True).fill("40")
    button(page, contract.START_TRAINING).click()
    expect(form.get_by_role("alert")).to_have_text(re.compile("^Units .* 1 to 32"))
    expect(form.get_by_role("spinbutton", name="Units", exact=True)).to_be_focused()
    form.get_by_role("button", name="Reset to the preset’s recipe").click()
    expect(form.get_by_role("spinbutton", name="Units", exact=True)).to_have_value("1")


def test_an_exported_training_works_without_a_network(page: Page, tmp_path: Any) -> None:
    training = shipped("store-and-recall")
    arrived(opened(page, task="store-and-recall"), len(training.steps))
    page.get_by_role("button", name="Export").click()
    dialog = page.get_by_role("dialog", name="Export")
    expect(dialog.get_by_label("Picture of").locator("option")).to_have_count(5)  # tape, 2 curves, unit, gradient
    expect(dialog.get_by_text("Caption:")).to_contain_text("training step 750: ")
    with page.expect_download() as downloading:
        dialog.get_by_role("button", name="SVG").click()
    picture = downloading.value.path().read_text()
    trace = gru.trace(training.model(750), gru.load("store-and-recall").examples[0])
    assert all(f">{value:.2f}<".replace("-", "−") in picture for value in trace.z[:, 0])
    dialog.get_by_label("Picture of").select_option(index=1)
    with page.expect_download() as downloading:
        dialog.get_by_role("button", name="SVG").click()
    assert "training step 0" in downloading.value.path().read_text()  # a label of the axis that the curves share
    with page.expect_download() as downloading:
        dialog.get_by_role("link", name="HTML").click()
    dialog.get_by_role("button", name="Close").click()
    file = tmp_path / "train.html"
    downloading.value.save_as(file)
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download this checkpoint").click()
    downloading.value.save_as(tmp_path / "model.safetensors")
    assert gru.load(tmp_path / "model.safetensors").to_bytes() == training.model(750).to_bytes()
    page.context.set_offline(True)
    try:
        page.goto(file.as_uri())
        page.wait_for_selector(".heatmaps .heatmaplayer image")
        arrived(page, len(training.steps))
        for place in (0, 90):
            page.evaluate(READ, ["gru", place])
            check(page, "gru", training, place, gru.load("store-and-recall").examples[0])
        button(page, contract.START_TRAINING).click()
        expect(page.locator("#training-error")).to_contain_text("GRU Scope")  # there is no server here
        # This page contains no other task or cell. If the visitor chooses one, the page keeps its fields.
        page.reload()
        page.wait_for_selector(".heatmaps .heatmaplayer image")
        task = page.get_by_role("combobox", name="Task")
        task.select_option("flip-flop")
        expect(page.locator("#training-error")).to_contain_text("This exported page has no server")
        expect(task).to_have_value("store-and-recall")
        press(page.get_by_role("checkbox", name="LSTM"))
        expect(page.get_by_role("checkbox", name="LSTM")).not_to_be_checked()
        assert page.url == file.as_uri()
    finally:
        page.context.set_offline(False)


def test_train_is_accessible_and_never_scrolls_sideways(page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 844})
    page.goto("/train?task=sentiment")
    page.wait_for_selector(".heatmaps .heatmaplayer image")
    arrived(page, len(shipped("sentiment").steps))
    # Checkpoints are equally spaced on the slider, so an axis below the slider shows their training steps.
    expect(page.locator(".course .axis span").last).to_have_text(page.locator(".clock .of").inner_text())
    page.get_by_text("Recipe", exact=True).click()
    page.get_by_text("As a table").first.click()
    expect_accessible_at_every_width(page)


def test_an_embedded_training_hides_the_parts_of_its_link(page: Page) -> None:
    page.goto("/embed/train?task=flip-flop&hide=question,model&theme=dark&step=74")
    page.wait_for_selector(".heatmaps .heatmaplayer image")
    expect(page.locator(".intro > :first-child")).to_have_css("position", "absolute")
    expect(page.get_by_role("combobox", name="Task")).to_be_hidden()
    expect(page.locator(".course .clock")).to_have_text("training step 74 of 750")


def test_a_bad_key_of_a_train_link_is_reported(page: Page) -> None:
    page.goto("/train?task=flip-flop&units=99")
    page.wait_for_selector(".heatmaps .heatmaplayer image")
    alert = page.get_by_role("region", name="Sequence and examples").get_by_role("alert")
    expect(alert).to_contain_text("units: must be from 1 to 32")
