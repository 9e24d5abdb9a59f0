"""Keras files: `.keras` (a zip of config.json and the weights) and `.h5` with or without a model; names of variables.

    z = σ(W_z x + b_z + U_z h + c_z)                     kernel (I, 3H), recurrent_kernel (H, 3H): z, r, h
    r = σ(W_r x + b_r + U_r h + c_r)                     bias (2, 3H): input biases, recurrent biases
    h̃ = tanh(W_h x + b_h + r ⊙ (U_h h + c_h))            reset_after=True, the default
    h̃ = tanh(W_h x + b_h + U_h (r ⊙ h))                  reset_after=False, bias (3H,)
    h = z ⊙ h + (1 − z) ⊙ h̃                              z keeps

The blocks of an LSTM are i, f, c̃ and o, and a SimpleRNN has one block. Both have one bias.

CuDNNGRU and CuDNNLSTM of Keras 2 compute the same as GRU(reset_after=True) and LSTM. Their bias is (6H,) or (8H,):
input biases, then recurrent biases. Each block of their kernels has its numbers in the order of the transposed block.

A masked timestep (`Embedding(mask_zero=True)`, `Masking`) does not change the state.

https://keras.io/api/layers/recurrent_layers/gru/, lstm/, simple_rnn/
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gru_core.arrays import Array
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

RECURRENT = ("GRU", "LSTM", "SimpleRNN", "CuDNNGRU", "CuDNNLSTM")

PASSING = {"InputLayer", "Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "Identity"}
"""Layers that do not change the values of their input, or change them only during training, such as Dropout."""

NUMBERED = ("kernel", "recurrent_kernel", "bias")
VARIABLE = (
    r"(?:(?P<where>.*?)/)?(?:cell/(?:cells/(?P<cell>[^/]+)/)?vars/(?P<number>[012])"
    r"|(?:(?P<named_cell>[^/]*cell[^/]*)/)?(?P<name>kernel|recurrent_kernel|bias))"
)
"""The pattern of the names of a cell's variables: numbers in the files of Keras 3, names in older files and in code."""


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

    The names of a whole-model `.h5` file, `legacy`, become those of a `.keras` file. Raises FormatError if the
    configuration cannot be read, or if it has a network that cannot be shown.
    """
    if len(text) > MAX_CONFIG:
        raise FormatError(
            f"{where} has {len(text):,} bytes; at most {MAX_CONFIG:,} are allowed. Save the weights alone: "
            'model.save_weights("model.weights.h5")'
        )
    try:
        model = json.loads(text.decode())
        if not _layers(model) and model["class_name"]:
            note = "The file does not describe the layers of this subclassed model."
            return arrays, [replace(stack, notes=(*stack.notes, note)) for stack in find(arrays)]
        leaves, chained = _leaves(model, "", legacy)
        if len(leaves) > MAX_CONFIGURED:
            raise FormatError(f"the network has {len(leaves):,} layers; at most {MAX_CONFIGURED} are allowed")
        if legacy:
            arrays = _renamed(arrays, leaves)
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
    """Return a network of a model with branches, with the settings of the layers around it."""
    notes = ["The layers of this network do not form a single chain, so only its recurrent layers are shown."]
    notes += [MASKED.format(shown(other.path)) for other in leaves if other.masks]
    if leaf.has_initial_state:
        notes.append("In the file this network starts from the state of another layer; here it starts from zero.")
    return replace(stack, notes=(*stack.notes, *notes))


MASKED = (
    "The network masks timesteps by the layer {}, which is not shown: leave out the timesteps that the network skips."
)


def find(arrays: Arrays) -> list[Stack]:
    """Return the recurrent layers with the array names of Keras. Both directions of a layer are one stack.

    Only the bias shows where a GRU's reset gate acts: its shape is (2, 3H) for "after" and (3H,) for "before". Without
    a bias `reset` is None. A bias of (6H,) or (8H,) is that of CuDNNGRU or CuDNNLSTM. Raises FormatError if a layer is
    incomplete or does not fit.
    """
    cells: dict[str, dict[str, dict[str, str]]] = {}
    for name in arrays:
        match = re.fullmatch(VARIABLE, name)
        if match:
            variable = NUMBERED[int(match["number"])] if match["number"] else match["name"]
            layer = "/".join(filter(None, (match["where"], match["cell"])))
            cells.setdefault(layer, {}).setdefault(match["named_cell"] or "", {})[variable] = name
    layers: dict[str, dict[Direction, Stack]] = {}
    for layer, by_cell in cells.items():
        recurrent = {cell: group for cell, group in by_cell.items() if "recurrent_kernel" in group}
        for named_cell, group in recurrent.items():
            path = layer if len(recurrent) == 1 else "/".join(filter(None, (layer, named_cell)))
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
    kernel, recurrent = (part(arrays, group, where, name) for name in ("kernel", "recurrent_kernel"))
    bias = arrays[group["bias"]] if "bias" in group else None
    if bias is not None and is_cudnn(kernel, recurrent, bias):
        return from_cudnn(kernel, recurrent, bias, where, frozenset(group.values()), direction)
    W, U = kernel.T, recurrent.T
    both = [None, None] if bias is None else list(bias) if bias.shape[:1] == (2,) and bias.ndim == 2 else [bias, None]
    layer = cell(where, W, U, *both, others=True)
    stack = Stack("Keras", where, ({direction: layer},), frozenset(group.values()), BLOCKS[layer.blocks], None, None)
    if layer.blocks != 3:
        return stack
    reset: Reset | None = None if bias is None else "after" if bias.ndim == 2 else "before"
    return replace(stack, order="zrh", reset=reset, z="keep")


def is_cudnn(kernel: Array, recurrent: Array, bias: Array) -> bool:
    """Return whether the arrays are those of CuDNNGRU or CuDNNLSTM: their bias is twice as long as that of GRU."""
    if kernel.ndim != 2 or recurrent.ndim != 2 or not recurrent.shape[0]:
        return False
    H, rows = recurrent.shape
    return kernel.shape[1] == rows and rows in (3 * H, 4 * H) and bias.shape == (2 * rows,)


def from_cudnn(
    kernel: Array, recurrent: Array, bias: Array, where: str, names: frozenset[str], direction: Direction = "forward"
) -> Stack:
    """Return the layer of CuDNNGRU or CuDNNLSTM, as Keras converts it when it loads the weights into GRU or LSTM."""
    H, rows = recurrent.shape
    G = rows // H
    W = np.concatenate([block.reshape(H, -1) for block in np.hsplit(kernel, G)])
    layer = cell(where, W, np.concatenate(np.hsplit(recurrent, G)), *np.split(bias, 2), others=True)
    stack = Stack(f"Keras, CuDNN{layer.title}", where, ({direction: layer},), names, BLOCKS[G], None, None)
    return replace(stack, order="zrh", reset="after", z="keep") if G == 3 else stack


def _join_directions(where: str, directions: Mapping[Direction, Stack]) -> Stack:
    """Return the directions of a layer as one stack."""
    first = next(iter(directions.values()))
    layer = {d: directions[d].layers[0][d] for d in DIRECTIONS if d in directions}
    names = frozenset[str]().union(*(stack.names for stack in directions.values()))
    return replace(first, where=where, layers=(layer,), names=names)


@dataclass(frozen=True)
class Leaf:
    """A layer in the configuration: its class, its settings, and the path of its variables.

    `has_initial_state` is true if another layer gives its initial state.
    """

    kind: str
    config: Mapping[str, Any]
    path: str
    has_initial_state: bool = False

    @property
    def cells(self) -> list[tuple[str, Mapping[str, Any]]]:
        """The recurrent cells of the layer, from the bottom: the path and the settings of each."""
        inner = self.config.get("cell") or self.config.get("layer") or {}
        if self.kind in RECURRENT:
            return [(self.path, self.config)]
        if self.kind == "Bidirectional" and inner["class_name"] in RECURRENT:
            return [(self.path, inner["config"])]
        if self.kind == "Bidirectional" and inner["class_name"] == "RNN":
            inner = inner["config"]["cell"]
            return [(self.path, inner["config"])] * (inner["class_name"].removesuffix("Cell") in RECURRENT)
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

    @property
    def masks(self) -> bool:
        """Whether the layer marks timesteps that recurrent layers skip."""
        return self.kind == "Masking" or (self.kind == "Embedding" and self.config.get("mask_zero") is True)

    @property
    def own_cell(self) -> str:
        """The class of a recurrent cell that is not from Keras; "" if there is none."""
        if self.kind not in ("Bidirectional", "RNN"):
            return ""

        def innermost(layer: Mapping[str, Any]) -> list[str]:
            config = layer["config"]
            parts = [config[key] for key in ("cell", "layer") if config.get(key)] + list(config.get("cells", []))
            return [kind for part in parts for kind in innermost(part)] or [str(layer["class_name"])]

        kinds = innermost({"class_name": self.kind, "config": self.config})
        return next((kind for kind in kinds if kind.removesuffix("Cell") not in RECURRENT), "")


def _names(layers: list[Any]) -> list[str]:
    """Return the layers' names in the weights file: the class in snake case. Equal names get a number: gru, gru_1."""
    count: dict[str, int] = {}
    names = []
    for layer in layers:
        name = re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", layer["class_name"])).lower()
        names.append(f"{name}_{count[name]}" if name in count else name)
        count[name] = count.get(name, 0) + 1
    return names


