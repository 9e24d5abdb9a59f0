"""Sensitivity: the gradient of an output, or of a state, with respect to earlier inputs, gates and states.

All gradients are exact and not normalized. A clamped value has no gradient with respect to earlier values, but an
output can still have a gradient with respect to a clamped gate. A small gradient does not prove that the network forgot
something.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gru_core.arrays import Array
from gru_core.cells import directions
from gru_core.cells.run import Run
from gru_core.model import Readout

AT_ONCE = 2**17
"""The limit on the number of Jacobian entries in memory at the same time."""


@dataclass(frozen=True)
class Sensitivity:
    """The gradients of output `output` at a timestep t, and of the state there, with respect to each timestep s ≤ t.

    Arrays have t + 1 rows, because t counts from 0. If a layer is bidirectional, the output also depends on later
    timesteps, and arrays have a row for every timestep. `x` `(t + 1, I)` is ∂y_t/∂x_s. `gates` has a dictionary of
    arrays `(t + 1, H)` for each layer: "z" and "r" of a GRU are ∂y_t/∂z_s and ∂y_t/∂r_s, as if only the gate's value
    changed. `states` belongs to one layer. It has an array for each signal that a timestep passes on, `(t + 1, H)`, or
    `(t + 1, 1)` for a single unit: "h" is the norm of each unit's row of ∂h_t/∂h_s, and "c" of an LSTM is the norm of
    each unit's row of ∂h_t/∂c_s.
    """

    output: int
    x: Array
    gates: tuple[dict[str, Array], ...]
    states: dict[str, Array]

    @property
    def h_unit(self) -> Array:
        """The norm of each unit's row of ∂h_t/∂h_s, `(t + 1, H)`."""
        return self.states["h"]

    @property
    def h_norm(self) -> Array:
        """The Frobenius norm of ∂h_t/∂h_s, `(t + 1,)`."""
        return frobenius(self.states["h"])

    def __repr__(self) -> str:
        steps, I = self.x.shape
        H = ", ".join(str(array.shape[1]) for layer in self.gates for array in list(layer.values())[:1])
        return (
            f"Sensitivity(of output {self.output} at t={steps - 1} to steps 0-{steps - 1}; I={I}, "
            f"H={H or self.h_unit.shape[1]})"
        )


def sensitivity(
    layers: Sequence[Run],
    readout: Readout,
    t: int,
    output: int | None = None,
    layer: int = -1,
    unit: int | None = None,
) -> Sensitivity:
    """Return the sensitivity of an output and of the state of `layer`, at timestep `t`, counted from 0.

    `layers` are the runs of the layers. `output` is the index of an output; None means the largest output. With a
    softmax readout, an output is a probability. With a `unit`, the arrays in `states` have only the column of this
    unit.
    """
    h = layers[-1].h
    t = range(len(h))[t]
    y = readout(h[t])
    if output is None:
        output = int(y.argmax())
    dy = readout.V[output]
    if readout.kind == "softmax":
        dy = y[output] * (dy - y @ readout.V)
    end = len(h) if any(run.cell.backward_units for run in layers) else t + 1
    dh = np.zeros_like(h[:end])
    dh[t] = readout.backward(h[t], dy)
    gates: list[dict[str, Array]] = []
    for run in (layer[:end] for layer in reversed(layers)):
        gradients = run.backward(dh)
        gates.insert(0, {gate: _counted(run, array) for gate, array in run.gate_gradients(gradients).items()})
        dh = gradients.x
    norms = state_norms(layers[layer], t) if unit is None else unit_norms(layers[layer], t, unit)
    return Sensitivity(output, dh, tuple(gates), _over(end, norms))


def _over(T: int, norms: dict[str, Array]) -> dict[str, Array]:
    """Return the arrays, each padded to `T` rows with zeros at the end."""
    return {name: np.pad(rows, ((0, T - len(rows)), (0, 0))) for name, rows in norms.items()}


def _counted(run: Run, gradient: Array) -> Array:
    """Return the gradient with respect to a gate, set to 0 at skipped timesteps, where no gate acts."""
    return gradient if run.skipped is None else np.where(run.skipped[..., None], 0, gradient)


def frobenius(rows: Array) -> Array:
    """Return the Frobenius norms `(·,)` of matrices, from the norms of their rows `(·, H)`."""
    return np.asarray(np.sqrt((rows**2).sum(1)))


def gain(rows: Array) -> Array:
    """Return the root mean square factors `(·,)` by which matrices stretch vectors.

    `rows` `(·, H)` has the norm of each row of each matrix. The factor is the Frobenius norm divided by √H. The
    squared factor is the mean of the squared stretch over all directions of a vector. The identity has the factor 1
    for every H.
    """
    return np.asarray(np.sqrt((rows**2).mean(1)))


def unit_norms(run: Run, t: int, unit: int) -> dict[str, Array]:
    """Return a dictionary in which "h" `(t + 1, 1)` is the norm of ∂h_{t,i}/∂h_s for unit i and each timestep s ≤ `t`.

    The numbers are the same as from `state_norms`, but take a single backpropagation: H² products for each timestep
    instead of H³. Each other signal that a timestep passes on has an array too, under its name.
    """
    end = len(run.h) if run.cell.backward_units else t + 1
    dh = np.zeros_like(run.h[:end])
    dh[t, unit] = 1
    gradients = run[:end].backward(dh)
    return {name: np.sqrt((getattr(gradients, name) ** 2).sum(1, keepdims=True)) for name in run.cell.carried}


def state_norms(run: Run, t: int) -> dict[str, Array]:
    """Return a dictionary in which "h" `(t + 1, H)` is the norm of ∂h_{t,i}/∂h_s for each unit i and timestep s ≤ `t`.

    Each other signal that a timestep passes on, such as c of an LSTM, has an array too, under its name. A derivative
    counts as 0 if its square underflows.
    """
    if run.cell.backward_units:
        T = len(run.h)
        ahead, back = directions.runs(run)
        forward, backward = _over(T, state_norms(ahead, t)), _over(T, state_norms(back, T - 1 - t))
        return {signal: np.concatenate([rows, backward[signal][::-1]], -1) for signal, rows in forward.items()}
    H, S, dtype = run.cell.units, run.last.size, run.h.dtype
    norms = {name: np.zeros((t + 1, H), dtype) for name in run.cell.carried}
    J, at_once = np.eye(H, S, dtype=dtype), max(1, AT_ONCE // S**2)  # J: ∂h_t/∂(state at s), from s = t back
    for end in range(t + 1, 0, -at_once):
        first = max(0, end - at_once)
        for s, step_jacobian in zip(range(end - 1, first - 1, -1), run[first:end].step_jacobians()[::-1], strict=True):
            for name, block in run.by_state(J, s).items():
                norms[name][s] = np.sqrt((block * block).sum(1))
            J = J @ step_jacobian
        J[np.abs(J) < np.sqrt(np.finfo(dtype).tiny)] = 0  # the squares underflow, and arithmetic is slow there
        if not J.any():
            break
    return norms
