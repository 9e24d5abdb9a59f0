"""Initial weights of a cell, by the name of the initialization.

    pytorch   W, U and b uniform in ±1/√H, as in torch.nn.RNN, LSTM and GRU. PyTorch has two such biases for each
              sum; here there is one.
    keras     W uniform in ±√(6/(I + G·H)) (Glorot & Bengio 2010), U orthogonal, b zero except b_f = 1 in an
              LSTM (Gers 2000; Jozefowicz 2015), as in keras.layers
    chrono    as pytorch, with biases for memories of 2 to T_max timesteps (Tallec & Ollivier 2018,
              arXiv:1804.11188): b_f = log U(1, T_max − 1) and b_i = −b_f in an LSTM,
              b_z = −log U(1, T_max − 1) in a GRU. With these biases alone, 1 − z is between ½ and 1 − 1/T_max.
              No library uses it by default.

G is the number of the cell's gates. The reset gate of a new GRU acts before the product, unlike in PyTorch and Keras.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from gru_core.arrays import Array
from gru_core.cells.cell import Cell
from gru_core.cells.registry import CELLS

Initial = Literal["pytorch", "keras", "chrono"]

NO_CHRONO = "the initialization “chrono” sets gate biases, and {} cells have no gates for it: choose another one"


def initial(
    name: str, inputs: int, units: int, rng: np.random.Generator, how: Initial = "pytorch", T_max: int | None = None
) -> Cell:
    """Return a cell with initial weights. `name` is a key of `CELLS`, and `how` the name of the initialization.

    "chrono" needs a `T_max` of at least 3. The other initializations take no `T_max`. Raises ValueError if the cell or
    the initialization is unknown, if `T_max` does not fit, or for "chrono" with an RNN, which has no gates.
    """
    if name not in CELLS:
        raise ValueError(f"cell {name!r} is unknown: choose one of {', '.join(CELLS)}")
    if how not in get_args(Initial):
        raise ValueError(f"initialization {how!r} is unknown: choose one of {', '.join(get_args(Initial))}")
    if (how == "chrono") != (T_max is not None) or (T_max is not None and T_max < 3):
        raise ValueError(
            "the initialization “chrono” needs a T_max of at least 3, and no other initialization takes it"
        )
    if how == "chrono" and not CELLS[name].chrono:
        raise ValueError(NO_CHRONO.format(CELLS[name].title))
    rows, recurrent = len(CELLS[name].gates) * units, len(CELLS[name].recurrent) * units
    if how == "keras":
        bound = np.sqrt(6 / (inputs + rows))
        W, U, b = rng.uniform(-bound, bound, (rows, inputs)), _orthogonal(recurrent, units, rng), np.zeros(rows)
    else:
        bound = 1 / np.sqrt(units)
        W, U, b = (rng.uniform(-bound, bound, shape) for shape in ((rows, inputs), (recurrent, units), rows))
    cell: Cell = CELLS[name](W, U, b)
    return cell.with_parameters({"b": np.concatenate([*_biases(cell, how, T_max, rng).values()])})


def _orthogonal(rows: int, columns: int, rng: np.random.Generator) -> Array:
    """Return a random matrix with orthonormal columns: the Q of the QR decomposition of a random matrix."""
    if rows == 0:
        return np.zeros((0, columns))
    Q, R = np.linalg.qr(rng.normal(size=(rows, columns)))
    return np.asarray(Q * np.sign(np.diag(R)))


def _biases(cell: Cell, how: Initial, T_max: int | None, rng: np.random.Generator) -> dict[str, Array]:
    b = cell.biases
    if how == "keras" and "f" in b:
        b["f"] = np.ones(cell.units)
    if T_max is not None:
        longest = np.log(rng.uniform(1, T_max - 1, cell.units))
        b |= {gate: sign * longest for gate, sign in cell.chrono.items()}
    return b
