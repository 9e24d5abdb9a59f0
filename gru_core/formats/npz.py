"""NumPy's .npz files: a zip of .npy files. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import numpy.typing as npt

from gru_core.formats.archive import members
from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import MAX_AXES, MAX_BYTES, widened

# The header is a Python literal. NumPy writes exactly this form, so the header is matched and never evaluated.
HEADER = re.compile(
    r"\{'descr': (?:'([<>|=])(\w{1,12})'|['\[].{1,2000}), 'fortran_order': (True|False), "
    r"'shape': \(([\d, ]{0,200})\), \}\s*"
)
NUMBERS = {"b1", "f2", "f4", "f8", "c8", "c16", *(f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8))}
TEXT = re.compile(r"[SU][1-9]\d{0,4}")


def arrays(data: bytes) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of an .npz file by name: numbers and text.

    Arrays of bfloat16, which NumPy stores as "V2", become float32, which is exact. Arrays of objects or records are not
    read. In their place the result has an array of the type void, with the same shape. Raises FormatError if the file
    is damaged, empty or too large, or if it contains files other than arrays.
    """
    by_name: dict[str, npt.NDArray[Any]] = {}
    for member, content in members(data).items():
        name = member.removesuffix(".npy")
        if name == member:
            raise FormatError(
                f"{shown(member)} in the .npz is not an .npy array. If this is a zip of a folder, unpack it, and use "
                "the file of the weights that is inside"
            )
        by_name[name] = npy(name, content)
    if not by_name:
        raise FormatError("the .npz is empty")
    return by_name


def npy(name: str, content: bytes) -> npt.NDArray[Any]:
    """Return the array in an .npy file, as `arrays` describes it. Raises FormatError if it is damaged or too large."""
    if content[:6] != b"\x93NUMPY" or content[6:8] not in (b"\1\0", b"\2\0", b"\3\0"):
        raise FormatError(f"{shown(name)} is not an .npy array")
    wide = 2 if content[6] == 1 else 4
    start = 8 + wide + int.from_bytes(content[8 : 8 + wide], "little")
    header = HEADER.fullmatch(content[8 + wide : min(start, 4096)].decode("latin-1"))
    if header is None:
        raise FormatError(f"{shown(name)} is not an array as NumPy writes it")
    endian, kind, fortran, axes = header.groups()
    if re.fullmatch(r"(\d{1,12}(, \d{1,12})*,?)?", axes) is None:
        raise FormatError(f"{shown(name)} has an impossible shape: ({axes})")
    shape = tuple(int(axis) for axis in axes.split(",") if axis.strip())
    if len(shape) > MAX_AXES or math.prod(shape) > MAX_BYTES:
        raise FormatError(f"{shown(name)} has shape ({axes}), which is too large to be read")
    if kind is None or not (kind in NUMBERS or kind == "V2" or TEXT.fullmatch(kind)):
        return np.broadcast_to(np.zeros((), "V1"), shape)
    dtype = np.dtype(("<" if endian == "|" else endian) + kind)
    # The size of the file bounds the memory.
    if len(content) - start != math.prod(shape) * dtype.itemsize:
        raise FormatError(f"{shown(name)} has shape ({axes}), but {max(len(content) - start, 0):,} bytes")
    flat = np.frombuffer(content, dtype, offset=start)
    array = flat.reshape(shape, order="F" if fortran == "True" else "C")
    return widened(array.view("<u2")) if kind == "V2" else array.astype(dtype.newbyteorder("="), copy=False)
