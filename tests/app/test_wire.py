"""What Python sends to pages and what the browser's modules declare are the same, field by field."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NotRequired, get_origin, get_type_hints

import pytest
from fastapi.testclient import TestClient

from app.link import FOCUS
from app.pages.boot import Boot, CellEntry, SignalEntry, TrainingBoot
from app.pages.lab import LabEntry
from app.runs.answers import LayerStart, Outputs, Start

STATIC = Path(__file__).parents[2] / "static"
SCRIPTS = "\n".join(path.read_text("utf-8") for path in sorted(STATIC.rglob("*.js")))


def typedef(name: str) -> str:
    """Return the type of a JSDoc typedef, without the comment's asterisks."""
    end = re.search(rf"\}} {name}\b(?=[\s*])", SCRIPTS)
    assert end is not None, f"no module declares the type {name}"
    start = SCRIPTS.rindex("@typedef {", 0, end.start()) + len("@typedef {")
    return re.sub(r"\n\s*\*", "\n", SCRIPTS[start : end.start()])


def fields(type: str) -> dict[str, str]:
    """Return the fields of an object type by name; an optional one has a question mark at the end of its name."""
    inner, depth, parts = type.strip()[1:-1], 0, [""]
    for character in inner:
        depth += character in "{[(<"
        depth -= character in "}])>"
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return {name.strip().strip('"'): of.strip() for name, _, of in (part.partition(":") for part in parts) if of}


def declared(sent: type) -> set[str]:
    """Return the fields of a TypedDict in the same form."""
    hints = get_type_hints(sent, include_extras=True)
    return {name + "?" * (get_origin(hint) is NotRequired) for name, hint in hints.items()}


@pytest.mark.parametrize(
    ("sent", "name"),
    [(Boot, "Boot"), (CellEntry, "Cell"), (SignalEntry, "SignalEntry"), (LabEntry, "ModelEntry"), (Start, "Start"),
     (LayerStart, "LayerStart")],
)  # fmt: skip
def test_a_type_of_the_wire_has_the_fields_that_its_reader_declares(sent: type, name: str) -> None:
    assert declared(sent) == set(fields(typedef(name)))


def test_types_within_others_agree_too() -> None:
    assert declared(TrainingBoot) == set(fields(fields(typedef("Boot"))["training?"]))
    assert declared(Outputs) == set(fields(fields(typedef("Start"))["y"]))


def matches(value: dict[str, Any], sent: type) -> bool:
    """Return whether a JSON object has all fields of a type that are not optional, and no others."""
    names = declared(sent)
    needed = {name for name in names if not name.endswith("?")}
    return needed <= set(value) <= {name.rstrip("?") for name in names}


@pytest.mark.parametrize("path", ["/", "/compare", "/train", "/compare/gap", "/compare/race"])
def test_a_page_comes_with_what_its_script_starts_from(client: TestClient, path: str) -> None:
    html = client.get(path).text
    found = re.search(r'<script[^>]*id="boot"[^>]*>(.*?)</script>', html, re.S)
    assert found is not None
    boot = json.loads(found[1])
    assert matches(boot, Boot)
    assert all(matches(cell, CellEntry) for cell in boot["cells"].values())
    assert all(matches(signal, SignalEntry) for cell in boot["cells"].values() for signal in cell["signals"])


def test_a_run_starts_with_what_its_reader_declares(client: TestClient) -> None:
    scenario = {"model": "flip-flop", "sequence": "A x x B", "clamps": [], "weights": []}
    stream = client.post("/api/trace", json=scenario, headers={"accept": "text/event-stream"}).text
    start = json.loads(stream.partition("data: ")[2].partition("\n")[0])
    assert matches(start, Start)
    assert all(matches(layer, LayerStart) for layer in start["layers"])


def listed(name: str) -> list[str]:
    """Return the texts of a constant list of a module."""
    found = re.search(rf"export const {name} = [^\[]*\[(.*?)\]", SCRIPTS, re.S)
    assert found is not None, f"no module exports the list {name}"
    return re.findall(r'"([^"]+)"', found[1])


@pytest.mark.parametrize(
    ("key", "name"),
    [("zoom", "ZOOMS"), ("convention", "CONVENTIONS"), ("rows", "ROWS"), ("scale", "SCALES"), ("views", "VIEWS")],
)
def test_a_link_takes_the_same_words_on_the_server_and_in_the_page(key: str, name: str) -> None:
    pattern, _ = FOCUS[key]
    words = listed(name)
    assert [word for word in words if re.fullmatch(pattern, word)] == words
    assert set(re.findall(r"[a-z]+", pattern)) == set(words)


def test_a_link_has_the_same_keys_on_the_server_and_in_the_page() -> None:
    found = re.search(r"const KEYS = [^\[]*\[string.*?\]\)\;", SCRIPTS, re.S)
    assert found is not None
    assert re.findall(r'\["(\w+)", "', found[0]) == list(FOCUS)
