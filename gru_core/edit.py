"""Edits: single weights of a model at other values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gru_core.cell import GATES, Cell

LARGEST = 1e3
"""The largest value, either way, that a weight can be given."""


@dataclass(frozen=True)
class Edit:
    """Give one weight of `unit` in the sum of `gate`, one of its cell's, another `value`.

    `part` "W" is the weight that meets input `index`, "U" that which meets unit `index`; "b" is the
    bias and "c", of a GRU's h_tilde only, the one inside the reset gate's reach: they have no index.
    All places count from 0.

    Raises ValueError when there is no such part or the value is out of range.
    """

    layer: int
    gate: str
    unit: int
    part: Literal["W", "U", "b", "c"]
    index: int | None
    value: float

    def __post_init__(self) -> None:
        if self.gate not in GATES:
            raise ValueError(f"there is no gate {self.gate!r} with weights: choose one of {', '.join(GATES)}")
        if self.part not in ("W", "U", "b", "c"):
            raise ValueError(f"there is no part {self.part!r} of a sum: choose one of W, U, b, c")
        if self.part == "c" and self.gate != "h_tilde":
            raise ValueError(f"{self.gate} has no bias c: only h_tilde has one")
        if (self.index is None) != (self.part in ("b", "c")):
            raise ValueError(f"{self.part} {'has no' if self.part in ('b', 'c') else 'needs an'} index")
        if not abs(self.value) <= LARGEST:
            raise ValueError(f"a weight cannot be {self.value}: choose from -{LARGEST:,.0f} to {LARGEST:,.0f}")


def edited(cell: Cell, edits: Sequence[Edit]) -> Cell:
    """The layer with the edits made, the last one counting where several are of one weight.

    Raises ValueError when a weight is not there.
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
        row = edit.unit if edit.part == "c" else cell.gates.index(edit.gate) * cell.units + edit.unit
        array = arrays["c_h" if edit.part == "c" else edit.part]
        if edit.index is None:
            array[row] = edit.value
        elif 0 <= edit.index < array.shape[1]:
            array[row, edit.index] = edit.value
        else:
            raise ValueError(f"index {edit.index + 1} is not in {edit.part}: choose from 1 to {array.shape[1]}")
    return cell.with_parameters(arrays)
