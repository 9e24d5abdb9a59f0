"""The parity check: it tests whether a model computes the same as its source, and looks for the cause if not.

    report = check(model, "reference.npz")
    print(report)         # parity check passed: h of layer 1 differs by at most 1.2e-07 (step 7, unit 3), …

The reference is what the source library computed for an input. Its arrays have names: `x`, the input, `(T, I)` or
`(T, B, I)`, or symbols by number, `(T,)` or `(T, B)`; `h`, the states of the top layer, `(T, H)` or `(T, B, H)`, or
`h_l0`, `h_l1`, … for each layer; and `y`, the outputs, if wanted. The initial states must be zero.

The relative error of a layer is the largest |Δh| over all timesteps, sequences and units, divided by the largest |h|
of its reference. It may be 1e-5, or 1e-10 if the weights and the reference's states and outputs are all float64.
Rounding alone gives about 1e-7 and 1e-16.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array
from gru_core.cells.gru import GRU
from gru_core.encoder import LARGEST, Symbols
from gru_core.formats import npz
from gru_core.formats.imported import Imported
from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import BLOCKS, MAX_BYTES, Convention, FileLayer, Update, known
from gru_core.model import Model
from gru_core.parity.confusions import Case, Cause, explain, relative_error

SINGLE, DOUBLE = 1e-5, 1e-10
MAX_STEPS, MAX_WORK = 10_000, 2e9
"""Limits on a reference, over all its sequences: timesteps, and timesteps times the number of weights of the model."""


@dataclass(frozen=True)
class Difference:
    """The difference of one signal from its reference: `h_l0`, `h_l1`, … or `y`.

    `by_step` `(T,)` is the largest |Δ| of each timestep. `largest` is the largest of all, at `step` and `unit`, both
    from 1. `relative` is `largest` divided by the largest |reference|.
    """

    name: str
    by_step: Array = field(repr=False)
    largest: float
    relative: float
    step: int
    unit: int

    def __str__(self) -> str:
        what = "y" if self.name == "y" else f"h of layer {int(self.name[3:]) + 1}"
        place = f"step {self.step}, {'output' if self.name == 'y' else 'unit'} {self.unit}"
        return f"{what} differs by at most {self.largest:.1e} ({place}), a relative difference of {self.relative:.1e}"


@dataclass(frozen=True)
class Parity:
    """The result of a parity check: the differences, the relative `tolerance`, and the `cause` if one was found."""

    tolerance: float
    differences: tuple[Difference, ...]
    cause: Cause | None = None

    @property
    def passed(self) -> bool:
        return all(difference.relative <= self.tolerance for difference in self.differences)

    def __repr__(self) -> str:
        relative = ", ".join(f"{difference.name} {difference.relative:.1e}" for difference in self.differences)
        return f"Parity(passed={self.passed}: {relative}; allowed {self.tolerance:.0e})"

    def __str__(self) -> str:
        verdict = "passed" if self.passed else "failed"
        differences = "; ".join(map(str, self.differences))
        lines = f"parity check {verdict}: {differences}; at most {self.tolerance:.0e} is allowed."
        if self.passed:
            return lines
        if self.cause is None:
            check = "Check that the reference is from this network, this input and an initial state of zero."
            if all(difference.name == "y" for difference in self.differences):
                return f"{lines} Add the states h to the reference: y alone does not show the cause. {check}"
            return f"{lines} No known cause explains the difference. {check}"
        return f"{lines} But {self.cause}."


Reference = Mapping[str, npt.NDArray[Any]]


def check(model: Model | Imported, reference: Reference | bytes | str | Path) -> Parity:
    """Compare the values that a model computes with the values that its source computed.

    `reference` is the arrays by name, or the bytes or the path of an `.npz` of them. If `model` is an `Imported`,
    common mistakes are tried in the terms of its file, and only the direction that is shown is compared.

    Raises FormatError if the reference does not fit the model.
    """
    core = model.model if isinstance(model, Imported) else model
    both = isinstance(model, Imported) and model.both
    backward = isinstance(model, Imported) and model.direction == "backward"
    arrays = reference if isinstance(reference, Mapping) else npz.arrays(_bytes(reference))
    x, wanted = _read(core, arrays, both, backward)
    if backward and isinstance(model, Imported) and model.as_read:
        wanted = {name: array[::-1] for name, array in wanted.items()}
    runs = core.forward(x)
    given = {f"h_l{k}": run.h for k, run in enumerate(runs)} | {"y": core.readout(runs[-1].h)}
    differences = tuple(_difference(name, given[name], array) for name, array in wanted.items())
    doubles = all(array.dtype == np.float64 for array in (*wanted.values(), *core.parameters.values()))
    parity = Parity(DOUBLE if doubles else SINGLE, differences)
    if parity.passed:
        return parity
    states = {name: array for name, array in wanted.items() if name != "y"}
    if all(d.relative <= parity.tolerance for d in differences if d.name != "y"):
        return replace(parity, cause=_cause_of_y(core, runs[-1].h, wanted["y"], parity.tolerance) if states else None)
    if not known(core.layers):
        return parity  # all known confusions are about layers of one kind, which other libraries have as well
    if isinstance(model, Imported):
        cases = [Case(model.cells, model.convention, x, states)]
    else:
        cases = [Case(tuple(FileLayer.of(layer, c) for layer in core.layers), c, x, states) for c in _meant(core)]
    return replace(parity, cause=explain(cases, parity.tolerance))


def _meant(model: Model) -> list[Convention]:
    """What the weights may mean. Where they come from is not known: a GRU's z may have been turned over on the way."""
    layer = model.layers[0]
    turned: tuple[Update, ...] = ("take", "keep")
    if isinstance(layer, GRU):
        return [Convention(BLOCKS[3], layer.reset, z) for z in turned]
    return [Convention(BLOCKS[len(layer.gates)])]


