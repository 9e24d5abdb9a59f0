"""The bodies that come in and go out: the only place where arrays become JSON."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal

import numpy as np
import orjson
from fastapi.sse import format_sse_event
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from gru_core import Clamp, Forward, Model, Trace
from gru_core.gru import GATES, Array

STATES = ("r", "z", "h_tilde", "h")


class _Body(BaseModel):
    # No guessing: true is not 1, "3" is not 3, and what is not known is not ignored.
    model_config = ConfigDict(strict=True, extra="forbid")


class ClampBody(_Body):
    """A gate held at a value. Units and steps count from 1, as on screen; `to` is included."""

    gate: Literal["r", "z", "h_tilde"]
    units: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1, max_length=256)] | None = None
    from_: Annotated[int, Field(ge=1, alias="from")]
    to: Annotated[int, Field(ge=1)]
    value: FiniteFloat
    layer: Annotated[int, Field(ge=1)] = 1

    def clamp(self) -> Clamp:
        """The core's clamp, which counts from 0. Raises ValueError when the value does not fit."""
        units = None if self.units is None else [unit - 1 for unit in self.units]
        return Clamp(self.gate, self.value, units, slice(self.from_ - 1, self.to), self.layer - 1)


class Scenario(_Body):
    """The whole question: a model, a sequence, and what is held. Nothing else is remembered.

    `sequence` is text in the model's alphabet, or rows of numbers (T, I). `h0` is a state for each
    layer, zero when null.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"model": "flip-flop", "sequence": "A x x B x", "h0": None, "clamps": []}]}
    )

    model: str
    sequence: str | list[list[FiniteFloat]]
    h0: list[list[Annotated[float, Field(ge=-1, le=1)]]] | None = None
    clamps: Annotated[list[ClampBody], Field(max_length=64)] = []


class SumsQuestion(Scenario):
    """A scenario, and a unit and steps of it whose sums are asked for. All count from 1; `to` is included."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"model": "flip-flop", "sequence": "A x x B x", "layer": 1, "unit": 1, "from": 4, "to": 5}]
        }
    )

    layer: Annotated[int, Field(ge=1)]
    unit: Annotated[int, Field(ge=1)]
    from_: Annotated[int, Field(ge=1, alias="from")]
    to: Annotated[int, Field(ge=1)]


class ErrorDetail(BaseModel):
    """`where` is the part of the request at fault; places in lists count from 1."""

    code: str
    message: str
    where: str | None


class ErrorBody(BaseModel):
    error: ErrorDetail


def model_entry(name: str, model: Model) -> dict[str, Any]:
    """A model as the picker shows it."""
    encoder = model.encoder
    return {
        "id": name,
        "card": asdict(model.card),
        "alphabet": list(encoder.alphabet),
        "hint": encoder.hint,
        "examples": list(model.examples),
        "layers": [{"units": gru.units, "reset": gru.reset} for gru in model.layers],
        "parameters": sum(array.size for array in model.parameters.values()),
    }


def start(name: str, model: Model, tokens: list[str] | None, T: int, h0: list[Array]) -> dict[str, Any]:
    """What a view must know of a run before its first step: its size, biases and first state."""
    return {
        "model": name,
        "T": T,
        "tokens": tokens,
        "x": {"labels": model.encoder.labels},
        "layers": [
            {"H": gru.units, "reset": gru.reset, "b": dict(zip(GATES, np.split(gru.b, 3), strict=True)), "h0": state}
            for gru, state in zip(model.layers, h0, strict=True)
        ],
        "y": {"kind": model.readout.kind, "labels": model.readout.labels},
    }


def _named(layer: Forward) -> dict[str, Array]:
    """A layer's arrays `(T, H)` by the name they have on the wire."""
    return (
        {signal: getattr(layer, signal) for signal in STATES}
        | {f"Wx.{gate}": layer.Wx[gate] for gate in GATES}
        | {f"Uh.{gate}": layer.Uh[gate] for gate in GATES}
    )


def whole(start: dict[str, Any], trace: Trace) -> bytes:
    """A whole trace as JSON: `start`, with every array `(T, H)` in its layer, `x` `(T, I)` and `y` `(T, K)`."""
    layers = [
        about | {name: np.ascontiguousarray(array) for name, array in _named(layer).items()} | {"moved": layer.moved}
        for about, layer in zip(start["layers"], trace.layers, strict=True)
    ]
    ends = {"x": trace.layers[0].x, "y": trace.y}
    values = {name: start[name] | {"values": np.ascontiguousarray(array)} for name, array in ends.items()}
    return to_json(start | {"layers": layers} | values)


def sums(question: SumsQuestion, inputs: Sequence[str], run: Forward) -> bytes:
    """What the sums of one unit are made of over the steps of `run`; `inputs` name what W meets.

    For each gate the unit's weights, and under `Wx` and `Uh` the terms of each step. Where the reset
    gate acts after the product, the candidate has besides c and, for each step, rc: r_i c_i.
    """
    unit = question.unit - 1
    gates: dict[str, Any] = {}
    for gate, W, U, b in zip(GATES, *(np.split(array, 3) for array in (run.gru.W, run.gru.U, run.gru.b)), strict=True):
        c = None if run.gru.c_h is None or gate != "h_tilde" else run.gru.c_h[unit]
        Wx, Uh = run.terms(gate, unit)
        gates[gate] = {"W": W[unit], "U": U[unit], "b": b[unit], "c": c, "Wx": Wx, "Uh": Uh}
        gates[gate]["rc"] = None if c is None else run.r[:, unit] * c
    asked = question.model_dump(by_alias=True, include={"layer", "unit", "from_", "to"})
    return to_json(asked | {"inputs": inputs, "gates": gates})


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


def events(start: dict[str, Any], blocks: Iterable[Trace]) -> Iterator[bytes]:
    """A run as server-sent events: `start`, a `step` for each timestep, `done` with each layer's `moved`.

    Each piece is one write to the network and holds the steps of one block.
    """
    piece = event("start", start)
    t, T = 1, start["T"]
    moved = [np.zeros(about["H"]) for about in start["layers"]]
    for block in blocks:
        arrays = [array for layer in block.layers for array in _named(layer).values()]
        columns = [_rows(array) for array in [*arrays, block.layers[0].x, block.y]]
        layer_form = b",".join(b'"%s":"%%s"' % name.encode() for name in _named(block.layers[0]))
        layers_form = b",".join([b"{" + layer_form + b"}"] * len(block.layers))
        form = b'event: step\ndata: {"t":%d,"layers":[' + layers_form + b'],"x":"%s","y":"%s"}\n\n'
        steps = [form % (t + i, *row) for i, row in enumerate(zip(*columns, strict=True))]
        t += len(steps)
        moved = [so_far + layer.moved for so_far, layer in zip(moved, block.layers, strict=True)]
        yield piece + b"".join(steps) + (event("done", {"T": T, "moved": moved}) if t > T else b"")
        piece = b""
