"""What goes out: the only place where arrays become JSON."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from operator import itemgetter
from typing import Any

import numpy as np
import orjson
from fastapi.sse import format_sse_event

from gru_core import Model, Sensitivity, Trace, equations
from gru_core.arrays import Array
from gru_core.cell import Cell, Run
from gru_core.cells import CELLS
from gru_core.holds import Holds
from gru_core.ledger import largest, ledger, origins, since
from gru_core.sensitivity import frobenius
from gru_core.signals import Signal
from gru_core.tasks import task_of

from .schemas import EquationsQuestion, LedgerQuestion, SensitivityQuestion, SumsQuestion, UnitPlace, UnitQuestion


def model_entry(name: str, model: Model, said: Sequence[str] = ()) -> dict[str, Any]:
    """A model as the picker shows it; `said` is what one that was brought was taken to be, `drawn` whether sequences
    of its task can be drawn."""
    encoder = model.encoder
    return {
        "id": name,
        "card": asdict(model.card),
        "alphabet": list(encoder.alphabet),
        "hint": encoder.hint,
        "examples": list(model.examples),
        "layers": [{"cell": cell.name, "units": cell.units, **cell.variant} for cell in model.layers],
        "parameters": sum(array.size for array in model.parameters.values()),
        "said": said,
        "drawn": task_of(model) is not None,
    }


def cells() -> dict[str, Any]:
    """What each cell says of itself, for the page."""

    def told(name: str, signal: Signal) -> dict[str, Any]:
        ends = {"low": signal.low, "high": signal.high, "lowest": signal.lowest, "highest": signal.highest}
        return {"name": name, "symbol": signal.symbol, "words": signal.name} | ends

    return {
        name: {
            "signals": [told(*signal) for signal in cell.signals.items()],
            "gates": cell.gates,
            "parts": cell.parts,
            "holds": cell.holdable,
        }
        for name, cell in CELLS.items()
    }


def start(
    name: str,
    model: Model,
    tokens: list[str] | None,
    T: int,
    h0: Sequence[Array],
    holds: Sequence[Holds | None],
    twin: bool,
    right: list[float | None] | None,
) -> dict[str, Any]:
    """What a view must know of a run before its first step: its size, biases, first state and what is held.

    `twin`: whether an untouched run goes along. `right` has the task's own answer to each step: the place of its label
    from 1, or the number; None where the task asks for none, and for a whole run of no task that is known.
    """
    return {
        "model": name,
        "T": T,
        "twin": twin,
        "tokens": tokens,
        "x": {"labels": model.encoder.labels},
        "layers": [
            {
                "cell": cell.name,
                "H": cell.units,
                **cell.variant,
                "b": cell.biases,
                "h0": state,
                "held": [] if held is None else list(held.masks),
            }
            for cell, state, held in zip(model.layers, h0, holds, strict=True)
        ],
        "y": {"kind": model.readout.kind, "labels": model.readout.labels},
        "right": right,
    }


def numbers_of(cell: Cell | type[Cell], twin: bool) -> int:
    """How many numbers a unit has at each step, as `_named` lists them where nothing is held."""
    return len(cell.signals) * (3 if twin else 1) + 2 * len(cell.gates) + 1


def _named(layer: Run, twin: Run | None) -> dict[str, Array]:
    """A layer's arrays `(T, H)` by the name they have on the wire."""
    signals = layer.cell.signals
    return (
        {signal: getattr(layer, signal) for signal in signals}
        | {f"Wx.{gate}": Wx for gate, Wx in layer.Wx.items()}
        | {f"Uh.{gate}": Uh for gate, Uh in layer.Uh.items()}
        | {f"computed.{signal}": array for signal, array in layer.computed.items()}
        | ({"h_prev": layer.h_prev} if "h_prev" in layer.computed else {})
        | ({} if layer.half_life is None else {"half_life": layer.half_life})
        | ({} if twin is None else _beside(layer, twin))
    )


def _beside(layer: Run, twin: Run) -> dict[str, Array]:
    """What the twin has, and by how much the layer is above it."""
    pairs = {signal: (getattr(layer, signal), getattr(twin, signal)) for signal in layer.cell.signals}
    return {f"twin.{signal}": other for signal, (_, other) in pairs.items()} | {
        f"delta.{signal}": one - other for signal, (one, other) in pairs.items()
    }


def _layers(trace: Trace) -> list[dict[str, Array]]:
    """Of each layer the arrays `(T, H)`, the twin's among them, by the name they have on the wire."""
    twins = [None] * len(trace.layers) if trace.twin is None else trace.twin.layers
    return [_named(layer, twin) for layer, twin in zip(trace.layers, twins, strict=True)]


