"""A reference: an input, and the values that another implementation computed for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array
from gru_core.encoders.symbols import Symbols
from gru_core.encoders.tokens import LARGEST
from gru_core.formats import npz
from gru_core.formats.padding import counted
from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import MAX_BYTES
from gru_core.model import Model
from gru_core.parity.case import Steps, Wanted

MAX_STEPS, MAX_WORK = 10_000, 2e9
"""Limits over all sequences of a reference: timesteps, and timesteps times the number of the model's weights."""

STATE = ("h0", "c0", "lengths", "mask")
"""Arrays that a reference can have besides the input, the states and the outputs.

An initial state can also have the name of its layer: `h0_l0`, `h0_l1`, …, so that layers may have different sizes.
"""

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Reference:
    """An input `x` `(T, B, I)`, the expected signals `wanted`, and an initial state for each layer, `(B, S)`.

    Timesteps in `padded` `(T, B)` do not change the state and are not compared. All arrays are in the order in which
    the network reads the sequence. `bits` is the number of significant bits of the least precise signal. `swapped` has
    the expected signals with the two directions exchanged, or is None if that is not possible.
    """

    x: Array
    wanted: Mapping[str, Wanted]
    padded: Steps
    h0: tuple[Array, ...]
    bits: int
    swapped: Mapping[str, Wanted] | None = None


def arrays(reference: Arrays | bytes | str | Path) -> Arrays:
    """Return the arrays of a reference, which may be a file. Raises FormatError or OSError if it cannot be read."""
    return reference if isinstance(reference, Mapping) else npz.arrays(data(reference))


def data(file: bytes | str | Path) -> bytes:
    """Return the bytes of a file. Raises FormatError if it is too large, and OSError if it cannot be read."""
    if isinstance(file, bytes):
        content = file
    else:
        with Path(file).open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise FormatError(f"the reference is too large: at most {MAX_BYTES // 2**20} MiB")
    return content


def read(model: Model, arrays: Arrays, both: bool, backward: bool, as_read: bool) -> Reference:
    """Build a reference from arrays by name. Raises FormatError if the arrays do not fit the model.

    If `both` is true, the states may have both directions side by side. If `backward` is true, the network reads the
    sequence from its end. If `as_read` is also true, its library returns the states with the last timestep first.
    """
    top = len(model.layers) - 1
    sizes = {f"h_l{k}": layer.units for k, layer in enumerate(model.layers)} | {"y": len(model.readout.labels)}
    named = {f"h_l{top}" if name == "h" else name: array for name, array in arrays.items() if name != "x"}
    initial = {f"{name}_l{k}" for name in ("h0", "c0") for k in range(top + 1)}
    signals = {name: np.asarray(array) for name, array in named.items() if name not in initial.union(STATE)}
    unknown = [name for name in signals if name not in sizes]
    if "x" not in arrays or not signals or unknown:
        allowed = f"x, and h, {', '.join(list(sizes)[:-1])} or y"
        wrong = f"{shown(unknown[0])} is none of them" if unknown else f"this one has {', '.join(map(shown, arrays))}"
        more = f"It can also have {', '.join(STATE[:-1])} and {STATE[-1]}"
        raise FormatError(f"a reference for this model holds arrays called {allowed}; {wrong}. {more}")
    x = _input(model, np.asarray(arrays["x"]))
    signals = {name: _numbers(name, array) for name, array in sorted(signals.items())}
    if _is_batch_first(x, signals, sizes):
        x = x.swapaxes(0, 1)
    mask = model.mask(x)
    padded = _padded((len(x), x.shape[1]), named, mask)
    if backward:
        x, padded = x[::-1], padded[::-1]

    def read_signals(second_half: bool) -> dict[str, Wanted]:
        return {
            name: _wanted(
                name, a, (len(x), x.shape[1]), sizes[name], padded, both and name != "y", second_half, flipped
            )
            for name, a in signals.items()
        }

    if model.is_bidirectional:
        _check_last(model, signals, len(x))
    flipped = backward and not as_read
    wide = both and all(array.shape[-1] == 2 * sizes[name] for name, array in signals.items())
    wanted = read_signals(backward)
    bits = min(_bits(array) for array in signals.values())
    return Reference(
        x, wanted, padded, _initial_states(model, named, x.shape[1], both, backward), bits,
        read_signals(not backward) if wide else _exchanged(model, wanted),
    )  # fmt: skip


def _exchanged(model: Model, wanted: Mapping[str, Wanted]) -> Mapping[str, Wanted] | None:
    """Return the signals with the halves of each bidirectional layer exchanged, or None if there is no such layer."""
    both = [f"h_l{k}" for k, layer in enumerate(model.layers) if 2 * layer.backward_units == layer.units]
    exchanged = {
        name: replace(signal, values=np.concatenate(np.split(signal.values, 2, -1)[::-1], -1))
        for name, signal in wanted.items()
        if name in both
    }
    return {**wanted, **exchanged} if exchanged else None


