"""Measurements of a rendered page: text sizes, and how far elements move while the cursor moves."""

from __future__ import annotations

from playwright.sync_api import Page

SIZES = {"1920x1080": (1920, 1080), "1440x900": (1440, 900), "1024x768": (1024, 768), "390x844": (390, 844)}
"""The screens for measurements, in CSS pixels: a projector, two laptops and a phone."""

_NAME = """
    const nameOf = (element) =>
        element.localName + (element.id ? `#${element.id}` : [...element.classList].map((name) => `.${name}`).join(""));
    const pathOf = (element) => {
        const names = [];
        for (let at = element; at && at !== document.body; at = at.parentElement) names.unshift(nameOf(at));
        return names.slice(-4).join(" > ");
    };
"""

# The size of text in an SVG picture is the font size times the scale of the picture.
_SIZES = f"""
    () => {{
        {_NAME}
        const style = (element) => getComputedStyle(element);
        const shown = (element) =>
            element.checkVisibility({{ visibilityProperty: true, opacityProperty: true }}) &&
            // Text that only a screen reader reads is clipped to nothing.
            [element, element.parentElement].every((part) => style(part).clipPath === "none");
        const scale = (element) => (element instanceof SVGElement ? element.getScreenCTM().d : 1);
        const size = (element) => parseFloat(style(element).fontSize) * scale(element);
        const texts = [];
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {{
            const element = node.parentElement;
            if (!node.data.trim() || element.closest("script, style, title, option, dialog:not([open])")) continue;
            const range = document.createRange();
            range.selectNodeContents(node);
            const {{ width, height }} = range.getBoundingClientRect();
            if (width > 0.5 && height > 0.5 && shown(element))
                texts.push([size(element), node.data.trim().slice(0, 30), pathOf(element)]);
        }}
        for (const field of document.querySelectorAll("input:is([type=text], [type=number]), select, textarea"))
            if (shown(field) && field.getBoundingClientRect().width > 1)
                texts.push([size(field), field.value, pathOf(field)]);
        return texts.sort(([a], [b]) => a - b);
    }}
"""

# Elements inside a sentence, an equation or a picture are not measured: the paragraph or the picture is. Marks of the
# cursor are ignored, because they move with the cursor.
_SHIFT = f"""
    async (moves) => {{
        {_NAME}
        const marks = ".cursor, .ahead, .rowmark, .plot .old, .here, .now, .at-row, .at-column, .pages *";
        const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        const settled = async () => {{
            await frames();
            for (let i = 0; i < 200 && document.querySelector(".late"); i++) await frames();
        }};
        const hasPlace = (element) =>
            !element.closest(marks) &&
            (element.closest("svg, math") ?? element) === element &&
            !(element.closest("p") && getComputedStyle(element).display.startsWith("inline"));
        const place = (element) => {{
            const {{ left, top }} = element.getBoundingClientRect();
            // A tape that is wider than its frame scrolls with the cursor, and its labels stay.
            const frame = element.closest(".gutter, .unitnames") ? null : element.parentElement?.closest(".scroller");
            return [left + scrollX + (frame?.scrollLeft ?? 0), top + scrollY];
        }};
        const places = () => new Map(
            [...document.body.querySelectorAll("*")]
                .filter((element) => element.getClientRects().length && hasPlace(element))
                .map((element) => [element, place(element)]),
        );
        const farthest = {{}};
        await settled();
        let before = places();
        for (let i = 0; i < moves; i++) {{
            document.body.dispatchEvent(new KeyboardEvent("keydown", {{ key: "ArrowRight", bubbles: true }}));
            await settled();
            const after = places();
            for (const [element, [left, top]] of after) {{
                const [x, y] = before.get(element) ?? [left, top];
                const moved = Math.max(Math.abs(left - x), Math.abs(top - y));
                // Browsers place text at fractions of a pixel.
                if (moved >= 0.5) farthest[pathOf(element)] = Math.max(farthest[pathOf(element)] ?? 0, moved);
            }}
            before = after;
        }}
        return Object.entries(farthest).sort(([, a], [, b]) => b - a);
    }}
"""


def text_sizes(page: Page) -> list[tuple[float, str, str]]:
    """Return (size, text, element path) for each visible text, the smallest first. Sizes are in CSS pixels."""
    sizes: list[tuple[float, str, str]] = page.evaluate(_SIZES)
    return sizes


def shift(page: Page, steps: int = 30) -> list[tuple[str, float]]:
    """Move the cursor over the next `steps` timesteps. Return (path, move) for each element that moved.

    The move is the largest of this element, in CSS pixels. The largest moves come first.
    """
    parts: list[tuple[str, float]] = page.evaluate(_SHIFT, steps)
    return parts
