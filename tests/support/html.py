"""The visible text of a page."""

from __future__ import annotations

import re
from html import unescape


def text_of(html: str) -> str:
    """Return the text of a page without its tags."""
    return unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style).*?</\1>", "", html, flags=re.S)))
