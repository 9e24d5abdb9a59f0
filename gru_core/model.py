"""A model: an encoder, recurrent layers, a readout, and a card that describes the model.

A model is stored as one `.safetensors` file: the arrays by name, and everything else as JSON in the metadata.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from gru_core import notebook
from gru_core.arrays import Array, Mask
from gru_core.card import Card
from gru_core.cells.cell import Cell
from gru_core.cells.holds import Holds
from gru_core.cells.registry import CELLS
from gru_core.cells.run import Run
from gru_core.encoder import Encoder, encoder_from_dict
from gru_core.encoders.symbols import Embedded
from gru_core.runs.clamp import Clamp, hold
from gru_core.runs.edit import Edit, edited

TABLE = "encoder.table"
"""The name of the embedding array in a model file."""


@dataclass(frozen=True)
class Readout:
    """The output layer. It reads the top layer's state h: y = softmax(V h + c) or y = V h + c.

    `V` is `(K, H)` and `c` `(K,)`. `labels` name the K outputs. If `product` is true, the readout multiplies the two
    directions of the top layer, unit by unit, and reads the products in place of h, as Keras does with merge_mode
    "mul". Then `V` is `(K, H / 2)`. Raises ValueError if `V`, `c` and `labels` have different numbers of outputs.
    """

    kind: Literal["softmax", "linear"]
    V: Array
    c: Array
    labels: tuple[str, ...]
    product: bool = False

    def __repr__(self) -> str:
        K, H = self.V.shape
        return f"Readout({self.kind!r}, K={K}, H={H})"

    def __post_init__(self) -> None:
        if not len(self.V) == len(self.c) == len(self.labels):
            raise ValueError(f"V, c and labels differ: {len(self.V)}, {len(self.c)} and {len(self.labels)} outputs")

    def __call__(self, h: Array) -> Array:
        """Return y `(…, K)` for states `h` `(…, H)`."""
        y: Array = self.read(h) @ self.V.T + self.c
        if self.kind == "linear":
            return y
        y = np.exp(y - y.max(-1, keepdims=True))
        y /= y.sum(-1, keepdims=True)
        return y

    def read(self, h: Array) -> Array:
        """Return the vectors that `V` multiplies: the states `h` `(…, H)`, or the product of their two halves."""
        if not self.product:
            return h
        first, second = np.split(h, 2, -1)
        return first * second

    def backward(self, h: Array, gradient: Array) -> Array:
        """Return ∂L/∂h `(…, H)`, given `gradient`, the gradient of the loss L with respect to `read(h)`."""
        if not self.product:
            return gradient
        first, second = np.split(h, 2, -1)
        return np.concatenate([gradient * second, gradient * first], -1)


@dataclass(frozen=True)
class Model:
    """A network: an `encoder`, `layers` from the bottom to the top, a `readout` and a `card`.

    `report` has sentences that explain how a file from another library was read. It is not saved with the model.
    """

    encoder: Encoder
    layers: tuple[Cell, ...]
    readout: Readout
    card: Card
    report: tuple[str, ...] = field(default=(), compare=False)

    def __repr__(self) -> str:
        I, K = self.encoder.inputs, len(self.readout.labels)
        return f"Model({self.card.title[:40]!r}, {self.card.weights}: I={I}, H={self.sizes}, K={K})"

    def _repr_html_(self) -> str:
        """Return the card as HTML, for notebooks."""
        kinds = " and ".join(dict.fromkeys(cell.kind for cell in self.layers))
        sizes = {
            "inputs": f"{self.encoder.inputs}. {self.encoder.hint}",
            "units": f"{self.sizes}, {kinds}",
            "outputs": f"{self.readout.kind}: {notebook.some(self.readout.labels)}",
            "read as": " ".join(self.report),
        }
        return notebook.card_html(self.card, sizes, self.examples)

    @property
    def sizes(self) -> str:
        """The number of units in each layer, from bottom to top, as text: "8", or "8→4"."""
        return "→".join(str(cell.units) for cell in self.layers)

    @property
    def is_bidirectional(self) -> bool:
        """Whether a layer reads the sequence in both directions. Then each output depends on all timesteps."""
        return any(cell.backward_units for cell in self.layers)

    @property
    def examples(self) -> tuple[str, ...]:
        """Sequences to start with, at least one."""
        return self.card.examples or (self.encoder.example,)

    def state(self, h0: Sequence[npt.ArrayLike] | None) -> list[Array]:
        """Return an initial state for each layer: h `(H,)` or, for an LSTM, h followed by c `(2H,)`.

        The states are the arrays in `h0`, or zero if `h0` is None. Raises ValueError if a shape does not fit its layer,
        and TypeError if `h0` is not a list.
        """
        needed = [(len(cell.carried) * cell.units,) for cell in self.layers]
        if h0 is not None and not isinstance(h0, Iterable):
            raise TypeError(f"h0 is a list with a state for each layer, and here these have the shapes {needed}")
        initial: Sequence[npt.ArrayLike] = [np.zeros(shape) for shape in needed] if h0 is None else h0
        states: list[Array] = [np.asarray(h, float) for h in initial]
        shapes = [h.shape for h in states]
        if shapes != needed:
            if not any(shapes) and (len(shapes),) in needed:
                raise ValueError(f"h0 is a list with a state for each layer, here {needed}: for one layer pass [h0]")
            raise ValueError(f"h0 has shapes {shapes}, but this model needs {needed}")
        return states

    def holds(self, clamps: Sequence[Clamp], steps: tuple[int, ...]) -> list[Holds | None]:
        """Return the clamped values of each layer, or None for a layer without a clamp.

        `steps` is the shape of the run: `(T,)` for one sequence, `(T, B)` for a batch. Raises ValueError if a clamp
        names a layer, signal or unit that the model does not have, covers no timestep, or has a mask that does not fit
        the run. Raises TypeError if `clamps` is a single clamp.
        """
        if isinstance(clamps, Clamp):
            raise TypeError("clamps is a list: write clamps=[…] even for one clamp")
        self._check_layers(clamps)
        return [hold(clamps, i, cell, steps) for i, cell in enumerate(self.layers)]

    def edited(self, edits: Sequence[Edit]) -> Model:
        """Return the model with the edits applied. Raises ValueError if it does not have an edited layer or weight."""
        self._check_layers(edits)
        layers = (edited(cell, [edit for edit in edits if edit.layer == i]) for i, cell in enumerate(self.layers))
        return replace(self, layers=tuple(layers))

    def _check_layers(self, changes: Sequence[Clamp | Edit]) -> None:
        for change in changes:
            if not 0 <= change.layer < len(self.layers):
                raise ValueError(f"layer {change.layer + 1} is not in this model: choose from 1 to {len(self.layers)}")

    def mask(self, x: Array) -> Mask | None:
        """Return a mask `(T, …)` for `x` `(T, …, I)`, false at the timesteps that the network skips, or None.

        The network skips timesteps of padding: the state does not change there. None means that no timestep is skipped.
        """
        return self.encoder.mask(x)

    def forward(
        self,
        x: Array,
        h0: Sequence[Array] | None = None,
        holds: Sequence[Holds | None] | None = None,
        mask: Mask | None = None,
    ) -> list[Run]:
        """Run every layer over `x`, `(T, I)` or `(T, B, I)`, and return the runs from the bottom layer to the top.

        `h0` and `holds` have an entry for each layer. `mask` `(T,)` or `(T, B)` is false at the timesteps that every
        layer skips. If it is None, `Model.mask` provides the mask. Raises ValueError if a shape does not fit.
        """
        mask = self.mask(x) if mask is None else mask
        if mask is not None and mask.shape not in (x.shape[:1], x.shape[:-1]):
            raise ValueError(f"mask has shape {mask.shape}, but x of shape {x.shape} needs {x.shape[:-1]}")
        runs: list[Run] = []
        for i, cell in enumerate(self.layers):
            held = None if holds is None else holds[i]
            if mask is not None and not mask.all():
                held = (held or Holds({}, {})).skipping(mask, cell.units, cell.skip)
            runs.append(cell.forward(x, None if h0 is None else h0[i], held))
            x = runs[-1].h
        return runs

    def __call__(self, x: Array, clamps: Sequence[Clamp] = (), h0: Sequence[Array] | None = None) -> Array:
        """Return the outputs y, `(T, …, K)`, for inputs `x` `(T, …, I)`. The intermediate values are dropped."""
        return self.readout(self.forward(x, h0, self.holds(clamps, x.shape[:-1]))[-1].h)

    @property
    def parameters(self) -> dict[str, Array]:
        """The weights of all layers and of the readout, by their names in the file."""
        arrays = {f"layers.{i}.{n}": a for i, cell in enumerate(self.layers) for n, a in cell.parameters.items()}
        return arrays | {"readout.V": self.readout.V, "readout.c": self.readout.c}

    def with_parameters(self, parameters: Mapping[str, Array]) -> Model:
        """Return a copy of the model with new arrays. `parameters` has the names of the property `parameters`."""
        layers = tuple(
            cell.with_parameters({n: parameters[f"layers.{i}.{n}"] for n in cell.parameters})
            for i, cell in enumerate(self.layers)
        )
        readout = replace(self.readout, V=parameters["readout.V"], c=parameters["readout.c"])
        return replace(self, layers=layers, readout=readout)

    def astype(self, dtype: npt.DTypeLike) -> Model:
        """Return the same model in another precision."""
        return self.with_parameters({name: array.astype(dtype) for name, array in self.parameters.items()})

    def negate_unit(self, layer: int, unit: int) -> Model:
        """Return a model with the same outputs, in which one unit's state has the opposite sign."""
        layers, readout = list(self.layers), self.readout
        layers[layer] = layers[layer].negated(unit)
        sign = np.where(np.arange(layers[layer].units) == unit, -1.0, 1.0).astype(layers[layer].U.dtype)
        if layer + 1 < len(layers):
            layers[layer + 1] = layers[layer + 1].with_parameters({"W": layers[layer + 1].W * sign})
        else:
            readout = replace(readout, V=readout.V * readout.read(sign))
        return replace(self, layers=tuple(layers), readout=readout)

    def save(self, path: str | Path) -> None:
        """Write the `.safetensors` file. Raises OSError if the file cannot be written."""
        Path(path).write_bytes(self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the bytes of the `.safetensors` file. The same model gives the same bytes."""
        metadata = {
            "encoder": self.encoder.to_dict(),
            "readout": {"kind": self.readout.kind, "labels": self.readout.labels}
            | ({"product": True} if self.readout.product else {}),
            "layers": len(self.layers),
            "card": self.card.to_dict(),
        }
        if any(cell.name != "gru" for cell in self.layers):
            metadata["cells"] = [cell.name for cell in self.layers]
        if self.is_bidirectional:
            metadata["backward units"] = [cell.backward_units for cell in self.layers]
        # The metadata is a single JSON text under one key, because the library does not write keys in a fixed order.
        text = json.dumps(metadata, ensure_ascii=False)
        # The library copies an array's memory unchanged and later reads it as row-major, so make each array contiguous.
        arrays = self.parameters
        if isinstance(self.encoder, Embedded):
            arrays = arrays | {TABLE: self.encoder.table}
        rows = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        return bytes(save(rows, {"gruscope": text}))


def load_file(path: str | Path) -> Model:
    """Return the model in a file that `Model.save` wrote.

    Raises FileNotFoundError if the file does not exist, and ValueError if it is not a GRU Scope model.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {})["gruscope"]
            return from_parts({name: file.get_tensor(name) for name in file.keys()}, text)  # noqa: SIM118
    except (KeyError, TypeError, SafetensorError, json.JSONDecodeError) as error:
        raise ValueError(f"{Path(path).name} is not a GRU Scope model: {error}") from error


