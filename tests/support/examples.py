"""Examples in Markdown, run: what they print is what their comments say, and what the prose says."""

from __future__ import annotations

import ast
import io
import re
import warnings
from contextlib import redirect_stdout
from typing import Any

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.S | re.M)


def blocks(markdown: str) -> list[str]:
    """The sources of a page's Python blocks."""
    return BLOCK.findall(markdown)


def run(sources: list[str], names: dict[str, Any] | None = None) -> list[tuple[str, list[str]]]:
    """Run the blocks of a page one after the other: for each what it printed, and what its comments said it would.

    What is said stands behind a `print`, or in lines of comment after one or after a loop around one.
    """
    names, found = {} if names is None else names, []
    for source in sources:
        printed = io.StringIO()
        with redirect_stdout(printed), warnings.catch_warnings():
            warnings.simplefilter("error")
            exec(compile(source, "example", "exec"), names)
        found.append((printed.getvalue(), said(source)))
    return found


def said(source: str) -> list[str]:
    lines, comments = source.splitlines(), list[str]()
    for statement in ast.parse(source).body:
        if "print(" not in (ast.get_source_segment(source, statement) or ""):
            continue
        last = (statement.end_lineno or 0) - 1
        behind = lines[last][statement.end_col_offset or 0 :].partition("# ")[2]
        comments += [behind] if behind else []
        for line in lines[last + 1 :] if not behind else []:
            if not line.startswith("# "):
                break
            comments.append(line[2:])
    return comments


def check(markdown: str) -> str:
    """Raises AssertionError where an output is not what was said. Returns all that was printed."""
    everything = ""
    for printed, comments in run(blocks(markdown)):
        lines = printed.splitlines()
        assert len(lines) == len(comments), (lines, comments)
        for output, comment in zip(lines, comments, strict=True):
            # A remark may follow the output.
            assert comment.split()[: len(output.split())] == output.split(), (output, comment)
        everything += printed
    return everything


def figures(prose: str) -> set[str]:
    """The numbers with a decimal point or a power of ten in a text outside its code."""
    prose = re.sub(r"```.*?^```|^    .*?$|`[^`]*`|<[^>]*>|\]\([^)]*\)|arXiv:\S+", "", prose, flags=re.S | re.M)
    return set(re.findall(r"\d+(?:\.\d+)?e-\d+|\d+\.\d+", prose))