def _layers(model: Mapping[str, Any]) -> list[Any]:
    """Return the layers in the configuration of a model, or an empty list if it does not list them."""
    config = model.get("config")
    layers = config if isinstance(config, list) else config.get("layers") if isinstance(config, dict) else None
    return layers if isinstance(layers, list) else []


def _sources(layer: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the names of the layers that a layer reads: as its input (""), or as another argument by its name.

    An input that is the last state of a recurrent layer, and not its output, is the argument "state".
    """
    sources: dict[str, list[str]] = {"": []}

    def link(argument: str, name: str, _: int, output: int) -> None:
        sources.setdefault(argument or "state" * (output > 0), []).append(name)

    def add(argument: str, value: Any) -> None:
        if isinstance(value, dict) and "keras_history" in value.get("config", {}):
            link(argument, *value["config"]["keras_history"])
        elif isinstance(value, list) and len(value) in (3, 4) and isinstance(value[0], str):  # Keras 2
            link(argument, *value[:3])
            for name, other in (value[3] if len(value) == 4 else {}).items():
                add(name, other)
        elif isinstance(value, list):
            for other in value:
                add(argument, other)

    for node in layer.get("inbound_nodes", []):
        add("", node["args"] if isinstance(node, dict) else node)
        for name, value in (node["kwargs"] if isinstance(node, dict) else {}).items():
            add(name, value)
    return sources


def _leaves(model: Mapping[str, Any], path: str, legacy: bool) -> tuple[list[Leaf], bool]:
    """Return the layers of a model in order, and whether they are a chain: each layer reads only the layer before.

    Layers that only compute a mask are ignored.
    """
    layers = _layers(model)
    reads = [_sources(layer) for layer in layers]
    inputs, only_masks = set[str](), set[str]()
    for layer, sources in zip(reversed(layers), reversed(reads), strict=True):
        masks = sources.pop("mask", [])
        name = str(layer.get("name"))
        if name in only_masks and name not in inputs:
            only_masks.update(*sources.values())
        else:
            inputs.update(*sources.values())
            only_masks.update(masks)
    leaves: list[Leaf] = []
    chained, previous = True, None
    names = [str(layer["config"]["name"]) for layer in layers] if legacy else [f"layers/{n}" for n in _names(layers)]
    for name, layer, sources in zip(names, layers, reads, strict=True):
        if str(layer.get("name")) in only_masks - inputs:
            continue
        layer_path = f"{path}{name}"
        every = [source for of_argument in sources.values() for source in of_argument]
        without_source = previous is None or "inbound_nodes" not in layer
        chained &= every in ([], [previous]) and (without_source or every == [previous]) and "state" not in sources
        previous = layer.get("name")
        if _layers(layer):
            inner, inner_chained = _leaves(layer, layer_path + "/", legacy)
            leaves, chained = leaves + inner, chained and inner_chained
        else:
            calls = [_sources({"inbound_nodes": [node]}) for node in layer.get("inbound_nodes", [])]
            initial = any("initial_state" in call or len(call[""] + call.get("state", [])) > 1 for call in calls)
            leaves.append(Leaf(str(layer["class_name"]), layer["config"], layer_path, initial))
    return leaves, chained


def _renamed(arrays: Mapping[str, Any], leaves: Sequence[Leaf]) -> dict[str, Any]:
    """Return the arrays of a whole-model `.h5` file with the names of a `.keras` file.

    The file has a group for each layer of the model, with names such as `gru/sequential/gru/gru_cell/kernel` in it.
    """
    renamed: dict[str, Any] = {}
    matched = set[str]()
    for leaf in leaves:
        outer, *inner = "/".join(re.split(r"[/.]+", leaf.path)).split("/")
        last = inner[-1] if inner else outer
        cells = leaf.config.get("cell", {}).get("config", {}).get("cells", []) if leaf.kind == "RNN" else []
        named = {str(c["config"]["name"]): name for c, name in zip(cells, _names(cells), strict=True)}
        for name, array in arrays.items():
            parts = name.split("/")
            if parts[0] != outer or last not in parts:
                continue
            sides = [f"/{side}_layer" for side in DIRECTIONS if any(part.startswith(f"{side}_") for part in parts[1:])]
            inside = "".join(sides[:1]) + "/cell" * leaf.recurrent
            inside += "".join(f"/cells/{named[part]}" for part in parts if part in named)
            inside += "/layer" * (leaf.kind == "TimeDistributed")
            variable = {"kernel": 0, "embeddings": 0, "recurrent_kernel": 1, "bias": 2 if leaf.recurrent else 1}
            number = variable.get(parts[-1])
            key = f"{leaf.path}{inside}/" + (parts[-1] if number is None else f"vars/{number}")
            renamed[key if key not in renamed else name] = array
            matched.add(name)
    return renamed | {name: array for name, array in arrays.items() if name not in matched}


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
    """Return the recurrent networks in a chain of layers, with the embedding before and the readout after each."""
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
            if leaf.config.get("return_sequences") is False and leaf.kind != "Bidirectional":
                note = (
                    "In the network only the state of the last timestep goes on; here y is computed at each timestep."
                )
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
    """Return the readout `leaf`, or the readout `dense` with `leaf` as its activation. None if neither is possible."""
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
