"""Runs as JSON. Only this module, unit.py and events.py convert arrays to JSON."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import numpy as np
import orjson

from gru_core import Model, Trace
from gru_core.arrays import Array, Mask
from gru_core.cells import equations
from gru_core.cells.cell import Cell
from gru_core.cells.equations import EquationNumbers
from gru_core.cells.holds import Holds
from gru_core.cells.run import Run
from gru_core.encoder import Encoder
from gru_core.encoders.vectors import Scaled
from gru_core.runs.trace import LEAST

from ..schemas import Content, UnitPlace
from .large import Outputs, is_ranked, likeliest, outputs_of, sent


class Labels(TypedDict):
    """The names of the components of x_t."""

    labels: Sequence[str]


class Scale(TypedDict):
    """The unit of a model's numeric input, which is also the unit of a single linear output.

    The page shows outputs in this unit, rounded to `decimals`. Two outputs count as different if the difference is
    larger than `least`, in the same unit.
    """

    unit: str
    decimals: int
    least: float


class LayerStart(TypedDict):
    """A layer before its first timestep: its cell, H units, the biases `b` by gate, and its initial state `h0`.

    The last `backward_units` units read the sequence backward. The number is 0 unless the layer is bidirectional.
    `held` has the names of the clamped signals. Only a GRU has `reset`, which says where the reset gate acts.
    """

    cell: str
    H: int
    backward_units: int
    reset: NotRequired[str]
    b: Mapping[str, Array]
    h0: Array
    held: list[str]


class Start(TypedDict):
    """The data that a view needs before the first timestep of a run.

    `twin`: whether each timestep also has the values of a second run, which is the original run or the run of the
    second sequence.
    `given`: the number of timesteps in the sequence. The network wrote the later timesteps: their tokens are its own
    outputs.
    `others`: the tokens of the second sequence or, if the network wrote timesteps, the tokens of the second run.
    `right`: the correct answer at each timestep, which is the position of a label, counted from 1, or a number. An
    answer is None if the task has none at this timestep. `right` is None if the model has no built-in task.
    `mask`: false at the timesteps that the network skips and after the end of the run. None if there are none.
    `scale`: None if the network reads symbols or unscaled numbers.
    `baselines`: the forecasts of each baseline after each timestep, in the unit of the series. A forecast is None if
    the baseline has read too few numbers. After the first `given` timesteps, each baseline reads its own forecasts.
    `baselines` is None if the model does not forecast a series.
    `equations`: the layer and unit with equations at each timestep.
    `exact`: the layer and unit that a large run has exactly if it is sent in brief.
    """

    model: str
    T: int
    given: int
    twin: bool
    tokens: list[str] | None
    x: Labels
    layers: list[LayerStart]
    y: Outputs
    right: list[float | None] | None
    others: list[str] | None
    mask: list[bool] | None
    scale: Scale | None
    baselines: Mapping[str, list[float | None]] | None
    equations: NotRequired[Mapping[str, int]]
    exact: NotRequired[Mapping[str, int]]


def start(
    name: str,
    model: Model,
    tokens: list[str] | None,
    T: int,
    h0: Sequence[Array],
    holds: Sequence[Holds | None],
    twin: bool,
    right: list[float | None] | None,
    others: list[str] | None = None,
    mask: Mask | None = None,
    baselines: Mapping[str, list[float | None]] | None = None,
    given: int | None = None,
) -> Start:
    """Return the `Start` of a run with T timesteps. If `given` is None, the network wrote none of them."""
    layers: list[Any] = [
        {
            "cell": cell.name,
            "H": cell.units,
            "backward_units": cell.backward_units,
            **cell.variant,
            "b": cell.biases,
            "h0": state,
            "held": [] if held is None else list(held.masks),
        }
        for cell, state, held in zip(model.layers, h0, holds, strict=True)
    ]
    return {
        "model": name,
        "T": T,
        "given": T if given is None else given,
        "twin": twin,
        "tokens": tokens,
        "x": {"labels": model.encoder.labels},
        "layers": layers,
        "y": outputs_of(model.readout),
        "right": right,
        "others": others,
        "mask": None if mask is None else mask.tolist(),
        "scale": scale_of(model.encoder),
        "baselines": baselines,
    }


def scale_of(encoder: Encoder) -> Scale | None:
    """Return the `Scale` of a model, or None if the model reads symbols or unscaled numbers."""
    if not isinstance(encoder, Scaled):
        return None
    return {"unit": encoder.unit, "decimals": encoder.decimals, "least": LEAST * encoder.scale}


def numbers_of(cell: Cell | type[Cell], twin: bool) -> int:
    """Return the number of values that `_named` returns for one unit and one timestep, in a run without clamps."""
    return len(cell.signals) * (3 if twin else 1) + len(cell.gates) + len(cell.recurrent) + 1


def _named(layer: Run, twin: Run | None) -> dict[str, Array]:
    """Return all arrays `(T, H)` of a layer, by JSON name."""
    signals = layer.cell.signals
    return (
        {signal: getattr(layer, signal) for signal in signals}
        | {f"Wx.{gate}": Wx for gate, Wx in layer.Wx.items()}
        | {f"Uh.{gate}": Uh for gate, Uh in layer.Uh.items()}
        | {f"computed.{signal}": array for signal, array in layer.computed.items()}
        | ({"h_prev": layer.h_prev} if "h_prev" in layer.computed else {})
        | ({} if layer.half_life is None else {"half_life": layer.half_life})
        | ({} if twin is None else _twin_arrays(layer, twin))
    )


def _twin_arrays(layer: Run, twin: Run) -> dict[str, Array]:
    """Return the twin's signals `(T, H)`, and the layer's signals minus the twin's, by JSON name."""
    pairs = {signal: (getattr(layer, signal), getattr(twin, signal)) for signal in layer.cell.signals}
    return {f"twin.{signal}": twin_value for signal, (_, twin_value) in pairs.items()} | {
        f"delta.{signal}": value - twin_value for signal, (value, twin_value) in pairs.items()
    }


