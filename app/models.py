"""The models that this server answers for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np

import gru_core
from gru_core import Model, Symbols, presets
from gru_core.model import load_file
from gru_core.tasks import Task, task_of

from .errors import Refused
from .intake.reading import Found
from .intake.store import Store
from .intake.upload import ID, Upload
from .jobs.trainings import ID as TRAINING
from .jobs.trainings import kept
from .settings import Settings

SHIPPED = (*presets.NAMES, *presets.COMPARED)

OPEN = "this uploaded file has an open question: upload the file again and answer the question"


class LayerEntry(TypedDict):
    """A layer's cell, its number of units and, of a GRU, where its `reset` gate acts."""

    cell: str
    units: int
    reset: NotRequired[str]


class ModelEntry(TypedDict):
    """A model as pages and the API describe it.

    `said` reports in sentences how an uploaded file was read. `drawn` says whether sequences of its task can be drawn.
    """

    id: str
    card: dict[str, Any]
    alphabet: list[str]
    hint: str
    examples: list[str]
    layers: list[LayerEntry]
    parameters: int
    said: Sequence[str]
    drawn: bool


def model_entry(name: str, model: Model, said: Sequence[str] = ()) -> ModelEntry:
    """Return the description of a model; `said` is the report on an uploaded file."""
    encoder = model.encoder
    layers: list[Any] = [{"cell": cell.name, "units": cell.units, **cell.variant} for cell in model.layers]
    return {
        "id": name,
        "card": asdict(model.card),
        "alphabet": list(encoder.alphabet),
        "hint": encoder.hint,
        "examples": list(model.examples),
        "layers": layers,
        "parameters": sum(array.size for array in model.parameters.values()),
        "said": said,
        "drawn": task_of(model) is not None,
    }


@cache
def served(folder: str) -> Mapping[str, Model]:
    """By name all that ships and, named as its file, every model in `folder` (none when ""); read once.

    Raises ValueError for what cannot be served.
    """
    models = {name: gru_core.load(name) for name in SHIPPED}
    if folder and not Path(folder).is_dir():
        raise ValueError(f"GRUSCOPE_MODELS: {folder} is not a directory")
    for path in sorted(Path(folder).glob("*.safetensors")) if folder else ():
        if path.stem in SHIPPED:
            raise ValueError(f"{path} has the name of a preset: rename the file")
        models[path.stem] = _tried(path)
    return models


def _tried(path: Path) -> Model:
    """The model in a file, once it has run its examples: what is wrong with it is better known now."""
    try:
        model = load_file(path)
        for example in model.examples:
            if not np.isfinite(gru_core.trace(model, example).y).all():
                raise ValueError("its outputs are not finite numbers")
    except Exception as error:  # a file can be wrong in any way
        raise ValueError(f"{path} is not a model that can be served: {error}") from error
    return model


def names(settings: Settings) -> list[str]:
    """The models within the limits."""
    return [name for name, model in served(settings.models).items() if _excess(model, settings) is None]


def get(name: str, settings: Settings) -> Model:
    """The model of that name or id, or at a step of a training: "flip-flop@180". Raises Refused when there is none, or
    it is above the limits."""
    model = _own(name, settings) or _brought(name, settings).model
    if model is None:
        raise Refused(409, "question", OPEN, "model")
    check(model, settings)
    return model


def check(model: Model, settings: Settings) -> None:
    """Raise Refused when the model is above the limits."""
    excess = _excess(model, settings)
    if excess is not None:
        raise Refused(422, "model", excess, "model")


@cache
def store(settings: Settings) -> Store | None:
    """Where models that visitors bring are kept, if they are. Raises ValueError when they cannot be."""
    if not settings.uploads:
        return None
    try:
        return Store(settings.uploads, settings.max_kept, settings.max_kept_bytes)
    except OSError as error:
        raise ValueError(f"GRUSCOPE_UPLOADS: {settings.uploads} cannot be used: {error.strerror}") from error


def entry(name: str, settings: Settings) -> ModelEntry:
    """The model as the picker shows it. Raises Refused as `get`."""
    model = get(name, settings)
    said = () if _own(name, settings) else _brought(name, settings).said
    return model_entry(name, model, said)


def upload(name: str, settings: Settings) -> Upload:
    """The file that a model is made of: as it was brought, or the model's own. Raises Refused as `get`."""
    if _own(name, settings):
        return Upload(get(name, settings).to_bytes(), f"{name}.safetensors")
    _brought(name, settings)
    kept = store(settings)
    found = None if kept is None else kept.upload(name)
    if found is None:
        raise _gone()
    return found


def _own(name: str, settings: Settings) -> Model | None:
    """The model of that name if it is this server's own, or was trained here; "NAME@STEP" is that of a checkpoint."""
    of, _, step = name.rpartition("@")
    if step == "0" and of in SHIPPED:
        return _before_training(of)
    if re.fullmatch("[0-9]{1,6}", step) and (of in presets.NAMES or re.fullmatch(TRAINING, of)):
        return kept(settings).model(of, int(step))
    return served(settings.models).get(name)


@cache
def _before_training(name: str) -> Model:
    return gru_core.load(f"{name}@0")


def _brought(id: str, settings: Settings) -> Found:
    if not ID.fullmatch(id):
        there = ", ".join(name for name in served(settings.models) if name not in presets.COMPARED)
        compared = f"or a model that a preset is compared with, such as {presets.COMPARED[0]}"
        raise Refused(404, "model", f"there is no such model; choose one of {there}, {compared}", "model")
    kept = store(settings)
    found = None if kept is None else kept.get(id)
    if found is None:
        raise _gone()
    return found


def _gone() -> Refused:
    message = "this server does not store this uploaded model; upload the file again"
    return Refused(404, "gone", message, "model")


def task(model: Model) -> Task:
    """The task that the model was taught. Raises Refused when it is none that is known here."""
    task = task_of(model)
    if task is None:
        message = "this model has no built-in task, so it cannot be scored or timed, and no sequence can be drawn"
        raise Refused(404, "task", message, "model")
    return task


def _excess(model: Model, settings: Settings) -> str | None:
    """What of a model is above the limits, or cannot be shown, if anything is."""
    if len({cell.name for cell in model.layers}) > 1:
        kinds = " and ".join(dict.fromkeys(cell.title for cell in model.layers))
        return f"this model has layers of {kinds}; pages show layers of one kind only: use gru.trace in Python instead"
    symbols = isinstance(model.encoder, Symbols)
    sizes = {
        "layers": (len(model.layers), settings.max_layers),
        "units in a layer": (max(cell.units for cell in model.layers), settings.max_units),
        "inputs": (0 if symbols else model.layers[0].inputs, settings.max_inputs),
        "symbols": (len(model.encoder.alphabet), settings.max_alphabet),
    }
    for what, (size, most) in sizes.items():
        if size > most:
            return f"this model has {size:,} {what}; this server allows at most {most:,}"
    return None
