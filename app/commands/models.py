"""gruscope models: list the models that a server on this machine can show."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from gru_core import presets
from gru_core.formats.questions import short

from .. import models
from ..models import model_entry
from ..runs.answers import to_json
from ..settings import Settings, with_cache
from .messages import fail, warn

HELP = "list the presets, the models in GRUSCOPE_MODELS (marked “served”) and the uploaded models (marked “uploaded”)"
EXAMPLES = ("gruscope models", "gruscope models --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def run(options: argparse.Namespace) -> int:
    try:
        settings = with_cache(Settings.from_environment(local=True))
        entries, hidden = list(_entries(settings)), models.excluded(settings)
    except ValueError as error:
        return fail(str(error))
    if options.json:
        print(to_json(entries).decode())
        return 0
    width = max(len(entry["id"]) for entry in entries)
    for entry in entries:
        units = " → ".join(str(layer["units"]) for layer in entry["layers"])
        title, summary = (short(text, 100) for text in (entry["card"]["title"], entry["card"]["summary"]))
        print(f"{entry['id']:{width}}  {entry['from']:8}  units {units}  {title}: {summary}")
    for name, reason in hidden.items():
        warn(f"the pages do not offer {name}: {reason}")
    return 0


def _entries(settings: Settings) -> Iterator[dict[str, Any]]:
    """Yield the API entry of each model, with its origin as "from". Raises ValueError if a model cannot be served."""
    for name, model in models.served_models(settings.models).items():
        yield model_entry(name, model) | {"from": "preset" if name in presets.SHIPPED else "served"}
    store = models.store(settings)
    for id in store.ids() if store else ():
        result = store and store.peek(id)
        if result and result.model:
            yield model_entry(id, result.model, result.report) | {"from": "uploaded"}
