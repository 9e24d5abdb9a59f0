"""Free runs: a network that forecasts a series reads its own forecasts, timestep by timestep.

run = gru.forecast(gru.load("sunspots"), "9.6 33 92.6 151.6 136.3 134.7", 11)
run.forecasts                             # 11 sunspot numbers
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array
from gru_core.encoders.vectors import Scaled
from gru_core.model import Model
from gru_core.runs.clamp import Clamp
from gru_core.runs.trace import Trace
from gru_core.runs.writing import run_written


@dataclass(frozen=True)
class FreeRun:
    """A run over the numbers of a series, followed by the network's own forecasts.

    `trace` is the run over both parts. Its first `given` timesteps are the series. `text` has all numbers that the run
    reads, including the forecasts.
    """

    text: str
    given: int
    trace: Trace = field(repr=False)

    @property
    def forecasts(self) -> Array:
        """The forecasts in the unit of the series, rounded like the inputs that the network read."""
        return np.array([float(token) for token in (self.trace.tokens or [])[self.given :]])


def forecast(
    model: Model, numbers: str, steps: int, h0: Sequence[npt.ArrayLike] | None = None, clamps: Sequence[Clamp] = ()
) -> FreeRun:
    """Return a run over `numbers` and then `steps` forecasts. The model reads each forecast as its next input.

    Each forecast has as many decimals as the encoder writes. A run over `FreeRun.text` therefore has the same values.
    `h0` and `clamps` are as in `trace`. Raises SequenceError if the numbers cannot be read or if a forecast is out of
    range. Raises ValueError if the model forecasts no series, if `steps` is below 0, or if a clamp or an initial state
    does not fit.
    """
    if not isinstance(model.encoder, Scaled) or model.readout.kind != "linear" or len(model.readout.labels) != 1:
        raise ValueError(
            "this model forecasts no series: its input and its output must be one number on the same scale"
        )
    sequence, run = run_written(model, numbers, steps, h0=h0, clamps=clamps)
    return FreeRun(" ".join(sequence.tokens), sequence.given, run)
