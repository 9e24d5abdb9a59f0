"""The models that this server can run: presets, its own files, checkpoints of trainings, and uploads."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np

import gru_core
from gru_core import Model, Vectors, presets
from gru_core.card import Card, CardFields
from gru_core.model import load_file
from gru_core.runs.writing import check_writes
from gru_core.training.scoring import row_shares
from gru_core.training.task import Task
from gru_core.training.tasks import task_of

from .errors import Refused
from .intake import reading
from .intake.reading import UploadResult
from .intake.store import Store
from .intake.upload import ID, Upload
from .jobs.cache import ID as TRAINING
from .jobs.cache import training_cache
from .settings import Settings

_log = logging.getLogger(__name__)

MOST_SYMBOLS = 1_024
"""The maximum number of symbols that the description of a model lists."""

PURPOSES = {
    "imported": "It is an {}.",
    "random": "It is not trained yet. Its task is to {}.",
    "trained": "It was trained to {}.",
    "hand-set": "Its weights were set by hand to {}.",
}
"""The sentence about a model's task, by the origin of its weights. A model without a task on its card gets none."""

OPEN = "this uploaded file has an open question: upload the file again and answer the question"


class LayerEntry(TypedDict):
    """A layer of a model: its cell, its number of units and, for a GRU, where the `reset` gate acts.

    The last `backward_units` units read the sequence backward, from its end.
    """

    cell: str
    units: int
    backward_units: int
    reset: NotRequired[str]


class ConfusionEntry(TypedDict):
    """The confusion matrix on the card of a model.

    `shares` has each count as a share of its row, and `totals` the sum of each row. `mistake` is the row and the
    column, counted from 0, of the largest share of wrong outputs.
    """

    shares: list[list[float]]
    totals: list[int]
    mistake: tuple[int, int]


class ModelEntry(TypedDict):
    """The description of a model for pages and the API.

    `purpose` has sentences about the task. `alphabet` has at most the first `MOST_SYMBOLS` symbols, and `hint` says how
    many there are in all. `report` has sentences about how an uploaded file was read. `drawn` is true if random
    sequences of the model's task can be drawn, and `writes` if the model can write sequences. `vectors` is the number
    of values that the model reads at each timestep, or 0 if it reads symbols, or numbers with operators before them.
    `handover` is the symbol at which an encoder, the first half of the units, hands its state to a decoder; it is "" if
    the model has no encoder and decoder. `confusion` is None if the card has no confusion matrix.
    """

    id: str
    card: CardFields
    purpose: str
    alphabet: list[str]
    hint: str
    examples: list[str]
    layers: list[LayerEntry]
    parameters: int
    report: Sequence[str]
    drawn: bool
    writes: bool
    vectors: int
    handover: str
    confusion: ConfusionEntry | None


def model_entry(name: str, model: Model, report: Sequence[str] = ()) -> ModelEntry:
    """Return the description of a model. `report` has sentences about how an uploaded file was read."""
    encoder, task = model.encoder, task_of(model)
    handover = None if task is None else task.handover
    layers: list[Any] = [
        {"cell": cell.name, "units": cell.units, "backward_units": cell.backward_units, **cell.variant}
        for cell in model.layers
    ]
    return {
        "id": name,
        "card": model.card.fields(),
        "purpose": _purpose(model.card),
        "alphabet": list(encoder.alphabet[:MOST_SYMBOLS]),
        "hint": encoder.hint,
        "examples": list(model.examples),
        "layers": layers,
        "parameters": sum(array.size for array in model.parameters.values()),
        "report": report,
        "drawn": task is not None,
        "writes": _can_write(model),
        "handover": "" if handover is None else encoder.alphabet[handover.sign.start],
        "vectors": encoder.inputs if isinstance(encoder, Vectors) else 0,
        "confusion": _confusion_entry(model),
    }


def _purpose(card: Card) -> str:
    task = PURPOSES[card.weights].format(card.about) if card.about else ""
    return f"{task} {card.reading}".strip()


