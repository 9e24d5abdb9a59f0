"""Import of networks from other libraries: `read` turns a file into a model, and reports how it read the file.

    from gru_core import formats
    imported = formats.read_file("flipflop.safetensors")
    imported.report    # ("PyTorch's nn.GRU: 1 layer of 8 units, with biases; blocks in the order …", …)
    imported.model     # the same as gru_core.load returns

These files can be read: safetensors and npz with the arrays of PyTorch, Keras, Flax, Equinox, Haiku or MLX; PyTorch's
`.pt`, `.pth`, `.bin` and `.ckpt` with a state dict; ONNX; Keras's `.keras` and `.weights.h5` (both need h5py); and GRU
Scope's own files. Files are untrusted. No code in a file runs, no name in a file is used as a path, no link in a file
is followed, and nothing is written to disk.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from gru_core.formats import (
    equinox,
    flax,
    haiku,
    keras,
    keras_arrays,
    mlx,
    npz,
    onnx,
    others,
    own,
    parametrized,
    pytorch,
    safetensors,
    tf1,
    torch_file,
    unnamed,
)
from gru_core.formats.archive import MAX_DIRECTORY
from gru_core.formats.choices import check_answers
from gru_core.formats.imported import ENDINGS, Imported, imported
from gru_core.formats.limits import Limits
from gru_core.formats.names import Arrays, plain
from gru_core.formats.questions import FormatError, Option, Question, Unanswered, shown
from gru_core.formats.twins import paired
from gru_core.formats.weights import MAX_BYTES, MAX_TENSORS, Convention, Shown, Stack

__all__ = [
    "Convention",
    "FormatError",
    "Imported",
    "Limits",
    "Option",
    "Question",
    "Unanswered",
    "read",
    "read_arrays",
    "read_file",
]

LIMITS = Limits()

MOST_SENTENCES = 8
"""The largest number of computed weights that a report lists."""

OPTIMIZER = re.compile(r"(?:^|/)(?:opt_state|optim|optimizer|optimizer_states?|OPTIMIZER_SLOT)/|(?:^|/)\d+/(?:mu|nu)/")
"""Parts of a name that mark an array as the state of an optimizer, such as Optax's `opt_state/0/mu/…`."""

KINDS = ", ".join(ENDINGS[:-1]) + " or " + ENDINGS[-1]


def read_file(
    path: str | Path,
    answers: Mapping[str, str] | None = None,
    alphabet: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    direction: Shown | None = None,
    limits: Limits = LIMITS,
) -> Imported:
    """Return the model in the file at `path`, as `read` does. Also raises OSError if the file cannot be read."""
    with Path(path).open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    return read(data, Path(path).name, answers, alphabet, labels, direction, limits)


def read(
    data: bytes,
    name: str,
    answers: Mapping[str, str] | None = None,
    alphabet: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    direction: Shown | None = None,
    limits: Limits = LIMITS,
) -> Imported:
    """Return the model in the bytes of a file.

    The bytes decide which format the file has. `name` is the name of the file, and becomes the title of the model.
    `answers` maps the key of a question to the answer. `direction="backward"` means the same as
    `answers={"direction": "backward"}`. The direction "both" reads both directions of a bidirectional network.
    `alphabet` names the symbols of an embedding or, without an embedding, the inputs, which then are one-hot symbols.
    `labels` name the outputs. `limits` bounds the size of the model.

    Raises Unanswered, with a Question, if the file leaves a question open. Raises FormatError if the file is damaged or
    too large, if it has no network that can be shown, or if an answer, a symbol or a label does not fit.
    """
    answers = dict(answers or {}) | ({} if direction is None else {"direction": direction})
    network = _read(data, name, answers, alphabet, labels)
    excess = limits.excess(network.model)
    if excess is not None:
        raise FormatError(excess)
    return network


