"""Keras files: `.keras` (a zip of config.json and the weights) and `.h5`, with or without the model's configuration.

A masked timestep (`Embedding(mask_zero=True)`, `Masking`) does not change the state.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gru_core.formats import h5
from gru_core.formats.archive import members
from gru_core.formats.keras_arrays import find
from gru_core.formats.keras_config import Leaf, layers_of, leaves_of, rename_legacy
from gru_core.formats.names import Arrays, plain
from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import Dense, Embedding, Reset, Stack, numbers, stacked

WEIGHTS, CONFIG = "model.weights.h5", "config.json"
MAX_CONFIG = 2**20
MAX_CONFIGURED = 200
"""The largest number of layers in the configuration of a model, recurrent or not."""

PASSING = {"InputLayer", "Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "Identity"}
"""Layers that do not change the values of their input, or change them only during training, such as Dropout."""

VOCABULARY = ("TextVectorization", "StringLookup")
"""Layers with a vocabulary, which turn text into the symbols of an embedding."""


def read_h5(data: bytes) -> tuple[dict[str, Any], list[Stack]]:
    """Return the floating-point arrays of an `.h5` file by path, and its networks if the file describes its layers.

    Raises FormatError if the file is damaged, or if it has a network that cannot be shown.
    """
    by_name, config = h5.read(data)
    arrays = _floats(by_name)
    if config is None:
        return arrays, []
    return _networks(arrays, config, "model_config", {}, legacy=True)


def _floats(arrays: Mapping[str, Any]) -> dict[str, Any]:
    return {name: numbers(name, a) for name, a in plain(arrays).items() if a.dtype.kind == "f"}


def read(data: bytes) -> tuple[dict[str, Any], list[Stack]]:
    """Return the arrays of a `.keras` file by path, and its recurrent networks as its configuration describes them.

    Raises FormatError if the file is damaged, or if it has a network that cannot be shown.
    """
    files = members(data)
    if WEIGHTS not in files or CONFIG not in files:
        raise FormatError(
            f"a .keras file has {CONFIG} and {WEIGHTS}; this file has {', '.join(map(shown, list(files)[:5]))}"
        )
    vocabularies = {
        name.removeprefix("assets/").removesuffix("/vocabulary.txt"): content
        for name, content in files.items()
        if name.startswith("assets/") and name.endswith("/vocabulary.txt")
    }
    by_name, _ = h5.read(files[WEIGHTS])
    return _networks(_floats(by_name), files[CONFIG], CONFIG, vocabularies, legacy=False)


def _networks(
    arrays: dict[str, Any], text: bytes, where: str, vocabularies: Mapping[str, bytes], legacy: bool
) -> tuple[dict[str, Any], list[Stack]]:
    """Return the arrays by path, and the recurrent networks that the configuration `text` describes.

    If `legacy` is true, the arrays come from a whole-model `.h5` file, and get the names of a `.keras` file. `where`
    names the configuration in errors. Raises FormatError if the configuration cannot be read, or if it has a network
    that cannot be shown.
    """
    if len(text) > MAX_CONFIG:
        raise FormatError(
            f"{where} has {len(text):,} bytes; at most {MAX_CONFIG:,} are allowed. Save the weights alone: "
            'model.save_weights("model.weights.h5")'
        )
    try:
        model = json.loads(text.decode())
        if not layers_of(model) and model["class_name"]:
            note = "The file does not describe the layers of this subclassed model."
            return arrays, [replace(stack, notes=(*stack.notes, note)) for stack in find(arrays)]
        leaves, chained = leaves_of(model, "", legacy)
        if len(leaves) > MAX_CONFIGURED:
            raise FormatError(f"the network has {len(leaves):,} layers; at most {MAX_CONFIGURED} are allowed")
        if legacy:
            arrays = rename_legacy(arrays, leaves)
        by_path = {stack.where: stack for stack in find(arrays)}
        own = next((leaf for leaf in leaves if leaf.own_cell), None)
        if own is not None:
            raise FormatError(
                f"the layer {shown(own.path)} has a cell of its own, {shown(own.own_cell)}, which computes something "
                "else. Only the cells of Keras can be shown: GRU, LSTM and SimpleRNN"
            )
        if chained:
            stacks = _wired(arrays, by_path, leaves, vocabularies)
        else:
            stacks = [_alone(_configured(by_path, leaf), leaf, leaves) for leaf in leaves if leaf.recurrent]
        described = frozenset[str]().union(*(stack.names for stack in stacks))
        note = "The file does not describe the layer of this network: it is inside a layer that is not Keras's own."
        others = [stack for stack in by_path.values() if not stack.names <= described]
        return arrays, stacks + [replace(stack, notes=(note,)) for stack in others]
    except FormatError:
        raise
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise FormatError(
            f"{where} in this file is not what Keras writes. Save the weights alone: "
            'model.save_weights("model.weights.h5")'
        ) from error


def _alone(stack: Stack, leaf: Leaf, leaves: Sequence[Leaf]) -> Stack:
    """Return a recurrent layer of a model with branches, with notes about the parts that are not shown."""
    notes = ["The layers of this network do not form a single chain, so only its recurrent layers are shown."]
    notes += [MASKED.format(shown(other.path)) for other in leaves if other.masks]
    if leaf.has_initial_state:
        notes.append("In the file this network starts from the state of another layer; here it starts from zero.")
    return replace(stack, notes=(*stack.notes, *notes))


MASKED = (
    "The network masks timesteps by the layer {}, which is not shown: leave out the timesteps that the network skips."
)


def _configured(by_path: Mapping[str, Stack], leaf: Leaf) -> Stack:
    """Return the network of a layer, with the layer's settings. Raises FormatError if it cannot be shown."""
    notes: list[str] = []
    stacks = []
    for path, config in leaf.cells:
        if path not in by_path:
            raise FormatError(f"the weights of the layer {shown(path)} are not in this file: save the model again")
        other = leaf.config["backward_layer"]["config"] if leaf.config.get("backward_layer") else config
        other = other["cell"]["config"] if "cell" in other else other
        if leaf.kind == "Bidirectional" and leaf.config["layer"]["config"].get("go_backwards") is True:
            raise FormatError(
                f"{shown(path)} is Bidirectional around a layer with go_backwards, which cannot be shown. Save "
                "the layer inside it alone"
            )
        functions = ("activation", "tanh"), ("recurrent_activation", "sigmoid"), ("inner_activation", "sigmoid")
        for gate, usual in functions:
            for used in (config.get(gate, usual), other.get(gate, usual)):
                if used != usual:
                    raise FormatError(
                        f"{shown(path)} has {gate} {shown(str(used))}; only {usual} can be shown. To see this network, "
                        f"train it with {gate}={usual!r}"
                    )
        usual_reset = by_path[path].reset != "before"  # old files have no reset_after
        reset: Reset = "after" if config.get("reset_after", usual_reset) else "before"
        if bool(other.get("reset_after", usual_reset)) != (reset == "after"):
            raise FormatError(
                f"the two directions of {shown(path)} differ in reset_after; only layers that agree can be shown"
            )
        if by_path[path].blocks == 3:
            source = f"Keras, {leaf.kind} with reset_after={reset == 'after'}"
            stacks.append(replace(by_path[path], reset=reset, source=source))
        else:
            stacks.append(replace(by_path[path], source=f"Keras, {leaf.kind}"))
    merged = leaf.config.get("merge_mode", "concat")
    if merged != "concat":
        notes.append(f"In the network the two directions were joined by {shown(str(merged))}.")
    if leaf.config.get("stateful") is True:
        notes.append("In the file a sequence starts from the last state of the one before; here it starts from zero.")
    stack = replace(stacked(stacks), notes=tuple(notes), wired=True)
    if merged != "concat":
        stack = replace(stack, merges={0: str(merged)})
    if leaf.config.get("zero_output_for_mask") is True:
        stack = replace(
            stack,
            notes=(*stack.notes, "In the file the outputs of masked timesteps are zero; here the state is shown."),
        )
    if leaf.config.get("go_backwards") is True and leaf.kind != "Bidirectional":
        stack = replace(stack, layers=tuple({"backward": layer["forward"]} for layer in stack.layers), as_read=True)
    return stack


