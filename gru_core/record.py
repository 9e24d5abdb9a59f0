"""A trace as plain data: arrays by name for `.npz`, lists by name for JSON.

    layers.0.r                 r of the layer nearest the input, (T, H); so too z, h_tilde, h,
                               x (T, I), h0 (H,) and h_prev (T, H), h_{t-1} as the step saw it
    layers.0.held.z            where z was held, (T, H) of true and false; only where it was
    y                          the outputs, (T, K)
    labels, tokens             what the outputs are called, (K,); the steps as written, (T,), if they were
    twin.y, twin.layers.0.r    the same of the run that was left alone, if one went along

In lists the dots are levels: `["layers"][0]["r"]`, and `["twin"]` is None where there is none. All are
numbers, text, true or false, so that `json.dumps(…, allow_nan=False)` and `np.load(…,
allow_pickle=False)` take them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gru_core.gru import Forward

if TYPE_CHECKING:
    from gru_core.trace import Trace

OF_A_LAYER = ("x", "h0", "h_prev", "r", "z", "h_tilde", "h")


def of_layer(run: Forward) -> dict[str, npt.NDArray[Any]]:
    """The arrays of one layer by name."""
    arrays: dict[str, npt.NDArray[Any]] = {name: getattr(run, name) for name in OF_A_LAYER}
    masks = {} if run.holds is None else run.holds.masks
    return arrays | {f"held.{signal}": mask for signal, mask in masks.items() if mask.any()}


def arrays(trace: Trace) -> dict[str, npt.NDArray[Any]]:
    """All arrays of a trace by name."""
    found: dict[str, npt.NDArray[Any]] = {"y": trace.y, "labels": np.array(trace.model.readout.labels)}
    if trace.tokens is not None:
        found["tokens"] = np.array(trace.tokens)
    for i, run in enumerate(trace.layers):
        found |= {f"layers.{i}.{name}": array for name, array in of_layer(run).items()}
    if trace.twin is not None:
        found |= {f"twin.{name}": a for name, a in arrays(trace.twin).items() if name not in ("labels", "tokens")}
    return found


def save(trace: Trace, path: str | Path) -> None:
    """Write the arrays as an `.npz` to exactly that path. Raises OSError when it cannot be written."""
    with Path(path).open("wb") as file:
        np.savez_compressed(file, **arrays(trace))  # type: ignore[arg-type]  # none is called allow_pickle


def to_dict(trace: Trace) -> dict[str, Any]:
    """The same as nested lists, and the model's title."""
    return {
        "model": trace.model.card.title,
        "tokens": trace.tokens,
        "labels": list(trace.model.readout.labels),
        **_run(trace),
        "twin": None if trace.twin is None else _run(trace.twin),
    }


def _run(trace: Trace) -> dict[str, Any]:
    layers: list[dict[str, Any]] = []
    for run in trace.layers:
        lists: dict[str, Any] = {"held": {}}
        for name, array in of_layer(run).items():
            signal = name.removeprefix("held.")
            (lists if signal == name else lists["held"])[signal] = array.tolist()
        layers.append(lists)
    return {"y": trace.y.tolist(), "layers": layers}
