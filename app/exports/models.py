"""Models in exported pages, with which a page computes new runs itself. static/engine/model.js reads them."""

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
"""The most weights of a model in an exported page: 11 MB as float32 or 22 MB as float64."""


def weights_in(model: Model) -> int:
    """Return the number of weights that a page stores for a model, including the table of embeddings."""
    table = model.encoder.table.size if isinstance(model.encoder, Embedded) else 0
    return sum(array.size for array in model.parameters.values()) + table


def goes_along(name: str, settings: Settings) -> bool:
    """Return whether an exported page includes the model `name`, which needs at most `MOST_WEIGHTS` weights."""
    return weights_in(models.get(name, settings)) <= MOST_WEIGHTS


def described(name: str, settings: Settings) -> str:
    """Return a phrase that tells the user whether an exported page includes the model `name`."""
    weights = weights_in(models.get(name, settings))
    if weights <= MOST_WEIGHTS:
        return f"with its network of {weights:,} weights"
    return f"without its network ({weights:,} weights; at most {MOST_WEIGHTS:,} go along), so it shows recorded runs"


def stored_models(names: Iterable[str], settings: Settings) -> dict[str, StoredModel]:
    """Return by name the models that an exported page includes. Leave out models with too many weights."""
    return {name: stored_model(models.get(name, settings)) for name in names if goes_along(name, settings)}


class StoredReadout(TypedDict):
    """A readout in an exported page, with its arrays in base64."""

    kind: str
    labels: Sequence[str]
    product: bool
    V: str
    c: str


class StoredModel(TypedDict):
    """A model in an exported page. The fields of `encoder` depend on its kind, and a layer's fields on its cell."""

    encoder: Mapping[str, Any]
    layers: Sequence[Mapping[str, Any]]
    readout: StoredReadout
    regressions: Mapping[str, Sequence[float]]
    task: str


def stored_model(model: Model) -> StoredModel:
    """Return a model in the form of `StoredModel`, with its arrays in base64."""
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
