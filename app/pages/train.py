"""The page Train: how training changes the weights, checkpoint by checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from gru_core import SequenceError, labs, presets, trace
from gru_core.cells import CELLS, ORDER
from gru_core.checkpoints import card_of, first_card
from gru_core.presets.recipes import PRESETS
from gru_core.recipe import OWN, Recipe, begin
from gru_core.scoring import in_words
from gru_core.trace import read

from ..errors import Refused
from ..jobs.trainings import kept, name_of
from ..models import ModelEntry, model_entry
from ..recipes import RANGES, base_of, read_recipes
from ..runs.answers import events, start, to_json
from ..runs.limits import MOST_READ
from ..runs.run import targets
from ..settings import Settings
from .boot import Boot, boot, cell_figures, columns, inert
from .page import MOST_PRINTED, Context, outputs, unfollowed, version_notices

TITLE = "Train"


def filled(keys: Mapping[str, str], settings: Settings) -> Context:
    """What the page is filled with where a link says these keys; or, where it cannot be followed, with an example."""
    notices = version_notices(keys)
    try:
        page = view(keys, settings)
    except (Refused, SequenceError) as error:
        notices.append(unfollowed(error))
        page = view({"task": keys.get("task", "")} if keys.get("task") in presets.TASKS else {}, settings)
    return page | {"notice": " ".join(notices)}


def view(keys: Mapping[str, str], settings: Settings) -> Context:
    """What the page is filled with. Raises Refused or SequenceError where the keys cannot be followed."""
    recipes = recipes_of(keys, settings)
    main, task = recipes[-1], recipes[-1].task
    model = begin(main, first_card(main))[0]
    sequence = keys.get("sequence") or model.examples[0]
    contenders = [_filled(recipe, sequence, settings) for recipe in recipes]
    entry: ModelEntry = {**model_entry(task, model), "drawn": task in presets.TASKS}
    last = contenders[-1]
    scenario = {"model": task, "sequence": sequence, "clamps": [], "weights": []}
    script: Boot = {
        **boot([entry], scenario),
        "training": {
            "task": task,
            "ids": {one["cell"].name: one["id"] for one in contenders},
            "recipes": {recipe.cell: recipe.to_dict() for recipe in recipes},
            "preset": base_of(task, main.table).to_dict(),
        },
        "figures": cell_figures(),
    }
    return {
        "page": "train",
        "title": TITLE,
        "task": task,
        "tasks": {name: PRESETS[name].title for name in presets.TASKS} | {OWN: "Your own task …"},
        "in_labs": {name: card_of(base).title for name, base in labs.BASES.items()},
        "recipe": main,
        "target": in_words(model.readout.kind, main.schedule.reach) if main.schedule.reach is not None else "",
        "ranges": RANGES,
        "entry": entry,
        "scenario": scenario,
        "columns": columns(len(last["tokens"])),
        "tokens": last["tokens"],
        "signed": last["signed"],
        "signals": {name: style for one in CELLS.values() for name, style in one.signals.items()},
        "contenders": contenders,
        "chosen": [recipe.cell for recipe in recipes],
        "all_cells": {name: CELLS[name].title for name in ORDER},
        "boot": inert(to_json(script)),
    }


def recipes_of(keys: Mapping[str, str], settings: Settings) -> list[Recipe]:
    """Those of a link, or that of the training that it names. Raises Refused."""
    return [kept(settings).get(keys["training"]).recipe] if keys.get("training") else read_recipes(keys)


def _filled(recipe: Recipe, sequence: str, settings: Settings) -> Context:
    """A cell as the page has it at first: trained, where its training is kept, or else as it begins."""
    name, step = name_of(recipe), 0
    model, _ = begin(recipe, first_card(recipe))
    with suppress(Refused):
        training = kept(settings).get(name)
        if training.checkpoints:
            step = training.steps[-1]
            model = training.model(step)
    id = f"{name}@{step}"
    tokens, x = read(model, sequence, MOST_READ)
    run = trace(model, x)
    about = start(id, model, tokens, len(x), model.state(None), [None], False, targets(model, x))
    cell = model.layers[0]
    return {
        "cell": cell,
        "id": name,
        "step": step,
        "tokens": tokens,
        "signed": model.readout.kind == "linear",
        "outputs": outputs(model, run),
        "values": {signal: getattr(run, signal).T for signal in cell.signals},
        "printed": run.h.size <= MOST_PRINTED,
        "first": inert(b"".join(events(about, [run]))),
    }
