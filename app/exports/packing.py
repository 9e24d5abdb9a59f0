"""Arrays in exported pages, as little-endian numbers in base64. This is half as long as JSON."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import numpy as np

from gru_core.arrays import Array


def packed(array: Array) -> str:
    """Return an array as float64 in base64."""
    return b64encode(np.ascontiguousarray(array, "<f8").tobytes()).decode()


def packed_weights(array: Array) -> str:
    """Return an array in base64, as float32 if all values are exact in float32, else as float64."""
    single = array.astype("<f4")
    return b64encode(single.tobytes()).decode() if np.array_equal(single, array) else packed(array)


def packed_answer(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of an answer in which `packed` has encoded every array."""
    return {name: packed(value) if isinstance(value, np.ndarray) else value for name, value in answer.items()}
