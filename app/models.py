"""The models that this server answers for."""

from __future__ import annotations

from functools import cache

import gru_core
from app.errors import Refused
from app.settings import Settings
from gru_core import Model, presets


@cache
def _load(name: str) -> Model:
    return gru_core.load(name)


def names(settings: Settings) -> list[str]:
    """The models within the limits."""
    return [name for name in presets.NAMES if _excess(_load(name), settings) is None]


def get(name: str, settings: Settings) -> Model:
    """The model of that name. Raises Refused when there is none, or it is above the limits."""
    if name not in presets.NAMES:
        raise Refused(404, "model", f"there is no such model; there are: {', '.join(presets.NAMES)}", "model")
    model = _load(name)
    excess = _excess(model, settings)
    if excess is not None:
        raise Refused(422, "model", excess, "model")
    return model


def _excess(model: Model, settings: Settings) -> str | None:
    """What of a model is above the limits, if anything is."""
    sizes = {
        "layers": (len(model.layers), settings.max_layers),
        "units": (max(gru.units for gru in model.layers), settings.max_units),
        "inputs": (model.layers[0].inputs, settings.max_inputs),
        "symbols": (len(model.encoder.alphabet), settings.max_alphabet),
    }
    for what, (size, most) in sizes.items():
        if size > most:
            return f"this model has {size} {what}; this server takes at most {most}"
    return None
