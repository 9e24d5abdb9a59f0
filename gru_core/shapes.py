"""The shapes that every cell requires of its weights and of its inputs.

`W` `(G·H, I)`, `U` `(G·H, H)` and `b` `(G·H,)` stack a block of H rows for each of a cell's G gates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gru_core.arrays import Array
from gru_core.holds import Holds

if TYPE_CHECKING:
    from gru_core.cell import Cell, Run


def check_blocks(cell: Cell) -> None:
    """Raise ValueError if W, U and b do not fit together."""
    H = cell.U.shape[-1]
    rows = len(cell.gates) * H
    for name, shape in (("W", (rows, cell.W.shape[-1])), ("U", (rows, H)), ("b", (rows,))):
        found = getattr(cell, name).shape
        if found != shape:
            raise ValueError(f"{name} has shape {found}, but {H} units need {shape}")


def by_gate(array: Array, gates: Sequence[str]) -> dict[str, Array]:
    """Return the block of each gate."""
    return dict(zip(gates, np.split(array, len(gates)), strict=True))


def row(cell: Cell, gate: str, unit: int) -> dict[str, Any]:
    """Return the weights of a unit in the sum of a gate: `W` `(I,)`, `U` `(H,)`, `b`, and None as `c`."""
    i = cell.gates.index(gate) * cell.units + unit
    return {"W": cell.W[i], "U": cell.U[i], "b": cell.b[i], "c": None}


def take_in(
    cell: Cell, x: Array, state: Array | None, holds: Holds | None
) -> tuple[Array, Array, Holds | None, tuple[int, ...]]:
    """Return `x`, the initial state and `holds` in the precision of the weights, and the shape of the batch.

    That shape is () or (B,). Raises ValueError if `x` has no timesteps, or if a shape does not fit.
    """
    dtype, H, I, S = cell.U.dtype, cell.units, cell.inputs, len(cell.carried) * cell.units
    x = np.ascontiguousarray(x, dtype)
    if x.ndim not in (2, 3) or x.shape[-1] != I:
        raise ValueError(f"x has shape {x.shape}, but must be (T, {I}) or (T, B, {I})")
    if len(x) == 0:
        raise ValueError("x has no steps")
    batch = x.shape[1:-1]
    if holds is not None:
        batch = np.broadcast_shapes(batch, *(mask.shape[1:-1] for mask in holds.masks.values()))
        holds = holds.over((len(x), *batch, H), dtype)
    if state is not None and state.shape not in ((S,), (*batch, S)):
        raise ValueError(f"h0 has shape {state.shape}, but must be {(S,)}" + (f" or {(*batch, S)}" if batch else ""))
    state = np.zeros((*batch, S), dtype) if state is None else np.array(np.broadcast_to(state, (*batch, S)), dtype)
    return x, state, holds, batch


def input_sums(cell: Cell, x: Array, batch: tuple[int, ...], sign: Array) -> Array:
    """Return `sign` times W x_t + b for all timesteps at once, `(T, G·H)` or `(T, B, G·H)`."""
    W, rows = cell.W.T * sign, len(cell.b)
    sums: Array = (x.reshape(-1, cell.inputs) @ W).reshape(*x.shape[:-1], rows)
    np.add(sums, cell.b * sign, sums)
    # One sequence may go in once for a batch whose sequences differ in what is held.
    return sums if batch == x.shape[1:-1] else np.broadcast_to(sums, (len(x), *batch, rows)).copy()


def sizes(run: Run) -> str:
    """Return the sizes of a run and the names of its held signals, as text."""
    T, *batch, H = run.h.shape
    B = "".join(f"B={size}, " for size in batch)
    names = [] if run.holds is None else [signal for signal, mask in run.holds.masks.items() if mask.any()]
    variant = "".join(f", {name}={value!r}" for name, value in run.cell.variant.items())
    held = f", holding {', '.join(names)}" if names else ""
    return f"T={T}, {B}I={run.cell.inputs}, H={H}{variant}{held}"
