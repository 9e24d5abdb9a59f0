"""First weights of a cell, by the name of what gives them.

    pytorch   W, U and b uniform in ±1/√H: what torch.nn.RNN, LSTM and GRU begin with
    keras     W uniform in ±√(6/(I + G·H)) (Glorot & Bengio 2010), U orthogonal, b zero but for b_f = 1
              of an LSTM (Gers 2000; Jozefowicz 2015): what keras.layers begin with
    chrono    as pytorch, with biases for memories of 2 to T_max steps (Tallec & Ollivier 2018,
              arXiv:1804.11188): b_f = log U(1, T_max − 1) and b_i = −b_f of an LSTM,
              b_z = −log U(1, T_max − 1) of a GRU, so that 1 − z begins between ½ and 1 − 1/T_max.
              No library does it by default.

G is the number of the cell's gates. A GRU's reset acts before the product.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from gru_core.arrays import Array
from gru_core.cell import CELLS, Cell

Initial = Literal["pytorch", "keras", "chrono"]


def initial(
    name: str, inputs: int, units: int, rng: np.random.Generator, how: Initial = "pytorch", T_max: int | None = None
) -> Cell:
    """A cell of `CELLS` with first weights; `T_max`, at least 3, is for "chrono" and for it alone.

    Raises ValueError when there is no such cell or no such way, or for a `T_max` that does not fit.
    """
    if name not in CELLS:
        raise ValueError(f"cell {name!r} is unknown: choose one of {', '.join(CELLS)}")
    if how not in get_args(Initial):
        raise ValueError(f"initialization {how!r} is unknown: choose one of {', '.join(get_args(Initial))}")
    if (how == "chrono") != (T_max is not None) or (T_max is not None and T_max < 3):
        raise ValueError(
            "the initialization “chrono” needs a T_max of at least 3, and no other initialization takes it"
        )
    if how == "chrono" and name == "rnn":
        raise ValueError("the initialization “chrono” sets gate biases, and an RNN has no gates: choose another one")
    rows = len(CELLS[name].gates) * units
    if how == "keras":
        bound = np.sqrt(6 / (inputs + rows))
        W, U, b = rng.uniform(-bound, bound, (rows, inputs)), _orthogonal(rows, units, rng), np.zeros(rows)
    else:
        bound = 1 / np.sqrt(units)
        W, U, b = (rng.uniform(-bound, bound, shape) for shape in ((rows, inputs), (rows, units), rows))
    cell: Cell = CELLS[name](W, U, b)
    return cell.with_parameters({"b": np.concatenate([*_biases(cell, how, T_max, rng).values()])})


def _orthogonal(rows: int, columns: int, rng: np.random.Generator) -> Array:
    """Columns at right angles and of length 1: the Q of a random matrix, uniform over all such."""
    Q, R = np.linalg.qr(rng.normal(size=(rows, columns)))
    return np.asarray(Q * np.sign(np.diag(R)))


def _biases(cell: Cell, how: Initial, T_max: int | None, rng: np.random.Generator) -> dict[str, Array]:
    b = cell.biases
    if how == "keras" and "f" in b:
        b["f"] = np.ones(cell.units)
    if T_max is not None:
        longest = np.log(rng.uniform(1, T_max - 1, cell.units))
        b |= {"f": longest, "i": -longest} if "f" in b else {"z": -longest}
    return b
