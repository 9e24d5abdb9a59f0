"""The parts of a large run that are sent: all signals as float32, one unit exactly, and the likeliest outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from gru_core import Readout, Trace
from gru_core.arrays import Array

from .limits import LIKELIEST, MOST_OUTPUTS


class Outputs(TypedDict):
    """The kind of a readout, and the `labels` of the outputs that are sent at each timestep.

    `sent` of `total` outputs are sent. If a softmax has too many outputs, `labels` is empty, and each timestep has the
    labels of its likeliest outputs.
    """

    kind: str
    labels: Sequence[str]
    sent: int
    total: int


def signals_of(trace: Trace, layer: int) -> dict[str, Array]:
    """Return the signals `(T, H)` of a layer and the differences from the twin, as float32, by JSON name."""
    run = trace.layers[layer]
    arrays = {name: getattr(run, name) for name in run.cell.signals}
    if trace.twin is not None:
        twin = trace.twin.layers[layer]
        arrays |= {f"delta.{name}": array - getattr(twin, name) for name, array in list(arrays.items())}
    return {name: array.astype("<f4", copy=False) for name, array in arrays.items()}


def outputs_of(readout: Readout) -> Outputs:
    """Return the `Outputs` of a readout."""
    total = len(readout.labels)
    sent = total if total <= MOST_OUTPUTS else LIKELIEST
    labels = () if is_ranked(readout) else readout.labels[:sent]
    return {"kind": readout.kind, "labels": labels, "sent": sent, "total": total}


def is_ranked(readout: Readout) -> bool:
    """Return whether each timestep has its own likeliest outputs, because all outputs would be too many."""
    return readout.kind == "softmax" and len(readout.labels) > MOST_OUTPUTS


def sent(y: Array) -> Array:
    """Return the part of the outputs `y` `(T, K)` that is sent: all columns, or the first few if there are too many."""
    return y if y.shape[1] <= MOST_OUTPUTS else y[:, :LIKELIEST]


def likeliest_places(readout: Readout, y: Array) -> npt.NDArray[np.intp]:
    """Return the indices `(T, LIKELIEST)` of the outputs that are sent: the first or, with a softmax, the likeliest.

    The likeliest output comes first.
    """
    if readout.kind == "linear":
        return np.broadcast_to(np.arange(LIKELIEST), (len(y), LIKELIEST))
    places = np.argpartition(y, -LIKELIEST, 1)[:, -LIKELIEST:]
    order = np.argsort(-np.take_along_axis(y, places, 1), 1, kind="stable")
    return np.take_along_axis(places, order, 1)


def likeliest(readout: Readout, y: Array) -> tuple[Array, list[list[str]]]:
    """Return the outputs `(T, LIKELIEST)` at the indices that `likeliest_places` returns, and their labels."""
    places, labels = likeliest_places(readout, y), readout.labels
    return np.take_along_axis(y, places, 1), [[labels[k] for k in row] for row in places.tolist()]
