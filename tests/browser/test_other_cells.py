"""The LSTM, the RNN, the minimal GRU and a bidirectional GRU in the Lab: each cell's own signals in all views."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import gru_core as gru
from gru_core.training.tasks import ALL
from tests.support import contract
from tests.support.lab import Lab
from tests.support.numbers import adds_up, assert_shown, expected, number_of, plain

CASES = 12  # per model


@pytest.mark.parametrize(
    "name", ["sentiment-lstm", "flip-flop-lstm", "store-and-recall-rnn", "sentiment-mingru", "tagger"]
)
def test_every_number_of_another_cell_equals_the_core(page: Page, name: str) -> None:
    lab = Lab(page).open(model=name, views="tape,words,cell,equations,table")
    rng, model = np.random.default_rng(len(name)), gru.load(name)
    text = ALL[model.card.task].text(rng, 20)
    lab.sequence.fill(text)
    lab.expect_tokens(text.split())
    run = gru.trace(model, text).layers[0]
    expect(page.locator(".tape .signal")).to_have_count(len(run.cell.signals))
    for _ in range(CASES):
        t, unit = int(rng.integers(20)), int(rng.integers(run.cell.units))
        signal = str(rng.choice(list(run.cell.signals)))
        page.get_by_role("combobox", name="Table of").select_option(signal)
        shown = lab.look_at(t + 1, unit + 1)
        for drawn in run.cell.signals:
            np.testing.assert_allclose(lab.drawn(drawn), getattr(run, drawn), atol=1e-12)
        slots, figure = expected(run, t, unit, False)
        texts = {slot: shown["numbers"][f"equations {slot}"] for slot in slots}
        for slot, value in slots.items():
            assert_shown(texts[slot], value)
        numbers = {slot: plain(printed) for slot, printed in texts.items()}
        for slot, value in adds_up(run.cell.name, numbers).items():
            digits = len(texts[slot].strip("()").partition(".")[2])
            assert (abs(value - numbers[slot]) > 0.5 * 10**-digits + 1e-9) == (slot in shown["rounded"]), slot
        for slot, printed in shown["numbers"].items():
            if slot.startswith("cell ") and printed and slot.removeprefix("cell ") in figure and slot != "cell x":
                assert_shown(printed, figure[slot.removeprefix("cell ")])
        for printed, value in zip(shown["table"][t][2:], getattr(run, signal)[t], strict=True):
            assert_shown(printed, value)


def test_the_cell_state_of_an_lstm_can_be_clamped_and_its_gates_opened(page: Page) -> None:
    lab = Lab(page).open(model="flip-flop-lstm", sequence="A m B m", t="3", views="tape,words,cell,whatif")
    page.get_by_role("combobox", name="Signal").select_option("c")
    page.get_by_role("slider", name="Value").fill("-2.5")
    page.get_by_role("button", name=contract.CLAMP, exact=True).click()
    clamped, original = gru.twin(gru.load("flip-flop-lstm"), "A m B m", clamps=[gru.Clamp("c", -2.5, [0], slice(2, 3))])
    expect(page.get_by_role("list", name="Changes")).to_contain_text("c of unit 1 = −2.50 at t = 3")
    expect(lab.narration).to_contain_text(
        f"c is clamped at −2.50 instead of {original.layers[0].c[2, 0]:.2f}".replace("-", "−")
    )
    labels = clamped.model.readout.labels
    expect(page.get_by_role("list", name="Output", exact=True).get_by_role("listitem")).to_have_text(
        [labels[k] for k in clamped.y.argmax(1)]
    )
    np.testing.assert_allclose(lab.drawn("c"), clamped.layers[0].c, atol=1e-12)
    lab.cell.get_by_role("button", name="Open the sum of the forget gate").click()
    lab.settled()
    total = lab.cell.locator('tfoot [data-slot="value"]')
    assert_shown(total.inner_text().removeprefix("≈ "), float(clamped.layers[0].f[2, 0]))


def test_memory_shows_the_contributions_in_an_lstm_and_none_in_an_rnn(page: Page) -> None:
    lab = Lab(page).open(model="flip-flop-lstm", sequence="A m m B m", t="5", views="tape,words,memory")
    lab.settled()
    trace = gru.trace(gru.load("flip-flop-lstm"), "A m m B m")
    shares = trace.ledger(unit=0)[4]
    memory = page.get_by_role("region", name="Memory")
    most = int(shares[1:].argmax()) + 1
    expect(memory).to_contain_text(f"At t = 5, c = {trace.layers[0].c[4, 0]:.2f}. Contributions:")
    expect(memory).to_contain_text(f"{round(100 * shares[most])}% of the candidate at t = {most}")
    texts = page.get_by_role("list", name="Contribution of each timestep").get_by_role("listitem").all_inner_texts()
    for text, share in zip(texts, shares[1:], strict=True):
        assert text == (f"{round(100 * share)}%" if share >= 0.005 else "")
    Lab(page).open(model="flip-flop-rnn", views="tape,words,memory")
    expect(memory).to_contain_text("no such contributions")


def test_the_candidate_of_a_minimal_gru_has_no_old_state_and_may_be_clamped_beyond_1(page: Page) -> None:
    lab = Lab(page).open(model="sentiment-mingru", t="5", unit="3", views="tape,words,cell,whatif,memory")
    lab.cell.get_by_role("button", name="Open the sum of the candidate").click()
    lab.settled()
    names = lab.cell.locator("tbody tr > :first-child").all_inner_texts()
    assert sorted(names) == [".", "bias b"]
    run = gru.trace(gru.load("sentiment-mingru"), gru.load("sentiment-mingru").examples[0])
    assert_shown(lab.cell.locator('tfoot [data-slot="value"]').inner_text(), float(run.h_tilde[4, 2]))
    expect(lab.cell.locator("tfoot")).to_contain_text("12 more products are 0")
    page.get_by_role("combobox", name="Signal").select_option("h_tilde")
    page.get_by_role("slider", name="Value").fill("-7.5")
    page.get_by_role("button", name=contract.CLAMP, exact=True).click()
    clamps = [gru.Clamp("h_tilde", -7.5, [2], slice(4, 5))]
    clamped, original = gru.twin(gru.load("sentiment-mingru"), gru.load("sentiment-mingru").examples[0], clamps=clamps)
    expect(page.get_by_role("list", name="Changes")).to_contain_text("h̃ of unit 3 = −7.50 at t = 5")
    original_value = f"{original.layers[0].h_tilde[4, 2]:.2f}".replace("-", "−")
    expect(lab.narration).to_contain_text(f"h̃ is clamped at −7.50 instead of {original_value}")
    np.testing.assert_allclose(lab.drawn("h"), clamped.layers[0].h, atol=1e-12)
    memory = page.get_by_role("region", name="Memory")
    lab.settled()
    expect(memory).to_contain_text("contributions add up to 100%")
    shares = clamped.ledger(unit=2)[4]
    texts = page.get_by_role("list", name="Contribution of each timestep").get_by_role("listitem").all_inner_texts()
    assert texts == [f"{round(100 * share)}%" if share >= 0.005 else "" for share in shares[1:]]


@pytest.mark.parametrize("name", ["flip-flop-lstm", "store-and-recall-rnn", "store-and-recall-mingru"])
def test_influence_shows_the_gates_and_states_of_the_cell(page: Page, name: str) -> None:
    model = gru.load(name)
    text = model.examples[0]
    lab = Lab(page).open(model=name, sequence=text, t="6", views="tape,words,influence")
    lab.settled()
    region = page.get_by_role("region", name="Influence")
    region.get_by_text("As a table").click()
    sensitivity = gru.trace(model, text).sensitivity(5)
    columns = [np.sqrt((sensitivity.x**2).sum(1)), *(gate[:, 0] for gate in sensitivity.gates[0].values())]
    for state in reversed([signal for signal in model.layers[0].signals if signal in sensitivity.states]):
        columns += [sensitivity.states[state][:, 0], np.sqrt((sensitivity.states[state] ** 2).mean(1))]
    rows = region.locator("tbody tr")
    expect(rows).to_have_count(6)
    for row, values in zip(rows.all(), np.transpose(columns), strict=True):
        for text, value in zip(row.locator("td").all_inner_texts()[1:], values, strict=True):
            assert number_of(text) == pytest.approx(value, rel=0.06, abs=0.0051)


def test_a_model_of_another_cell_opens_another_page_and_back_returns(page: Page) -> None:
    lab = Lab(page).open(model="flip-flop", sequence="A m", t="2")
    lab.model.select_option("flip-flop-lstm")
    expect(page.get_by_role("group", name="Cell state c")).to_be_visible()
    expect(lab.model).to_have_value("flip-flop-lstm")
    expect(page.get_by_role("group", name="z near 1")).to_have_count(0)
    page.go_back()
    expect(page.get_by_role("group", name="Update gate z")).to_be_visible()
    expect(lab.sequence).to_have_value("A m")


def test_unknown_gates_in_a_link_are_reported_and_the_rest_is_used(page: Page) -> None:
    lab = Lab(page).open(model="flip-flop-lstm", sequence="A m", t="2", gate="z", table="r")
    expect(lab.error).to_contain_text("“gate” must be one of i, f, c_tilde, o.")
    expect(lab.error).to_contain_text("“table” must be one of i, f, o, c_tilde, c, h.")
    expect(lab.step).to_have_value("2")
