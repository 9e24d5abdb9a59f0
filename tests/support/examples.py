"""Examples in Markdown: run them, and compare their output with their comments and with the numbers in the prose."""

from __future__ import annotations

import ast
import io
import re
import warnings
from contextlib import redirect_stdout
from typing import Any

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.S | re.M)


def blocks(markdown: str) -> list[str]:
    """Return the source of each Python block in a Markdown page."""
    return BLOCK.findall(markdown)


def run(sources: list[str], names: dict[str, Any] | None = None) -> list[tuple[str, list[str]]]:
    """Run the blocks of a page in order. Return for each block its output and the output that its comments state.

    The output is stated in a comment after a `print`, or in comment lines after a statement with a `print`.
    """
    names, results = {} if names is None else names, []
    for source in sources:
        printed = io.StringIO()
        with redirect_stdout(printed), warnings.catch_warnings():
            warnings.simplefilter("error")
            exec(compile(source, "example", "exec"), names)
        results.append((printed.getvalue(), comments_of(source)))
    return results


def comments_of(source: str) -> list[str]:
    """Return the comments of a block that state what it prints."""
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
    """Compare the output of each block with its comments, and return all output. Raise AssertionError on a mismatch."""
    output_of_page = ""
    for printed, comments in run(blocks(markdown)):
        lines = printed.splitlines()
        assert len(lines) == len(comments), (lines, comments)
        for output, comment in zip(lines, comments, strict=True):
            # In a comment, a remark may follow the output.
            assert comment.split()[: len(output.split())] == output.split(), (output, comment)
        output_of_page += printed
    return output_of_page


def figures(prose: str) -> set[str]:
    """Return the numbers in `prose` that have a decimal point or an exponent. Code and links are ignored."""
    prose = re.sub(r"```.*?^```|^    .*?$|`[^`]*`|<[^>]*>|\]\([^)]*\)|arXiv:\S+", "", prose, flags=re.S | re.M)
    return set(re.findall(r"\d+(?:\.\d+)?e-\d+|\d+\.\d+", prose))
