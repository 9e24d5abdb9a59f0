"""The layers of the app: only main imports routes, and no layer imports from a layer above it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

APP = Path(__file__).parents[2] / "app"
MODULES = sorted(path for path in APP.rglob("*.py") if path != APP / "main.py")


def imported(path: Path) -> set[str]:
    """Return the app modules that the file at `path` imports, as names relative to the app package."""
    folder = path.relative_to(APP).parts[:-1]
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*folder[: len(folder) - node.level + 1], *(node.module or "").split(".")]
            start = ".".join(part for part in base if part)
            names |= {start, *(f"{start}.{alias.name}".lstrip(".") for alias in node.names)}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(APP)))
def test_only_main_imports_routes(path: Path) -> None:
    assert not [name for name in imported(path) if name.split(".")[0] == "routes"]


LAYERS = (("routes", "commands"), ("pages", "exports"), ("lessons", "rooms"), ("runs", "jobs", "intake"))
"""The folders of each layer, from the top to the bottom."""


@pytest.mark.parametrize("level", range(1, len(LAYERS)))
def test_no_layer_imports_from_a_layer_above_it(level: int) -> None:
    above = {folder for folders in LAYERS[:level] for folder in folders}
    for folder in LAYERS[level]:
        for path in (APP / folder).glob("*.py"):
            assert not [name for name in imported(path) if name.split(".")[0] in above], path


def test_no_view_of_the_page_imports_another() -> None:
    views = sorted((APP.parent / "static" / "views").rglob("*.js"))
    assert views
    assert [view.name for view in views if re.search(r'from "(\./|\.\./views/)', view.read_text("utf-8"))] == []


def test_no_test_module_imports_another() -> None:
    """Code that several test modules need is in tests/support."""
    tests = APP.parent / "tests"
    importing = {
        str(path.relative_to(tests)): node.module
        for path in tests.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and re.search(r"\btest_\w+$", node.module or "")
    }
    assert not importing
