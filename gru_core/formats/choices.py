"""Which part of a file is used, and what its numbers mean: as answered, as the file says, or as asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from gru_core.formats.questions import FormatError, Option, Question, answer, apart, shown
from gru_core.formats.weights import BLOCKS, Convention, Dense, Direction, Embedding, Stack, orders, stacked

KEYS = ("network", "library", "order", "reset", "z", "direction", "embedding", "dense", "readout")
"""The keys of answers. `order`, `reset`, `z` and `readout` may also contradict the file."""


def check_answers(answers: Mapping[str, str]) -> None:
    """Raise FormatError if an answer has a key that belongs to no question."""
    for key in answers:
        if key not in KEYS:
            raise FormatError(f"{shown(key)} is not a question about a file; choose one of {', '.join(KEYS)}")


def chosen(stacks: Sequence[Stack], answers: Mapping[str, str]) -> Stack:
    """Return the network to show. Raises Unanswered if there are several."""
    if len(stacks) == 1:
        return stacks[0]
    names = apart([stack.where or "the one without a name" for stack in stacks])
    options = [Option(n, f"only this one: {_sizes(stack)}") for n, stack in zip(names, stacks, strict=True)]
    try:
        chain = stacked(stacks)
    except FormatError:
        chain = None
    if chain is not None and all(below.feeds(stack) for below, stack in pairwise(stacks)):
        order = " → ".join(names)
        options.append(Option("stacked", f"all of them; each reads the outputs of the one before: {order}"))
    kinds = dict.fromkeys(f"{stack.title}s" for stack in stacks)
    text = f"There are several {' and '.join(kinds)} in the file. Which one do you want to see?"
    which = answer(Question("network", text, tuple(options)), answers)
    if which == "stacked" and chain is not None:
        return chain
    return stacks[names.index(which)]


def _sizes(stack: Stack) -> str:
    layers = f"{len(stack.layers)} layers" if len(stack.layers) > 1 else "1 layer"
    both = "" if stack.first_both is None else ", both directions"
    return f"{layers}{both}, {stack.inputs} inputs, {stack.units} units"


def convention(stack: Stack, answers: Mapping[str, str]) -> Convention:
    """Return what the numbers mean: as answered, else as the file says. Raises Unanswered if neither says it."""
    if stack.blocks != 3:  # every file of these tells the order
        return Convention(stack.order or BLOCKS[stack.blocks])

    def ask(key: str, told: str | None, text: str, options: Mapping[str, str]) -> str:
        question = Question(key, text, tuple(Option(*option) for option in options.items()))
        return told if told is not None and key not in answers else answer(question, answers)

    order = ask(
        "order", stack.order, "In which order are the blocks of r, z and h̃?",
        {",".join(o): f"the first third is for {o[0]}, then {o[1]}, then {o[2]}" for o in orders(3)},
    )  # fmt: skip
    reset = ask(
        "reset", stack.reset,
        "Does the reset gate act before or after the product with U? The file does not show this.",
        {
            "after": "h̃ = tanh(W x + b + r ⊙ (U h + c)): PyTorch, Keras by default",
            "before": "h̃ = tanh(W x + U (r ⊙ h) + b): Cho et al. 2014, Keras with reset_after=False",
        },
    )  # fmt: skip
    z = ask(
        "z", stack.z, "What does the update gate do if z is near 1?",
        {"keep": "keeps the old state: PyTorch, Keras, ONNX, Flax", "take": "takes the candidate: Haiku"},
    )  # fmt: skip
    return Convention(order.replace(",", ""), reset, z)  # type: ignore[arg-type]


def direction(stack: Stack, answers: Mapping[str, str]) -> tuple[Direction, slice]:
    """Return the direction to show, and the layers that can be run in this direction alone.

    A layer above one that reads both ways needs both directions, so the shown layers end there. Below a layer that
    reads backward, no layer that reads forward can be shown.
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
    )
    text = f"Layer {both + 1} is bidirectional. Which direction do you want to see?"
    question = Question("direction", text, options)
    if answer(question, answers) == "forward":
        return "forward", slice(both + 1)
    return "backward", slice(both, both + 1)


def _count(layers: int, where: str) -> str:
    return f"layer {where} is" if layers == 1 else f"{layers} layers {where} are"


def _one(key: str, text: str, names: Sequence[str], answers: Mapping[str, str], sure: bool = True) -> int | None:
    """Which of several, by place; None for none of them. One alone is taken where that is `sure`."""
    if not names:
        return None
    if len(names) == 1 and sure and key not in answers:
        return 0
    names = apart(names)
    options = tuple(Option(name, "use this one") for name in names)
    options = (*options, Option("none", "use none of them"))
    which = answer(Question(key, text, options), answers)
    return None if which == "none" else names.index(which)


def embedding(found: list[Embedding], inputs: int, answers: Mapping[str, str]) -> Embedding | None:
    """Return the embedding before a layer with `inputs` inputs, None if there is none.

    Raises Unanswered if more than one array could be the embedding, or if its name does not show that it is one.
    """
    fitting = [one for one in found if one.table.shape[1] == inputs]
    named = [one for one in fitting if "emb" in one.name.lower()]
    text = (
        "Which matrix is the embedding? It has one row for each input symbol and belongs to the Embedding layer in "
        "your code. A linear layer without a bias looks the same in this file. If there is no embedding, choose “none”."
    )
    place = _one("embedding", text, [one.name for one in named or fitting], answers, sure=bool(named))
    return None if place is None else (named or fitting)[place]


def dense(
    found: list[Dense],
    names: Sequence[str],
    units: int,
    embedding: Embedding | None,
    answers: Mapping[str, str],
    whole: bool,
) -> Dense | None:
    """Return the linear layer that reads the state, or one that takes both directions, so that it can be mentioned.

    `names` are all arrays beside the network. `whole` is whether the network has all recurrent layers of the file. A
    layer is taken without a question only if no other array could come between it and the state, or after it.
    """
    others = [one for one in found if embedding is None or one.name != embedding.name]
    fitting = [one for one in others if one.V.shape[1] == units] or [
        one for one in others if one.V.shape[1] == 2 * units
    ]
    text, sure = "Which linear layer is the readout? Several layers fit.", whole
    if len(fitting) == 1:
        beside = [name for name in names if not any(_of(one, name) for one in (fitting[0], embedding) if one)]
        sure = sure and not beside
        what = f"the file also has {', '.join(map(shown, beside[:4]))}" if beside else "the file has several GRUs"
        text = (
            f"Is the linear layer {shown(fitting[0].name)} the readout y = V h + c? Then it reads the state h of the "
            f"top layer directly, and at most a softmax follows it. The file does not show this: {what}."
        )
    place = _one("dense", text, [one.name for one in fitting], answers, sure)
    return None if place is None else fitting[place]


def _of(layer: Dense | Embedding, name: str) -> bool:
    """Whether an array of this name is the layer's own."""
    return name == layer.name or name.rpartition("/")[0].removesuffix("/vars") == layer.name
