"""The plain recurrent network: its equation, run forward and backward through time.

    h_t = tanh(W x_t + U h_{t-1} + b)                 hidden state

Elman 1990 (Cognitive Science 14). No part of the old state is kept directly: all of it passes
through U and tanh at every timestep. Shapes are as in gru_core.gru.
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
        about="What the network remembers: at each step, the tanh of a weighted sum of the input and the old state.",
    ),
}  # fmt: skip
"""The signals of every timestep by name."""


@dataclass(frozen=True)
class RNN:
    """The weights of one layer: `W` `(H, I)`, `U` `(H, H)` and `b` `(H,)`.

    Raises ValueError if the shapes do not fit together.
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
        """Empty: RNNs of the same sizes differ in no property."""
        return {}

    @property
    def kind(self) -> str:
        """The kind of cell in words."""
        return self.title

    @property
    def inputs(self) -> int:
        return int(self.W.shape[1])

    @property
    def units(self) -> int:
        return int(self.U.shape[1])

    @property
    def multiply_adds(self) -> int:
        """The multiply-adds of one timestep: those of W x and U h."""
        return self.W.size + self.U.size

    @property
    def parameters(self) -> dict[str, Array]:
        return {"W": self.W, "U": self.U, "b": self.b}

    def with_parameters(self, parameters: Mapping[str, Array]) -> RNN:
        return replace(self, **parameters)

    @property
    def biases(self) -> dict[str, Array]:
        """The bias `b` `(H,)` under the name h."""
        return {"h": self.b}

    def row(self, gate: str, unit: int) -> dict[str, Any]:
        return shapes.row(self, gate, unit)

    def negated(self, unit: int) -> RNN:
        """Return the same layer with the sign of one unit's state flipped."""
        sign = np.where(np.arange(self.units) == unit, -1.0, 1.0).astype(self.U.dtype)
        return RNN(self.W * sign[:, None], self.U * sign[:, None] * sign, self.b * sign)

    def forward(self, x: Array, h0: Array | None = None, holds: Holds | None = None) -> Forward:
        return forward(self, x, h0, holds)


@dataclass(frozen=True)
class Forward:
    """The values of a run: arrays `(T, H)` for one sequence, `(T, B, H)` for a batch.

    `x` and `h0` are the inputs and the initial state. `h` is the left-hand side of the equation. `holds` has the values
    that replaced computed ones.
    """

    cell: RNN
    x: Array
    h0: Array
    h: Array
    holds: Holds | None = None

    def __repr__(self) -> str:
        return f"Forward({shapes.sizes(self)})"

    def __getitem__(self, steps: slice) -> Forward:
        """Return the run over a slice of the timesteps."""
        return self._part(steps, self.h_prev[steps][0])

    def sequence(self, b: int) -> Forward:
        """Return the run of one sequence of a batch."""
        return self._part(np.s_[:, b], self.h0[b])

    def _part(self, part: Any, h0: Array) -> Forward:
        return replace(self, x=self.x[part], h0=h0, h=self.h[part], holds=self.holds and self.holds[part])

    @property
    def last(self) -> Array:
        """The state after the last timestep, `(H,)`, from which a next run can start."""
        return np.asarray(self.h[-1])

    @cached_property
    def h_prev(self) -> Array:
        """h_{t-1} for every timestep."""
        return np.concatenate([self.h0[None], self.h[:-1]])

    @cached_property
    def computed(self) -> dict[str, Array]:
        """h, if it is held anywhere, with the computed values in place of the held ones."""
        if self.holds is None or "h" not in self.holds.masks:
            return {}
        h = np.tanh(self.Wx["h"] + self.Uh["h"] + self.cell.b)
        return {"h": np.where(self.holds.masks["h"], h, self.h)}

    @cached_property
    def Wx(self) -> dict[str, Array]:
        """The input's term in the sum: W x_t, without the bias."""
        return {"h": self.x @ self.cell.W.T}

    @cached_property
    def Uh(self) -> dict[str, Array]:
        """The old state's term in the sum: U h_{t-1}."""
        return {"h": self.h_prev @ self.cell.U.T}

    def terms(self, gate: str, unit: int) -> tuple[Array, Array]:
        """Return each weight of a unit's row times the number that it multiplies, for every timestep.

        They are W_ij x_j `(T, I)` and U_ik h_{t-1,k} `(T, H)`.
        """
        weights = self.cell.row(gate, unit)
        return weights["W"] * self.x, weights["U"] * self.h_prev

    def gated_bias(self, gate: str, unit: int) -> None:
        """Return None: there is no gate that could multiply a bias."""

    @cached_property
    def moved(self) -> Array:
        """How far each unit's state moved: Σ_t |h_t − h_{t-1}|, `(H,)`."""
        return np.asarray(np.abs(self.h - self.h_prev).sum(0))

    @property
    def half_life(self) -> None:
        """None: no part of the old state is kept directly, so nothing has a half-life."""

    @property
    def mixture(self) -> None:
        """None: each state is tanh of a sum that contains the old state, and not a mixture with it."""

    def backward(self, dh: Array, direct: Mapping[str, Array] | None = None) -> Gradients:
        """Run the function `backward`. `direct` is for gates, and is not used."""
        return backward(self, dh)

    def gate_gradients(self, gradients: Gradients) -> dict[str, Array]:
        """Return an empty dictionary: there are no gates."""
        return {}

    def by_state(self, J: Array, s: int) -> dict[str, Array]:
        """Split the derivative `J` with respect to the state of timestep `s` by signal: all of it belongs to h."""
        return {"h": J}

    def step_jacobians(self) -> Array:
        """Return ∂h_t/∂h_{t-1} for every timestep of one sequence, `(T, H, H)`: diag(1 − h²) U.

        Rows of held units are 0.
        """
        return slope(self)[..., None] * self.cell.U


def forward(rnn: RNN, x: Array, h0: Array | None = None, holds: Holds | None = None) -> Forward:
    """Run `rnn` over `x`, `(T, I)` or `(T, B, I)`, from `h0`, `(H,)` or `(B, H)` (zero if None).

    `holds` may have more sequences than an `x` `(T, 1, I)`. Then every sequence reads this x. The results have the
    precision of the weights. Raises ValueError if `x` has no timesteps, or if a shape does not fit.
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
    """The gradients of a loss L, each with the name of its variable. `h` `(T, ·, H)` is the total ∂L/∂h_t."""

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
    """Return 1 − h², the factor that turns ∂L/∂h into ∂L/∂a. It is 0 where h is held."""
    factor = 1 - run.h**2
    if run.holds is not None and "h" in run.holds.masks:
        factor[run.holds.masks["h"]] = 0
    return factor


def backward(run: Forward, dh: Array) -> Gradients:
    """Compute the gradients of a loss by backpropagation through time (Werbos 1990).

    `dh` is ∂L/∂h_t where the loss reads h_t directly. With a the sum inside tanh, from the last timestep to the first:

        ∂L/∂a = ∂L/∂h ⊙ (1 − h²)          ∂L/∂h_{t-1} = Uᵀ ∂L/∂a

    A held value depends on nothing: its ∂L/∂a is 0.
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
