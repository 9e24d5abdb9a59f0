"""The Memory and Influence views: contributions to a state, sensitivities of an output, and the check in each view."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

import gru_core as gru
from gru_core import Clamp, Model
from tests.support import contract
from tests.support.lab import Lab, Visit, number

VIEWS = "tape,words,memory,influence"


def size(text: str) -> float:
    """Parse a number in the page's format: 0.022 or 1.8 × 10⁻⁴."""
    mantissa, _, exponent = text.partition(" × 10")
    return number(mantissa) * 10.0 ** int(exponent.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)


class Causes(Lab):
    """The Lab with the Memory and Influence views."""

    def __init__(self, page: Page, exported: Callable[..., str] | None = None) -> None:
        super().__init__(page, exported)
        self.memory = page.get_by_role("region", name="Memory")
        self.influence = page.get_by_role("region", name="Influence")
        self.shares = page.get_by_role("list", name="Contribution of each timestep").get_by_role("listitem")
        self.half_lives = page.get_by_role("list", name="Half-life of the unit at each timestep").get_by_role(
            "listitem"
        )

    def summary(self, region: Locator) -> str:
        """Return the sentence of a view."""
        return (region.locator(".says").text_content() or "").replace("\u2060", "")

    def check(self, region: Locator) -> str:
        """Press the “check” button of a view and return the result."""
        region.get_by_role("button", name=contract.CHECK_IT).click()
        status = region.get_by_role("status")
        expect(status).to_have_text(re.compile("^Without t = "))
        return status.inner_text()


@pytest.mark.parametrize("convention", ["source", "pytorch"])
@pytest.mark.parametrize(
    ("name", "text", "t", "unit"),
    [
        ("store-and-recall", "A b c ? d a C b ? a ? B", 11, 2),
        ("after", "a b l c d d h a", 6, 3),
        ("tagger", "A m p B s s A m B", 5, 2),
    ],
)
def test_memory_shows_the_contributions_and_half_lives_of_the_core(
    same_visit: Visit, served_models: dict[str, Model], name: str, text: str, t: int, unit: int, convention: str
) -> None:
    model = served_models.get(name) or gru.load(name)
    trace = gru.trace(model, text)
    row = trace.ledger(unit - 1)[t - 1]
    lab = same_visit(Causes).follow(
        model=name, sequence=text, t=str(t), unit=str(unit), views=VIEWS, convention=convention
    )
    page = lab.settled().page
    percentages = [f"{100 * share:.0f}%" if share >= 0.005 else "" for share in row[1:]]
    expect(lab.shares).to_have_text(percentages)
    z = trace.z[:, unit - 1]
    lives = gru.half_life(z)
    expect(lab.half_lives).to_have_text([f"{life:.{1 if life < 10 else 0}f}" for life in lives])
    most = int(row.argmax())
    h = f"h of unit {unit} = {trace.h[t - 1, unit - 1]:.2f}".replace("-", "−")
    sentence = lab.memory.locator(".says")
    assert trace.tokens is not None
    expect(sentence).to_contain_text(
        f"{h}. Contributions: {100 * row[most]:.0f}% from t = {most} ({trace.tokens[most - 1]})"
    )
    shown_z = 1 - z[t - 1] if convention == "pytorch" else z[t - 1]
    expect(sentence).to_contain_text(re.compile(rf"If z stayed at ({shown_z:.2f}|{shown_z:.3f}|{shown_z:.4f}),"))
    # The picture has a row per state, and a column per contributing step. Its alpha is the square root of the share.
    pixels = page.evaluate(
        """() => {
            const canvas = document.querySelector(".ledger canvas");
            const other = new OffscreenCanvas(canvas.width, canvas.height);
            const copy = other.getContext("2d", { willReadFrequently: true });
            copy.drawImage(canvas, 0, 0);
            const { data, width } = copy.getImageData(0, 0, canvas.width, canvas.height);
            const alpha = [...data].filter((_, i) => i % 4 === 3);
            return Array.from({ length: canvas.height }, (_, y) => alpha.slice(y * width, (y + 1) * width));
        }"""
    )
    expected = trace.ledger(unit - 1)
    expected = np.where(expected < 0.002, 0, np.sqrt(expected))
    np.testing.assert_allclose(np.array(pixels) / 255, expected, atol=0.006)


def test_memory_compares_a_clamped_run_with_the_original_run(same_visit: Visit) -> None:
    text = "A m m B m"
    lab = same_visit(Causes).follow(model="flip-flop", sequence=text, t="5", views=VIEWS, clamps="z@4=0")
    model = gru.load("flip-flop")
    clamped, original = (
        gru.trace(model, text, clamps=clamps).ledger(0)[4] for clamps in ([Clamp("z", 0, None, slice(3, 4))], [])
    )
    expect(lab.memory.locator(".says")).to_contain_text(f"Contributions: {100 * clamped[1]:.0f}% from t = 1 (A)")
    expect(lab.memory.locator(".twin-says")).to_have_text(
        re.compile(rf"original run: {100 * original[4]:.0f}% from t = 4 \(B\), ")
    )


