"""Conversion of lesson Markdown to HTML, with numbers in {{ }}, words that point at the figure, and LaTeX formulas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from typing import Any, NamedTuple
from xml.etree.ElementTree import tostring

from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markupsafe import Markup, escape
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

from ..schemas import SIGNALS

PARTS = ("tape", "inputs", "outputs", "words", "cell", "equations", "memory", "influence", "whatif")
"""The page parts, besides the signals, that a word in a lesson can point at."""


LONGEST_FORMULA = 1_000
"""The maximum number of characters in a formula."""

ELEMENTS = {
    "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup",
    "munder", "mover", "munderover", "mtable", "mtr", "mtd", "mstyle", "mpadded", "mphantom", "menclose",
}  # fmt: skip
ATTRIBUTES = {
    "xmlns", "display", "displaystyle", "scriptlevel", "mathvariant", "mathsize", "mathcolor", "mathbackground",
    "accent", "movablelimits", "stretchy", "fence", "separator", "largeop", "form", "lspace", "rspace", "minsize",
    "maxsize", "width", "height", "depth", "voffset", "linethickness", "notation", "columnalign", "columnlines",
    "columnspacing", "rowlines", "rowspacing",
}  # fmt: skip
"""The allowed elements and attributes of a formula. None of them is a link, runs code or loads anything."""


class Prose(NamedTuple):
    """Markdown tokens, and the `line` of the file at which they start, from 1."""

    tokens: list[Token]
    line: int


@cache
def markdown() -> MarkdownIt:
    """Return the Markdown parser and renderer for lessons. Raw HTML is shown as text, and images are off."""
    md = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    md.use(front_matter_plugin).use(colon_fence_plugin).use(dollarmath_plugin)
    md.inline.ruler.before("link", "number", _number)
    md.add_render_rule("number", _render_number)
    md.add_render_rule("link_open", _render_link)
    md.add_render_rule("link_close", _render_link_end)
    for kind in ("math_inline", "math_inline_double", "math_block"):
        md.add_render_rule(kind, _render_math)
    return md


def render(prose: Prose, numbers: Any) -> Markup:
    """Render prose as HTML. The function `numbers` takes an expression between {{ and }}, and returns HTML."""
    return Markup(markdown().renderer.render(prose.tokens, markdown().options, {"numbers": numbers}))


def numbers_in(prose: Prose) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each expression between {{ and }}."""
    line = prose.line
    for token in prose.tokens:
        line = token.map[0] + 1 if token.map else line
        for child in token.children or ():
            if child.type == "number":
                yield line, child.content


def mathml(latex: str, block: bool = False) -> Markup:
    """Convert a LaTeX formula to MathML. Attributes outside `ATTRIBUTES` are dropped.

    Raises ValueError if the formula is too long, is not valid, or needs an element outside `ELEMENTS`.
    """
    if len(latex) > LONGEST_FORMULA:
        raise ValueError(f"a formula is too long: at most {LONGEST_FORMULA:,} characters")
    try:
        root = convert_to_element(latex, display="block" if block else "inline")
    except Exception as error:
        raise ValueError(f"the formula ${latex.strip()}$ cannot be read as LaTeX") from error
    for element in root.iter():
        if element.tag not in ELEMENTS:
            raise ValueError(f"the formula ${latex.strip()}$ uses the element {element.tag}, which is not allowed")
        # The converter writes some signs as character references: replace them with the characters.
        element.text, element.tail = unescape(element.text or ""), unescape(element.tail or "")
        unknown = re.search(r"\\[A-Za-z]+", element.text)
        if unknown:
            raise ValueError(f"the formula ${latex.strip()}$ uses {unknown[0]}, which is unknown")
        for name in set(element.attrib) - ATTRIBUTES:
            del element.attrib[name]
    return Markup(tostring(root, encoding="unicode"))


def _number(state: StateInline, silent: bool) -> bool:
    if not state.src.startswith("{{", state.pos):
        return False
    # Find the last }} only once per text. A {{ after the last }} is not closed, so no further search is needed for it.
    last = state.env.get("last")
    if last is None or last[0] is not state.src:
        last = state.env["last"] = (state.src, state.src.rfind("}}"))
    end = state.src.find("}}", state.pos) if state.pos < last[1] else -1
    if end < 0:
        return False
    if not silent:
        state.push("number", "", 0).content = state.src[state.pos + 2 : end].strip()
    state.pos = end + 2
    return True


def _render_number(self: Any, tokens: list[Token], place: int, options: Any, env: Any) -> str:
    return str(env["numbers"](tokens[place].content))


def _render_link(self: Any, tokens: list[Token], place: int, options: Any, env: Any) -> str:
    href = str(tokens[place].attrs.get("href", ""))
    if href.startswith("#"):
        target = href[1:]
        css_class = f" {target}" if target in SIGNALS else ""
        return f'<button type="button" class="points{css_class}" data-points="{escape(target)}">'
    return f'<a href="{escape(href)}" target="_blank" rel="noopener noreferrer">'


def _render_link_end(self: Any, tokens: list[Token], place: int, options: Any, env: Any) -> str:
    depth = 0
    for token in reversed(tokens[: place + 1]):
        depth += {"link_close": 1, "link_open": -1}.get(token.type, 0)
        if depth == 0:
            return "</button>" if str(token.attrs.get("href", "")).startswith("#") else "</a>"
    return "</a>"


def _render_math(self: Any, tokens: list[Token], place: int, options: Any, env: Any) -> str:
    return str(mathml(tokens[place].content, "block" in tokens[place].type))
