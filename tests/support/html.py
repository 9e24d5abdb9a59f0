"""Functions that extract parts and text from HTML."""

from __future__ import annotations

import re
from html import unescape


def first_match(pattern: str, html: str) -> str:
    """Return the first group of the first match of `pattern` in `html`. Raises AssertionError if there is no match."""
    match = re.search(pattern, html, re.DOTALL)
    assert match, pattern
    return match[1]


def text_of(html: str) -> str:
    """Return the text of a page without tags, scripts and styles."""
    return unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style).*?</\1>", "", html, flags=re.S)))
