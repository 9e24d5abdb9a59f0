"""Parts of a page, and its visible text."""

from __future__ import annotations

import re
from html import unescape


def first_match(pattern: str, html: str) -> str:
    """Return the part of a page that the first group of a pattern matches."""
    match = re.search(pattern, html, re.DOTALL)
    assert match, pattern
    return match[1]


def text_of(html: str) -> str:
    """Return the text of a page without its tags."""
    return unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style).*?</\1>", "", html, flags=re.S)))
