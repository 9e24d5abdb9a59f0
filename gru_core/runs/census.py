"""A census: what each unit of a model does over many sequences, as one row of statistics for each unit.

    census = gru.census(model, texts, labels=["spam", "ham", …])
    census.table()                                   # a list of rows for pandas.DataFrame
    unit = max(census, key=lambda unit: abs(unit.auc - 0.5))
    census.trace(unit.moments["label"].sequence)     # the run in which this unit shows the label most clearly

A gate counts as closed below 0.1 and as open above 0.9, as in Karpathy, Johnson and Fei-Fei 2015 (arXiv:1506.02078).
The statistics leave out padding and timesteps that the network skips. A unit is called dead if its state covers less
than 1% of its scale over all sequences.

The half-life at a timestep is the number of timesteps until half of the state is left, if the gate keeps its value. The
half-life of a unit is the harmonic mean over all timesteps, which corresponds to the mean logarithm of the kept share.
The first timestep of a sequence has no earlier state to keep, so it does not count for half-lives.

The AUC, the area under the ROC curve, measures how well a unit separates two labels. It is the probability that the
state is higher at a random timestep with the second label than at a random timestep with the first; equal states count
half (Mann and Whitney 1947). 0.5 means that the unit says nothing about the label. At 0 and 1 the unit separates the
labels fully. For numbers as `targets`, the measure is Pearson's correlation between the state and the number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gru_core import notebook
from gru_core.arrays import Array, Mask
from gru_core.cells.run import Run
from gru_core.cells.signals import Theme
from gru_core.model import Model
from gru_core.runs import figures
from gru_core.runs.batch import read_all, trace_batch
from gru_core.runs.trace import Trace, trace

if TYPE_CHECKING:
    import plotly.graph_objects as go

CLOSED, OPEN = 0.1, 0.9
"""A gate counts as closed below the first value, and as open above the second."""

DEAD = 0.01
"""A unit is dead if its state covers less than this share of its scale."""

AT_ONCE = 2**24
"""The limit on the numbers of one signal in memory at the same time: T × B × H, summed over all layers."""

Label = str | int | None
Targets = Sequence[float | None] | Sequence[Sequence[float | None]] | npt.NDArray[Any]
"""A number for each sequence or, for each sequence, a list with a number per timestep. None stands for no number."""

Labels = Sequence[Label] | Sequence[Sequence[Label]] | npt.NDArray[Any]
"""A label for each sequence or, for each sequence, a list with a label per timestep. None stands for no label."""


class Moment(NamedTuple):
    """A timestep `t` in the sequence with index `sequence`. Both count from 0."""

    sequence: int
    t: int


@dataclass(frozen=True)
class Unit:
    """The statistics of one unit. `layer` and `unit` count from 0.

    `means` has the mean of each gate. `closed` and `open` have the share of timesteps at which each gate is closed or
    open. `lowest` and `highest` are the extremes of the state h. `dead` is true if the two are close together.
    `half_life` and `longest_half_life` are in timesteps; None if the cell keeps no part of the old state directly, as
    in an RNN. `auc` measures how well the state separates the labels; None without labels. A label of a whole sequence
    belongs to the state after its last timestep. `correlation` is the correlation between the state and the targets,
    which belong to timesteps in the same way; None without targets.

    `moments` has an example timestep for each statistic: "change" is the largest change of h, "half-life" the longest
    half-life, and "label" the timestep with the second label at which the state is highest, or lowest if the AUC is
    below 0.5. "target" is the timestep that adds most to the correlation.
    """

    layer: int
    unit: int
    means: Mapping[str, float]
    closed: Mapping[str, float]
    open: Mapping[str, float]
    lowest: float
    highest: float
    dead: bool
    half_life: float | None
    longest_half_life: float | None
    auc: float | None
    moments: Mapping[str, Moment]
    correlation: float | None = None

    def row(self) -> dict[str, Any]:
        """Return the statistics as a flat dictionary, which is a row of the table.

        Each moment has two entries, such as `change.sequence` and `change.t`.
        """
        row: dict[str, Any] = {"layer": self.layer, "unit": self.unit}
        for gate, mean in self.means.items():
            row |= {f"{gate}.mean": mean, f"{gate}.closed": self.closed[gate], f"{gate}.open": self.open[gate]}
        row |= {"h.lowest": self.lowest, "h.highest": self.highest, "dead": self.dead}
        numbers = {"half_life": self.half_life, "longest_half_life": self.longest_half_life, "auc": self.auc}
        numbers["correlation"] = self.correlation
        row |= {name: number for name, number in numbers.items() if number is not None}
        for name, moment in self.moments.items():
            row |= {f"{name}.sequence": moment.sequence, f"{name}.t": moment.t}
        return row


@dataclass(frozen=True)
class Census:
    """The statistics of every unit of `model` over `sequences`.

    `steps` is the number of timesteps, without padding and skipped timesteps. `units` has all units, from the bottom
    layer to the top. `labels` are the two labels of the AUC, None without labels. Iterating over a census gives the
    units.
    """

    model: Model
    sequences: Sequence[str | npt.ArrayLike] | Array = field(repr=False)
    steps: int
    units: tuple[Unit, ...]
    labels: tuple[str, str] | None = None

    def __iter__(self) -> Iterator[Unit]:
        return iter(self.units)

    def __len__(self) -> int:
        return len(self.units)

    def table(self) -> list[dict[str, Any]]:
        """Return a row for each unit, as dictionaries with the same keys: `pandas.DataFrame(census.table())`."""
        return [unit.row() for unit in self.units]

    def trace(self, sequence: int) -> Trace:
        """Return the run over the sequence with this index, such as `unit.moments["change"].sequence`."""
        return trace(self.model, self.sequences[sequence])

    def figure(self, theme: Theme = "light") -> go.Figure:
        """Return a Plotly figure with a point for each unit: how often each gate is closed and open.

        Further panels have the half-lives and, with labels, the AUC.
        """
        return figures.census_figure(self.model, self.units, self._title, self.labels, theme)

    @property
    def _title(self) -> str:
        return f"{self.model.card.title}: {len(self.sequences):,} sequences, {self.steps:,} timesteps"

    def __repr__(self) -> str:
        dead = sum(unit.dead for unit in self.units)
        labels = "" if self.labels is None else f", {self.labels[0]!r} against {self.labels[1]!r}"
        size = f"{len(self.sequences)} sequences, {self.steps} timesteps"
        return f"Census({self.model.card.title[:40]!r}: {len(self.units)} units, {dead} dead; {size}{labels})"

    def _repr_html_(self) -> str:
        """Return the table as HTML, for display in a notebook."""
        return notebook.rows_html(self._title, self.table())


def census(
    model: Model,
    sequences: Sequence[str | npt.ArrayLike] | Array,
    labels: Labels | None = None,
    between: tuple[Label, Label] | None = None,
    targets: Targets | None = None,
) -> Census:
    """Run `model` over all sequences and return a Census, with statistics for each unit.

        census = gru.census(model, ["A m m B", "B m"])                          # how the gates act
        census = gru.census(model, texts, labels=["spam", "ham", …])            # a label for each sequence
        census = gru.census(model, texts, labels=[["N", "V", None], …])         # a label for each timestep

    `sequences` are strings or arrays `(T, I)`, as for `trace_batch`. To save memory, only some of them run at the same
    time. `labels` has a label for each sequence or, for each sequence, a list with a label per timestep; None stands
    for no label. `between` names the two labels to separate, which is necessary if there are more than two. `targets`
    has numbers in the same form as labels, such as a rating of each text. Each unit then has its correlation with the
    targets.

    Raises SequenceError if a sequence cannot be read. Raises ValueError if the number of labels or targets does not
    match the sequences, if there are not two labels to separate, or if a target is not a finite number.
    """
    _, inputs = read_all(model, sequences)
    lengths = np.array([len(x) for x in inputs])
    places = _Places(labels, lengths, between) if labels is not None else None
    values = None if targets is None else _per_step(targets, lengths, "targets")
    layers = [_Statistics(cell.units) for cell in model.layers]
    steps = 0
    for numbers in _groups(lengths, sum(cell.units for cell in model.layers)):
        batch = trace_batch(model, [inputs[n] for n in numbers])
        steps += int(batch.mask.sum())
        chosen = None if places is None else places.padded(numbers, batch.lengths)
        for run, statistics in zip(batch.layers, layers, strict=True):
            statistics.add(run, batch.mask, numbers, chosen)
            if values is not None:
                statistics.add_targets(run, batch.mask, numbers, _padded(values, numbers, batch.lengths))
    if not steps:
        raise ValueError("the network skips every timestep of these sequences")
    units = tuple(
        unit
        for k, (cell, statistics) in enumerate(zip(model.layers, layers, strict=True))
        for unit in statistics.units(k, cell.signals["h"].highest - cell.signals["h"].lowest)
    )
    return Census(model, sequences, steps, units, None if places is None else places.labels)


def auc(values: Array, second: Mask) -> float:
    """Return the probability that a value in the mask `second` is higher than a value outside the mask.

    Equal values count half. `values` and `second` are `(N,)`. The result is 0.5 if all values have the same label.
    """
    pairs = int(second.sum()) * int((~second).sum())
    if not pairs:
        return 0.5
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2  # from 1; equal values share their mean rank
    n = int(second.sum())
    return float((ranks[place][second].sum() - n * (n + 1) / 2) / pairs)


def _per_step(given: Any, lengths: npt.NDArray[np.int_], words: str) -> list[list[Any]]:
    """Return, for each sequence, a list with the label or target of each timestep, or None.

    A label or target for a whole sequence is put at the last timestep. `words` names the values in error messages.
    Raises ValueError if the number of values does not match the sequences or the timesteps.
    """
    if len(given) != len(lengths):
        raise ValueError(f"there are {len(given)} {words} for {len(lengths)} sequences: give one for each, or None")
    every: list[list[Any]] = []
    for number, (each, T) in enumerate(zip(given, lengths.tolist(), strict=True), 1):
        steps = list(each) if isinstance(each, Sequence | np.ndarray) and not isinstance(each, str) else []
        if not steps:
            steps = [*[None] * (T - 1), each]
        if len(steps) != T:
            raise ValueError(f"sequence {number} has {T} timesteps, but {len(steps)} {words}: give one for each")
        every.append(steps)
    return every


def _padded(values: list[list[Any]], numbers: Sequence[int], lengths: npt.NDArray[np.int_]) -> Array:
    """Return the targets of padded sequences, `(T, B)`, with NaN at timesteps without a target.

    Raises ValueError if a target is not a finite number.
    """
    padded = np.full((int(lengths.max()), len(numbers)), np.nan)
    for b, number in enumerate(numbers):
        for t, value in enumerate(values[number]):
            if value is not None:
                padded[t, b] = value
                if not np.isfinite(padded[t, b]):
                    raise ValueError(f"the target of sequence {number + 1} at timestep {t + 1} is not a finite number")
    return padded


class _Places:
    """The timesteps that have one of the two labels in `labels`."""

    def __init__(self, labels: Labels, lengths: npt.NDArray[np.int_], between: tuple[Label, Label] | None) -> None:
        given = _per_step(labels, lengths, "labels")
        self._steps = [[None if label is None else str(label) for label in steps] for steps in given]
        counts = Counter(label for steps in self._steps for label in steps if label is not None)
        if between is None and len(counts) != 2:
            some = ", ".join(sorted(counts)[:12])
            raise ValueError(
                f"there are {len(counts)} different labels ({some}), but a unit separates two: name them, as in "
                'between=("first", "second")'
            )
        first, second = sorted(counts) if between is None else map(str, between)
        missing = [label for label in (first, second) if label not in counts]
        if missing:
            raise ValueError(f"no timestep has the label {missing[0]!r}: choose from {', '.join(counts)}")
        self.labels = first, second

    def padded(self, numbers: Sequence[int], lengths: npt.NDArray[np.int_]) -> npt.NDArray[np.int8]:
        """Return an array `(T, B)` for padded sequences: 0 at the first label, 1 at the second, and -1 elsewhere."""
        index = {label: i for i, label in enumerate(self.labels)}
        places = np.full((int(lengths.max()), len(numbers)), -1, np.int8)
        for b, number in enumerate(numbers):
            places[: lengths[b], b] = [
                index.get(label, -1) if label is not None else -1 for label in self._steps[number]
            ]
        return places


class _Statistics:
    """The statistics of the units of one layer, accumulated over groups of sequences."""

    def __init__(self, H: int) -> None:
        self.steps = self.later = 0
        self.sums: dict[str, Array] = {}
        self.lowest, self.highest = np.full(H, np.inf), np.full(H, -np.inf)
        self.largest = {"change": np.full(H, -1.0), "half-life": np.full(H, -1.0)}
        self.moments = {name: np.zeros((H, 2), int) for name in self.largest}
        self.rates = np.zeros(H)
        self.states: list[Array] = []
        self.places: list[tuple[npt.NDArray[np.int8], npt.NDArray[np.int_]]] = []
        self.targets: list[tuple[Array, Array, npt.NDArray[np.int_]]] = []

    def add(self, run: Run, mask: Mask, numbers: Sequence[int], chosen: npt.NDArray[np.int8] | None) -> None:
        """Add a run `(T, B, H)` of the sequences with the indices `numbers`. `chosen` comes from `_Places.padded`."""
        self.steps += int(mask.sum())
        for gate, signal in run.cell.signals.items():
            if signal.lowest == 0:
                values = getattr(run, gate)[mask]
                sums = values.sum(0, dtype=float), (values < CLOSED).sum(0), (values > OPEN).sum(0)
                self.sums[gate] = self.sums.get(gate, 0) + np.array(sums)
        h = run.h[mask]
        self.lowest, self.highest = np.minimum(self.lowest, h.min(0)), np.maximum(self.highest, h.max(0))
        self._largest("change", np.abs(run.h - run.before("h")), mask, numbers)
        half_life = run.half_life
        if half_life is not None:
            later = mask.copy()
            later[0] = False
            self.later += int(later.sum())
            with np.errstate(divide="ignore"):
                self.rates += (1 / half_life[later]).sum(0, dtype=float)
            self._largest("half-life", half_life, later, numbers)
        if chosen is not None:
            t, b = np.nonzero((chosen >= 0) & mask)
            self.states.append(run.h[t, b])
            self.places.append((chosen[t, b], np.stack([np.asarray(numbers)[b], t], 1)))

    def add_targets(self, run: Run, mask: Mask, numbers: Sequence[int], targets: Array) -> None:
        """Add the states of a run at the timesteps with targets. `targets` `(T, B)` is NaN elsewhere."""
        t, b = np.nonzero(~np.isnan(targets) & mask)
        self.targets.append((run.h[t, b], targets[t, b], np.stack([np.asarray(numbers)[b], t], 1)))

    def _correlations(self) -> tuple[Array, npt.NDArray[np.int_]]:
        """Return each unit's correlation with the targets, `(H,)`, and the moment that adds most to it, `(H, 2)`.

        Raises ValueError if no timestep that counts has a target.
        """
        h, y, where = (np.concatenate(parts) for parts in zip(*self.targets, strict=True))
        if not len(y):
            raise ValueError("no timestep that counts has a target")
        products = (h - h.mean(0)) * (y - y.mean())[:, None]
        scale = h.std(0) * y.std()
        r = np.divide(products.mean(0), scale, out=np.zeros(h.shape[1]), where=scale > 0)
        return r, where[(products * np.where(r < 0, -1, 1)).argmax(0)]

    def _largest(self, name: str, values: Array, mask: Mask, numbers: Sequence[int]) -> None:
        """Update each unit's largest value of the statistic `name`, and the moment of this value."""
        t, b = np.nonzero(mask)
        if not len(t):
            return
        counted = values[t, b]
        best = counted.argmax(0)
        largest = counted[best, np.arange(counted.shape[1])]
        larger = largest > self.largest[name]
        self.largest[name][larger] = largest[larger]
        self.moments[name][larger] = np.stack([np.asarray(numbers)[b[best]], t[best]], 1)[larger]

    def units(self, layer: int, scale: float) -> Iterator[Unit]:
        """Yield a `Unit` for each unit of the layer. `scale` is the highest minus the lowest value that h can have."""
        states = np.concatenate(self.states) if self.states else None
        second = np.concatenate([place for place, _ in self.places]) == 1 if self.places else None
        where = np.concatenate([moments for _, moments in self.places]) if self.places else None
        correlations, targets = self._correlations() if self.targets else (None, None)
        for u in range(len(self.lowest)):
            moments = {"change": Moment(*self.moments["change"][u].tolist())}
            half_life = longest = None
            if self.later:
                half_life = float(self.later / self.rates[u]) if self.rates[u] else float("inf")
                longest = float(self.largest["half-life"][u])
                moments["half-life"] = Moment(*self.moments["half-life"][u].tolist())
            area = None
            if states is not None and second is not None and where is not None:
                area = auc(states[:, u], second)
                shown = np.where(second, states[:, u] if area >= 0.5 else -states[:, u], -np.inf)
                moments["label"] = Moment(*where[shown.argmax()].tolist())
            if targets is not None:
                moments["target"] = Moment(*targets[u].tolist())
            r = None if correlations is None else float(correlations[u])
            means, closed, opened = (
                {gate: float(sums[i][u] / self.steps) for gate, sums in self.sums.items()} for i in range(3)
            )
            lowest, highest = float(self.lowest[u]), float(self.highest[u])
            dead = highest - lowest < DEAD * scale
            yield Unit(layer, u, means, closed, opened, lowest, highest, dead, half_life, longest, area, moments, r)


def _groups(lengths: npt.NDArray[np.int_], units: int) -> Iterator[list[int]]:
    """Yield groups of sequences that run together, as lists of indices.

    The sequences of a group have similar lengths. One signal of all layers has at most `AT_ONCE` numbers, unless a
    single sequence has more.
    """
    group: list[int] = []
    for number in np.argsort(-lengths, kind="stable").tolist():
        if group and (len(group) + 1) * lengths[group[0]] * units > AT_ONCE:
            yield group
            group = []
        group.append(number)
    yield group
