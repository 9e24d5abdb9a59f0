"""The timesteps that are not padding, according to the arrays `lengths` and `mask` next to an input in a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Mask
from gru_core.formats.questions import FormatError


def counted(shape: tuple[int, int], arrays: Mapping[str, npt.NDArray[Any]], where: str) -> Mask:
    """Return a mask `(T, B)`, true at the timesteps that are not padding.

    `arrays` may have `lengths` `(B,)` and `mask` `(T, B)`, or `()` and `(T,)` for one sequence. Without these two
    arrays, no timestep is padding. Raises FormatError if they do not fit `shape`. `where` names the file in the
    message.
    """
    T, B = shape
    counts = np.ones((T, B), bool)
    if "lengths" in arrays:
        lengths = _numbers(arrays["lengths"])
        if lengths.shape != (B,) or not ((lengths >= 1) & (lengths <= T) & (lengths == np.round(lengths))).all():
            raise FormatError(f"lengths in {where} must be {B} whole numbers from 1 to {T}")
        counts &= np.arange(T)[:, None] < lengths
    if "mask" in arrays:
        mask = _numbers(arrays["mask"])
        mask = mask[:, None] if mask.ndim == 1 else mask
        mask = mask.T if mask.shape == (B, T) != (T, B) else mask
        if mask.shape != (T, B) or not np.isin(mask, (0, 1)).all():
            raise FormatError(f"mask in {where} must be ({T}, {B}): 1 at each real timestep, 0 at padding")
        counts &= mask == 1
    return counts


def _numbers(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an array with at least one axis. An array without numbers becomes NaN, which fails every check."""
    array = np.atleast_1d(np.asarray(array))
    return array if array.dtype.kind in "biuf" else np.full(array.shape, np.nan)
