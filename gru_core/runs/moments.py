"""Similar moments: other timesteps at which a unit shows the same pattern, and other units that show it too.

A moment consists of the values of one unit's signal over some consecutive timesteps. Two moments are similar if, at
each timestep, their values differ by at most `near`, a share of the signal's scale. The sign of a state is arbitrary.
If the scale of a signal has negative values, a unit with the opposite values therefore counts as similar too, and is
called mirrored.

The idea to select a pattern of one unit and to ask what its matches have in common is from LSTMVis (Strobelt et al.,
2018). The measure of similarity is our own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array, Mask
from gru_core.cells.run import Run
from gru_core.encoders.symbols import Symbols
from gru_core.model import Model
from gru_core.training.task import Batch, explained

Steps = npt.NDArray[np.int_]

NEAR = 0.1
"""The largest difference between similar values, as a share of the signal's scale."""


@dataclass(frozen=True)
class Likeness:
    """A unit with values that are similar to the values of the selected unit.

    `unit` counts from 0. `gap` is the largest difference between the values, as a share of the signal's scale.
    `mirrored` is true if the values are similar with the opposite sign.
    """

    unit: int
    gap: float
    mirrored: bool


@dataclass(frozen=True)
class Place:
    """A similar moment in another sequence.

    `sequence` is the index of the sequence, and `t` is the first timestep of the moment. Both count from 0. `gap` is
    the largest difference between the values, as a share of the signal's scale.
    """

    sequence: int
    t: int
    gap: float


@dataclass(frozen=True)
class Common:
    """A property that many of the similar moments have in common.

    `what` is the property: a kind of timestep, or a symbol. `share` is the share of the similar moments that have the
    property at timestep `step`: 0 is the first timestep of the moment, and -1 is the timestep before it. `elsewhere` is
    the share of all timesteps that have the property.
    """

    step: int
    what: str
    share: float
    elsewhere: float


@dataclass(frozen=True)
class Moments:
    """The result of a search for similar moments.

    `count` of all `total` moments are similar. `places` lists the most similar moments, and `common` lists the
    properties that many similar moments share.
    """

    count: int
    total: int
    places: list[Place]
    common: list[Common]


def units_alike(run: Run, signal: str, unit: int, steps: slice, near: float = NEAR) -> list[Likeness]:
    """Return the units of a run `(T, H)` with values similar to the values of `unit` in `steps`, the closest first.

    Raises ValueError if the cell has no such signal.
    """
    values, scale, signed = _values(run, signal)
    moments = values[steps]
    selected = moments[:, unit : unit + 1]
    similar = []
    for mirrored in (False, True) if signed else (False,):
        gaps = np.abs(moments - (-selected if mirrored else selected)).max(0) / scale
        similar += [Likeness(int(u), float(gaps[u]), mirrored) for u in np.flatnonzero(gaps <= near) if u != unit]
    return sorted(similar, key=lambda likeness: likeness.gap)


def places_alike(
    model: Model,
    wanted: Array,
    signal: str,
    unit: int,
    batch: Batch,
    layer: int = -1,
    near: float = NEAR,
    most: int = 20,
) -> Moments:
    """Return the moments in `batch` at which the unit's signal is similar to the n values `wanted`.

    The result counts all similar moments, but lists only the `most` closest. Raises ValueError if the cell has no such
    signal, or if the sequences are shorter than n timesteps.
    """
    values, scale, _ = _values(model.forward(batch.x)[layer], signal)
    T, n = len(values), len(wanted)
    if n > T:
        raise ValueError(f"a moment of {n} timesteps is too long: the held-out sequences have {T} steps")
    windows = np.lib.stride_tricks.sliding_window_view(values[..., unit], n, axis=0)  # (T − n + 1, B, n)
    gaps = np.abs(windows - wanted).max(-1) / scale
    real = np.logical_or.reduce([*batch.events.values()])  # timesteps after the end of a sequence are of no kind
    inside = np.lib.stride_tricks.sliding_window_view(real, n, axis=0).all(-1)
    t, b = np.nonzero((gaps <= near) & inside)
    order = np.argsort(gaps[t, b], kind="stable")[:most]
    places = [Place(int(b[i]), int(t[i]), float(gaps[t[i], b[i]])) for i in order]
    return Moments(len(t), int(inside.sum()), places, _common(_properties(model, batch), t, b, n))


def _values(run: Run, signal: str) -> tuple[Array, float, bool]:
    """Return a signal's values, the length of its scale, and whether its scale has negative values.

    Raises ValueError if the cell has no such signal.
    """
    if signal not in run.cell.signals:
        raise ValueError(f"this cell has no {signal}; its signals are {', '.join(run.cell.signals)}")
    style = run.cell.signals[signal]
    return getattr(run, signal), style.highest - style.lowest, style.lowest < 0


def _properties(model: Model, batch: Batch) -> dict[str, Mask]:
    """Return a mask `(T, B)` for each property of timesteps, by name: the task's kinds of timestep, and the symbols."""
    marked = explained(next(iter(batch.events), ""))
    properties = {f"no {marked}" if kind == "other" else explained(kind): mask for kind, mask in batch.events.items()}
    if isinstance(model.encoder, Symbols):
        properties |= {f"“{symbol}”": batch.x[..., i] > 0 for i, symbol in enumerate(model.encoder.alphabet)}
    return properties


def _common(properties: dict[str, Mask], t: Steps, b: Steps, n: int) -> list[Common]:
    """Return the properties that at least half of the moments have, and 1.5 times as often as timesteps in general.

    The moments start at timesteps `t` of sequences `b` and have n timesteps. The timestep before a moment is examined
    as well.
    """
    common = []
    for step in range(-1, n):
        times = t + step
        inside = times >= 0
        if not inside.any():
            continue
        for what, mask in properties.items():
            share, elsewhere = float(mask[times[inside], b[inside]].mean()), float(mask.mean())
            if share >= 0.5 and share >= 1.5 * elsewhere:
                common.append(Common(step, what, share, elsewhere))
    return sorted(common, key=lambda entry: (abs(entry.step), -entry.share / max(entry.elsewhere, 1e-9)))