def _ends(trace: Trace) -> dict[str, Array]:
    """What goes in and what comes out, `(T, I)` and `(T, K)`, by the name it has on the wire."""
    ends = {"x": trace.layers[0].x, "y": trace.y}
    return ends if trace.twin is None else ends | {"twin.y": trace.twin.y, "delta.y": trace.y - trace.twin.y}


def _equations_at(trace: Trace, place: UnitPlace) -> list[dict[str, Any]]:
    """What the equations of a unit have at each step, as gru_core.equations says."""
    return equations.steps(trace.layers[place.layer - 1], place.unit - 1)


def whole(start: dict[str, Any], trace: Trace, place: UnitPlace | None = None) -> bytes:
    """A whole trace as JSON: `start`, with every array `(T, H)` in its layer, `x` `(T, I)` and `y` `(T, K)`.

    Its `twin` is that of the stream's `done`. `equations` are those of the unit at `place`, for each step.
    """
    layers = [
        about | {name: np.ascontiguousarray(array) for name, array in arrays.items()} | {"moved": layer.moved}
        for about, arrays, layer in zip(start["layers"], _layers(trace), trace.layers, strict=True)
    ]
    values = {name: np.ascontiguousarray(array) for name, array in _ends(trace).items()}
    ends: dict[str, Any] = values | {name: start[name] | {"values": values[name]} for name in ("x", "y")}
    twin = None if trace.twin is None else _apart(trace, 0)
    of_unit = {} if place is None else {"equations": _equations_at(trace, place)}
    return to_json(start | {"layers": layers} | ends | {"twin": twin} | of_unit)


def _apart(trace: Trace, before: int) -> dict[str, Any]:
    """Where the answer `first` is not the twin's and the state differs `most`, `before` steps having gone ahead."""
    steps, gap = np.flatnonzero(trace.differs), trace.largest_gap
    return {
        "first": before + int(steps[0]) + 1 if steps.size else None,
        "most": gap and {"layer": gap.layer + 1, "unit": gap.unit + 1, "t": before + gap.t + 1, "gap": gap.size},
    }


def equations_of(question: EquationsQuestion, run: Run) -> bytes:
    """The equations of one unit over the steps of `run`, which are those that were asked for."""
    return to_json(_asked(question) | {"steps": equations.steps(run, question.unit - 1)})


def sums(question: SumsQuestion, inputs: Sequence[str], run: Run, trained: Cell | None) -> bytes:
    """What the sums of one unit are made of over the steps of `run`; `inputs` name what W meets.

    For each gate the unit's weights, and under `Wx` and `Uh` the terms of each step. Where the reset
    gate acts after the product, the candidate has besides c and, for each step, rc: r_i c_i. `past` has what U
    multiplies at each step where that is not the old state alone. Of weights that were changed `trained` is the layer
    as it was.
    """
    return to_json(_asked(question) | sums_of(run, trained, inputs, question.unit - 1))


def sums_of(run: Run, trained: Cell | None, inputs: Sequence[str], unit: int) -> dict[str, Any]:
    """What a unit's sums are made of, as `sums` has it."""
    gates: dict[str, Any] = {}
    for gate in run.cell.gates:
        Wx, Uh = run.terms(gate, unit)
        past = run.past_in(gate, unit)
        about = {
            "rc": run.gated_bias(gate, unit),
            "past": None if past is run.h_prev else past,
            "trained": trained and trained.row(gate, unit),
        }
        gates[gate] = run.cell.row(gate, unit) | {"Wx": Wx, "Uh": Uh} | about
    return {"inputs": inputs, "gates": gates}


def shares(question: LedgerQuestion, trace: Trace) -> bytes:
    """The ledger's rows of one unit over the steps asked for, and the twin's."""
    steps = slice(question.from_ - 1, question.to)
    return to_json(_asked(question) | shares_of(trace, question.layer - 1, question.unit - 1, steps))


def shares_of(trace: Trace, layer: int, unit: int, steps: slice) -> dict[str, Any]:
    """A unit's ledger over some steps, as `shares` has it."""
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
    """What an output and a unit's state at a step would move with."""
    layer, output = question.layer - 1, None if question.output is None else question.output - 1
    found = trace.sensitivity(question.t - 1, output, layer)
    about = sensitivity_of(found, layer, question.unit - 1)
    return to_json(_asked(question) | {"x": found.x} | about)


def sensitivity_of(found: Sensitivity, layer: int, unit: int) -> dict[str, Any]:
    """What of a sensitivity a unit is told, and where the output would move most with the input."""
    of_unit = found.gates[layer] | {f"{name}_unit": norms for name, norms in found.states.items()}
    x_norm = np.sqrt((found.x**2).sum(1))
    return (
        {"output": found.output + 1, "x_norm": x_norm}
        | {f"{name}_norm": frobenius(norms) for name, norms in found.states.items()}
        | {"input": {"t": int(x_norm.argmax()) + 1, "value": x_norm.max()}}
        | {name: np.ascontiguousarray(array[:, unit]) for name, array in of_unit.items()}
        | {"gate": _gate_that_matters(found, layer)}
    )


