"""Keras: `.keras` (a zip of config.json and the weights), `.weights.h5`, and the names of its variables.

    z = σ(W_z x + b_z + U_z h + c_z)                     kernel (I, 3H), recurrent_kernel (H, 3H): z, r, h
    r = σ(W_r x + b_r + U_r h + c_r)                     bias (2, 3H): input biases, recurrent biases
    h̃ = tanh(W_h x + b_h + r ⊙ (U_h h + c_h))            reset_after=True, the default
    h̃ = tanh(W_h x + b_h + U_h (r ⊙ h))                  reset_after=False, bias (3H,)
    h = z ⊙ h + (1 − z) ⊙ h̃                              z keeps

The blocks of an LSTM are i, f, c̃ and o, and a SimpleRNN has one block. Both have one bias.

https://keras.io/api/layers/recurrent_layers/gru/, lstm/, simple_rnn/
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gru_core.formats import h5
from gru_core.formats.archive import members
from gru_core.formats.names import Arrays, part, plain
from gru_core.formats.questions import FormatError, shown
from gru_core.formats.weights import BLOCKS, Dense, Direction, Embedding, Reset, Stack, cell, numbers, stacked

WEIGHTS, CONFIG = "model.weights.h5", "config.json"
MAX_CONFIG = 2**20
MAX_CONFIGURED = 200
"""The most layers in the configuration of a model, recurrent or not."""

DIRECTIONS: tuple[Direction, ...] = ("forward", "backward")

RECURRENT = ("GRU", "LSTM", "SimpleRNN")

PASSING = {"InputLayer", "Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "Masking", "Identity"}
"""Layers that do not change the values of their input, or change them only during training, such as Dropout."""

NUMBERED = ("kernel", "recurrent_kernel", "bias")
VARIABLE = (
    r"(?:(?P<where>.*?)/)?(?:cell/(?:cells/(?P<cell>[^/]+)/)?vars/(?P<number>[012])"
    r"|(?:[^/]*cell[^/]*/)?(?P<name>kernel|recurrent_kernel|bias))"
)
"""The pattern of the names of a cell's variables: numbers in the files of Keras 3, names in older files and in code."""


def weights(data: bytes) -> dict[str, Any]:
    """Return the floating-point arrays of a `.weights.h5` file by path."""
    return {name: numbers(name, a) for name, a in plain(h5.arrays(data)).items() if a.dtype.kind == "f"}


def read(data: bytes) -> tuple[dict[str, Any], list[Stack]]:
    """Return the arrays of a `.keras` file by path, and its recurrent networks as its configuration describes them.

    Raises FormatError if the file is damaged, or if it has a network that cannot be shown.
    """
    files = members(data)
    if WEIGHTS not in files or CONFIG not in files:
        raise FormatError(
            f"a .keras file has {CONFIG} and {WEIGHTS}; this file has {', '.join(map(shown, list(files)[:5]))}"
        )
    if len(files[CONFIG]) > MAX_CONFIG:
        raise FormatError(f"{CONFIG} has {len(files[CONFIG]):,} bytes; at most {MAX_CONFIG:,} are allowed")
    arrays = weights(files[WEIGHTS])
    by_path = {stack.where: stack for stack in find(arrays)}
    try:
        leaves, chained = _leaves(json.loads(files[CONFIG].decode()), "")
        if len(leaves) > MAX_CONFIGURED:
            raise FormatError(f"the network has {len(leaves):,} layers; at most {MAX_CONFIGURED} are allowed")
        if chained:
            return arrays, _wired(arrays, by_path, leaves)
        note = "The layers of this network do not form a single chain, so only its recurrent layers are shown."
        stacks = [_configured(by_path, leaf) for leaf in leaves if leaf.recurrent]
        return arrays, [replace(stack, notes=(*stack.notes, note)) for stack in stacks]
    except FormatError:
        raise
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise FormatError(f"{CONFIG} in the .keras file is not what Keras writes") from error


