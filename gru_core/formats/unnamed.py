"""Arrays with meaningless names, such as `arr_0`, `arr_1`, … of `np.savez(file, *layer.get_weights())`.

Two matrices one after the other, (I, 3H) and (H, 3H) or (3H, I) and (3H, H), are read as a layer. The biases that
follow belong to this layer. If the shapes fit several libraries, the user must name the library, because the same
numbers mean a different function in each of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from gru_core.arrays import Array
from gru_core.formats.names import Arrays
from gru_core.formats.questions import Option, Question, answer
from gru_core.formats.weights import Convention, FileLayer, Stack, cell, check_layers

LIBRARIES = {
    "PyTorch": Convention("rzh", "after", "keep"),
    "Keras": Convention("zrh", "after", "keep"),
    "Keras, reset_after=False": Convention("zrh", "before", "keep"),
    "Flax nnx": Convention("rzh", "after", "keep"),
    "Haiku": Convention("zrh", "before", "take"),
}


def find(arrays: Arrays, answers: Mapping[str, str]) -> list[Stack]:
    """Return one GRU of all the layers that the shapes of the arrays show, or an empty list if there are none.

    Raises Unanswered, with a question about the library, if the shapes fit several libraries. Raises FormatError if a
    layer does not fit.
    """
    items = list(arrays.items())
    layers: list[FileLayer] = []
    names: list[str] = []
    library = ""
    while items:
        (name, W), *items = items
        if not items or W.ndim != 2 or (U := items[0][1]).ndim != 2:
            continue
        by_columns = U.shape[1] == W.shape[1] == 3 * U.shape[0]
        if not by_columns and not U.shape[0] == W.shape[0] == 3 * U.shape[1]:
            continue
        names += [name, items.pop(0)[0]]
        rows = 3 * min(U.shape)
        biases: list[Array] = []
        while items and len(biases) < 2 and items[0][1].shape in ((rows,), (2, rows)):
            names.append(items[0][0])
            biases += list(items.pop(0)[1].reshape(-1, rows))
        library = library or _library(by_columns, len(biases), answers)
        layers.append(cell(name, *((W.T, U.T) if by_columns else (W, U)), *biases[:2]))
    if not layers:
        return []
    convention = LIBRARIES[library]
    stack = Stack(
        f"arrays without names, read as arrays of {library}", "", tuple({"forward": layer} for layer in layers),
        frozenset(names), convention.order, convention.reset, convention.z,
    )  # fmt: skip
    return [check_layers(stack)]


def _library(by_columns: bool, biases: int, answers: Mapping[str, str]) -> str:
    """Return the library that stores arrays in this form. Raises Unanswered if several libraries do."""
    fitting = ["Keras", "Keras, reset_after=False", "Flax nnx", "Haiku"] if by_columns else ["PyTorch"]
    if biases == 2:
        fitting = [name for name in fitting if name in ("Keras", "PyTorch")]
    elif biases == 1:
        fitting = [name for name in fitting if name not in ("Keras", "PyTorch")] or fitting
    if len(fitting) == 1:
        return fitting[0]
    options = tuple(Option(name, _means(LIBRARIES[name])) for name in fitting)
    text = "Which library wrote these arrays? Their names do not show it, and their shapes fit several libraries."
    return answer(Question("library", text, options), answers)


def _means(convention: Convention) -> str:
    """Return a convention in words, as the meaning of an option."""
    z = "z near 1 keeps the old state" if convention.z == "keep" else "z near 1 takes the candidate"
    return f"blocks in the order {', '.join(convention.order)}; r acts {convention.reset} the product; {z}"
