"""The README's examples print what the README says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import examples

ROOT = Path(__file__).parents[1]


def test_the_examples_print_what_their_comments_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert examples.check((ROOT / "README.md").read_text())
