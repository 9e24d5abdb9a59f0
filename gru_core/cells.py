"""The cells that a model can have."""

from __future__ import annotations

from gru_core.cell import Cell
from gru_core.gru import GRU
from gru_core.lstm import LSTM
from gru_core.mingru import MinGRU
from gru_core.rnn import RNN

CELLS: dict[str, type[Cell]] = {cell.name: cell for cell in (GRU, LSTM, RNN, MinGRU)}

USUAL = ("rnn", "lstm", "gru")
"""The cells that are compared unless others are chosen."""

ORDER = (*USUAL, *(name for name in CELLS if name not in USUAL))
"""All cells in the order in which they stand side by side."""

GATES = tuple(dict.fromkeys(name for cell in CELLS.values() for name in cell.gates))


def _widest(name: str) -> tuple[float, float]:
    ends = [cell.holdable[name] for cell in CELLS.values() if name in cell.holdable]
    return min(low for low, _ in ends), max(high for _, high in ends)


HOLDABLE = {name: _widest(name) for cell in CELLS.values() for name in cell.holdable}
"""`Cell.holdable` of all cells together, with the ends of the cell with the widest range."""
