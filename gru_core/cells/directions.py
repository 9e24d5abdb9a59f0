"""Bidirectional layers: one layer in which the last units read the sequence from its end.

Such a layer has both directions side by side. The first units read the sequence from its start. The last
`Cell.backward_units` units read the sequence from its end, so their old state is h_{t+1}. No unit reads the state of a
unit of the opposite direction: the blocks of U between the two directions are zero. All arrays have one time axis, and
have the units of both directions side by side, as in PyTorch's output of a bidirectional layer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from gru_core.arrays import Array
from gru_core.cells.holds import Holds

if TYPE_CHECKING:
    from gru_core.cells.cell import Cell
    from gru_core.cells.run import Gradients, Run

C = TypeVar("C", bound="Cell")
R = TypeVar("R", bound="Run")
G = TypeVar("G", bound="Gradients")


def side_by_side(first: Array, second: Array, blocks: int) -> Array:
    """Merge two stacks of `blocks` blocks. Each merged block has the rows of `first`, then the rows of `second`."""
    pairs = zip(np.split(first, blocks), np.split(second, blocks), strict=True) if blocks else ()
    return np.concatenate([rows for pair in pairs for rows in pair])


def recurrent(first: Array, second: Array, blocks: int) -> Array:
    """Merge the matrices U of two directions into one, with zeros between units of different directions."""
    n, m = first.shape[1], second.shape[1]
    if not blocks:
        return np.zeros((0, n + m), first.dtype)
    return side_by_side(np.pad(first, ((0, 0), (0, m))), np.pad(second, ((0, 0), (n, 0))), blocks)


def are_apart(cell: Cell) -> bool:
    """Return whether no unit of a bidirectional layer reads the state of a unit of the opposite direction."""
    n = cell.units - cell.backward_units
    return not any(U[:n, n:].any() or U[n:, :n].any() for U in cell.recurrent_weights.values())


def halves(cell: C) -> tuple[C, C]:
    """Return the two directions of a layer as layers of one direction."""
    n, H = cell.units - cell.backward_units, cell.units

    def half(part: slice) -> C:
        arrays = {
            name: array.reshape(-1, H, *array.shape[1:])[:, part].reshape(-1, *array.shape[1:])
            for name, array in cell.parameters.items()
        }
        arrays["U"] = np.ascontiguousarray(arrays["U"][:, part])
        return replace(cell, backward_units=0, **arrays)

    return half(slice(n)), half(slice(n, H))


def join(first: C, second: C) -> C:
    """Return a bidirectional layer: `first` reads the sequence from its start, and `second` from its end.

    Both read the same inputs. Raises ValueError if they are cells of different kinds or with different inputs.
    """
    if type(first) is not type(second) or first.parameters.keys() != second.parameters.keys():
        raise ValueError("the two directions of a layer must have cells of the same kind")
    if first.inputs != second.inputs:
        raise ValueError(f"the two directions of a layer have {first.inputs} and {second.inputs} inputs")
    arrays = _parameters(first, first.parameters, second.parameters)
    return replace(first, backward_units=second.units, **arrays)


def _parameters(cell: Cell, first: Mapping[str, Array], second: Mapping[str, Array]) -> dict[str, Array]:
    """Merge the arrays of two directions, or the gradients of these arrays, into the arrays of one layer."""
    blocks = {"W": len(cell.gates), "b": len(cell.gates)}
    joined = {"U": recurrent(first["U"], second["U"], len(cell.recurrent))}
    rest = (name for name in first if name != "U")
    return joined | {name: side_by_side(first[name], second[name], blocks.get(name, 1)) for name in rest}


def states(cell: Cell, state: Array) -> tuple[Array, Array]:
    """Split a state into the states `(…, S)` of the two directions."""
    signals, n = np.split(state, len(cell.carried), -1), cell.units - cell.backward_units
    return np.concatenate([s[..., :n] for s in signals], -1), np.concatenate([s[..., n:] for s in signals], -1)


def forward(
    run: Callable[[C, Array, Array | None, Holds | None], R], cell: C, x: Array, h0: Array | None, holds: Holds | None
) -> R:
    """Run both directions of a layer with the function `run`. Return one run with the values of both directions."""
    n = cell.units - cell.backward_units
    x, state, holds, _ = cell.prepare(x, h0, holds)
    starts = states(cell, state)
    first, second = halves(cell)
    ahead = run(first, x, starts[0], holds and holds[..., :n])
    back = run(second, x[::-1], starts[1], holds and holds[..., n:][::-1])
    values: dict[str, Any] = {name: _beside(getattr(ahead, name), getattr(back, name)[::-1]) for name in cell.signals}
    values |= {f"{name}0": _beside(getattr(ahead, f"{name}0"), getattr(back, f"{name}0")) for name in cell.carried}
    return replace(ahead, cell=cell, holds=holds, **values)


def runs(run: R) -> tuple[R, R]:
    """Return the runs of the two directions, each with the timesteps in its own reading order."""
    n = run.cell.units - run.cell.backward_units

    def half(cell: Cell, units: slice, time: slice) -> R:
        values: dict[str, Any] = {name: getattr(run, name)[time][..., units] for name in run.cell.signals}
        values |= {f"{name}0": getattr(run, f"{name}0")[..., units] for name in run.cell.carried}
        return replace(run, cell=cell, x=run.x[time], holds=run.holds and run.holds[time][..., units], **values)

    first, second = halves(run.cell)
    return half(first, np.s_[:n], np.s_[:]), half(second, np.s_[n:], np.s_[::-1])


def backward(
    gradients: Callable[[Any, Array, Mapping[str, Array]], G], run: Run, dh: Array, direct: Mapping[str, Array] | None
) -> G:
    """Compute the gradients of both directions with the function `gradients`, and merge them.

    The result has the gradients of the bidirectional layer.
    """
    n, direct = run.cell.units - run.cell.backward_units, direct or {}
    ahead, back = runs(run)
    first = gradients(ahead, dh[..., :n], {gate: d[..., :n] for gate, d in direct.items()})
    second = gradients(back, dh[::-1][..., n:], {gate: d[::-1][..., n:] for gate, d in direct.items()})
    values: dict[str, Any] = _parameters(run.cell, first.parameters, second.parameters)
    values |= {name: _beside(getattr(first, name), getattr(second, name)[::-1]) for name in run.cell.carried}
    S = len(run.cell.carried)
    pairs = zip(np.split(first.h0, S, -1), np.split(second.h0, S, -1), strict=True)
    values |= {"h0": np.concatenate([part for pair in pairs for part in pair], -1), "x": first.x + second.x[::-1]}
    return replace(first, **{field.name: values[field.name] for field in fields(first) if field.name in values})


def _beside(first: Array, second: Array) -> Array:
    return np.concatenate([first, second], -1)
