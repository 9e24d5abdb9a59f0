"""Common mistakes in reading the weights of a cell. `explain` finds a mistake that accounts for a failed parity check.

The mistakes are: blocks in another order, the opposite direction of z, the reset gate on the other side of the
product, transposed blocks, swapped weights, swapped biases, swapped axes of the reference, and reversed time in the
input, in the states or in both. Each is tried alone, then together with another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from gru_core.arrays import Array
from gru_core.formats.weights import Convention, FileLayer, Reset, Update, orders

GLANCE, LOOK = (4, 1), (64, 2)
"""How many timesteps of how many sequences are compared first, and how many confirm a match."""


def relative_error(given: Array, wanted: Array) -> float:
    """Return the largest absolute difference, divided by the largest absolute value in `wanted`.

    The result is 0 if nothing differs, and infinite if only `wanted` is zero everywhere.
    """
    largest, scale = float(np.abs(given.astype(np.float64) - wanted).max()), float(np.abs(wanted).max())
    return 0.0 if largest == 0 else largest / scale if scale else np.inf


@dataclass(frozen=True)
class Cause:
    """The mistake that explains a difference: its name in words, and the relative error without the mistake."""

    words: str
    relative: float

    def __str__(self) -> str:
        return f"{self.words} it matches to {self.relative:.1e}"


@dataclass(frozen=True)
class Case:
    """A network and the states that it should compute.

    `cells` are the layers as their source writes them, `x` is `(T, B, I)`, and `wanted` has `(T, B, H)` by name.
    """

    cells: tuple[FileLayer, ...]
    convention: Convention
    x: Array
    wanted: Mapping[str, Array]

    def first(self, steps: int, sequences: int) -> Case:
        """Return the case with only the first timesteps and sequences."""
        wanted = {name: array[:steps, :sequences] for name, array in self.wanted.items()}
        return replace(self, x=self.x[:steps, :sequences], wanted=wanted)

    @property
    def relative(self) -> float:
        """The largest relative error of a layer in `wanted`."""
        states = [self.x]
        for cell in self.cells:
            states.append(cell.core(self.convention).forward(states[-1]).h)
        return max(relative_error(states[int(name[3:]) + 1], array) for name, array in self.wanted.items())


def explain(cases: Iterable[Case], tolerance: float) -> Cause | None:
    """Return the mistake that explains one of the cases best, or None if no mistake explains any.

    A mistake explains a case if the error without it is at most `tolerance`. Pairs of mistakes are tried only if no
    single mistake explains a case.
    """
    for together in (1, 2):
        found: list[Cause] = []
        for case in cases:
            for chosen in combinations(_confusions(case), together):
                if len({confusion.kind for confusion in chosen}) < together:
                    continue
                changed = case
                for confusion in chosen:
                    changed = confusion.change(changed)
                if changed.first(*GLANCE).relative > tolerance:
                    continue
                relative = changed.first(*LOOK).relative
                if relative <= tolerance:
                    found.append(Cause("with " + " and ".join(c.words for c in chosen), relative))
        if found:
            return min(found, key=lambda cause: cause.relative)
    return None


@dataclass(frozen=True)
class Confusion:
    """A common mistake: its kind, its name in words, and a function that returns the case without it."""

    kind: str
    words: str
    change: Callable[[Case], Case]


def _confusions(case: Case) -> Iterator[Confusion]:
    convention = case.convention
    G = case.cells[0].blocks
    for order in orders(G):
        if order != convention.order:
            yield Confusion("order", f"gate order {', '.join(order)}", _meaning(order=order))
    if G == 3:
        z: Update = "take" if convention.z == "keep" else "keep"
        means = "keeping the old state" if z == "keep" else "taking the candidate"
        yield Confusion("z", f"z near 1 {means}", _meaning(z=z))
        reset: Reset = "before" if convention.reset == "after" else "after"
        yield Confusion("reset", f"the reset gate acting {reset} the product", _meaning(reset=reset))
    yield Confusion("U", "each recurrent block transposed", lambda c: _cells(c, _turned_U))
    if all(cell.inputs == cell.units for cell in case.cells):
        yield Confusion("W", "each input block transposed", lambda c: _cells(c, _turned_W))
        yield Confusion("WU", "the input weights and the recurrent weights swapped", lambda c: _cells(c, _exchanged))
    if G == 3:  # of the others only the sum counts
        yield Confusion(
            "biases", "the input biases and the recurrent biases swapped",
            lambda c: _cells(c, lambda cell: replace(cell, b_input=cell.b_recurrent, b_recurrent=cell.b_input)),
        )  # fmt: skip
    if case.x.shape[1] > 1:
        yield Confusion(
            "axes", "the batch axis and the time axis swapped (batch_first)", lambda c: _over(c, _batch_first)
        )
    yield Confusion("time", "the sequence read from its end", lambda c: _over(c, lambda array: array[::-1]))
    yield Confusion("time", "the input in reversed time (go_backwards)", lambda c: replace(c, x=c.x[::-1]))
    yield Confusion("time", "the states in reversed time", lambda c: replace(_over(c, lambda a: a[::-1]), x=c.x))


def _meaning(**changes: Any) -> Callable[[Case], Case]:
    return lambda case: replace(case, convention=replace(case.convention, **changes))


def _cells(case: Case, change: Callable[[FileLayer], FileLayer]) -> Case:
    return replace(case, cells=tuple(change(cell) for cell in case.cells))


def _over(case: Case, change: Callable[[Array], Array]) -> Case:
    return replace(case, x=change(case.x), wanted={name: change(array) for name, array in case.wanted.items()})


def _turned_W(cell: FileLayer) -> FileLayer:
    return replace(cell, W=np.concatenate([block.T for block in np.split(cell.W, cell.blocks)]))


def _turned_U(cell: FileLayer) -> FileLayer:
    return replace(cell, U=np.concatenate([block.T for block in np.split(cell.U, cell.blocks)]))


def _exchanged(cell: FileLayer) -> FileLayer:
    return replace(cell, W=cell.U, U=cell.W)


def _batch_first(array: Array) -> Array:
    return array.swapaxes(0, 1)
