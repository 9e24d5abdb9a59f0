"""The plain recurrent network: its equation, run forward and backward through time.

    h_t = tanh(W x_t + U h_{t-1} + b)                 hidden state

Elman 1990 (Cognitive Science 14). Nothing of the old state goes over by itself: all of it passes
through U and tanh at every step. Shapes are as in gru_core.gru.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from gru_core import shapes
from gru_core.arrays import Array
from gru_core.holds import Held, Holds, put
from gru_core.signals import BLUE, DIVERGING, Signal

SIGNALS: dict[str, Signal] = {
    "h": Signal(
        "h", "Hidden state", "−1", "+1", -1.0, BLUE, DIVERGING,
        about="What the network remembers: at each step, the tanh of a sum of the input and the old state.",
    ),
}  # fmt: skip
"""What a run has of every step, by name."""


@dataclass(frozen=True)
class RNN:
    """The weights of one layer: `W` `(H, I)`, `U` `(H, H)` and `b` `(H,)`.

    Raises ValueError when the shapes do not fit together.
    """

    name: ClassVar[str] = "rnn"
    title: ClassVar[str] = "RNN"
    signals: ClassVar[Mapping[str, Signal]] = SIGNALS
    gates: ClassVar[tuple[str, ...]] = ("h",)
    carried: ClassVar[tuple[str, ...]] = ("h",)
    holdable: ClassVar[Mapping[str, tuple[float, float]]] = {"h": (-1.0, 1.0)}

    W: Array
    U: Array
    b: Array

    def __post_init__(self) -> None:
        shapes.check_blocks(self)

    def __repr__(self) -> str:
        return f"RNN(I={self.inputs}, H={self.units})"

    @property
    def variant(self) -> dict[str, str]:
        """What tells it from another RNN of the same sizes: nothing."""
        return {}

    @property
    def kind(self) -> str:
        """What it is, in words."""
        return self.title

    @property
    def inputs(self) -> int:
        return int(self.W.shape[1])

    @property
    def units(self) -> int:
        return int(self.U.shape[1])

    @property
    def multiply_adds(self) -> int:
        """Multiplications of a step: those of W x and U h."""
        return self.W.size + self.U.size

    @property
    def parameters(self) -> dict[str, Array]:
        return {"W": self.W, "U": self.U, "b": self.b}

    def with_parameters(self, parameters: Mapping[str, Array]) -> RNN:
        return replace(self, **parameters)

    @property
    def biases(self) -> dict[str, Array]:
        """b by gate, `(H,)` each: here there is one, that of h."""
        return {"h": self.b}

    def row(self, gate: str, unit: int) -> dict[str, Any]:
        return shapes.row(self, gate, unit)

    def negated(self, unit: int) -> RNN:
        """The same layer with one unit's state upside down."""
        sign = np.where(np.arange(self.units) == unit, -1.0, 1.0).astype(self.U.dtype)
        return RNN(self.W * sign[:, None], self.U * sign[:, None] * sign, self.b * sign)

    def forward(self, x: Array, h0: Array | None = None, holds: Holds | None = None) -> Forward:
        return forward(self, x, h0, holds)


