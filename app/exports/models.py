"""Models in exported pages, so that the page computes new runs itself: static/engine/model.js reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from gru_core import Model
from gru_core.cells.gru import GRU
from gru_core.encoders.numbers import Numbers
from gru_core.encoders.symbols import Embedded
from gru_core.encoders.vectors import Scaled, Vectors
from gru_core.training.tasks import regressions_of, task_of

from .. import models
from ..settings import Settings
from .packing import packed_weights

MOST_WEIGHTS = 2**21
"""The most weights of a model in an exported page: 11 MB if they are float32 numbers, else 22 MB."""


def weights_in(model: Model) -> int:
    """Return the number of weights that a page with this model contains."""
    table = model.encoder.table.size if isinstance(model.encoder, Embedded) else 0
    return sum(array.size for array in model.parameters.values()) + table


def goes_along(name: str, settings: Settings) -> bool:
    """Return whether a page contains the model with this name: it has at most `MOST_WEIGHTS` weights."""
    return weights_in(models.get(name, settings)) <= MOST_WEIGHTS


def described(name: str, settings: Settings) -> str:
    """Return whether a page contains the model with this name, for the person who exports it."""
    weights = weights_in(models.get(name, settings))
    if weights <= MOST_WEIGHTS:
        return f"with its network of {weights:,} weights"
    return f"without its network ({weights:,} weights; at most {MOST_WEIGHTS:,} go along), so it shows recorded runs"


def stored_models(names: Iterable[str], settings: Settings) -> dict[str, StoredModel]:
    """Return the models with these names that go along with a page."""
    return {name: stored_model(models.get(name, settings)) for name in names if goes_along(name, settings)}


class StoredReadout(TypedDict):
    """A readout with its arrays in base64."""

    kind: str
    labels: Sequence[str]
    product: bool
    V: str
    c: str


class StoredModel(TypedDict):
    """A model in a page. The fields of an `encoder` depend on its kind, and those of a layer on its cell."""

    encoder: Mapping[str, Any]
    layers: Sequence[Mapping[str, Any]]
    readout: StoredReadout
    regressions: Mapping[str, Sequence[float]]
    task: str


def stored_model(model: Model) -> StoredModel:
    """Return a model for a page, as JSON with its arrays in base64."""
    encoder, readout = model.encoder, model.readout
    fields = encoder.to_dict() | {"labels": encoder.labels, "inputs": encoder.inputs, "hint": encoder.hint}
    if isinstance(encoder, Numbers | Vectors):
        fields["alphabet"] = encoder.alphabet
    if isinstance(encoder, Scaled):
        fields["decimals"] = encoder.decimals
    if isinstance(encoder, Embedded):
        fields["table"] = packed_weights(encoder.table)
    layers = [
        {"cell": cell.name, "title": cell.title, "H": cell.units, "I": cell.inputs, "holds": cell.holdable}
        | {"backward_units": cell.backward_units}
        | {name: packed_weights(getattr(cell, name)) for name in ("W", "U", "b")}
        | ({"c": packed_weights(cell.c_h)} if isinstance(cell, GRU) and cell.c_h is not None else {})
        for cell in model.layers
    ]
    return {
        "encoder": fields,
        "layers": layers,
        "readout": {
            "kind": readout.kind,
            "labels": readout.labels,
            "product": readout.product,
            "V": packed_weights(readout.V),
            "c": packed_weights(readout.c),
        },
        "regressions": {name: weights.tolist() for name, weights in regressions_of(model).items()},
        "task": "" if task_of(model) is None else model.card.task,
    }
