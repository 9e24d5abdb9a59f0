"""Clamps: fixed values for a gate, a candidate or a state during a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np

from gru_core.arrays import Mask
from gru_core.cells.cell import Cell
from gru_core.cells.holds import Holds
from gru_core.cells.registry import HOLDABLE

PYTORCH = {"n": "h_tilde", "g": "c_tilde"}
"""PyTorch's names of the candidates, each mapped to the name used here."""


@dataclass(frozen=True, init=False)
class Clamp:
    """A fixed value for a gate, at some of the units and some of the timesteps.

    `gate` is "r", "z", "h_tilde" or "h_prev" for a GRU, and any signal for another cell. "h_prev" is h_{t-1} as
    timestep t reads it: if it is clamped at 0, the timestep reads nothing of the past. `units` are indices from 0, or
    one index; None means all units. `steps` is a timestep from 0, a slice, or a mask: `(T,)` for one sequence, `(T, B)`
    for a batch. None means all timesteps. `layer` counts from 0, the layer nearest the input.

        Clamp("z", 0.0, units=2, steps=0)        # z of the third unit at the first timestep

    Raises ValueError if no cell has this gate, or if the value is outside the range of the gate. If this range depends
    on the cell, the value is checked when the clamp is used.
    """

    gate: str
    value: float
    units: Sequence[int] | None
    steps: slice | Mask | None
    layer: int

    def __init__(
        self,
        gate: str,
        value: float,
        units: int | Sequence[int] | None = None,
        steps: int | slice | Mask | None = None,
        layer: int = 0,
    ) -> None:
        fields = {"gate": gate, "value": value, "units": _units(units), "steps": _steps(steps), "layer": layer}
        for name, field in fields.items():
            object.__setattr__(self, name, field)  # the dataclass is frozen
        if gate not in HOLDABLE:
            choice = f"choose one of {', '.join(HOLDABLE)}"
            choice = f"PyTorch's {gate} is {PYTORCH[gate]} here" if gate in PYTORCH else choice
            raise ValueError(f"there is no gate {gate!r} to clamp: {choice}")
        ends = HOLDABLE[gate]
        if ends is not None:
            self.check(ends)

    def check(self, ends: tuple[float, float]) -> None:
        """Raise ValueError if the value is outside the range `ends`, which has the lowest and the highest value."""
        lowest, highest = ends
        if not lowest <= self.value <= highest:
            raise ValueError(f"{self.gate} cannot be clamped at {self.value}: choose from {lowest:g} to {highest:g}")

    def on(self, T: int) -> Mask:
        """Return a mask `(T,)` of the timesteps that the clamp covers in a sequence of `T` timesteps.

        Raises ValueError if the clamp covers none of these timesteps.
        """
        on = np.zeros(T, bool)
        on[slice(None) if self.steps is None else self.steps] = True
        if not on.any():
            raise ValueError(f"the clamp on {self.gate} covers none of the timesteps 1 to {T}")
        return on


def _units(units: Any) -> Sequence[int] | None:
    return units if units is None or isinstance(units, Sequence) else np.atleast_1d(units).tolist()


def _steps(steps: Any) -> slice | Mask | None:
    """Return the argument `steps` of a clamp as a slice, a mask or None. Raises ValueError for any other type."""
    if steps is None or isinstance(steps, slice):
        return steps
    mask = np.asarray(steps)
    if mask.ndim and mask.dtype == bool:
        return mask
    if mask.ndim or mask.dtype.kind not in "iu":
        raise ValueError("steps is one timestep, a slice such as slice(2, 5), or a mask of true and false")
    step = index(steps)
    return slice(step, step + 1 or None)


def hold(clamps: Sequence[Clamp], layer: int, cell: Cell, steps: tuple[int, ...]) -> Holds | None:
    """Return the clamped values of a layer, or None if the layer has no clamp.

    `steps` is the shape of the run: `(T,)` for one sequence, `(T, B)` for a batch. If clamps overlap, the last one
    counts. Raises ValueError if the layer has no such signal or unit, if a value is outside the signal's range, or if a
    clamp covers no timestep or has a mask of the wrong shape.
    """
    clamps, shape = [clamp for clamp in clamps if clamp.layer == layer], (*steps, cell.units)
    if not clamps:
        return None
    for clamp in clamps:
        if clamp.gate not in cell.holdable:
            allowed = ", ".join(cell.holdable)
            raise ValueError(f"this {cell.title} layer has no {clamp.gate} to clamp: choose one of {allowed}")
        clamp.check(cell.holdable[clamp.gate])
    masks = {clamp.gate: np.zeros(shape, bool) for clamp in clamps}
    values = {clamp.gate: np.zeros(shape) for clamp in clamps}
    for clamp in clamps:
        cells = _cells(clamp, shape)
        masks[clamp.gate][cells] = True
        values[clamp.gate][cells] = clamp.value
    return Holds(masks, values)


def _cells(clamp: Clamp, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Return the NumPy index of the values that a clamp sets in an array of shape `shape`."""
    T, H = shape[0], shape[-1]
    for unit in clamp.units or ():
        if not 0 <= unit < H:
            raise ValueError(f"unit {unit + 1} is not in this layer: choose from 1 to {H}")
    units = slice(None) if clamp.units is None else list(clamp.units)
    if isinstance(clamp.steps, np.ndarray):
        if clamp.steps.shape != shape[:-1]:
            mask = clamp.steps.shape
            raise ValueError(f"the clamp on {clamp.gate} has a mask of shape {mask}, but the run has {shape[:-1]}")
        return *(at[:, None] for at in clamp.steps.nonzero()), units
    clamp.on(T)
    return clamp.steps or slice(None), ..., units
