"""The gated recurrent unit: its equations, run forward and backward through time.

    r_t = σ(W_r x_t + U_r h_{t-1} + b_r)                        reset gate
    z_t = σ(W_z x_t + U_z h_{t-1} + b_z)                        update gate
    h̃_t = tanh(W_h x_t + U_h (r_t ⊙ h_{t-1}) + b_h)             candidate, reset = "before"
    h̃_t = tanh(W_h x_t + b_h + r_t ⊙ (U_h h_{t-1} + c_h))       candidate, reset = "after"
    h_t = (1 − z_t) ⊙ h_{t-1} + z_t ⊙ h̃_t                       hidden state

z near 1 takes the candidate and z near 0 keeps the old state, as in Chung et al. 2014 (arXiv:1412.3555). With reset
"before" the reset gate multiplies the old state, as in Cho et al. 2014 (arXiv:1406.1078). With "after" it multiplies
the product, as in cuDNN, in PyTorch and, by default, in Keras.

Shapes, in all modules: `T` timesteps, `B` sequences, `I` inputs, `H` hidden units. One sequence is `(T, ·)`, a batch
is `(T, B, ·)`. The equations are written for column vectors. An array holds its vectors as rows, so U h is `h @ U.T`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Literal, Self

import numpy as np

from gru_core.arrays import Array
from gru_core.cells import cell, directions, run
from gru_core.cells.cell import Cell, σ
from gru_core.cells.holds import Held, Holds, put, without_held
from gru_core.cells.signals import BLUE, DIVERGING, GREEN, GREENS, PURPLE, VERMILION, VERMILIONS, Color, Signal
from gru_core.cells.update_gate import UpdateGateRun

SIGNALS: dict[str, Signal] = {
    "r": Signal(
        "r", "Reset gate", "ignore past", "use past", 0.0, GREEN, GREENS,
        explanation="Decides how much of the old state the candidate sees. "
        "If the state takes almost nothing of the candidate, r hardly matters at that timestep.",
    ),
    "z": Signal(
        "z", "Update gate", "keep old", "take candidate", 0.0, VERMILION, VERMILIONS,
        explanation="Decides how much of the candidate is taken: "
        "near 0 the unit keeps its old state, near 1 the candidate replaces it.",
        explanation_pytorch="Decides how much of the old state is kept: "
        "near 1 the unit keeps it, near 0 the candidate replaces it.",
    ),
    "h_tilde": Signal(
        "h̃", "Candidate", "−1", "+1", -1.0, PURPLE, DIVERGING,
        explanation="The new state that the cell proposes. The update gate decides how much of it is taken.",
    ),
    "h": Signal(
        "h", "Hidden state", "−1", "+1", -1.0, BLUE, DIVERGING,
        explanation="What the network remembers: (1 − z) times the old state plus z times the candidate.",
        explanation_pytorch="What the network remembers: z times the old state plus (1 − z) times the candidate.",
    ),
}  # fmt: skip
"""The signals of every timestep by name."""

GATES = ("r", "z", "h_tilde")
"""The signals that are a function of a sum. Each has a block of H rows in `W`, `U` and `b`, in this order."""


@dataclass(frozen=True, repr=False)
class GRU(Cell):
    """The weights of one GRU layer.

    `W` `(3H, I)`, `U` `(3H, H)` and `b` `(3H,)` stack the rows of r, z and h̃. `c_h` `(H,)` is the recurrent bias of
    the candidate. If there is a `c_h`, the reset gate acts after the product. If `c_h` is None, it acts before the
    product.

    Raises ValueError if the shapes do not fit together.
    """

    name: ClassVar[str] = "gru"
    title: ClassVar[str] = "GRU"
    color: ClassVar[Color] = BLUE
    dash: ClassVar[str] = "none"
    signals: ClassVar[Mapping[str, Signal]] = SIGNALS
    gates: ClassVar[tuple[str, ...]] = GATES
    recurrent: ClassVar[tuple[str, ...]] = GATES
    key_gate: ClassVar[str] = "z"
    chrono: ClassVar[Mapping[str, int]] = {"z": -1}
    penalized: ClassVar[tuple[str, ...]] = ("z", "r")
    holdable: ClassVar[Mapping[str, tuple[float, float]]] = {
        "r": (0.0, 1.0),
        "z": (0.0, 1.0),
        "h_tilde": (-1.0, 1.0),
        "h_prev": (-1.0, 1.0),
    }
    skip: ClassVar[Mapping[str, float]] = {"z": 0.0}
    parts: ClassVar[tuple[str, ...]] = ("kept", "taken", "past")
    products: ClassVar[int] = 3  # r ⊙ h, (1 − z) ⊙ h and z ⊙ h̃

    c_h: Array | None = None

    def step(self, x: Array, state: Array) -> Array:
        """Return h_t from x_t `(I,)` and h_{t-1} `(H,)`, by the equations at the top of this file."""
        W_r, W_z, W_h = np.split(self.W, 3)
        U_r, U_z, U_h = np.split(self.U, 3)
        b_r, b_z, b_h = np.split(self.b, 3)
        c_h, h = self.c_h, state
        r = σ(W_r @ x + U_r @ h + b_r)
        z = σ(W_z @ x + U_z @ h + b_z)
        past = U_h @ (r * h) if c_h is None else r * (U_h @ h + c_h)
        h_tilde = np.tanh(W_h @ x + past + b_h)
        return np.asarray((1 - z) * h + z * h_tilde)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.c_h is not None and self.c_h.shape != (self.units,):
            raise ValueError(f"c_h has shape {self.c_h.shape}, but {self.units} units need {(self.units,)}")

    @property
    def reset(self) -> Literal["before", "after"]:
        """Whether the reset gate acts "before" or "after" the product with U_h."""
        return "before" if self.c_h is None else "after"

    @property
    def variant(self) -> dict[str, str]:
        return {"reset": self.reset}

    @property
    def kind(self) -> str:
        return f"{super().kind}, reset {self.reset} the product"

    @property
    def parameters(self) -> dict[str, Array]:
        """The arrays by name, with `c_h` only if there is one."""
        return super().parameters | ({} if self.c_h is None else {"c_h": self.c_h})

    def row(self, gate: str, unit: int) -> cell.Row:
        c = None if gate != "h_tilde" or self.c_h is None else self.c_h[unit]
        return {**super().row(gate, unit), "c": c}

    def negated(self, unit: int) -> Self:
        flipped = super().negated(unit)
        if self.c_h is None:
            return flipped
        return replace(flipped, c_h=np.where(np.arange(self.units) == unit, -self.c_h, self.c_h))

    @cached_property
    def operands(self) -> tuple[Array, Array, Array, Array]:
        """The weights in the form that the loop of `forward` uses: W, b, and two parts of U.

        The first part of U multiplies h_{t-1}, and the second multiplies r ⊙ h_{t-1}. The matrices are transposed, and
        the rows of r and z are negated. These arrays are computed once for each cell, because a long run is computed in
        many blocks.
        """
        H = self.units
        sign = np.repeat(np.array([-1, -1, 1], self.U.dtype), H)
        # The part of U that multiplies h_{t-1} itself: all of U if the reset gate acts after the product.
        U_old = -self.U[: 2 * H].T if self.c_h is None else self.U.T * sign
        return self.W.T * sign, self.b * sign, U_old, np.ascontiguousarray(self.U[2 * H :].T)

    @cached_property
    def U_by_gate(self) -> Array:
        """The first part of U in `operands`, split by gate: `(2, H, H)` or `(3, H, H)`, contiguous."""
        return self.operands[2].reshape(self.units, -1, self.units).swapaxes(0, 1).copy()

    def forward(self, x: Array, h0: Array | None = None, holds: Holds | None = None) -> Forward:
        return forward(self, x, h0, holds)

    @staticmethod
    def random(
        inputs: int,
        units: int,
        rng: np.random.Generator,
        *,
        reset: Literal["before", "after"] = "before",
        b_r: float = 0.0,
        b_z: float = 0.0,
    ) -> GRU:
        """Return a layer with W and U uniform in ±1/√H.

        The biases of r and z are the constants `b_r` and `b_z`. All other biases are zero.
        """
        bound = 1 / np.sqrt(units)
        b = np.repeat([b_r, b_z, 0.0], units)
        return GRU(
            W=rng.uniform(-bound, bound, (3 * units, inputs)),
            U=rng.uniform(-bound, bound, (3 * units, units)),
            b=b,
            c_h=np.zeros(units) if reset == "after" else None,
        )


@dataclass(frozen=True, repr=False, kw_only=True)
class Forward(UpdateGateRun):
    """Every intermediate value of a GRU's run."""

    cell: GRU
    r: Array

    @cached_property
    def Uh(self) -> dict[str, Array]:
        """The old state's term in each gate's sum.

        It is U h_{t-1} for r and z. For h̃ it is U_h (r ⊙ h_{t-1}) if the reset gate acts before the product, and
        r ⊙ (U_h h_{t-1} + c_h) if it acts after.
        """
        U_r, U_z, U_h = np.split(self.cell.U, 3)
        if self.cell.c_h is None:
            candidate = (self.r * self.h_prev) @ U_h.T
        else:
            candidate = self.r * (self.h_prev @ U_h.T + self.cell.c_h)
        return {"r": self.h_prev @ U_r.T, "z": self.h_prev @ U_z.T, "h_tilde": candidate}

    def past_in(self, gate: str, unit: int) -> Array:
        """Return the vectors that a unit's row of U multiplies in a gate's sum, `(T, H)`. The products are

            U_ik h_k          for r and z, with h = h_{t-1}
            U_ik (r_k h_k)    for h̃, reset "before"
            U_ik (r_i h_k)    for h̃, reset "after"

        With reset "after" the candidate's `Uh` also contains r_i c_h,i.
        """
        if gate != "h_tilde":
            return self.h_prev
        return self.h_prev * (self.r if self.cell.c_h is None else self.r[..., unit, None])

    def gated_bias(self, gate: str, unit: int) -> Array | None:
        """Return r_i c_h,i for every timestep, `(T,)`.

        The result is None unless `gate` is h̃ and the reset gate acts after the product.
        """
        c = self.cell.row(gate, unit)["c"]
        return None if c is None else self.r[..., unit] * c

    @property
    def parts(self) -> dict[str, Array]:
        """The products of the mixture, and `past`, the product in the candidate's sum.

        With reset "before", `past` is r ⊙ h_{t-1}. With reset "after", it is r ⊙ (U_h h_{t-1} + c_h).
        """
        return super().parts | {"past": self.r * self.h_prev if self.cell.c_h is None else self.Uh["h_tilde"]}

    def backward(self, dh: Array, direct: Mapping[str, Array] | None = None) -> Gradients:
        """Run the function `backward`. If the loss reads a gate itself, `direct` has ∂L/∂r or ∂L/∂z by name."""
        if self.cell.backward_units:
            return directions.backward(Forward.backward, self, dh, direct)
        direct = direct or {}
        return backward(self, dh, direct.get("r"), direct.get("z"))

    def gate_gradients(self, gradients: Gradients) -> dict[str, Array]:
        return gate_gradients(self, gradients.h)

    def step_jacobians(self) -> Array:
        return step_jacobians(self)


