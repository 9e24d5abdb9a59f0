"""Checks that a lesson's page does not give away an answer before the student answers the question."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from html import unescape
from typing import Any

from playwright.sync_api import Page, expect

from app.lessons.reading import Figure, LessonQuestion, Step
from app.lessons.shown import ShownQuestion, reveal_answer
from app.settings import Settings
from tests.support.lessons import keys_of

ANSWER = """
(forms) => forms.map((form) => {
    const choice = form.querySelector("[type=radio], [type=checkbox]");
    if (choice) choice.checked = true;
    for (const slider of form.querySelectorAll("[type=range]")) slider.click(); // in the middle
    form.querySelector(".act button").click();
    return form.dataset.question;
})
"""
"""A script that answers the questions in forms, and returns the ids of the questions."""

SHOWN = """
(step) => {
    const parts = [document.querySelector(`.step[data-step="${step}"]`), document.querySelector(".stage")];
    const places = "nav, .clock, #clock, .unitnames, .xtick, .ytick, h2 [data-slot], select, .transport";
    const texts = [];
    for (const element of parts.flatMap((part) => [part, ...part.querySelectorAll("*")])) {
        if (!element.checkVisibility({ visibilityProperty: true })) continue;
        const own = [...element.childNodes].filter(({ nodeType }) => nodeType === 3).map(({ data }) => data).join(" ");
        const names = ["aria-label", "aria-valuetext", "title"].map((name) => element.getAttribute(name));
        const value = element.matches("input:not([type=range]):not([type=radio]):not([type=checkbox])")
            ? element.value : "";
        const text = [own, ...names, value].filter((text) => text?.trim()).join(" ¶ ");
        if (!text || element.closest("script, style, option")) continue;
        const form = element.closest(".options")?.closest("form")?.dataset.question ?? "";
        const block = element.closest("p, li, td, th, text, .cells, h2, button");
        texts.push({ text, options: form, place: Boolean(element.closest(places)),
                     block: (block?.textContent ?? text).trim().replaceAll(/\\s+/g, " ") });
    }
    const row = (signal) => [...document.querySelectorAll(`#tape [data-signal="${signal}"] .values span`)]
        .map(({ textContent }) => textContent);
    const signals = [...document.querySelectorAll("#tape [data-signal]")].map(({ dataset }) => dataset.signal);
    const pictures = document.querySelector("#tape .heatmaps")?.data ?? [];
    return {
        texts,
        outputs: [...document.querySelectorAll("#outputs li")].map(({ textContent }) => textContent.trim()),
        rows: Object.fromEntries(signals.map((signal) => [signal, row(signal)])),
        drawn: Object.fromEntries(pictures.map(({ name, z }) =>
            [name, Array.from(z[0], (value) => value !== null && !Number.isNaN(value))])),
        marked: [parts[0], document.querySelector("#tape") ?? document.createElement("p")]
            .some((part) => part.querySelector(".is, .yours, .correct, .picked, .predict :checked, .real[d^=M]")),
        memory: [...document.querySelectorAll(".ribbon, [data-part=memory]")].some((part) => part.checkVisibility()),
    };
}
"""
"""A script that returns everything that a visitor or a screen reader can read in a step and its figure."""

NUMBER = re.compile(r"(?<![\w.])([−-]?\d[\d,]*(?:\.\d+)?)(%)?(?![\w]|\.\d)")

PLACES = re.compile(r"\b(?:t|T|unit|units|layer|part|seed|seeds|timestep|timesteps|step|steps|lesson)(?: =)? \d+")
"""A pattern for whole numbers that only name a place, such as “unit 3”."""


def settled(page: Page) -> None:
    """Wait until the figure on a lesson's page shows its run."""
    frames = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    page.evaluate(frames)
    page.wait_for_function(
        "() => document.querySelector('#tape')?.ariaBusy !== 'true' && "
        "![...document.querySelectorAll('.late')].some((part) => part.checkVisibility())"
    )
    page.evaluate(frames)


def answer_all(page: Page, n: int) -> None:
    """Answer all questions of step `n`, and wait until the page shows the results."""
    forms = page.locator(f".step[data-step='{n}'] form.predict")
    expect(forms.locator(".act button:disabled")).to_have_count(0)  # until the page's scripts have loaded
    for question in forms.evaluate_all(ANSWER):
        expect(page.locator(f".revealed[data-question='{question}'] .outcome")).not_to_be_empty()


