"""The text of all pages: no line break separates a value from its name, and all numbers are formatted alike."""

from __future__ import annotations

import re
from html import unescape

import pytest
from fastapi.testclient import TestClient

from app.assets import TEMPLATES

LESSONS = sorted(path.stem for path in (TEMPLATES / "lessons").glob("*.md"))
PAGES = [
    "/",
    "/?model=store-and-recall-lstm",
    "/compare",
    *(f"/compare/{name}" for name in ("gap", "sequence", "bottleneck", "race", "attention")),
    "/train",
    "/lessons",
    "/teach",
    "/teach/lab-sheet",
    "/start",
    *(f"/lessons/{name}" for name in LESSONS),
]
BREAKABLE = r"[\w₀-₉] = [−\d]|\b[tz] =|\bnear [01]\b|\b[rz] near|\d %"
"""A pattern for a value and its name, separated by spaces at which a line can break."""
LONG = r"(?<![\d.,:/])\d{4,}(?![\d:])"
"""A pattern for a number with four or more digits and no comma."""


def shown(html: str) -> str:
    """Return the text of a page, without code, formulas, and parts in which a line cannot break."""
    for part in (
        r"<(script|style|math|svg|option|code|title|head)\b.*?</\1>",
        r'<span id="clock".*?<label',
        r'<span class="whole">.*?</span></span>',
        r'<a [^>]*href="https.*?</a>',
    ):
        html = re.sub(part, " ", html, flags=re.DOTALL)
    html = re.sub(r"</?(i|b|sub|sup|span|em|output|small)\b[^>]*>", "", html)
    return unescape(re.sub(r"<[^>]+>", "\n", html))


@pytest.mark.parametrize("path", PAGES)
def test_no_line_breaks_a_value_and_every_long_number_has_a_comma(client: TestClient, path: str) -> None:
    text = shown(client.get(path).text)
    breaks = [text[max(0, match.start() - 20) : match.end() + 20] for match in re.finditer(BREAKABLE, text)]
    breaks += [number for number in re.findall(LONG, text) if not re.fullmatch(r"(1[7-9]|20)\d\d", number)]
    assert breaks == []


def test_the_search_finds_a_value_that_a_line_can_break() -> None:
    for text in ("With <i>z</i> near 1", "at t = 4", "z near&nbsp;0 or z = 1", "99 %"):
        assert re.search(BREAKABLE, shown(text)), text
    assert not re.search(BREAKABLE, shown("<i>z</i>&nbsp;near&nbsp;1, t&nbsp;=&nbsp;4, 99%"))
    assert re.findall(LONG, shown("2550 and 2,550 in arXiv 0.00061")) == ["2550"]
