"""gruscope models: what a server of this machine can show."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from gru_core.formats.questions import short

from .. import models
from ..models import model_entry
from ..runs.answers import to_json
from ..settings import Settings, with_cache

HELP = "list the presets, the models in GRUSCOPE_MODELS (marked “served”) and the uploaded models (marked “kept”)"
EXAMPLES = ("gruscope models", "gruscope models --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def run(options: argparse.Namespace) -> int:
    try:
        found = list(_entries(with_cache(Settings.from_environment())))
    except ValueError as error:
        print(f"gruscope: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(to_json(found).decode())
        return 0
    width = max(len(entry["id"]) for entry in found)
    for entry in found:
        units = " → ".join(str(layer["units"]) for layer in entry["layers"])
        title, summary = (short(entry["card"][part], 100) for part in ("title", "summary"))
        print(f"{entry['id']:{width}}  {entry['from']:6}  units {units}  {title}: {summary}")
    return 0


def _entries(settings: Settings) -> Iterator[dict[str, Any]]:
    """Each model as the wire has it, and where it is `from`. Raises ValueError for what cannot be served."""
    for name, model in models.served(settings.models).items():
        yield model_entry(name, model) | {"from": "preset" if name in models.SHIPPED else "served"}
    store = models.store(settings)
    for id in store.ids() if store else ():
        found = store and store.peek(id)
        if found and found.model:
            yield model_entry(id, found.model, found.said) | {"from": "kept"}
