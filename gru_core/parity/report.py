"""The parity check, which tests whether a model computes the same numbers as another implementation.

If the numbers differ, the check looks for the cause.

    report = check(model, "reference.npz")
    print(report)         # parity check passed: h of layer 1 differs by at most 1.2e-07 (step 7, unit 3), …

The other implementation is a reference or another model. A reference has the values that a library computed for an
input, as named arrays:

    x               the input, `(T, I)` or `(T, B, I)`, or symbols by number, `(T,)` or `(T, B)`
    h               the states of the top layer, `(T, H)` or `(T, B, H)`; or h_l0, h_l1, … for each layer
    y               optional: the outputs
    h0, c0          optional: the initial state `(L, B, H)`; c0 only for an LSTM
    lengths, mask   optional: `(B,)` or `(T, B)`. Padded timesteps do not change the state and are not compared.

States or outputs `(B, ·)` are the values after the last timestep.

The relative error of a layer is the largest |Δh| over all timesteps, sequences and units, divided by the largest |h|
of its reference. `TOLERANCE` has the largest error that is allowed, by the precision of the reference.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array
from gru_core.cells.gru import GRU
from gru_core.encoders.numbers import Numbers
from gru_core.encoders.symbols import Symbols
from gru_core.formats import archive, read_file
from gru_core.formats import read as read_model
from gru_core.formats.imported import Imported
from gru_core.formats.questions import FormatError
from gru_core.formats.weights import BLOCKS, Convention, FileLayer, Update, known
from gru_core.model import Model
from gru_core.parity import reference as references
from gru_core.parity import remedies
from gru_core.parity.case import Case, Output, Wanted, without_padding
from gru_core.parity.reference import Arrays, Reference
from gru_core.parity.search import Cause, explain

TOLERANCE = {53: 1e-10, 24: 1e-5, 11: 5e-3, 8: 4e-2}
"""The largest relative error allowed, by the significant bits of float64, float32, float16 and bfloat16.