def _gate_that_matters(found: Sensitivity, layer: int) -> dict[str, Any] | None:
    """The gate of a layer that the output would move most with, and where; places count from 1. None without gates."""
    gates = found.gates[layer]
    if not gates:
        return None
    gate = max(gates, key=lambda name: float(np.abs(gates[name]).max()))
    t, unit = np.unravel_index(np.abs(gates[gate]).argmax(), gates[gate].shape)
    return {"gate": gate, "unit": int(unit) + 1, "t": int(t) + 1, "value": gates[gate][t, unit]}


def _asked(question: UnitQuestion) -> dict[str, Any]:
    return question.model_dump(by_alias=True, include={"layer", "unit", "from_", "to", "t"})


def tapes(models: Sequence[Model], x: Array) -> dict[str, Any]:
    """What N models make of a sequence `x` `(T, I)`, as little-endian float32 in base64: of the top layer's `signals`
    each `(N, T, H)`, and `y` `(N, T, K)`."""
    runs = [model.forward(x)[-1] for model in models]
    signals = {name: np.array([getattr(run, name) for run in runs]) for name in runs[0].cell.signals}
    y = np.array([model.readout(run.h) for model, run in zip(models, runs, strict=True)])
    return {"signals": {name: _float32(array) for name, array in signals.items()}, "y": _float32(y)}


def _float32(array: Array) -> str:
    return b2a_base64(np.ascontiguousarray(array, "<f4").tobytes(), newline=False).decode()


def to_json(data: Any) -> bytes:
    return orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY)


def _rows(array: Array) -> list[bytes]:
    """Each row as base64 of little-endian float64: exact, and cheap at both ends.

    All rows are encoded in one go, each filled up with zeros to whole groups of three bytes; what
    the filling became is then overwritten by base64's own sign for it.
    """
    n, size = array.shape[0], 8 * array.shape[1]
    filling = -size % 3
    padded = np.zeros((n, size + filling), np.uint8)
    padded[:, :size] = np.ascontiguousarray(array, "<f8").view(np.uint8)
    text = np.frombuffer(bytearray(b2a_base64(padded.tobytes(), newline=False)), np.uint8).reshape(n, -1)
    width = text.shape[1]
    text[:, width - filling :] = ord("=")
    joined = text.tobytes()
    return [joined[i : i + width] for i in range(0, n * width, width)]


def event(name: str, data: Any) -> bytes:
    return format_sse_event(event=name, data_str=to_json(data).decode())


def events(start: dict[str, Any], blocks: Iterable[Trace], place: UnitPlace | None = None) -> Iterator[bytes]:
    """A run as server-sent events: `start`, a `step` for each timestep, `done`.

    With a `place` each step has the `equations` of that unit, and `start` says which unit it is.
    `done` has each layer's `moved` and, where a twin went along, the `first` step at which the
    answers differ and where the states differ `most`. Each piece is one write to the network and holds
    the steps of one block.
    """
    piece = event("start", start if place is None else start | {"equations": place.model_dump()})
    t, T = 1, start["T"]
    moved = [np.zeros(about["H"]) for about in start["layers"]]
    twin: dict[str, Any] | None = {"first": None, "most": None} if start["twin"] else None
    for block in blocks:
        layers, ends = _layers(block), _ends(block)
        columns = [_rows(array) for named in (*layers, ends) for array in named.values()]
        forms = [b",".join(b'"%s":"%%s"' % name.encode() for name in named) for named in (*layers, ends)]
        layers_form = b",".join(b"{" + form + b"}" for form in forms[:-1])
        of_unit = b"" if place is None else b',"equations":%s'
        if place is not None:
            columns.append([to_json(step) for step in _equations_at(block, place)])
        form = b'event: step\ndata: {"t":%d,"layers":[' + layers_form + b"]," + forms[-1] + of_unit + b"}\n\n"
        steps = [form % (t + i, *row) for i, row in enumerate(zip(*columns, strict=True))]
        if twin is not None:
            of_block = _apart(block, t - 1)
            twin["first"] = twin["first"] or of_block["first"]
            twin["most"] = max(filter(None, (twin["most"], of_block["most"])), key=itemgetter("gap"), default=None)
        t += len(steps)
        moved = [so_far + layer.moved for so_far, layer in zip(moved, block.layers, strict=True)]
        done = {"T": T, "moved": moved, "twin": twin}
        yield piece + b"".join(steps) + (event("done", done) if t > T else b"")
        piece = b""