def find(arrays: Arrays) -> list[Stack]:
    """Return the recurrent layers with the array names of Keras. Both directions of a layer are one stack.

    Only the bias shows where a GRU's reset gate acts: its shape is (2, 3H) for "after" and (3H,) for "before". Without
    a bias `reset` is None. Raises FormatError if a layer is incomplete or does not fit.
    """
    cells: dict[str, dict[str, str]] = {}
    for name in arrays:
        match = re.fullmatch(VARIABLE, name)
        if match:
            variable = NUMBERED[int(match["number"])] if match["number"] else match["name"]
            cells.setdefault("/".join(filter(None, (match["where"], match["cell"]))), {})[variable] = name
    layers: dict[str, dict[Direction, Stack]] = {}
    for path, group in cells.items():
        if "recurrent_kernel" in group:
            where, direction = _direction(path)
            layers.setdefault(where, {})[direction] = _stack(arrays, path, group, direction)
    return [_join_directions(where, directions) for where, directions in layers.items()]


def _direction(path: str) -> tuple[str, Direction]:
    """Return the path of a layer, and its direction, from the path of a cell."""
    where, _, last = path.rpartition("/")
    if last.startswith(("forward_", "backward_")):
        return where, "forward" if last.startswith("forward_") else "backward"
    return path, "forward"


def _stack(arrays: Arrays, where: str, group: Mapping[str, str], direction: Direction) -> Stack:
    W, U = (part(arrays, group, where, name).T for name in ("kernel", "recurrent_kernel"))
    bias = arrays[group["bias"]] if "bias" in group else None
    both = [None, None] if bias is None else list(bias) if bias.shape[:1] == (2,) and bias.ndim == 2 else [bias, None]
    layer = cell(where, W, U, *both, others=True)
    stack = Stack("Keras", where, ({direction: layer},), frozenset(group.values()), BLOCKS[layer.blocks], None, None)
    if layer.blocks != 3:
        return stack
    reset: Reset | None = None if bias is None else "after" if bias.ndim == 2 else "before"
    return replace(stack, order="zrh", reset=reset, z="keep")


def _join_directions(where: str, directions: Mapping[Direction, Stack]) -> Stack:
    """Return the directions of a layer as one stack."""
    first = next(iter(directions.values()))
    layer = {d: directions[d].layers[0][d] for d in DIRECTIONS if d in directions}
    names = frozenset[str]().union(*(stack.names for stack in directions.values()))
    return replace(first, where=where, layers=(layer,), names=names)


@dataclass(frozen=True)
class Leaf:
    """A layer in the configuration: its class, its settings, and the path of its variables."""

    kind: str
    config: Mapping[str, Any]
    path: str

    @property
    def cells(self) -> list[tuple[str, Mapping[str, Any]]]:
        """The recurrent cells of the layer, from the bottom: the path and the settings of each."""
        inner = self.config.get("cell") or self.config.get("layer") or {}
        if self.kind in RECURRENT:
            return [(self.path, self.config)]
        if self.kind == "Bidirectional" and inner["class_name"] in RECURRENT:
            return [(self.path, inner["config"])]
        if self.kind == "RNN" and inner["class_name"].removesuffix("Cell") in RECURRENT:
            return [(self.path, inner["config"])]
        if self.kind == "RNN" and inner["class_name"] == "StackedRNNCells":
            cells = inner["config"]["cells"]
            if all(c["class_name"].removesuffix("Cell") in RECURRENT for c in cells):
                return [(f"{self.path}/{name}", c["config"]) for name, c in zip(_names(cells), cells, strict=True)]
        return []

    @property
    def recurrent(self) -> bool:
        """Whether the layer has recurrent cells that can be shown."""
        return bool(self.cells)


def _names(layers: list[Any]) -> list[str]:
    """Return the layers' names in the weights file: the class in snake case. Equal names get a number: gru, gru_1."""
    count: dict[str, int] = {}
    names = []
    for layer in layers:
        name = re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", layer["class_name"])).lower()
        names.append(f"{name}_{count[name]}" if name in count else name)
        count[name] = count.get(name, 0) + 1
    return names


