"""Edits: new values for single weights of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from gru_core.cells.cell import Cell
from gru_core.cells.registry import GATES

Part = Literal["W", "U", "b", "c"]

LARGEST = 1e3
"""The largest absolute value that an edit can set."""


@dataclass(frozen=True)
class Edit:
    """A new `value` for one weight of a unit, in the weighted sum of a gate.

    `part` selects the weight: "W" multiplies input `index`, "U" multiplies the state of unit `index`, and "b" is the
    bias. "c" is the second bias of h_tilde in a GRU: the reset gate multiplies it. Biases have no index. Layers, units
    and indices count from 0.

    Raises ValueError if there is no such gate or part, if an index is missing or not allowed, or if the value is out of
    range.
    """

    layer: int
    gate: str
    unit: int
    part: Part
    index: int | None
    value: float

    def __post_init__(self) -> None:
        if self.gate not in GATES:
            raise ValueError(f"there is no gate {self.gate!r} with weights: choose one of {', '.join(GATES)}")
        if self.part not in get_args(Part):
            raise ValueError(f"there is no part {self.part!r} of a sum: choose one of {', '.join(get_args(Part))}")
        if self.part == "c" and self.gate != "h_tilde":
            raise ValueError(f"{self.gate} has no bias c: only h_tilde has one")
        if (self.index is None) != (self.part in ("b", "c")):
            raise ValueError(f"{self.part} {'has no' if self.part in ('b', 'c') else 'needs an'} index")
        if not abs(self.value) <= LARGEST:
            raise ValueError(f"a weight cannot be {self.value}: choose from -{LARGEST:,.0f} to {LARGEST:,.0f}")


def edited(cell: Cell, edits: Sequence[Edit]) -> Cell:
    """Return the layer with the edits applied. If several edits set the same weight, the last one counts.

    Raises ValueError if the layer has no such weight.
    """
    arrays = {name: array.copy() for name, array in cell.parameters.items()}
    for edit in edits:
        if edit.gate not in cell.gates:
            gates = ", ".join(cell.gates)
            raise ValueError(f"this {cell.title} layer has no gate {edit.gate} with weights: choose one of {gates}")
        if not 0 <= edit.unit < cell.units:
            raise ValueError(f"unit {edit.unit + 1} is not in this layer: choose from 1 to {cell.units}")
        if edit.part == "c" and "c_h" not in arrays:
            raise ValueError("this layer has no bias c: its reset gate acts before the product")
        if edit.part == "U" and edit.gate not in cell.recurrent:
            raise ValueError(f"{edit.gate} of this {cell.title} layer does not read the old state: it has no weight U")
        n, index = cell.units - cell.backward_units, edit.index
        if edit.part == "U" and index is not None and index < cell.units and (edit.unit < n) != (index < n):
            raise ValueError(f"unit {edit.unit + 1} does not read unit {index + 1}, which has the other direction")
        blocks = {"U": cell.recurrent, "c": (edit.gate,)}.get(edit.part, cell.gates)
        row = blocks.index(edit.gate) * cell.units + edit.unit
        array = arrays["c_h" if edit.part == "c" else edit.part]
        if edit.index is None:
            array[row] = edit.value
        elif 0 <= edit.index < array.shape[1]:
            array[row, edit.index] = edit.value
        else:
            raise ValueError(f"index {edit.index + 1} is not in {edit.part}: choose from 1 to {array.shape[1]}")
    return cell.with_parameters(arrays)
