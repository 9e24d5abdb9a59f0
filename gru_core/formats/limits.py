"""Size limits for the networks that are read from files."""

from __future__ import annotations

from dataclasses import dataclass

from gru_core.encoders.symbols import Symbols
from gru_core.model import Model


@dataclass(frozen=True)
class Limits:
    """The largest allowed numbers of layers, units in a layer, inputs, symbols and outputs of a network.

    The defaults only stop mistakes, such as a wrong array. A server has a setting for each limit.
    """

    layers: int = 64
    units: int = 16_384
    inputs: int = 100_000
    symbols: int = 1_000_000
    outputs: int = 1_000_000

    def excess(self, model: Model) -> str | None:
        """Return a message, with advice, about a size that exceeds its limit. Return None if no size does."""
        encoder = model.encoder
        symbols = isinstance(encoder, Symbols)
        setting = "a server's settings set this limit, and formats.Limits in Python"
        sizes = {
            "layers": (len(model.layers), self.layers, setting),
            "units in a layer": (max(cell.units for cell in model.layers), self.units, setting),
            "inputs": (0 if type(encoder) is Symbols else encoder.inputs, self.inputs, setting),
            "symbols": (
                len(encoder.alphabet) if symbols else 0, self.symbols,
                "with the answer “none” to the question embedding, the inputs are vectors instead",
            ),
            "outputs": (
                len(model.readout.labels), max(self.outputs, self.units),
                "with the answer “none” to the question dense, the outputs are the states instead",
            ),
        }  # fmt: skip
        for name, (size, most, remedy) in sizes.items():
            if size > most:
                return f"this model has {size:,} {name}; at most {most:,} are allowed: {remedy}"
        return None
