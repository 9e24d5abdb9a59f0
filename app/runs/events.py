"""Runs as server-sent events, one for each timestep."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
from fastapi.sse import format_sse_event

from gru_core import Trace
from gru_core.arrays import Array

from ..schemas import UnitPlace
from .answers import Start, differences, ends_of, equations_at, layers_of, to_json, values_of
from .large import signals_of

EVENT_STREAM = "text/event-stream"

STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""The headers of an event stream. They tell proxies not to cache or buffer it."""

HEARTBEAT_SECONDS = 15
"""The seconds after which an idle stream sends a comment. Proxies end streams that send nothing for 29 s or more."""


def _rows(arrays: Sequence[Array]) -> list[list[bytes]]:
    """Return for each array `(T, ·)` its rows as little-endian numbers in base64, which is exact and fast.

    All rows with the same size are encoded together. Each row is padded with zeros to a multiple of three bytes. Then
    "=", the padding character of base64, replaces the characters that encode these zeros.
    """
    T = len(arrays[0])
    by_kind: dict[tuple[np.dtype[Any], int], list[int]] = {}
    for place, array in enumerate(arrays):
        by_kind.setdefault((array.dtype, array.shape[1]), []).append(place)
    columns: list[list[bytes]] = [[]] * len(arrays)
    for (dtype, width), places in by_kind.items():
        rows = np.concatenate([arrays[place] for place in places])
        n, size = len(rows), dtype.itemsize * width
        padding = -size % 3
        padded = np.zeros((n, size + padding), np.uint8)
        padded[:, :size] = np.ascontiguousarray(rows).view(np.uint8)
        text = np.frombuffer(bytearray(b2a_base64(padded.tobytes(), newline=False)), np.uint8).reshape(n, -1)
        length = text.shape[1]
        text[:, length - padding :] = ord("=")
        joined = text.tobytes()
        encoded = [joined[i : i + length] for i in range(0, n * length, length)]
        for i, place in enumerate(places):
            columns[place] = encoded[i * T : (i + 1) * T]
    return columns


def event(name: str, data: Any) -> bytes:
    return format_sse_event(event=name, data_str=to_json(data).decode())


def events(start: Start, blocks: Iterable[Trace], place: UnitPlace | None = None) -> Iterator[bytes]:
    """Yield a run as server-sent events: a `start` event, a `step` event for each timestep, and a `done` event.

    With a `place`, each `step` has the `equations` of this unit, and `start` says which unit it is.

    `done` has `moved`, the distance that the state of each unit moved, by layer. With a twin, `done` also has the
    `first` timestep at which the outputs differ, and the place where the states differ `most`. If the signals are
    rounded to float32, `last` has the exact last states. Each piece has the events of one block, in one network write.
    """
    piece = event("start", start if place is None else {**start, "equations": place.model_dump()})
    t, T = 1, start["T"]
    moved = [np.zeros(layer_start["H"]) for layer_start in start["layers"]]
    twin: dict[str, Any] | None = {"first": None, "most": None} if start["twin"] else None
    for block in blocks:
        steps = _steps(block, t, start.get("exact"), place)
        if twin is not None:
            new = differences(block, t - 1)
            twin["first"] = twin["first"] or new["first"]
            twin["most"] = max(filter(None, (twin["most"], new["most"])), key=itemgetter("gap"), default=None)
        t += len(steps)
        moved = [so_far + layer.moved for so_far, layer in zip(moved, block.layers, strict=True)]
        done = {"T": T, "moved": moved, "twin": twin, "last": block.last if "exact" in start else None}
        yield piece + b"".join(steps) + (event("done", done) if t > T else b"")
        piece = b""


def _steps(block: Trace, t: int, exact: Mapping[str, int] | None, place: UnitPlace | None) -> list[bytes]:
    """Return a `step` event for each timestep in a block. The block starts at timestep `t`."""
    values, names = ends_of(block)
    ends = {name: array.astype("<f8", copy=False) for name, array in values.items()}
    if exact is None:
        parts = [{name: array.astype("<f8", copy=False) for name, array in layer.items()} for layer in layers_of(block)]
        parts.append(ends)
        form = _form(parts[:-1]) + b"," + _fields(ends)
    else:
        ends["x"] = ends["x"].astype("<f4")
        unit = values_of(block, exact["layer"] - 1, exact["unit"] - 1)
        parts = [*(signals_of(block, layer) for layer in range(len(block.layers))), unit, ends]
        form = _form(parts[:-2]) + b',"unit":{' + _fields(unit) + b"}," + _fields(ends)
    columns: list[list[bytes]] = _rows([array for part in parts for array in part.values()])
    texts: dict[str, Sequence[Any]] = {**names}
    if place is not None:
        texts["equations"] = equations_at(block, place)
    columns += [[to_json(text) for text in column] for column in texts.values()]
    form += b"".join(b',"%s":%%s' % name.encode() for name in texts)
    form = b'event: step\ndata: {"t":%d,"layers":[' + form + b"}\n\n"
    return [form % (t + i, *row) for i, row in enumerate(zip(*columns, strict=True))]


def _form(layers: Sequence[Mapping[str, Array]]) -> bytes:
    return b",".join(b"{" + _fields(arrays) + b"}" for arrays in layers) + b"]"


def _fields(named: Mapping[str, Array]) -> bytes:
    return b",".join(b'"%s":"%%s"' % name.encode() for name in named)
