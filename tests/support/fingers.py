"""Find touch targets and texts that are too small, and elements that the screen cuts off."""

from __future__ import annotations

import re

from playwright.sync_api import Page

from tests.support.measured import text_sizes

LEAST_TARGET = 44
"""The smallest allowed width and height of a target, in CSS pixels (WCAG 2.2, criterion 2.5.5)."""
LEAST_TEXT = 11
"""The smallest allowed text size, in CSS pixels."""

INDEX = re.compile(r"(^| > )(sub\b|msub|msup)[^>]*( > [^>]+)?$")
"""A pattern for the path of an element that is a subscript or superscript, or is inside one."""

_COMMON = """
const isVisible = (element) => {
    const { width, height } = element.getBoundingClientRect();
    if (width <= 1 || height <= 1 || element.closest(".unseen, #js-plotly-tester")) return false;
    return element.checkVisibility({ visibilityProperty: true });
};
const nameOf = (element) => {
    const words = element.ariaLabel || element.textContent.trim().replace(/\\s+/g, " ").slice(0, 30) || element.name;
    return `${element.localName}.${element.getAttribute("class") ?? ""} “${words}”`;
};
const all = (selector) => [...document.body.querySelectorAll(selector)];
"""
_TARGETS = """(least) => {
    const inSentence = (element) => {
        const around = element.matches("a, .points") && element.closest("p, li, dd, figcaption, small, td");
        if (!around || !/^inline(-block)?$/.test(getComputedStyle(element).display)) return false;
        return [...around.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && /\\p{L}{2}/u.test(node.data));
    };
    const targets = all("a[href], button, select, textarea, summary, input, [role=button], [role=slider], [role=tab]");
    return targets.flatMap((target) => {
        const box = (["radio", "checkbox"].includes(target.type) && target.closest("label")) || target;
        if (!isVisible(box) || inSentence(target)) return [];
        const { width, height } = box.getBoundingClientRect();
        const isSmall = Math.min(width, height) < least - 0.01;
        return isSmall ? [`${nameOf(target)}: ${width.toFixed(1)} × ${height.toFixed(1)}`] : [];
    });
}"""
_CUT = """() => {
    const scrolls = (element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
    const inScroller = (element) =>
        element !== document.body && (scrolls(element) || inScroller(element.parentElement));
    return all("*").flatMap((element) => {
        if (!isVisible(element) || inScroller(element)) return [];
        const { left, right } = element.getBoundingClientRect();
        const hides = getComputedStyle(element).overflowX === "hidden" && element.scrollWidth > element.clientWidth + 1;
        return left < -1 || right > innerWidth + 1 || hides ? [`${nameOf(element)}: ${left} to ${right}`] : [];
    });
}"""


def small_targets(page: Page, least: float = LEAST_TARGET) -> list[str]:
    """Return the visible targets that are narrower or lower than `least` CSS pixels, with their sizes, as text.

    The size of a radio button or check box is that of its label. Targets within a sentence are ignored.
    """
    return _measured(page, _TARGETS, least)


def small_texts(page: Page, least: float = LEAST_TEXT) -> list[str]:
    """Return the visible texts that are rendered smaller than `least` pixels.

    Indices are left out.
    """
    small = [(size, text, path) for size, text, path in text_sizes(page) if size < least - 0.01]
    return [f"{path} “{text}”: {size:.1f}" for size, text, path in small if not INDEX.search(path)]


def cut_off(page: Page) -> list[str]:
    """Return the visible elements that extend past a side of the screen, or hide overflowing content.

    Elements in a part that scrolls sideways are ignored.
    """
    return _measured(page, _CUT, 0)


def _measured(page: Page, function: str, least: float) -> list[str]:
    problems: list[str] = page.evaluate(f"(least) => {{ {_COMMON} return ({function})(least); }}", least)
    return problems
