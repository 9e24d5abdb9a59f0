"""Common mistakes when a network is moved from one library to another. `explain` finds the mistake behind a difference.

A mistake is a change of a `Case`: of its weights, their meaning, its input, or the compared values. If the changed
network computes the reference, this mistake is the cause. Each mistake is tried alone, then together with another one.
Rounding in another precision explains a difference if the difference then becomes much smaller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any

import numpy as np

from gru_core.arrays import Array
from gru_core.formats.weights import FileLayer, Reset, Update, orders
from gru_core.parity import remedies
from gru_core.parity.case import FUNCTIONS, Case, Steps, Wanted, without_padding

GLANCE = 1
"""The number of timesteps, after the first difference, that the search compares first."""
WORK = 2e9
"""The most multiply-adds of all runs of one search."""
SMALL, SMALLER = 0.1, 1 / 2
"""Rounding explains a relative difference below `SMALL` if less than the share `SMALLER` of it is left."""


@dataclass(frozen=True)
class Cause:
    """The mistake that explains a difference.

    `name` is its kind, such as "reset gate", `words` the mistake in words, `remedy` says what to change in which
    library, and `relative` is the relative error that is left without the mistake. If `matches` is false, `relative` is
    above the tolerance: a rounding error cannot be reproduced exactly.
    """

    name: str
    words: str
    relative: float
    remedy: str = ""
    matches: bool = True

    def __str__(self) -> str:
        left = "it matches to" if self.matches else "the relative difference falls to"
        return f"{self.words} {left} {self.relative:.1e}"


NAMES = {
    "gate activation": "activation",
    "pooling": "readout",
    "input kernel": "kernels",
    "recurrent kernel": "kernels",
}
"""The names of causes that differ from the name of their kind. Two mistakes of one kind are never tried together."""


@dataclass(frozen=True)
class Confusion:
    """A common mistake: its kind, its name in words, a function that makes it in a case, and what to change."""

    kind: str
    words: str
    change: Callable[[Case], Case]
    remedy: str


MEANINGS = {"gate order", "direction of z", "reset gate"}
"""The kinds of mistakes that are tried in combinations of three, because a wrong library causes all of them."""
SCALES, STEPS = {"of each matrix": None, "of each row": 1}, (127, 127.5)
"""The ways to quantize weights: which weights share a scale, and the steps from zero to the largest weight."""
RESHAPED_ORDERS = {3: ("rzh", "zrh"), 4: ("ifco", "iofc"), 1: ()}
"""The orders of the gates, by their number, in which a kernel may have been reshaped."""


def explain(cases: Iterable[Case], tolerance: float) -> Cause | None:
    """Return the mistake that explains one of the cases best, or None if no mistake explains any.

    A mistake explains a case if the error without it is at most `tolerance`. Several mistakes together are tried only
    if no single mistake explains a case.
    """
    cases = [case for case in cases if case.wanted]
    work = WORK
    for together in (1, 2, 3):
        causes: list[Cause] = []
        for case in cases:
            steps, sequence = _first_difference(case, tolerance)
            confusions = [*_common(case), *(_rare(case) if together == 1 else ())]
            for chosen in combinations(confusions, together):
                kinds = {confusion.kind for confusion in chosen}
                if len(kinds) < together or (together == 3 and kinds != MEANINGS):
                    continue
                work -= case.size * (steps + GLANCE + 10)  # 10: to rearrange the weights
                if work < 0:
                    break
                changed = case
                for confusion in chosen:
                    changed = confusion.change(changed)
                last = changed.x.shape[1] - 1
                glance = changed.part(steps + GLANCE, slice(min(sequence, last), sequence + 1))
                if glance.relative > tolerance or not any(wanted.at.any() for wanted in changed.wanted.values()):
                    continue
                work -= case.size * changed.x.shape[0] * changed.x.shape[1]
                relative = changed.relative
                if relative > tolerance:
                    continue
                words = "with " + " and ".join(confusion.words for confusion in chosen)
                remedy = " ".join(dict.fromkeys(confusion.remedy for confusion in chosen))
                name = NAMES.get(chosen[0].kind, chosen[0].kind)
                causes.append(Cause(name, words, relative, remedy))
        if causes:
            best = min(cause.relative for cause in causes)
            # What is left is rounding: of causes that leave about the same, the more common one comes first.
            return next(cause for cause in causes if cause.relative <= max(10 * best, tolerance / 10))
    return _rounding(cases, tolerance)


def _first_difference(case: Case, tolerance: float) -> tuple[int, int]:
    """Return the first timestep at which a signal differs, from 1, and the sequence that differs most there."""
    signals, first, sequence = case.signals(), len(case.x), 0
    for name, wanted in case.wanted.items():
        off = np.where(wanted.at, np.abs(signals[name] - wanted.values).max(-1), 0)
        large = off > tolerance * max(float(np.abs(wanted.values[wanted.at]).max(initial=0)), 1e-30)
        if large.any() and (step := int(large.any(1).argmax())) < first:
            first, sequence = step, int(off[step].argmax())
    return first + 1, sequence


def _rounding(cases: list[Case], tolerance: float) -> Cause | None:
    """Return the precision of the products that explains most of the difference; None if none explains it."""
    for case in cases:
        before = case.relative
        if not before < SMALL or case.size * case.x.shape[0] * case.x.shape[1] > WORK / 4:
            continue
        confusions = list(_precisions_of_products())
        left = [confusion.change(case).relative for confusion in confusions]
        best = int(np.argmin(left))
        if left[best] < SMALLER * before:
            words, remedy = f"with {confusions[best].words}", confusions[best].remedy
            return Cause("precision", words, left[best], remedy, matches=left[best] <= tolerance)
    return None


def _common(case: Case) -> Iterator[Confusion]:
    """Yield the mistakes that are also tried together. The more common ones come first."""
    yield from _meanings(case)
    yield from _of_time(case)
    yield from _of_comparison(case)
    yield from _kernels(case)
    yield from _biases(case)
    yield from _activations(("relu", "linear"), ("hard sigmoid 0.2 a + 0.5", "hard sigmoid a / 6 + 0.5"), case)
    yield from _outputs(case)


def _rare(case: Case) -> Iterator[Confusion]:
    """Yield the mistakes that are tried alone only."""
    yield from _layers(case)
    yield from _layouts(case)
    yield from _parts_of_biases(case)
    others = ("sigmoid", "hard tanh", "softsign", "elu", "selu", "silu", "softplus")
    yield from _activations(others, ("tanh", "linear", "softsign"), case)
    yield from _precisions_of_weights(case)


def _meanings(case: Case) -> Iterator[Confusion]:
    convention, G = case.convention, case.cells[0].blocks
    for order in orders(G):
        if order != convention.order:
            words = f"gate order {', '.join(order)}"
            yield Confusion("gate order", words, _meaning(order=order), remedies.order(order))
    if G != 3:
        return
    z: Update = "take" if convention.z == "keep" else "keep"
    means = "keeping the old state" if z == "keep" else "taking the candidate"
    yield Confusion("direction of z", f"z near 1 {means}", _meaning(z=z), remedies.update(z))
    reset: Reset = "before" if convention.reset == "after" else "after"
    words = f"the reset gate acting {reset} the product"
    yield Confusion("reset gate", words, _meaning(reset=reset), remedies.reset(reset))
    words = "a reset gate that has no effect"
    yield Confusion("reset gate", words, lambda c: replace(c, resets=False), remedies.NO_RESET)


def _of_time(case: Case) -> Iterator[Confusion]:
    def flip(array: Any) -> Any:
        return array[::-1]

    remedy = remedies.TIME
    yield Confusion("time", "the sequence read from its end", lambda c: c.over(flip), remedy)
    yield Confusion("time", "the input in reversed time (go_backwards)", lambda c: c.over(flip, states=False), remedy)
    yield Confusion("time", "the states in reversed time", lambda c: c.over(flip, x=False), remedy)
    T, B = case.x.shape[:2]
    if B > 1 and not any(state.any() for state in case.h0):
        words = "the batch axis and the time axis swapped (batch_first)"
        yield Confusion("axes", words, _swap_axes, remedies.AXES)
    if T > 2 and all(wanted.at.all() for wanted in case.wanted.values()):
        yield Confusion("time", "the states one timestep late", _late, remedies.LATE)


def _of_comparison(case: Case) -> Iterator[Confusion]:
    """Yield the differences in the input and in the compared values: padding, the initial state, the symbols."""
    padded = _padding(case)
    if padded.any() and not padded.all():
        steps = f"{int(padded.sum())} timesteps of padding left out"
        yield Confusion("padding", steps, lambda c: without_padding(c, _padding(c)), remedies.PADDING)
    states = [case.wanted.get(f"h_l{k}") for k in range(len(case.cells))]
    if len(case.x) > 4 and all(state is not None and state.at[:2].all() for state in states):
        words = "the first state of the reference as the initial state (its h0 is not zero)"
        yield Confusion("initial state", words, _from_first_state, remedies.INITIAL)
    elif len(case.x) > 8:
        words = "only the last quarter of the timesteps, to which its initial state no longer matters,"
        yield Confusion("initial state", words, _last_quarter, remedies.INITIAL)
    one_hot = (case.x.sum(-1) == 1).all() and ((case.x == 0) | (case.x == 1)).all()
    if one_hot and case.x.shape[2] > 1:
        for by, words in ((-1, "each symbol's index one lower"), (1, "each symbol's index one higher")):
            yield Confusion("symbols", words, _roll(by), remedies.SYMBOLS)


def _kernels(case: Case) -> Iterator[Confusion]:
    square = all(cell.inputs == cell.units for cell in case.cells)
    remedy = remedies.KERNELS
    yield from _changes(case, "recurrent kernel", "each recurrent block transposed", remedy, U=_transpose_blocks)
    if square:
        yield from _changes(case, "input kernel", "each input block transposed", remedy, W=_transpose_blocks)
        yield Confusion(
            "kernels", "the input weights and the recurrent weights swapped",
            lambda c: _cells(c, lambda cell: replace(cell, W=cell.U, U=cell.W)), remedies.SWAPPED,
        )  # fmt: skip


def _layouts(case: Case) -> Iterator[Confusion]:
    """Yield wrong orders of numbers: a reshape instead of a transpose, or rows that are ordered by unit."""
    G, remedy = case.cells[0].blocks, remedies.RESHAPED
    for order in dict.fromkeys((case.convention.order, *RESHAPED_ORDERS[G])):
        there = [case.convention.order.index(block) for block in order]
        for words, change in (
            ("reshaped instead of transposed", _reshape), ("transposed instead of reshaped", _reshape_back),
        ):  # fmt: skip
            reshaped = _in_order(there, change)
            yield from _changes(case, "recurrent kernel", f"the recurrent weights {words}", remedy, U=reshaped)
            yield from _changes(case, "input kernel", f"the input weights {words}", remedy, W=reshaped)
            yield from _changes(case, "kernels", f"both kernels {words}", remedy, W=reshaped, U=reshaped)
    for words, change in (
        ("the rows of the gates interleaved, unit by unit", _interleave),
        ("the rows of the gates in blocks, not interleaved", _interleave_back),
    ):
        every: dict[str, Any] = {"W": change, "U": change, "b_input": change, "b_recurrent": change}
        yield from _changes(case, "gate order", words, remedies.INTERLEAVED, **every)


def _biases(case: Case) -> Iterator[Confusion]:
    convention, G = case.convention, case.cells[0].blocks
    if G == 3:  # of the others only the sum counts
        yield from _bias(
            case, "the input biases and the recurrent biases swapped", remedies.BIASES,
            lambda cell: (cell.b_recurrent, cell.b_input),
        )  # fmt: skip
        if convention.reset == "after":
            yield from _bias(
                case, "the recurrent bias of h̃ outside the reset gate", remedies.ONE_BIAS,
                lambda cell: (cell.b_input + cell.b_recurrent, 0 * cell.b_recurrent),
            )  # fmt: skip
    yield from _bias(case, "no recurrent biases", remedies.BIASES, lambda cell: (cell.b_input, 0 * cell.b_recurrent))
    yield from _bias(case, "no input biases", remedies.BIASES, lambda cell: (0 * cell.b_input, cell.b_recurrent))
    yield from _bias(case, "no biases", remedies.BIASES, lambda cell: (0 * cell.b_input, 0 * cell.b_recurrent))


def _parts_of_biases(case: Case) -> Iterator[Confusion]:
    convention, G = case.convention, case.cells[0].blocks
    yield from _bias(
        case, "the biases added twice", remedies.BIASES,
        lambda cell: (cell.b_input + cell.b_recurrent, cell.b_input + cell.b_recurrent),
    )  # fmt: skip
    yield from _bias(case, "the two biases interleaved", remedies.BIASES, _split_pairs)
    for order in orders(G):
        if order != convention.order:
            places = [order.index(block) for block in convention.order]
            yield from _bias(case, f"only the biases in the order {', '.join(order)}", remedies.BIASES, _blocks(places))
    if G == 4:
        for by, sign in ((1, "plus 1"), (-1, "minus 1")):
            yield from _bias(
                case, f"the bias of the forget gate {sign}", remedies.FORGET, _forget(convention.order.index("f"), by)
            )


def _activations(candidates: tuple[str, ...], gates: tuple[str, ...], case: Case) -> Iterator[Confusion]:
    remedy = remedies.ACTIVATION
    for name in candidates:
        words = f"{name} instead of tanh"
        yield Confusion("activation", words, lambda c, n=name: replace(c, candidate=n), remedy)  # type: ignore[misc]
    for name in gates if case.cells[0].blocks > 1 else ():
        words = f"{name} instead of the sigmoid of the gates"
        yield Confusion("gate activation", words, lambda c, n=name: replace(c, gate=n), remedy)  # type: ignore[misc]


def _layers(case: Case) -> Iterator[Confusion]:
    top = f"h_l{len(case.cells) - 1}"
    if len(case.cells) == 1 or not case.wanted.keys() <= {top, "y"}:
        return
    for k in range(len(case.cells)):
        dropped = _drop(case, k)
        if dropped.fits and dropped.cells[-1].units == case.cells[-1].units:
            yield Confusion("layers", f"layer {k + 1} left out", lambda c, k=k: _drop(c, k), remedies.LAYERS)  # type: ignore[misc]
    turned = replace(case, cells=case.cells[::-1], h0=case.h0[::-1])
    if turned.fits and turned.cells[-1].units == case.cells[-1].units:
        yield Confusion(
            "layers", "the layers in the opposite order",
            lambda c: replace(c, cells=c.cells[::-1], h0=c.h0[::-1]), remedies.LAYERS,
        )  # fmt: skip


def _outputs(case: Case) -> Iterator[Confusion]:
    output = case.output
    if output is None or "y" not in case.wanted:
        return
    for after in ("softmax", "linear", "log softmax", "sigmoid", "tanh", "relu"):
        if after != output.after:
            words = "without the softmax on y" if after == "linear" else f"with a {after} on y"
            if after == "linear" and output.after != "softmax":
                words = f"without the {output.after} on y"
            yield Confusion("readout", words.removeprefix("with "), _output(after=after), remedies.READOUT)
    if output.c.any():
        yield Confusion("readout", "no bias in the readout", _output(c=0 * output.c), remedies.READOUT)
    if output.V.shape[0] == output.V.shape[1] and not np.array_equal(output.V, output.V.T):
        yield Confusion("readout", "the weights of the readout transposed", _output(V=output.V.T), remedies.READOUT)
    for pool in ("mean", "sum", "maximum"):
        words = f"the {pool} of the states over time in the readout"
        yield Confusion("pooling", words, _output(pool=pool), remedies.POOLING)


def _precisions_of_weights(case: Case) -> Iterator[Confusion]:
    for name, rounded in (("float16", _float16), ("bfloat16", _bfloat16)):
        kernels: dict[str, Any] = {"W": rounded, "U": rounded}
        biases: dict[str, Any] = {"b_input": rounded, "b_recurrent": rounded}
        words = f"weights rounded to {name}"
        yield from _changes(case, "precision", words, remedies.PRECISION, **kernels, **biases)
        yield from _changes(case, "precision", f"{words} (except biases)", remedies.PRECISION, **kernels)
    for (name, axis), steps in product(SCALES.items(), STEPS):
        int8 = _int8(axis, steps)
        words = f"weights quantized to 8 bits (one scale {name})"
        yield from _changes(case, "precision", words, remedies.QUANTIZED, W=int8, U=int8)


def _precisions_of_products() -> Iterator[Confusion]:
    def products(weights: Callable[..., Array], inputs: Callable[[Array], Array]) -> Callable[[Case], Case]:
        def change(case: Case) -> Case:
            rounded = _cells(case, lambda cell: replace(cell, W=weights(cell, cell.W), U=weights(cell, cell.U)))
            return replace(rounded, precision=inputs)

        return change

    for name, rounded, remedy in (
        ("TensorFloat-32", _bits(13), remedies.TF32),
        ("bfloat16", _bfloat16, remedies.PRECISION),
        ("float16", _float16, remedies.PRECISION),
    ):
        yield Confusion("precision", f"products in {name}", products(rounded, rounded), remedy)
    for bits, axis, steps in product((8, 7), SCALES.values(), STEPS):  # PyTorch leaves one bit free for sums
        words = f"products of quantized numbers (weights in 8 bits, states in {bits})"
        yield Confusion("precision", words, products(_int8(axis, steps), _dynamic(bits)), remedies.QUANTIZED)


# The changes.


def _meaning(**changes: Any) -> Callable[[Case], Case]:
    return lambda case: replace(case, convention=replace(case.convention, **changes))


def _output(**changes: Any) -> Callable[[Case], Case]:
    return lambda case: replace(case, output=case.output and replace(case.output, **changes))


def _cells(case: Case, change: Callable[[FileLayer], FileLayer]) -> Case:
    return replace(case, cells=tuple(map(change, case.cells)))


def _changes(
    case: Case, kind: str, words: str, remedy: str, **arrays: Callable[[FileLayer, Array], Array] | Any
) -> Iterator[Confusion]:
    """Yield a change of arrays of every layer, by their names, unless it changes nothing."""

    def change(case: Case) -> Case:
        return _cells(case, lambda cell: replace(cell, **{n: f(cell, getattr(cell, n)) for n, f in arrays.items()}))

    changed = change(case)
    pairs = zip(case.cells, changed.cells, strict=True)
    if any(not np.array_equal(getattr(a, name), getattr(b, name)) for a, b in pairs for name in arrays):
        yield Confusion(kind, words, change, remedy)


def _bias(
    case: Case, words: str, remedy: str, change: Callable[[FileLayer], tuple[Array, Array]]
) -> Iterator[Confusion]:
    yield from _changes(
        case,
        "biases",
        words,
        remedy,
        b_input=lambda cell, _: change(cell)[0],
        b_recurrent=lambda cell, _: change(cell)[1],
    )


def _transpose_blocks(cell: FileLayer, array: Array) -> Array:
    return np.concatenate([block.T for block in np.split(array, cell.blocks)])


def _in_order(places: list[int], change: Callable[[FileLayer, Array], Array]) -> Callable[[FileLayer, Array], Array]:
    """Return a change that is made with the blocks in another order."""

    def changed(cell: FileLayer, array: Array) -> Array:
        blocks = np.split(array, cell.blocks)
        after = np.split(change(cell, np.concatenate([blocks[i] for i in places])), cell.blocks)
        return np.concatenate([after[places.index(i)] for i in range(cell.blocks)])

    return changed


def _reshape(cell: FileLayer, array: Array) -> Array:
    return np.ascontiguousarray(array.T).reshape(array.shape)


def _reshape_back(cell: FileLayer, array: Array) -> Array:
    return array.reshape(array.shape[::-1]).T


def _interleave(cell: FileLayer, array: Array) -> Array:
    return array.reshape(cell.blocks, cell.units, -1).swapaxes(0, 1).reshape(array.shape)


def _interleave_back(cell: FileLayer, array: Array) -> Array:
    return array.reshape(cell.units, cell.blocks, -1).swapaxes(0, 1).reshape(array.shape)


def _split_pairs(cell: FileLayer) -> tuple[Array, Array]:
    pairs = np.concatenate([cell.b_input, cell.b_recurrent]).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _blocks(places: list[int]) -> Callable[[FileLayer], tuple[Array, Array]]:
    def change(cell: FileLayer) -> tuple[Array, Array]:
        inputs, recurrent = np.split(cell.b_input, cell.blocks), np.split(cell.b_recurrent, cell.blocks)
        return np.concatenate([inputs[i] for i in places]), np.concatenate([recurrent[i] for i in places])

    return change


def _forget(block: int, by: float) -> Callable[[FileLayer], tuple[Array, Array]]:
    def change(cell: FileLayer) -> tuple[Array, Array]:
        rows = np.repeat(np.arange(4) == block, cell.units)
        return (cell.b_input + by * rows).astype(cell.b_input.dtype), cell.b_recurrent

    return change


def _drop(case: Case, k: int) -> Case:
    top = len(case.cells) - 1
    wanted = {f"h_l{top - 1}" if name == f"h_l{top}" else name: array for name, array in case.wanted.items()}
    return replace(case, cells=case.cells[:k] + case.cells[k + 1 :], h0=case.h0[:k] + case.h0[k + 1 :], wanted=wanted)


def _swap_axes(case: Case) -> Case:
    swapped = case.over(lambda array: array.swapaxes(0, 1))
    return replace(swapped, h0=case.zero_state(swapped.x.shape[1]))


def _late(case: Case) -> Case:
    wanted = {name: wanted.map(lambda array: array[1:]) for name, wanted in case.wanted.items()}
    return replace(case, x=case.x[:-1], counted=case.counted[:-1], wanted=wanted)


def _from_first_state(case: Case) -> Case:
    """Return the case from the reference's own state after its first timestep, or in an LSTM after the second.

    There c = artanh(h / o), where o follows from the input and from the state h before.
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


