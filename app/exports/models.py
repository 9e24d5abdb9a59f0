"""Models in exported pages, so that the page computes new runs itself: static/engine/model.js reads them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import Any

import numpy as np

from gru_core import Model
from gru_core.arrays import Array
from gru_core.cells.gru import GRU
from gru_core.encoder import Embedded, Numbers, Scaled, Vectors
from gru_core.training.tasks import regressions_of, task_of

from .. import models
from ..settings import Settings

MOST_WEIGHTS = 2**21
"""The most weights of a model in an exported page: 11 MB if they are float32 numbers, else 22 MB."""


def weights_in(model: Model) -> int:
    """Return the number of weights that a page with this model contains."""
    table = model.encoder.table.size if isinstance(model.encoder, Embedded) else 0
    return sum(array.size for array in model.parameters.values()) + table


def stored_models(names: Iterable[str], settings: Settings) -> dict[str, Any]:
    """Return the models with these names for a page, except those with more than `MOST_WEIGHTS` weights."""
    loaded = {name: models.get(name, settings) for name in names}
    return {name: stored_model(model) for name, model in loaded.items() if weights_in(model) <= MOST_WEIGHTS}


def stored_model(model: Model) -> dict[str, Any]:
    """Return a model for a page, as JSON with its arrays in base64."""
    encoder, readout = model.encoder, model.readout
    fields = encoder.to_dict() | {"labels": encoder.labels, "inputs": encoder.inputs, "hint": encoder.hint}
    if isinstance(encoder, Numbers | Vectors):
        fields["alphabet"] = encoder.alphabet
    if isinstance(encoder, Scaled):
        fields["decimals"] = encoder.decimals
    if isinstance(encoder, Embedded):
        fields["table"] = _packed(encoder.table)
    layers = [
        {"cell": cell.name, "H": cell.units, "I": cell.inputs, "backward_units": cell.backward_units}
        | {name: _packed(getattr(cell, name)) for name in ("W", "U", "b")}
        | ({"c": _packed(cell.c_h)} if isinstance(cell, GRU) and cell.c_h is not None else {})
        for cell in model.layers
    ]
    return {
        "encoder": fields,
        "layers": layers,
        "readout": {"kind": readout.kind, "labels": readout.labels, "V": _packed(readout.V), "c": _packed(readout.c)},
        "regressions": {name: weights.tolist() for name, weights in regressions_of(model).items()},
        "task": "" if task_of(model) is None else model.card.task,
    }


def _packed(array: Array) -> str:
    """Return an array in base64: as float32 if that is exact, else as float64."""
    single = array.astype("<f4")
    exact = single if np.array_equal(single, array) else array.astype("<f8")
    return b64encode(np.ascontiguousarray(exact).tobytes()).decode()
