"""Lessons' Markdown as HTML: numbers between braces, words that point at the figure, formulas; raw HTML is text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markupsafe import Markup, escape
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

from ..schemas import SIGNALS

PARTS = ("tape", "inputs", "outputs", "words", "cell", "equations", "memory", "influence", "whatif")
"""What a word of a lesson can point at, besides the signals."""


class Prose(NamedTuple):
    """Tokens of Markdown, which stand at a `line`."""

    tokens: list[Token]
    line: int


@cache
def markdown() -> MarkdownIt:
    """Reads and renders the text of lessons. Raw HTML is text, and pictures are not loaded."""
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
    """Markdown as HTML; `numbers` gives the text of what stands between {{ and }}, as HTML."""
    return Markup(markdown().renderer.render(prose.tokens, markdown().options, {"numbers": numbers}))


def numbers_in(prose: Prose) -> Iterator[tuple[int, str]]:
    """What stands between {{ and }}, each with its line."""
    line = prose.line
    for token in prose.tokens:
        line = token.map[0] + 1 if token.map else line
        for child in token.children or ():
            if child.type == "number":
                yield line, child.content


def mathml(latex: str, block: bool = False) -> Markup:
    """A formula, read by latex2mathml. Raises ValueError for what it does not know."""
    try:
        made = convert(latex, display="block" if block else "inline")
    except Exception as error:
        raise ValueError(f"the formula ${latex.strip()}$ cannot be read") from error
    unknown = re.search(r"\\[A-Za-z]+", re.sub(r"<[^>]*>", " ", made))
    if unknown:
        raise ValueError(f"the formula ${latex.strip()}$ has {unknown[0]}, which is not known here")
    return Markup(made)


def _number(state: StateInline, silent: bool) -> bool:
    if not state.src.startswith("{{", state.pos):
        return False
    end = state.src.find("}}", state.pos)
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
        about = href[1:]
        coloured = f" {about}" if about in SIGNALS else ""
        return f'<button type="button" class="points{coloured}" data-points="{escape(about)}">'
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
