"""The widget of gru.show: its attributes in Python, and its JavaScript module in Chromium, without a kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import FrameLocator, Page, expect

import gru_core as gru
from app.embed import notebook
from app.link import read_link
from tests.support import contract
from tests.support.networks import deep

# The contract of anywidget: the module exports `render({ model, el })` by default, and `model` has these methods.
HOST = """async ({ _esm, ...state }) => {
    const listeners = {};
    globalThis.model = {
        saved: 0,
        get: (name) => state[name],
        // As in marimo, which reports every value, also one that is not new.
        set: (name, value) => ((state[name] = value), listeners[`change:${name}`].forEach((call) => call())),
        save_changes: () => model.saved++,
        on: (event, listener) => (listeners[event] ??= []).push(listener),
        off: (event, listener) => (listeners[event] = listeners[event].filter((other) => other !== listener)),
        // A change that comes from Python.
        change: (name, value) => ((state[name] = value), listeners[`change:${name}`].forEach((call) => call())),
    };
    document.body.innerHTML = "<div id='output'></div>";
    const source = URL.createObjectURL(new Blob([_esm], { type: "text/javascript" }));
    const { default: widget } = await import(source);
    globalThis.cleanUp = await widget.render({ model, el: document.querySelector("#output") });
}"""


@pytest.fixture(autouse=True)
def figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Point the notebook module to the app in this folder, because the installed package has a different name."""
    monkeypatch.setattr("gru_core.notebook.FIGURES", notebook.__name__)


def test_a_figure_has_the_keys_of_its_link_as_attributes() -> None:
    figure = gru.show(gru.load("flip-flop"), "A m m B", t=4, views="tape,words,cell")
    assert (figure.t, figure.unit, figure.layer, figure.sequence) == (4, 1, 1, "A m m B")
    assert (figure.views, figure.convention, figure.clamps) == ("tape,words,cell", "source", "")
    data, _ = figure._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "<table" in data["text/html"]


def test_a_trace_shows_its_clamps_its_first_state_and_its_second_sequence() -> None:
    rng = np.random.default_rng(3)
    model = deep(layers=2, units=4)
    h0 = [rng.uniform(-1, 1, cell.units) for cell in model.layers]
    clamps = [
        gru.Clamp("z", 0.25, units=[0, 2], steps=slice(1, 3)),
        gru.Clamp("h_prev", -0.5, steps=3, layer=1),
        gru.Clamp("z", 0.75, units=2, steps=3),
    ]
    trace = gru.trace(model, "a b c d", h0, clamps=clamps)
    figure = trace.show(t=2)
    link = read_link({"clamps": figure.clamps, "h0": figure.h0})
    again = gru.trace(model, figure.sequence, link.h0, clamps=[body.clamp() for body in link.clamps])
    for layer, other in zip(trace.layers, again.layers, strict=True):
        np.testing.assert_array_equal(layer.h, other.h)
    second = gru.trace(model, "a b c d", against="d c b a").show()
    assert second.against == "d c b a"
    with pytest.raises(ValueError, match="array"):
        gru.trace(model, np.zeros((2, model.encoder.inputs))).show()


@pytest.mark.parametrize(
    ("keys", "error"),
    [({"t": 9}, "t must be"), ({"q": 1}, "'q'"), ({"hide": ["x"]}, "hide"), ({"views": "x"}, "views")],
)
def test_a_key_that_does_not_fit_raises_an_error(keys: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        gru.show(gru.load("flip-flop"), "A m", **keys)


def shown(page: Page, figure: Any) -> FrameLocator:
    """Show a figure on a page without a kernel, and return the figure's frame."""
    page.route("**/notebook", lambda route: route.fulfill(content_type="text/html", body="<!doctype html>"))
    page.goto("/notebook")
    page.evaluate(HOST, figure.get_state())
    return page.locator("gru-scope iframe").content_frame


def test_without_a_kernel_the_figure_lives_and_its_attributes_follow_it(page: Page) -> None:
    figure = gru.show(gru.load("flip-flop"), "A m m B", t=4, views="tape,words")
    figure.t = 3  # set before the figure is shown, as in a saved notebook
    frame = shown(page, figure)
    heading = frame.get_by_role("heading", level=2).first
    expect(heading).to_contain_text("t = 3")
    expect(frame.locator(".heatmaplayer image").first).to_be_attached()
    frame.get_by_role("slider", name="Timestep").press("ArrowRight")
    page.wait_for_function("() => model.get('t') === 4 && model.saved")
    frame.get_by_role("textbox", name="Sequence", exact=True).fill("B m A m m")
    page.wait_for_function("() => model.get('sequence') === 'B m A m m'")
    # A new state arrives from Python as two changes at once.
    page.evaluate("() => { model.change('t', 2); model.change('clamps', 'z.1@3=0'); }")
    expect(heading).to_contain_text("t = 2")
    expect(frame.get_by_text("z = 0.00").first).to_be_attached()
    page.wait_for_function("() => model.get('clamps') === 'z.1@3=0'")
    assert page.evaluate("model.saved") <= 4  # the figure does not send received values back
    page.evaluate("() => cleanUp()")


def test_a_figure_of_a_chaotic_network_says_that_other_programs_give_other_numbers(page: Page) -> None:
    model = deep(layers=1, units=32)
    strong = model.with_parameters({name: 8 * array for name, array in model.parameters.items()})
    frame = shown(page, gru.show(strong, "a b c d " * 25, views="tape,words"))
    expect(frame.get_by_text(contract.CHAOTIC)).to_be_visible()
    expect(frame.get_by_role("combobox", name="Model")).to_be_hidden()
