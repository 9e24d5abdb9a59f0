"""Long short-term memory: its equations, run forward and backward through time.

    i_t = σ(W_i x_t + U_i h_{t-1} + b_i)              input gate
    f_t = σ(W_f x_t + U_f h_{t-1} + b_f)              forget gate
    o_t = σ(W_o x_t + U_o h_{t-1} + b_o)              output gate
    c̃_t = tanh(W_c x_t + U_c h_{t-1} + b_c)          candidate
    c_t = f_t ⊙ c_{t-1} + i_t ⊙ c̃_t                   cell state
    h_t = o_t ⊙ tanh(c_t)                             hidden state

Hochreiter & Schmidhuber 1997, with the forget gate of Gers, Schmidhuber & Cummins 2000, without
peepholes. A timestep passes on two vectors, h and c. Shapes are as in gru.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from gru_core.arrays import Array
from gru_core.cells import directions, run
from gru_core.cells.cell import Cell, σ
from gru_core.cells.holds import Held, Holds, put, without_held
from gru_core.cells.mixture import Mixture
from gru_core.cells.run import Run
from gru_core.cells.signals import (
    BLUE,
    COPPER,
    DIVERGING,
    GOLD,
    GOLDS,
    GRAY,
    GRAYS,
    INDIGO,
    PURPLE,
    VERMILION,
    VERMILIONS,
    Color,
    Signal,
)

SIGNALS: dict[str, Signal] = {
    "i": Signal(
        "i", "Input gate", "ignore candidate", "take candidate", 0.0, VERMILION, VERMILIONS,
        explanation="Decides how much of the candidate is added to the cell state.",
    ),
    "f": Signal(
        "f", "Forget gate", "forget", "keep old", 0.0, GOLD, GOLDS,
        explanation="Decides how much of the old cell state is kept: near 1 the unit keeps it, near 0 it forgets it.",
    ),
    "o": Signal(
        "o", "Output gate", "hide", "show", 0.0, GRAY, GRAYS,
        explanation="Decides how much of the cell state goes into the hidden state.",
    ),
    "c_tilde": Signal(
        "c̃", "Candidate", "−1", "+1", -1.0, PURPLE, DIVERGING,
        explanation="The new cell state that the cell proposes. The input gate decides how much of it is added.",
    ),
    "c": Signal(
        "c", "Cell state", "−3 or less", "+3 or more", -3.0, INDIGO, DIVERGING, highest=3.0,
        explanation="What the network remembers: f times the old cell "
        "state plus i times the candidate. It has no bounds.",
    ),
    "h": Signal(
        "h", "Hidden state", "−1", "+1", -1.0, BLUE, DIVERGING,
        explanation="The part of the cell state that the network shows: o times tanh(c).",
    ),
}  # fmt: skip
"""The signals of every timestep by name."""

GATES = ("i", "f", "c_tilde", "o")
"""The signals that are a function of a sum. Each has a block of H rows in `W`, `U` and `b`, in this order."""

LARGEST_C = 10.0
"""The largest absolute value at which the cell state can be clamped. Its tanh differs from 1 by 4e-9."""


@dataclass(frozen=True, repr=False)
class LSTM(Cell):
    """The weights of one LSTM layer.

    `W` `(4H, I)`, `U` `(4H, H)` and `b` `(4H,)` stack the rows of i, f, c̃ and o.

    Raises ValueError if the shapes do not fit together.
    """

    name: ClassVar[str] = "lstm"
    title: ClassVar[str] = "LSTM"
    color: ClassVar[Color] = COPPER
    dash: ClassVar[str] = "9 4"
    signals: ClassVar[Mapping[str, Signal]] = SIGNALS
    gates: ClassVar[tuple[str, ...]] = GATES
    recurrent: ClassVar[tuple[str, ...]] = GATES
    key_gate: ClassVar[str] = "f"
    chrono: ClassVar[Mapping[str, int]] = {"f": 1, "i": -1}
    penalized: ClassVar[tuple[str, ...]] = ("o",)
    carried: ClassVar[tuple[str, ...]] = ("h", "c")
    holdable: ClassVar[Mapping[str, tuple[float, float]]] = {
        "i": (0.0, 1.0), "f": (0.0, 1.0), "o": (0.0, 1.0),
        "c_tilde": (-1.0, 1.0), "c": (-LARGEST_C, LARGEST_C), "h": (-1.0, 1.0),
    }  # fmt: skip
    skip: ClassVar[Mapping[str, float]] = {"i": 0.0, "f": 1.0, "h": 0.0}
    parts: ClassVar[tuple[str, ...]] = ("kept", "taken", "tanh_c")
    products: ClassVar[int] = 3  # f ⊙ c, i ⊙ c̃ and o ⊙ tanh(c)

    def step(self, x: Array, state: Array) -> Array:
        """Return h_t and c_t as one array `(2H,)`, by the equations at the top of this file.

        `x` is x_t `(I,)`, and `state` has h_{t-1} and c_{t-1}, `(2H,)`.
        """
        W_i, W_f, W_c, W_o = np.split(self.W, 4)
        U_i, U_f, U_c, U_o = np.split(self.U, 4)
        b_i, b_f, b_c, b_o = np.split(self.b, 4)
        h, c = np.split(state, 2)
        i = σ(W_i @ x + U_i @ h + b_i)
        f = σ(W_f @ x + U_f @ h + b_f)
        o = σ(W_o @ x + U_o @ h + b_o)
        c_tilde = np.tanh(W_c @ x + U_c @ h + b_c)
        c = f * c + i * c_tilde
        h = o * np.tanh(c)
        return np.concatenate([h, c])

    @cached_property
    def operands(self) -> tuple[Array, Array, Array, Array]:
        """W, b and U in the form that the loop of `forward` uses, and the factor of each row. Computed once per cell.

        W and U are transposed. The rows of i, f and o are halved, because σ(a) = ½ + ½ tanh(½ a).
        """
        half = np.repeat(np.array([0.5, 0.5, 1, 0.5], self.U.dtype), self.units)
        return self.W.T * half, self.b * half, self.U.T * half, half

    def forward(self, x: Array, h0: Array | None = None, holds: Holds | None = None) -> Forward:
        return forward(self, x, h0, holds)


@dataclass(frozen=True, repr=False, kw_only=True)
class Forward(Run):
    """Every intermediate value of an LSTM's run. `c0` is the initial cell state."""

    cell: LSTM
    c0: Array
    i: Array
    f: Array
    o: Array
    c_tilde: Array
    c: Array

    @cached_property
    def c_prev(self) -> Array:
        """c_{t-1} for every timestep."""
        return self.before("c")

    @cached_property
    def tanh_c(self) -> Array:
        """tanh(c_t), which the output gate multiplies."""
        return np.tanh(self.c)

    def compute(self, name: str) -> Array:
        if name == "c":
            return self.f * self.c_prev + self.i * self.c_tilde
        return self.o * self.tanh_c if name == "h" else super().compute(name)

    @property
    def parts(self) -> dict[str, Array]:
        """The products of the mixture, and tanh(c)."""
        return super().parts | {"tanh_c": self.tanh_c}

    def work_out(self, unit: int, rounded: Callable[[Array], Array]) -> dict[str, tuple[Array, Array]]:
        """Work out the equations as `Run.work_out` does, with h = o ⊙ tanh(c)."""
        o, c, tanh_c = (array[:, unit] for array in (self.o, self.c, self.tanh_c))
        return super().work_out(unit, rounded) | {
            "h.tanh_c": (np.tanh(rounded(c)), tanh_c),
            "h.value": (rounded(o) * rounded(tanh_c), self.free("h")[:, unit]),
        }

    @property
    def half_life(self) -> Array:
        """The number of timesteps until half of each unit's cell state is left, if f stays constant: ln ½ / ln f.

        The shape is `(T, H)`.
        """
        with np.errstate(divide="ignore"):
            return math.log(2) / np.abs(np.log(self.f))

    @cached_property
    def slopes(self) -> dict[str, Array]:
        """The local derivatives by name: ∂c/∂a for i, f and c̃, ∂h/∂a for o, and ∂h/∂c for c.

        If a signal is held, its derivative is 0. If c is held, the derivatives for i, f and c̃ are 0. If h is held, the
        derivatives for o and c are 0.
        """
        i, f, o, c_tilde, tanh_c = self.i, self.f, self.o, self.c_tilde, self.tanh_c
        slopes: dict[str, Array] = {
            "i": c_tilde * i * (1 - i),
            "f": self.c_prev * f * (1 - f),
            "o": tanh_c * o * (1 - o),
            "c_tilde": i * (1 - c_tilde**2),
            "c": o * (1 - tanh_c**2),
        }
        # A held h or c does not depend on the signals that it would have been computed from.
        made_of = {"h": ("o", "c"), "c": ("i", "f", "c_tilde")}
        for signal, mask in ({} if self.holds is None else self.holds.masks).items():
            for name in made_of.get(signal, (signal,)):
                slopes[name][mask] = 0
        return slopes

    @cached_property
    def mixture(self) -> Mixture:
        """c_t as a mixture: it keeps the share f of the old cell state, and takes the share i of the candidate."""
        held = None if self.holds is None else self.holds.masks.get("c")
        starts = np.concatenate([self.c_prev, self.c[-1:]])
        return Mixture(self.f, self.i, self.c_tilde, starts, held, after=True)

    def backward(self, dh: Array, direct: Mapping[str, Array] | None = None) -> Gradients:
        if self.cell.backward_units:
            return directions.backward(Forward.backward, self, dh, direct)
        return backward(self, dh, direct)

    def gate_gradients(self, gradients: Gradients) -> dict[str, Array]:
        """Return ∂L/∂i, ∂L/∂f and ∂L/∂o, by the equations of `backward`. All have the shape of `run.h`."""
        dh, dc = without_held(self.holds, "h", gradients.h), without_held(self.holds, "c", gradients.c)
        return {"i": dc * self.c_tilde, "f": dc * self.c_prev, "o": dh * self.tanh_c}

    def by_state(self, J: Array, s: int) -> dict[str, Array]:
        """Split the derivative `J` `(·, 2H)` with respect to the state of timestep `s` into the parts of h and c.

        A change of c_s also changes h_s = o_s ⊙ tanh(c_s), unless h_s is clamped.
        """
        of_h, of_c = np.split(J, 2, -1)
        return {"h": of_h, "c": of_c + of_h * self.slopes["c"][s]}

    def step_jacobians(self) -> Array:
        return step_jacobians(self)