def forward(gru: GRU, x: Array, h0: Array | None = None, holds: Holds | None = None) -> Forward:
    """Run `gru` over `x`, `(T, I)` or `(T, B, I)`, from `h0`, `(H,)` or `(B, H)` (zero if None).

    If `x` is `(T, 1, I)`, `holds` may have several sequences, which then all read this x. The results have the
    precision of the weights. Raises ValueError if `x` has no timesteps, or if `x`, `h0` or `holds` has a shape that
    does not fit.
    """
    if gru.backward_units:
        return directions.forward(forward, gru, x, h0, holds)
    x, h0, holds, batch = gru.prepare(x, h0, holds)
    dtype, T, H, I = gru.U.dtype, len(x), gru.units, gru.inputs

    # W x + b does not depend on the old state, so it is computed for all timesteps at once. The loop adds the old
    # state's terms to each timestep's sums, and turns the sums into r, z and h̃ in place. The rows of r and z are
    # negated throughout, because σ(a) = 1 / (1 + exp(−a)) needs −a.
    W, b, U_old, U_h = gru.operands
    gates = (x.reshape(-1, I) @ W).reshape(*x.shape[:-1], 3 * H)
    np.add(gates, b, gates)

    held_at: list[Held] = [{}] * T
    if holds is not None:
        held_at = holds.by_step(T)
        x = np.broadcast_to(x, (T, *batch, I))
    # BLAS may read the array that it writes a product to, so `past` starts at zero.
    if holds is None or not batch:
        product: Callable[[Array, Array, Array], object] = np.dot
        rz, r, z, h_tilde = gates[..., : 2 * H], gates[..., :H], gates[..., H : 2 * H], gates[..., 2 * H :]
        past = np.zeros((*batch, U_old.shape[1]), dtype)
        past_rz, past_c = past[..., : 2 * H], past[..., 2 * H :]
    else:
        # A run with holds has few sequences: the clamped run and the original run. The loop then takes half the
        # time if r, z and h̃ of a timestep are contiguous arrays.
        product = np.matmul
        rows, gates = gates.reshape(T, -1, 3, H), np.empty((T, 3, *batch, H), dtype)
        gates[...] = rows.swapaxes(1, 2)
        rz, r, z, h_tilde = gates[:, :2], gates[:, 0], gates[:, 1], gates[:, 2]
        U_old = gru.U_by_gate
        past = np.zeros((len(U_old), *batch, H), dtype)
        past_rz, past_c = past[:2], past[2:]
    h = np.empty_like(h_tilde, order="C")
    scratch = np.empty_like(h[0])
    past_h = np.zeros_like(scratch) if gru.c_h is None else past_c.reshape(scratch.shape)
    ones_rz, ones_h = np.ones_like(past_rz), np.ones_like(past_h)
    h_prev = h0
    # If exp(−a) overflows to ∞, the gate is 0, as it should be. OpenBLAS sometimes flags a product of finite numbers as
    # invalid.
    with np.errstate(over="ignore", invalid="ignore"):
        for rz_t, r_t, z_t, h_tilde_t, h_t, held in zip(rz, r, z, h_tilde, h, held_at, strict=True):
            if "h_prev" in held:
                h_prev = h_prev.copy()
                put(held, "h_prev", h_prev)
            product(h_prev, U_old, past)
            np.add(rz_t, past_rz, past_rz)
            np.exp(past_rz, past_rz)
            np.add(past_rz, ones_rz, past_rz)
            np.divide(ones_rz, past_rz, rz_t)
            if held:
                put(held, "r", r_t)
                put(held, "z", z_t)
            if gru.c_h is None:
                np.multiply(r_t, h_prev, scratch)
                np.dot(scratch, U_h, past_h)
            else:
                np.add(past_h, gru.c_h, past_h)
                np.multiply(r_t, past_h, past_h)
            np.add(h_tilde_t, past_h, past_h)
            np.tanh(past_h, h_tilde_t)
            if held:
                put(held, "h_tilde", h_tilde_t)
            np.subtract(ones_h, z_t, scratch)
            np.multiply(scratch, h_prev, scratch)
            np.multiply(z_t, h_tilde_t, h_t)
            np.add(scratch, h_t, h_t)
            h_prev = h_t
    return Forward(cell=gru, x=x, h0=h0, r=r, z=z, h_tilde=h_tilde, h=h, holds=holds)


