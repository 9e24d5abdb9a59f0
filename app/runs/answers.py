"""Runs, and facts about their units, as JSON and as server-sent events. Only this module turns arrays into JSON."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, NotRequired, TypedDict

import numpy as np
import orjson
from fastapi.sse import format_sse_event

from gru_core import Model, Sensitivity, Trace
from gru_core.arrays import Array, Mask
from gru_core.cells import equations
from gru_core.cells.cell import Cell, Row, Run
from gru_core.cells.equations import EquationNumbers
from gru_core.cells.holds import Holds
from gru_core.runs.ledger import largest, ledger, origins, since
from gru_core.runs.sensitivity import frobenius, gain

from ..schemas import EquationsQuestion, LedgerQuestion, SensitivityQuestion, SumsQuestion, UnitPlace, UnitQuestion

EVENT_STREAM = "text/event-stream"

STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""Headers of a stream, so that no proxy delays it."""


class Labels(TypedDict):
    """The names of the components of x_t."""

    labels: Sequence[str]


class Outputs(TypedDict):
    """The kind of the readout, and the names of the outputs."""

    kind: str
    labels: Sequence[str]


class LayerStart(TypedDict):
    """A layer before its first timestep: its cell, H units, the biases `b` by gate, and its initial state `h0`.

    `held` has the names of the clamped values. `reset`, for a GRU only, says where the reset gate acts.
    """

    cell: str
    H: int
    reset: NotRequired[str]
    b: Mapping[str, Array]
    h0: Array
    held: list[str]