def forward(lstm: LSTM, x: Array, state: Array | None = None, holds: Holds | None = None) -> Forward:
    """Run `lstm` over `x`, `(T, I)` or `(T, B, I)`, from `state`, h_0 followed by c_0.

    `state` is `(2H,)` or `(B, 2H)`, or None for zero.

    If `x` is `(T, 1, I)`, `holds` may have several sequences, which then all read this x. The results have the
    precision of the weights. Raises ValueError if `x` has no timesteps, or if a shape does not fit.
    """
    if lstm.backward_units:
        return directions.forward(forward, lstm, x, state, holds)
    x, state, holds, batch = lstm.prepare(x, state, holds)
    T, H, dtype = len(x), lstm.units, lstm.U.dtype
    h0, c0 = np.ascontiguousarray(state[..., :H]), np.ascontiguousarray(state[..., H:])
    # The loop adds the old state's terms to each timestep's sums, and turns the sums into i, f, c̃ and o in place, with
    # a single tanh: σ(a) = ½ + ½ tanh(½ a). The rows of the three gates are therefore halved throughout.
    W, b, U, half = lstm.operands
    above = np.broadcast_to(1 - half, (*batch, 4 * H)).copy()
    scale = np.broadcast_to(half, above.shape).copy()
    gates = lstm.input_sums(x, batch, W, b)
    i, f, c_tilde, o = (gates[..., k * H : (k + 1) * H] for k in range(4))
    past = np.zeros_like(above)
    c, h = (np.empty((T, *batch, H), dtype) for _ in range(2))
    part, h_prev, c_prev = np.empty_like(h0), h0, c0
    held_at: list[Held] = [{}] * T if holds is None else holds.by_step(T)
    skipped = None if holds is None else holds.skipped
    steps = zip(gates, i, f, c_tilde, o, c, h, held_at, strict=True)
    for t, (gates_t, i_t, f_t, c_tilde_t, o_t, c_t, h_t, held) in enumerate(steps):
        np.dot(h_prev, U, past)
        np.add(gates_t, past, past)
        np.tanh(past, past)
        np.multiply(past, scale, past)
        np.add(past, above, gates_t)
        if held:
            for gate, of_gate in zip(GATES, (i_t, f_t, c_tilde_t, o_t), strict=True):
                put(held, gate, of_gate)
        np.multiply(f_t, c_prev, c_t)
        np.multiply(i_t, c_tilde_t, part)
        np.add(c_t, part, c_t)
        if held:
            put(held, "c", c_t)
        np.tanh(c_t, part)
        np.multiply(o_t, part, h_t)
        if held:
            put(held, "h", h_t)
        if skipped is not None:
            np.copyto(h_t, h_prev, where=skipped[t])
        h_prev, c_prev = h_t, c_t
    x = np.broadcast_to(x, (T, *batch, lstm.inputs))
    return Forward(cell=lstm, x=x, h0=h0, c0=c0, i=i, f=f, o=o, c_tilde=c_tilde, c=c, h=h, holds=holds)


