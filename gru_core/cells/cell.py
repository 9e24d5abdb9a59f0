"""The base classes of all cells: `Cell`, the weights of one layer, and `Run`, a run of a layer over a sequence.

Each cell has its own file, with the equations at the top and, in code, as `step`. registry.py lists the cells.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Self, TypedDict, TypeVar

import numpy as np

from gru_core.arrays import Array, Mask
from gru_core.cells import directions
from gru_core.cells.holds import Holds
from gru_core.cells.mixture import Mixture
from gru_core.cells.named import Signals
from gru_core.cells.signals import Colour, Signal

C = TypeVar("C", bound="Cell")


class Row(TypedDict):
    """The weights of a unit in the sum of a gate: `W` `(I,)`, `U` `(H,)`, the bias `b`, and `c`, a GRU's c_h.

    `U` is empty if the gate does not read the old state. `c` is None if the sum has no such bias.
    """

    W: Array
    U: Array
    b: Any
    c: Any


@dataclass(frozen=True, repr=False)
class Cell(ABC):
    """The weights of one layer. All code that shows, sends, saves or changes signals uses the lists of this class.

    `W` `(G·H, I)` and `b` `(G·H,)` stack a block of H rows for each of the G gates. `U` `(R·H, H)` has such a block for
    each of the R gates that read the old state. The last `backward_units` units read the sequence from its end, in a
    bidirectional layer: see directions.py. Raises ValueError if the shapes do not fit together, or if a unit reads the
    state of a unit of the other direction.
    """

    name: ClassVar[str]
    """The cell's name in files and in the HTTP API."""
    title: ClassVar[str]
    """The cell's name for people."""
    colour: ClassVar[Colour]
    """The cell's color in comparisons of cells."""
    dash: ClassVar[str]
    """The dashes and gaps of the cell's curves in comparisons of cells, as in SVG; "none" is a solid curve."""
    signals: ClassVar[Mapping[str, Signal]]
    """The values of every timestep by name, in the order in which the page shows them."""
    gates: ClassVar[tuple[str, ...]]
    """The signals that are a function of a sum, in the order of their blocks of rows in W and b."""
    recurrent: ClassVar[tuple[str, ...]]
    """The gates that read the old state, in the order of their blocks of rows in U."""
    key_gate: ClassVar[str]
    """The gate that pages show first: the gate that decides how much of the old state is kept, or the only one."""
    chrono: ClassVar[Mapping[str, int]] = {}
    """The gates with initial biases by the initialization "chrono", each with the sign of its bias."""
    carried: ClassVar[tuple[str, ...]] = ("h",)
    """The signals that a timestep passes on to the next one. A state has all of them in this order, `(S,)`."""
    holdable: ClassVar[Mapping[str, tuple[float, float]]]
    """The values that can be clamped, each with its lowest and its highest value."""
    skip: ClassVar[Mapping[str, float]]
    """The values that are held at a timestep that the network skips. A held h keeps its old value there."""
    parts: ClassVar[tuple[str, ...]] = ()
    """The names of the products that the equations add up, as `Run.parts` has them."""
    linear: ClassVar[tuple[str, ...]] = ()
    """The gates with a value equal to their sum, without σ or tanh."""
    products: ClassVar[int] = 0
    """The number of elementwise products of one timestep."""

    W: Array
    U: Array
    b: Array
    backward_units: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        H = self.U.shape[-1]
        rows, recurrent = len(self.gates) * H, len(self.recurrent) * H
        for name, shape in (("W", (rows, self.W.shape[-1])), ("U", (recurrent, H)), ("b", (rows,))):
            actual = getattr(self, name).shape
            if actual != shape:
                raise ValueError(f"{name} has shape {actual}, but {H} units need {shape}")
        if not 0 <= self.backward_units <= H - (self.backward_units > 0):
            raise ValueError(f"{self.backward_units} of {H} units cannot read backward: both directions need units")
        if self.backward_units and not directions.are_apart(self):
            raise ValueError("a unit of a bidirectional layer cannot read the state of a unit of the other direction")

    def __repr__(self) -> str:
        directions = f", backward_units={self.backward_units}" if self.backward_units else ""
        return f"{type(self).__name__}(I={self.inputs}, H={self.units}{_written(self.variant)}{directions})"

    def unit_name(self, unit: int) -> str:
        """Return the number of a unit from 1. In a bidirectional layer an arrow shows its direction: "3 →", "5 ←"."""
        arrow = "←" if unit >= self.units - self.backward_units else "→"
        return f"{unit + 1} {arrow}" if self.backward_units else str(unit + 1)

    @classmethod
    def ends(cls, carried: str) -> tuple[float, float]:
        """Return the lowest and the highest value of a carried signal in an initial state."""
        return cls.holdable[carried if carried in cls.holdable else f"{carried}_prev"]

    @property
    def variant(self) -> dict[str, str]:
        """The properties, by name, in which cells of the same kind and sizes can differ."""
        return {}

    @property
    def halves(self) -> tuple[Self, Self]:
        """The two directions of a bidirectional layer, each as a layer of one direction."""
        return directions.halves(self)

    @staticmethod
    def bidirectional(forward: C, backward: C) -> C:
        """Return a bidirectional layer of two layers that read the same inputs.

        `forward` reads the sequence from its start, `backward` from its end. The units of the layer are those of
        `forward`, then those of `backward`. Raises ValueError if they have different kinds of cells or inputs.
        """
        return directions.join(forward, backward)

    @property
    def kind(self) -> str:
        """The kind of cell in words."""
        return self.title if not self.backward_units else f"bidirectional {self.title}"

    @property
    def inputs(self) -> int:
        return int(self.W.shape[1])

    @property
    def units(self) -> int:
        return int(self.U.shape[1])

    @property
    def multiply_adds(self) -> int:
        """The multiply-adds of one timestep: those of W x and U h, and the elementwise products."""
        return self.W.size + self.U.size + self.products * self.units

    @property
    def parameters(self) -> dict[str, Array]:
        """The arrays by name."""
        return {"W": self.W, "U": self.U, "b": self.b}

    def with_parameters(self, parameters: Mapping[str, Array]) -> Self:
        return replace(self, **dict[str, Any](parameters))

    def by_gate(self, stacked: Array) -> dict[str, Array]:
        """Return the block of each gate of an array `(G·H, …)`, such as `W`."""
        return self._blocks(self.gates, stacked)

    @property
    def recurrent_weights(self) -> dict[str, Array]:
        """The block of `U` of each gate that reads the old state, `(H, H)` each."""
        return self._blocks(self.recurrent, self.U)

    def _blocks(self, gates: tuple[str, ...], stacked: Array) -> dict[str, Array]:
        H = self.units
        return {gate: stacked[i * H : (i + 1) * H] for i, gate in enumerate(gates)}

    @property
    def biases(self) -> dict[str, Array]:
        """The block of `b` of each gate, `(H,)` each."""
        return self.by_gate(self.b)

    def row(self, gate: str, unit: int) -> Row:
        """Return the weights of a unit in the sum of a gate."""
        i = self.gates.index(gate) * self.units + unit
        U = self.recurrent_weights[gate][unit] if gate in self.recurrent else self.U[:0, 0]
        return {"W": self.W[i], "U": U, "b": self.b[i], "c": None}

    @classmethod
    def function(cls, gate: str) -> str | None:
        """Return the name of the function that is applied to a gate's sum: "σ", or "tanh" for a gate with a sign.

        Return None if the gate's value is the sum.
        """
        if gate in cls.linear:
            return None
        return "tanh" if cls.signals[gate].lowest < 0 else "σ"

    def squash(self, gate: str, a: Array) -> Array:
        """Return a gate's value for its sum a: σ(a), tanh(a), or a itself, as `function` says."""
        function = self.function(gate)
        if function is None:
            return a
        return np.asarray(np.tanh(a)) if function == "tanh" else σ(a)

    def negated(self, unit: int) -> Self:
        """Return the same layer with the sign of one unit's state flipped."""
        sign = np.where(np.arange(self.units) == unit, -1.0, 1.0).astype(self.U.dtype)
        of_gate = {g: sign if self.signals[g].lowest < 0 else np.ones_like(sign) for g in self.gates}
        rows = np.concatenate([of_gate[g] for g in self.gates])
        recurrent = np.concatenate([of_gate[g] for g in self.recurrent] or [rows[:0]])
        return replace(self, W=self.W * rows[:, None], U=self.U * recurrent[:, None] * sign, b=self.b * rows)

    @abstractmethod
    def step(self, x: Array, state: Array) -> Array:
        """Return the state after one timestep, `(S,)`, from its input `(I,)` and the state before it."""

    @abstractmethod
    def forward(self, x: Array, h0: Array | None = None, holds: Holds | None = None) -> Run:
        """Run the cell over `x`, `(T, I)` or `(T, B, I)`, from the state `h0` (zero if None)."""

    def prepare(
        self, x: Array, state: Array | None, holds: Holds | None
    ) -> tuple[Array, Array, Holds | None, tuple[int, ...]]:
        """Return `x`, the initial state and `holds` in the precision of the weights, and the shape of the batch.

        That shape is () or (B,). Raises ValueError if `x` has no timesteps, or if a shape does not fit.
        """
        dtype, H, I, S = self.U.dtype, self.units, self.inputs, len(self.carried) * self.units
        x = np.ascontiguousarray(x, dtype)
        if x.ndim not in (2, 3) or x.shape[-1] != I:
            raise ValueError(f"x has shape {x.shape}, but must be (T, {I}) or (T, B, {I})")
        if len(x) == 0:
            raise ValueError("x has no timesteps")
        batch = x.shape[1:-1]
        if holds is not None:
            batch = np.broadcast_shapes(batch, *(mask.shape[1:-1] for mask in holds.masks.values()))
            holds = holds.over((len(x), *batch, H), dtype)
        if state is not None and state.shape not in ((S,), (*batch, S)):
            batches = f" or {(*batch, S)}" if batch else ""
            raise ValueError(f"h0 has shape {state.shape}, but must be {(S,)}{batches}")
        state = np.zeros((*batch, S), dtype) if state is None else np.array(np.broadcast_to(state, (*batch, S)), dtype)
        return x, state, holds, batch

    def input_sums(self, x: Array, batch: tuple[int, ...], W: Array, b: Array) -> Array:
        """Return x_t W + b for all timesteps at once, `(T, G·H)` or `(T, B, G·H)`.

        `W` `(I, G·H)` and `b` `(G·H,)` are the weights in the form that the loop of the cell uses.
        """
        rows = len(b)
        sums: Array = (x.reshape(-1, self.inputs) @ W).reshape(*x.shape[:-1], rows)
        np.add(sums, b, sums)
        # One sequence may go in once for a batch whose sequences differ in what is held.
        return sums if batch == x.shape[1:-1] else np.broadcast_to(sums, (len(x), *batch, rows)).copy()


