"""Runs, and facts about their units, as JSON. Only this module and events.py turn arrays into JSON."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import numpy as np
import numpy.typing as npt
import orjson

from gru_core import Model, Sensitivity, Trace
from gru_core.arrays import Array, Mask
from gru_core.cells import equations
from gru_core.cells.cell import Cell, Row, Run
from gru_core.cells.equations import EquationNumbers
from gru_core.cells.holds import Holds
from gru_core.encoder import Encoder, Scaled
from gru_core.runs.ledger import largest, ledger, origins, since
from gru_core.runs.sensitivity import frobenius, gain
from gru_core.runs.trace import LEAST

from ..schemas import EquationsQuestion, LedgerQuestion, SensitivityQuestion, SumsQuestion, UnitPlace, UnitQuestion
from .large import Outputs, is_ranked, likeliest, outputs_of, sent
from .limits import MOST_PRODUCTS


class Labels(TypedDict):
    """The names of the components of x_t."""

    labels: Sequence[str]


class Scale(TypedDict):
    """The unit of the numbers in a text, which is also the unit of a single linear output.

    The page writes outputs in this unit with this many `decimals`. Two outputs differ if they differ by more than
    `least`, in this unit.
    """

    unit: str
    decimals: int
    least: float


class LayerStart(TypedDict):
    """A layer before its first timestep: its cell, H units, the biases `b` by gate, and its initial state `h0`.

    The last `backward_units` units read the sequence from its end: 0 unless the layer is bidirectional. `held` has the
    names of the clamped values. `reset`, for a GRU only, says where the reset gate acts.
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

    `twin` says whether each timestep also has the values of a second run: the original run, or the run of the
    second sequence. `others` has the tokens of that sequence. The network wrote the timesteps after the first `given`:
    their tokens are its own outputs. Then `others` has the tokens of the second run. `right` has the correct answer at
    each timestep: the place of its label, counted from 1, or the number. The answer is None if the task has none there,
    and `right` itself is None if the model has no built-in task. `mask` is false at the timesteps that the network
    skips, also after its end. It is None if the network skips none. `scale` is None if the network reads symbols, or
    numbers as they are. `baselines` has the forecasts of each baseline after each timestep, in the unit of the series:
    None if too few numbers have been read. After the first `given`, each baseline reads its own forecasts. It is None
    itself if the model forecasts no series. `equations` names the unit whose equations each timestep has. A large run
    that is sent in brief has `exact`.
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
    """Return the `Start` of a run of T timesteps; all of them are given if `given` is None."""
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
    """Return the scale of a model's numbers; None if it reads symbols, or numbers as they are."""
    if not isinstance(encoder, Scaled):
        return None
    return {"unit": encoder.unit, "decimals": encoder.decimals, "least": LEAST * encoder.scale}


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


def layers_of(trace: Trace) -> list[dict[str, Array]]:
    """Return for each layer its arrays `(T, H)` and those of its twin, by their names in JSON."""
    twins = [None] * len(trace.layers) if trace.twin is None else trace.twin.layers
    return [_named(layer, twin) for layer, twin in zip(trace.layers, twins, strict=True)]


def ends_of(trace: Trace) -> tuple[dict[str, Array], dict[str, list[list[str]]]]:
    """Return the inputs `(T, I)` and the outputs `(T, K)`, and the names of the outputs at each timestep, by JSON name.

    The names are only there if the names of all outputs are too many to send. A model with a `Scale` also has its
    inputs and its output in the unit: "number.x", "number.y" and so on.
    """
    readout, twin = trace.model.readout, trace.twin
    if is_ranked(readout):
        y, names = likeliest(readout, trace.y)
        if twin is None:
            return {"x": trace.layers[0].x, "y": y}, {"labels": names}
        twin_y, twin_names = likeliest(readout, twin.y)
        return {"x": trace.layers[0].x, "y": y, "twin.y": twin_y}, {"labels": names, "twin.labels": twin_names}
    y = sent(readout, trace.y)
    ends = {"x": trace.layers[0].x, "y": y}
    if twin is not None:
        twin_y = sent(readout, twin.y)
        ends |= {"twin.y": twin_y, "delta.y": y - twin_y}
    return ends | _in_unit(trace), {}


def _in_unit(trace: Trace) -> dict[str, Array]:
    """Return the inputs and outputs in the unit of the model's numbers, `(T, 1)` each by their names in JSON."""
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
    """Return the numbers in the equations of a unit at each timestep."""
    return equations.steps(trace.layers[place.layer - 1], place.unit - 1)


def whole(start: Start, trace: Trace, place: UnitPlace | None = None, content: str = "all") -> Iterator[bytes]:
    """Yield a whole trace as JSON, in pieces: `start`, with the arrays `(T, H)` of each layer, `x` and `y`.

    `twin` has the same fields as in the event `done` of a stream. With a `place`, `equations` has those of this unit
    for each timestep. With the content "signals", the layers have only their signals, and those of the twin.
    """
    values, names = ends_of(trace)
    ends: dict[str, Any] = values | {name: start[name] | {"values": values[name]} for name in ("x", "y")}
    twin = None if trace.twin is None else differences(trace, 0)
    of_unit = {} if place is None else {"equations": equations_at(trace, place)}
    fields = {**start} | ends | names | {"twin": twin} | of_unit
    fields.pop("layers")
    yield to_json(fields)[:-1] + b',"layers":['
    for i, (layer_start, arrays, layer) in enumerate(zip(start["layers"], layers_of(trace), trace.layers, strict=True)):
        yield b"," * (i > 0) + to_json(layer_start | {"moved": layer.moved})[:-1]
        shown = {*layer.cell.signals, *(f"twin.{name}" for name in layer.cell.signals)}
        for name, array in arrays.items():
            if content == "signals" and name not in shown:
                continue
            yield b',"%s":' % name.encode() + to_json(np.ascontiguousarray(array))
        yield b"}"
    yield b"]}"