@dataclass(frozen=True, kw_only=True)
class Gradients(run.Gradients):
    """The gradients of a loss L.

    `h` and `c` `(T, ·, H)` are the total ∂L/∂h_t and ∂L/∂c_t: the direct gradient plus the gradient through values
    computed from h_t or c_t. `h0` `(·, 2H)` is the gradient with respect to the initial h followed by the initial c.
    """

    c: Array


def backward(run: Forward, dh: Array, direct: Mapping[str, Array] | None = None) -> Gradients:
    """Compute the gradients of a loss by backpropagation through time (Werbos 1990).

    `dh` is the direct ∂L/∂h_t, without the part through later timesteps. `direct` has the direct gradients of i, f and
    o by name, for a loss with a penalty on these gates. All have the shape of `run.h`.

    From the last timestep to the first, with a_i, a_f, a_o and a_c for the sums inside σ, σ, σ and tanh:

        ∂L/∂c  += ∂L/∂h ⊙ o (1 − tanh² c)
        ∂L/∂a_o = ∂L/∂h ⊙ tanh c ⊙ o (1 − o)
        ∂L/∂a_i = ∂L/∂c ⊙ c̃ ⊙ i (1 − i)
        ∂L/∂a_f = ∂L/∂c ⊙ c_{t-1} ⊙ f (1 − f)
        ∂L/∂a_c = ∂L/∂c ⊙ i (1 − c̃²)
        ∂L/∂c_{t-1} = ∂L/∂c ⊙ f
        ∂L/∂h_{t-1} = Uᵀ ∂L/∂a

    For a held signal ∂L/∂a is 0, because a held value does not depend on any other value.
    """
    lstm, H = run.cell, run.cell.units
    slopes = run.slopes
    # `da` starts with the slopes of all timesteps. The loop turns the slopes into the derivatives in place.
    da = np.concatenate([slopes[gate] for gate in GATES], -1)
    direct_a = None
    if direct:
        sigmoid = {gate: getattr(run, gate) * (1 - getattr(run, gate)) for gate in direct}
        for gate in direct:
            if run.holds is not None and gate in run.holds.masks:
                sigmoid[gate][run.holds.masks[gate]] = 0
        zero = np.zeros_like(run.h)
        direct_a = np.concatenate([direct[g] * sigmoid[g] if g in direct else zero for g in GATES], -1)
    keep = without_held(run.holds, "c", run.f)
    dh_total, dc_total = np.array(dh, lstm.U.dtype, order="C"), slopes["c"].copy()
    carry_h, carry_c = np.zeros_like(run.h0), np.zeros_like(run.c0)
    of_c, of_o = da[..., : 3 * H].reshape(*run.h.shape[:-1], 3, H, copy=False), da[..., 3 * H :]
    for t in reversed(range(len(run.h))):
        g, dc, da_t = dh_total[t], dc_total[t], da[t]
        np.add(g, carry_h, g)
        np.multiply(dc, g, dc)
        np.add(dc, carry_c, dc)
        np.multiply(of_c[t], dc[..., None, :], of_c[t])
        np.multiply(of_o[t], g, of_o[t])
        if direct_a is not None:
            np.add(da_t, direct_a[t], da_t)
        np.multiply(dc, keep[t], carry_c)
        np.dot(da_t, lstm.U, carry_h)
        if run.holds is not None and run.holds.skipped is not None:
            np.add(carry_h, g, carry_h, where=run.holds.skipped[t])
    rows: Array = da.reshape(-1, 4 * H)
    return Gradients(
        W=rows.T @ run.x.reshape(-1, lstm.inputs),
        U=rows.T @ run.h_prev.reshape(-1, H),
        b=rows.sum(0),
        x=da @ lstm.W,
        h0=np.concatenate([carry_h, carry_c], -1),
        h=dh_total,
        c=dc_total,
    )


