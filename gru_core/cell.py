"""The cells that a model's layers can be. Each is one file: its equations, and what it says of itself.

The class of a cell's weights has

    name        what it is called in files and on the wire
    signals     its values of every step by name, in the order in which they are shown
    gates       those of them that are a sum W x + U h + b put through a function: the rows of W, U and b
    holdable    what can be held in a run, and the lowest value that it can take; the highest is 1

and what it is run with: `forward`, which gives a run with every signal as an array `(T, H)`, that
run's `backward`, `gate_gradients` and `step_jacobians`. Everything that shows, sends, saves or
alters signals goes by these lists.
"""

from __future__ import annotations

from gru_core.gru import GRU, Forward

Cell = GRU
Run = Forward
CELLS: dict[str, type[Cell]] = {GRU.name: GRU}

SIGNALS = tuple(dict.fromkeys(name for cell in CELLS.values() for name in cell.signals))
GATES = tuple(dict.fromkeys(name for cell in CELLS.values() for name in cell.gates))
HOLDABLE = {name: lowest for cell in CELLS.values() for name, lowest in cell.holdable.items()}
"""Those of all cells."""