def _leaves(model: Mapping[str, Any], path: str) -> tuple[list[Leaf], bool]:
    """Return the layers of a model in order, and whether they are a chain: each layer reads only the layer before."""
    leaves: list[Leaf] = []
    chained, previous = True, None
    layers = model["config"]["layers"]
    for name, layer in zip(_names(layers), layers, strict=True):
        layer_path = f"{path}layers/{name}"
        sources = re.findall(r"'keras_history': \['([^']*)'", str(layer.get("inbound_nodes", [])))
        without_source = previous is None or "inbound_nodes" not in layer
        chained &= sources in ([], [previous]) and (without_source or sources == [previous])
        previous = layer.get("name")
        if "layers" in layer["config"]:
            inner, inner_chained = _leaves(layer, layer_path + "/")
            leaves, chained = leaves + inner, chained and inner_chained
        else:
            leaves.append(Leaf(str(layer["class_name"]), layer["config"], layer_path))
    return leaves, chained


def _configured(by_path: Mapping[str, Stack], leaf: Leaf) -> Stack:
    """Return the network of a layer, with the layer's settings. Raises FormatError if it cannot be shown."""
    notes: list[str] = []
    stacks = []
    for path, config in leaf.cells:
        if path not in by_path:
            raise FormatError(f"the weights of the layer {shown(path)} are not in the .keras file")
        other = leaf.config["backward_layer"]["config"] if "backward_layer" in leaf.config else config
        for gate, usual in (("activation", "tanh"), ("recurrent_activation", "sigmoid")):
            for used in (config.get(gate, usual), other.get(gate, usual)):
                if used != usual:
                    raise FormatError(f"{shown(path)} has {gate} {shown(str(used))}; only {usual} can be shown")
        reset: Reset = "after" if config.get("reset_after", True) else "before"
        if bool(other.get("reset_after", True)) != (reset == "after"):
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
    stack = replace(stacked(stacks), notes=tuple(notes), wired=True)
    if leaf.config.get("go_backwards") is True and leaf.kind != "Bidirectional":
        stack = replace(stack, layers=tuple({"backward": layer["forward"]} for layer in stack.layers), as_read=True)
    return stack


def _wired(arrays: Arrays, by_path: Mapping[str, Stack], leaves: list[Leaf]) -> list[Stack]:
    """Return the recurrent networks in a chain of layers, with the embedding before and the readout after each."""
    networks: list[Stack] = []
    before: Embedding | str | None = None
    open_ended = False  # whether the next layer reads the outputs of the last network
    for leaf in leaves:
        if leaf.recurrent:
            stack = _configured(by_path, leaf)
            if open_ended and networks[-1].dense is None and networks[-1].feeds(stack):
                networks[-1] = stacked([networks[-1], stack])
            elif open_ended:
                networks[-1] = replace(networks[-1], dense=None)  # the next network reads its output
                note = "Before this network comes another recurrent layer, which is not shown."
                networks.append(replace(stack, notes=(*stack.notes, note)))
            elif isinstance(before, str):
                note = f"Before this network comes a layer {before}, which is not shown."
                networks.append(replace(stack, notes=(*stack.notes, note)))
            else:
                networks.append(replace(stack, embedding=before))
            open_ended, before = True, None
        elif leaf.kind == "Embedding" and f"{leaf.path}/vars/0" in arrays:
            before, open_ended = Embedding(leaf.path, arrays[f"{leaf.path}/vars/0"]), False
        elif leaf.kind not in PASSING:
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


def _dense(arrays: Arrays, dense: Dense | None, leaf: Leaf) -> Dense | None:
    """Return the readout `leaf`, or the readout `dense` with `leaf` as its activation. None if neither is possible."""
    if dense is not None:
        if leaf.kind not in ("Softmax", "Activation") or dense.activation != "linear":
            return None
        return replace(dense, activation=str(leaf.config.get("activation", "softmax")))
    config, path = leaf.config, leaf.path
    if leaf.kind == "TimeDistributed":
        config, path = leaf.config["layer"]["config"], f"{leaf.path}/layer"
    kernel = arrays.get(f"{path}/vars/0")
    if leaf.kind not in ("Dense", "TimeDistributed") or kernel is None or kernel.ndim != 2:
        return None
    bias = arrays.get(f"{path}/vars/1", np.zeros(kernel.shape[1], kernel.dtype))
    return Dense(path, kernel.T, bias, str(config.get("activation", "linear")))