def step_jacobians(run: Forward) -> Array:
    """Return ∂s_t/∂s_{t-1} for every timestep of one sequence, with s = h and c together: `(T, 2H, 2H)`.

        A = diag(i') U_i + diag(f') U_f + diag(c̃') U_c
        ∂c_t/∂h_{t-1} = A                                ∂c_t/∂c_{t-1} = diag(f)
        ∂h_t/∂h_{t-1} = diag(o') U_o + diag(c') A        ∂h_t/∂c_{t-1} = diag(c' f)

    Here i' = c̃ i (1 − i), f' = c_{t-1} f (1 − f), o' = tanh c · o (1 − o), c̃' = i (1 − c̃²) and
    c' = o (1 − tanh² c). If a signal is held, its primed factor is 0. If c is held, i', f', c̃' and f count as 0. If h
    is held, o' and c' count as 0. At a skipped timestep the derivative is the identity.
    """
    H, slopes = run.cell.units, run.slopes
    U, keep = run.cell.recurrent_weights, without_held(run.holds, "c", run.f)
    A = sum(slopes[gate][..., None] * U[gate] for gate in ("i", "f", "c_tilde"))
    J = np.zeros((len(run.h), 2 * H, 2 * H), run.h.dtype)
    units = np.arange(H)
    J[:, :H, :H] = slopes["o"][..., None] * U["o"] + slopes["c"][..., None] * A
    J[:, units, H + units] = slopes["c"] * keep
    J[:, H:, :H] = A
    J[:, H + units, H + units] = keep
    if run.skipped is not None:
        J[:, units, units] += run.skipped[:, None]
    return J
