"""The keys of a link that describe a run: the sequence, the second sequence, the clamps and the initial state."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gru_core import Trace
from gru_core.arrays import Array, Mask
from gru_core.cells.run import Run


def keys_of(trace: Trace) -> dict[str, str]:
    """Return the keys of a link to a run. Raises ValueError if a link cannot describe the run."""
    if trace.tokens is None:
        raise ValueError("this trace has an array as its sequence: run the model on a text to show it")
    keys = {"sequence": " ".join(trace.tokens)}
    clamps = [clamp for number, run in enumerate(trace.layers, 1) for clamp in _clamps(run, number)]
    if clamps:
        keys["clamps"] = ",".join(clamps)
    if trace.second and trace.twin is not None and trace.twin.tokens is not None:
        keys["against"] = " ".join(trace.twin.tokens)
    states = [np.concatenate([getattr(run, f"{name}0") for name in run.cell.carried]) for run in trace.layers]
    if any(state.any() for state in states):
        keys["h0"] = ";".join(",".join(map(_number, state)) for state in states)
    return keys


def _clamps(run: Run, layer: int) -> Iterator[str]:
    """Yield the clamps on a layer in the form of a link, such as L2.z.1+3@4-6=0. Join units with equal clamps."""
    if run.holds is None:
        return
    skipped = run.holds.skipped
    for signal, mask in run.holds.masks.items():
        held = mask if skipped is None else mask & ~skipped
        units: dict[tuple[int, int, float], list[int]] = {}
        for unit in np.flatnonzero(held.any(0)).tolist():
            for stretch in _stretches(held[:, unit], run.holds.values[signal][:, unit]):
                units.setdefault(stretch, []).append(unit + 1)
        for (first, last, value), named in units.items():
            of_units = "" if len(named) == run.cell.units else f".{'+'.join(map(str, named))}"
            steps = str(first) if last == first else f"{first}-{last}"
            yield f"{'' if layer == 1 else f'L{layer}.'}{signal}{of_units}@{steps}={_number(value)}"


def _stretches(held: Mask, values: Array) -> Iterator[tuple[int, int, float]]:
    """Yield the first timestep, last timestep and value of each clamp on one unit. Timesteps count from 1."""
    same = held[1:] & held[:-1] & (values[1:] == values[:-1])
    for first in np.flatnonzero(held & ~np.append(False, same)).tolist():
        last = first + int(np.argmin(np.append(same[first:], False)))
        yield first + 1, last + 1, float(values[first])


def _number(value: float) -> str:
    """Format a number with all digits and without an exponent."""
    return np.format_float_positional(value, trim="-")
