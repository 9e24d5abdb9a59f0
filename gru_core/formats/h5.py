"""HDF5 files, in which Keras stores arrays in groups. They need h5py: pip install 'gruscope[keras]'."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np

from gru_core.arrays import Array
from gru_core.formats.names import MAX_NAME
from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import MAX_TENSORS, room

MAX_GROUPS = 512
MAX_DEPTH = 16


MODEL, OPTIMIZER = "model_weights", ("optimizer", "optimizer_weights")
"""The groups in which Keras stores a model's weights, and the state of an optimizer."""


def read(data: bytes) -> tuple[dict[str, Array], bytes | None]:
    """Return the arrays in an HDF5 file by path, and the model's configuration as JSON, or None if there is none.

    The arrays of an optimizer are left out. Nothing outside the file is opened. Raises FormatError if the file has
    links, data outside the file, or compressed data, which shows its true size only when it is unpacked. Also raises
    FormatError if h5py is missing, and if the file is damaged or too large.
    """
    try:
        import h5py
    except ImportError as error:
        raise FormatError("reading Keras files needs h5py: pip install 'gruscope[keras]'") from error
    datasets: dict[str, tuple[Any, str]] = {}
    group_count = 0

    def walk(group: Any, path: str, depth: int) -> None:
        nonlocal group_count
        group_count += 1
        if group_count > MAX_GROUPS or depth > MAX_DEPTH:
            raise FormatError(f"the file has more than {MAX_GROUPS} groups, or they are more than {MAX_DEPTH} deep")
        if len(group) > MAX_GROUPS:
            raise FormatError(f"{shown(path)} has {len(group):,} entries; at most {MAX_GROUPS} are allowed")
        for name in _ordered(group):
            if not path and name in OPTIMIZER:
                continue
            inner = f"{path}/{name}".lstrip("/")
            if len(inner) > MAX_NAME:
                raise FormatError(f"the name {shown(inner)} is too long")
            key = name.encode()
            if group.id.links.get_info(key).type != h5py.h5l.TYPE_HARD:
                raise FormatError(f"{shown(inner)} is a link, and links are not followed")
            kind = h5py.h5o.get_info(group.id, key).type  # opening the object would take far longer
            if kind == h5py.h5o.TYPE_GROUP:
                walk(group[name], inner, depth + 1)
            elif kind == h5py.h5o.TYPE_DATASET:
                if len(datasets) == MAX_TENSORS:
                    raise FormatError(f"the file has more than {MAX_TENSORS} arrays")
                datasets[inner] = (group, name)

    def load(dataset: Any, path: str, before: int) -> Array:
        plan = dataset.id.get_create_plist()
        is_plain = plan.get_layout() in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT)
        if not is_plain or plan.get_nfilters() or plan.get_external_count():
            raise FormatError(
                f"{shown(path)} is compressed or stored outside the file or in chunks: save it with Keras"
            )
        if dataset.dtype.kind not in "fiu" or dataset.shape is None:
            raise FormatError(f"{shown(path)} does not contain numbers")
        size = math.prod(dataset.shape) * dataset.dtype.itemsize
        if before + size > room(len(data)):
            raise FormatError(f"{shown(path)} has shape {dataset.shape}, which is too large to be read")
        return np.asarray(dataset[()]).astype(dataset.dtype.newbyteorder("="))

    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            walk(file, "", 0)
            by_path: dict[str, Array] = {}
            total = 0
            for path, (group, name) in datasets.items():
                array = by_path[path.removeprefix(f"{MODEL}/")] = load(group[name], path, total)
                total += array.nbytes
            config = file.attrs.get("model_config")
            text = config.encode() if isinstance(config, str) else config
            return by_path, text if isinstance(text, bytes) else None
    except FormatError:
        raise
    except Exception as error:  # for a damaged file h5py raises errors of many types
        raise FormatError("the HDF5 file is damaged: " + shown(str(error))) from error


def _ordered(group: Any) -> list[str]:
    """Return the names in a group, in the order of the layers if Keras stored this order."""
    layers = [name.decode() if isinstance(name, bytes) else str(name) for name in group.attrs.get("layer_names", [])]
    order = {name: i for i, name in enumerate(layers)}
    return sorted(group, key=lambda name: order.get(name, len(order)))
