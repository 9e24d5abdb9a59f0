"""The Train page, which shows checkpoint by checkpoint how training changes the weights."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from gru_core import SequenceError, experiments, presets
from gru_core.cells.registry import CELLS, ORDER
from gru_core.presets.recipes import PRESETS
from gru_core.runs.trace import read, trace
from gru_core.training.cards import card_of, first_card
from gru_core.training.recipe import OWN, Recipe, baselines_of, begin, series_of
from gru_core.training.scoring import in_words
from gru_core.training.tasks import FORECASTS, NAME_TASKS, TAGGING, WORD_TASKS

from ..errors import Refused
from ..jobs.cache import name_of, training_cache
from ..models import ModelEntry, model_entry
from ..recipes import RANGES, base_of, read_recipes
from ..runs.answers import start, to_json
from ..runs.events import events
from ..runs.limits import MOST_READ
from ..runs.run import targets
from ..schemas import ScenarioFields
from ..settings import Settings
from ..sitemap import TRAIN
from .boot import Boot, boot, cell_figures, cell_pictures, columns, escape_for_script
from .page import MOST_PRINTED, Context, link_error_notice, outputs, version_notices


def page_context(keys: Mapping[str, str], settings: Settings) -> Context:
    """Return the page context for the keys of a link, or for an example if the link is not valid."""
    notices = version_notices(keys)
    try:
        page = training_context(keys, settings)
    except (Refused, SequenceError) as error:
        notices.append(link_error_notice(error))
        page = training_context({"task": keys.get("task", "")} if keys.get("task") in presets.TASKS else {}, settings)
    return page | {"notice": " ".join(notices)}


def training_context(keys: Mapping[str, str], settings: Settings) -> Context:
    """Return the page context for the keys of a link. Raises Refused or SequenceError if the keys are not valid."""
    recipes = recipes_of(keys, settings)
    main, task = recipes[-1], recipes[-1].task
    model = begin(main, first_card(main))[0]
    sequence = keys.get("sequence") or model.examples[0]
    contenders = [_cell_context(recipe, sequence, settings) for recipe in recipes]
    entry: ModelEntry = {**model_entry(task, model), "drawn": task in presets.TASKS}
    last = contenders[-1]
    scenario: ScenarioFields = {"model": task, "sequence": sequence, "clamps": [], "weights": []}
    script: Boot = {
        **boot([entry], scenario),
        "training": {
            "task": task,
            "ids": {contender["cell"].name: contender["id"] for contender in contenders},
            "recipes": {recipe.cell: recipe.to_dict() for recipe in recipes},
            "preset": base_of(task, main.table).to_dict(),
            "baselines": baselines_of(main),
        },
        "figures": cell_figures(),
        "pictures": cell_pictures(),
    }
    return {
        "page": "train",
        "title": TRAIN.title,
        "task": task,
        "tasks": {
            name: PRESETS[name].title for name in (*presets.TASKS, *FORECASTS, *NAME_TASKS, *WORD_TASKS, *TAGGING)
        }
        | {OWN: "Your own data …"},
        "in_experiments": {name: card_of(base).title for name, base in experiments.BASES.items()},
        "recipe": main,
        "target": in_words(model.readout.kind, main.schedule.reach) if main.schedule.reach is not None else "",
        "is_table": main.task == OWN and series_of(main) is None,
        "ranges": RANGES,
        "entry": entry,
        "scenario": scenario,
        "columns": columns(len(last["tokens"])),
        "tokens": last["tokens"],
        "signed": last["signed"],
        "signals": {name: style for cell in CELLS.values() for name, style in cell.signals.items()},
        "contenders": contenders,
        "chosen": [recipe.cell for recipe in recipes],
        "all_cells": {name: CELLS[name].title for name in ORDER},
        "boot": escape_for_script(to_json(script)),
    }


def recipes_of(keys: Mapping[str, str], settings: Settings) -> list[Recipe]:
    """Return the recipes of a link, or the recipe of the training that the link names.

    Raises Refused if the keys are not valid or if the training does not exist.
    """
    return [training_cache(settings).get(keys["training"]).recipe] if keys.get("training") else read_recipes(keys)


def _cell_context(recipe: Recipe, sequence: str, settings: Settings) -> Context:
    """Return the context of one cell, with the weights of the last checkpoint if its training is cached, otherwise with
    its initial weights."""
    name, step = name_of(recipe), 0
    model, _ = begin(recipe, first_card(recipe))
    with suppress(Refused):
        training = training_cache(settings).get(name)
        if training.checkpoints:
            step = training.steps[-1]
            model = training.model(step)
    id = f"{name}@{step}"
    tokens, x = read(model, sequence, MOST_READ)
    run = trace(model, x)
    run_start = start(id, model, tokens, len(x), model.state(None), [None], False, targets(model, x))
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
        "first": escape_for_script(b"".join(events(run_start, [run]))),
    }
