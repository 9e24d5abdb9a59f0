"""A trace as plain data: arrays by name for `.npz`, lists by name for JSON.

    layers.0.r                 r of the layer nearest the input, (T, H). The cell's other signals have the same form.
                               Also x (T, I), h0 (H,), and h_prev (T, H), which is h_{t-1} as the timestep
                               reads it. An LSTM has c0 and c_prev as well
    layers.0.held.z            the mask of the values of z that were clamped, (T, H); only if z was clamped
    y                          the outputs, (T, K)
    labels, tokens             the names of the outputs, (K,); the tokens of the sequence, (T,), if it was text
    mask                       the timesteps that count, (T,); only if the network can skip timesteps
    twin.y, twin.layers.0.r    the same for the original run, or for the second sequence, if there is one

In the nested lists each dot is a level: `["layers"][0]["r"]`. `["twin"]` is None if there is no twin. Every value is a
number, text or a Boolean, so `json.dumps(…, allow_nan=False)` and `np.load(…, allow_pickle=False)` can process it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from gru_core.arrays import Array
from gru_core.cells.run import Run

Named = dict[str, npt.NDArray[Any]]


def layer_arrays(run: Run) -> Named:
    """Return the arrays of one layer by name."""
    states = [name for signal in run.cell.carried for name in (f"{signal}0", f"{signal}_prev")]
    arrays: Named = {name: getattr(run, name) for name in ("x", *states, *run.cell.signals)}
    masks = {} if run.holds is None else run.holds.masks
    if run.holds is not None and run.holds.skipped is not None:
        masks = {signal: mask & ~run.holds.skipped for signal, mask in masks.items()}
    return arrays | {f"held.{signal}": mask for signal, mask in masks.items() if mask.any()}


def arrays(layers: Sequence[Run], y: Array) -> Named:
    """Return the arrays of a run by name."""
    by_name: Named = {"y": y}
    for i, run in enumerate(layers):
        by_name |= {f"layers.{i}.{name}": array for name, array in layer_arrays(run).items()}
    return by_name


def lists(layers: Sequence[Run], y: Array) -> dict[str, Any]:
    """Return the arrays of a run as nested lists."""
    layer_lists: list[dict[str, Any]] = []
    for run in layers:
        entry: dict[str, Any] = {"held": {}}
        for name, array in layer_arrays(run).items():
            signal = name.removeprefix("held.")
            (entry if signal == name else entry["held"])[signal] = array.tolist()
        layer_lists.append(entry)
    return {"y": y.tolist(), "layers": layer_lists}
