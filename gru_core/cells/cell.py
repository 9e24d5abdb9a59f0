"""The base class of all cells: the weights of one layer.

Each cell has its own file, with the equations at the top, and in `step` as code. registry.py lists the cells, and
run.py has the base class of their runs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypedDict, TypeVar

import numpy as np

from gru_core.arrays import Array
from gru_core.cells import directions
from gru_core.cells.holds import Holds
from gru_core.cells.signals import Color, Signal

if TYPE_CHECKING:
    from gru_core.cells.run import Run

C = TypeVar("C", bound="Cell")


class Row(TypedDict):
    """One unit's weights in one gate's sum: `W` `(I,)`, `U` `(H,)`, the bias `b`, and `c`, its entry in a GRU's c_h.

    `U` is empty if the gate does not read the old state. `c` is None if the sum has no c_h.
    """

    W: Array
    U: Array
    b: Any
    c: Any


@dataclass(frozen=True, repr=False)
class Cell(ABC):
    """The weights of one layer: the base class of all cells.

    The class variables list a cell's signals. All code that shows, sends, saves or changes signals uses these lists.
    `W` `(G·H, I)` and `b` `(G·H,)` stack a block of H rows for each of the G gates. `U` `(R·H, H)` has such a block for
    each of the R gates that read the old state. In a bidirectional layer, the last `backward_units` units read the
    sequence from its end: see directions.py. Raises ValueError if the shapes do not fit together, or if a unit reads
    the state of a unit of the opposite direction.
    """

    name: ClassVar[str]
    """The cell's name in files and in the HTTP API."""
    title: ClassVar[str]
    """The cell's display name."""
    color: ClassVar[Color]
    """The cell's color in comparisons of cells."""
    dash: ClassVar[str]
    """The dashes and gaps of the cell's curves in comparisons of cells, as in SVG; "none" is a solid curve."""
    signals: ClassVar[Mapping[str, Signal]]
    """The signals, computed at every timestep, by name. Pages show them in this order."""
    gates: ClassVar[tuple[str, ...]]
    """The signals that are a function of a sum, in the order of their blocks of rows in W and b."""
    recurrent: ClassVar[tuple[str, ...]]
    """The gates that read the old state, in the order of their blocks of rows in U."""
    key_gate: ClassVar[str]
    """The gate that pages show first: the gate that decides how much of the old state is kept, or the only gate."""
    chrono: ClassVar[Mapping[str, int]] = {}
    """The gates with biases set by the initialization "chrono", each with the sign of its bias."""
    penalized: ClassVar[tuple[str, ...]] = ()
    """The gates that a training recipe can penalize, by a term for their mean in the loss."""
    carried: ClassVar[tuple[str, ...]] = ("h",)
    """The signals that a timestep passes on to the next one. A state has all of them in this order, `(S,)`."""
    holdable: ClassVar[Mapping[str, tuple[float, float]]]
    """The signals that can be clamped, each with its lowest and its highest value."""
    skip: ClassVar[Mapping[str, float]]
    """The signals that are held at a skipped timestep, with their values. If h is listed, it keeps its old value."""
    parts: ClassVar[tuple[str, ...]] = ()
    """The names of the products in `Run.parts`."""
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
        return f"{type(self).__name__}(I={self.inputs}, H={self.units}{self.variant_text}{directions})"

    def unit_name(self, unit: int) -> str:
        """Return the number of a unit from 1. In a bidirectional layer an arrow shows its direction: "3 →", "5 ←"."""
        arrow = "←" if unit >= self.units - self.backward_units else "→"
        return f"{unit + 1} {arrow}" if self.backward_units else str(unit + 1)

    @classmethod
    def ends(cls, carried: str) -> tuple[float, float]:
        """Return the lowest and the highest value that the signal `carried` may have in an initial state."""
        return cls.holdable[carried if carried in cls.holdable else f"{carried}_prev"]

    @property
    def variant(self) -> dict[str, str]:
        """The settings that can differ between cells of the same kind and sizes, by name, such as a GRU's "reset"."""
        return {}

    @property
    def variant_text(self) -> str:
        """The variant as text that continues a list of arguments: "" or ", reset='after'"."""
        return "".join(f", {name}={value!r}" for name, value in self.variant.items())

    @property
    def halves(self) -> tuple[Self, Self]:
        """The two directions of a bidirectional layer, each as a layer of one direction."""
        return directions.halves(self)

    @staticmethod
    def bidirectional(forward: C, backward: C) -> C:
        """Join two layers that read the same inputs into one bidirectional layer.

        `forward` reads the sequence from its start, `backward` from its end. The units of `forward` come first. Raises
        ValueError if the two layers have different kinds of cells or different numbers of inputs.
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
        """The number of multiply-adds of one timestep: for W x, for U h, and for the elementwise products."""
        return self.W.size + self.U.size + self.products * self.units

    @property
    def parameters(self) -> dict[str, Array]:
        """The arrays by name."""
        return {"W": self.W, "U": self.U, "b": self.b}

    def with_parameters(self, parameters: Mapping[str, Array]) -> Self:
        return replace(self, **dict[str, Any](parameters))

    def by_gate(self, stacked: Array) -> dict[str, Array]:
        """Split `stacked` `(G·H, …)`, an array such as `W`, into the blocks of the gates, by name."""
        return self._blocks(self.gates, stacked)

    @property
    def recurrent_weights(self) -> dict[str, Array]:
        """The blocks of `U` by gate, `(H, H)` each, for the gates that read the old state."""
        return self._blocks(self.recurrent, self.U)

    def _blocks(self, gates: tuple[str, ...], stacked: Array) -> dict[str, Array]:
        H = self.units
        return {gate: stacked[i * H : (i + 1) * H] for i, gate in enumerate(gates)}

    @property
    def biases(self) -> dict[str, Array]:
        """The blocks of `b` by gate, `(H,)` each."""
        return self.by_gate(self.b)

    def row(self, gate: str, unit: int) -> Row:
        """Return one unit's weights in one gate's sum."""
        i = self.gates.index(gate) * self.units + unit
        U = self.recurrent_weights[gate][unit] if gate in self.recurrent else self.U[:0, 0]
        return {"W": self.W[i], "U": U, "b": self.b[i], "c": None}

    @classmethod
    def function(cls, gate: str) -> str | None:
        """Return the name of the function that is applied to a gate's sum: "σ" or "tanh".

        Return None if no function is applied, so that the gate's value is the sum itself.
        """
        if gate in cls.linear:
            return None
        return "tanh" if cls.signals[gate].lowest < 0 else "σ"

    def squash(self, gate: str, a: Array) -> Array:
        """Apply the gate's function to its sum `a`: return σ(a), tanh(a), or `a` itself."""
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
        """Return the state `(S,)` after one timestep, given the input `x` `(I,)` and the old `state` `(S,)`."""

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
        # Sequences with different clamps may share one input. Then its sums are repeated for the whole batch.
        return sums if batch == x.shape[1:-1] else np.broadcast_to(sums, (len(x), *batch, rows)).copy()


def σ(a: Array) -> Array:
    """Return 1 / (1 + exp(−a)), the logistic function."""
    with np.errstate(over="ignore"):  # if exp(−a) overflows to ∞, the result is 0, as it should be
        return np.asarray(1 / (1 + np.exp(-a)))