@dataclass(frozen=True, kw_only=True)
class Gradients:
    """The gradients of a loss L, each with the name of its variable.

    `W`, `U` and `b` have the shapes of the weights, `x` and `h0` those of the inputs and the initial state. `h`
    `(T, ·, H)` is the total ∂L/∂h_t: the direct gradient, and the gradient through later timesteps.
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
    the values that replaced computed ones.
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
        return f"Forward(T={T}, {B}I={self.cell.inputs}, H={H}{_written(self.cell.variant)}{held})"

    def __getitem__(self, steps: slice) -> Self:
        """Return the part of the run with a slice of its timesteps."""
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
        """The mask of the timesteps that the network skips, with an unchanged state: `(T,)` or `(T, B)`, or None."""
        return None if self.holds is None or self.holds.skipped is None else self.holds.skipped[..., 0]

    @property
    def last(self) -> Array:
        """The state after the last timestep that a unit reads, `(S,)`.

        For units that read the sequence from its end, this is the state at the first timestep.
        """
        signals = [getattr(self, name) for name in self.cell.carried]
        return np.concatenate([self._ends(values[-1], values[0]) for values in signals], -1)

    def _ends(self, forward: Array, backward: Array) -> Array:
        """Return the values of `forward` for units that read from the start, and those of `backward` for the others."""
        n = self.cell.units - self.cell.backward_units
        return np.concatenate([forward[..., :n], backward[..., n:]], -1) if self.cell.backward_units else forward

    def before(self, name: str) -> Array:
        """Return the computed value of a carried signal at the timestep that a unit read before, for every timestep.

        Units that read the sequence from its end have read timestep t + 1 before t.
        """
        start, values = getattr(self, f"{name}0")[None], getattr(self, name)
        past = np.concatenate([start, values[:-1]])
        return self._ends(past, np.concatenate([values[1:], start])) if self.cell.backward_units else past

    @cached_property
    def h_prev(self) -> Array:
        """h_{t-1} for every timestep, as the timestep reads it: a held value replaces the computed one."""
        if self.holds is None or "h_prev" not in self.holds.masks:
            return self.before("h")
        return np.where(self.holds.masks["h_prev"], self.holds.values["h_prev"], self.before("h"))

    @cached_property
    def computed(self) -> dict[str, Array]:
        """The signals that are held anywhere, with the computed values in place of the held ones."""
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
        """Return each weight of a unit's row times the number that it multiplies, for every timestep.

        They are W_ij x_j `(T, I)` and U_ik times `past_in`, `(T, H)`, or `(T, 0)` if the gate does not read the old
        state.
        """
        weights = self.cell.row(gate, unit)
        past = self.past_in(gate, unit) if gate in self.cell.recurrent else self.h_prev[..., :0]
        return weights["W"] * self.x, weights["U"] * past

    def past_in(self, gate: str, unit: int) -> Array:
        """Return the vectors that the row U of a unit multiplies in the sum of a gate, `(T, H)`: h_{t-1} by default."""
        return self.h_prev

    def gated_bias(self, gate: str, unit: int) -> Array | None:
        """Return the product of a gate and a bias, for every timestep, or None if the cell has no such product."""
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

        It is None if no part of the old state is kept directly.
        """
        return None

    @property
    def mixture(self) -> Mixture | None:
        """The state as a mixture of the old state and the candidate, or None if the cell has no mixture."""
        return None

    @abstractmethod
    def backward(self, dh: Array, direct: Mapping[str, Array] | None = None) -> Gradients:
        """Compute the gradients of a loss. `dh` is its direct derivative by h_t, and `direct` those by gates."""

    def gate_gradients(self, gradients: Any) -> dict[str, Array]:
        """Return ∂L/∂gate for every gate that is not a candidate, by the equations of `backward`."""
        return {}

    def by_state(self, J: Array, s: int) -> dict[str, Array]:
        """Return the derivative `J` with respect to the state of timestep `s`, as an array for each signal.

        The state of most cells is the signal h. That of an LSTM is h and c.
        """
        return {"h": J}

    @abstractmethod
    def step_jacobians(self) -> Array:
        """Return ∂s_t/∂s_{t-1} for every timestep of one sequence, `(T, S, S)`."""


def σ(a: Array) -> Array:
    """Return 1 / (1 + exp(−a)), the logistic function."""
    with np.errstate(over="ignore"):  # exp(−a) = ∞ makes it 0, as it should
        return np.asarray(1 / (1 + np.exp(-a)))


def _written(variant: Mapping[str, str]) -> str:
    return "".join(f", {name}={value!r}" for name, value in variant.items())
