"""Safetensors files: a length, a JSON header of this length, and the numbers. https://github.com/huggingface/safetensors

This module does not use the library safetensors. It checks every size itself, before it allocates memory.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import MAX_AXES, MAX_TENSORS, widened

MAX_HEADER = 4 * 2**20
DTYPES = {
    "F16": "<f2", "BF16": "V2", "F32": "<f4", "F64": "<f8",
    "BOOL": "?", "I8": "i1", "I16": "<i2", "I32": "<i4", "I64": "<i8", "U8": "u1", "U16": "<u2", "U32": "<u4",
    "U64": "<u8", "C64": "<c8", "F8_E4M3": "V1", "F8_E5M2": "V1", "F8_E8M0": "V1",
}  # fmt: skip


def arrays(data: bytes) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]:
    """Return the arrays of a safetensors file by name, and its metadata.

    Arrays of bfloat16 become float32, which is exact. Arrays of float8, for which NumPy has no type, become plain
    bytes. Raises FormatError if the file is damaged or too large.
    """
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(MAX_HEADER, len(data) - 8):
        raise FormatError(
            f"the file announces a header of {length:,} bytes, but {max(len(data) - 8, 0):,} bytes follow "
            f"and at most {MAX_HEADER:,} are allowed. Was the file cut off, or is it not a safetensors file?"
        )
    header = _header(data[8 : 8 + length])
    metadata = header.pop("__metadata__", None) or {}  # MLX writes null
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise FormatError("the metadata in the header must be text")
    if len(header) > MAX_TENSORS:
        raise FormatError(f"the file has {len(header):,} tensors; at most {MAX_TENSORS} are allowed")
    by_name: dict[str, npt.NDArray[Any]] = {}
    spans: list[tuple[int, int]] = []
    for name, entry in header.items():
        dtype, shape, begin, end = _entry(name, entry)
        if not 0 <= begin <= end <= len(data) - 8 - length or end - begin != math.prod(shape) * dtype.itemsize:
            where = f"the bytes {begin} to {end}, or these bytes are not in the file"
            raise FormatError(f"{shown(name)}: the shape {list(shape)} does not fit {where}")
        spans.append((begin, end))
        flat = np.frombuffer(data[8 + length + begin : 8 + length + end], dtype)
        by_name[name] = (widened(flat.view("<u2")) if entry["dtype"] == "BF16" else flat).reshape(shape)
    spans.sort()
    if [begin for begin, _ in spans] + [len(data) - 8 - length] != [0] + [end for _, end in spans]:
        raise FormatError("the tensors overlap, or there are unused bytes between or after them")
    return by_name, metadata


def _header(text: bytes) -> dict[str, Any]:
    """Return the JSON header. Raises FormatError if it is not a JSON object, or has a name twice."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise FormatError("a name is in the header twice")
        return dict(pairs)

    try:
        header = json.loads(text.decode(), object_pairs_hook=unique)
    except FormatError:
        raise
    except (ValueError, RecursionError) as error:
        raise FormatError("the header is not JSON. Is it a safetensors file?") from error
    if not isinstance(header, dict):
        raise FormatError("the header is not a JSON object")
    return header


def _entry(name: str, entry: Any) -> tuple[np.dtype[Any], tuple[int, ...], int, int]:
    """Return a tensor's dtype, shape, and the start and end of its bytes. Raises FormatError if they are invalid."""

    def is_counts(value: Any, most: int) -> bool:
        return isinstance(value, list) and len(value) <= most and all(type(n) is int and 0 <= n < 2**40 for n in value)

    if (
        not isinstance(entry, dict)
        or not is_counts(entry.get("shape"), MAX_AXES)
        or not is_counts(entry.get("data_offsets"), 2)
    ):
        raise FormatError(f"{shown(name)} has no valid shape or place in the header")
    if len(entry["data_offsets"]) != 2:
        raise FormatError(f"{shown(name)} has no beginning or no end in the header")
    dtype = entry.get("dtype")
    if not isinstance(dtype, str) or dtype not in DTYPES:
        types = ", ".join(list(DTYPES)[:4])
        raise FormatError(f"{shown(name)} has the type {shown(str(dtype))}; weights are floating-point: {types}")
    return np.dtype(DTYPES[dtype]), tuple(entry["shape"]), *entry["data_offsets"]