class Start(TypedDict):
    """The data that a view needs before the first timestep of a run.

    `twin` says whether each timestep also has the values of a second run: the original run, or the run of the second
    sequence. `others` has the tokens of that sequence. `right` has the correct answer at each timestep: the place of
    its label, counted from 1, or the number. The answer is None if the task has none there, and `right` itself is None
    if the model has no built-in task. `mask` is false at the timesteps that the network skips. It is None
    if the network skips none. `equations` names the unit whose equations each timestep has.
    """

    model: str
    T: int
    twin: bool
    tokens: list[str] | None
    x: Labels
    layers: list[LayerStart]
    y: Outputs
    right: list[float | None] | None
    others: list[str] | None
    mask: list[bool] | None
    equations: NotRequired[Mapping[str, int]]


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
) -> Start:
    """Return the `Start` of a run of T timesteps."""
    layers: list[Any] = [
        {
            "cell": cell.name,
            "H": cell.units,
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
        "twin": twin,
        "tokens": tokens,
        "x": {"labels": model.encoder.labels},
        "layers": layers,
        "y": {"kind": model.readout.kind, "labels": model.readout.labels},
        "right": right,
        "others": others,
        "mask": None if mask is None else mask.tolist(),
    }


def numbers_of(cell: Cell | type[Cell], twin: bool) -> int:
    """Return how many numbers a unit has at each timestep, as `_named` lists them without clamps."""
    return len(cell.signals) * (3 if twin else 1) + len(cell.gates) + len(cell.recurrent) + 1


def _named(layer: Run, twin: Run | None) -> dict[str, Array]:
    """Return the arrays `(T, H)` of a layer by their names in JSON."""
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
    """Return the signals `(T, H)` of the twin, and the differences between the layer and its twin."""
    pairs = {signal: (getattr(layer, signal), getattr(twin, signal)) for signal in layer.cell.signals}
    return {f"twin.{signal}": twin_value for signal, (_, twin_value) in pairs.items()} | {
        f"delta.{signal}": value - twin_value for signal, (value, twin_value) in pairs.items()
    }


def _layers(trace: Trace) -> list[dict[str, Array]]:
    """Return for each layer its arrays `(T, H)` and those of its twin, by their names in JSON."""
    twins = [None] * len(trace.layers) if trace.twin is None else trace.twin.layers
    return [_named(layer, twin) for layer, twin in zip(trace.layers, twins, strict=True)]


def _ends(trace: Trace) -> dict[str, Array]:
    """Return the inputs `(T, I)` and the outputs `(T, K)` by their names in JSON."""
    ends = {"x": trace.layers[0].x, "y": trace.y}
    return ends if trace.twin is None else ends | {"twin.y": trace.twin.y, "delta.y": trace.y - trace.twin.y}


def _equations_at(trace: Trace, place: UnitPlace) -> list[EquationNumbers]:
    """Return the numbers in the equations of a unit at each timestep."""
    return equations.steps(trace.layers[place.layer - 1], place.unit - 1)


def whole(start: Start, trace: Trace, place: UnitPlace | None = None) -> bytes:
    """Return a whole trace as JSON: `start`, with the arrays `(T, H)` of each layer, `x` `(T, I)` and `y` `(T, K)`.

    `twin` has the same fields as in the event `done` of a stream. With a `place`, `equations` has those of this unit
    for each timestep.
    """
    layers = [
        layer_start | {name: np.ascontiguousarray(array) for name, array in arrays.items()} | {"moved": layer.moved}
        for layer_start, arrays, layer in zip(start["layers"], _layers(trace), trace.layers, strict=True)
    ]
    values = {name: np.ascontiguousarray(array) for name, array in _ends(trace).items()}
    ends: dict[str, Any] = values | {name: start[name] | {"values": values[name]} for name in ("x", "y")}
    twin = None if trace.twin is None else _differences(trace, 0)
    of_unit = {} if place is None else {"equations": _equations_at(trace, place)}
    return to_json(start | {"layers": layers} | ends | {"twin": twin} | of_unit)


def _differences(trace: Trace, before: int) -> dict[str, Any]:
    """Return the `first` timestep at which the output differs from the twin's, and where the state differs `most`.

    `before` is the number of timesteps before this block.
    """
    steps, gap = np.flatnonzero(trace.differs), trace.largest_gap
    return {
        "first": before + int(steps[0]) + 1 if steps.size else None,
        "most": gap and {"layer": gap.layer + 1, "unit": gap.unit + 1, "t": before + gap.t + 1, "gap": gap.size},
    }


def equations_of(question: EquationsQuestion, run: Run) -> bytes:
    """Return the equations of one unit over the timesteps of `run`, as JSON."""
    return to_json(_question_fields(question) | {"steps": equations.steps(run, question.unit - 1)})


class GateSum(Row):
    """The terms in the sum of a gate of a unit, at each timestep, with the weights of the unit.

    `rc` is r_i c_i if the reset gate acts after the product. `past` has the numbers that U multiplies, if they are not
    the old state itself. `trained` has the original weights if some are changed.
    """

    Wx: Array
    Uh: Array
    rc: Array | None
    past: Array | None
    trained: Row | None


class Sums(TypedDict):
    """The names of the inputs, and the sum of each gate."""

    inputs: Sequence[str]
    gates: dict[str, GateSum]


def sums(question: SumsQuestion, inputs: Sequence[str], run: Run, trained: Cell | None) -> bytes:
    """Return the `Sums` of one unit over the timesteps of `run`, as JSON.

    `inputs` names the inputs. If weights are changed, `trained` is the original layer.
    """
    return to_json(_question_fields(question) | {**sums_of(run, trained, inputs, question.unit - 1)})


def sums_of(run: Run, trained: Cell | None, inputs: Sequence[str], unit: int) -> Sums:
    """Return the sums of a unit, counted from 0; the other arguments are as in `sums`."""
    gates: dict[str, GateSum] = {}
    for gate in run.cell.gates:
        Wx, Uh = run.terms(gate, unit)
        past = run.past_in(gate, unit)
        gates[gate] = {
            **run.cell.row(gate, unit),
            "Wx": Wx,
            "Uh": Uh,
            "rc": run.gated_bias(gate, unit),
            "past": None if past is run.h_prev else past,
            "trained": None if trained is None else trained.row(gate, unit),
        }
    return {"inputs": inputs, "gates": gates}


def shares(question: LedgerQuestion, trace: Trace) -> bytes:
    """Return the contributions to a unit's state at the timesteps of the question, and those of the twin, as JSON."""
    steps = slice(question.from_ - 1, question.to)
    return to_json(_question_fields(question) | shares_of(trace, question.layer - 1, question.unit - 1, steps))


def shares_of(trace: Trace, layer: int, unit: int, steps: slice) -> dict[str, Any]:
    """Return the contributions to the state of a unit at some timesteps, all counted from 0."""
    run = trace.layers[layer]
    rows = ledger(run, unit, steps)
    twin = None if trace.twin is None else ledger(trace.twin.layers[layer], unit, steps)
    return {
        "shares": rows,
        "largest": largest(rows),
        "origins": origins(run, unit)[steps],
        "since": since(run, unit)[steps] + 1,
        "twin": twin,
        "twin_largest": None if twin is None else largest(twin),
    }


def sensitivities(question: SensitivityQuestion, trace: Trace) -> bytes:
    """Return the sensitivities of an output and of a unit's state at a timestep, as JSON."""
    layer, output = question.layer - 1, None if question.output is None else question.output - 1
    sensitivity = trace.sensitivity(question.t - 1, output, layer)
    fields = sensitivity_of(sensitivity, layer, question.unit - 1)
    norms = {f"{name}_norm": frobenius(rows) for name, rows in sensitivity.states.items()}
    return to_json(_question_fields(question) | {"x": sensitivity.x} | norms | fields)


def sensitivity_of(sensitivity: Sensitivity, layer: int, unit: int) -> dict[str, Any]:
    """Return the part of a sensitivity that belongs to one unit, and the input with the largest gradient."""
    of_unit = sensitivity.gates[layer] | {f"{name}_unit": norms for name, norms in sensitivity.states.items()}
    x_norm = np.sqrt((sensitivity.x**2).sum(1))
    return (
        {"output": sensitivity.output + 1, "x_norm": x_norm}
        | {f"{name}_gain": gain(norms) for name, norms in sensitivity.states.items()}
        | {"input": {"t": int(x_norm.argmax()) + 1, "value": x_norm.max()}}
        | {name: np.ascontiguousarray(array[:, unit]) for name, array in of_unit.items()}
        | {"gate": _most_sensitive_gate(sensitivity, layer)}
    )


def _most_sensitive_gate(sensitivity: Sensitivity, layer: int) -> dict[str, Any] | None:
    """Return the gate of a layer with the largest derivative of the output, its unit and its timestep, from 1.

    Return None if the cell has no gates.
    """
    gates = sensitivity.gates[layer]
    if not gates:
        return None
    gate = max(gates, key=lambda name: float(np.abs(gates[name]).max()))
    t, unit = np.unravel_index(np.abs(gates[gate]).argmax(), gates[gate].shape)
    return {"gate": gate, "unit": int(unit) + 1, "t": int(t) + 1, "value": gates[gate][t, unit]}


def _question_fields(question: UnitQuestion) -> dict[str, Any]:
    return question.model_dump(by_alias=True, include={"layer", "unit", "from_", "to", "t"})


def tapes(models: Sequence[Model], x: Array) -> dict[str, Any]:
    """Run N models over a sequence `x` `(T, I)`.

    Return each signal of the top layer, `(N, T, H)`, as `signals`, and the outputs `y`, `(N, T, K)`. All are
    little-endian float32 in base64.
    """
    runs = [model.forward(x)[-1] for model in models]
    signals = {name: np.array([getattr(run, name) for run in runs]) for name in runs[0].cell.signals}
    y = np.array([model.readout(run.h) for model, run in zip(models, runs, strict=True)])
    return {"signals": {name: _float32(array) for name, array in signals.items()}, "y": _float32(y)}


def _float32(array: Array) -> str:
    return b2a_base64(np.ascontiguousarray(array, "<f4").tobytes(), newline=False).decode()


def to_json(data: Any) -> bytes:
    return orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY)


