"""Choices during an import: which part of a file to show, and what its numbers mean.

An answer has priority over the file. If neither of them decides, the functions raise Unanswered with the question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from gru_core.arrays import Array
from gru_core.formats.names import Arrays, around
from gru_core.formats.questions import FormatError, Option, Question, answer, apart, shown
from gru_core.formats.weights import (
    BLOCKS,
    MERGES,
    PRODUCT,
    Convention,
    Dense,
    Direction,
    Embedding,
    Shown,
    Stack,
    orders,
    stacked,
)

KEYS = ("network", "library", "cell", "order", "reset", "z", "direction", "embedding", "dense", "readout")
"""The keys of answers. An answer to `order`, `reset`, `z` or `readout` overrides what the file says."""


def check_answers(answers: Mapping[str, str]) -> None:
    """Raise FormatError if an answer has a key that is not in `KEYS`."""
    for key in answers:
        if key not in KEYS:
            raise FormatError(f"{shown(key)} is not a question about a file; choose one of {', '.join(KEYS)}")


def chosen(stacks: Sequence[Stack], answers: Mapping[str, str]) -> Stack:
    """Return the network to show. Raises Unanswered if there are several and no answer chooses one."""
    if len(stacks) == 1:
        return stacks[0]
    names = apart([stack.where or "the one without a name" for stack in stacks])
    options = [
        Option(name, ". ".join((f"only this one: {_sizes(stack)}", *(note.rstrip(".") for note in stack.notes))))
        for name, stack in zip(names, stacks, strict=True)
    ]
    try:
        chain = stacked(stacks)
    except FormatError:
        chain = None
    # If the file shows the connections, layers that read one another's outputs are already one network.
    wired = any(stack.wired for stack in stacks)
    if chain is not None and not wired and all(below.feeds(stack) for below, stack in pairwise(stacks)):
        order = " → ".join(names)
        options.append(Option("stacked", f"all of them; each reads the outputs of the one before: {order}"))
    kinds = dict.fromkeys(f"{stack.title}s" for stack in stacks)
    text = f"There are several {' and '.join(kinds)} in the file. Which one do you want to see?"
    choice = answer(Question("network", text, tuple(options)), answers)
    if choice == "stacked" and chain is not None:
        return chain
    return stacks[names.index(choice)]


def without_copies(others: Arrays, stack: Stack, stacks: Sequence[Stack]) -> dict[str, Array]:
    """Return the arrays outside the network `stack`, without the arrays of the other `stacks`.

    A file can have a network twice, such as `model/gru` and `ema/gru`, or two similar networks, such as `encoder/gru`
    and `decoder/gru`. If `model/gru` is chosen and there is a `model/embedding`, then `ema/embedding` is left out.
    """
    copies = set[str]()
    for other in stacks:
        if not other.names <= stack.names:
            own, twin = (network.where.split("/") if network.where else [] for network in (stack, other))
            while own and twin and own[-1] == twin[-1]:
                own, twin = own[:-1], twin[:-1]
            prefix = "/".join([*twin, ""])
            copies |= {
                name
                for name in others
                if name.startswith(prefix) and "/".join([*own, name.removeprefix(prefix)]) in others.keys() - {name}
            }
    return {name: array for name, array in others.items() if name not in copies}


def check_cell(stack: Stack, others: Arrays, answers: Mapping[str, str]) -> None:
    """Check that the cells of a network use only the usual arrays.

    If the file has other arrays that the cells may use, the visitor must say whether they do. Raises Unanswered if this
    answer is missing, and FormatError if the answer is yes.
    """
    names = [*stack.beside, *(name for name in _inside(stack, others) if name not in stack.beside)]
    if not names:
        return
    listed = ", ".join(map(shown, names[:4])) + f" and {len(names) - 4} more" * (len(names) > 4)
    text = (
        f"Among the arrays of the network are also {listed}. {stack.source} has no such arrays. Does the cell compute "
        "something with them, such as a LayerNorm inside its sums?"
    )
    options = (
        Option("without", "no: the cell is the usual one, and these arrays are for something else"),
        Option("with", "yes: the cell computes something else, which cannot be shown"),
    )
    if answer(Question("cell", text, options), answers) == "with":
        raise FormatError(
            f"a cell that computes something with {listed} cannot be shown. Only the usual GRU, LSTM and RNN can be "
            "shown: train the network with such a cell to see it"
        )


def _inside(stack: Stack, others: Arrays) -> list[str]:
    """Return the names in `others` that have the network's prefix or are derived from the name of one of its arrays.

    Counters, text and numbers that are not finite are left out, because they are not weights. If the network has no
    prefix, linear layers and embeddings are left out too, because they may come before or after the network.
    """
    parents = {name.rpartition("/")[0] for name in stack.names}
    prefixes = tuple(f"{place}/" for place in {stack.where, *parents} if place)
    endings = tuple(f"{name.rpartition('/')[2]}_" for name in stack.names)
    embeddings, linears = around(others)
    layers: list[Dense | Embedding] = [*embeddings, *linears]
    return [
        name
        for name, array in others.items()
        if array.dtype.kind == "f"
        and np.isfinite(array).all()
        and (
            name.startswith(prefixes)
            or name.rpartition("/")[2].startswith(endings)
            or (not stack.where and not any(_belongs(name, layer) for layer in layers))
        )
    ]


def _sizes(stack: Stack) -> str:
    """Return the sizes of a network as text: layers, directions, inputs and units."""
    layers = f"{len(stack.layers)} layers" if len(stack.layers) > 1 else "1 layer"
    both = "" if stack.first_both is None else ", both directions"
    return f"{layers}{both}, {stack.inputs} inputs, {stack.units} units"


def convention(stack: Stack, answers: Mapping[str, str]) -> Convention:
    """Return the convention of the numbers, from the answers or else from the file.

    Raises Unanswered if neither of them decides.
    """
    if stack.blocks != 3:  # the order of an LSTM is always known, and an RNN has one block
        stored_order = stack.order or BLOCKS[stack.blocks]
        options = tuple(Option(",".join(o), "the order of the blocks") for o in orders(stack.blocks))
        question = Question("order", "In which order are the blocks of i, f, c̃ and o?", options)
        return Convention(answer(question, answers).replace(",", "") if "order" in answers else stored_order)

    def decide(key: str, stored: str | None, text: str, options: Mapping[str, str]) -> str:
        question = Question(key, text, tuple(Option(*option) for option in options.items()))
        return stored if stored is not None and key not in answers else answer(question, answers)

    order = decide(
        "order", stack.order, "In which order are the blocks of r, z and h̃?",
        {",".join(o): f"the first third is for {o[0]}, then {o[1]}, then {o[2]}" for o in orders(3)},
    )  # fmt: skip
    reset = decide(
        "reset", stack.reset,
        "Does the reset gate act before or after the product with U? The file does not show this.",
        {
            "after": "h̃ = tanh(W x + b + r ⊙ (U h + c)): PyTorch, Keras by default",
            "before": "h̃ = tanh(W x + U (r ⊙ h) + b): Cho et al. 2014, Keras with reset_after=False",
        },
    )  # fmt: skip
    z = decide(
        "z", stack.z, "What does the update gate do if z is near 1?",
        {"keep": "keeps the old state: PyTorch, Keras, ONNX, Flax", "take": "takes the candidate: Haiku"},
    )  # fmt: skip
    return Convention(order.replace(",", ""), reset, z)  # type: ignore[arg-type]


def direction(stack: Stack, answers: Mapping[str, str]) -> tuple[Shown, slice]:
    """Return the direction to show, and a slice of the layers that can run with only this direction.

    With both directions, all layers are shown as one network. With one direction, the lowest bidirectional layer is the
    last that is shown, because a layer above it needs both directions. If this direction is "backward", the layers
    below are left out, because they read forward. Raises Unanswered if there are two directions and no answer chooses
    one or both. Raises FormatError if the file does not have the chosen direction, or if both directions cannot be
    shown together.
    """
    both, layers = stack.first_both, len(stack.layers)
    if both is None:
        only: Direction = "backward" if "backward" in stack.layers[0] else "forward"
        if answers.get("direction", only) != only:
            raise FormatError(f"there is no {shown(answers['direction'])} direction in this file, only {only}")
        return only, slice(layers)
    over, under = _count(layers - both - 1, "above"), _count(both, "below")
    above = f" The {over} left out, because both directions are needed there." * (both + 1 < layers)
    below = f" The {under} left out: enter the outputs from there as the sequence." * (both > 0)
    backward = "the half that reads from the last step to the first: write the last step first."
    options = (
        Option("forward", "the half that reads from the first step to the last." + above),
        Option("backward", backward + below + above),
        Option("both", "both halves as one network: the backward half reads the same sequence from its end."),
    )
    text = f"Layer {both + 1} is bidirectional. Which direction do you want to see?"
    question = Question("direction", text, options)
    choice = answer(question, answers)
    if choice == "both":
        _check_merges(stack)
        return "both", slice(layers)
    return ("forward", slice(both + 1)) if choice == "forward" else ("backward", slice(both, both + 1))


def _check_merges(stack: Stack) -> None:
    """Raise FormatError if the outputs of two directions are joined in a way that the next layer cannot read."""
    for k, merge in stack.merges.items():
        is_top = k == len(stack.layers) - 1
        known = ("concat", *MERGES, PRODUCT) if is_top else ("concat", *MERGES)
        if merge not in known:
            place = "" if is_top else " below the top layer"
            why = ", because the next layer would read products of two states" * (merge == PRODUCT)
            raise FormatError(
                f"layer {k + 1} joins its directions by {shown(merge)}; both can be shown together{place} only with "
                f"{', '.join(known)}{why}. Choose one direction"
            )
    if any("forward" not in layer for layer in stack.layers):
        raise FormatError("a layer of this network only reads backward, so it cannot be shown with both directions")


def _count(layers: int, where: str) -> str:
    """Return the subject and the verb of a sentence about layers, such as "2 layers above are"."""
    return f"layer {where} is" if layers == 1 else f"{layers} layers {where} are"


def _pick(key: str, text: str, names: Sequence[str], answers: Mapping[str, str], sure: bool = True) -> int | None:
    """Return the index of the name that the answer `key` chooses, or None if no name is chosen.

    If `sure` is true, a single name is chosen without an answer. `text` is the question.
    """
    if not names:
        return None
    if len(names) == 1 and sure and key not in answers:
        return 0
    names = apart(names)
    options = tuple(Option(name, "use this one") for name in names)
    options = (*options, Option("none", "use none of them"))
    choice = answer(Question(key, text, options), answers)
    return None if choice == "none" else names.index(choice)


def between(others: Arrays, size: int) -> list[str]:
    """Return the names of layers in `others` that could be between an embedding and a network, both of width `size`.

    These are linear layers from `size` to `size` numbers, alone or in pairs, and further layers with arrays of this
    size, such as a LayerNorm, a convolution or a position embedding.
    """
    _, linears = around(others)
    shapes = {linear.name: linear.V.shape for linear in linears}
    last = [name for name, (rows, _) in shapes.items() if rows == size]
    first = [name for name, (_, columns) in shapes.items() if columns == size]
    pairs = [(a, b) for a in first for b in last if a == b or shapes[a][0] == shapes[b][1]]
    other_layers = [
        name.rpartition("/")[0] or name
        for name, array in others.items()
        if size in array.shape and not any(_belongs(name, linear) for linear in linears)
    ]
    return list(dict.fromkeys([name for pair in pairs for name in pair] + other_layers))


def embedding(candidates: list[Embedding], inputs: int, others: Arrays, answers: Mapping[str, str]) -> Embedding | None:
    """Return the embedding before a layer with `inputs` inputs, or None if there is none.

    `others` are the arrays outside the network. Raises Unanswered if several candidates fit, if one fits but its name
    does not show that it is an embedding, or if another layer fits between it and the network.
    """
    fitting = [candidate for candidate in candidates if candidate.table.shape[1] == inputs]
    named = [candidate for candidate in fitting if "emb" in candidate.name.lower()]
    options = named or fitting
    text = (
        "Which matrix is the embedding? It has one row for each input symbol and belongs to the Embedding layer in "
        "your code. A linear layer without a bias looks the same in this file. If there is no embedding, choose “none”."
    )
    rest = {name: array for name, array in others.items() if not any(_belongs(name, option) for option in options)}
    middle = between(rest, inputs) if named else []
    if len(named) == 1 and middle:
        text = (
            f"Does the embedding {shown(named[0].name)} feed the network directly? In this file "
            f"{', '.join(map(shown, middle[:4]))} could stand between them. If so, choose “none”: then you write the "
            "numbers that the network reads."
        )
    index = _pick("embedding", text, [option.name for option in options], answers, sure=bool(named) and not middle)
    return None if index is None else options[index]


def dense(
    candidates: list[Dense],
    names: Sequence[str],
    inputs: int,
    units: int,
    embedding: Embedding | None,
    answers: Mapping[str, str],
    whole: bool,
) -> Dense | None:
    """Return the linear layer that reads the state, or None if there is none.

    If no layer fits the units of one direction, return a layer that fits the units of both. The report mentions this.
    `names` are the names of all arrays outside the network. `inputs` and `units` are the sizes of the network. `whole`
    is true if the network has all recurrent layers of the file. Raises Unanswered if several layers fit, if another
    array could come before or after the layer, or if the layer could also come before the network.
    """
    others = [candidate for candidate in candidates if embedding is None or candidate.name != embedding.name]
    fitting = [candidate for candidate in others if candidate.V.shape[1] == units]
    fitting = fitting or [candidate for candidate in others if candidate.V.shape[1] == 2 * units]
    text, sure = "Which linear layer is the readout? Several layers fit.", whole
    if len(fitting) == 1:
        known = [layer for layer in (fitting[0], embedding) if layer]
        unknown = [name for name in names if not any(_belongs(name, layer) for layer in known)]
        before = embedding is None and len(fitting[0].V) == inputs and not READOUT.search(fitting[0].name.lower())
        sure = sure and not unknown and not before
        what = "the file has several GRUs" if not whole else "by its shape it could also stand before the network"
        what = f"the file also has {', '.join(map(shown, unknown[:4]))}" if unknown else what
        text = (
            f"Is the linear layer {shown(fitting[0].name)} the readout y = V h + c? Then it reads the state h of the "
            f"top layer directly, and at most a softmax follows it. The file does not show this: {what}."
        )
    index = _pick("dense", text, [layer.name for layer in fitting], answers, sure)
    return None if index is None else fitting[index]


READOUT = re.compile(r"out|head|class|logit|pred|decod")
"""Words in the name of a layer that show that the layer is a readout."""


def _belongs(name: str, layer: Dense | Embedding) -> bool:
    """Return whether the array with this name is a part of the layer."""
    return name == layer.name or name.rpartition("/")[0].removesuffix("/vars") == layer.name
