"""The base class of all runs: the values of every timestep, the gates' sums, and the gradients of a loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from gru_core.arrays import Array, Mask
from gru_core.cells.cell import Cell
from gru_core.cells.holds import Holds
from gru_core.cells.mixture import Mixture
from gru_core.cells.named import Signals


@dataclass(frozen=True, kw_only=True)
class Gradients:
    """The gradients of a loss L, each named after its variable and with the shape of its variable.

    `h` `(T, ·, H)` is the total ∂L/∂h_t: the direct gradient plus the gradient through later timesteps.
    """

    W: Array
    U: Array
    b: Array
    x: Array
    h0: Array
    h: Array

    @property
    def parameters(self) -> dict[str, Array]:
        """The gradients of the weights by name."""
        return {"W": self.W, "U": self.U, "b": self.b}


@dataclass(frozen=True, repr=False, kw_only=True)
class Run(Signals, ABC):
    """Every value of a run: arrays `(T, H)` for one sequence, `(T, B, H)` for a batch.

    `x` and `h0` are the inputs and the initial state. The signals are the left-hand sides of the equations. `holds` has
    the values that replaced computed values, because of clamps and skipped timesteps.
    """

    cell: Cell
    x: Array
    h0: Array
    h: Array
    holds: Holds | None = None

    def __repr__(self) -> str:
        T, *batch, H = self.h.shape
        B = "".join(f"B={size}, " for size in batch)
        names = [] if self.holds is None else [signal for signal, mask in self.holds.masks.items() if mask.any()]
        held = f", holding {', '.join(names)}" if names else ""
        return f"Forward(T={T}, {B}I={self.cell.inputs}, H={H}{self.cell.variant_text}{held})"

    def __getitem__(self, steps: slice) -> Self:
        """Return the run restricted to a slice of its timesteps."""
        past = {name: self.before(name)[steps] for name in self.cell.carried}
        return self._part(steps, {name: self._ends(before[0], before[-1]) for name, before in past.items()})

    def sequence(self, b: int) -> Self:
        """Return the run of one sequence of a batch."""
        return self._part(np.s_[:, b], {name: getattr(self, f"{name}0")[b] for name in self.cell.carried})

    def _part(self, part: Any, initial: Mapping[str, Array]) -> Self:
        changed: dict[str, Any] = {name: getattr(self, name)[part] for name in ("x", *self.cell.signals)}
        changed |= {f"{name}0": state for name, state in initial.items()}
        return replace(self, holds=self.holds and self.holds[part], **changed)

    @property
    def skipped(self) -> Mask | None:
        """A mask of the timesteps that the network skips, `(T,)` or `(T, B)`. None if it skips no timestep."""
        return None if self.holds is None or self.holds.skipped is None else self.holds.skipped[..., 0]

    @property
    def last(self) -> Array:
        """The last state of each unit, `(S,)`.

        For units that read the sequence from its end, this is the state at the first timestep.
        """
        signals = [getattr(self, name) for name in self.cell.carried]
        return np.concatenate([self._ends(values[-1], values[0]) for values in signals], -1)

    def _ends(self, forward: Array, backward: Array) -> Array:
        """Return `forward` for the units that read from the start, and `backward` for units that read from the end."""
        n = self.cell.units - self.cell.backward_units
        return np.concatenate([forward[..., :n], backward[..., n:]], -1) if self.cell.backward_units else forward

    def before(self, name: str) -> Array:
        """Return the previous value of a carried signal for every timestep t: its value at t − 1.

        For units that read the sequence from its end, the previous value is the value at t + 1. A clamp of "h_prev" is
        not applied.
        """
        start, values = getattr(self, f"{name}0")[None], getattr(self, name)
        past = np.concatenate([start, values[:-1]])
        return self._ends(past, np.concatenate([values[1:], start])) if self.cell.backward_units else past

    @cached_property
    def h_prev(self) -> Array:
        """h_{t-1} for every timestep, as the timestep reads it: a clamped value replaces the computed value."""
        if self.holds is None or "h_prev" not in self.holds.masks:
            return self.before("h")
        return np.where(self.holds.masks["h_prev"], self.holds.values["h_prev"], self.before("h"))

    @cached_property
    def computed(self) -> dict[str, Array]:
        """The signals that are held at any timestep, by name, with computed values in place of the held values."""
        masks = {} if self.holds is None else self.holds.masks
        return {name: np.where(mask, self.compute(name), getattr(self, name)) for name, mask in masks.items()}

    def compute(self, name: str) -> Array:
        """Return the values that the equations give for a signal, even if a clamp holds it."""
        return self.before("h") if name == "h_prev" else self.gate(name)

    def gate(self, name: str) -> Array:
        """Return the values of a gate, computed from its sum."""
        return self.cell.squash(name, self.Wx[name] + self.Uh.get(name, 0) + self.cell.biases[name])

    @cached_property
    def Wx(self) -> dict[str, Array]:
        """The input's term in each gate's sum: W x_t, without the bias."""
        return {gate: self.x @ W.T for gate, W in self.cell.by_gate(self.cell.W).items()}

    @cached_property
    def Uh(self) -> dict[str, Array]:
        """The old state's term in the sum of each gate that reads it: U h_{t-1}."""
        return {gate: self.h_prev @ U.T for gate, U in self.cell.recurrent_weights.items()}

    def terms(self, gate: str, unit: int) -> tuple[Array, Array]:
        """Return the terms of a unit's sum for every timestep: each weight times the number that it multiplies.

        The first array is W_ij x_j, `(T, I)`. The second is U_ik times `past_in`, `(T, H)`, or an array `(T, 0)` if the
        gate does not read the old state.
        """
        weights = self.cell.row(gate, unit)
        past = self.past_in(gate, unit) if gate in self.cell.recurrent else self.h_prev[..., :0]
        return weights["W"] * self.x, weights["U"] * past

    def past_in(self, gate: str, unit: int) -> Array:
        """Return the vectors that a unit's row of U multiplies in a gate's sum, `(T, H)`: h_{t-1} by default."""
        return self.h_prev

    def gated_bias(self, gate: str, unit: int) -> Array | None:
        """Return the term of a gate's sum in which another gate multiplies a bias, for every timestep.

        Return None if the sum has no such term.
        """
        return None

    @property
    def parts(self) -> dict[str, Array]:
        """The products that the equations add up, by the names in `Cell.parts`: `(T, H)` each."""
        m = self.mixture
        return {} if m is None else {"kept": m.keep * m.starts[: len(m.keep)], "taken": m.take * m.candidate}

    def work_out(self, unit: int, rounded: Callable[[Array], Array]) -> dict[str, tuple[Array, Array]]:
        """Work out the equations of a unit from rounded numbers.

        Return two arrays for each result, such as "z.a" and "z.value": the result from the rounded numbers, and the
        exact result. If a clamp replaced a value, the exact result is the computed value. A gate without σ or tanh has
        no result "a".
        """
        results: dict[str, tuple[Array, Array]] = {}
        for gate in self.cell.gates:
            bias = np.full(len(self.h), self.cell.biases[gate][unit])
            past = [self.Uh[gate][:, unit]] if gate in self.Uh else []
            terms = np.array([self.Wx[gate][:, unit], *past, bias], float)
            sums, worked_out = terms.sum(0), rounded(terms).sum(-2)
            value = self.free(gate)[:, unit]
            if self.cell.function(gate) is None:
                results[f"{gate}.value"] = worked_out, value
            else:
                results[f"{gate}.a"] = worked_out, sums
                results[f"{gate}.value"] = self.cell.squash(gate, rounded(sums)), value
        if self.mixture is not None:
            m, name = self.mixture, self.cell.carried[-1]
            T = len(m.keep)
            parts = np.array([array[:T, unit] for array in (m.keep, m.starts, m.take, m.candidate)], float)
            keep, start, take, candidate = np.moveaxis(rounded(parts), 1, 0)
            results[f"{name}.value"] = keep * start + take * candidate, self.free(name)[:, unit]
        return results

    def free(self, signal: str) -> Array:
        """Return a signal, with computed values in place of the clamped ones."""
        return self.computed[signal] if signal in self.computed else np.asarray(getattr(self, signal))

    @cached_property
    def moved(self) -> Array:
        """How far each unit's state moved: Σ_t |h_t − h_{t-1}|, `(H,)`."""
        return np.asarray(np.abs(self.h - self.h_prev).sum(0))

    @property
    def half_life(self) -> Array | None:
        """The number of timesteps until half of each unit's state is left, `(T, H)`.

        None if the cell does not keep any part of the old state directly.
        """
        return None

    @property
    def mixture(self) -> Mixture | None:
        """The state as a mixture of the old state and the candidate, or None if the cell has no mixture."""
        return None

    @abstractmethod
    def backward(self, dh: Array, direct: Mapping[str, Array] | None = None) -> Gradients:
        """Compute the gradients of a loss L. `dh` is the direct ∂L/∂h_t, and `direct` the direct ∂L/∂gate by name."""

    def gate_gradients(self, gradients: Any) -> dict[str, Array]:
        """Return ∂L/∂gate for every gate that is not a candidate, by the equations of `backward`."""
        return {}

    def by_state(self, J: Array, s: int) -> dict[str, Array]:
        """Split `J`, a derivative with respect to the state of timestep `s`, into one array for each carried signal.

        In most cells the state is the signal h. In an LSTM it is h and c.
        """
        return {"h": J}

    @abstractmethod
    def step_jacobians(self) -> Array:
        """Return ∂s_t/∂s_{t-1} for every timestep of one sequence, `(T, S, S)`."""
