"""The cells that a model can have."""

from __future__ import annotations

from gru_core.cells.cell import Cell
from gru_core.cells.gru import GRU
from gru_core.cells.lstm import LSTM
from gru_core.cells.mingru import MinGRU
from gru_core.cells.rnn import RNN

CELLS: dict[str, type[Cell]] = {cell.name: cell for cell in (GRU, LSTM, RNN, MinGRU)}

USUAL = ("rnn", "lstm", "gru")
"""The cells that are compared by default."""

ORDER = (*USUAL, *(name for name in CELLS if name not in USUAL))
"""The names of all cells, in the order used in comparisons."""

GATES = tuple(dict.fromkeys(name for cell in CELLS.values() for name in cell.gates))


def _agreed(name: str) -> tuple[float, float] | None:
    ends = {cell.holdable[name] for cell in CELLS.values() if name in cell.holdable}
    return ends.pop() if len(ends) == 1 else None


HOLDABLE = {name: _agreed(name) for cell in CELLS.values() for name in cell.holdable}
"""The signals that can be clamped in some cell, each with its range, or None if the range depends on the cell."""
