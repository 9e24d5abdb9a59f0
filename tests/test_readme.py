"""The README's examples print what the README says."""

from __future__ import annotations

from pathlib import Path

from tests import examples


def test_the_examples_print_what_their_comments_say() -> None:
    assert examples.check((Path(__file__).parents[1] / "README.md").read_text())
