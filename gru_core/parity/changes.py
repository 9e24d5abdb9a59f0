"""The changes that common mistakes make: to a network, to its input, or to the compared values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from gru_core.arrays import Array
from gru_core.formats.weights import FileLayer
from gru_core.parity.case import FUNCTIONS, Case, Steps, Wanted


def meaning(**changes: Any) -> Callable[[Case], Case]:
    return lambda case: replace(case, convention=replace(case.convention, **changes))


def output(**changes: Any) -> Callable[[Case], Case]:
    return lambda case: replace(case, output=case.output and replace(case.output, **changes))


def cells(case: Case, change: Callable[[FileLayer], FileLayer]) -> Case:
    return replace(case, cells=tuple(map(change, case.cells)))


def transpose_blocks(cell: FileLayer, array: Array) -> Array:
    return np.concatenate([block.T for block in np.split(array, cell.blocks)])


def in_order(places: list[int], change: Callable[[FileLayer, Array], Array]) -> Callable[[FileLayer, Array], Array]:
    """Return a function that applies `change` with the blocks in the order `places`, and then restores their order."""

    def changed(cell: FileLayer, array: Array) -> Array:
        blocks = np.split(array, cell.blocks)
        after = np.split(change(cell, np.concatenate([blocks[i] for i in places])), cell.blocks)
        return np.concatenate([after[places.index(i)] for i in range(cell.blocks)])

    return changed


def reshape(cell: FileLayer, array: Array) -> Array:
    return np.ascontiguousarray(array.T).reshape(array.shape)


def reshape_back(cell: FileLayer, array: Array) -> Array:
    return array.reshape(array.shape[::-1]).T


def interleave(cell: FileLayer, array: Array) -> Array:
    return array.reshape(cell.blocks, cell.units, -1).swapaxes(0, 1).reshape(array.shape)


def interleave_back(cell: FileLayer, array: Array) -> Array:
    return array.reshape(cell.units, cell.blocks, -1).swapaxes(0, 1).reshape(array.shape)


def split_pairs(cell: FileLayer) -> tuple[Array, Array]:
    pairs = np.concatenate([cell.b_input, cell.b_recurrent]).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def blocks(places: list[int]) -> Callable[[FileLayer], tuple[Array, Array]]:
    def change(cell: FileLayer) -> tuple[Array, Array]:
        inputs, recurrent = np.split(cell.b_input, cell.blocks), np.split(cell.b_recurrent, cell.blocks)
        return np.concatenate([inputs[i] for i in places]), np.concatenate([recurrent[i] for i in places])

    return change


def forget(block: int, by: float) -> Callable[[FileLayer], tuple[Array, Array]]:
    def change(cell: FileLayer) -> tuple[Array, Array]:
        rows = np.repeat(np.arange(4) == block, cell.units)
        return (cell.b_input + by * rows).astype(cell.b_input.dtype), cell.b_recurrent

    return change


def drop(case: Case, k: int) -> Case:
    top = len(case.cells) - 1
    wanted = {f"h_l{top - 1}" if name == f"h_l{top}" else name: array for name, array in case.wanted.items()}
    return replace(case, cells=case.cells[:k] + case.cells[k + 1 :], h0=case.h0[:k] + case.h0[k + 1 :], wanted=wanted)


def swap_axes(case: Case) -> Case:
    swapped = case.over(lambda array: array.swapaxes(0, 1))
    return replace(swapped, h0=case.zero_state(swapped.x.shape[1]))


def late(case: Case) -> Case:
    wanted = {name: wanted.map(lambda array: array[1:]) for name, wanted in case.wanted.items()}
    return replace(case, x=case.x[:-1], counted=case.counted[:-1], wanted=wanted)


def from_first_state(case: Case) -> Case:
    """Start the case from the reference's own state after the first timestep, or after the second for an LSTM.

    For an LSTM, c = artanh(h / o), with o computed from the input and the previous h.
    """
    states = [case.wanted[f"h_l{k}"].values for k in range(len(case.cells))]
    if case.cells[0].blocks != 4:
        return replace(case.over(lambda array: array[1:]), h0=tuple(h[0] for h in states))
    h0 = []
    for cell, x, h in zip(case.cells, (case.x, *states), states, strict=False):
        layer = cell.core(case.convention)
        H = layer.units
        o = FUNCTIONS[case.gate](x[1] @ layer.W[3 * H :].T + h[0] @ layer.U[3 * H :].T + layer.b[3 * H :])
        c = np.arctanh(np.clip(h[1] / o, -1 + 1e-7, 1 - 1e-7))
        h0.append(np.concatenate([h[1], c], -1))
    return replace(case.over(lambda array: array[2:]), h0=tuple(h0))


def last_quarter(case: Case) -> Case:
    late = (np.arange(len(case.x)) >= 3 * len(case.x) // 4)[:, None]
    return replace(case, wanted={name: replace(wanted, at=wanted.at & late) for name, wanted in case.wanted.items()})


def roll(by: int) -> Callable[[Case], Case]:
    return lambda case: replace(case, x=np.roll(case.x, by, -1))


def padding(case: Case) -> Steps:
    """Return a mask `(T, B)` of the timesteps that look like padding.

    Their values are zero, or the same as at the timestep before.
    """
    signals = [w for name, w in case.wanted.items() if name != "y"] or list(case.wanted.values())
    padded: Steps = np.logical_and.reduce([held(wanted) for wanted in signals])
    return padded


def held(wanted: Wanted) -> Steps:
    held: Steps = (wanted.values == 0).all(-1)
    held[1:] |= (wanted.values[1:] == wanted.values[:-1]).all(-1) & wanted.at[:-1]
    return held & wanted.at


def float16(cell: Any, array: Array | None = None) -> Array:
    array = cell if array is None else array
    return array.astype(np.float16).astype(array.dtype)


def bits(dropped: int) -> Callable[..., Array]:
    """Return a function that rounds float32 numbers to a mantissa with `dropped` fewer bits."""

    def rounded(cell: Any, array: Array | None = None) -> Array:
        array = cell if array is None else array
        whole = np.ascontiguousarray(array, np.float32).view(np.uint32)
        half = (whole >> np.uint32(dropped) & np.uint32(1)) + np.uint32(2 ** (dropped - 1) - 1)
        mask = np.uint32(2**32 - 2**dropped)
        return ((whole + half) & mask).view(np.float32).astype(array.dtype)

    return rounded


def int8(axis: int | None, steps: float) -> Callable[[FileLayer, Array], Array]:
    """Return a function that quantizes weights to 8 bits, with the largest weight `steps` steps from zero.

    Weights along `axis` share a scale. If `axis` is None, all weights of a matrix do.
    """

    def quantized(cell: FileLayer, array: Array) -> Array:
        scale = np.abs(array).max(axis=axis, keepdims=True) / steps
        scale = np.where(scale == 0, 1, scale)
        return (np.clip(np.round(array / scale), -128, 127) * scale).astype(array.dtype)

    return quantized


def dynamic(bits: int) -> Callable[[Array], Array]:
    """Return a function that quantizes an array to `bits` bits, with a scale from the range of the array."""

    def quantized(array: Array) -> Array:
        lowest, highest = min(float(array.min()), 0.0), max(float(array.max()), 0.0)
        scale = (highest - lowest) / (2**bits - 1) or 1.0
        return (np.round(array / scale) * scale).astype(array.dtype)

    return quantized


bfloat16 = bits(16)
