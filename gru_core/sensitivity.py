"""Sensitivity: how much an output, or a state, would move with what came before it.

All are derivatives as they are, exact and not normalized. What a clamp holds moves with nothing; a
held gate itself can still be nudged. A small derivative does not mean forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gru_core.arrays import Array
from gru_core.cell import Run
from gru_core.model import Readout

AT_ONCE = 2**17
"""Cells of Jacobians that are in memory at one time."""


@dataclass(frozen=True)
class Sensitivity:
    """How much output `output` at a step t, and the state there, would move with each step s ≤ t.

    The rows are the steps, t + 1 of them as t counts from 0. `x` `(·, I)` is ∂y_t/∂x_s; `gates` has
    for each layer by name, of a GRU "z" and "r", `(·, H)` ∂y_t/∂z_s and ∂y_t/∂r_s, as if the gate's
    value itself were nudged. `states` has of one layer for each signal that it carries from step to
    step, of an LSTM "h" and "c", the norm of each unit's row of ∂h_t/∂h_s and ∂h_t/∂c_s, `(·, H)`.
    """

    output: int
    x: Array
    gates: tuple[dict[str, Array], ...]
    states: dict[str, Array]

    @property
    def h_unit(self) -> Array:
        """The norm of each unit's row of ∂h_t/∂h_s, `(·, H)`."""
        return self.states["h"]

    @property
    def h_norm(self) -> Array:
        """The Frobenius norm of ∂h_t/∂h_s, `(·,)`."""
        return frobenius(self.states["h"])

    def __repr__(self) -> str:
        steps, I = self.x.shape
        H = ", ".join(str(array.shape[1]) for layer in self.gates for array in list(layer.values())[:1])
        return (
            f"Sensitivity(of output {self.output} at t={steps - 1} to steps 0-{steps - 1}; I={I}, "
            f"H={H or self.h_unit.shape[1]})"
        )


def sensitivity(
    layers: Sequence[Run], readout: Readout, y: Array, t: int, output: int | None = None, layer: int = -1
) -> Sensitivity:
    """Of an output at step `t`, from 0, and of the state of `layer` there; `y` `(T, K)` is what was read of `layers`.

    `output` is the one that is answered when None; of a softmax readout it is the probability.
    """
    t = range(len(y))[t]
    y = y[t]
    if output is None:
        output = int(y.argmax())
    dy = readout.V[output]
    if readout.kind == "softmax":
        dy = y[output] * (dy - y @ readout.V)
    dh = np.zeros_like(layers[-1].h[: t + 1])
    dh[t] = dy
    gates: list[dict[str, Array]] = []
    for run in (layer[: t + 1] for layer in reversed(layers)):
        gradients = run.backward(dh)
        gates.insert(0, run.gate_gradients(gradients))
        dh = gradients.x
    return Sensitivity(output, dh, tuple(gates), state_norms(layers[layer], t))


def frobenius(rows: Array) -> Array:
    """The norm of a matrix whose rows have these norms, `(·, H)` to `(·,)`."""
    return np.asarray(np.sqrt((rows**2).sum(1)))


def state_norms(run: Run, t: int) -> dict[str, Array]:
    """The norm of ∂h_{t,i}/∂h_s within a layer for every step s ≤ `t` and unit i, `(t + 1, H)`, by "h".

    So too by the name of each other signal that the cell carries. A derivative whose square is too
    small for a number counts as 0.
    """
    H, S, dtype = run.cell.units, run.last.size, run.h.dtype
    norms = {name: np.zeros((t + 1, H), dtype) for name in run.cell.carried}
    J, at_once = np.eye(H, S, dtype=dtype), max(1, AT_ONCE // S**2)  # ∂h_t/∂(the state of s), from s = t back
    for end in range(t + 1, 0, -at_once):
        first = max(0, end - at_once)
        for s, of_step in zip(range(end - 1, first - 1, -1), run[first:end].step_jacobians()[::-1], strict=True):
            for name, of_signal in run.by_state(J, s).items():
                norms[name][s] = np.sqrt((of_signal * of_signal).sum(1))
            J = J @ of_step
        J[np.abs(J) < np.sqrt(np.finfo(dtype).tiny)] = 0  # below this a square is 0, and arithmetic is very slow
        if not J.any():
            break
    return norms
