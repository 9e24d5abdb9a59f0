"""The model from a file, and a report about the used and the unused parts of the file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gru_core.arrays import Array
from gru_core.card import Card
from gru_core.cells.cell import Cell
from gru_core.formats import choices, ends
from gru_core.formats.names import Arrays, around
from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import MERGES, PRODUCT, Convention, Direction, FileLayer, Shown, Stack
from gru_core.model import Model

ENDINGS = (".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".npz", ".onnx", ".keras", ".h5")
"""The file extensions that can be read. The command line, the pages and the docs list them."""


@dataclass(frozen=True)
class Imported:
    """A model from a file. `report` has the sentences that explain how the file was read.

    `cells` are the layers in the form of the file, from the bottom, with an embedding folded into the first layer.
    `convention` says what their numbers mean. `source` is the library's name for the network.

    If `direction` is "backward", the network reads a sequence from its end, and `as_read` is true if its library
    returns the states with the last timestep first. `both` is true if the file also has the opposite direction. If
    `direction` is "both", the model has both directions, and `cells` is empty.
    """

    model: Model
    report: tuple[str, ...]
    source: str
    convention: Convention
    cells: tuple[FileLayer, ...]
    direction: Shown = "forward"
    both: bool = False
    as_read: bool = False

    def __repr__(self) -> str:
        return f"Imported({self.model!r}, from {self.source}, {self.direction})"


def imported(
    stacks: Sequence[Stack],
    arrays: Arrays,
    name: str,
    answers: Mapping[str, str],
    alphabet: Sequence[str] | None,
    labels: Sequence[str] | None,
) -> Imported:
    """Build the model of a file from its recurrent networks, `stacks`. `arrays` may have the embedding and the readout.

    Raises Unanswered if the file leaves a question open, and FormatError if the network cannot be shown.
    """
    stack = choices.chosen(stacks, answers)
    recurrent = stack.names.union(*(network.names for network in stacks))
    others = choices.without_copies({n: a for n, a in arrays.items() if n not in recurrent}, stack, stacks)
    weights = {n: a for n, a in others.items() if not _counts(a)}
    if not stack.wired:
        choices.check_cell(stack, weights, answers)
    convention = choices.convention(stack, answers)
    direction, shown_layers = choices.direction(stack, answers)
    side: Direction = "backward" if direction == "backward" else "forward"
    cells = tuple(layer[side].checked(stack.where) for layer in stack.layers[shown_layers])
    backward: dict[int, FileLayer] = {}
    if direction == "both":
        backward = {
            k: layer["backward"].checked(stack.where) for k, layer in enumerate(stack.layers) if "backward" in layer
        }
        cells, backward = _unmerged(stack, cells, backward)
    report = [_source(stack, convention, cells), *stack.notes, *_direction_notes(stack, direction, shown_layers)]
    stored = {"order": stack.order, "reset": stack.reset, "z": stack.z}
    replaced = [key for key, value in stored.items() if value not in (None, getattr(convention, key))]
    if replaced:
        report.append(f"Your answer replaces what the file says about: {', '.join(replaced)}.")
    if not stack.wired:
        report.append(f"The weights show no activation functions and no mask for padding: {ASSUMED[stack.blocks]}")

    embeddings, linears = ([], list(stack.heads)) if stack.wired else around(weights)
    embedding = stack.embedding or choices.embedding(embeddings, stack.inputs, weights, answers)
    whole = all(network.names <= stack.names for network in stacks)
    units = stack.outputs if direction == "both" else stack.units
    dense = stack.dense or choices.dense(linears, list(weights), stack.inputs, units, embedding, answers, whole)
    bottom = backward.get(0)
    if bottom is not None:
        _, (backward[0],), _ = ends.encoder((bottom,), embedding, alphabet, stack.padding)
    encoder, cells, sentences = ends.encoder(
        cells, None if shown_layers.start else embedding, alphabet, None if shown_layers.start else stack.padding
    )
    report += sentences
    if shown_layers.start and stack.padding is not None:
        report.append("The network masks timesteps: leave out the timesteps that it skips.")
    both = stack.first_both is not None and direction != "both"
    if dense is not None and both:
        why = "needs both directions, so it is not used with only one"
        if len(stack.layers[-1]) == 1:
            why = "reads a layer that is left out, so it is not used"
        report.append(f"The linear layer {shown(dense.name)} {why}.")
        dense = None
    elif dense is not None and dense.V.shape[1] != units:
        report.append(
            f"The linear layer {shown(dense.name)} is not used: it takes {dense.V.shape[1]} numbers, "
            f"but the top layer has {units} units."
        )
        dense = None
    readout, sentences = ends.readout(dense, units, labels, answers, cells[-1].U.dtype)
    report += sentences
    if direction == "both":
        multiplied = stack.merges.get(len(cells) - 1) == PRODUCT
        readout = replace(readout, V=_spread(stack, len(cells) - 1, readout.V), product=multiplied)
        if multiplied:
            report.append("The output reads the product of the two directions, unit by unit.")
    used = {part.name for part in (embedding, dense) if part is not None}
    unused = [n for n in others if n.rpartition("/")[0].removesuffix("/vars") not in used and n not in used]
    states = [n for n in unused if INITIAL.search(n.rpartition("/")[2]) and stack.units in others[n].shape[-1:]]
    if states and not stack.wired:
        report.append(
            f"By its name {shown(states[0])} may be the state from which the network starts in your code; here it "
            "starts from zero."
        )
    if unused and not stack.wired:
        more = f" and {len(unused) - 5} more" if len(unused) > 5 else ""
        report.append(f"Not used: {', '.join(map(shown, unused[:5]))}{more}.")
    layers: list[Cell] = []
    for k, cell in enumerate(cells):
        layer = cell.core(convention)
        layers.append(Cell.bidirectional(layer, backward[k].core(convention)) if k in backward else layer)
    model = Model(encoder, tuple(layers), readout, _card(name, stack.source, stack.blocks == 1))
    known = () if backward else cells
    return Imported(model, tuple(report), stack.source, convention, known, direction, both, stack.as_read)


def _spread(stack: Stack, k: int, weights: Array) -> Array:
    """Return `weights` with a column for each output of layer `k`, with both directions side by side.

    If the network adds the outputs of the two directions, or takes their mean, each direction gets a scaled copy of the
    columns.
    """
    factor = MERGES.get(stack.merges.get(k, ""))
    return weights if factor is None else np.tile(weights * weights.dtype.type(factor), 2)


def _unmerged(
    stack: Stack, cells: tuple[FileLayer, ...], backward: Mapping[int, FileLayer]
) -> tuple[tuple[FileLayer, ...], dict[int, FileLayer]]:
    """Return the cells of both directions, with a column of W for every unit of the layer below.

    Raises FormatError if a layer does not read the outputs of all units of the layer below.
    """

    def spread(k: int, cell: FileLayer) -> FileLayer:
        return replace(cell, W=_spread(stack, k - 1, cell.W)) if k else cell

    cells = tuple(spread(k, cell) for k, cell in enumerate(cells))
    backward = {k: spread(k, cell) for k, cell in backward.items()}
    for k, below in enumerate(cells[:-1]):
        outputs = below.units + (backward[k].units if k in backward else 0)
        for cell in (cells[k + 1], *([backward[k + 1]] if k + 1 in backward else [])):
            if cell.inputs != outputs:
                raise FormatError(
                    f"layer {k + 2} takes {cell.inputs} inputs, but both directions of layer {k + 1} give {outputs}. "
                    "Choose one direction"
                )
    return cells, backward


ASSUMED = {
    3: "sigmoid for the gates, tanh for h̃ and no mask are assumed.",
    4: "sigmoid for the gates, tanh for c̃ and c and no mask are assumed.",
    1: "tanh and no mask are assumed. A network with relu cannot be shown.",
}

INITIAL = re.compile(r"(?:^|_)(?:[hcs]_?0|init|initial|start|state|hidden)(?:_|\d|$)")
"""Parts of a name that mark an array as an initial state, such as `h0` and `init_hidden`."""


def _counts(array: npt.NDArray[Any]) -> bool:
    """Return whether an array has text or integers that are not weights, such as counters and random keys."""
    return array.dtype.kind in "bSU" or (array.dtype.kind in "iu" and array.dtype.itemsize > 1)


def _source(stack: Stack, convention: Convention, cells: Sequence[FileLayer]) -> str:
    """Return the first sentence of the report: library, layers, biases and convention."""
    biased = any(cell.b_input.any() or cell.b_recurrent.any() for cell in cells)
    biases = "with biases" if biased else "without biases, or all zero"
    sizes = " → ".join(str(cell.units) for cell in cells)
    layers = "1 layer" if len(cells) == 1 else f"{len(cells)} layers"
    sentence = f"{stack.source}: {layers} of {sizes} unit{'s' * (sizes != '1')}, {biases}"
    if stack.blocks == 1:
        return f"{sentence}."
    sentence += f"; blocks in the order {', '.join(convention.order)}"
    if stack.blocks == 4:
        return f"{sentence}."
    keeps = convention.z == "keep"
    z = "keeps the old state, so its weights change sign here" if keeps else "takes the candidate, as here"
    return f"{sentence}; the reset gate acts {convention.reset} the product; z near 1 {z}."


def _direction_notes(stack: Stack, direction: Shown, shown_layers: slice) -> list[str]:
    """Return sentences about the direction that is shown, and about layers that are left out because of it."""
    if direction == "both":
        note = (
            "Both directions are shown as one network. In a bidirectional layer the first units read forward, the "
            "others backward. The output at a timestep reads the states of both there. The last state of a backward "
            "unit is the one at the first timestep."
        )
        return [note]
    notes = []
    if stack.first_both is not None:
        other = "backward" if direction == "forward" else "forward"
        notes.append(
            f"Layer {stack.first_both + 1} is bidirectional. Its {direction} half is shown, its {other} half is not."
        )
    if direction == "backward":
        states = " Its library returns the states in that order too." * stack.as_read
        notes.append(f"This network reads a sequence from its end: write the last step first.{states}")
    left_out = len(stack.layers) - len(stack.layers[shown_layers])
    if left_out:
        subject = f"{left_out} layers are" if left_out > 1 else "1 layer is"
        notes.append(f"{subject} left out, because only the others can be run in this direction alone.")
    return notes


def _card(name: str, source: str, rnn: bool) -> Card:
    stem = "".join(c for c in re.split(r"[/\\]", name)[-1] if c.isprintable())[:80] or "model"
    return Card(
        title=re.sub(rf"(\.weights)?({'|'.join(map(re.escape, ENDINGS))})$", "", stem) or stem,
        task="imported",
        about=f"uploaded model ({source})",
        question="What does this network do with your sequence?" if rnn else "What do the gates do with your sequence?",
        weights="imported",
        summary="accuracy unknown",
    )
