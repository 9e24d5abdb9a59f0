"""The experiments: stored results, sliders with the core's numbers, and trainings."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from app.runs import race as race_outcome
from app.runs.reach import over_gap
from app.schemas import GapBody
from gru_core import experiments
from gru_core.experiments import race, sequence
from gru_core.presets.recipes import fresh
from gru_core.training.cards import first_card
from gru_core.training.checkpoints import gradient_by_lag
from gru_core.training.recipe import begin
from tests.support import contract
from tests.support.accessible import expect_accessible_at_every_width
from tests.support.labels import press
from tests.support.numbers import number_of


def gradients(page: Page) -> dict[str, float]:
    """Return the gradient of each cell, by its name, from the sentence on the page."""
    sentence = page.get_by_role("status", name="Gradient over the gap").inner_text()
    matches = re.findall(r"([\d.]*\d(?: × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?) in the (RNN|LSTM|GRU)", sentence)
    assert len(matches) == 3
    return {name: number_of(value) for value, name in matches}


@pytest.mark.parametrize(("gap", "units", "b"), [(50, 16, 0.0), (30, 8, -2.0), (120, 5, -4.0)])
def test_the_gradient_of_untrained_cells_follows_the_sliders(page: Page, gap: int, units: int, b: float) -> None:
    page.goto("/compare/gap")
    for name, value in (("Gap", gap), ("Units", units), ("Initial bias of z", b)):
        page.get_by_role("slider", name=name).fill(f"{value:g}")
    expect(page.get_by_role("status", name="Gradient over the gap")).to_contain_text(f"{gap} timesteps")
    question = GapBody(gap=gap, units=units, b=b)
    expected = {}
    for cell in experiments.EQUAL:
        recipe = over_gap(question, cell)
        model, _ = begin(recipe, first_card(recipe))
        expected[cell.upper()] = gradient_by_lag(model, model.forward(fresh(recipe, gap + 1, recipe.schedule.B).x)[-1])[
            -1
        ]
    page.wait_for_selector(".gradient[aria-busy=false]")  # the newest request has its response
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    for name, value in gradients(page).items():
        assert value == pytest.approx(expected[name], rel=0.06, abs=0.0051)


def test_settings_are_in_the_address_and_come_back(page: Page) -> None:
    """Back, forward, a reload, and the link in a second window restore the settings of the sliders."""
    page.goto("/compare/gap")
    gap, units = (page.get_by_role("slider", name=name) for name in ("Gap", "Units"))
    gap.fill("60")
    expect(page).to_have_url(re.compile(r"\?gap=60&v=1$"))
    gap.fill("80")
    expect(page).to_have_url(re.compile(r"\?gap=80&v=1$"))
    units.fill("4")
    expect(page).to_have_url(re.compile(r"\?gap=80&units=4&v=1$"))
    page.go_back()
    expect(units).to_have_value("16")
    expect(gap).to_have_value("80")
    page.go_back()
    expect(gap).to_have_value("50")
    page.go_forward()
    page.go_forward()
    expect(units).to_have_value("4")
    press(page.get_by_role("radio", name="0.03"))
    press(page.get_by_role("checkbox", name="RNN"))
    expect(page).to_have_url(re.compile("cells=lstm,gru&.*rate=0.03"))
    page.reload()
    status = page.get_by_role("status", name="Gradient over the gap")
    for window in (page, page.context.new_page()):
        window.goto(page.url)
        assert window.get_by_role("slider", name="Gap").input_value() == "80"
        expect(window.get_by_role("radio", name="0.03")).to_be_checked()
        expect(window.get_by_role("checkbox", name="RNN")).not_to_be_checked()
    expect(status).to_contain_text("80 timesteps")
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_role("textbox", name="Link", exact=True)).to_have_value(page.url)


def test_a_link_with_a_value_that_is_not_possible_is_named_and_the_rest_is_shown(page: Page) -> None:
    page.goto("/compare/gap?gap=900&units=8&first=no&cells=rnn,tcn")
    notice = page.locator("#notice")
    for key in ("“gap”", "“first”", "“cells”"):
        expect(notice).to_contain_text(key)
    expect(notice).not_to_contain_text("units")
    expect(page.get_by_role("slider", name="Gap")).to_have_value("50")
    expect(page.get_by_role("slider", name="Units")).to_have_value("8")
    expect(page.get_by_role("checkbox", name="RNN")).to_be_checked()


def test_an_entry_of_the_map_sets_the_page_and_a_training_ends_with_a_verdict(page: Page) -> None:
    page.goto("/compare/gap")
    entry = page.get_by_role("button", name="GRU, b_z = −2, learning rate 0.03:")
    entry.click()
    expect(entry).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("radio", name="0.03")).to_be_checked()
    before = page.get_by_role("status", name="Gradient over the gap")
    expect(before).to_contain_text(re.compile(r"\b50 timesteps"))
    figure = before.inner_text().split(" is ")[1].rstrip(".")
    page.get_by_role("button", name=contract.START_TRAINING).click()
    row = next(
        row
        for row in experiments.result("gap")
        if (row["rate"], row["T"], row["units"], row["seed"], row["biases"]) == (0.03, 51, 16, 0, {"z": -2.0})
    )
    verdict = page.get_by_role("status", name="Training, verdict")
    expect(verdict).to_contain_text(f"{row['good_at']:,} training steps")
    expect(verdict).to_contain_text("5 of 5")
    assert f"Before training it was {figure}" in before.inner_text()
    expect(page.get_by_role("slider", name="Checkpoint")).to_be_visible()
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("dialog").get_by_role("button", name="JSON").click()
    (exported,) = json.loads(download.value.path().read_text())
    expect(page.get_by_label("Picture of").locator("option")).to_have_count(3)  # the gradient and two curves
    assert (exported["good_at"], exported["rate"], exported["ended"]) == (row["good_at"], 0.03, "done")


def test_a_click_on_a_result_of_the_bottleneck_trains_it_again(page: Page) -> None:
    page.goto("/compare/bottleneck")
    rows = {(row["units"], row["T"] // 2): row for row in experiments.result("bottleneck")}
    for (units, n), row in rows.items():
        expect(page.locator(f"[data-units='{units}'][data-n='{n}']")).to_have_text(f"{100 * row['score']:.0f}%")
    entry = page.locator("[data-units='16'][data-n='2']")
    entry.click()
    expect(entry).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("status", name="Training, verdict")).to_contain_text(
        re.compile(rf"100.0% .* {rows[16, 2]['steps']} training steps")
    )
    expect(entry).to_have_class(re.compile("here-trained"))
    expect(page).to_have_url(re.compile("units=16&letters=2"))


def test_a_run_that_is_stopped_keeps_what_is_finished(page: Page) -> None:
    page.goto("/compare/bottleneck?units=16&letters=1")
    page.get_by_role("button", name=re.compile("Train all")).click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.locator(".how-far")).to_have_text(re.compile(r"^[1-9]\d? of 40 "))
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    finished = page.locator(".here-trained").count()
    assert 1 <= finished < 40
    expect(page.get_by_role("status", name="Training, verdict")).to_contain_text(str(finished))
    expect(page.get_by_role("button", name=contract.START_TRAINING)).to_be_enabled()


def test_a_race_on_this_server_ends_with_a_verdict_and_can_be_stopped(page: Page) -> None:
    page.goto("/compare/race?seeds=2&v=1")
    echo = page.get_by_role("region", name="Echo")
    stored = race_outcome.stored("echo")["cells"]["rnn"]
    row = echo.get_by_role("row", name="RNN")
    for part in ("median", "interval", "reached"):
        expect(row.locator(f"[data-value={part}]")).to_have_text(str(stored[part]))  # type: ignore[literal-required]
    echo.get_by_role("button", name="Train here").click()
    expect(echo.get_by_role("progressbar")).to_be_visible()
    verdict = echo.get_by_role("status", name="verdict")
    expect(verdict).not_to_be_empty(timeout=300_000)
    goods = [row["good_at"] for row in race.rows("echo", "rnn")[:2]]
    expect(row.locator("[data-value=median]")).to_have_text(f"{sum(goods) / 2:,g}")
    expect(row.locator("[data-value=reached]")).to_have_text("2 of 2")
    expect(page).to_have_url(re.compile("seeds=2"))
    counting = page.get_by_role("region", name="Counting")
    counting.get_by_role("button", name="Train here").click()
    counting.get_by_role("button", name="Stop").click()
    expect(counting.get_by_role("status", name="verdict")).not_to_be_empty(timeout=60_000)
    expect(counting.get_by_role("button", name="Train here")).to_be_enabled()


def test_the_sequence_experiment_counts_steps_and_measures_times(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.routes.experiments.REPEATS", 1)  # several long runs take minutes on a busy machine
    page.goto("/compare/sequence")
    page.get_by_role("slider", name="Sequence length").fill("7")
    for kind, (steps, products) in sequence.counts(128).items():
        cells = page.locator(f"tr[data-kind={kind}] td")
        expect(cells.nth(0)).to_have_text(f"{steps:,}")
        expect(cells.nth(1)).to_have_text(f"{products:,}")
    expect(page).to_have_url(re.compile("T=7"))
    page.get_by_role("button", name="Measure all lengths here").click()
    expect(page.get_by_role("status", name="Times, verdict")).not_to_be_empty(timeout=300_000)
    expect(page.locator("tr[data-kind=scan] td").nth(3)).to_contain_text("ms")
    parity = page.get_by_role("region", name="Parity")
    parity.get_by_role("button", name="Train both here").click()
    expect(parity.get_by_role("progressbar")).to_be_visible()
    parity.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("status", name="Parity, training, verdict")).not_to_be_empty(timeout=60_000)


def test_the_table_of_the_bottleneck_shows_up_to_the_chosen_number_of_letters(page: Page) -> None:
    page.goto("/compare/bottleneck?columns=3")
    expect(page.locator("[data-units='8'][data-n='3']")).to_be_visible()
    expect(page.locator("[data-units='8'][data-n='4']")).to_be_hidden()
    page.get_by_role("slider", name="Most letters in the table").fill("4")
    expect(page.locator("[data-units='8'][data-n='4']")).to_be_visible()


def test_the_attention_weights_are_the_softmax_of_the_chosen_score(page: Page) -> None:
    page.goto("/compare/attention?t=7&score=2")
    cells = page.locator(".weights td")
    for t, score in ((7, 2), (5, 50), (8, 1), (3, 1)):
        page.get_by_role("slider", name="Timestep of the output").fill(str(t))
        press(page.get_by_role("radio", name=str(score), exact=True))
        scores = np.where(np.arange(1, t + 1) == t - 4, float(score), 0.0)
        weights = np.exp(scores) / np.exp(scores).sum()
        for cell, weight in zip(cells.all(), [*weights, *[None] * (8 - t)], strict=True):
            expect(cell).to_have_text("–" if weight is None else f"{weight:.2f}")
        expect(page.get_by_role("status", name="Output of the attention head")).to_contain_text(f"{weights.max():.2f}")
    expect(page).to_have_url(re.compile("t=3"))


@pytest.mark.parametrize("experiment", contract.EXPERIMENTS)
def test_experiments_are_accessible_and_never_scroll_sideways(page: Page, experiment: str) -> None:
    title = contract.EXPERIMENTS[experiment]
    page.goto(f"/compare/{experiment}")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_role("link", name=title)).to_have_attribute("aria-current", "page")
    expect(page).to_have_title(re.compile(f"^{title}"))
    page.wait_for_function("() => document.querySelector('svg path, .grid button, .weights td:not(:empty)')")
    expect_accessible_at_every_width(page)
