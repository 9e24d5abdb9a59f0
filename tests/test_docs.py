"""The docs say what is so: their examples print it, and their demos can be run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import examples

DOCS = Path(__file__).parents[1] / "docs"
TOLD = ["tutorial.md", "explanation/conventions.md", "explanation/memory.md", "explanation/gradients.md"]


@pytest.mark.parametrize("name", TOLD)
def test_the_examples_print_what_is_said_and_the_prose_says_no_other_figures(name: str) -> None:
    markdown = (DOCS / name).read_text()
    computed = examples.check(markdown) + "".join(examples.blocks(markdown))
    assert not {figure for figure in examples.figures(markdown) if figure not in computed}
