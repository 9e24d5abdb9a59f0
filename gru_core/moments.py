"""Similar moments: other timesteps at which a unit does the same, and other units that do the same at these timesteps.

A moment is the values of a signal of one unit over some timesteps. Two moments are similar if at each of their
timesteps the values differ by at most a share `near` of the signal's scale. The sign of a state is arbitrary. So if a
signal goes from below 0 to above 0, a unit with the opposite values is similar too, and is called mirrored.

Selecting a pattern of one unit and asking what the matches have in common comes from LSTMVis (Strobelt et al., 2018).
The measure of similarity does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array, Mask
from gru_core.cell import Run
from gru_core.encoder import Symbols
from gru_core.model import Model
from gru_core.tasks import Batch, explained

Steps = npt.NDArray[np.int_]

NEAR = 0.1
"""The largest difference of two similar values, as a share of the signal's scale."""


@dataclass(frozen=True)
class Likeness:
    """A similar unit, from 0, and its largest difference from the given one, as a share of the scale."""

    unit: int
    gap: float
    mirrored: bool


@dataclass(frozen=True)
class Place:
    """A similar moment in other data: its sequence and its first timestep, both from 0, and its largest difference."""

    sequence: int
    t: int
    gap: float


@dataclass(frozen=True)
class Common:
    """A property that many of the places share.

    `share` of them have it at timestep `step`, where 0 is the first of the moment and -1 the one before. `elsewhere` is
    the share of all timesteps that have it.
    """

    step: int
    what: str
    share: float
    elsewhere: float


@dataclass(frozen=True)
class Moments:
    """The `count` similar moments among `of` possible ones, the closest of them, and their common properties."""

    count: int
    of: int
    places: list[Place]
    common: list[Common]


def units_alike(run: Run, signal: str, unit: int, steps: slice, near: float = NEAR) -> list[Likeness]:
    """Return the other units of a run `(T, H)` with similar values over `steps`, the closest first.

    Raises ValueError if the cell has no such signal.
    """
    values, scale, signed = _course(run, signal)
    here = values[steps]
    wanted = here[:, unit : unit + 1]
    found = []
    for mirrored in (False, True) if signed else (False,):
        gaps = np.abs(here - (-wanted if mirrored else wanted)).max(0) / scale
        found += [Likeness(int(u), float(gaps[u]), mirrored) for u in np.flatnonzero(gaps <= near) if u != unit]
    return sorted(found, key=lambda one: one.gap)


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
    """Return the moments in `batch` at which the unit's signal is similar to `wanted` `(n,)`.

    At most `most` places are listed, and all are counted. Raises ValueError if the cell has no such signal, or if the
    sequences are shorter than n timesteps.
    """
    values, scale, _ = _course(model.forward(batch.x)[layer], signal)
    T, n = len(values), len(wanted)
    if n > T:
        raise ValueError(f"a moment of {n} steps is too long: the held-out sequences have {T} steps")
    windows = np.lib.stride_tricks.sliding_window_view(values[..., unit], n, axis=0)  # (T − n + 1, B, n)
    gaps = np.abs(windows - wanted).max(-1) / scale
    t, b = np.nonzero(gaps <= near)
    order = np.argsort(gaps[t, b], kind="stable")[:most]
    places = [Place(int(b[i]), int(t[i]), float(gaps[t[i], b[i]])) for i in order]
    return Moments(len(t), gaps.size, places, _common(_kinds(model, batch), t, b, n))


def _course(run: Run, signal: str) -> tuple[Array, float, bool]:
    """A signal's values, how long its scale is, and whether it has two signs."""
    if signal not in run.cell.signals:
        raise ValueError(f"this cell has no {signal}; its signals are {', '.join(run.cell.signals)}")
    style = run.cell.signals[signal]
    return getattr(run, signal), style.highest - style.lowest, style.lowest < 0


def _kinds(model: Model, batch: Batch) -> dict[str, Mask]:
    """What can be said of a step: its kind, as the task has it, and the symbol that is read."""
    first = explained(next(iter(batch.events), ""))
    kinds = {f"no {first}" if kind == "other" else explained(kind): mask for kind, mask in batch.events.items()}
    if isinstance(model.encoder, Symbols):
        kinds |= {f"“{symbol}”": batch.x[..., i] > 0 for i, symbol in enumerate(model.encoder.alphabet)}
    return kinds


def _common(kinds: dict[str, Mask], t: Steps, b: Steps, n: int) -> list[Common]:
    """What at least half of the places have, and half as often again as any step; from the step before them on."""
    found = []
    for step in range(-1, n):
        there = t + step
        inside = there >= 0
        if not inside.any():
            continue
        for what, mask in kinds.items():
            share, elsewhere = float(mask[there[inside], b[inside]].mean()), float(mask.mean())
            if share >= 0.5 and share >= 1.5 * elsewhere:
                found.append(Common(step, what, share, elsewhere))
    return sorted(found, key=lambda one: (abs(one.step), -one.share / max(one.elsewhere, 1e-9)))