def test_memory_names_the_clamp_that_set_a_state(same_page: Page) -> None:
    """The sentence gives the origin of the first share: h_0, or the value and the timestep of a clamp on h_prev."""
    text = "A b c ? d a"
    lab = Causes(same_page).follow(model="store-and-recall", sequence=text, t="3", unit="2", views=VIEWS)
    share = gru.trace(gru.load("store-and-recall"), text).ledger(1)[2, 0]
    expect(lab.memory.locator(".says")).to_contain_text(f"{100 * share:.0f}% of the initial state h₀ = 0.00")
    lab.follow(model="store-and-recall", sequence=text, t="5", unit="2", views=VIEWS, clamps="h_prev@3=0.5")
    clamped = gru.trace(gru.load("store-and-recall"), text, clamps=[Clamp("h_prev", 0.5, None, slice(2, 3))])
    share = clamped.ledger(1)[4, 0]
    sentence = f"{100 * share:.0f}% from the value 0.50 that a clamp set at t = 3"
    expect(lab.memory.locator(".says")).to_contain_text(sentence)
    # The sum at the clamped timestep has the same value.
    lab.follow(model="store-and-recall", sequence=text, t="3", unit="2", zoom="gate", clamps="h_prev@3=0.5")
    expect(lab.cell.get_by_role("row", name=re.compile("^h2, t − 1"))).to_contain_text("× 0.50")


def test_the_sign_of_a_sensitivity_follows_the_convention_of_z(same_page: Page) -> None:
    text = "=0.3 +0.2 0.35 -0.1 =-0.2 +0.3"
    lab = Causes(same_page).follow(model="pocket-calculator", sequence=text, t="6", views=VIEWS)
    sign = -1 if gru.trace(gru.load("pocket-calculator"), text).sensitivity(5).gates[0]["z"][4, 0] < 0 else 1
    sentence = lab.influence.locator(".says")
    for convention, shown_sign in (("takes", sign), ("keeps", -sign), ("takes", sign)):
        same_page.get_by_role("radio", name=convention).check()
        expect(sentence).to_contain_text(re.compile(f"∂y/\u2060∂z = {'−' if shown_sign < 0 else '[0-9]'}"))


def test_memory_shows_5_percent_after_100_steps_at_z_0_03(same_visit: Visit) -> None:
    """After 100 timesteps with z = 0.03, 0.97^100 = 4.8% of the state is left."""
    text = "A" + " m" * 100
    lab = same_visit(Causes).follow(model="flip-flop", sequence=text, t="101", views=VIEWS, clamps="z@1=1,z@2-101=0.03")
    expect(lab.memory.locator(".says")).to_contain_text("Contributions: 5% from t = 1 (A)")
    expect(lab.shares.first).to_have_text("5%")
    expect(lab.half_lives.nth(50)).to_have_text("23")


@pytest.mark.parametrize("scale", ["absolute", "normalized"])
@pytest.mark.parametrize(
    ("name", "text", "t", "unit"),
    [
        ("pocket-calculator", "=0.3 +0.2 0.35 -0.1 =-0.2 +0.3", 6, 1),
        ("sentiment", "not very bad . the film was good", 8, 5),
    ],
)
def test_influence_shows_the_sensitivities_of_the_core(
    same_visit: Visit, name: str, text: str, t: int, unit: int, scale: str
) -> None:
    trace = gru.trace(gru.load(name), text)
    sensitivity = trace.sensitivity(t - 1)
    norms = np.linalg.norm(sensitivity.x, axis=1)
    lab = same_visit(Causes).follow(model=name, sequence=text, t=str(t), unit=str(unit), views=VIEWS, scale=scale)
    page = lab.settled().page
    most = int(norms.argmax()) + 1
    expect(lab.influence.locator(".says")).to_contain_text(f"to the input at t = {most} ({trace.tokens[most - 1]})")  # type: ignore[index]
    match = re.search(r"\|∂y/∂x\| = ([^.]+(?:\.\d[^.]*)?)\. ", lab.summary(lab.influence))
    assert match
    assert size(match[1]) == pytest.approx(norms.max(), rel=0.06)
    expect(lab.influence.locator(f"[value={scale}]")).to_be_checked()
    tints = page.evaluate(
        "() => [...document.querySelectorAll('#tokens li')].map(li => Number(li.style.getPropertyValue('--tint')))"
    )
    scaled = norms / (norms.max() if scale == "normalized" else 1)
    expected = np.where(scaled > 0.02, np.minimum(1, scaled), 0)
    np.testing.assert_allclose(tints, expected, atol=0.002)
    # The table contains every number of the view.
    lab.influence.locator("summary").click()
    rows = lab.influence.locator("tbody tr")
    expect(rows).to_have_count(t)
    table = [[size(cell) for cell in row.split("\t")[2:]] for row in rows.all_inner_texts()]
    H = trace.h.shape[1]
    sizes = [
        norms,
        sensitivity.gates[-1]["z"][:, unit - 1],
        sensitivity.gates[-1]["r"][:, unit - 1],
        sensitivity.h_unit[:, unit - 1],
        sensitivity.h_norm / np.sqrt(H),
    ]
    np.testing.assert_allclose(table, np.array(sizes).T, rtol=0.06, atol=0.0051)
    lab.influence.locator("summary").click()
    # There are four curves, and a fifth for a layer with several units. The scale is logarithmic.
    curves = lab.influence.locator("g.curve")
    expect(curves).to_have_count(4 if H == 1 else 5)
    dots = page.evaluate(
        "() => [...document.querySelectorAll('g.curve.x circle')].map(dot => Number(dot.getAttribute('cy')))"
    )
    heights = -np.log10(norms)
    slope = np.polyfit(heights, dots, 1)
    np.testing.assert_allclose(np.polyval(slope, heights), dots, atol=0.2)
    assert slope[0] > 0


