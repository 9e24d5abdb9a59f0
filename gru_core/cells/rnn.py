"""The plain recurrent network: its equation, run forward and backward through time.

    h_t = tanh(W x_t + U h_{t-1} + b)                 hidden state

Elman 1990 (Cognitive Science 14). No part of the old state is kept directly: all of it passes
through U and tanh at every timestep. Shapes are as in gru.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from gru_core.arrays import Array
from gru_core.cells import directions
from gru_core.cells.cell import Cell
from gru_core.cells.holds import Held, Holds, put, without_held
from gru_core.cells.run import Gradients, Run
from gru_core.cells.signals import BLUE, DIVERGING, SLATE, Color, Signal

SIGNALS: dict[str, Signal] = {
    "h": Signal(
        "h", "Hidden state", "−1", "+1", -1.0, BLUE, DIVERGING,
        explanation="What the network remembers: at each timestep, the tanh of "
        "a weighted sum of the input and the old state.",
    ),
}  # fmt: skip
"""The signals of every timestep by name."""


@dataclass(frozen=True, repr=False)
class RNN(Cell):
    """The weights of one RNN layer: `W` `(H, I)`, `U` `(H, H)` and `b` `(H,)`.

    Raises ValueError if the shapes do not fit together.
    """

    name: ClassVar[str] = "rnn"
    title: ClassVar[str] = "RNN"
    color: ClassVar[Color] = SLATE
    dash: ClassVar[str] = "2 3"
    signals: ClassVar[Mapping[str, Signal]] = SIGNALS
    gates: ClassVar[tuple[str, ...]] = ("h",)
    recurrent: ClassVar[tuple[str, ...]] = ("h",)
    key_gate: ClassVar[str] = "h"
    holdable: ClassVar[Mapping[str, tuple[float, float]]] = {"h": (-1.0, 1.0)}
    skip: ClassVar[Mapping[str, float]] = {"h": 0.0}

    def step(self, x: Array, state: Array) -> Array:
        """Return h_t from x_t `(I,)` and h_{t-1} `(H,)`, by the equation at the top of this file."""
        W, U, b, h = self.W, self.U, self.b, state
        return np.asarray(np.tanh(W @ x + U @ h + b))

    @cached_property
    def U_transposed(self) -> Array:
        """U transposed, in the form that the loop of `forward` uses. Computed once per cell."""
        return np.ascontiguousarray(self.U.T)

    def forward(self, x: Array, h0: Array | None = None, holds: Holds | None = None) -> Forward:
        return forward(self, x, h0, holds)


@dataclass(frozen=True, repr=False, kw_only=True)
class Forward(Run):
    """The values of an RNN's run. No part of the old state is kept directly, so it has no half-life and no mixture."""

    cell: RNN

    def backward(self, dh: Array, direct: Mapping[str, Array] | None = None) -> Gradients:
        """Run the function `backward`. `direct` is for gates, and is not used."""
        if self.cell.backward_units:
            return directions.backward(Forward.backward, self, dh, direct)
        return backward(self, dh)

    def step_jacobians(self) -> Array:
        """Return ∂h_t/∂h_{t-1} for every timestep of one sequence, `(T, H, H)`: diag(1 − h²) U.

        The rows of clamped units are 0. At a skipped timestep the derivative is the identity.
        """
        J = slope(self)[..., None] * self.cell.U
        if self.skipped is not None:
            J[self.skipped] = np.eye(self.cell.units, dtype=J.dtype)
        return J


def forward(rnn: RNN, x: Array, h0: Array | None = None, holds: Holds | None = None) -> Forward:
    """Run `rnn` over `x`, `(T, I)` or `(T, B, I)`, from `h0`, `(H,)` or `(B, H)` (zero if None).

    If `x` is `(T, 1, I)`, `holds` may have several sequences, which then all read this x. The results have the
    precision of the weights. Raises ValueError if `x` has no timesteps, or if a shape does not fit.
    """
    if rnn.backward_units:
        return directions.forward(forward, rnn, x, h0, holds)
    x, h0, holds, batch = rnn.prepare(x, h0, holds)
    T = len(x)
    h, U = rnn.input_sums(x, batch, rnn.W.T, rnn.b), rnn.U_transposed
    held_at: list[Held] = [{}] * T if holds is None else holds.by_step(T)
    past, h_prev = np.zeros_like(h[0]), h0
    skipped = None if holds is None else holds.skipped
    for t, (h_t, held) in enumerate(zip(h, held_at, strict=True)):  # W x + b becomes h in place
        np.dot(h_prev, U, past)
        np.add(h_t, past, h_t)
        np.tanh(h_t, h_t)
        put(held, "h", h_t)
        if skipped is not None:
            np.copyto(h_t, h_prev, where=skipped[t])
        h_prev = h_t
    return Forward(cell=rnn, x=np.broadcast_to(x, (T, *batch, rnn.inputs)), h0=h0, h=h, holds=holds)


def slope(run: Forward) -> Array:
    """Return 1 − h², the factor that turns ∂L/∂h into ∂L/∂a. The factor is 0 wherever h is held."""
    return without_held(run.holds, "h", 1 - run.h**2)


def backward(run: Forward, dh: Array) -> Gradients:
    """Compute the gradients of a loss by backpropagation through time (Werbos 1990).

    `dh` is the direct ∂L/∂h_t, without the part through later timesteps. From the last timestep to the first, with a
    for the sum inside tanh:

        ∂L/∂a = ∂L/∂h ⊙ (1 − h²)          ∂L/∂h_{t-1} = Uᵀ ∂L/∂a

    For a clamped unit ∂L/∂a is 0.
    """
    rnn = run.cell
    dh_total, da = np.array(dh, rnn.U.dtype, order="C"), slope(run)
    carry = np.zeros_like(run.h0)
    skipped = None if run.holds is None else run.holds.skipped
    for t in reversed(range(len(da))):
        g, da_t = dh_total[t], da[t]
        np.add(g, carry, g)
        np.multiply(da_t, g, da_t)
        np.dot(da_t, rnn.U, carry)
        if skipped is not None:
            np.add(carry, g, carry, where=skipped[t])
    rows = da.reshape(-1, rnn.units)
    return Gradients(
        W=rows.T @ run.x.reshape(-1, rnn.inputs),
        U=rows.T @ run.h_prev.reshape(-1, rnn.units),
        b=rows.sum(0),
        x=da @ rnn.W,
        h0=carry,
        h=dh_total,
    )