def _bytes(reference: bytes | str | Path) -> bytes:
    if isinstance(reference, bytes):
        data = reference
    else:
        with Path(reference).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise FormatError(f"the reference is too large: at most {MAX_BYTES // 2**20} MiB")
    return data


def _read(model: Model, arrays: Reference, both: bool, backward: bool) -> tuple[Array, dict[str, Array]]:
    """The input `(T, B, I)` and the states and outputs `(T, B, ·)` wanted, as the shown direction meets them."""
    top = len(model.layers) - 1
    sizes = {f"h_l{k}": gru.units for k, gru in enumerate(model.layers)} | {"y": len(model.readout.labels)}
    named = {f"h_l{top}" if name == "h" else name: array for name, array in arrays.items() if name != "x"}
    unknown = [name for name in named if name not in sizes]
    if "x" not in arrays or not named or unknown:
        allowed = f"x, and h, {', '.join(list(sizes)[:-1])} or y"
        wrong = f"{shown(unknown[0])} is none of them" if unknown else f"this one has {', '.join(map(shown, arrays))}"
        raise FormatError(f"a reference for this model holds arrays called {allowed}; {wrong}")
    x = _input(model, np.asarray(arrays["x"]))
    wanted: dict[str, Array] = {}
    for name in sorted(named):
        array, size = np.asarray(named[name]), sizes[name]
        if array.ndim == 2:
            array = array[:, None]
        halves = both and name != "y" and array.shape[-1:] == (2 * size,)
        if array.ndim != 3 or array.shape[:2] != x.shape[:2] or not (array.shape[2] == size or halves):
            T, B = x.shape[:2]
            shape = f"{named[name].shape}; for x of {T} steps it must be ({T}, {B}, {size})"
            raise FormatError(f"{name} in the reference has the shape {shape}, or ({T}, {size}) for one sequence")
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise FormatError(f"{name} in the reference must contain finite floating-point numbers only")
        if halves:
            array = array[..., size:] if backward else array[..., :size]
        wanted[name] = array[::-1] if backward else array
    return x[::-1] if backward else x, wanted


def _input(model: Model, x: npt.NDArray[Any]) -> Array:
    """The input as the bottom layer takes it, `(T, B, I)`."""
    I = model.layers[0].inputs
    symbols = isinstance(model.encoder, Symbols) and x.dtype.kind in "iu" and x.ndim <= 2
    wanted = f"(T, {I}) or (T, B, {I}) numbers" + (
        ", or whole numbers (T,) or (T, B) for symbols" if symbols or I > 1 else ""
    )
    if symbols and isinstance(model.encoder, Symbols):
        last = len(model.encoder.alphabet) - 1
        if x.size and not (x.min() >= 0 and x.max() <= last):
            raise FormatError(f"x in the reference has symbols {x.min()} to {x.max()}; this model has 0 to {last}")
        x = model.encoder.vectors(x)
    shape = x.shape
    if x.ndim == 2:
        x = x[:, None]
    if x.ndim != 3 or x.shape[-1] != I or x.size == 0 or x.dtype.kind not in "fiu":
        raise FormatError(f"x in the reference has the shape {shape}; this model needs {wanted}")
    most = min(MAX_STEPS, int(MAX_WORK / sum(array.size for array in model.parameters.values())))
    if x.shape[0] * x.shape[1] > most:
        raise FormatError(
            f"x in the reference has {x.shape[0] * x.shape[1]:,} steps; at most {most:,} can be run, "
            "counted over all its sequences"
        )
    if not (np.abs(x) <= LARGEST).all():
        raise FormatError(f"x in the reference has a number outside -{LARGEST:,.0f} to {LARGEST:,.0f}")
    return x


def _difference(name: str, given: Array, wanted: Array) -> Difference:
    off = np.abs(given.astype(np.float64) - wanted)
    step, _, unit = np.unravel_index(off.argmax(), off.shape)
    relative = relative_error(given, wanted)
    return Difference(name, off.max((1, 2)), float(off.max()), relative, int(step) + 1, int(unit) + 1)


def _cause_of_y(model: Model, h: Array, wanted: Array, tolerance: float) -> Cause | None:
    """Why y is off where h is right: a softmax too many, or one too few."""
    other: Literal["softmax", "linear"] = "linear" if model.readout.kind == "softmax" else "softmax"
    relative = relative_error(replace(model.readout, kind=other)(h), wanted)
    words = "h is right, and with a softmax on y" if other == "softmax" else "h is right, and without the softmax on y"
    return Cause(words, relative) if relative <= tolerance else None