def layers_of(trace: Trace) -> list[dict[str, Array]]:
    """Return for each layer a dict with the arrays `(T, H)` of the layer and of its twin, by JSON name."""
    twins = [None] * len(trace.layers) if trace.twin is None else trace.twin.layers
    return [_named(layer, twin) for layer, twin in zip(trace.layers, twins, strict=True)]


def ends_of(trace: Trace) -> tuple[dict[str, Array], dict[str, list[list[str]]]]:
    """Return two dicts by JSON name: the inputs `(T, I)` and outputs `(T, K)`, and the output labels by timestep.

    The second dict is empty unless a softmax has too many outputs to send. Then each timestep has only its likeliest
    outputs. With a `Scale`, the first dict also has the numbers in its unit: "number.x", "number.y" and so on.
    """
    readout, twin = trace.model.readout, trace.twin
    if is_ranked(readout):
        y, names = likeliest(readout, trace.y)
        if twin is None:
            return {"x": trace.layers[0].x, "y": y}, {"labels": names}
        twin_y, twin_names = likeliest(readout, twin.y)
        return {"x": trace.layers[0].x, "y": y, "twin.y": twin_y}, {"labels": names, "twin.labels": twin_names}
    y = sent(trace.y)
    ends = {"x": trace.layers[0].x, "y": y}
    if twin is not None:
        twin_y = sent(twin.y)
        ends |= {"twin.y": twin_y, "delta.y": y - twin_y}
    return ends | _in_unit(trace), {}


def _in_unit(trace: Trace) -> dict[str, Array]:
    """Return the inputs and outputs, each `(T, 1)`, in the unit of the model's `Scale`, by JSON name."""
    encoder, readout = trace.model.encoder, trace.model.readout
    if not isinstance(encoder, Scaled):
        return {}
    numbers = {"number.x": encoder.numbers(trace.layers[0].x)}
    if readout.kind != "linear" or len(readout.labels) > 1:
        return numbers
    numbers["number.y"] = y = encoder.numbers(trace.y)
    if trace.twin is not None:
        twin_y = encoder.numbers(trace.twin.y)
        numbers |= {"number.twin.y": twin_y, "number.delta.y": y - twin_y}
    return numbers


def equations_at(trace: Trace, place: UnitPlace) -> list[EquationNumbers]:
    """Return for each timestep the numbers in the equations of the unit at `place`."""
    return equations.steps(trace.layers[place.layer - 1], place.unit - 1)


