"""The configuration of a Keras model: its layers in order, and the paths of their variables in the weights."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gru_core.formats.keras_arrays import DIRECTIONS

RECURRENT = ("GRU", "LSTM", "SimpleRNN", "CuDNNGRU", "CuDNNLSTM")


@dataclass(frozen=True)
class Leaf:
    """A layer in the configuration: its class, its settings, and the path of its variables.

    `has_initial_state` is true if the layer starts from a state that another layer computes.
    """

    kind: str
    config: Mapping[str, Any]
    path: str
    has_initial_state: bool = False

    @property
    def cells(self) -> list[tuple[str, Mapping[str, Any]]]:
        """The recurrent cells of the layer, from the bottom, as pairs of a path and settings."""
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


def layers_of(model: Mapping[str, Any]) -> list[Any]:
    """Return the layers in a model's configuration, or an empty list if the configuration does not list layers."""
    config = model.get("config")
    layers = config if isinstance(config, list) else config.get("layers") if isinstance(config, dict) else None
    return layers if isinstance(layers, list) else []


def _sources(layer: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the names of the layers that a layer reads, by argument. The argument "" is the layer's input.

    If the input is the last state of a recurrent layer, and not its output, the argument is "state".
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


def leaves_of(model: Mapping[str, Any], path: str, legacy: bool) -> tuple[list[Leaf], bool]:
    """Return the layers of a model in order, and whether they form a chain, in which each reads only the layer before.

    Layers that only compute a mask are ignored.
    """
    layers = layers_of(model)
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
        if layers_of(layer):
            inner, inner_chained = leaves_of(layer, layer_path + "/", legacy)
            leaves, chained = leaves + inner, chained and inner_chained
        else:
            calls = [_sources({"inbound_nodes": [node]}) for node in layer.get("inbound_nodes", [])]
            initial = any("initial_state" in call or len(call[""] + call.get("state", [])) > 1 for call in calls)
            leaves.append(Leaf(str(layer["class_name"]), layer["config"], layer_path, initial))
    return leaves, chained


def rename_legacy(arrays: Mapping[str, Any], leaves: Sequence[Leaf]) -> dict[str, Any]:
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
