"""NumPy's .npz files: a zip of .npy files. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import numpy.typing as npt

from gru_core.formats.archive import members
from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import MAX_UNPACKED

MAX_AXES = 8

# The header is a Python literal. This pattern reads it without evaluating it: NumPy writes exactly this form.
HEADER = re.compile(
    r"\{'descr': '([<>|=])(\w{1,12})', 'fortran_order': (True|False), 'shape': \(([\d, ]{0,200})\), \}\s*"
)
NUMBERS = {"f2", "f4", "f8"}
INTEGERS = {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)} | {"b1"}


def arrays(data: bytes, integers: bool = False) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of an .npz file by name: floating-point numbers and, with `integers`, whole numbers and
    truth values.

    Raises FormatError if the file is damaged, empty or too large, or if it has anything else in it.
    """
    by_name: dict[str, npt.NDArray[Any]] = {}
    for member, content in members(data).items():
        name = member.removesuffix(".npy")
        if name == member:
            raise FormatError(f"{shown(member)} in the .npz is not an .npy array")
        by_name[name] = npy(name, content, NUMBERS | INTEGERS if integers else NUMBERS)
    if not by_name:
        raise FormatError("the .npz is empty")
    return by_name


def npy(name: str, content: bytes, kinds: set[str]) -> npt.NDArray[Any]:
    """Return the array in an .npy file.

    Raises FormatError if the file is damaged or too large, or if the type of its numbers is not in `kinds`.
    """
    if content[:6] != b"\x93NUMPY" or content[6:8] not in (b"\1\0", b"\2\0", b"\3\0"):
        raise FormatError(f"{shown(name)} is not an .npy array")
    wide = 2 if content[6] == 1 else 4
    start = 8 + wide + int.from_bytes(content[8 : 8 + wide], "little")
    header = HEADER.fullmatch(content[8 + wide : min(start, 4096)].decode("latin-1"))
    if header is None:
        raise FormatError(f"{shown(name)} is not a plain array of numbers; objects, records and text cannot be read")
    endian, kind, fortran, axes = header.groups()
    if kind not in kinds:
        raise FormatError(f"{shown(name)} holds numbers of the kind {shown(kind)}; {', '.join(sorted(kinds))} are read")
    if re.fullmatch(r"(\d{1,12}(, \d{1,12})*,?)?", axes) is None:
        raise FormatError(f"{shown(name)} has an impossible shape: ({axes})")
    shape = tuple(int(axis) for axis in axes.split(",") if axis.strip())
    dtype = np.dtype(("<" if endian == "|" else endian) + kind)
    # Check the size before memory of this size is allocated.
    if len(shape) > MAX_AXES or math.prod(shape) * dtype.itemsize > MAX_UNPACKED:
        raise FormatError(f"{shown(name)} has shape ({axes}), which is too large to be read")
    if len(content) - start != math.prod(shape) * dtype.itemsize:
        raise FormatError(f"{shown(name)} has shape ({axes}), but {max(len(content) - start, 0):,} bytes")
    flat = np.frombuffer(content, dtype, offset=start)
    return flat.reshape(shape, order="F" if fortran == "True" else "C").astype(dtype.newbyteorder("="), copy=False)
