"""The names of arrays in files. Names and shapes also show the layers before and after a recurrent network."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from gru_core.arrays import Array
from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import Dense, Embedding, check_type

Arrays = Mapping[str, Array]

MAX_NAME = 500


def plain(arrays: Arrays) -> dict[str, Array]:
    """Return the arrays with their names in a common form: a path with `/` between the parts.

    JAX's `['params']['ir']` and `.cells[0].weight_ih`, PyTorch's `gru.weight_ih_l0` and Flax's `params/ir` all get this
    form. The endings `.value`, `:0` and `/.ATTRIBUTES/VARIABLE_VALUE` (TensorFlow checkpoints) are removed. Raises
    FormatError if two names get the same path, or if a name is too long.
    """
    by_path: dict[str, Array] = {}
    for name, array in arrays.items():
        if len(name) > MAX_NAME:
            raise FormatError(f"the name {shown(name)} has {len(name):,} characters; at most {MAX_NAME} are allowed")
        variable = name.removesuffix(":0").removesuffix("/.ATTRIBUTES/VARIABLE_VALUE")
        parts = [part for part in re.split(r"[/.\[\]'\"]+", variable) if part]
        path = "/".join(parts[:-1] if len(parts) > 1 and parts[-1] == "value" else parts)
        if path in by_path:
            raise FormatError(f"{shown(name)} is in the file twice")
        by_path[path] = array
    return by_path


def groups(arrays: Arrays, pattern: str) -> dict[str, dict[str, str]]:
    """Return the names that end in a match of `pattern`, grouped by what precedes the match.

    The result is {beginning: {end: name}}.
    """
    by_beginning: dict[str, dict[str, str]] = {}
    for name in arrays:
        match = re.fullmatch(rf"(?:(.*)/)?({pattern})", name, re.DOTALL)
        if match:
            by_beginning.setdefault(match[1] or "", {})[match[2]] = name
    return by_beginning


def part(arrays: Arrays, group: Mapping[str, str], where: str, name: str) -> Array:
    """Return the array `name` of the layer at `where`. Raises FormatError if it is missing or has no float type."""
    if name not in group:
        present = ", ".join(map(shown, group))
        raise FormatError(f"the layer at {shown(where)} has no array {shown(name)}; it has {present}")
    array = arrays[group[name]]
    check_type(shown(group[name]), array)
    return array


def around(arrays: Arrays) -> tuple[list[Embedding], list[Dense]]:
    """Return the possible embeddings and the possible linear layers among `arrays`, the arrays outside the network.

    A matrix called `weight` without a bias may be an embedding or a linear layer, and is in both lists.
    """
    embeddings: list[Embedding] = []
    linears: list[Dense] = []
    for name, array in arrays.items():
        place, _, last = name.rpartition("/")
        where = place.removesuffix("/vars")
        if array.ndim != 2 or array.dtype.kind != "f":
            continue
        if last in ("embedding", "embeddings"):
            embeddings.append(Embedding(where or name, array))
            continue
        rows = {"weight": array, "kernel": array.T, "w": array.T, "0": array.T}.get(last)
        if rows is None or (last == "0" and where == place):
            continue
        bias = next((arrays[b] for b in (f"{place}/{b}".lstrip("/") for b in ("bias", "b", "1")) if b in arrays), None)
        if bias is not None and bias.shape == (len(rows),):
            linears.append(Dense(where or name, rows, bias))
        elif bias is None:
            linears.append(Dense(where or name, rows, np.zeros(len(rows), array.dtype)))
            if last in ("weight", "0"):
                embeddings.append(Embedding(where or name, array))
    return embeddings, linears
