"""Runs of the cells with an update gate z, which mixes the old state with the candidate.

    h_t = (1 − z_t) ⊙ h_{t-1} + z_t ⊙ h̃_t

If z stays constant, the share (1 − z)ⁿ of a state is left after n timesteps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array
from gru_core.cells.mixture import Mixture
from gru_core.cells.run import Run


@dataclass(frozen=True, repr=False, kw_only=True)
class UpdateGateRun(Run):
    """A run of a cell with an update gate."""

    z: Array
    h_tilde: Array

    @property
    def half_life(self) -> Array:
        """The number of timesteps until half of each unit's state is left, if z stays constant: `(T, H)`."""
        return half_life(self.z)

    @cached_property
    def mixture(self) -> Mixture:
        """h_t as a mixture: it keeps the share 1 − z of the old state, and takes the share z of the candidate."""
        held = None if self.holds is None else self.holds.masks.get("h_prev")
        return Mixture(1 - self.z, self.z, self.h_tilde, self.h_prev, held)


def half_life(z: npt.ArrayLike) -> Array:
    """Return the number of timesteps until half of a unit's state is left, if z stays constant: ln ½ / ln(1 − z).

    The result is infinite at z = 0 and 0 at z = 1.
    """
    with np.errstate(divide="ignore", over="ignore"):
        return math.log(2) / np.abs(np.log1p(np.negative(z)))
