"""Network names that mark a network as reading backward, such as Flax's `backward_rnn` and TensorFlow's `bw`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from gru_core.formats.questions import shown
from gru_core.formats.weights import Stack

WORDS = {"backward": "forward", "backwards": "forwards", "bwd": "fwd", "bw": "fw"}
"""Words in the names of backward networks, each with the word in the name of the matching forward network."""

PATTERN = re.compile(rf"(?<![a-z])({'|'.join(sorted(WORDS, key=len, reverse=True))})(?![a-z])", re.IGNORECASE)


def paired(stacks: Sequence[Stack]) -> list[Stack]:
    """Return the networks. Each network with a backward name gets the direction "backward".

    A forward and a backward layer of the same sizes, with matching names, become one bidirectional layer.
    """
    by_place = {stack.where: stack for stack in stacks}
    for stack in stacks:
        word = PATTERN.search(stack.where)
        if word is None or any("backward" in layer for layer in stack.layers):
            continue
        note = f"The name {shown(stack.where)} says that this network reads backward."
        layers = [layer["forward"] for layer in stack.layers]
        other = WORDS[word[1].lower()]
        twin = by_place.get(f"{stack.where[: word.start()]}{other}{stack.where[word.end() :]}")
        if twin is None or len(layers) != 1 or _form(twin) != _form(stack):
            by_place[stack.where] = replace(
                stack, layers=tuple({"backward": cell} for cell in layers), notes=(*stack.notes, note)
            )
            continue
        del by_place[stack.where]
        by_place[twin.where] = replace(
            twin,
            layers=({"forward": twin.layers[0]["forward"], "backward": layers[0]},),
            names=twin.names | stack.names,
            notes=(*twin.notes, f"{shown(twin.where)} and {shown(stack.where)} are read as one bidirectional layer."),
        )
    return list(by_place.values())


def _form(stack: Stack) -> tuple[object, ...]:
    return stack.blocks, stack.inputs, stack.units, len(stack.layers), stack.order, stack.reset, stack.z
