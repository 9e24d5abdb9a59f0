"""The minimal GRU (minGRU): its equations, run forward and backward through time.

    z_t = σ(W_z x_t + b_z)                            update gate
    h̃_t = W_h x_t + b_h                               candidate
    h_t = (1 − z_t) ⊙ h_{t-1} + z_t ⊙ h̃_t             hidden state

Source: Feng et al. 2024 (arXiv:2410.01201). The gate and the candidate do not read the old state, so U has no rows.
The candidate has no tanh, so the candidate and h have no bounds. Shapes are as in gru.py.

h_t is linear in h_{t-1}. Two timesteps in a row can therefore be combined into one: h ↦ a h + b followed by
h ↦ a′ h + b′ is h ↦ a′ a h + (a′ b + b′). A scan needs only about log₂ T passes over all timesteps at once, in place
of T timesteps one after another. The price: the factor 1 − z is never negative, so the cell cannot reverse the sign of
its state, and cannot compute parity over sequences of any length (Sarrof et al. 2024, arXiv:2405.17394).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from gru_core.arrays import Array
from gru_core.cells import directions, gru
from gru_core.cells.cell import Cell, σ
from gru_core.cells.holds import Holds, without_held
from gru_core.cells.run import Gradients
from gru_core.cells.signals import BLUE, DIVERGING, PLUM, PURPLE, Color, Signal
from gru_core.cells.update_gate import UpdateGateRun

SIGNALS: dict[str, Signal] = {
    "z": gru.SIGNALS["z"],
    "h_tilde": Signal(
        "h̃", "Candidate", "−3 or less", "+3 or more", -3.0, PURPLE, DIVERGING, highest=3.0,
        explanation="The new state that the cell proposes: a weighted sum of the input alone. It has no bounds.",
    ),
    "h": Signal(
        "h", "Hidden state", "−3 or less", "+3 or more", -3.0, BLUE, DIVERGING, highest=3.0,
        explanation=gru.SIGNALS["h"].explanation,
        explanation_pytorch=gru.SIGNALS["h"].explanation_pytorch,
    ),
}  # fmt: skip
"""The signals of every timestep by name."""

GATES = ("z", "h_tilde")
"""The signals that are a function of a sum. Each has a block of H rows in `W` and `b`, in this order."""

LARGEST = 10.0
"""The largest absolute value at which the candidate and the old state can be clamped."""


@dataclass(frozen=True, repr=False)
class MinGRU(Cell):
    """The weights of a minGRU layer: `W` `(2H, I)` and `b` `(2H,)` stack the rows of z and h̃, and `U` is `(0, H)`.

    Raises ValueError if the shapes do not fit together.
    """

    name: ClassVar[str] = "mingru"
    title: ClassVar[str] = "minGRU"
    color: ClassVar[Color] = PLUM
    dash: ClassVar[str] = "9 3 2 3"
    signals: ClassVar[Mapping[str, Signal]] = SIGNALS
    gates: ClassVar[tuple[str, ...]] = GATES
    recurrent: ClassVar[tuple[str, ...]] = ()
    key_gate: ClassVar[str] = "z"
    chrono: ClassVar[Mapping[str, int]] = {"z": -1}
    holdable: ClassVar[Mapping[str, tuple[float, float]]] = {
        "z": (0.0, 1.0),
        "h_tilde": (-LARGEST, LARGEST),
        "h_prev": (-LARGEST, LARGEST),
    }
    skip: ClassVar[Mapping[str, float]] = {"z": 0.0}
    parts: ClassVar[tuple[str, ...]] = ("kept", "taken")
    linear: ClassVar[tuple[str, ...]] = ("h_tilde",)
    products: ClassVar[int] = 2  # (1 − z) ⊙ h and z ⊙ h̃

    def step(self, x: Array, state: Array) -> Array:
        """Return h_t from x_t `(I,)` and h_{t-1} `(H,)`, by the equations at the top of this file."""
        W_z, W_h = np.split(self.W, 2)
        b_z, b_h = np.split(self.b, 2)
        h = state
        z = σ(W_z @ x + b_z)
        h_tilde = W_h @ x + b_h
        return np.asarray((1 - z) * h + z * h_tilde)

    def forward(self, x: Array, h0: Array | None = None, holds: Holds | None = None) -> Forward:
        return forward(self, x, h0, holds)

    @staticmethod
    def random(inputs: int, units: int, rng: np.random.Generator) -> MinGRU:
        """Return a layer with W uniform in ±1/√H and biases of zero."""
        bound = 1 / np.sqrt(units)
        W = rng.uniform(-bound, bound, (2 * units, inputs))
        return MinGRU(W, U=np.zeros((0, units)), b=np.zeros(2 * units))

    def scan(self, x: Array) -> Array:
        """Return h `(T, …, H)` from a zero state, in ⌈log₂ T⌉ passes over all timesteps (Hillis & Steele 1986)."""
        z, h_tilde = _gates(x @ self.W.T + self.b)
        a, b = 1 - z, z * h_tilde
        reach = 1
        while reach < len(z):
            b[reach:] = a[reach:] * b[:-reach] + b[reach:]
            a[reach:] = a[reach:] * a[:-reach]
            reach *= 2
        return b


def passes(T: int) -> int:
    """Return the number of passes of a scan over T timesteps: ⌈log₂ T⌉."""
    return (T - 1).bit_length()


def _gates(sums: Array) -> tuple[Array, Array]:
    """Return z and h̃ from their sums."""
    a_z, a_h = np.split(sums, 2, -1)
    return σ(a_z), np.ascontiguousarray(a_h)


@dataclass(frozen=True, repr=False, kw_only=True)
class Forward(UpdateGateRun):
    """Every intermediate value of a minGRU's run."""

    cell: MinGRU

    @cached_property
    def passed(self) -> Array:
        """1 − z, the derivative ∂h_t/∂h_{t-1} of each unit, or 0 wherever h_{t-1} is clamped."""
        return without_held(self.holds, "h_prev", 1 - self.z)

    def backward(self, dh: Array, direct: Mapping[str, Array] | None = None) -> Gradients:
        if self.cell.backward_units:
            return directions.backward(Forward.backward, self, dh, direct)
        return backward(self, dh, (direct or {}).get("z"))

    def gate_gradients(self, gradients: Gradients) -> dict[str, Array]:
        """Return ∂L/∂z, by the equations of `backward`."""
        return {"z": gradients.h * (self.h_tilde - self.h_prev)}

    def step_jacobians(self) -> Array:
        """Return ∂h_t/∂h_{t-1} for every timestep of one sequence, `(T, H, H)`: diag(1 − z).

        If a unit's h_{t-1} is clamped, its column is 0.
        """
        return self.passed[..., None] * np.eye(self.cell.units, dtype=self.h.dtype)


