"""Held values: values that replace computed values in a run, because of a clamp or a skipped timestep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array, Mask

Held = dict[str, tuple[npt.NDArray[np.intp], Array]]
"""The held values of one timestep. Each held signal maps to flat indices into its array, and to the values there."""


@dataclass(frozen=True)
class Holds:
    """Values that replace computed values in a run, because of a clamp or a skipped timestep.

    `masks` and `values` map each held signal to an array: `(T, H)` for all sequences of a batch together, or
    `(T, B, H)`. A value replaces the computed value if its mask is true. The signal "h_prev" is h_{t-1} in all
    equations of timestep t. `skipped` has the same shape, and is true at the timesteps that do not change the state.
    """

    masks: Mapping[str, Mask]
    values: Mapping[str, Array]
    skipped: Mask | None = None

    def __getitem__(self, part: Any) -> Holds:
        """Return the held values of a part of the run: timesteps (`holds[2:5]`) or a sequence (`holds[:, 1]`)."""
        return self._all(lambda array: array[part])

    def _all(self, change: Callable[[Any], Any]) -> Holds:
        return Holds(
            {signal: change(mask) for signal, mask in self.masks.items()},
            {signal: change(values) for signal, values in self.values.items()},
            None if self.skipped is None else change(self.skipped),
        )

    def skipping(self, mask: Mask, units: int, skip: Mapping[str, float]) -> Holds:
        """Return the held values of a run that also skips the timesteps at which `mask`, `(T,)` or `(T, B)`, is false.

        At a skipped timestep only the signals in `skip` are held, at the values in `skip`. `units` is the number of
        units of the cell.
        """
        skipped = np.broadcast_to(~mask[..., None], (*mask.shape, units))
        axes = max([skipped.ndim, *(array.ndim for array in self.masks.values())])

        def aligned(array: Any) -> Any:
            return array if array.ndim == axes else array[:, None]

        skipped, held = aligned(skipped), self._all(aligned)
        none = np.zeros_like(skipped)
        masks = {signal: array & ~skipped for signal, array in held.masks.items()}
        masks |= {signal: masks.get(signal, none) | skipped for signal in skip}
        values = dict(held.values)
        values |= {signal: np.where(skipped, value, values.get(signal, none)) for signal, value in skip.items()}
        return Holds(masks, values, skipped)

    def over(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Holds:
        """Broadcast the held values to a run's shape, and convert them to its dtype.

        Raises ValueError if a shape does not fit.
        """

        def broadcast(array: Any) -> Any:
            if array.shape == shape:
                return array
            return np.broadcast_to(array[:, None] if array.ndim < len(shape) else array, shape)

        values = {signal: broadcast(values.astype(dtype, copy=False)) for signal, values in self.values.items()}
        skipped = None if self.skipped is None else broadcast(self.skipped)
        return Holds({signal: broadcast(mask) for signal, mask in self.masks.items()}, values, skipped)

    def in_first(self, B: int) -> Holds:
        """Return these held values for the first of `B` sequences in a batch. All other sequences have none."""
        first = np.arange(B)[:, None] == 0
        masks = {signal: mask[:, None] & first for signal, mask in self.masks.items()}
        return Holds(masks, {signal: values[:, None].repeat(B, 1) for signal, values in self.values.items()})

    def by_step(self, T: int) -> list[Held]:
        """Return a list with the held values of each timestep."""
        # Most timesteps hold the same values as the timestep before, and share that timestep's dictionary.
        changes = np.arange(T) == 0
        for array in (*self.masks.values(), *self.values.values()):
            flat = array.reshape(T, -1)
            changes[1:] |= (flat[1:] != flat[:-1]).any(1)
        steps: list[Held] = []
        held: Held = {}
        for t, changed in enumerate(changes.tolist()):
            if changed:
                masks = {signal: mask[t] for signal, mask in self.masks.items() if mask[t].any()}
                held = {signal: (np.flatnonzero(m), self.values[signal][t][m]) for signal, m in masks.items()}
            steps.append(held)
        return steps


def put(held: Held, signal: str, computed: Array) -> None:
    """Overwrite a signal's computed values with its held values, in place."""
    if signal in held:
        computed.put(*held[signal])


def without_held(holds: Holds | None, signal: str, array: Array) -> Array:
    """Return the array with 0 where the signal is clamped: no gradient passes there."""
    masks = {} if holds is None else holds.masks
    return np.where(masks[signal], array.dtype.type(0), array) if signal in masks else array
