"""Arrays that do not have a library's names, such as `arr_0`, `arr_1`, … from `np.savez(file, *layer.get_weights())`.

Two matrices are read as a layer if they have the shapes of its input and recurrent weights, G·H rows or columns each.
Names such as `enc_w_ih` and `enc_w_hh` show which matrices belong together. Without such names, the recurrent weights
follow the input weights directly. If the shapes fit several libraries, the user must name the library, because the same
numbers mean a different function in each of them. Each layer is a separate network, because the file does not say
whether one layer reads the outputs of another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gru_core.arrays import Array
from gru_core.formats.keras_arrays import from_cudnn, is_cudnn
from gru_core.formats.names import Arrays
from gru_core.formats.questions import FormatError, Option, Question, answer, shown
from gru_core.formats.weights import BLOCKS, TITLES, Convention, Stack, cell

LIBRARIES = {
    "PyTorch": Convention("rzh", "after", "keep"),
    "Keras": Convention("zrh", "after", "keep"),
    "Keras, reset_after=False": Convention("zrh", "before", "keep"),
    "Flax nnx": Convention("rzh", "after", "keep"),
    "Haiku": Convention("zrh", "before", "take"),
}

INPUT = {"ih", "xh", "x2h", "i2h", "wx", "wxh", "wih", "wi", "input", "inputs"}
RECURRENT = {"hh", "h2h", "wh", "whh", "hidden", "recurrent"}
"""The parts of names that mark recurrent weights. A single letter w or u also marks input or recurrent weights."""

WEIGHTS = {"w", "weight", "weights", "b", "bias", "biases", "kernel"}
"""The parts of names that input and recurrent weights have in common."""


@dataclass
class Candidate:
    """The names of two matrices and biases that may form a layer. `beside` names more arrays that may belong to it."""

    where: str
    W: str
    U: str
    biases: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)


def find(arrays: Arrays, answers: Mapping[str, str]) -> list[Stack]:
    """Return the recurrent layers that can be recognized by the shapes of the arrays, each as a separate network.

    Raises Unanswered, with a question about the library, if the names do not show which library wrote the arrays.
    Raises FormatError if the arrays of a layer do not fit together, if neither names nor shapes show which matrix has
    the recurrent weights, or if each gate has separate matrices.
    """
    gates = _separate_gates(arrays)
    if gates:
        raise FormatError(GATES.format(names=" and ".join(map(shown, gates))))
    return [_stack(arrays, candidate, answers) for candidate in _by_name(arrays) or _by_order(arrays)]


GATES = """{names} look like the weights of single gates, and a file does not show how such a cell uses them.
Join the gates, each as a matrix of (units, inputs), in the order of PyTorch: r, z, h̃ for a GRU, i, f, c̃, o for an LSTM:
    np.savez("model.npz", weight_ih=np.concatenate([W_r, W_z, W_h]), weight_hh=np.concatenate([U_r, U_z, U_h]),
             bias_ih=np.concatenate([b_r, b_z, b_h]), bias_hh=np.zeros(3 * units))
If the reset gate acts before the product with U, add the answer reset=before.
If z near 1 takes the candidate, add z=take"""

TWINS = (("reset", "update"), ("r", "z"), ("forget", "output"), ("f", "o"))
"""Pairs of gate names. If two matrices differ in name only by such a pair, each gate has its own matrices."""


def _separate_gates(arrays: Arrays) -> tuple[str, str] | None:
    """Return the names of two matrices of equal shape that differ only in the name of a gate, or None."""
    for name, array in arrays.items():
        for gate, twin in TWINS:
            for match in re.finditer(f"{gate}(?![a-z])" if len(gate) == 1 else gate, name, re.IGNORECASE):
                other = f"{name[: match.start()]}{twin}{name[match.end() :]}"
                if array.ndim == 2 and other in arrays and arrays[other].shape == array.shape:
                    return name, other
    return None


def _role(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the role of an array by its name, and the remaining parts of the name.

    The role is "W" for input weights, "U" for recurrent weights, and "" if it is unknown. The names of a layer's
    arrays, such as enc_w_ih, enc_w_hh and enc_b_ih, have the same remaining parts, here ("enc",).
    """
    parts = re.split(r"[_/]+", name.lower())
    for role, words in (("U", RECURRENT), ("W", INPUT), ("U", {"u"}), ("W", {"w"})):
        for i, part in enumerate(parts):
            word = part.rstrip("0123456789")
            if word in words:
                parts[i] = part[len(word) :]
                return role, tuple(part for part in parts if part and part not in WEIGHTS)
    return "", tuple(part for part in parts if part not in WEIGHTS)


