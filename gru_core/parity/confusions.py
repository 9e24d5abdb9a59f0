"""Common mistakes when a network is moved from one library to another.

A mistake is a change to a `Case`: to its weights, to their meaning, to its input, or to the compared values. If the
changed network matches the reference, the mistake is the cause of the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from gru_core.arrays import Array
from gru_core.formats.weights import FileLayer, Reset, Update, orders
from gru_core.parity import changes, remedies
from gru_core.parity.case import Case, without_padding

NAMES = {
    "gate activation": "activation",
    "pooling": "readout",
    "input kernel": "kernels",
    "recurrent kernel": "kernels",
}
"""Names of causes, by the kind of the mistake. For all other kinds, the name of the cause is the kind itself.

Two mistakes of one kind are never tried together.
"""

MEANINGS = {"gate order", "direction of z", "reset gate"}
"""The kinds of mistakes that are tried in combinations of three, because a wrong library causes all of them."""

SCALES, STEPS = {"of each matrix": None, "of each row": 1}, (127, 127.5)
"""The ways to quantize weights: which weights share a scale, and how many steps the largest weight is from zero."""

RESHAPED_ORDERS = {3: ("rzh", "zrh"), 4: ("ifco", "iofc"), 1: ()}
"""For each number of gates, the gate orders in which a kernel may have been reshaped."""


@dataclass(frozen=True)
class Confusion:
    """A common mistake: its kind, its description, a function that makes the mistake in a case, and the remedy."""

    kind: str
    words: str
    change: Callable[[Case], Case]
    remedy: str


def common(case: Case) -> Iterator[Confusion]:
    """Yield the mistakes that are also tried in combinations. More common mistakes come first."""
    yield from _meanings(case)
    yield from _of_time(case)
    yield from _of_comparison(case)
    yield from _kernels(case)
    yield from _biases(case)
    yield from _activations(("relu", "linear"), ("hard sigmoid 0.2 a + 0.5", "hard sigmoid a / 6 + 0.5"), case)
    yield from _outputs(case)


def rare(case: Case) -> Iterator[Confusion]:
    """Yield the mistakes that are only tried alone."""
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
            yield Confusion("gate order", words, changes.meaning(order=order), remedies.order(order))
    if G != 3:
        return
    z: Update = "take" if convention.z == "keep" else "keep"
    means = "keeping the old state" if z == "keep" else "taking the candidate"
    yield Confusion("direction of z", f"z near 1 {means}", changes.meaning(z=z), remedies.update(z))
    reset: Reset = "before" if convention.reset == "after" else "after"
    words = f"the reset gate acting {reset} the product"
    yield Confusion("reset gate", words, changes.meaning(reset=reset), remedies.reset(reset))
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
        yield Confusion("axes", words, changes.swap_axes, remedies.AXES)
    if T > 2 and all(wanted.at.all() for wanted in case.wanted.values()):
        yield Confusion("time", "the states one timestep late", changes.late, remedies.LATE)


def _of_comparison(case: Case) -> Iterator[Confusion]:
    """Yield mistakes in the input and in the compared values: padding, the initial state, the symbols."""
    padded = changes.padding(case)
    if padded.any() and not padded.all():
        steps = f"{int(padded.sum())} timesteps of padding left out"
        yield Confusion("padding", steps, lambda c: without_padding(c, changes.padding(c)), remedies.PADDING)
    states = [case.wanted.get(f"h_l{k}") for k in range(len(case.cells))]
    if len(case.x) > 4 and all(state is not None and state.at[:2].all() for state in states):
        words = "the first state of the reference as the initial state (its h0 is not zero)"
        yield Confusion("initial state", words, changes.from_first_state, remedies.INITIAL)
    elif len(case.x) > 8:
        words = "only the last quarter of the timesteps, to which its initial state no longer matters,"
        yield Confusion("initial state", words, changes.last_quarter, remedies.INITIAL)
    one_hot = (case.x.sum(-1) == 1).all() and ((case.x == 0) | (case.x == 1)).all()
    if one_hot and case.x.shape[2] > 1:
        for by, words in ((-1, "each symbol's index one lower"), (1, "each symbol's index one higher")):
            yield Confusion("symbols", words, changes.roll(by), remedies.SYMBOLS)


def _kernels(case: Case) -> Iterator[Confusion]:
    square = all(cell.inputs == cell.units for cell in case.cells)
    remedy = remedies.KERNELS
    yield from _changes(case, "recurrent kernel", "each recurrent block transposed", remedy, U=changes.transpose_blocks)
    if square:
        yield from _changes(case, "input kernel", "each input block transposed", remedy, W=changes.transpose_blocks)
        yield Confusion(
            "kernels", "the input weights and the recurrent weights swapped",
            lambda c: changes.cells(c, lambda cell: replace(cell, W=cell.U, U=cell.W)), remedies.SWAPPED,
        )  # fmt: skip


def _layouts(case: Case) -> Iterator[Confusion]:
    """Yield mistakes in the order of numbers: a reshape instead of a transpose, or rows that are ordered by unit."""
    G, remedy = case.cells[0].blocks, remedies.RESHAPED
    for order in dict.fromkeys((case.convention.order, *RESHAPED_ORDERS[G])):
        there = [case.convention.order.index(block) for block in order]
        for words, change in (
            ("reshaped instead of transposed", changes.reshape),
            ("transposed instead of reshaped", changes.reshape_back),
        ):
            reshaped = changes.in_order(there, change)
            yield from _changes(case, "recurrent kernel", f"the recurrent weights {words}", remedy, U=reshaped)
            yield from _changes(case, "input kernel", f"the input weights {words}", remedy, W=reshaped)
            yield from _changes(case, "kernels", f"both kernels {words}", remedy, W=reshaped, U=reshaped)
    for words, change in (
        ("the rows of the gates interleaved, unit by unit", changes.interleave),
        ("the rows of the gates in blocks, not interleaved", changes.interleave_back),
    ):
        every: dict[str, Any] = {"W": change, "U": change, "b_input": change, "b_recurrent": change}
        yield from _changes(case, "gate order", words, remedies.INTERLEAVED, **every)


def _biases(case: Case) -> Iterator[Confusion]:
    convention, G = case.convention, case.cells[0].blocks
    if G == 3:  # in other cells only the sum of the two biases matters
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
    yield from _bias(case, "the two biases interleaved", remedies.BIASES, changes.split_pairs)
    for order in orders(G):
        if order != convention.order:
            places = [order.index(block) for block in convention.order]
            yield from _bias(
                case, f"only the biases in the order {', '.join(order)}", remedies.BIASES, changes.blocks(places)
            )
    if G == 4:
        for by, sign in ((1, "plus 1"), (-1, "minus 1")):
            yield from _bias(
                case,
                f"the bias of the forget gate {sign}",
                remedies.FORGET,
                changes.forget(convention.order.index("f"), by),
            )


def _activations(candidates: tuple[str, ...], gates: tuple[str, ...], case: Case) -> Iterator[Confusion]:
    remedy = remedies.ACTIVATION
    for name in candidates:
        words = f"{name} instead of tanh"
        yield Confusion("activation", words, partial(replace, candidate=name), remedy)
    for name in gates if case.cells[0].blocks > 1 else ():
        words = f"{name} instead of the sigmoid of the gates"
        yield Confusion("gate activation", words, partial(replace, gate=name), remedy)


def _layers(case: Case) -> Iterator[Confusion]:
    top = f"h_l{len(case.cells) - 1}"
    if len(case.cells) == 1 or not case.wanted.keys() <= {top, "y"}:
        return
    for k in range(len(case.cells)):
        dropped = changes.drop(case, k)
        if dropped.fits and dropped.cells[-1].units == case.cells[-1].units:
            yield Confusion("layers", f"layer {k + 1} left out", partial(changes.drop, k=k), remedies.LAYERS)
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
            yield Confusion("readout", words.removeprefix("with "), changes.output(after=after), remedies.READOUT)
    if output.c.any():
        yield Confusion("readout", "no bias in the readout", changes.output(c=0 * output.c), remedies.READOUT)
    if output.V.shape[0] == output.V.shape[1] and not np.array_equal(output.V, output.V.T):
        yield Confusion(
            "readout", "the weights of the readout transposed", changes.output(V=output.V.T), remedies.READOUT
        )
    for before in ("relu", "elu", "tanh"):
        words = f"a {before} between the state and the readout"
        yield Confusion("readout", words, changes.output(before=before), remedies.BEFORE_READOUT)
    for pool in ("mean", "sum", "maximum"):
        words = f"the {pool} of the states over time in the readout"
        yield Confusion("pooling", words, changes.output(pool=pool), remedies.POOLING)


def _precisions_of_weights(case: Case) -> Iterator[Confusion]:
    for name, rounded in (("float16", changes.float16), ("bfloat16", changes.bfloat16)):
        kernels: dict[str, Any] = {"W": rounded, "U": rounded}
        biases: dict[str, Any] = {"b_input": rounded, "b_recurrent": rounded}
        words = f"weights rounded to {name}"
        yield from _changes(case, "precision", words, remedies.PRECISION, **kernels, **biases)
        yield from _changes(case, "precision", f"{words} (except biases)", remedies.PRECISION, **kernels)
    for (name, axis), steps in product(SCALES.items(), STEPS):
        int8 = changes.int8(axis, steps)
        words = f"weights quantized to 8 bits (one scale {name})"
        yield from _changes(case, "precision", words, remedies.QUANTIZED, W=int8, U=int8)


def precisions_of_products() -> Iterator[Confusion]:
    def products(weights: Callable[..., Array], inputs: Callable[[Array], Array]) -> Callable[[Case], Case]:
        def change(case: Case) -> Case:
            rounded = changes.cells(case, lambda cell: replace(cell, W=weights(cell, cell.W), U=weights(cell, cell.U)))
            return replace(rounded, precision=inputs)

        return change

    for name, rounded, remedy in (
        ("TensorFloat-32", changes.bits(13), remedies.TF32),
        ("bfloat16", changes.bfloat16, remedies.PRECISION),
        ("float16", changes.float16, remedies.PRECISION),
    ):
        yield Confusion("precision", f"products in {name}", products(rounded, rounded), remedy)
    for bits, axis, steps in product((8, 7), SCALES.values(), STEPS):  # PyTorch leaves one bit free for sums
        words = f"products of quantized numbers (weights in 8 bits, states in {bits})"
        yield Confusion(
            "precision", words, products(changes.int8(axis, steps), changes.dynamic(bits)), remedies.QUANTIZED
        )


def _changes(
    case: Case, kind: str, words: str, remedy: str, **arrays: Callable[[FileLayer, Array], Array] | Any
) -> Iterator[Confusion]:
    """Yield a mistake that changes `arrays` of every layer, unless it changes nothing.

    `arrays` maps the name of an array to the function that changes it.
    """

    def change(case: Case) -> Case:
        return changes.cells(
            case, lambda cell: replace(cell, **{n: f(cell, getattr(cell, n)) for n, f in arrays.items()})
        )

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