def _check_last(model: Model, signals: Arrays, T: int) -> None:
    """Raise FormatError if a bidirectional network's states or outputs are not given for every timestep and direction.

    A single last state would be ambiguous, because the last state of a backward half is at the first timestep.
    """
    for k, layer in enumerate(model.layers):
        array = signals.get(f"h_l{k}")
        if layer.backward_units and array is not None and array.shape[-1:] == (layer.units - layer.backward_units,):
            raise FormatError(
                f"h_l{k} in the reference has {array.shape[-1]} numbers at each timestep; for a bidirectional layer it "
                f"must have {layer.units}, both directions side by side. If they are the sum, the mean or the product "
                "of the directions, store them as y: they are the outputs of a network that ends there"
            )
        if layer.backward_units and array is not None and (array.ndim < 2 or len(array) != T):
            raise FormatError(
                f"h_l{k} in the reference has the shape {array.shape}; for a bidirectional layer it must be "
                f"({T}, B, {layer.units}), with all timesteps. The last state of its backward half is at the first one"
            )
    y = signals.get("y")
    if y is not None and (y.ndim < 2 or len(y) != T):
        raise FormatError(
            f"y in the reference has the shape {y.shape}; of a bidirectional network it must have all {T} timesteps. "
            "If your network reads only the last states of both halves, store the states h instead of y"
        )


def _numbers(name: str, array: npt.NDArray[Any]) -> Array:
    if array.dtype.kind != "f" or not np.isfinite(array).all():
        raise FormatError(f"{name} in the reference must contain finite floating-point numbers only")
    return array


def _input(model: Model, x: npt.NDArray[Any]) -> Array:
    """Return the input of the bottom layer, `(T, B, I)`."""
    I = model.layers[0].inputs
    symbols = isinstance(model.encoder, Symbols) and x.dtype.kind in "iu" and x.ndim <= 2
    wanted = f"(T, {I}) or (T, B, {I}) numbers" + (
        ", or whole numbers (T,) or (T, B) for symbols" if symbols or I > 1 else ""
    )
    shape = x.shape
    _check_work(model, shape[: x.ndim if symbols else min(x.ndim, 3) - 1])
    if symbols and isinstance(model.encoder, Symbols):
        last = len(model.encoder.alphabet) - 1
        if x.size and not (x.min() >= 0 and x.max() <= last):
            raise FormatError(f"x in the reference has symbols {x.min()} to {x.max()}; this model has 0 to {last}")
        x = model.encoder.vectors(x)
    if x.ndim == 2:
        x = x[:, None]
    if x.ndim != 3 or x.shape[-1] != I or x.size == 0 or x.dtype.kind not in "fiu":
        raise FormatError(f"x in the reference has the shape {shape}; this model needs {wanted}")
    if not (np.abs(x.astype(np.float64)) <= LARGEST).all():
        raise FormatError(f"x in the reference has a number outside -{LARGEST:,.0f} to {LARGEST:,.0f}")
    return x


def _check_work(model: Model, shape: tuple[int, ...]) -> None:
    """Raise FormatError if a reference of this shape, `(T,)` or `(T, B)`, has too many timesteps for the model."""
    most = min(MAX_STEPS, int(MAX_WORK / sum(array.size for array in model.parameters.values())))
    steps = int(np.prod(shape)) if shape else 0
    if steps > most:
        raise FormatError(
            f"x in the reference has {steps:,} timesteps; at most {most:,} can be run, counted over all its sequences"
        )


def _is_batch_first(x: Array, signals: Arrays, sizes: Mapping[str, int]) -> bool:
    """Return whether the first axis of `x` is the batch: all signals are last values `(B, ·)`, and B fits that axis."""
    A, B = x.shape[:2]
    last = [array for name, array in signals.items() if array.ndim == 2 and array.shape[1] == sizes[name]]
    return len(last) == len(signals) and A != B and B > 1 and all(len(array) == A for array in last)


def _padded(shape: tuple[int, int], arrays: Arrays, mask: Steps | None) -> Steps:
    """Return a mask `(T, B)` of the padding, by `lengths` and `mask` in `arrays`, and by `mask`, the model's mask."""
    padded = ~counted(shape, arrays, "the reference")
    if mask is not None:
        padded |= ~mask
    if padded.all():
        raise FormatError("the reference has only padding: its lengths or its mask leave no timestep to compare")
    return padded


