"""Tests of the word check in tests/words.py: it reports a phrase at the right line of prose, and ignores code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import words

BAD = "These are kept aside."

CASES = {
    ".md": f"# Title\n\n```python\n{BAD}\n```\n`kept aside`\n[a](kept-aside.md)\n{BAD}\n\n    {BAD}\n",
    ".html": f'{{# {BAD} #}}\n<p class="kept aside">\n{{% set a = "kept" ~ "aside" %}}\n<script>"{BAD}"</script>\n'
    f"<code>{BAD}</code>\n\n\n<p>These are <i>kept</i> aside.</p>\n",
    ".js": f'// {BAD}\n/* {BAD}\n*/\nconst keptAside = /kept aside"`/;\nfind(".kept aside");\n'
    'const b = x ? `${y ? `a ${z}` : ""}` : "";\n\nsay(`These ${n} are kept aside.`);\n',
    ".py": f'"""{BAD}"""\n# {BAD}\nkept = aside = 1\n\n\n\n\nraise ValueError(f"these {{kept}} are " "kept aside")\n',
}


@pytest.mark.parametrize("suffix", CASES)
def test_a_phrase_is_found_in_prose_but_not_in_code(suffix: str) -> None:
    text = words.READ[suffix](CASES[suffix])
    assert len(text) == len(CASES[suffix])
    assert [(hit.line, hit.text) for hit in words.hits(Path("a"), text)] == [(8, "kept aside")]


def test_only_markdown_cells_of_a_notebook_are_checked() -> None:
    cells = [{"cell_type": kind, "id": kind, "metadata": {}, "source": [BAD]} for kind in ("code", "markdown")]
    text = json.dumps({"cells": cells}, indent=1)
    (hit,) = words.hits(Path("a"), words.notebook(text))
    assert BAD in text.splitlines()[hit.line - 1]
    assert hit.line > text.splitlines().index('   "cell_type": "markdown",')


@pytest.mark.parametrize(
    "text",
    [
        "kept\naside",
        "z keeps 98 % of it",
        "Of these, two are open.",
        "Were z to stay at 0.02, half would be left.",
        "## What each costs\n",
    ],
)
def test_each_kind_of_pattern_finds_its_phrase(text: str) -> None:
    assert len(list(words.hits(Path("a"), words.markdown(text)))) == 1


@pytest.mark.parametrize(
    "text", ["z keeps 98% of it", "two of these", "They were open.", "## What if\n", "## What is a gate?\n"]
)
def test_plain_words_are_not_reported(text: str) -> None:
    assert not list(words.hits(Path("a"), words.markdown(text)))


def test_a_heading_and_a_percentage_are_found_in_a_template() -> None:
    hits = words.hits(Path("a"), words.template("<h2>What each costs</h2>\n<h2>What if</h2>\n<p>{{ share }} %</p>\n"))
    assert [hit.line for hit in hits] == [3, 1]


def test_every_area_has_files_and_their_prose_has_the_same_lines() -> None:
    for area in words.AREAS:
        paths = list(words.files(area))
        assert paths
        for path in paths:
            text = words.prose(words.ROOT / path)
            assert text.strip() or path.suffix in (".js", ".py", ".html"), path
            assert text.count("\n") == (words.ROOT / path).read_text("utf-8").count("\n"), path