def _wired(
    arrays: Arrays, by_path: Mapping[str, Stack], leaves: list[Leaf], vocabularies: Mapping[str, bytes]
) -> list[Stack]:
    """Return the recurrent networks in a chain of layers, each with its embedding and its readout."""
    networks: list[Stack] = []
    before: Embedding | str | None = None
    open_ended = False  # whether the next layer reads the outputs of the last network
    masked: Leaf | None = None
    symbols: tuple[str, ...] = ()
    for leaf in leaves:
        if leaf.masks:
            masked = leaf
        if leaf.recurrent:
            stack = _configured(by_path, leaf)
            note = ""
            if open_ended and networks[-1].dense is None and networks[-1].feeds(stack):
                networks[-1] = stacked([networks[-1], stack])
            else:
                if open_ended:
                    networks[-1] = replace(networks[-1], dense=None)  # the next network reads its output
                    note = "Before this network comes another recurrent layer, which is not shown."
                elif isinstance(before, str):
                    note = f"Before this network comes a layer {before}, which is not shown."
                else:
                    stack = replace(stack, embedding=before)
                padding = None if masked is None or note else _padding(masked, stack)
                notes = [note] * bool(note)
                if masked is not None and padding is None:
                    notes.append(MASKED.format(shown(masked.path)))
                networks.append(replace(stack, padding=padding, notes=(*stack.notes, *notes)))
            open_ended, before = True, None
            both = leaf.kind == "Bidirectional"
            settings = leaf.config["layer"]["config"] if both else leaf.config
            if settings.get("return_sequences") is False:
                last = "last state of each direction" if both else "state of the last timestep"
                note = f"In the network only the {last} goes on; here y is computed at each timestep."
                networks[-1] = replace(networks[-1], notes=(*networks[-1].notes, note))
        elif leaf.kind == "Embedding" and f"{leaf.path}/vars/0" in arrays and not _extra(arrays, leaf.path, 1):
            before, open_ended = Embedding(leaf.path, arrays[f"{leaf.path}/vars/0"], symbols), False
            masked = leaf if leaf.masks else None
        elif leaf.kind in VOCABULARY:
            symbols = _symbols(leaf, vocabularies.get(leaf.path, b""))
        elif leaf.kind not in PASSING and (leaf.kind != "Masking" or open_ended):
            before = shown(leaf.kind)
            if open_ended:
                dense = _dense(arrays, networks[-1].dense, leaf)
                if dense is None:
                    note = f"After this network comes a layer {before}, which is not shown."
                    networks[-1] = replace(networks[-1], dense=None, notes=(*networks[-1].notes, note))
                    open_ended = False
                else:
                    networks[-1] = replace(networks[-1], dense=dense)
    return networks