def _by_name(arrays: Arrays) -> list[Candidate]:
    """Return the layers with input and recurrent weights that their names identify, such as enc_w_ih and enc_w_hh."""
    places: dict[tuple[str, ...], dict[str, list[str]]] = {}
    for name in arrays:
        role, place = _role(name)
        places.setdefault(place, {}).setdefault(f"{role}{arrays[name].ndim}", []).append(name)
    candidates = []
    for place, names in places.items():
        W, U = names.get("W2", []), names.get("U2", [])
        if len(W) != 1 or len(U) != 1 or not _layout(arrays[W[0]], arrays[U[0]]):
            continue
        rows = max(arrays[U[0]].shape)
        own = [*names.get("W1", []), *names.get("U1", []), *names.get("1", []), *names.get("2", [])]
        biases = [name for name in own if arrays[name].shape in ((rows,), (2, rows), (2 * rows,))][:2]
        known = {*W, *U, *biases}
        sizes = (rows, 2 * rows, min(arrays[U[0]].shape))
        beside = [
            name
            for name, array in arrays.items()
            if name not in known and array.ndim == 1 and array.size in sizes and _role(name)[1][: len(place)] == place
        ]
        candidates.append(Candidate("_".join(place) or U[0], W[0], U[0], biases, beside))
    return candidates


def _by_order(arrays: Arrays) -> list[Candidate]:
    """Return the layers in which input weights, recurrent weights and biases directly follow one another."""
    items = list(arrays.items())
    candidates = []
    while len(items) > 1:
        (name, W), *items = items
        U_name, U = items[0]
        layout = _layout(W, U)
        # Two matrices of a plain RNN also look like two linear layers, or like an embedding and input weights.
        if not layout or (layout == 1 and items[1:] and items[1][1].shape != (len(U),)):
            continue
        if W.shape == U.shape and not (re.search(r"\d$", name) and re.search(r"\d$", U_name)):
            raise FormatError(
                f"{shown(name)} and {shown(U_name)} have the same shape, so it is open which of them are the recurrent "
                "weights of a layer. Name them weight_ih_l0 and weight_hh_l0 if they are PyTorch's, or kernel and "
                "recurrent_kernel if they are Keras's"
            )
        candidate = Candidate(name, name, U_name)
        items = items[1:]
        rows = max(U.shape)
        while items and len(candidate.biases) < 2 and items[0][1].shape in ((rows,), (2, rows), (2 * rows,)):
            candidate.biases.append(items.pop(0)[0])
        while items and items[0][1].ndim == 1 and items[0][1].size in (rows, 2 * rows, min(U.shape)):
            candidate.beside.append(items.pop(0)[0])
        candidates.append(candidate)
    return candidates


def _layout(W: Array, U: Array) -> int:
    """Return the number of blocks G if two arrays have the shapes of a layer's weights, else 0."""
    if W.ndim != 2 or U.ndim != 2 or 0 in U.shape:
        return 0
    G = max(U.shape) // min(U.shape)
    if G not in BLOCKS or max(U.shape) != G * min(U.shape):
        return 0
    axis = 1 if U.shape[1] > U.shape[0] else 0
    fits = W.shape[axis] == max(U.shape) if G > 1 else U.shape[0] in W.shape
    return G if fits else 0