def is_saved(path: str | Path) -> bool:
    """Return whether a file has the metadata that `Model.save` writes."""
    try:
        with safe_open(path, framework="numpy") as file:
            return "gruscope" in (file.metadata() or {})
    except SafetensorError:
        return False


def from_parts(arrays: Mapping[str, Array], text: str) -> Model:
    """Rebuild a model from its arrays by name and `text`, the JSON metadata that `Model.save` wrote.

    Raises KeyError, TypeError or ValueError if something is missing or does not fit.
    """
    metadata = json.loads(text)
    cells = metadata["cells"] if "cells" in metadata else repeat("gru", metadata["layers"])
    backward = metadata.get("backward units", repeat(0, metadata["layers"]))
    layers = tuple(
        _layer(arrays, f"layers.{i}.", name, units) for i, (name, units) in enumerate(zip(cells, backward, strict=True))
    )
    output = metadata["readout"]
    readout = Readout(
        output["kind"], arrays["readout.V"], arrays["readout.c"], tuple(output["labels"]), output.get("product") is True
    )
    card = {"confusion": (), **metadata["card"]}
    return Model(
        encoder_from_dict(metadata["encoder"], arrays.get(TABLE)),
        layers,
        readout,
        Card(**card | {"examples": tuple(card["examples"]), "confusion": tuple(map(tuple, card["confusion"]))}),
    )


def _layer(arrays: Mapping[str, Array], prefix: str, name: str, backward_units: int) -> Cell:
    named = {key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)}
    return CELLS[name](**named, backward_units=backward_units)
