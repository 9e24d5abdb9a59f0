"""The What if view: clamps and changed weights, and their effects compared with the original run."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import gru_core as gru
from app.pages.examples import EXAMPLES
from gru_core import Clamp
from tests.support import contract
from tests.support.lab import WhatIf, number


def test_clamping_a_gate_has_the_effect_that_the_core_computes(same_page: Page) -> None:
    lab = WhatIf(same_page).follow(model="flip-flop", sequence="A m m B m", t="4")
    lab.button("What if").click()
    lab.clamp()
    clamp = Clamp("z", 0.0, [0], slice(3, 4))
    clamped, original = lab.expect_clamped("flip-flop", "A m m B m", [clamp])
    expect(lab.chips).to_have_count(1)
    expect(lab.chips.get_by_role("button").first).to_have_text("z of unit 1 = 0.00 at t = 4")
    gap = np.abs(clamped.h - original.h)[:, 0]
    expect(lab.effect).to_have_text(
        re.compile(
            r"first differs at t = 4: A instead of B\..*"
            rf"most at t = {gap.argmax() + 1}, unit 1: by {re.escape(f'{gap.max():.3f}')}\.$"
        )
    )
    # The cell and the equations show both the clamped value and the original value.
    assert number(lab.in_cell("z").text_content()) == 0
    replaced = same_page.locator("[data-replaced=z]").text_content()
    assert number(replaced) == pytest.approx(original.z[3, 0], abs=0.00501)
    expect(lab.equations.get_by_role("group", name="Update gate")).to_contain_text("clamped at 0.00")
    expect(lab.narration).to_contain_text("z is clamped at 0.00 instead of 0.89")
    expect(lab.narration).to_contain_text("the output is A (original run: B)")
    lab.panel.get_by_role("checkbox").check()
    # The scale for differences of gates starts at −1.
    same_page.wait_for_function(
        "() => (({ data }) => data.length === 4 && data.every(({ zmin }) => zmin === -1))"
        "(document.querySelector('.heatmaps'))"
    )
    for signal in ("r", "z", "h_tilde", "h"):
        np.testing.assert_allclose(lab.drawn(signal), getattr(clamped, signal) - getattr(original, signal), atol=1e-12)


def test_clamps_can_be_changed_undone_redone_and_released(page: Page) -> None:
    lab = WhatIf(page).open(model="flip-flop", sequence="A m m B m", t="4", views="tape,words,whatif,cell,equations")
    lab.clamp()
    closed = Clamp("z", 0.0, [0], slice(3, 4))
    lab.expect_clamped("flip-flop", "A m m B m", [closed])
    lab.panel.get_by_role("slider", name="Value").fill("0.5")  # the slider changes the newest clamp
    half = Clamp("z", 0.5, [0], slice(3, 4))
    lab.expect_clamped("flip-flop", "A m m B m", [half])
    for key in range(3):  # one undo covers the whole movement of a slider
        lab.panel.get_by_role("slider", name="Value").press("ArrowRight" if key else "ArrowLeft")
    expect(lab.chips.get_by_role("button").first).to_contain_text("= 0.51")
    lab.panel.get_by_role("slider", name="Value").fill("0.5")
    lab.button("Undo").click()
    lab.expect_clamped("flip-flop", "A m m B m", [closed])
    page.keyboard.press("Control+z")
    lab.expect_trace("flip-flop", "A m m B m")
    expect(lab.chips).to_have_count(0)
    expect(lab.button("Undo")).to_have_attribute("aria-disabled", "true")
    lab.button("Redo").click()
    page.keyboard.press("Control+Shift+z")
    lab.expect_clamped("flip-flop", "A m m B m", [half])
    page.wait_for_url("**clamps=z.1@4=0.5**")
    page.reload()
    lab.expect_clamped("flip-flop", "A m m B m", [half])
    lab.clamp("reset gate r", "all", 1)
    lab.expect_clamped("flip-flop", "A m m B m", [half, Clamp("r", 1.0, None, slice(3, 4))])
    lab.button(f"{contract.RELEASE} z of unit 1 = 0.50 at t = 4").click()
    lab.expect_clamped("flip-flop", "A m m B m", [Clamp("r", 1.0, None, slice(3, 4))])
    lab.button(contract.CLEAR_CLAMPS).click()
    lab.expect_trace("flip-flop", "A m m B m")
    expect(lab.original.first).to_be_hidden()


def test_dragging_over_cells_selects_steps_and_units_for_a_clamp(same_page: Page) -> None:
    text = "A b c ? d a C b"
    same_page.set_viewport_size({"width": 1280, "height": 1000})
    lab = WhatIf(same_page).follow(model="store-and-recall", sequence=text, views="tape,words,whatif")
    for signal, gate in (("r", "r"), ("h", "h_prev")):
        box = lab.group(signal).locator(".plot").bounding_box()
        assert box is not None
        width, height = box["width"] / 8, box["height"] / 4
        same_page.mouse.move(box["x"] + 5.5 * width, box["y"] + 2.5 * height)
        same_page.mouse.down()
        same_page.mouse.move(box["x"] + 3.5 * width, box["y"] + 1.5 * height, steps=4)
        same_page.mouse.up()
        later = 1 if signal == "h" else 0  # h at a timestep is h_prev at the next
        expect(lab.panel.get_by_label("Signal")).to_have_value(gate)
        expect(lab.panel.get_by_label("from t", exact=True)).to_have_value(str(4 + later))
        expect(lab.panel.get_by_label("to t", exact=True)).to_have_value(str(6 + later))
        expect(lab.group(signal).locator(".selected")).to_be_visible()
    lab.panel.get_by_role("slider", name="Value").fill("0")
    lab.panel.get_by_role("button", name=contract.CLAMP, exact=True).click()
    expect(lab.chips.get_by_role("button").first).to_have_text("previous h of units 2–3 = 0.00 at t = 5 to 7")
    lab.expect_clamped("store-and-recall", text, [Clamp("h_prev", 0.0, [1, 2], slice(4, 7))])
    expect(lab.group("h").locator(".holdmarks .held")).to_be_visible()


def test_a_clamp_on_z_is_shown_in_the_chosen_convention(same_page: Page) -> None:
    lab = WhatIf(same_page).follow(
        model="flip-flop", sequence="A m B", t="3", views="tape,words,whatif,cell,equations", convention="pytorch"
    )
    lab.clamp(value=0.9)  # in this convention z = 0.9 keeps the old state
    expect(lab.chips.get_by_role("button").first).to_have_text("z of unit 1 = 0.90 at t = 3")
    same_page.wait_for_url("**clamps=z.1@3=0.1**")  # links use the convention of the source
    clamped = gru.trace(gru.load("flip-flop"), "A m B", clamps=[Clamp("z", 0.1, [0], slice(2, 3))])
    lab.expect_tokens(["A", "m", "B"])
    expect(lab.narration).to_contain_text("z is clamped at 0.90 instead of 0.11")
    assert number(lab.in_cell("h").text_content()) == pytest.approx(clamped.h[2, 0], abs=0.00501)


def test_on_a_hold_of_the_calculator_only_the_update_gate_matters(same_page: Page) -> None:
    text = "=0.3 +0.2 0.35 -0.1"
    lab = WhatIf(same_page).follow(model="pocket-calculator", sequence=text, clamps="r.1@3=0", t="3")
    clamped, original = lab.expect_clamped("pocket-calculator", text, [Clamp("r", 0.0, [0], slice(2, 3))])
    assert np.abs(clamped.y - original.y).max() < 0.01
    lab.button("What if").click()
    expect(lab.effect).to_contain_text("at most 0.01 at all 4 timesteps")
    lab.follow(model="pocket-calculator", sequence=text, clamps="z.1@3=1", t="3")
    lab.button("What if").click()
    clamped, original = lab.expect_clamped("pocket-calculator", text, [Clamp("z", 1.0, [0], slice(2, 3))])
    gap = clamped.y[2, 0] - original.y[2, 0]
    assert abs(gap) > 0.2
    expect(lab.effect).to_contain_text("first differs at t = 3:")
    assert number(lab.original.nth(2).inner_text().replace("+", "")) == pytest.approx(gap, abs=0.00501)


def test_a_clamp_to_the_end_covers_added_steps(same_page: Page) -> None:
    lab = WhatIf(same_page).follow(model="flip-flop", sequence="A m B", views="tape,words,whatif")
    lab.select_all_steps()
    lab.clamp(units="all", value=1)
    expect(lab.chips.get_by_role("button").first).to_have_text("z of all units = 1.00 at t = 1 to the end")
    lab.sequence.fill("A m B m m A m")
    clamped, original = lab.expect_clamped("flip-flop", "A m B m m A m", [Clamp("z", 1.0)])
    assert (clamped.y.argmax(1) == original.y.argmax(1)).all()
    expect(lab.effect).to_contain_text("the same at all 7 timesteps")


def test_a_bad_clamp_in_a_link_is_reported_and_the_run_is_shown(page: Page, console_errors: list[str]) -> None:
    lab = WhatIf(page).open(model="flip-flop", sequence="A m B", clamps="z.7@2=0")
    expect(lab.error).to_contain_text("Unit 7 is not in this layer: choose from 1 to 1. Change or release the clamp.")
    lab.expect_trace("flip-flop", "A m B")
    lab.open(model="flip-flop", sequence="A m B", clamps="z at two")
    expect(lab.error).to_contain_text("“clamps” must look like z.1@4-6=0")
    console_errors.clear()


@pytest.mark.parametrize("convention", ["source", "pytorch"])
def test_a_weight_can_be_changed_in_the_sum_of_its_gate(same_page: Page, convention: str) -> None:
    text = "A b c ? d"
    lab = WhatIf(same_page).follow(
        model="store-and-recall",
        sequence=text,
        t="3",
        unit="2",
        zoom="gate",
        views="tape,words,whatif,cell,equations",
        convention=convention,
    )
    model, sign = gru.load("store-and-recall"), -1 if convention == "pytorch" else 1
    gate = lab.cell.get_by_role("row", name=re.compile("^c "))
    trained = float(model.layers[0].W[4 + 1, 2])
    expect(gate.get_by_role("button")).to_have_text(f"{sign * trained:.2f}".replace("-", "−"))
    gate.get_by_role("button").click()
    editor = lab.cell.get_by_role("form", name="Weight")
    expect(editor).to_contain_text(f"trained: {sign * trained:.2f}".replace("-", "−"))
    editor.get_by_role("slider").fill(str(sign * 1.5))
    changed = model.edited([gru.Edit(0, "z", 1, "W", 2, 1.5)])
    lab.expect_trace(changed, text, flipped=convention == "pytorch")
    same_page.wait_for_url("**weights=z.2.W3=1.5**")  # links use the convention of the source
    expect(gate.get_by_role("button")).to_have_text(f"{sign * 1.5:.2f}".replace("-", "−"))
    expect(editor).to_contain_text(f"trained: {sign * trained:.2f}".replace("-", "−"))
    chip = lab.chips.get_by_role("button").first
    expect(chip).to_have_text(f"weight of c in z of unit 2 = {sign * 1.5:.2f}".replace("-", "−"))
    original = gru.trace(model, text)
    gap = np.abs(gru.trace(changed, text).h - original.h)
    t, unit = np.unravel_index(gap.argmax(), gap.shape)
    expect(lab.effect).to_contain_text(f"most at t = {t + 1}, unit {unit + 1}: by {gap.max():.3f}.")
    # The number field is more precise than the slider, and ignores values out of range.
    editor.get_by_role("spinbutton").fill("5000")
    editor.get_by_role("spinbutton").fill(str(sign * -0.125))
    precise = model.edited([gru.Edit(0, "z", 1, "W", 2, -0.125)])
    lab.expect_trace(precise, text, flipped=convention == "pytorch")
    lab.button("Undo").click()
    lab.expect_trace(changed, text, flipped=convention == "pytorch")
    editor.get_by_role("button", name="Reset to trained weight").click()
    lab.expect_trace(model, text, flipped=convention == "pytorch")
    expect(lab.chips).to_have_count(0)
    editor.get_by_role("button", name="Close").click()
    expect(editor).to_be_hidden()
    expect(gate.get_by_role("button")).to_be_focused()


def test_changed_weights_of_a_link_can_be_reset_one_by_one(
    same_page: Page, served_models: dict[str, gru.Model]
) -> None:
    text = "a b c"
    lab = WhatIf(same_page).follow(
        model="after", sequence=text, weights="h_tilde.2.c=0.5,r.1.b=-2,z.3.U1=1e-3", views="tape,words,whatif,cell"
    )
    edits = [
        gru.Edit(0, "h_tilde", 1, "c", None, 0.5),
        gru.Edit(0, "r", 0, "b", None, -2.0),
        gru.Edit(0, "z", 2, "U", 0, 1e-3),
    ]
    lab.expect_trace(served_models["after"].edited(edits), text)
    expect(lab.chips).to_have_count(3)
    lab.chips.nth(2).get_by_role("button").first.click()  # opens the sum that has this weight
    expect(lab.heading).to_contain_text("unit 3")
    expect(lab.cell.get_by_role("form", name="Weight")).to_contain_text("Weight of h1, t − 1")
    lab.button("Reset to trained weight: bias c in h̃ of unit 2 = 0.50").click()
    lab.expect_trace(served_models["after"].edited(edits[1:]), text)
    lab.follow(model="after", sequence=text, weights="h_tilde.2.c", views="tape,words,whatif")
    expect(lab.error).to_contain_text("“weights” must look like z.1.W3=0.5")
    lab.expect_trace(served_models["after"], text)


@pytest.mark.parametrize(
    ("model", "clamps", "effect", "score"),
    [
        # The expected scores were measured on these tasks. The page computes the scores of the shipped models.
        ("flip-flop", "z@1-=1", "the same at all 14 timesteps", (1.0, 0.0)),
        ("pocket-calculator", "r@3=0", "at most 0.01 at all 9 timesteps", (0.001, 0.0005)),
        ("pocket-calculator", "z@3=1", "first differs at t = 3", (0.11, 0.02)),
        ("running-total", "r@1-=1", "first differs at t = 2", (6.3, 0.7)),
        ("sentiment", "r@1-3=0", "the same at all 10 timesteps", (1.0, 0.005)),
    ],
)
def test_an_example_question_sets_its_clamp_and_shows_effect_and_score(
    same_page: Page, model: str, clamps: str, effect: str, score: tuple[float, float]
) -> None:
    lab = WhatIf(same_page).follow(model=model)
    examples = same_page.get_by_role("combobox", name="Examples")
    label = next(example.ask for example in EXAMPLES[model] if dict(parse_qsl(example.link))["clamps"] == clamps)
    examples.select_option(label=label)
    expect(lab.effect).to_contain_text(effect)
    expect(lab.panel.locator("summary")).to_contain_text(label)
    lab.panel.locator("summary").click()
    expect(lab.panel.locator(".question p")).not_to_be_empty()
    lab.panel.get_by_role("button", name=contract.SCORE).click()
    scored = lab.panel.get_by_role("status", name="Score")
    expect(scored).to_contain_text("With the clamp at every")
    expect(scored).to_contain_text("on 1,000 held-out sequences of up to 20 timesteps is")
    text = scored.inner_text()
    figures = re.findall(r"([\d.]+)%", text)
    changed, original = (
        (float(share) / 100 for share in figures)
        if figures
        else (float(n) for n in re.findall(r" is ([\d.]+\d)", text))
    )
    assert changed == pytest.approx(score[0], abs=score[1] + 1e-9)
    assert original == (1.0 if figures else pytest.approx(0.0006, abs=0.0005))
    same_page.wait_for_url("**clamps=**")
    expect(lab.chips).to_have_count(1)


def test_every_example_question_opens_without_an_error(same_page: Page) -> None:
    for model, questions in EXAMPLES.items():
        for question in questions:
            lab = WhatIf(same_page).follow(model=model, **dict(parse_qsl(question.link)))
            expect(lab.panel.locator("summary")).to_contain_text(question.ask)
            expect(lab.error).to_be_empty()


def test_a_clamp_that_cannot_be_scored_is_reported(same_page: Page, console_errors: list[str]) -> None:
    lab = WhatIf(same_page).follow(
        model="pocket-calculator", sequence="=0.3 +0.2 0.35", clamps="r@2-3=0", views="tape,words,whatif"
    )
    lab.panel.get_by_role("button", name=contract.SCORE).click()
    expect(lab.panel.get_by_role("status", name="Score")).to_contain_text(
        "steps 2 to 3 are of several kinds (add, hold)"
    )
    console_errors.clear()


def test_the_form_for_a_new_clamp_is_on_the_signal_of_the_last_clamp(page: Page) -> None:
    WhatIf(page).open(model="flip-flop", sequence="A m m B", t="3", clamps="r@3=0", views="tape,words,whatif")
    expect(page.get_by_role("combobox", name="Signal")).to_have_value("r")


SPEAKING = """() => {
    window.spoken = new Set();
    const live = "[role=status], [role=alert], [aria-live]";
    new MutationObserver((changes) => {
        for (const { target } of changes) {
            const region = (target instanceof Element ? target : target.parentElement)?.closest(live);
            if (region?.checkVisibility() && region.ariaLive !== "off" && region.textContent.trim())
                window.spoken.add(region.ariaLabel ?? region.className);
        }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def spoken(page: Page) -> list[str]:
    """Return the names of the live regions that have changed since the last call."""
    names: list[str] = page.evaluate("() => { const all = [...window.spoken]; window.spoken.clear(); return all; }")
    return names


def test_one_region_speaks_after_a_clamp_an_undo_and_a_step(page: Page) -> None:
    lab = WhatIf(page).open(model="flip-flop", sequence="A m m B m", t="4", views="tape,words,whatif")
    undone = page.get_by_role("status", name="Undo and redo")
    page.evaluate(SPEAKING)
    lab.clamp()
    expect(lab.narration).to_contain_text("clamped")
    expect(lab.effect).to_be_visible()
    assert spoken(page) == ["Effect"]
    lab.button("Undo").click()
    expect(undone).to_contain_text(re.compile(r"z .* = 0\.00 at t = 4"))
    expect(lab.narration).not_to_contain_text("clamped")
    assert spoken(page) == ["Undo and redo"]
    lab.button("Redo").click()
    expect(undone).to_contain_text("Redo")
    expect(lab.narration).to_contain_text("clamped")
    assert spoken(page) == ["Undo and redo"]
    page.keyboard.press("ArrowRight")
    expect(lab.narration).to_contain_text("t = 5")
    assert spoken(page) == ["Narration"]
