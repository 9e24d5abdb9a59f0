"""The base class of `Trace` and `TraceBatch`, which have the signals of the top layer as attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gru_core.cells.named import Signals
from gru_core.cells.run import Run

if TYPE_CHECKING:
    from gru_core.arrays import Array


class Layered(Signals):
    """A run with `layers`. The signals of the top layer have short names: `trace.z`, `batch.h`."""

    layers: tuple[Run, ...]

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Array:
            """Return a signal of the top layer.

            Raises AttributeError if the layer has no such signal. The message lists the signals.
            """
            signals = self.layers[-1].cell.signals if not name.startswith("_") and name != "layers" else {}
            if name not in signals:
                raise AttributeError(
                    f"this {type(self).__name__} has no {name!r}; its signals are {', '.join(signals)}"
                )
            return getattr(self.layers[-1], name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.layers[-1].cell.signals]
