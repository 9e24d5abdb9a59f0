"""What is held in a run: values that take the place of those that the equations give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array, Mask

Held = dict[str, tuple[npt.NDArray[np.intp], Array]]
"""Of one step, for each held signal: places in a contiguous array, and their values."""


@dataclass(frozen=True)
class Holds:
    """Values that a run must use instead of those it computes: `values` where `masks`.

    Both are `(T, H)` for each held signal, the same for every sequence of a batch, or `(T, B, H)`.
    A held "h_prev" stands in for h_{t-1} wherever step t uses it.
    """

    masks: Mapping[str, Mask]
    values: Mapping[str, Array]

    def __getitem__(self, part: Any) -> Holds:
        """What is held over some of the steps, or in one sequence of a batch."""
        return Holds({s: m[part] for s, m in self.masks.items()}, {s: v[part] for s, v in self.values.items()})

    def over(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Holds:
        """The same as arrays of a run's shape. Raises ValueError when they cannot be."""

        def fit(array: Any) -> Any:
            if array.shape == shape:
                return array
            return np.broadcast_to(array[:, None] if array.ndim < len(shape) else array, shape)

        values = {signal: fit(values.astype(dtype, copy=False)) for signal, values in self.values.items()}
        return Holds({signal: fit(mask) for signal, mask in self.masks.items()}, values)

    def in_first(self, B: int) -> Holds:
        """In a batch of `B` sequences: what is held in the first, nothing in the others."""
        first = np.arange(B)[:, None] == 0
        masks = {signal: mask[:, None] & first for signal, mask in self.masks.items()}
        return Holds(masks, {signal: values[:, None].repeat(B, 1) for signal, values in self.values.items()})

    def by_step(self, T: int) -> list[Held]:
        """For each step what is held: places in a contiguous array, and their values."""
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
    """Write what is held over what was computed."""
    if signal in held:
        computed.put(*held[signal])
