"""Values that are held in a run, in place of the computed values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array, Mask

Held = dict[str, tuple[npt.NDArray[np.intp], Array]]
"""The held values of one timestep: for each held signal its places in a contiguous array, and their values."""


@dataclass(frozen=True)
class Holds:
    """Values that a run must use in place of the computed values: `values` where `masks` is true.

    Both have for each held signal an array `(T, H)`, the same for every sequence of a batch, or `(T, B, H)`.
    A held "h_prev" replaces h_{t-1} wherever timestep t uses it.
    """

    masks: Mapping[str, Mask]
    values: Mapping[str, Array]

    def __getitem__(self, part: Any) -> Holds:
        """Return the holds of some of the timesteps, or of one sequence of a batch."""
        return Holds({s: m[part] for s, m in self.masks.items()}, {s: v[part] for s, v in self.values.items()})

    def over(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Holds:
        """Return the holds with arrays of a run's shape. Raises ValueError if their shapes do not fit it."""

        def fit(array: Any) -> Any:
            if array.shape == shape:
                return array
            return np.broadcast_to(array[:, None] if array.ndim < len(shape) else array, shape)

        values = {signal: fit(values.astype(dtype, copy=False)) for signal, values in self.values.items()}
        return Holds({signal: fit(mask) for signal, mask in self.masks.items()}, values)

    def in_first(self, B: int) -> Holds:
        """Return the holds for a batch of `B` sequences. Only the first sequence is held."""
        first = np.arange(B)[:, None] == 0
        masks = {signal: mask[:, None] & first for signal, mask in self.masks.items()}
        return Holds(masks, {signal: values[:, None].repeat(B, 1) for signal, values in self.values.items()})

    def by_step(self, T: int) -> list[Held]:
        """Return the held values of each timestep."""
        new = np.arange(T) == 0  # where something else is held than at the step before: mostly nowhere
        for array in (*self.masks.values(), *self.values.values()):
            flat = array.reshape(T, -1)
            new[1:] |= (flat[1:] != flat[:-1]).any(1)
        steps: list[Held] = []
        held: Held = {}
        for t, is_new in enumerate(new.tolist()):
            if is_new:
                masks = {signal: mask[t] for signal, mask in self.masks.items() if mask[t].any()}
                held = {signal: (np.flatnonzero(m), self.values[signal][t][m]) for signal, m in masks.items()}
            steps.append(held)
        return steps


def put(held: Held, signal: str, computed: Array) -> None:
    """Replace the computed values of a signal by its held ones."""
    if signal in held:
        computed.put(*held[signal])