def spoilers(page: Page, n: int, step: Step, shown: list[ShownQuestion]) -> Iterator[str]:
    """Yield a message for each thing on the page that gives away an answer of step `n`, before any answer."""
    if not step.questions:
        return
    visible = page.evaluate(SHOWN, n)
    if visible["marked"]:
        yield "an answer is marked"
    for question, drawn in zip(step.questions, shown, strict=True):
        answer = reveal_answer(question, Settings())
        for reason in _spoilers_of(question, drawn, answer, step.figure, visible):
            yield f"question {drawn.id}: {reason}"


def _spoilers_of(
    question: LessonQuestion, shown: ShownQuestion, answer: dict[str, Any], figure: Figure, visible: dict[str, Any]
) -> Iterator[str]:
    if question.kind == "number":
        yield from _same_numbers(answer["text"], visible["texts"], "")
    elif question.kind == "choose":
        for i in answer["truth"]:
            for expression, link, text in computed(str(shown.prompt.options[i])):
                if re.search(r"\d", text):
                    yield from _same_numbers(text, visible["texts"], shown.id)
                elif is_output_shown(expression, link, figure, visible["outputs"]):
                    yield f"the output row shows {text}"
    elif question.kind == "draw":
        name = shown.prompt.signal.partition(".")[0]
        printed = visible["rows"].get(name, [])  # the numbers of one unit after another
        later = [text for i, text in enumerate(printed) if i % len(shown.prompt.steps) >= shown.prompt.start]
        if any(later) or any(visible["drawn"].get(name, [])[shown.prompt.start :]):
            yield f"the row of {name} shows values at the timesteps to draw"
    else:
        name = re.split(r"[. ]", question.target)[0]
        if any(visible["drawn"].get(name, [])[t - 1 : t] == [True] for t in answer["truth"]):
            yield f"the row of {name} shows values at the timesteps to select"
        if question.target.startswith("most ") and visible["memory"]:
            yield "the view Memory is open"


def computed(html: str) -> list[tuple[str, str, str]]:
    """Return (expression, link, text) for each computed number or label in `html`."""
    numbers = re.findall(r'<data class="number"[^>]* data-what="([^"]*)" data-of="([^"]*)">([^<]*)</data>', html)
    return [(unescape(expression), unescape(link), unescape(text)) for expression, link, text in numbers]


def _same_numbers(text: str, texts: list[dict[str, Any]], question: str) -> Iterator[str]:
    """Yield a message for each of `texts` with a number equal to `text`, except in the options of the question."""
    truth = NUMBER.fullmatch(text)
    if truth is None:
        return
    whole = "." not in text and not truth[2]
    for entry in texts:
        if (question and entry["options"] == question) or (whole and entry["place"]):
            continue
        words = PLACES.sub("", entry["text"]) if whole else entry["text"]
        for match in NUMBER.finditer(words):
            if match[0] == text if whole else _equals(match, truth):
                yield f"the answer {text} is in “{entry['block'][:90]}”"
                break


def _equals(number: re.Match[str], truth: re.Match[str]) -> bool:
    """Return whether a number, with at least as many decimals as the answer, rounds to the answer."""
    value, answer = _decimal(number), _decimal(truth)
    if value.as_tuple().exponent > answer.as_tuple().exponent:  # type: ignore[operator]
        return False
    return round(value, -int(answer.as_tuple().exponent)) == answer  # type: ignore[arg-type]


def _decimal(number: re.Match[str]) -> Decimal:
    value = Decimal(number[1].replace("−", "-").replace(",", ""))
    return value.scaleb(-2) if number[2] else value


def is_output_shown(expression: str, link: str, figure: Figure, outputs: list[str]) -> bool:
    """Return whether the figure already shows the output that an expression such as y@4 computes."""
    body, _, change = expression.partition("|")
    match = re.fullmatch(r"y(?:@(\d+))?", body.strip())
    if match is None or figure.page:
        return False
    asked, here = keys_of(link, change.strip()), dict(figure.keys)
    t = int(match[1] or asked.get("t", 1))
    same = [asked.get(key, "") == here.get(key, "") for key in ("model", "clamps", "weights")]
    inputs = [keys.get("sequence", "").split()[:t] for keys in (asked, here)]
    return all(same) and inputs[0] == inputs[1] and any(outputs[t - 1 : t])
