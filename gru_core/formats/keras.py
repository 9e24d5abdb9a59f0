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
"""The most layers of a model, of any kind."""

DIRECTIONS: tuple[Direction, ...] = ("forward", "backward")

RECURRENT = ("GRU", "LSTM", "SimpleRNN")

PASSING = {"InputLayer", "Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "Masking", "Identity"}
"""Layers that do not change their input after training."""

NUMBERED = ("kernel", "recurrent_kernel", "bias")
VARIABLE = (
    r"(?:(?P<where>.*?)/)?(?:cell/(?:cells/(?P<cell>[^/]+)/)?vars/(?P<number>[012])"
    r"|(?:[^/]*cell[^/]*/)?(?P<name>kernel|recurrent_kernel|bias))"
)
"""The names of a cell's variables: by number in the files of Keras 3, by name in older files and in code."""


def weights(data: bytes) -> dict[str, Any]:
    """Return the floating-point arrays of a `.weights.h5`."""
    return {name: numbers(name, a) for name, a in plain(h5.arrays(data)).items() if a.dtype.kind == "f"}


def read(data: bytes) -> tuple[dict[str, Any], list[Stack]]:
    """Return the arrays of a `.keras` file, and its recurrent networks with what its configuration says about them.

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
    found = {stack.where: stack for stack in find(arrays)}
    try:
        leaves, linear = _leaves(json.loads(files[CONFIG].decode()), "")
        if len(leaves) > MAX_CONFIGURED:
            raise FormatError(f"the network has {len(leaves):,} layers; at most {MAX_CONFIGURED} are allowed")
        if linear:
            return arrays, _wired(arrays, found, leaves)
        note = "The layers of this network do not form a single chain, so only its recurrent layers are shown."
        stacks = [_configured(found, leaf) for leaf in leaves if leaf.recurrent]
        return arrays, [replace(stack, notes=(*stack.notes, note)) for stack in stacks]
    except FormatError:
        raise
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise FormatError(f"{CONFIG} in the .keras file is not what Keras writes") from error


def find(arrays: Arrays) -> list[Stack]:
    """Return the recurrent layers with the array names of Keras, with both directions of a layer together.

    Only the bias says where a GRU's reset gate acts: (2, 3H) after, (3H,) before. Without a bias it stays open.
    Raises FormatError if a layer is incomplete or does not fit.
    """
    cells: dict[str, dict[str, str]] = {}
    for name in arrays:
        fit = re.fullmatch(VARIABLE, name)
        if fit:
            variable = NUMBERED[int(fit["number"])] if fit["number"] else fit["name"]
            cells.setdefault("/".join(filter(None, (fit["where"], fit["cell"]))), {})[variable] = name
    found: dict[str, dict[Direction, Stack]] = {}
    for place, group in cells.items():
        if "recurrent_kernel" in group:
            where, direction = _direction(place)
            found.setdefault(where, {})[direction] = _stack(arrays, place, group, direction)
    return [_both(where, directions) for where, directions in found.items()]


def _direction(place: str) -> tuple[str, Direction]:
    """Where a layer is, and which of its directions stands at `place`."""
    where, _, last = place.rpartition("/")
    if last.startswith(("forward_", "backward_")):
        return where, "forward" if last.startswith("forward_") else "backward"
    return place, "forward"


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


def _both(where: str, directions: Mapping[Direction, Stack]) -> Stack:
    """Both directions of a layer as one stack."""
    first = next(iter(directions.values()))
    layer = {d: directions[d].layers[0][d] for d in DIRECTIONS if d in directions}
    names = frozenset[str]().union(*(stack.names for stack in directions.values()))
    return replace(first, where=where, layers=(layer,), names=names)


@dataclass(frozen=True)
class Leaf:
    """A layer of the configuration: its class, its settings, and the path of its variables."""

    kind: str
    config: Mapping[str, Any]
    path: str

    @property
    def cells(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Its recurrent cells from the bottom: the path and the settings of each."""
        inner = self.config.get("cell") or self.config.get("layer") or {}
        if self.kind in RECURRENT:
            return [(self.path, self.config)]
        if self.kind == "Bidirectional" and inner["class_name"] in RECURRENT:
            return [(self.path, inner["config"])]
        if self.kind == "RNN" and inner["class_name"].removesuffix("Cell") in RECURRENT:
            return [(self.path, inner["config"])]
        if self.kind == "RNN" and inner["class_name"] == "StackedRNNCells":
            cells = inner["config"]["cells"]
            if all(one["class_name"].removesuffix("Cell") in RECURRENT for one in cells):
                return [(f"{self.path}/{name}", c["config"]) for name, c in zip(_names(cells), cells, strict=True)]
        return []

    @property
    def recurrent(self) -> bool:
        return bool(self.cells)


def _names(layers: list[Any]) -> list[str]:
    """What Keras calls each layer in the weights: its class in snake case, numbered from the second on."""
    count: dict[str, int] = {}
    names = []
    for layer in layers:
        name = re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", layer["class_name"])).lower()
        names.append(f"{name}_{count[name]}" if name in count else name)
        count[name] = count.get(name, 0) + 1
    return names


def _leaves(model: Mapping[str, Any], path: str) -> tuple[list[Leaf], bool]:
    """The layers of a model in their order, and whether each takes what the one before it gives."""
    leaves: list[Leaf] = []
    linear, before = True, None
    layers = model["config"]["layers"]
    for name, layer in zip(_names(layers), layers, strict=True):
        place = f"{path}layers/{name}"
        sources = re.findall(r"'keras_history': \['([^']*)'", str(layer.get("inbound_nodes", [])))
        linear &= sources in ([], [before]) and (before is None or "inbound_nodes" not in layer or sources == [before])
        before = layer.get("name")
        if "layers" in layer["config"]:
            inner, straight = _leaves(layer, place + "/")
            leaves, linear = leaves + inner, linear and straight
        else:
            leaves.append(Leaf(str(layer["class_name"]), layer["config"], place))
    return leaves, linear


def _configured(found: Mapping[str, Stack], leaf: Leaf) -> Stack:
    """The GRU of a layer, with what its settings say. Raises FormatError for one that cannot be shown."""
    notes: list[str] = []
    stacks = []
    for place, config in leaf.cells:
        if place not in found:
            raise FormatError(f"the weights of the layer {shown(place)} are not in the .keras file")
        other = leaf.config["backward_layer"]["config"] if "backward_layer" in leaf.config else config
        for gate, usual in (("activation", "tanh"), ("recurrent_activation", "sigmoid")):
            for used in (config.get(gate, usual), other.get(gate, usual)):
                if used != usual:
                    raise FormatError(f"{shown(place)} has {gate} {shown(str(used))}; only {usual} can be shown")
        reset: Reset = "after" if config.get("reset_after", True) else "before"
        if bool(other.get("reset_after", True)) != (reset == "after"):
            raise FormatError(
                f"the two directions of {shown(place)} differ in reset_after; only layers that agree can be shown"
            )
        if found[place].blocks == 3:
            source = f"Keras, {leaf.kind} with reset_after={reset == 'after'}"
            stacks.append(replace(found[place], reset=reset, source=source))
        else:
            stacks.append(replace(found[place], source=f"Keras, {leaf.kind}"))
    merged = leaf.config.get("merge_mode", "concat")
    if merged != "concat":
        notes.append(f"In the network the two directions were joined by {shown(str(merged))}.")
    stack = replace(stacked(stacks), notes=tuple(notes), wired=True)
    if leaf.config.get("go_backwards") is True and leaf.kind != "Bidirectional":
        stack = replace(stack, layers=tuple({"backward": layer["forward"]} for layer in stack.layers), as_read=True)
    return stack


def _wired(arrays: Arrays, layers: Mapping[str, Stack], leaves: list[Leaf]) -> list[Stack]:
    """The GRUs of a model whose layers follow on one another, with what is before and after."""
    found: list[Stack] = []
    before: Embedding | str | None = None
    open_ended = False  # whether what comes next takes what the last of them gives
    for leaf in leaves:
        if leaf.recurrent:
            stack = _configured(layers, leaf)
            if open_ended and found[-1].dense is None and found[-1].feeds(stack):
                found[-1] = stacked([found[-1], stack])
            elif open_ended:
                found[-1] = replace(found[-1], dense=None)  # what it gives is another GRU's input, not the output
                note = "Before this network comes another recurrent layer, which is not shown."
                found.append(replace(stack, notes=(*stack.notes, note)))
            elif isinstance(before, str):
                note = f"Before this network comes a layer {before}, which is not shown."
                found.append(replace(stack, notes=(*stack.notes, note)))
            else:
                found.append(replace(stack, embedding=before))
            open_ended, before = True, None
        elif leaf.kind == "Embedding" and f"{leaf.path}/vars/0" in arrays:
            before, open_ended = Embedding(leaf.path, arrays[f"{leaf.path}/vars/0"]), False
        elif leaf.kind not in PASSING:
            before = shown(leaf.kind)
            if open_ended:
                dense = _dense(arrays, found[-1].dense, leaf)
                if dense is None:
                    note = f"After this network comes a layer {before}, which is not shown."
                    found[-1] = replace(found[-1], dense=None, notes=(*found[-1].notes, note))
                    open_ended = False
                else:
                    found[-1] = replace(found[-1], dense=dense)
    return found


def _dense(arrays: Arrays, dense: Dense | None, leaf: Leaf) -> Dense | None:
    """The readout once `leaf` follows the GRU, or the readout it has; None when it cannot be part of one."""
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