class Most(TypedDict):
    """The largest difference of a state from the twin's, with its layer, unit and timestep, all counted from 1."""

    layer: int
    unit: int
    t: int
    gap: float


class Differences(TypedDict):
    """The `first` timestep with an output that differs from the twin's, and where the state differs `most`."""

    first: int | None
    most: Most | None


def differences(trace: Trace, before: int) -> Differences:
    """Return the differences from the twin. `before` is the number of timesteps before this block."""
    steps, gap = np.flatnonzero(trace.differs), trace.largest_gap
    most: Most | None = None
    if gap is not None:
        most = {"layer": gap.layer + 1, "unit": gap.unit + 1, "t": before + gap.t + 1, "gap": gap.size}
    return {"first": before + int(steps[0]) + 1 if steps.size else None, "most": most}


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
    return to_json(_question_fields(question) | {**shares_of(trace, question.layer - 1, question.unit - 1, steps)})


class Shares(TypedDict):
    """The contributions to the state of a unit, and those of the twin, with the columns of the largest ones.

    They start from the state `origins`: that of a clamp at timestep `since`, or the initial state if `since` is 0.
    """

    shares: Array
    largest: npt.NDArray[np.int_]
    origins: Array
    since: npt.NDArray[np.int_]
    twin: Array | None
    twin_largest: npt.NDArray[np.int_] | None


def shares_of(trace: Trace, layer: int, unit: int, steps: slice) -> Shares:
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
    many = trace.layers[layer].cell.units ** 2 * question.t > MOST_PRODUCTS
    sensitivity = trace.sensitivity(question.t - 1, output, layer, question.unit - 1 if many else None)
    fields = sensitivity_of(sensitivity, layer, question.unit - 1, not many)
    norms = {f"{name}_norm": None if many else frobenius(rows) for name, rows in sensitivity.states.items()}
    return to_json(_question_fields(question) | {"x": sensitivity.x} | norms | fields)


def sensitivity_of(sensitivity: Sensitivity, layer: int, unit: int, whole: bool = True) -> dict[str, Any]:
    """Return the part of a sensitivity that belongs to one unit, and the input with the largest gradient.

    `whole` says whether the sensitivity has the states of all units of the layer, and not only of this one.
    """
    states = sensitivity.states
    of_unit = {name: array[:, unit] for name, array in sensitivity.gates[layer].items()}
    of_unit |= {f"{name}_unit": norms[:, unit if whole else 0] for name, norms in states.items()}
    x_norm = np.sqrt((sensitivity.x**2).sum(1))
    return (
        {"output": sensitivity.output + 1, "x_norm": x_norm}
        | {f"{name}_gain": gain(norms) if whole else None for name, norms in states.items()}
        | {"input": {"t": int(x_norm.argmax()) + 1, "value": x_norm.max()}}
        | {name: np.ascontiguousarray(array) for name, array in of_unit.items()}
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

    Return each signal of the top layer, `(N, T, H)`, as `signals`, and the outputs `y`, `(N, T, K)`. `numbers` has the
    outputs in the unit of the models' `Scale`, or is None. All are little-endian float32 in base64.
    """
    runs = [model.forward(x)[-1] for model in models]
    signals = {name: np.array([getattr(run, name) for run in runs]) for name in runs[0].cell.signals}
    y = np.array([model.readout(run.h) for model, run in zip(models, runs, strict=True)])
    encoder = models[0].encoder
    return {
        "signals": {name: _base64(array, "<f4") for name, array in signals.items()},
        "y": _base64(y, "<f4"),
        "numbers": _base64(encoder.numbers(y), "<f4") if isinstance(encoder, Scaled) else None,
    }


def _base64(array: Array, dtype: str) -> str:
    return b2a_base64(np.ascontiguousarray(array, dtype).tobytes(), newline=False).decode()


def to_json(data: Any) -> bytes:
    # orjson itself writes only contiguous arrays.
    return orjson.dumps(data, np.ascontiguousarray, orjson.OPT_SERIALIZE_NUMPY)


def values_of(trace: Trace, layer: int, unit: int) -> dict[str, Array]:
    """Return every value of a unit of a layer, both counted from 0, as arrays `(T, 1)` by their names in JSON."""
    twin = None if trace.twin is None else trace.twin.layers[layer]
    arrays = _named(trace.layers[layer], twin)
    return {name: array[:, unit : unit + 1].astype("<f8") for name, array in arrays.items()}


def unit_rows(question: UnitQuestion, trace: Trace) -> bytes:
    """Return every value of one unit at all timesteps, each as base64 of little-endian float64, as JSON."""
    rows = unit_rows_of(trace, question.layer - 1, question.unit - 1)
    return to_json(_question_fields(question) | {"from": 1, "to": len(trace.layers[0].h), "rows": rows})


def unit_rows_of(trace: Trace, layer: int, unit: int) -> dict[str, str]:
    """Return every value of a unit, counted from 0 like its layer, as base64 by the names in JSON."""
    return {name: _base64(array, "<f8") for name, array in values_of(trace, layer, unit).items()}