def _rows(arrays: Sequence[Array]) -> list[list[bytes]]:
    """Return for each array `(T, ·)` its rows, as base64 of little-endian float64, which is exact and fast.

    All rows of one width are encoded together, each padded with zeros to whole groups of three bytes. Then the padding
    character of base64 replaces the characters of these zeros.
    """
    T = len(arrays[0])
    encoded: dict[int, list[bytes]] = {}
    for width in {array.shape[1] for array in arrays}:
        rows = np.concatenate([array for array in arrays if array.shape[1] == width])
        n, size = len(rows), 8 * width
        padding = -size % 3
        padded = np.zeros((n, size + padding), np.uint8)
        padded[:, :size] = np.ascontiguousarray(rows, "<f8").view(np.uint8)
        text = np.frombuffer(bytearray(b2a_base64(padded.tobytes(), newline=False)), np.uint8).reshape(n, -1)
        length = text.shape[1]
        text[:, length - padding :] = ord("=")
        joined = text.tobytes()
        encoded[width] = [joined[i : i + length] for i in range(0, n * length, length)]
    columns = []
    for array in arrays:
        rows_left = encoded[array.shape[1]]
        columns.append(rows_left[:T])
        encoded[array.shape[1]] = rows_left[T:]
    return columns


def event(name: str, data: Any) -> bytes:
    return format_sse_event(event=name, data_str=to_json(data).decode())


def events(start: Start, blocks: Iterable[Trace], place: UnitPlace | None = None) -> Iterator[bytes]:
    """Yield a run as server-sent events: `start`, a `step` for each timestep, and `done`.

    With a `place`, each step has the `equations` of this unit, and `start` says which unit it is.

    `done` has `moved` of each layer. With a twin it also has the `first` timestep at which the outputs differ, and the
    place where the states differ `most`. Each piece is one write to the network, with the timesteps of one block.
    """
    piece = event("start", start if place is None else {**start, "equations": place.model_dump()})
    t, T = 1, start["T"]
    moved = [np.zeros(layer_start["H"]) for layer_start in start["layers"]]
    twin: dict[str, Any] | None = {"first": None, "most": None} if start["twin"] else None
    for block in blocks:
        layers, ends = _layers(block), _ends(block)
        columns = _rows([array for named in (*layers, ends) for array in named.values()])
        forms = [b",".join(b'"%s":"%%s"' % name.encode() for name in named) for named in (*layers, ends)]
        layers_form = b",".join(b"{" + form + b"}" for form in forms[:-1])
        of_unit = b"" if place is None else b',"equations":%s'
        if place is not None:
            columns.append([to_json(step) for step in _equations_at(block, place)])
        form = b'event: step\ndata: {"t":%d,"layers":[' + layers_form + b"]," + forms[-1] + of_unit + b"}\n\n"
        steps = [form % (t + i, *row) for i, row in enumerate(zip(*columns, strict=True))]
        if twin is not None:
            differences = _differences(block, t - 1)
            twin["first"] = twin["first"] or differences["first"]
            twin["most"] = max(filter(None, (twin["most"], differences["most"])), key=itemgetter("gap"), default=None)
        t += len(steps)
        moved = [so_far + layer.moved for so_far, layer in zip(moved, block.layers, strict=True)]
        done = {"T": T, "moved": moved, "twin": twin}
        yield piece + b"".join(steps) + (event("done", done) if t > T else b"")
        piece = b""