def _wanted(
    name: str,
    array: Array,
    steps: tuple[int, int],
    size: int,
    padded: Steps,
    both: bool,
    second_half: bool,
    flipped: bool,
) -> Wanted:
    """Return the expected values of a signal, in the order in which the network reads the sequence.

    An array `(B, ·)` has the values after the last timestep of each sequence. If `both` is true, the array may have two
    directions side by side, and `second_half` selects the second of them. If `flipped` is true, time is reversed.
    """
    T, B = steps
    shape = array.shape
    widths = (size, 2 * size) if both else (size,)
    if array.shape[-1:] and array.shape[-1] in widths:
        if array.ndim == 2 and array.shape[0] == T and B == 1:
            array = array[:, None]
        elif array.ndim < 3 and array.size == B * array.shape[-1]:
            array = array.reshape(1, B, -1)
    if array.ndim != 3 or array.shape[:2] not in ((T, B), (1, B)) or array.shape[2] not in widths:
        needed = f"{shape}; for x of {T} steps it must be ({T}, {B}, {size})"
        hint = ". Time comes first: swap its first two axes" if shape[:2] == (B, T) != (T, B) else ""
        if shape[:2] == (T, B) and name != "y":
            hint = ". If the reference has fewer layers, name its states by layer: h_l0, h_l1, …"
        raise FormatError(
            f"{name} in the reference has the shape {needed}, or ({T}, {size}) for one sequence, or ({B}, {size}) for "
            f"the last step{hint}"
        )
    if array.shape[2] == 2 * size and both:
        array = array[..., size:] if second_half else array[..., :size]
    if len(array) == T:
        return Wanted(array[::-1] if flipped else array, ~padded)
    last = T - 1 - (~padded[::-1]).argmax(0)
    at = np.arange(T)[:, None] == last
    return Wanted(np.broadcast_to(array, (T, B, array.shape[2])), at & ~padded)


def _initial_states(model: Model, arrays: Arrays, B: int, both: bool, backward: bool) -> tuple[Array, ...]:
    """Return the initial state of each layer, `(B, S)`, from `h0` and, for an LSTM, `c0`. Missing states are zero."""
    states = tuple(np.zeros((B, len(layer.carried) * layer.units)) for layer in model.layers)
    for place, name in enumerate(("h0", "c0")):
        for title, array, layers in _given(model, arrays, name):
            if place == 1 and any(len(layer.carried) == 1 for layer in model.layers):
                raise FormatError("c0 in the reference is the cell state of an LSTM; this model has none")
            array, L, H = _numbers(title, np.asarray(array)), len(layers), model.layers[layers[0]].units
            shape = array.shape
            if any(model.layers[k].units != H for k in layers):
                names = ", ".join(f"{name}_l{k}" for k in layers)
                raise FormatError(f"the layers have different sizes: name the arrays of {name} by layer: {names}")
            if array.ndim in (2, 3) and len(array) == 2 * L and all(model.layers[k].backward_units for k in layers):
                array = np.concatenate([array[::2], array[1::2]], -1)  # PyTorch has a row for each direction
            if array.shape[-1:] != (H,) or array.ndim > 3:
                array = np.empty(0)
            elif both and array.ndim > 1 and len(array) == 2 * L:
                array = array[int(backward) :: 2]
            if array.size not in (L * H, L * B * H):
                needed = f"({L}, {B}, {H})" if name in arrays else f"({B}, {H})"
                raise FormatError(f"{title} in the reference has the shape {shape}; it must be {needed}")
            array = np.broadcast_to(array.reshape(L, -1, H), (L, B, H))
            for k, state in zip(layers, array, strict=True):
                states[k][:, place * H : (place + 1) * H] = state
    return states


def _given(model: Model, arrays: Arrays, name: str) -> list[tuple[str, npt.NDArray[Any], list[int]]]:
    """Return the arrays of an initial state, `h0` or `c0`: the name, the array, and the indices of its layers."""
    numbers = list(range(len(model.layers)))
    if name in arrays:
        return [(name, arrays[name], numbers)]
    return [(title, arrays[title], [k]) for k in numbers if (title := f"{name}_l{k}") in arrays]


def _bits(array: Array) -> int:
    """Return the significant bits of the numbers: 53, 24, 11 (float16) or 8 (bfloat16)."""
    if array.dtype == np.float16:
        return 11
    single = array.astype(np.float32)
    if array.dtype == np.float64 and not np.array_equal(single, array):
        return 53
    if not single.any():
        return 24
    if not (np.ascontiguousarray(single).view(np.uint32) & np.uint32(0xFFFF)).any():
        return 8
    with np.errstate(over="ignore"):
        return 11 if np.array_equal(single.astype(np.float16), single) else 24
