"""Cases for the parity check: a network in the form of its file, and the values that it should compute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array
from gru_core.cells.cell import σ
from gru_core.cells.gru import GRU
from gru_core.cells.lstm import LSTM
from gru_core.cells.rnn import RNN
from gru_core.formats.weights import Convention, FileLayer
from gru_core.model import Readout

Function = Callable[[Array], Array]
Steps = npt.NDArray[np.bool_]
"""A mask of timesteps `(T, B)`."""

FUNCTIONS: dict[str, Function] = {
    "sigmoid": σ,
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0),
    "linear": lambda a: a,
    "hard sigmoid 0.2 a + 0.5": lambda a: np.clip(0.2 * a + 0.5, 0, 1),
    "hard sigmoid a / 6 + 0.5": lambda a: np.clip(a / 6 + 0.5, 0, 1),
    "hard tanh": lambda a: np.clip(a, -1, 1),
    "softsign": lambda a: a / (1 + np.abs(a)),
    "elu": lambda a: np.where(a > 0, a, np.expm1(np.minimum(a, 0))),
    "selu": lambda a: 1.0507009873554805 * np.where(a > 0, a, 1.6732632423543772 * np.expm1(np.minimum(a, 0))),
    "silu": lambda a: a * σ(a),
    "softplus": lambda a: np.logaddexp(a, 0),
}
"""Activation functions by name. The first hard sigmoid is from Keras 2, the second from Keras 3, PyTorch and JAX."""


@dataclass(frozen=True)
class Output:
    """The output layer of a network: y = `after`(V `before`(h) + c), where h is a state, or the pooled states.

    `before` and `after` are names of functions. `pool` is how the states are pooled over time, or None.
    """

    V: Array
    c: Array
    after: str
    pool: Literal["mean", "sum", "maximum"] | None = None
    before: str = "linear"

    @staticmethod
    def from_readout(readout: Readout) -> Output:
        return Output(readout.V, readout.c, readout.kind)

    def __call__(self, h: Array, counted: Steps) -> Array:
        """Return y `(T, B, K)` for the states `(T, B, H)`. Only timesteps in `counted` `(T, B)` are pooled."""
        if self.pool is not None:
            steps = counted[..., None]
            if self.pool == "maximum":
                pooled = np.where(steps, h, -np.inf).max(0, keepdims=True)
            else:
                pooled = np.where(steps, h, 0).sum(0, keepdims=True)
                pooled = pooled / steps.sum(0, keepdims=True) if self.pool == "mean" else pooled
            h = np.broadcast_to(pooled, h.shape)
        y: Array = FUNCTIONS[self.before](h) @ self.V.T + self.c
        if self.after in ("softmax", "log softmax"):
            y = y - y.max(-1, keepdims=True)
            y = y - np.log(np.exp(y).sum(-1, keepdims=True))
            return y if self.after == "log softmax" else np.exp(y)
        return FUNCTIONS[self.after](y)


@dataclass(frozen=True)
class Wanted:
    """The expected values of one signal, `(T, B, ·)`. Only values at which `at` `(T, B)` is true are compared."""

    values: Array
    at: Steps

    def relative_error(self, given: Array) -> float:
        """Return the largest absolute difference, divided by the largest absolute value that is expected.

        The result is 0 if nothing differs. Otherwise it is infinite if all expected values are zero, or if a given
        value is not finite.
        """
        if not self.at.any():
            return 0.0
        values = self.values[self.at].astype(np.float64)
        difference, scale = float(np.abs(given[self.at] - values).max()), float(np.abs(values).max())
        return 0.0 if difference == 0 else difference / scale if scale and np.isfinite(difference) else np.inf

    def map(self, change: Callable[[Any], Any]) -> Wanted:
        return Wanted(change(self.values), change(self.at))


@dataclass(frozen=True)
class Case:
    """A network, its input `x` `(T, B, I)`, and the signals that it should compute.

    `cells` are the layers in the form of their file. `wanted` has the expected states of the layers, `h_l0`, `h_l1`, …,
    and the expected outputs, `y`. `counted` `(T, B)` is false at padding, and `h0` has an initial state for each layer,
    `(B, S)`. The remaining fields are settings in which libraries differ: whether a reset gate acts (`resets`), the
    activation functions of the gates (`gate`) and of the candidate, and the function that rounds inputs and states
    before a product with weights (`precision`).
    """

    cells: tuple[FileLayer, ...]
    convention: Convention
    x: Array
    wanted: Mapping[str, Wanted]
    counted: Steps
    h0: tuple[Array, ...]
    output: Output | None = None
    resets: bool = True
    gate: str = "sigmoid"
    candidate: str = "tanh"
    precision: Function | None = field(default=None, repr=False)

    @property
    def size(self) -> int:
        """The number of weights."""
        return sum(cell.W.size + cell.U.size for cell in self.cells)

    @property
    def fits(self) -> bool:
        """Whether each layer has as many inputs as the layer below has units."""
        inputs = self.cells[0].inputs if self.cells else -1
        return inputs == self.x.shape[2] and all(a.units == b.inputs for a, b in pairwise(self.cells))

    def zero_state(self, sequences: int) -> tuple[Array, ...]:
        """Return an initial state of zero for each layer, `(B, S)`."""
        return tuple(np.zeros((sequences, state.shape[1])) for state in self.h0)

    def over(self, change: Callable[[Any], Any], x: bool = True, states: bool = True) -> Case:
        """Return the case with `change` applied to arrays that have a time axis.

        These are `x` and `counted` if `x` is true, and the arrays in `wanted` if `states` is true.
        """
        changed = replace(self, x=change(self.x), counted=change(self.counted)) if x else self
        if states:
            changed = replace(changed, wanted={name: wanted.map(change) for name, wanted in self.wanted.items()})
        return changed

    def part(self, steps: int, sequences: slice) -> Case:
        """Return the case with only the first `steps` timesteps, and only the sequences in a slice."""
        return replace(
            self.over(lambda array: array[:steps, sequences]), h0=tuple(state[sequences] for state in self.h0)
        )

    def signals(self) -> dict[str, Array]:
        """Run the network. Return its states by layer as `h_l0`, `h_l1`, …, and its outputs as `y`."""
        states: dict[str, Array] = {}
        below = self.x
        with np.errstate(over="ignore", invalid="ignore"):
            for k, cell in enumerate(self.cells):
                below = states[f"h_l{k}"] = self._run(cell.core(self.convention), below, self.h0[k])
            if "y" in self.wanted and self.output is not None:
                states["y"] = self.output(below, self.counted)
        return states

    @property
    def relative(self) -> float:
        """The largest relative error of the signals, infinite if the network cannot be run."""
        if not self.fits:
            return np.inf
        signals = self.signals()
        return max(wanted.relative_error(signals[name]) for name, wanted in self.wanted.items())

    def _run(self, layer: GRU | LSTM | RNN, x: Array, state: Array) -> Array:
        """Return the states h `(T, B, H)` of one layer, by the equations of its cell."""
        gate, candidate, H = FUNCTIONS[self.gate], FUNCTIONS[self.candidate], layer.units
        rounded: Function = self.precision or (lambda array: array)
        W, U = layer.W.T, layer.U.T
        sums = rounded(x.astype(layer.U.dtype, copy=False)) @ W + layer.b
        h: Array = state[:, :H].astype(sums.dtype)
        c: Array = state[:, H:].astype(sums.dtype)
        states: list[Array] = []
        for a in sums:
            past = rounded(h)
            if isinstance(layer, RNN):
                h = candidate(a + past @ U)
            elif isinstance(layer, LSTM):
                a = a + past @ U
                i, f, o = gate(a[:, :H]), gate(a[:, H : 2 * H]), gate(a[:, 3 * H :])
                c = f * c + i * candidate(a[:, 2 * H : 3 * H])
                h = o * candidate(c)
            else:
                rz = a[:, : 2 * H] + past @ U[:, : 2 * H]
                r, z = gate(rz[:, :H]), rz[:, H:]
                # If z keeps in the file, z is 1 − gate(−a) here. For σ this equals gate(a), but not for every function.
                z = 1 - gate(-z) if self.convention.z == "keep" else gate(z)
                if not self.resets:
                    r = np.ones_like(r)
                U_h = U[:, 2 * H :]
                past = rounded(r * h) @ U_h if layer.c_h is None else r * (past @ U_h + layer.c_h)
                h = (1 - z) * h + z * candidate(a[:, 2 * H :] + past)
            states.append(h)
        return np.stack(states)


def without_padding(case: Case, padded: Steps) -> Case:
    """Move the timesteps in `padded` `(T, B)` to the end of each sequence, and exclude them from the comparison.

    A padded timestep does not change the state. The values at all other timesteps therefore stay the same.
    """
    order = np.argsort(padded, axis=0, kind="stable")

    def move(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        places = order if array.ndim == 2 else order[..., None]
        return np.take_along_axis(array, places, 0)

    moved = case.over(move)
    real = move(~padded)
    wanted = {name: replace(wanted, at=wanted.at & real) for name, wanted in moved.wanted.items()}
    return replace(moved, wanted=wanted, counted=moved.counted & real)