@dataclass(frozen=True, kw_only=True)
class Gradients(run.Gradients):
    """The gradients of a loss for a GRU layer. `c_h` is None if the layer has no c_h."""

    c_h: Array | None

    @property
    def parameters(self) -> dict[str, Array]:
        return super().parameters | ({} if self.c_h is None else {"c_h": self.c_h})


def backward(run: Forward, dh: Array, dr: Array | None = None, dz: Array | None = None) -> Gradients:
    """Compute the gradients of a loss by backpropagation through time (Werbos 1990).

    `dh` is the direct ∂L/∂h_t, without the part through later timesteps. `dr` and `dz` are the direct ∂L/∂r and ∂L/∂z,
    for a loss with a penalty on the gates. All have the shape of `run.h`.

    From the last timestep to the first, with a_r, a_z and a_h for the sums inside σ, σ and tanh:

        ∂L/∂h̃   = ∂L/∂h ⊙ z                 ∂L/∂a_h = ∂L/∂h̃ ⊙ (1 − h̃²)
        ∂L/∂z   = ∂L/∂h ⊙ (h̃ − h_{t-1})     ∂L/∂a_z = ∂L/∂z ⊙ z (1 − z)
        ∂L/∂r   = s                         ∂L/∂a_r = ∂L/∂r ⊙ r (1 − r)
        ∂L/∂h_{t-1} = ∂L/∂h ⊙ (1 − z) + U_rᵀ ∂L/∂a_r + U_zᵀ ∂L/∂a_z + p

    reset "before":  s = h_{t-1} ⊙ U_hᵀ ∂L/∂a_h,        p = r ⊙ U_hᵀ ∂L/∂a_h
    reset "after":   s = ∂L/∂a_h ⊙ (U_h h_{t-1} + c_h), p = U_hᵀ (r ⊙ ∂L/∂a_h)

    `dz` and `dr` are added to ∂L/∂z and ∂L/∂r. For a clamped gate or candidate ∂L/∂a is 0. For a clamped h_{t-1}
    ∂L/∂h_{t-1} is 0.
    """
    gru, H = run.cell, run.cell.units
    h_prev, r, z, h_tilde = run.h_prev, run.r, run.z, run.h_tilde
    U_rz, U_h = np.ascontiguousarray(gru.U[: 2 * H]), np.ascontiguousarray(gru.U[2 * H :])
    # The vector that r multiplies: h_{t-1} with reset "before", U_h h_{t-1} + c_h with reset "after".
    product = h_prev if gru.c_h is None else h_prev @ U_h.T + gru.c_h

    # For all timesteps at once: the factors that turn ∂L/∂h into ∂L/∂a_z and ∂L/∂a_h, and the factors of ∂L/∂a_r. The
    # loop turns the factors into the derivatives in place.
    keep = 1 - z
    da = np.empty((*run.h.shape[:-1], 3 * H), gru.U.dtype)
    da_r, da_z, da_h = da[..., :H], da[..., H : 2 * H], da[..., 2 * H :]
    np.subtract(1, r, da_r)
    np.multiply(da_r, r, da_r)
    direct_r = None if dr is None else dr * da_r
    np.multiply(da_r, product, da_r)
    direct_z = None if dz is None else dz * z * keep
    np.subtract(run.h, h_prev, da_z)  # z (h̃ − h_{t-1}), by the last equation
    np.multiply(da_z, keep, da_z)
    np.multiply(h_tilde, h_tilde, da_h)
    np.subtract(1, da_h, da_h)
    np.multiply(da_h, z, da_h)
    cut = None
    if run.holds is not None:
        masks = run.holds.masks
        of_gates: tuple[tuple[str, Array | None], ...]
        of_gates = ("r", da_r), ("r", direct_r), ("z", da_z), ("z", direct_z), ("h_tilde", da_h)
        for gate, factor in of_gates:
            if factor is not None and gate in masks:
                factor[masks[gate]] = 0
        cut = masks.get("h_prev")

    dh_total = np.array(dh, gru.U.dtype, order="C")
    carry = np.zeros_like(run.h0)
    part, past = np.empty_like(carry), np.zeros_like(carry)
    for t in reversed(range(len(run.h))):
        g, da_t, da_r_t, da_z_t, da_h_t = dh_total[t], da[t], da_r[t], da_z[t], da_h[t]
        np.add(g, carry, g)
        np.multiply(da_h_t, g, da_h_t)
        np.multiply(da_z_t, g, da_z_t)
        if direct_z is not None:
            np.add(da_z_t, direct_z[t], da_z_t)
        if gru.c_h is None:
            np.dot(da_h_t, U_h, past)
            np.multiply(da_r_t, past, da_r_t)
            np.multiply(past, r[t], past)
        else:
            np.multiply(da_r_t, da_h_t, da_r_t)
            np.multiply(da_h_t, r[t], part)
            np.dot(part, U_h, past)
        if direct_r is not None:
            np.add(da_r_t, direct_r[t], da_r_t)
        np.dot(da_t[..., : 2 * H], U_rz, carry)
        np.add(carry, past, carry)
        np.multiply(g, keep[t], part)
        np.add(carry, part, carry)
        if cut is not None:
            carry[cut[t]] = 0

    # Each sum over timesteps and sequences is one matrix product, (rows, T·B) by (T·B, columns).
    da_flat: Array = da.reshape(-1, 3 * H)
    old: Array = h_prev.reshape(-1, H)
    da_product: Array
    old_h: Array
    if gru.c_h is None:
        da_product, old_h, dc_h = da_flat[:, 2 * H :], (r * h_prev).reshape(-1, H), None
    else:
        da_product, old_h = (r * da_h).reshape(-1, H), old
        dc_h = da_product.sum(0)
    return Gradients(
        W=da_flat.T @ run.x.reshape(-1, gru.inputs),
        U=np.concatenate([da_flat[:, : 2 * H].T @ old, da_product.T @ old_h]),
        b=da_flat.sum(0),
        c_h=dc_h,
        x=da @ gru.W,
        h0=carry,
        h=dh_total,
    )


