"""Weights that PyTorch computes from other arrays: weight_norm, spectral_norm and pruning.

    weight_norm      W = g ⊙ v / ‖v‖            W_g, W_v, or parametrizations.W.original0 and original1
    spectral_norm    W = V / (uᵀ V v)           W_orig, W_u, W_v, or parametrizations.W.original, .0._u and .0._v
    pruning          W = V ⊙ mask               W_orig, W_mask

‖v‖ is taken over the axes in which g has the size 1. https://docs.pytorch.org/docs/stable/nn.html#utilities
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array
from gru_core.formats.pytorch import NAMES
from gru_core.formats.questions import FormatError, short, shown

Named = Mapping[str, npt.NDArray[Any]]

OTHER = """{name} is computed from {parts}, by a parametrization that the file does not describe.
Store the weights that it computes, in the program that has the model, for each such weight:
    torch.nn.utils.parametrize.remove_parametrizations(module, "{weight}")
(or remove_weight_norm, remove_spectral_norm, prune.remove), and then save the file again"""


def computed(arrays: Named) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]:
    """Return the arrays with each computed weight in place of its sources, and a dictionary from weights to methods.

    Arrays that fit no method do not change. Raises FormatError if such arrays belong to a recurrent layer.
    """
    plain, methods = dict(arrays), {}
    for name, parts in _sources(arrays).items():
        method, weight = _weight({part: arrays[source] for part, source in parts.items()})
        if weight is not None:
            plain = {n: a for n, a in plain.items() if n not in parts.values()} | {name: weight}
            methods[name] = method
        elif re.fullmatch(rf"(.*/)?{NAMES}", name, re.DOTALL):
            listed = ", ".join(map(shown, list(parts.values())[:4]))
            raise FormatError(OTHER.format(name=shown(name), parts=listed, weight=short(name.rpartition("/")[2])))
    return plain, methods


def _sources(arrays: Named) -> dict[str, dict[str, str]]:
    """Return the names of the arrays that each weight is computed from: {weight: {part: name}}."""
    sources: dict[str, dict[str, str]] = {}
    for name in arrays:
        new = re.fullmatch(r"((?:.*/)?)parametrizations/([^/]+)/(.+)", name, re.DOTALL)
        old = re.fullmatch(r"(.*)_(g|v|u|orig|mask)", name, re.DOTALL)
        if new:
            sources.setdefault(new[1] + new[2], {})[new[3]] = name
        elif old:
            sources.setdefault(old[1], {})[old[2]] = name
    return {name: parts for name, parts in sources.items() if name not in arrays}


def _weight(parts: Named) -> tuple[str, npt.NDArray[Any] | None]:
    """Return the method's name, and the weight that it computes from the parts, or None if no method fits."""
    types = [array.dtype for part, array in parts.items() if part != "mask"]
    if any(dtype.kind != "f" for dtype in types):
        return "", None
    for names, method in METHODS.items():
        if set(names) == set(parts):
            with np.errstate(all="ignore"):  # a weight that is not finite is reported if it is shown
                weight = method(*(parts[name].astype(np.float64) for name in names))
                weight = weight if weight is None else weight.astype(np.result_type(*types, np.float32))
            return method.__name__, weight
    return "", None


def weight_norm(g: Array, v: Array) -> Array | None:
    axes = tuple(i for i in range(v.ndim) if g.shape[i : i + 1] in ((), (1,)))
    fits = g.shape in ((), tuple(1 if i in axes else n for i, n in enumerate(v.shape)))
    return np.asarray(g * v / np.sqrt((v**2).sum(axes, keepdims=True))) if axes and fits else None


def spectral_norm(V: Array, u: Array, v: Array) -> Array | None:
    return np.asarray(V / (u @ V @ v)) if V.ndim == 2 and u.shape + v.shape == V.shape else None


def pruning(V: Array, mask: Array) -> Array | None:
    return V * mask if V.shape == mask.shape else None


METHODS: dict[tuple[str, ...], Callable[..., Array | None]] = {
    ("g", "v"): weight_norm,
    ("original0", "original1"): weight_norm,
    ("orig", "u", "v"): spectral_norm,
    ("original", "0/_u", "0/_v"): spectral_norm,
    ("orig", "mask"): pruning,
}
"""The methods, by the names of the parts that they need. A method returns None if the shapes do not fit."""