def _confusion_entry(model: Model) -> ConfusionEntry | None:
    if not model.card.confusion:
        return None
    counts = np.array(model.card.confusion)
    shares = row_shares(counts)
    row, column = np.unravel_index(np.where(np.eye(len(counts)), 0, shares).argmax(), shares.shape)
    return {"shares": shares.tolist(), "totals": counts.sum(1).tolist(), "mistake": (int(row), int(column))}


def _can_write(model: Model) -> bool:
    """Return whether a model can write sequences. If it has a built-in task, it must be to output the next input."""
    task = task_of(model)
    try:
        check_writes(model)
    except ValueError:
        return False
    return task is None or task.writes


_given: dict[str, Model] = {}


@contextmanager
def served(name: str, model: Model) -> Iterator[None]:
    """Serve a model that is in memory as `name`, in addition to all other models, while the context is open.

    Raises ValueError if the model's outputs are not finite.
    """
    _try(model)
    _given[name] = model
    try:
        yield
    finally:
        _given.pop(name, None)


@contextmanager
def served_file(name: str, settings: Settings, folder: Path = Path()) -> Iterator[str]:
    """Serve the model in the file `name` of `folder` while the context is open, and yield the stem as its name.

    If `name` names a served model, or does not look like a file, yield `name` unchanged. Raises
    FileNotFoundError if the file is missing, and ValueError if `gru_core.load` cannot read the file or if a preset has
    the same name.
    """
    path = folder / name
    if name in served_models(settings.models) or not (path.is_file() or path.suffix or len(Path(name).parts) > 1):
        yield name
        return
    if path.stem in presets.SHIPPED:
        raise ValueError(f"{path} has the name of a preset: rename the file")
    with served(path.stem, gru_core.load(path)):
        yield path.stem


def served_models(folder: str) -> Mapping[str, Model]:
    """Return all served models by name: the built-in models, the files in `folder`, and the models in memory.

    If `folder` is "", there are no files. Each file is read once, and the stem of the file is the name of the model.
    Raises ValueError if a model cannot be served.
    """
    return {**_stored_models(folder), **_given}


@cache
def _stored_models(folder: str) -> Mapping[str, Model]:
    models = {name: gru_core.load(name) for name in presets.SHIPPED}
    if folder and not Path(folder).is_dir():
        raise ValueError(f"GRUSCOPE_MODELS: {folder} is not a directory")
    for path in sorted(Path(folder).glob("*.safetensors")) if folder else ():
        if path.stem in presets.SHIPPED:
            raise ValueError(f"{path} has the name of a preset: rename the file")
        try:
            models[path.stem] = load_file(path)
            _try(models[path.stem])
        except Exception as error:  # a file can be wrong in any way
            raise ValueError(f"{path} is not a model that can be served: {error}") from error
    return models


def _try(model: Model) -> None:
    """Run a model over its examples to find errors early. Raises ValueError if its outputs are not finite."""
    for example in model.examples:
        if not np.isfinite(gru_core.trace(model, example).y).all():
            raise ValueError("its outputs are not finite numbers")


def names(settings: Settings) -> list[str]:
    """Return the names of the served models that are within the limits."""
    hidden = excluded(settings)
    return [name for name in served_models(settings.models) if name not in hidden]


def excluded(settings: Settings) -> dict[str, str]:
    """Return the served models that pages cannot show, each with the reason, such as a size above its limit."""
    reasons = {name: _excess(model, settings) for name, model in served_models(settings.models).items()}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def get(name: str, settings: Settings) -> Model:
    """Return the model with a name or an id, or a checkpoint such as "flip-flop@180".

    Raises Refused if there is no such model, if it is above the limits, or if its file has an open question.
    """
    model = _local_model(name, settings) or _uploaded(name, settings).model
    if model is None:
        raise Refused(409, "question", OPEN, "model")
    check(model, settings)
    return model


def check(model: Model, settings: Settings) -> None:
    """Raise Refused if the model is above the limits."""
    excess = _excess(model, settings)
    if excess is not None:
        raise Refused(422, "model", excess, "model")