def _padding(masked: Leaf, stack: Stack) -> float | None:
    """Return the number of the padding symbol, or the value of all inputs at a masked timestep. None if unknown."""
    if masked.kind == "Embedding":
        return 0.0
    return float(masked.config.get("mask_value", 0.0)) if stack.embedding is None else None


def _symbols(leaf: Leaf, file: bytes) -> tuple[str, ...]:
    """Return the words of a vocabulary layer, from its settings or from `file`. Padding has the word "[PAD]"."""
    config = leaf.config
    listed = config.get("vocabulary")
    if isinstance(listed, list):
        text = leaf.kind == "TextVectorization"
        mask, unknown = ("", "[UNK]") if text else (config.get("mask_token"), str(config.get("oov_token", "[UNK]")))
        special = [str(mask)] * (mask is not None) + [unknown] * (1 if text else int(config["num_oov_indices"]))
        words = special + [word for word in map(str, listed) if word not in special]
    else:
        words = file.decode("utf-8", "replace").split("\n") if file else []
    return tuple(word or "[PAD]" for word in words)


def _extra(arrays: Arrays, path: str, count: int) -> list[str]:
    """Return the names of a layer's variables after its first `count`, such as the variables of LoRA."""
    usual = {f"{path}/vars/{i}" for i in range(count)}
    return [name for name in arrays if name.startswith(f"{path}/") and name not in usual]


def _dense(arrays: Arrays, dense: Dense | None, leaf: Leaf) -> Dense | None:
    """Return the linear layer `leaf` or, if there is a `dense`, return `dense` with `leaf` as its activation.

    Return None if `leaf` is not a linear layer, or not an activation that `dense` can have.
    """
    if dense is not None:
        if leaf.kind not in ("Softmax", "Activation") or dense.activation != "linear":
            return None
        if leaf.config.get("axis", -1) not in (-1, 2):  # a softmax over timesteps
            return None
        return replace(dense, activation=str(leaf.config.get("activation", "softmax")))
    config, path = leaf.config, leaf.path
    if leaf.kind == "TimeDistributed":
        config, path = leaf.config["layer"]["config"], f"{leaf.path}/layer"
    kernel = arrays.get(f"{path}/vars/0")
    if leaf.kind not in ("Dense", "TimeDistributed") or kernel is None or kernel.ndim != 2 or _extra(arrays, path, 2):
        return None
    bias = arrays.get(f"{path}/vars/1", np.zeros(kernel.shape[1], kernel.dtype))
    return Dense(path, kernel.T, bias, str(config.get("activation", "linear")))