@dataclass(frozen=True)
class Forward:
    """A run: `x` and `h0` are what went in, `h` the equation's left-hand side, `(T, H)` or `(T, B, H)`,
    with what `holds` put in its place."""

    cell: RNN
    x: Array
    h0: Array
    h: Array
    holds: Holds | None = None

    def __repr__(self) -> str:
        return f"Forward({shapes.sizes(self)})"

    def __getitem__(self, steps: slice) -> Forward:
        """The run over a stretch of the steps."""
        return self._part(steps, self.h_prev[steps][0])

    def sequence(self, b: int) -> Forward:
        """The run of one sequence of a batch."""
        return self._part(np.s_[:, b], self.h0[b])

    def _part(self, part: Any, h0: Array) -> Forward:
        return replace(self, x=self.x[part], h0=h0, h=self.h[part], holds=self.holds and self.holds[part])

    @property
    def last(self) -> Array:
        """The state that the next step would start from, `(H,)`."""
        return np.asarray(self.h[-1])

    @cached_property
    def h_prev(self) -> Array:
        """h_{t-1} for every step."""
        return np.concatenate([self.h0[None], self.h[:-1]])

    @cached_property
    def computed(self) -> dict[str, Array]:
        """h where it is held anywhere, as it was before anything was put in its place."""
        if self.holds is None or "h" not in self.holds.masks:
            return {}
        h = np.tanh(self.Wx["h"] + self.Uh["h"] + self.cell.b)
        return {"h": np.where(self.holds.masks["h"], h, self.h)}

    @cached_property
    def Wx(self) -> dict[str, Array]:
        """The input's part of the sum: W x_t, without the bias."""
        return {"h": self.x @ self.cell.W.T}

    @cached_property
    def Uh(self) -> dict[str, Array]:
        """The past's part of the sum: U h_{t-1}."""
        return {"h": self.h_prev @ self.cell.U.T}

    def terms(self, gate: str, unit: int) -> tuple[Array, Array]:
        """Each weight of a unit's row times what it meets: W_ij x_j `(T, I)` and U_ik h_{t-1,k} `(T, H)`."""
        weights = self.cell.row(gate, unit)
        return weights["W"] * self.x, weights["U"] * self.h_prev

    def gated_bias(self, gate: str, unit: int) -> None:
        """No bias is multiplied by a gate: there is none."""

    @cached_property
    def moved(self) -> Array:
        """How far each unit's state travelled: Σ_t |h_t − h_{t-1}|, `(H,)`."""
        return np.asarray(np.abs(self.h - self.h_prev).sum(0))

    @property
    def half_life(self) -> None:
        """Nothing is kept by itself, so nothing has a half-life."""

    @property
    def mixture(self) -> None:
        """No mixture of candidates: each state is made anew, tanh of a sum in which the old one is a term."""

    def backward(self, dh: Array, direct: Mapping[str, Array] | None = None) -> Gradients:
        """As the function `backward`; `direct` is for gates, and there is none."""
        return backward(self, dh)

    def gate_gradients(self, gradients: Gradients) -> dict[str, Array]:
        """There are no gates."""
        return {}

    def by_state(self, J: Array, s: int) -> dict[str, Array]:
        """Of the derivative `J` of something by the state of step `s`, the part by each signal: h is all of it."""
        return {"h": J}

    def step_jacobians(self) -> Array:
        """∂h_t/∂h_{t-1} for every step, `(T, H, H)`: diag(1 − h²) U, 0 in the rows of what is held."""
        return slope(self)[..., None] * self.cell.U


def forward(rnn: RNN, x: Array, h0: Array | None = None, holds: Holds | None = None) -> Forward:
    """Run `rnn` over `x`, `(T, I)` or `(T, B, I)`, from `h0` (zero unless given).

    `holds` may be of more sequences than `x` `(T, 1, I)`, which then goes into all of them. The
    arithmetic is of the weights' own precision. Raises ValueError when a shape does not fit.
    """
    x, h0, holds, batch = shapes.take_in(rnn, x, h0, holds)
    T, H = len(x), rnn.units
    h = shapes.input_sums(rnn, x, batch, np.ones(H, rnn.U.dtype))
    held_at: list[Held] = [{}] * T if holds is None else holds.by_step(T)
    U, past, h_prev = np.ascontiguousarray(rnn.U.T), np.zeros_like(h[0]), h0
    for h_t, held in zip(h, held_at, strict=True):  # W x + b becomes h in place
        np.dot(h_prev, U, past)
        np.add(h_t, past, h_t)
        np.tanh(h_t, h_t)
        put(held, "h", h_t)
        h_prev = h_t
    return Forward(rnn, np.broadcast_to(x, (T, *batch, rnn.inputs)), h0, h, holds)


@dataclass(frozen=True)
class Gradients:
    """The derivatives of a loss L, named as what they are taken by; `h` is the whole of ∂L/∂h_t, `(T, ·, H)`."""

    W: Array
    U: Array
    b: Array
    x: Array
    h0: Array
    h: Array

    @property
    def parameters(self) -> dict[str, Array]:
        return {"W": self.W, "U": self.U, "b": self.b}


def slope(run: Forward) -> Array:
    """1 − h², by which ∂L/∂h becomes ∂L/∂a: 0 where h is held."""
    factor = 1 - run.h**2
    if run.holds is not None and "h" in run.holds.masks:
        factor[run.holds.masks["h"]] = 0
    return factor


def backward(run: Forward, dh: Array) -> Gradients:
    """Back-propagate a loss through time (Werbos 1990); `dh` is ∂L/∂h_t where the loss reads h_t directly.

    With a the sum inside tanh, from the last step to the first:

        ∂L/∂a = ∂L/∂h ⊙ (1 − h²)          ∂L/∂h_{t-1} = Uᵀ ∂L/∂a

    What was held does not depend on anything: there ∂L/∂a is 0.
    """
    rnn = run.cell
    dh_total, da = np.array(dh, rnn.U.dtype, order="C"), slope(run)
    carry = np.zeros_like(run.h0)
    for g, da_t in zip(dh_total[::-1], da[::-1], strict=True):
        np.add(g, carry, g)
        np.multiply(da_t, g, da_t)
        np.dot(da_t, rnn.U, carry)
    rows = da.reshape(-1, rnn.units)
    return Gradients(
        W=rows.T @ run.x.reshape(-1, rnn.inputs),
        U=rows.T @ run.h_prev.reshape(-1, rnn.units),
        b=rows.sum(0),
        x=da @ rnn.W,
        h0=carry,
        h=dh_total,
    )