@cache
def store(settings: Settings) -> Store | None:
    """Return the store of uploads, or None if uploads are off. Raises ValueError if the folder cannot be used."""
    if not settings.uploads:
        return None
    try:
        return Store(settings.uploads, settings.max_kept, settings.max_kept_bytes, settings.limits)
    except OSError as error:
        raise ValueError(f"GRUSCOPE_UPLOADS: {settings.uploads} cannot be used: {error.strerror}") from error


def entry(name: str, settings: Settings) -> ModelEntry:
    """Return the description of the model with a name or an id. Raises the errors of `get`."""
    model = get(name, settings)
    report = () if _local_model(name, settings) else _uploaded(name, settings).report
    return model_entry(name, model, report)


def upload(name: str, settings: Settings) -> Upload:
    """Return the uploaded file of a model, or any other model as a safetensors file. Raises Refused if none exists."""
    if _local_model(name, settings):
        return Upload(get(name, settings).to_bytes(), f"{name}.safetensors")
    _uploaded(name, settings)
    uploads = store(settings)
    file = None if uploads is None else uploads.upload(name)
    if file is None:
        raise _gone()
    return file


def read_and_store(upload: Upload, settings: Settings) -> UploadResult:
    """Return the model of an uploaded file, or its open question, and store both.

    Requires that uploads are on. Raises Refused if the model is above the limits, or if the file cannot be stored.
    """
    uploads = store(settings)
    assert uploads is not None  # without a store, BodyLimit has refused the request
    result = uploads.get(upload.id) or reading.read(upload, settings.limits)
    if result.model is not None:
        check(result.model, settings)  # before it is stored
    if not uploads.is_intact(upload.id):  # the upload is new, or its file is damaged
        try:
            uploads.put(upload, result)
        except OSError as error:
            _log.error("the upload %s could not be stored: %s", upload.id, error)
            raise Refused(507, "full", "this server could not store the model; try again later") from error
    return result


def _local_model(name: str, settings: Settings) -> Model | None:
    """Return the served model with a name, or the checkpoint NAME@STEP or ID@STEP. Return None for any other name."""
    base, _, step = name.rpartition("@")
    if step == "0" and base in presets.SHIPPED:
        return _before_training(base)
    if re.fullmatch("[0-9]{1,6}", step) and (base in presets.NAMES or re.fullmatch(TRAINING, base)):
        return training_cache(settings).model(base, int(step))
    return served_models(settings.models).get(name)


@cache
def _before_training(name: str) -> Model:
    return gru_core.load(f"{name}@0")


def _uploaded(id: str, settings: Settings) -> UploadResult:
    if not ID.fullmatch(id):
        choices = ", ".join(name for name in served_models(settings.models) if name not in presets.COMPARED)
        compared = f"or a model that a preset is compared with, such as {presets.COMPARED[0]}"
        raise Refused(404, "model", f"there is no such model; choose one of {choices}, {compared}", "model")
    uploads = store(settings)
    result = None if uploads is None else uploads.get(id)
    if result is None:
        raise _gone()
    return result


def _gone() -> Refused:
    message = "this server does not store this uploaded model; upload the file again"
    return Refused(404, "gone", message, "model")


def task(model: Model) -> Task:
    """Return the built-in task that the model was trained on. Raises Refused if there is none."""
    task = task_of(model)
    if task is None:
        message = "this model has no built-in task, so it cannot be scored or timed, and no sequence can be drawn"
        raise Refused(404, "task", message, "model")
    return task


def _excess(model: Model, settings: Settings) -> str | None:
    """Return the reason why a model cannot be shown, such as a size above its limit, or None."""
    if len({cell.name for cell in model.layers}) > 1:
        kinds = " and ".join(dict.fromkeys(cell.title for cell in model.layers))
        return f"this model has layers of {kinds}; pages show layers of one kind only: use gru.trace in Python instead"
    return settings.limits.excess(model)
