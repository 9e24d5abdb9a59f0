"""Limits of the networks that are read from files."""

from __future__ import annotations

from dataclasses import dataclass

from gru_core.encoder import Symbols
from gru_core.model import Model


@dataclass(frozen=True)
class Limits:
    """The largest network: its layers, the units of a layer, its inputs if it reads numbers, and its symbols if not."""

    layers: int = 4
    units: int = 256
    inputs: int = 256
    symbols: int = 1_024

    def excess(self, model: Model) -> str | None:
        """Return which size of a model is above its limit, in words, or None."""
        symbols = isinstance(model.encoder, Symbols)
        sizes = {
            "layers": (len(model.layers), self.layers),
            "units in a layer": (max(cell.units for cell in model.layers), self.units),
            "inputs": (0 if symbols else model.layers[0].inputs, self.inputs),
            "symbols": (len(model.encoder.alphabet) if symbols else 0, self.symbols),
            "outputs": (len(model.readout.labels), max(self.symbols, self.units)),
        }
        for name, (size, most) in sizes.items():
            if size > most:
                return f"this model has {size:,} {name}; at most {most:,} are allowed"
        return None