def _last_quarter(case: Case) -> Case:
    late = (np.arange(len(case.x)) >= 3 * len(case.x) // 4)[:, None]
    return replace(case, wanted={name: replace(wanted, at=wanted.at & late) for name, wanted in case.wanted.items()})


def _roll(by: int) -> Callable[[Case], Case]:
    return lambda case: replace(case, x=np.roll(case.x, by, -1))


def _padding(case: Case) -> Steps:
    """Return a mask `(T, B)` of the timesteps that look like padding.

    Their values are zero, or the same as at the timestep before.
    """
    signals = [w for name, w in case.wanted.items() if name != "y"] or list(case.wanted.values())
    padded: Steps = np.logical_and.reduce([_held(wanted) for wanted in signals])
    return padded


def _held(wanted: Wanted) -> Steps:
    held: Steps = (wanted.values == 0).all(-1)
    held[1:] |= (wanted.values[1:] == wanted.values[:-1]).all(-1) & wanted.at[:-1]
    return held & wanted.at


def _float16(cell: Any, array: Array | None = None) -> Array:
    array = cell if array is None else array
    return array.astype(np.float16).astype(array.dtype)


def _bits(dropped: int) -> Callable[..., Array]:
    """Return a function that rounds float32 numbers to a mantissa with `dropped` fewer bits."""

    def rounded(cell: Any, array: Array | None = None) -> Array:
        array = cell if array is None else array
        whole = np.ascontiguousarray(array, np.float32).view(np.uint32)
        half = (whole >> np.uint32(dropped) & np.uint32(1)) + np.uint32(2 ** (dropped - 1) - 1)
        mask = np.uint32(2**32 - 2**dropped)
        return ((whole + half) & mask).view(np.float32).astype(array.dtype)

    return rounded


_bfloat16 = _bits(16)


def _int8(axis: int | None, steps: float) -> Callable[[FileLayer, Array], Array]:
    """Return a function that quantizes weights: the largest is `steps` steps from zero."""

    def quantized(cell: FileLayer, array: Array) -> Array:
        scale = np.abs(array).max(axis=axis, keepdims=True) / steps
        scale = np.where(scale == 0, 1, scale)
        return (np.clip(np.round(array / scale), -128, 127) * scale).astype(array.dtype)

    return quantized


def _dynamic(bits: int) -> Callable[[Array], Array]:
    """Return a function that quantizes an array with a scale from its own range."""

    def quantized(array: Array) -> Array:
        lowest, highest = min(float(array.min()), 0.0), max(float(array.max()), 0.0)
        scale = (highest - lowest) / (2**bits - 1) or 1.0
        return (np.round(array / scale) * scale).astype(array.dtype)

    return quantized
