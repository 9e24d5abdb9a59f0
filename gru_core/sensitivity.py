"""Sensitivity: how much an output, or a state, would move with what came before it.

All are derivatives as they are, exact and not normalised. What a clamp holds moves with nothing; a
held gate itself can still be nudged. A small derivative does not mean forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gru_core.arrays import Array
from gru_core.gru import Forward, backward
from gru_core.holds import Holdable

if TYPE_CHECKING:
    from gru_core.trace import Trace

AT_ONCE = 2**17
"""Cells of Jacobians that are in memory at one time."""


@dataclass(frozen=True)
class Sensitivity:
    """How much output `output` at a step t, and the state there, would move with each step s ≤ t.

    The rows are the steps, t + 1 of them as t counts from 0. `x` `(·, I)` is ∂y_t/∂x_s; `z` and
    `r` have for each layer `(·, H)` ∂y_t/∂z_s and ∂y_t/∂r_s, as if the gate's value itself were
    nudged. Of ∂h_t/∂h_s in one layer `h_norm` `(·,)` is the Frobenius norm and `h_unit` `(·, H)`
    the norm of each unit's row.
    """

    output: int
    x: Array
    z: tuple[Array, ...]
    r: tuple[Array, ...]
    h_norm: Array
    h_unit: Array

    def __repr__(self) -> str:
        steps, I = self.x.shape
        H = ", ".join(str(z.shape[1]) for z in self.z)
        return f"Sensitivity(output {self.output} at t={steps - 1} to {steps} steps; I={I}, H={H})"


def sensitivity(trace: Trace, t: int, output: int | None = None, layer: int = -1) -> Sensitivity:
    """Of an output at step `t`, from 0, and of the state of `layer` there.

    `output` is the one that is answered when None; of a softmax readout it is the probability.
    """
    t = range(len(trace.y))[t]
    y, readout = trace.y[t], trace.model.readout
    if output is None:
        output = int(y.argmax())
    dy = readout.V[output]
    if readout.kind == "softmax":
        dy = y[output] * (dy - y @ readout.V)
    dh = np.zeros_like(trace.layers[-1].h[: t + 1])
    dh[t] = dy
    gates: list[tuple[Array, Array]] = []
    for run in (layer[: t + 1] for layer in reversed(trace.layers)):
        gradients = backward(run, dh)
        gates.insert(0, _of_gates(run, gradients.h))
        dh = gradients.x
    z, r = zip(*gates, strict=True)
    h_unit = state_norms(trace.layers[layer], t)
    return Sensitivity(output, dh, z, r, np.sqrt((h_unit**2).sum(1)), h_unit)


def _of_gates(run: Forward, dh: Array) -> tuple[Array, Array]:
    """∂L/∂z and ∂L/∂r by `backward`'s equations, `dh` being the whole of ∂L/∂h."""
    U_h = np.split(run.gru.U, 3)[2]
    da_h = dh * run.z * (1 - run.h_tilde**2)
    if run.holds is not None and "h_tilde" in run.holds.masks:
        da_h[run.holds.masks["h_tilde"]] = 0
    dr = run.h_prev * (da_h @ U_h) if run.gru.c_h is None else da_h * (run.h_prev @ U_h.T + run.gru.c_h)
    return dh * (run.h_tilde - run.h_prev), dr


def step_jacobians(run: Forward) -> Array:
    """∂h_t/∂h_{t-1} within a layer for every step, `(T, H, H)`.

        diag(1 − z) + diag(z') U_z + diag(h̃') U_h (diag(r) + diag(h_{t-1} ⊙ r') U_r)                before
        diag(1 − z) + diag(z') U_z + diag(h̃') (diag(r) U_h + diag((U_h h_{t-1} + c_h) ⊙ r') U_r)    after

    for reset "before" and "after", with z' = z (1 − z) (h̃ − h_{t-1}), r' = r (1 − r) and
    h̃' = z (1 − h̃²): each 0 where its gate is held. A column is 0 where h_{t-1} is.
    """
    r, z, h_tilde, h_prev = run.r, run.z, run.h_tilde, run.h_prev
    U_r, U_z, U_h = np.split(run.gru.U, 3)
    slopes: dict[Holdable, Array]
    slopes = {"r": r * (1 - r), "z": z * (1 - z) * (h_tilde - h_prev), "h_tilde": z * (1 - h_tilde**2)}
    masks = {} if run.holds is None else run.holds.masks
    for gate, slope in slopes.items():
        if gate in masks:
            slope[masks[gate]] = 0
    if run.gru.c_h is None:
        J = U_h * r[:, None] + (U_h * (h_prev * slopes["r"])[:, None]) @ U_r
    else:
        J = r[..., None] * U_h + ((h_prev @ U_h.T + run.gru.c_h) * slopes["r"])[..., None] * U_r
    J = slopes["h_tilde"][..., None] * J + slopes["z"][..., None] * U_z
    units = np.arange(run.gru.units)
    J[:, units, units] += 1 - z
    if "h_prev" in masks:
        J *= ~masks["h_prev"][:, None]
    return J


def state_norms(run: Forward, t: int) -> Array:
    """The norm of ∂h_{t,i}/∂h_s within a layer for every step s ≤ `t` and unit i, `(t + 1, H)`.

    A derivative whose square is too small for a number counts as 0.
    """
    H, dtype = run.gru.units, run.h.dtype
    norms = np.zeros((t + 1, H), dtype)
    J, at_once = np.eye(H, dtype=dtype), max(1, AT_ONCE // H**2)  # ∂h_t/∂h_s, from s = t back
    for end in range(t + 1, 0, -at_once):
        first = max(0, end - at_once)
        for s, of_step in zip(range(end - 1, first - 1, -1), step_jacobians(run[first:end])[::-1], strict=True):
            norms[s] = np.sqrt((J * J).sum(1))
            J = J @ of_step
        J[np.abs(J) < np.sqrt(np.finfo(dtype).tiny)] = 0  # also, arithmetic on the tiniest numbers is very slow
        if not J.any():
            break
    return norms