def test_the_check_leaves_out_the_step_that_the_view_names(same_page: Page) -> None:
    """At an addition, Memory names the addition and Influence the load. Each check leaves out the named timestep."""
    text = "=0.3 +0.2 0.35 -0.1 =-0.2 +0.3"
    lab = Causes(same_page).follow(model="pocket-calculator", sequence=text, t="6", views=VIEWS)
    model = gru.load("pocket-calculator")
    original = gru.trace(model, text)
    named = {
        "memory": int(original.ledger(0)[5, 1:].argmax()),
        "influence": int(np.abs(original.sensitivity(5).x).max(1).argmax()),
    }
    assert named == {"memory": 5, "influence": 4}
    for region, step in ((lab.memory, 5), (lab.influence, 4)):
        clamped = gru.trace(model, text, clamps=[Clamp("z", 0.0, None, slice(step, step + 1))])
        result = lab.check(region)
        assert f"h at t = 6 changes from {original.h[5, 0]:.2f} to {clamped.h[5, 0]:.2f}".replace("-", "−") in result
        assert f"the output changes from {original.y[5, 0]:.2f} to {clamped.y[5, 0]:.2f}".replace("-", "−") in result
    lab.influence.get_by_role("button", name="Keep this clamp").click()
    same_page.wait_for_url("**clamps=z@5=0**")
    expect(lab.influence.get_by_role("status")).to_be_empty()


def test_a_state_with_a_small_gradient_still_matters(same_page: Page) -> None:
    """After 40 distractors, neither view names the A. Yet without the A, the output changes."""
    text = "A" + " m" * 40
    lab = Causes(same_page).follow(model="flip-flop-plain", sequence=text, t="41", views=VIEWS)
    trace = gru.trace(gru.load("flip-flop-plain"), text)
    assert np.linalg.norm(trace.sensitivity(40).x[0]) < 1e-6
    expect(lab.influence.locator(".says")).to_contain_text("t = 41 the output A (p = 1.00)")
    expect(lab.influence).to_contain_text("small gradient")
    for region in (lab.memory, lab.influence):
        assert "the output stays A" in lab.check(region)
    lab.follow(model="flip-flop-plain", sequence=text, t="41", views=VIEWS, clamps="z@1=0")
    expect(lab.narration).to_contain_text("the output is B (original run: A)")


def test_memory_of_a_long_run_shows_the_rows_near_the_cursor(same_page: Page) -> None:
    text = "B" + " m" * 399
    lab = Causes(same_page).follow(model="flip-flop", sequence=text, t="350", views=VIEWS)
    expect(lab.memory.locator("figcaption")).to_contain_text(re.compile(r"Timesteps \d+ to 400 of 400"))
    lab.step.fill("20")
    expect(lab.memory.locator("figcaption")).to_contain_text(re.compile(r"Timesteps 1 to \d+ of 400"))
    expect(lab.memory.locator(".says")).to_contain_text("At t = 20,")


def test_a_failed_request_is_reported_in_its_view(same_page: Page, console_errors: list[str]) -> None:
    lab = Causes(same_page)
    same_page.route("**/api/ledger", lambda route: route.abort())
    lab.follow(model="flip-flop", sequence="A m B m", t="2", views=VIEWS)
    expect(lab.memory.get_by_role("alert")).to_contain_text(contract.NO_SERVER)
    same_page.unroute("**/api/ledger")
    lab.button("Next timestep").click()
    expect(lab.memory.get_by_role("alert")).to_be_empty()
    expect(lab.memory.locator(".says")).to_contain_text("At t = 3,")
    console_errors.clear()