def gate_gradients(run: Forward, dh: Array) -> dict[str, Array]:
    """Return ∂L/∂z and ∂L/∂r, by the equations of `backward`.

    `dh` is the total ∂L/∂h. All have the shape of `run.h`.
    """
    U_h = np.split(run.cell.U, 3)[2]
    da_h = without_held(run.holds, "h_tilde", dh * run.z * (1 - run.h_tilde**2))
    dr = run.h_prev * (da_h @ U_h) if run.cell.c_h is None else da_h * (run.h_prev @ U_h.T + run.cell.c_h)
    return {"z": dh * (run.h_tilde - run.h_prev), "r": dr}


def step_jacobians(run: Forward) -> Array:
    """Return ∂h_t/∂h_{t-1} within a layer for every timestep of one sequence, `(T, H, H)`.

        diag(1 − z) + diag(z') U_z + diag(h̃') U_h (diag(r) + diag(h_{t-1} ⊙ r') U_r)                before
        diag(1 − z) + diag(z') U_z + diag(h̃') (diag(r) U_h + diag((U_h h_{t-1} + c_h) ⊙ r') U_r)    after

    The equations are for reset "before" and "after", with z' = z (1 − z) (h̃ − h_{t-1}), r' = r (1 − r) and
    h̃' = z (1 − h̃²). If a gate or the candidate is clamped, its z', r' or h̃' is 0. If h_{t-1} of a unit is clamped,
    the column of the unit is 0.
    """
    r, z, h_tilde, h_prev = run.r, run.z, run.h_tilde, run.h_prev
    U_r, U_z, U_h = np.split(run.cell.U, 3)
    slopes: dict[str, Array]
    slopes = {"r": r * (1 - r), "z": z * (1 - z) * (h_tilde - h_prev), "h_tilde": z * (1 - h_tilde**2)}
    slopes = {gate: without_held(run.holds, gate, slope) for gate, slope in slopes.items()}
    if run.cell.c_h is None:
        J = U_h * r[:, None] + (U_h * (h_prev * slopes["r"])[:, None]) @ U_r
    else:
        J = r[..., None] * U_h + ((h_prev @ U_h.T + run.cell.c_h) * slopes["r"])[..., None] * U_r
    J = slopes["h_tilde"][..., None] * J + slopes["z"][..., None] * U_z
    units = np.arange(run.cell.units)
    J[:, units, units] += 1 - z
    if run.holds is not None and "h_prev" in run.holds.masks:
        J *= ~run.holds.masks["h_prev"][:, None]
    return J