def _stack(arrays: Arrays, candidate: Candidate, answers: Mapping[str, str]) -> Stack:
    W, U = arrays[candidate.W], arrays[candidate.U]
    G, rows = _layout(W, U), max(U.shape)
    names = frozenset([candidate.W, candidate.U, *candidate.biases])
    biases = [arrays[name] for name in candidate.biases]
    beside = tuple(candidate.beside)
    if len(biases) == 1 and is_cudnn(W, U, biases[0]):
        return replace(from_cudnn(W, U, biases[0], candidate.where, names), beside=beside)
    flat = [bias for array in biases for bias in array.reshape(-1, rows)]
    by_columns = U.shape[1] > U.shape[0]
    if G == 1:
        library = _asked(G, [*["Keras"] * (W.shape[1] == rows), *["PyTorch"] * (W.shape[0] == rows)], answers)
        by_columns = library == "Keras"
    elif G == 4:
        library = _asked(G, ["Keras" if by_columns else "PyTorch"], answers)
    else:
        parts = re.split(r"[_/]+", candidate.W.lower())
        sure = len(flat) == 2 and ("ih" in parts or not _role(candidate.W)[0])
        library = _library(by_columns, len(flat), sure, answers)
    layer = cell(candidate.where, *((W.T, U.T) if by_columns else (W, U)), *flat[:2], others=True)
    source = f"arrays without names, read as arrays of {library}"
    stack = Stack(
        source, candidate.where, ({"forward": layer},), names, BLOCKS[G], None, None, beside=beside
    )  # fmt: skip
    if G != 3:
        return replace(stack, source=f"{source}'s {TITLES[G]}")
    convention = LIBRARIES[library]
    return replace(stack, order=convention.order, reset=convention.reset, z=convention.z)


def _library(by_columns: bool, biases: int, sure: bool, answers: Mapping[str, str]) -> str:
    """Return the library that stores the arrays of a GRU in this form.

    Raises Unanswered if several libraries use this form. Also raises Unanswered unless `sure`, because the arrays may
    then belong to layers of another kind or to a custom cell.
    """
    fitting = (
        ["Keras", "Keras, reset_after=False", "Flax nnx", "Haiku"]
        if by_columns
        else ["PyTorch", "Keras, reset_after=False", "Haiku"]
    )
    if not by_columns and biases != 1:
        fitting = ["PyTorch"]
    elif biases == 2:
        fitting = [name for name in fitting if name in ("Keras", "PyTorch")]
    elif biases == 1:
        fitting = [name for name in fitting if name != "Keras"]
    if len(fitting) == 1 and sure:
        return fitting[0]
    options = tuple(Option(name, _means(LIBRARIES[name])) for name in fitting)
    text = "Which library wrote these arrays? Their shapes fit a GRU, but their names do not show it."
    return answer(Question("library", text, options), answers)


def _asked(G: int, libraries: list[str], answers: Mapping[str, str]) -> str:
    """Return the library that `answers` names for arrays with the shapes of an LSTM or a plain RNN.

    Raises Unanswered if there is no answer, because the shapes alone do not determine the kind of layer.
    """
    means = f"blocks in the order {', '.join(BLOCKS[G])}" if G > 1 else "h = tanh(W x + U h + b)"
    options = tuple(Option(library, f"{library}'s {TITLES[G]}: {means}") for library in libraries)
    article = "a plain RNN" if G == 1 else "an LSTM"
    text = f"Which library wrote these arrays? Their shapes fit {article}, but their names do not show it."
    return answer(Question("library", text, options), answers)


def _means(convention: Convention) -> str:
    """Describe a library's convention, as the text of an option: its block order, where r acts, and what z means."""
    z = "z near 1 keeps the old state" if convention.z == "keep" else "z near 1 takes the candidate"
    return f"blocks in the order {', '.join(convention.order)}; r acts {convention.reset} the product; {z}"
