"""Random cells, states and clamps."""

from __future__ import annotations

import numpy as np

from gru_core.arrays import Array
from gru_core.cells.cell import Cell
from gru_core.cells.holds import Holds
from gru_core.cells.registry import CELLS

NAMES = list(CELLS)


def random_cell(name: str, rng: np.random.Generator, inputs: int, units: int, strong: float = 1.0) -> Cell:
    """Return a cell of the kind `name` with random weights, multiplied by `strong`."""
    rows, recurrent = len(CELLS[name].gates) * units, len(CELLS[name].recurrent) * units
    shapes = {"W": (rows, inputs), "U": (recurrent, units), "b": (rows,)}
    return CELLS[name](**{key: strong * rng.normal(0, 0.7, shape) for key, shape in shapes.items()})


def random_state(cell: Cell, rng: np.random.Generator, batch: tuple[int, ...] = ()) -> Array:
    """Return a random initial state of a cell."""
    return rng.uniform(-1, 1, (*batch, len(cell.carried) * cell.units))


def random_holds(cell: Cell, rng: np.random.Generator, shape: tuple[int, ...], share: float = 0.15) -> Holds:
    """Return random clamps for all signals that can be clamped. They clamp about `share` of the values."""
    masks = {signal: rng.random((*shape, cell.units)) < share for signal in cell.holdable}
    return Holds(masks, {signal: rng.uniform(*cell.holdable[signal], mask.shape) for signal, mask in masks.items()})