Rounding alone gives about 1e-16, 1e-7, 1e-3 and 1e-2.
"""

PRECISIONS = {53: "float64", 24: "float32", 11: "float16", 8: "bfloat16"}

STEPS, SEQUENCES = 24, 3
"""The numbers of timesteps and sequences in the random input on which two models are compared."""


@dataclass(frozen=True)
class Difference:
    """The difference Δ between one signal and its reference.

    `name` is `h_l0`, `h_l1`, …, `y` or, if two models are compared, also a gate such as `z_l0`. `by_step` `(T,)` is the
    largest |Δ| at each timestep. `largest` is the largest |Δ| of all, at `step` and `unit`, both counted from 1.
    `relative` is `largest` divided by the largest |reference|. `first` is the first timestep, counted from 1, with a
    relative difference above the tolerance, or None.
    """

    name: str
    by_step: Array = field(repr=False)
    largest: float
    relative: float
    step: int
    unit: int
    first: int | None = None

    @property
    def layer(self) -> int | None:
        """The layer, counted from 1, or None for y."""
        signal, _, layer = self.name.rpartition("_l")
        return int(layer) + 1 if signal else None

    @property
    def title(self) -> str:
        """The name in words, such as "h of layer 1"."""
        return f"{self.name.rpartition('_l')[0]} of layer {self.layer}" if self.layer else self.name

    def __str__(self) -> str:
        place = f"step {self.step}, {'output' if self.name == 'y' else 'unit'} {self.unit}"
        size = f"{self.title} differs by at most {self.largest:.1e} ({place})"
        return f"{size}, a relative difference of {self.relative:.1e}"


@dataclass(frozen=True)
class Parity:
    """The result of a parity check: the differences, the relative `tolerance`, and the `cause` if one was found.

    `precision` is the precision of the reference, such as "float32". If two models were compared, `gates` has the
    differences of their gates. Only `differences` decide whether the check passes.
    """

    tolerance: float
    differences: tuple[Difference, ...]
    cause: Cause | None = None
    precision: str = "float32"
    gates: tuple[Difference, ...] = ()

    @property
    def passed(self) -> bool:
        return all(difference.relative <= self.tolerance for difference in self.differences)

    @property
    def first(self) -> Difference | None:
        """The signal that differs first: at the first timestep, in the lowest layer, gates before states."""
        signals = [difference for difference in (*self.gates, *self.differences) if difference.first is not None]
        return min(signals, key=lambda difference: (difference.first, difference.layer or np.inf), default=None)

    def __repr__(self) -> str:
        relative = ", ".join(f"{difference.name} {difference.relative:.1e}" for difference in self.differences)
        return f"Parity(passed={self.passed}: {relative}; allowed {self.tolerance:.0e})"

    def __str__(self) -> str:
        verdict = "passed" if self.passed else "failed"
        differences = "; ".join(map(str, self.differences))
        lines = f"parity check {verdict}: {differences}; at most {self.tolerance:.0e} is allowed ({self.precision})."
        if self.passed:
            return lines
        if self.first is not None and self.first.first is not None:
            size = self.first.by_step[self.first.first - 1]
            lines += f" The first difference is at step {self.first.first}: {self.first.title} differs by {size:.1e}."
        if self.cause is None:
            return (
                f"{lines} No known cause explains the difference. Check that the reference is from this network, this "
                "input and this initial state (zero, unless the reference has h0), and without dropout: model.eval() "
                "in PyTorch."
            )
        return f"{lines} But {self.cause}. {self.cause.remedy}".rstrip()


def check(model: Model | Imported, other: Model | Imported | Arrays | bytes | str | Path) -> Parity:
    """Compare the values that a model computes with the values of another implementation.

    `other` is a reference or a second model, which is run on the same random input. A reference is given as arrays by
    name, or as the bytes or the path of an `.npz` file. A second model can also be given as the bytes or the path of
    its file. If `model` is an `Imported`, mistakes are tried in the convention of its file, and only the shown
    direction is compared.

    Raises FormatError if the two cannot be compared, Unanswered if the file of the second model leaves a question open,
    and OSError if a file cannot be read.
    """
    if isinstance(other, bytes | str | Path) and not is_reference(data := references.data(other)):
        other = read_model(data, "the second file") if isinstance(other, bytes) else read_file(other)
    if isinstance(other, Model | Imported):
        return _check_models(model, other)
    core = _core(model)
    backward = isinstance(model, Imported) and model.direction == "backward"
    both = isinstance(model, Imported) and model.both
    as_read = backward and isinstance(model, Imported) and model.as_read
    arrays = references.arrays(other)
    reference = references.read(core, arrays, both, backward, as_read)
    if reference.padded.any() and (unmasked := _without_mask(core)) is not None:
        parity = _compare(core, reference)[0]
        again = _compare(unmasked, references.read(unmasked, arrays, both, backward, as_read))[0]
        if again.passed and not parity.passed:
            left = max(difference.relative for difference in again.differences)
            return replace(parity, cause=Cause("padding", "without the mask", left, remedies.MASK))
    return _check(model, reference)


def is_reference(data: bytes) -> bool:
    """Return whether a file is a reference: an `.npz` with an array `x`, `h` or `y`.

    Raises FormatError if the file is damaged.
    """
    return data[:2] == b"PK" and not {"x.npy", "h.npy", "y.npy"}.isdisjoint(archive.members(data))


def _core(model: Model | Imported) -> Model:
    return model.model if isinstance(model, Imported) else model


def _without_mask(model: Model) -> Model | None:
    """Return a copy of the model that reads padding like every other timestep, or None if the model has no mask."""
    if isinstance(model.encoder, Numbers) or model.encoder.padding is None:
        return None
    return replace(model, encoder=replace(model.encoder, padding=None))


def _compare(core: Model, reference: Reference) -> tuple[Parity, Case, dict[str, Array]]:
    """Return the result without a cause, the case that was run, and the model's signals in this case."""
    case = _case(core, reference)
    order = np.argsort(reference.padded, axis=0, kind="stable")
    # In a layer of one direction no state depends on the padding at the end, and the run is faster without a mask.
    runs = core.forward(case.x, case.h0, mask=case.counted if core.is_bidirectional else None)
    given = {f"h_l{k}": run.h for k, run in enumerate(runs)} | {"y": core.readout(runs[-1].h)}
    bits = reference.bits
    if bits == 53 and any(array.dtype != np.float64 for array in core.parameters.values()):
        bits = 24
    tolerance = TOLERANCE[bits]
    differences = tuple(
        _difference(name, given[name], wanted, order, tolerance) for name, wanted in case.wanted.items()
    )
    return Parity(tolerance, differences, precision=PRECISIONS[bits]), case, given


def _check(model: Model | Imported, reference: Reference) -> Parity:
    core = _core(model)
    parity, case, given = _compare(core, reference)
    tolerance = parity.tolerance
    empty = any(not signal.values[signal.at].any() for signal in case.wanted.values())
    if parity.passed or empty or not known(core.layers):
        return parity  # zeros show no cause, and all known mistakes concern GRU, LSTM or RNN layers of one kind
    if reference.swapped is not None:
        swapped = _case(core, replace(reference, wanted=reference.swapped)).wanted
        left = max(signal.relative_error(given[name]) for name, signal in swapped.items())
        if left <= tolerance:
            return replace(
                parity, cause=Cause("direction", "with the two directions swapped", left, remedies.DIRECTIONS)
            )
    if core.is_bidirectional:
        return parity  # all other mistakes can only be tried with one direction
    return replace(parity, cause=_cause(model, case, parity))


def _case(core: Model, reference: Reference) -> Case:
    """Return the reference as a case without cells, with the padding moved to the end of each sequence."""
    counted = np.ones_like(reference.padded)
    case = Case(
        (), Convention(""), reference.x, reference.wanted, counted, reference.h0, Output.from_readout(core.readout)
    )
    return without_padding(case, reference.padded)