def whole(start: Start, trace: Trace, place: UnitPlace | None = None, content: Content = "all") -> Iterator[bytes]:
    """Yield the JSON of a whole trace in pieces: the fields of `start`, with all values of the layers, `x` and `y`.

    The field `twin` is the same as in the `done` event of a stream. With a `place`, the field `equations` has the
    equations of this unit for each timestep. If `content` is "signals", each layer has only its own signals and the
    signals of its twin, as float32.
    """
    values, names = ends_of(trace)
    ends: dict[str, Any] = values | {name: start[name] | {"values": values[name]} for name in ("x", "y")}
    twin = None if trace.twin is None else differences(trace, 0)
    of_unit = {} if place is None else {"equations": equations_at(trace, place)}
    fields = {**start} | ends | names | {"twin": twin} | of_unit
    fields.pop("layers")
    dtype = np.float32 if content == "signals" else float
    yield to_json(fields)[:-1] + b',"layers":['
    for i, (layer_start, arrays, layer) in enumerate(zip(start["layers"], layers_of(trace), trace.layers, strict=True)):
        yield b"," * (i > 0) + to_json(layer_start | {"moved": layer.moved})[:-1]
        shown = {*layer.cell.signals, *(f"twin.{name}" for name in layer.cell.signals)}
        for name, array in arrays.items():
            if content == "signals" and name not in shown:
                continue
            yield b',"%s":' % name.encode() + to_json(np.ascontiguousarray(array, dtype))
        yield b"}"
    yield b"]}"


class Most(TypedDict):
    """The largest difference `gap` between a state and its twin, with the layer, unit and timestep `t`, from 1."""

    layer: int
    unit: int
    t: int
    gap: float


class Differences(TypedDict):
    """The `first` timestep at which the output differs from the twin, and the place where the states differ `most`."""

    first: int | None
    most: Most | None


def differences(trace: Trace, before: int) -> Differences:
    """Return the differences between a block and its twin. `before` is the number of timesteps before the block."""
    steps, gap = np.flatnonzero(trace.differs), trace.largest_gap
    most: Most | None = None
    if gap is not None:
        most = {"layer": gap.layer + 1, "unit": gap.unit + 1, "t": before + gap.t + 1, "gap": gap.size}
    return {"first": before + int(steps[0]) + 1 if steps.size else None, "most": most}


class Tapes(TypedDict):
    """The runs of N models over one sequence: the `signals` of the top layer and the outputs `y`.

    Each signal is `(N, T, H)`, and `y` is `(N, T, K)`. `numbers` has the outputs in the unit of the models' `Scale`,
    and is None if the models have no `Scale`. All arrays are little-endian float32 in base64.
    """

    signals: Mapping[str, str]
    y: str
    numbers: str | None


def tapes(models: Sequence[Model], x: Array) -> Tapes:
    """Run N models over a sequence `x` `(T, I)`, and return their `Tapes`."""
    runs = [model.forward(x)[-1] for model in models]
    signals = {name: np.array([getattr(run, name) for run in runs]) for name in runs[0].cell.signals}
    y = np.array([model.readout(run.h) for model, run in zip(models, runs, strict=True)])
    encoder = models[0].encoder
    return {
        "signals": {name: base64_of(array, "<f4") for name, array in signals.items()},
        "y": base64_of(y, "<f4"),
        "numbers": base64_of(encoder.numbers(y), "<f4") if isinstance(encoder, Scaled) else None,
    }


def base64_of(array: Array, dtype: str) -> str:
    """Convert an array to `dtype`, and return its bytes in base64."""
    return b2a_base64(np.ascontiguousarray(array, dtype).tobytes(), newline=False).decode()


def to_json(data: Any) -> bytes:
    # orjson serializes only contiguous arrays. It calls the default function for all others.
    return orjson.dumps(data, np.ascontiguousarray, orjson.OPT_SERIALIZE_NUMPY)


def values_of(trace: Trace, layer: int, unit: int) -> dict[str, Array]:
    """Return every value of a unit as arrays `(T, 1)`, by JSON name. `layer` and `unit` count from 0."""
    twin = None if trace.twin is None else trace.twin.layers[layer]
    arrays = _named(trace.layers[layer], twin)
    return {name: array[:, unit : unit + 1].astype("<f8") for name, array in arrays.items()}