def _read(
    data: bytes, name: str, answers: dict[str, str], alphabet: Sequence[str] | None, labels: Sequence[str] | None
) -> Imported:
    check_answers(answers)
    if len(data) > MAX_BYTES:
        raise FormatError(f"the file is too large: at most {MAX_BYTES // 2**20} MiB")
    if not data:
        raise FormatError("the file is empty")
    arrays: Arrays = {}
    kind = _kind(data, name)
    if kind == "safetensors":
        arrays, metadata = safetensors.arrays(data)
        if "gruscope" in metadata:
            if answers or alphabet is not None or labels is not None:
                raise FormatError("a GRU Scope model needs no answers, alphabet or labels: leave them out")
            return own.read(arrays, metadata["gruscope"])
        return read_arrays(arrays, name, answers, alphabet, labels)
    if kind in ("npz", "torch"):
        contents = npz.arrays(data) if kind == "npz" else torch_file.arrays(data)
        return read_arrays(contents, name, answers, alphabet, labels)
    if kind == "h5":
        arrays, stacks = keras.read_h5(data)
        if not stacks:
            return read_arrays(arrays, name, answers, alphabet, labels)
    elif kind == "keras":
        arrays, stacks = keras.read(data)
    else:
        stacks = onnx.read(data)
    if not stacks:
        raise FormatError("there is no GRU, LSTM or plain RNN in this file")
    return imported(stacks, arrays, name, answers, alphabet, labels)


def _kind(data: bytes, name: str) -> Literal["safetensors", "torch", "npz", "h5", "keras", "onnx"]:
    """Return the format of a file. Raises FormatError, with advice, if this format cannot be read.

    A safetensors file starts with the length of its header. The bytes of the length can look like the start of another
    format. So this function tests for safetensors first if the length is plausible.
    """
    if data[8:9] == b"{" and data[3:8] == bytes(5):
        return "safetensors"
    remedy = others.remedy(data)
    if remedy is not None:
        raise FormatError(remedy)
    if data[:2] == b"PK":
        return "keras" if b"model.weights.h5" in data else "torch" if b"data.pkl" in data[-MAX_DIRECTORY:] else "npz"
    if data[:8] == b"\x89HDF\r\n\x1a\n":
        return "h5"
    if data[:1] == b"\x08":  # the version, which is the first field of a ModelProto
        return "onnx"
    if data[8:9] == b"{":
        return "safetensors"
    raise FormatError(others.by_ending(name) or f"this type of file cannot be read: use one of {KINDS}")


def read_arrays(
    arrays: Arrays,
    name: str,
    answers: Mapping[str, str] | None = None,
    alphabet: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
) -> Imported:
    """Return the model in `arrays`, a dictionary such as a state dict. Arguments and errors are as for `read`."""
    answers = dict(answers or {})
    check_answers(answers)
    if len(arrays) > MAX_TENSORS:
        raise FormatError(f"the file has {len(arrays):,} arrays; at most {MAX_TENSORS} are allowed")
    by_path = plain(arrays)
    remaining, methods = parametrized.computed({n: a for n, a in by_path.items() if not OPTIMIZER.search(n)} or by_path)
    stacks: list[Stack] = []
    for library in (equinox, pytorch, flax, haiku, mlx, keras_arrays, tf1):
        matches = library.find(remaining)
        used = frozenset[str]().union(*(stack.names for stack in matches))
        stacks += matches
        remaining = {path: array for path, array in remaining.items() if path not in used}
    stacks = paired(stacks or unnamed.find(remaining, answers))
    if not stacks:
        pickled = [name for name, array in arrays.items() if array.dtype.kind == "V" and not array.ndim]
        if pickled:
            raise FormatError(
                f"{shown(pickled[0])} is an object, such as a dictionary of arrays, and only arrays are read. Save the "
                'arrays by their names: np.savez("model.npz", **arrays)'
            )
        raise FormatError(
            f"no GRU, LSTM or plain RNN was found among the arrays {', '.join(map(shown, list(arrays)[:6]))}. "
            "Use the array names of PyTorch, Keras, Flax, Equinox, Haiku or MLX, such as weight_ih_l0, ir/kernel or w_i"
        )
    network = imported(stacks, remaining, name, answers, alphabet, labels)
    sentences = [f"{shown(weight)} is computed from the arrays of PyTorch's {how}." for weight, how in methods.items()]
    if any(map(OPTIMIZER.search, by_path)):
        sentences.insert(0, "The file also has the state of an optimizer, which is no network.")
    return replace(network, report=(*network.report, *sentences[:MOST_SENTENCES]))