def _cause(model: Model | Imported, case: Case, parity: Parity) -> Cause | None:
    """Return the cause of a difference, or None if no known mistake explains the difference."""
    core = _core(model)
    if isinstance(model, Imported):
        cases = [replace(case, cells=model.cells, convention=model.convention)]
    else:
        cases = [
            replace(case, cells=tuple(FileLayer.from_core(layer, c) for layer in core.layers), convention=c)
            for c in _meant(core)
        ]
    right = {d.name for d in parity.differences if d.name != "y" and d.relative <= parity.tolerance}
    cause = explain(cases, parity.tolerance)
    if cause is not None and f"h_l{len(core.layers) - 1}" in right:
        return replace(cause, words=f"h is right, and {_on_y(cause.words)}")
    return cause and replace(cause, words=_on_y(cause.words))


def _on_y(words: str) -> str:
    return words.replace("with without", "without")


def _meant(model: Model) -> list[Convention]:
    """Return the conventions that a model's weights may have. The source is unknown, so a GRU's z may be inverted."""
    layer = model.layers[0]
    turned: tuple[Update, ...] = ("take", "keep")
    if isinstance(layer, GRU):
        return [Convention(BLOCKS[3], layer.reset, z) for z in turned]
    return [Convention(BLOCKS[len(layer.gates)])]


def _difference(name: str, given: Array, wanted: Wanted, order: npt.NDArray[np.intp], tolerance: float) -> Difference:
    """Return the difference of a signal. `order` has the reference's timestep for each timestep of `given`."""
    off = np.abs(given.astype(np.float64) - wanted.values) * wanted.at[..., None]
    in_place = np.empty_like(off)
    np.put_along_axis(in_place, order[..., None], off, 0)
    step, _, unit = np.unravel_index(in_place.argmax(), off.shape)
    by_step = in_place.max((1, 2))
    largest = float(by_step.max())
    relative = wanted.relative_error(given)
    large = by_step > (tolerance * largest / relative if relative else 0)
    first = int(large.argmax()) + 1 if large.any() else None
    return Difference(name, by_step, largest, relative, int(step) + 1, int(unit) + 1, first)


def _check_models(model: Model | Imported, other: Model | Imported) -> Parity:
    """Run both models over the same random input, and compare their signals."""
    first, second = _core(model), _core(other)
    kinds = [[layer.title for layer in core.layers] for core in (first, second)]
    if kinds[0][0] != kinds[1][0]:
        raise FormatError(
            f"the first file has {kinds[0][0]} layers, the second {kinds[1][0]} layers: they cannot be compared"
        )
    for what, a, b in (
        ("inputs", first.layers[0].inputs, second.layers[0].inputs),
        ("units in its top layer", first.layers[-1].units, second.layers[-1].units),
    ):
        if a != b:
            raise FormatError(f"the first file has {a} {what}, the second has {b}: they cannot be compared")
    if len(second.layers) > len(first.layers):  # the search can only leave layers out, so start from the larger network
        return _second_compared(_check_models(other, model))
    rng = np.random.default_rng(0)
    x: Array = rng.normal(size=(STEPS, SEQUENCES, first.layers[0].inputs))
    if isinstance(first.encoder, Symbols) and isinstance(second.encoder, Symbols):
        fewest = min(len(first.encoder.alphabet), len(second.encoder.alphabet))
        x = first.encoder.vectors(rng.integers(0, fewest, x.shape[:2]))
    back = [isinstance(m, Imported) and m.direction == "backward" for m in (model, other)]
    runs = second.forward(x[::-1] if back[1] else x)
    flip = slice(None, None, -1 if back[0] != back[1] else 1)
    at, top = np.ones(x.shape[:2], bool), len(first.layers) - 1
    wanted = {f"h_l{top}": Wanted(runs[-1].h[flip], at)}
    equal = len(first.layers) == len(second.layers) and all(
        a.units == b.units and type(a) is type(b) for a, b in zip(first.layers, second.layers, strict=True)
    )
    if equal:
        wanted = {f"h_l{k}": Wanted(run.h[flip], at) for k, run in enumerate(runs)}
    if len(first.readout.labels) == len(second.readout.labels):
        wanted["y"] = Wanted(second.readout(runs[-1].h)[flip], at)
    h0 = tuple(np.zeros((SEQUENCES, len(layer.carried) * layer.units)) for layer in first.layers)
    shown = x[::-1] if back[0] else x
    doubles = all(a.dtype == np.float64 for core in (first, second) for a in core.parameters.values())
    parity = _check(model, Reference(shown, wanted, ~at, h0, 53 if doubles else 24))
    if not equal:
        return parity
    order = np.argsort(~at, axis=0, kind="stable")
    gates = tuple(
        _difference(f"{name}_l{k}", getattr(a, name), Wanted(getattr(b, name)[flip], at), order, parity.tolerance)
        for k, (a, b) in enumerate(zip(first.forward(shown), runs, strict=True))
        for name in a.cell.signals
        if name != "h"
    )
    return replace(parity, gates=gates)


def _second_compared(parity: Parity) -> Parity:
    if parity.cause is None:
        return parity
    return replace(parity, cause=replace(parity.cause, words=f"{parity.cause.words} of the second file"))