def forward(mingru: MinGRU, x: Array, h0: Array | None = None, holds: Holds | None = None) -> Forward:
    """Run `mingru` over `x`, `(T, I)` or `(T, B, I)`, from `h0`, `(H,)` or `(B, H)` (zero if None).

    If `x` is `(T, 1, I)`, `holds` may have several sequences, which then all read this x. The results have the
    precision of the weights. Raises ValueError if `x` has no timesteps, or if a shape does not fit.
    """
    if mingru.backward_units:
        return directions.forward(forward, mingru, x, h0, holds)
    x, h0, holds, batch = mingru.prepare(x, h0, holds)
    # The gate and the candidate do not read the old state, so z, h̃ and z ⊙ h̃ are computed for all timesteps at once.
    z, h_tilde = _gates(mingru.input_sums(x, batch, mingru.W.T, mingru.b))
    masks, values = ({}, {}) if holds is None else (holds.masks, holds.values)
    for name, computed in (("z", z), ("h_tilde", h_tilde)):
        if name in masks:
            np.copyto(computed, values[name], where=masks[name])
    keep, taken = 1 - z, z * h_tilde
    if "h_prev" in masks:
        taken = np.where(masks["h_prev"], keep * values["h_prev"] + taken, taken)
        keep = without_held(holds, "h_prev", keep)
    h, h_prev = np.empty_like(z), h0
    for keep_t, taken_t, h_t in zip(keep, taken, h, strict=True):
        np.multiply(keep_t, h_prev, h_t)
        np.add(h_t, taken_t, h_t)
        h_prev = h_t
    x = np.broadcast_to(x, (len(x), *batch, mingru.inputs))
    return Forward(cell=mingru, x=x, h0=h0, z=z, h_tilde=h_tilde, h=h, holds=holds)


def backward(run: Forward, dh: Array, dz: Array | None = None) -> Gradients:
    """Compute the gradients of a loss by backpropagation through time (Werbos 1990).

    `dh` is the direct ∂L/∂h_t, without the part through later timesteps. `dz` is the direct ∂L/∂z, for a loss with a
    penalty on z. Both have the shape of `run.h`. From the last timestep to the first, with a_z and a_h for the sums:

        ∂L/∂a_h = ∂L/∂h ⊙ z
        ∂L/∂z   = ∂L/∂h ⊙ (h̃ − h_{t-1})     ∂L/∂a_z = ∂L/∂z ⊙ z (1 − z)
        ∂L/∂h_{t-1} = ∂L/∂h ⊙ (1 − z)

    `dz` is added to ∂L/∂z. For a clamped gate or candidate ∂L/∂a is 0. For a clamped h_{t-1} ∂L/∂h_{t-1} is 0.
    """
    mingru, z = run.cell, run.z
    dh_total, carry = np.array(dh, z.dtype, order="C"), np.zeros_like(run.h0)
    for g, passed_t in zip(dh_total[::-1], run.passed[::-1], strict=True):
        np.add(g, carry, g)
        np.multiply(g, passed_t, carry)
    of_z = dh_total * (run.h_tilde - run.h_prev)
    if dz is not None:
        of_z += dz
    of_z *= z * (1 - z)
    of_h = dh_total * z
    da = np.concatenate([without_held(run.holds, "z", of_z), without_held(run.holds, "h_tilde", of_h)], -1)
    rows: Array = da.reshape(-1, len(mingru.b))
    return Gradients(
        W=rows.T @ run.x.reshape(-1, mingru.inputs),
        U=np.zeros_like(mingru.U),
        b=rows.sum(0),
        x=da @ mingru.W,
        h0=carry,
        h=dh_total,
    )
